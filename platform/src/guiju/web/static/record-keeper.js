// Keeps what is typed: in this browser at once, on the server every few seconds.
//
// The server counts the savings of a draft.  Where somebody else has saved meanwhile, both are
// put together field by field, against what both began from; where both changed the same field,
// the author's own stays and the other one's is offered beside it.

const LOCAL_AFTER = 400;
const SERVER_AFTER = 2500;
const RETRY_AFTER = 10000;
const PREFIX = "guiju.record.";
// Where the key of what was handed in stands until the record's page clears it away.
const SUBMITTED = "guiju.submitted";
const OWN = new Set(["csrf_token", "draft", "revision", "record_revision", "on_day_offered"]);

const same = (one, other) => JSON.stringify(one || []) === JSON.stringify(other || []);

// The form's fields as name → values, blank ones left out.
const fieldsOf = (form) => {
  const found = {};
  for (const [name, value] of new FormData(form)) {
    if (!OWN.has(name) && value !== "") {
      (found[name] = found[name] || []).push(value);
    }
  }
  return found;
};

const cleaned = (fields) => {
  const found = {};
  for (const [name, values] of Object.entries(fields)) {
    const filled = values.filter((value) => value !== "");
    if (filled.length) {
      found[name] = filled;
    }
  }
  return found;
};

export class Keeper {
  constructor(form) {
    this.form = form;
    this.words = form.dataset;
    this.state = form.querySelector("[data-state]");
    this.banner = form.querySelector("[data-banner]");
    this.base = fieldsOf(form);
    this.saving = false;
    this.pending = null;
    // What it was kept under before it was handed in, once that is answered with the form.
    this.continued = null;
  }

  get key() {
    return this.continued || `${PREFIX}${this.words.keep} ${window.location.pathname}${window.location.search}`;
  }

  async begin(askAnew) {
    this.askAnew = askAnew;
    if (window.location.pathname === this.form.getAttribute("action")) {
      this.goOn();
    } else {
      await this.restore();
    }
    this.form.addEventListener("input", (event) => this.touched(event));
    this.form.addEventListener("change", (event) => this.touched(event));
    window.addEventListener("online", () => this.save());
    window.addEventListener("offline", () => this.offline());
    window.addEventListener("pagehide", () => this.keep());
  }

  touched(event) {
    if (event.target.hasAttribute("data-roster-find")) {
      return;
    }
    window.clearTimeout(this.local);
    this.local = window.setTimeout(() => this.keep(), LOCAL_AFTER);
    this.later(SERVER_AFTER);
  }

  later(milliseconds) {
    window.clearTimeout(this.pending);
    this.pending = window.setTimeout(() => this.save(), milliseconds);
  }

  // -- in this browser ------------------------------------------------------------------------

  keep() {
    if (this.handedIn || same(fieldsOf(this.form), this.base)) {
      return;
    }
    const kept = { fields: fieldsOf(this.form), base: this.base, title: document.title };
    try {
      window.localStorage.setItem(this.key, JSON.stringify(kept));
    } catch {
      // No room in this browser: the server is asked all the same.
    }
  }

  forget() {
    window.localStorage.removeItem(this.key);
  }

  // Handing in was answered with the form: what was kept then stands in it, and in the draft.
  goOn() {
    this.continued = window.sessionStorage.getItem(SUBMITTED);
    if (this.form.elements.draft.value) {
      this.forget();
    }
  }

  async restore() {
    let kept;
    try {
      kept = JSON.parse(window.localStorage.getItem(this.key) || "null");
    } catch {
      kept = null;
    }
    if (!kept || same(kept.fields, fieldsOf(this.form))) {
      this.forget();
      return;
    }
    // The kinds decide which other fields there are.
    this.put("kinds", kept.fields.kinds);
    this.put("held_on", kept.fields.held_on);
    this.put("form", kept.fields.form);
    await this.askAnew();
    this.merge(kept.fields, kept.base, fieldsOf(this.form));
    this.tell(this.words.restored);
    this.later(0);
  }

  // Handed in: the page that follows clears away what is kept here, the sign-in page does not.
  submitting() {
    this.keep();
    window.clearTimeout(this.pending);
    this.handedIn = true;
    window.sessionStorage.setItem(SUBMITTED, this.key);
  }

  // Other fields have come: what they hold is not what somebody typed.
  completed() {
    const now = fieldsOf(this.form);
    for (const name of Object.keys(now)) {
      if (!(name in this.base) && name.startsWith("att-")) {
        this.base[name] = now[name];
      }
    }
  }

  // -- on the server -------------------------------------------------------------------------

