// What the pages do beyond HTML and htmx. Nothing here is needed to get work done.

/* The dialog: whatever htmx puts into it is shown; closing empties it and gives the focus back. */
const dialog = document.getElementById("dialog");
let opener = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-hx-target='#dialog']");
  if (link && !dialog?.contains(link)) opener = link;
  const closes = event.target.closest("[data-close]");
  if (closes && dialog?.open && dialog.contains(closes)) {
    event.preventDefault();
    dialog.close();
  }
});

function showDialog() {
  const title = dialog.querySelector("h1, h2");
  if (title) dialog.setAttribute("aria-label", title.textContent.trim());
  if (!dialog.open) dialog.showModal();
  focusFirst(dialog);
}

/** The first complaint, else the first thing to fill in, else the button that goes on, unless it destroys. */
function focusFirst(within) {
  const field = "input:not([type=hidden], [readonly], :disabled), select:not(:disabled), textarea:not([readonly], :disabled)";
  const target =
    within.querySelector("[aria-invalid='true']:is(input, select, textarea)") ??
    within.querySelector("[autofocus]") ??
    within.querySelector(field) ??
    within.querySelector(".button--primary:not(.button--danger)") ??
    within.querySelector("[data-close]:not(.button--icon)") ??
    within.querySelector("a[href], button:not(:disabled)");
  target?.focus();
}

dialog?.addEventListener("close", () => {
  if (dialog.open) return; // another one has come since
  dialog.replaceChildren();
  if (opener?.isConnected) opener.focus();
  opener = null;
});
// A click beside the dialog closes it, unless something was typed into it.
dialog?.addEventListener("mousedown", (event) => {
  if (event.target === dialog && !dialog.querySelector("form :is(input, textarea, select)")) dialog.close();
});

/* htmx: parts that arrived, parts that did not. */
// A dialog that is a page of its own is answered in its place, not by a second one over it.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const page = detail.requestConfig?.elt?.closest?.(".dialog-page");
  if (page && detail.target === dialog) detail.target = page;
});
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target === dialog) showDialog();
  else if (target.matches(".dialog-page")) focusFirst(target);
});
document.addEventListener("htmx:sendError", (event) => {
  if (!refreshesItself(event)) toast("The portal cannot be reached. Check your connection and try again.");
});
document.addEventListener("htmx:responseError", (event) => {
  if (refreshesItself(event)) return;
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const words = answer.querySelector(".callout__words, main")?.innerText.replace(/\s+/g, " ").trim();
  toast(words || "That did not work. Reload the page and try again.");
});

// Nobody looks, or somebody reads what would be taken away: nothing needs refreshing.
document.addEventListener("htmx:beforeRequest", (event) => {
  const reading = event.detail.elt.querySelector?.(":popover-open");
  if ((document.hidden || reading) && refreshesItself(event)) event.preventDefault();
});

/** A part that refreshes on its own keeps quiet when it fails: the next time will do. */
function refreshesItself(event) {
  return /every|load|sse/.test(event.detail.elt?.getAttribute?.("data-hx-trigger") ?? "");
}

function toast(words) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const box = document.createElement("div");
  const close = document.createElement("button");
  box.className = "toast";
  box.append(Object.assign(document.createElement("p"), { textContent: words }));
  close.type = "button";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => box.remove());
  box.append(close);
  place.replaceChildren(box);
}

/* What was sent once is not sent twice: its buttons rest until there is an answer. */
function rest(form, resting) {
  for (const button of form.elements) {
    if (button.type !== "submit") continue;
    if (resting) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}
document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => elt.matches("form[method=post]") && rest(elt, true));
document.addEventListener("htmx:afterRequest", ({ detail: { elt } }) => elt.matches("form[method=post]") && rest(elt, false));
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "true";
  setTimeout(() => rest(form, true)); // after the browser has read which button was pressed
});
document.addEventListener("click", (event) => event.target.closest("[aria-disabled='true']") && event.preventDefault(), true);

