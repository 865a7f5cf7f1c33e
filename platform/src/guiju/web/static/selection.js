// Ticked rows: says how many there are, and keeps the form for them out of sight while none is.
"use strict";

for (const form of document.querySelectorAll("[data-selection]")) {
  const batch = form.querySelector("[data-batch]");
  const told = form.querySelector("[data-chosen]");
  const all = form.querySelector("[data-all]");
  const boxes = () => [...form.querySelectorAll('input[name="item"]')];
  const show = () => {
    const number = boxes().filter((box) => box.checked).length;
    if (batch) batch.hidden = number === 0;
    if (told) told.textContent = number ? `✓ ${number}` : "";
    if (all) all.checked = number > 0 && number === boxes().length;
  };
  if (all) {
    all.closest("[hidden]")?.removeAttribute("hidden");
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      show();
    });
  }
  form.addEventListener("change", show);
  show();
}
