// The roster: tap a name to go from one status to the next, look somebody up, see the counts.

const STATUS = 'select[name^="att-"]';
const NEXT = { "": "present", present: "excused", excused: "unexcused", unexcused: "present", remote: "present" };

export class Roster {
  constructor(form) {
    this.form = form;
    form.addEventListener("click", (event) => this.tapped(event));
    form.addEventListener("change", (event) => this.changed(event));
    form.addEventListener("input", (event) => this.looked(event));
  }

  // Read the list as it stands; again whenever the server has sent another.
  begin() {
    this.list = this.form.querySelector(".seats");
    this.counts = new Map();
    if (!this.list) {
      return;
    }
    this.list.classList.add("tappable");
    for (const select of this.list.querySelectorAll(STATUS)) {
      select.parentElement.className = `seat s-${select.value || "unknown"}`;
      this.counts.set(select.value, (this.counts.get(select.value) || 0) + 1);
    }
    this.show();
  }

  tapped(event) {
    if (event.target.closest("[data-roster-rest]")) {
      this.settleRest();
      return;
    }
    const label = event.target.closest(".seat label");
    if (!label) {
      return;
    }
    event.preventDefault(); // The label would only move the focus.
    const select = label.parentElement.querySelector(STATUS);
    select.value = NEXT[select.value];
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  changed(event) {
    const seat = event.target.closest(".seat");
    if (seat && event.target.matches(STATUS)) {
      const before = seat.className.replace(/.*\bs-(\S+).*/, "$1");
      this.count(before === "unknown" ? "" : before, -1);
      this.count(event.target.value, 1);
      seat.className = `seat s-${event.target.value || "unknown"}`;
      this.offerReason(seat, event.target);
      this.show();
    }
  }

  // A long roster comes without the choice of a reason for those who were not on leave.
  offerReason(seat, status) {
    if (status.value !== "excused" || seat.querySelector(".why")) {
      return;
    }
    const template = this.form.querySelector("template[data-why]");
    const choice = template.content.firstElementChild.cloneNode(true);
    choice.name = status.name.replace("att-", "why-");
    choice.setAttribute("aria-label", `${choice.getAttribute("aria-label")} ${status.labels[0].textContent.trim()}`);
    seat.append(choice);
  }

  count(status, by) {
    this.counts.set(status, (this.counts.get(status) || 0) + by);
  }

  // Whoever nothing is said of has come: what a paper list with a few absences means.
  settleRest() {
    for (const select of this.list.querySelectorAll(STATUS)) {
      if (!select.value) {
        select.value = "present";
        select.parentElement.className = "seat s-present";
      }
    }
    this.count("present", this.counts.get("") || 0);
    this.counts.set("", 0);
    this.show();
    this.list.dispatchEvent(new Event("change", { bubbles: true })); // What is typed is kept.
  }

  show() {
    for (const place of this.form.querySelectorAll("[data-count]")) {
      const number = this.counts.get(place.dataset.count) || 0;
      place.textContent = number;
      place.parentElement.hidden = !number && place.dataset.count !== "present";
    }
    const rest = this.form.querySelector("[data-roster-rest]");
    if (rest) {
      rest.hidden = !this.counts.get("");
    }
  }

  looked(event) {
    if (!event.target.hasAttribute("data-roster-find")) {
      return;
    }
    const wanted = event.target.value.trim();
    let found = false;
    for (const seat of this.list.children) {
      const hidden = wanted !== "" && !seat.firstElementChild.textContent.includes(wanted);
      if (seat.hidden !== hidden) {
        seat.hidden = hidden;
      }
      found = found || !hidden;
    }
    this.form.querySelector("[data-roster-none]").hidden = found;
  }
}
