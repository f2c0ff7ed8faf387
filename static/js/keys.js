/* Keys for those who like them: the palette, the list, and a help that says so. */
{
  const place = document.getElementById("dialog");
  const typing = (element) => element?.matches?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
  const single = () => localStorage.getItem("single-keys") !== "off";

  /** Shows a dialog from the server; the focus returns to where it was. */
  const show = (path) => {
    if (place.open) return;
    opener = document.activeElement;
    htmx.ajax("GET", path, { target: place, swap: "innerHTML" });
  };

  const rows = () => [...document.querySelectorAll("table[data-keys] tbody tr")];
  const here = () => document.activeElement?.closest("table[data-keys] tbody tr");

  function step(by) {
    const all = rows();
    const at = all.indexOf(here());
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    next?.querySelector(".table__main a")?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    "/": () => document.querySelector("main [type=search]")?.focus(),
    "?": () => show("/shortcuts"),
    j: () => step(1),
    k: () => step(-1),
    o: () => here()?.querySelector(".table__main a")?.click(),
    x: () => here()?.querySelector("input[name=account]")?.click(),
  };

  addEventListener("keydown", (event) => {
    const palette = event.target.closest?.("[data-palette]");
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && place) {
      event.preventDefault();
      if (palette) place.close();
      else show("/go");
    } else if (palette) choose(palette, event);
    else if (event.target.matches?.("main [type=search]") && event.key === "Escape" && !event.target.value) event.target.blur();
    else if (!event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target) && !place?.open && single() && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  /* The palette: the field keeps the focus, and says which option is meant. */
  const options = (palette) => [...palette.querySelectorAll("a[role=option]")];

  function mean(palette, option) {
    for (const one of options(palette)) one.setAttribute("aria-selected", one === option);
    const field = palette.querySelector("[role=combobox]");
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function choose(palette, event) {
    const all = options(palette);
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      all[at]?.click();
    } else if (to !== undefined && all.length && (event.key.startsWith("Arrow") || event.ctrlKey)) {
      event.preventDefault();
      mean(palette, all[(to + all.length) % all.length]);
    }
  }

  document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
    const palette = target.closest?.("[data-palette]") ?? target.querySelector?.("[data-palette]");
    if (palette) mean(palette, options(palette)[0]);
    const single_keys = target.querySelector?.("[data-single-keys]");
    if (single_keys) single_keys.checked = single();
  });
  for (const box of document.querySelectorAll("[data-single-keys]")) box.checked = single();
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-single-keys]")) localStorage.setItem("single-keys", target.checked ? "on" : "off");
  });
}