/* Whoever leaves while a form is on its way leaves once it has arrived: it is not cut short. */
let sending = 0;
let leaving = null;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches("form[method=post]") && !event.defaultPrevented) sending += 1;
});
// The form itself may be gone by then: what it asked with still names it.
document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, successful } }) => {
  if (!requestConfig.elt.matches("form[method=post]")) return;
  sending = Math.max(0, sending - 1);
  if (leaving && successful && !sending) location.assign(leaving);
  leaving = null;
});
document.addEventListener(
  "click",
  (event) => {
    const link = sending && event.target.closest("a[href]");
    if (!link) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    leaving = link.href;
  },
  true,
);

/* Long work tells how far it is. */
for (const place of document.querySelectorAll("[data-events]")) {
  const source = new EventSource(place.dataset.events);
  const show = ({ data }) => {
    htmx.swap(place, data, { swapStyle: "innerHTML" });
  };
  source.addEventListener("part", show);
  source.addEventListener("last", (event) => {
    source.close();
    show(event);
  });
}

/* Copy buttons are taken away where they do not work. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast("Copied.");
    setTimeout(() => document.getElementById("toasts")?.replaceChildren(), 2000);
  } catch {
    toast("The browser did not let us copy. Select the text and copy it by hand.");
  }
});

/* Disclosures stay as they were left, for this window. */
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (target.matches?.("details[data-remember]")) sessionStorage.setItem(`open:${location.pathname}#${target.id}`, target.open);
  },
  true,
);

// What is drawn on the server follows the clocks of whoever looks.
document.cookie = `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; Path=/; Max-Age=31536000; SameSite=Lax`;

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const second = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** Of today only the time; as the server writes it once it knows the zone. */
function inWords(at, kind) {
  const time = (kind === "clock" ? second : minute).format(at);
  if (at.toDateString() !== new Date().toDateString()) return `${day.format(at)}, ${time}`;
  return kind === "clock" ? time : `today, ${time}`;
}

// What opens a dialog here, or acts within one, is a button; without scripts it was a link to a page.
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches("a[role='button']")) return;
  event.preventDefault();
  event.target.click();
});

/** What a page, or a part that arrived, gets beyond its HTML. */
function dress(root) {
  for (const link of root.querySelectorAll("a.button[data-hx-target='#dialog'], .dialog a.button:not([target])")) link.setAttribute("role", "button");
  if (!navigator.clipboard) for (const button of root.querySelectorAll("[data-copy]")) button.hidden = true;
  for (const details of root.querySelectorAll("details[data-remember]")) {
    const left = sessionStorage.getItem(`open:${location.pathname}#${details.id}`);
    if (left !== null) details.open = left === "true";
  }
  for (const time of root.querySelectorAll("time:not([title])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    time.title = full.format(at);
    if (time.dataset.local) time.textContent = inWords(at, time.dataset.local);
  }
}

/** What a part says of itself is read out when it is no longer what it said before. */
const saidBy = (root) => root.querySelector?.("[data-words]")?.textContent.replace(/\s+/g, " ").trim();
let said = saidBy(document);
function say(words) {
  const spot = document.querySelector("dialog[open] [data-say]") ?? document.querySelector("[data-say]");
  if (!words || words === said || !spot) return;
  said = words;
  spot.textContent = words;
}

dress(document);
/** The tab one is on stays in sight where they do not all fit. */
const showTab = () => document.querySelector(".account-head .tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
showTab();
addEventListener("resize", showTab);
// Parts that arrive are dressed before they are painted, so nothing flickers.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      dress(node.parentElement ?? node);
      say(saidBy(node));
    }
  }
}).observe(document.body, { childList: true, subtree: true });
const refused = document.querySelector("main [aria-invalid='true']:is(input, select, textarea)");
if (refused) refused.focus();
else if (document.body.matches(".plain") && document.querySelector("form")) focusFirst(document.querySelector("form"));
// Coming back to a page: its flash has been read, and its forms may be sent again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelector(".flash")?.remove();
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    rest(form, false);
  }
});
