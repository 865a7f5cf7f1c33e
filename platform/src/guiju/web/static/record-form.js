// The form of a record: kept while it is typed, here and on the server; names to tap.
// Without this script the same form is submitted as it is.  Written for browsers of 2021.
import { Files } from "./record-files.js";
import { Keeper } from "./record-keeper.js";
import { Roster } from "./record-roster.js";

const form = document.querySelector("[data-record-form]");
const roster = new Roster(form);
const keeper = new Keeper(form);

// -- what is asked follows the kinds and the day -----------------------------------------------

const fieldsAddress = form.dataset.save.replace(/save$/, "fields");
let asking = 0;

// What was typed while the answer was on its way is carried over into it.
const carry = (old, fresh) => {
  const keyOf = (field) => `${field.name} ${field.type === "checkbox" ? field.value : ""}`;
  const typed = new Map();
  for (const field of old.querySelectorAll("input, select, textarea")) {
    typed.set(keyOf(field), field);
  }
  for (const field of fresh.querySelectorAll("input, select, textarea")) {
    const before = typed.get(keyOf(field));
    if (before && field.type === "checkbox") {
      field.checked = before.checked;
    } else if (before) {
      field.value = before.value;
    }
  }
};

const askAnew = async () => {
  const turn = ++asking;
  let answer;
  try {
    answer = await fetch(fieldsAddress, {
      method: "POST",
      headers: { "HX-Request": "true" },
      body: new URLSearchParams(new FormData(form)),
    });
  } catch {
    return; // Offline: what is on the page can be filled in all the same.
  }
  if (!answer.ok || turn !== asking) {
    return;
  }
  const found = document.createElement("template");
  found.innerHTML = await answer.text();
  for (const id of ["asked", "roster"]) {
    const fresh = found.content.getElementById(id);
    if (fresh) {
      const focused = document.activeElement && document.activeElement.id;
      const old = document.getElementById(id);
      carry(old, fresh);
      old.replaceWith(fresh);
      if (focused && document.getElementById(focused)) {
        document.getElementById(focused).focus();
      }
    }
  }
  roster.begin();
  keeper.completed();
};

form.addEventListener("change", (event) => {
  if (event.target.hasAttribute("data-asks")) {
    askAnew();
  }
});

// -- all that is asked for at once ---------------------------------------------------------------

form.addEventListener("click", (event) => {
  if (!event.target.hasAttribute("data-tick-all")) {
    return;
  }
  for (const box of event.target.closest("fieldset").querySelectorAll(".chip:not(.optional) input")) {
    box.checked = true;
  }
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
});

// -- handing it in ---------------------------------------------------------------------------------

form.addEventListener("submit", (event) => {
  if (event.submitter && event.submitter.hasAttribute("data-submit")) {
    keeper.submitting();
    // A second tap would hand it in twice; the first has been sent by then.
    window.setTimeout(() => {
      event.submitter.disabled = true;
    });
  }
});
window.addEventListener("pageshow", () => {
  form.querySelector("[data-submit]").disabled = false;
});

const fault = document.querySelector("[data-error]");
if (fault) {
  const field = fault.parentElement.querySelector("input, select, textarea");
  (field || fault).focus({ preventScroll: true });
  fault.scrollIntoView({ block: "center" });
}

roster.begin();
keeper.begin(askAnew);
new Files(keeper).begin();
