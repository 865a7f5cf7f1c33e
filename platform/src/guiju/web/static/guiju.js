// Comforts on top of pages that work without them.  Written for browsers of 2021.
"use strict";

(() => {
  const DESK = window.matchMedia("(min-width: 992px)");

  // -- the menu on a phone -----------------------------------------------------------------

  const menu = document.querySelector("[data-menu]");
  const toggle = document.querySelector("[data-menu-toggle]");
  if (toggle) {
    toggle.addEventListener("click", () => {
      const open = menu.classList.toggle("open");
      toggle.setAttribute("aria-expanded", String(open));
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.classList.contains("open")) {
        menu.classList.remove("open");
        toggle.setAttribute("aria-expanded", "false");
        toggle.focus();
      }
    });
  }

  // -- "/" leads to the search box --------------------------------------------------------------

  const find = document.querySelector("[data-find]");
  if (find) {
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea, [contenteditable], dialog");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) {
        return;
      }
      event.preventDefault();
      if (!find.offsetParent) {
        toggle.click();
      }
      find.focus();
      find.select();
    });
  }

  // -- whoever signs out leaves nothing that was typed in this browser ---------------------------

  for (const form of document.querySelectorAll("[data-sign-out]")) {
    form.addEventListener("submit", () => {
      for (const key of Object.keys(window.localStorage)) {
        if (key.startsWith("guiju.record.")) {
          window.localStorage.removeItem(key);
        }
      }
    });
  }

  // -- explanations beside the page, at desk size -------------------------------------------

  const drawer = document.querySelector("[data-drawer-panel]");
  const drawerBody = document.getElementById("drawer-body");
  const ownPage = document.querySelector("[data-drawer-page]");

  const plainClick = (event) =>
    event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  // What is shown beside the page has its own address, which leads to it as a page; going back
  // closes it.
  const asked = () => (window.history.state || {}).drawer;
  // Loaded anew, or come back to, it is a page itself, and nothing is there to be beside.
  const itself = asked();
  const here = () => window.location.pathname + window.location.search;
  const loaded = here();
  const shown = () => (asked() === itself ? undefined : asked());

  const openDrawer = async (address) => {
    try {
      await htmx.ajax("GET", address, { target: drawerBody, swap: "innerHTML" });
    } catch (_error) {
      // Without a network the browser says so.
      window.location.assign(address);
      return;
    }
    if (shown()) {
      window.history.replaceState({ drawer: address }, "", address);
    } else {
      window.history.pushState({ drawer: address }, "", address);
    }
    ownPage.href = address;
    if (!drawer.open) {
      drawer.showModal();
    }
    drawer.scrollTop = 0;
  };

  window.addEventListener("popstate", () => {
    if (shown() && drawer && typeof drawer.showModal === "function") {
      openDrawer(shown());
    } else if (itself && here() !== loaded) {
      window.location.reload();
    } else if (drawer && drawer.open) {
      drawer.close();
    }
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-drawer]");
    if (!link || !DESK.matches || !plainClick(event) || typeof drawer.showModal !== "function") {
      return;
    }
    event.preventDefault();
    openDrawer(link.getAttribute("href"));
  });

  if (drawer) {
    drawer.addEventListener("click", (event) => {
      // Outside of the panel the click hits the dialog itself.
      const outside = event.target === drawer && event.clientX < drawer.getBoundingClientRect().left;
      if (outside || event.target.closest("[data-drawer-close]")) {
        drawer.close();
      }
    });
    drawer.addEventListener("close", () => {
      drawerBody.replaceChildren();
      if (shown()) {
        window.history.back();
      }
    });
  }

  // -- buttons that need a script are shown by it ---------------------------------------------

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  for (const button of document.querySelectorAll("[data-back]")) {
    if (window.history.length > 1) {
      button.hidden = false;
      button.addEventListener("click", () => window.history.back());
    }
  }
})();
