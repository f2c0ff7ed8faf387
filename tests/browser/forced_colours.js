// What cannot be seen on this page where the reader's system chooses the colours, a sentence each.
const wrong = [];
const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getBoundingClientRect().width > 1;
const named = (element) => `${element.outerHTML.slice(0, 110).replace(/\s+/g, " ")}…`;

/** Red, green, blue and how much of it covers. */
const channels = (colour) => {
  const [red, green, blue, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue, colour === "transparent" ? 0 : alpha];
};
const light = (colour) => {
  const [red, green, blue] = channels(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return channels(one)[3] < 0.5 ? 1 : (high + 0.05) / (low + 0.05);
};
/** What is painted behind. */
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (channels(colour)[3] > 0.5) return colour;
  }
  return getComputedStyle(document.documentElement).backgroundColor || "rgb(255, 255, 255)";
};
const behind = (element) => ground(element.parentElement ?? element);
const edged = (element) => {
  const style = getComputedStyle(element);
  return ["Top", "Right", "Bottom", "Left"].some(
    (side) => style[`border${side}Style`] !== "none" && parseFloat(style[`border${side}Width`]) >= 1 && contrast(style[`border${side}Color`], behind(element)) >= 3,
  );
};
const each = (selector, look) => {
  for (const element of document.querySelectorAll(selector)) {
    const complaint = visible(element) && look(element);
    if (complaint) wrong.push(`${complaint}: ${named(element)}`);
  }
};

const open = document.querySelector("dialog[open]");
const within = open ? "dialog[open] " : "";
if (!matchMedia("(forced-colors: active)").matches) wrong.push("the colours are not forced");

each(`${within}.button, ${within}.input:not(.palette *), ${within}.switch__track, ${within}.card, ${within}.callout, ${within}.stats, dialog[open]`, (element) => !edged(element) && "no edge");
each(`${within}.button, ${within}.switch__label, ${within}.tabs__tab, ${within}h1, ${within}h2, ${within}label, ${within}a[href], ${within}td, ${within}.badge`, (element) => {
  return element.innerText.trim() && contrast(getComputedStyle(element).color, ground(element)) < 4.5 && "words that cannot be read";
});
each(`${within}.status, ${within}.callout, ${within}.note, ${within}.timeline__step`, (element) => {
  const icon = element.querySelector(":scope > svg");
  if (!element.innerText.trim()) return "a state without a word";
  if (!icon || !visible(icon)) return "a state without an icon";
  return contrast(getComputedStyle(icon).color, ground(icon)) < 3 && "an icon that cannot be seen";
});
each(`${within}.presence`, (element) => {
  const dot = getComputedStyle(element, "::before");
  if (!element.innerText.trim()) return "a presence without a word";
  return contrast(dot.borderTopColor, ground(element)) < 3 && "a dot that cannot be seen";
});
each(`${within}.switch`, (element) => {
  const track = element.querySelector(".switch__track");
  return contrast(getComputedStyle(track, "::after").backgroundColor, getComputedStyle(track).backgroundColor) < 3 && "a knob that cannot be seen on its track";
});
each(`${within}:is(.tabs__tab, .nav__link)[aria-current]`, (element) => {
  const style = getComputedStyle(element);
  const line = style.outlineStyle !== "none" && contrast(style.outlineColor, ground(element)) >= 3;
  return !line && !edged(element) && "nothing says that one is here";
});
each(`${within}.chart svg`, (picture) => {
  const paint = (shape) => {
    const { fill, stroke } = getComputedStyle(shape);
    return [fill, stroke].some((colour) => colour !== "none" && contrast(colour, ground(picture)) >= 3);
  };
  const unread = [...picture.querySelectorAll("text")].some((text) => contrast(getComputedStyle(text).fill, ground(picture)) < 4.5);
  const series = ":is(rect, polyline, circle):is([fill='#2F6FDE'], [stroke='#2F6FDE'], [fill='#C2410C'], [stroke='#C2410C'])";
  if (unread) return "figures that cannot be read";
  return ![...picture.querySelectorAll(series)].every(paint) && "a line or bar that cannot be seen";
});
each(`${within}.chart__mark`, (mark) => {
  const { backgroundColor, backgroundImage } = getComputedStyle(mark);
  return backgroundImage === "none" && contrast(backgroundColor, behind(mark)) < 3 && "a key that cannot be seen";
});
each(`${within}progress`, (bar) => getComputedStyle(bar).appearance === "none" && "a bar whose colours are taken away");

// The focus, wherever it may stand.
const before = document.activeElement;
for (const element of document.querySelectorAll(`${within}:is(a[href], button, input, select, textarea, summary, [tabindex="0"])`)) {
  if (!visible(element) || element.disabled || element.tabIndex < 0) continue;
  element.focus({ preventScroll: true });
  if (document.activeElement !== element) continue;
  for (const change of element.getAnimations()) change.finish();
  const style = getComputedStyle(element);
  const line = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  if (!line || contrast(style.outlineColor, behind(element)) < 3) wrong.push(`a focus that cannot be seen: ${named(element)}`);
}
before?.focus?.({ preventScroll: true });
return wrong;