  async save({ even = "" } = {}) {
    const sent = fieldsOf(this.form);
    if (this.saving || this.handedIn || (same(sent, this.base) && even !== "unchanged")) {
      return;
    }
    if (!navigator.onLine) {
      this.offline();
      return;
    }
    this.saving = true;
    this.say(this.words.saving);
    try {
      const answer = await fetch(this.words.save, {
        method: "POST",
        headers: { Accept: "application/json", "HX-Request": "true" },
        body: new URLSearchParams(new FormData(this.form)),
      });
      if (answer.ok) {
        this.saved(sent, await answer.json());
      } else if (answer.status === 409) {
        this.together(await answer.json());
      } else if (answer.status === 401 || answer.status === 400) {
        this.expired();
      } else {
        this.failed();
      }
    } catch {
      this.offline();
    } finally {
      this.saving = false;
    }
  }

  // Where the draft's files go; makes the draft if there is none yet.
  async filesAddress(known) {
    if (!known && !this.files) {
      await this.save({ even: "unchanged" });
    }
    return known || this.files;
  }

  saved(sent, kept) {
    this.forget();
    this.continued = null;
    this.base = sent;
    this.files = kept.files;
    this.form.elements.draft.value = kept.draft;
    this.form.elements.revision.value = kept.revision;
    if (window.location.pathname !== kept.address) {
      window.history.replaceState(null, "", kept.address);
    }
    // What was restored or merged stays said; what kept it from being saved is over.
    if (["offline", "failed", "expired"].includes(this.banner.dataset.why)) {
      this.banner.hidden = true;
    }
    this.say(`${this.words.saved} ${kept.saved}`);
    if (!same(fieldsOf(this.form), sent)) {
      this.later(SERVER_AFTER);
    }
  }

  offline() {
    this.keep();
    this.say("");
    this.tell(this.words.offline, "offline");
    this.later(RETRY_AFTER);
  }

  failed() {
    this.keep();
    this.say("");
    this.tell(this.words.failed, "failed");
    this.later(RETRY_AFTER);
  }

  expired() {
    this.keep();
    this.say("");
    const here = encodeURIComponent(window.location.pathname + window.location.search);
    const link = document.createElement("a");
    link.href = `/sign-in?next=${here}`;
    link.textContent = this.words.expired;
    this.tell(link, "expired");
  }

  // -- two authors -----------------------------------------------------------------------------

  together(theirs) {
    const merged = this.merge(fieldsOf(this.form), this.base, cleaned(theirs.fields));
    this.base = cleaned(theirs.fields);
    this.form.elements.revision.value = theirs.revision;
    const names = merged.map((name) => this.titleOf(name)).join(this.words.separator);
    this.tell(`${theirs.author}（${theirs.changed}）${this.words.merged}${names || "—"}`, "merged");
    this.later(0);
  }

  // Puts both together in the form; the names of the fields taken from the other one.
  merge(mine, base, theirs) {
    const taken = [];
    for (const name of new Set([...Object.keys(mine), ...Object.keys(theirs), ...Object.keys(base)])) {
      const unchanged = same(mine[name], base[name]);
      if (same(mine[name], theirs[name])) {
        continue;
      }
      if (unchanged) {
        if (this.put(name, theirs[name])) {
          taken.push(name);
        }
        continue;
      }
      this.put(name, mine[name]);
      if (!same(theirs[name], base[name])) {
        this.clash(name, theirs[name]);
        taken.push(name);
      }
    }
    return taken;
  }

  clash(name, theirs) {
    const place = this.placeOf(name);
    if (!place) {
      return;
    }
    const note = document.createElement("p");
    note.className = "clash";
    const take = document.createElement("button");
    take.type = "button";
    take.className = "link-button";
    take.textContent = this.words.take;
    take.addEventListener("click", () => {
      this.put(name, theirs);
      note.remove();
      this.later(0);
    });
    note.append(`${this.words.clash}${this.worded(name, theirs)} `, take);
    place.append(note);
  }

  // -- fields -----------------------------------------------------------------------------------

  put(name, values) {
    const listed = [...this.form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
    for (const field of listed) {
      if (field.type === "checkbox") {
        field.checked = (values || []).includes(field.value);
      } else if (field.value !== ((values || [])[0] || "")) {
        field.value = (values || [])[0] || "";
        field.dispatchEvent(new Event("change", { bubbles: true }));
      }
    }
    return listed.length > 0;
  }

  placeOf(name) {
    const field = this.form.querySelector(`[name="${CSS.escape(name)}"]`);
    return field && field.closest(".seat, fieldset, .field, .step-line");
  }

  titleOf(name) {
    const place = this.placeOf(name);
    const title = place && place.querySelector("label[for], legend");
    return title ? title.firstChild.textContent.trim() : name;
  }

  worded(name, values) {
    const words = (values || []).map((value) => {
      const choice = this.form.querySelector(
        `[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"], [name="${CSS.escape(name)}"] option[value="${CSS.escape(value)}"]`,
      );
      const text = choice && (choice.tagName === "OPTION" ? choice : choice.parentElement).textContent;
      return (text || value).trim();
    });
    return words.join(this.words.separator) || "—";
  }

  say(text) {
    this.state.textContent = text;
  }

  tell(what, why = "") {
    this.banner.replaceChildren(what);
    this.banner.dataset.why = why;
    this.banner.hidden = false;
  }
}
