// What was typed into a form and not taken, because the session had ended or the form was refused
// as a whole, is put back once the form is there again.  Kept in this tab alone, for whoever typed
// it; never where a form asks for a password or a code.  The form of a record keeps its own.
"use strict";

(() => {
  const PLACE = "guiju.typed";
  const NEVER = '[type="password"], [autocomplete="one-time-code"]';
  // Hidden fields that may have changed meanwhile; the others tell forms apart.
  const OF_THE_MOMENT = new Set(["csrf_token", "next", "revision", "basis", "seen"]);

  const read = () => {
    try {
      return JSON.parse(window.sessionStorage.getItem(PLACE));
    } catch {
      return null;
    }
  };
  const write = (sent) => {
    try {
      window.sessionStorage.setItem(PLACE, JSON.stringify(sent));
    } catch {
      // No room in this browser: then the form has to be filled in again.
    }
  };
  const forget = () => window.sessionStorage.removeItem(PLACE);

  const isPost = (form) => form.getAttribute("method") === "post";
  const fieldsOf = (form) =>
    [...form.elements].filter(
      (field) => field.name && !field.disabled && field.matches("input, select, textarea"),
    );
  const isHidden = (field) => field.type === "hidden" || field.hidden;
  const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

  const isTyped = (field) =>
    !isHidden(field) && !["file", "submit", "button"].includes(field.type);

  // Which form it is: what it does, and about what.
  const identity = (form) => {
    const about = fieldsOf(form).filter((one) => isHidden(one) && !OF_THE_MOMENT.has(one.name));
    return JSON.stringify([form.getAttribute("action"), about.map((one) => [one.name, one.value])]);
  };
  const typedInto = (form) =>
    fieldsOf(form)
      .filter((field) => isTyped(field) && (!isChoice(field) || field.checked))
      .map((field) => [field.name, field.value]);
  const isWorthKeeping = (form) =>
    !form.hasAttribute("data-record-form") &&
    !form.querySelector(NEVER) &&
    fieldsOf(form).some((field) => isTyped(field) && !isChoice(field) && field.value.trim() !== "");

  const page = document.querySelector("[data-typed]");

  if (page) {
    document.addEventListener("submit", (event) => {
      const form = event.target;
      if (form.hasAttribute("data-sign-out")) {
        forget();
      } else if (isPost(form) && !event.defaultPrevented) {
        if (isWorthKeeping(form)) {
          write({ who: page.dataset.typed, form: identity(form), fields: typedInto(form) });
        } else if (!(read() || {}).refused) {
          forget();
        }
      }
    });
  }

  const sent = read();
  if (!sent) {
    return;
  }

  const refusal = document.querySelector("[data-not-taken]");
  if (refusal) {
    write({ ...sent, refused: true });
    for (const words of document.querySelectorAll("[data-typed-kept]")) {
      words.hidden = false;
    }
  }
  if (!page) {
    return;
  }
  if (!sent.refused || sent.who !== page.dataset.typed) {
    forget();
    return;
  }

  // -- putting it back ---------------------------------------------------------------------------

  const form = [...document.forms].find((one) => isPost(one) && identity(one) === sent.form);
  if (!form) {
    return;
  }
  forget();
  const left = [...sent.fields];
  const take = (name, value) => {
    const at = left.findIndex((one) => one[0] === name && (value === undefined || one[1] === value));
    return at < 0 ? undefined : left.splice(at, 1)[0][1];
  };
  for (const field of fieldsOf(form).filter(isTyped)) {
    const before = isChoice(field) ? field.checked : field.value;
    if (isChoice(field)) {
      field.checked = take(field.name, field.value) !== undefined;
    } else {
      const value = take(field.name);
      field.value = value === undefined ? field.value : value;
    }
    if ((isChoice(field) ? field.checked : field.value) !== before) {
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  for (let around = form; around; around = around.parentElement) {
    if (around.tagName === "DETAILS") {
      around.open = true;
    }
  }
  const notice = document.createElement("div");
  notice.className = "notice";
  notice.setAttribute("role", "status");
  notice.textContent = page.dataset.typedBack;
  form.prepend(notice);
  notice.scrollIntoView({ block: "center" });
})();
