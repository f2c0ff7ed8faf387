/* Ticks that stay from page to page, for this window: the form sends them all. */
{
  const KEPT = "selected-accounts";
  // More would not fit into what a form may hold; "all that match" is for those.
  const MOST = 2000;
  const kept = () => new Set(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  const keep = (ids) => sessionStorage.setItem(KEPT, JSON.stringify([...ids].slice(0, MOST)));
  const boxes = (form) => [...form.querySelectorAll("input[name=account][type=checkbox]")];

  function show(form) {
    const ids = kept();
    const all = form.querySelector("[data-matching]");
    const everything = all?.checked ?? false;
    for (const box of boxes(form)) {
      box.checked = everything || ids.has(box.value);
      box.disabled = everything;
    }
    const here = boxes(form);
    const ticked = here.filter((box) => box.checked).length;
    const page = form.querySelector("[data-tick-all]");
    if (page) {
      page.hidden = false;
      page.disabled = everything;
      page.checked = ticked === here.length;
      page.indeterminate = ticked > 0 && ticked < here.length;
    }
    const n = everything ? Number(all.dataset.matching) : ids.size;
    const elsewhere = everything ? 0 : n - ticked;
    const words = form.querySelector("[data-selected]");
    if (words) words.textContent = n ? `${n} selected${elsewhere ? `, ${elsewhere} not on this page` : ""}` : "Tick accounts to work on several at once.";
    const clear = form.querySelector("[data-clear]");
    if (clear) clear.hidden = !n;
    form.querySelector(".selection")?.classList.toggle("selection--some", n > 0);
  }

  function dressSelection(root) {
    for (const form of root.querySelectorAll("form[data-selection]")) show(form);
  }

  document.addEventListener("change", ({ target }) => {
    const form = target.closest?.("form[data-selection]");
    if (!form) return;
    const ids = kept();
    const changed = target.matches("[data-tick-all]") ? boxes(form) : target.matches("input[name=account]") ? [target] : [];
    for (const box of changed) target.checked ? ids.add(box.value) : ids.delete(box.value);
    keep(ids);
    show(form);
  });
  document.addEventListener("click", ({ target }) => {
    const form = target.closest?.("[data-clear]")?.closest("form");
    if (!form) return;
    keep([]);
    const all = form.querySelector("[data-matching]");
    if (all) all.checked = false;
    show(form);
    form.querySelector("[data-tick-all]")?.focus();
  });
  // What was ticked on other pages goes along.
  document.addEventListener("formdata", ({ target, formData }) => {
    if (!target.matches("form[data-selection]") || formData.has("matching")) return;
    formData.delete("account");
    for (const id of kept()) formData.append("account", id);
  });
  addEventListener("submit", ({ target, defaultPrevented }) => {
    if (target.matches("form[data-selection]") && !defaultPrevented) setTimeout(() => keep([]));
  });
  document.addEventListener("htmx:afterSettle", ({ detail: { elt } }) => dressSelection(elt.ownerDocument));
  addEventListener("pageshow", () => dressSelection(document));
  // Nobody is signed in: nothing of the last one stays.
  if (!document.querySelector(".shell")) sessionStorage.removeItem(KEPT);
}
