// What the form of a record kept in this browser: cleared once it was handed in, else offered.
"use strict";

(() => {
  const PREFIX = "guiju.record.";

  const submitted = window.sessionStorage.getItem("guiju.submitted");
  if (submitted && document.querySelector("[data-handed-in]")) {
    window.localStorage.removeItem(submitted);
    window.sessionStorage.removeItem("guiju.submitted");
  }

  const place = document.querySelector("[data-kept]");
  if (!place) {
    return;
  }
  const own = `${PREFIX}${place.dataset.kept} `;
  const list = place.querySelector("ul");
  for (const key of Object.keys(window.localStorage)) {
    if (key.startsWith(own)) {
      const link = document.createElement("a");
      link.href = key.slice(own.length);
      link.textContent = JSON.parse(window.localStorage.getItem(key)).title;
      const entry = document.createElement("li");
      entry.append(link);
      list.append(entry);
      place.hidden = false;
    }
  }
})();
