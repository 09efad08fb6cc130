// Watches the simulator and renews the page when something changed, without losing a half-typed PIN.
(function () {
  "use strict";
  async function renew() {
    const desk = document.getElementById("desk");
    const version = await (await fetch("/phone/version")).text();
    if (version === desk.dataset.version) return;
    const page = await (await fetch("/phone?number=" + desk.dataset.number)).text();
    const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("desk");
    const typed = document.activeElement;
    const open = [...desk.querySelectorAll("details")].map((one) => one.open);
    if (!fresh) return;
    for (const box of fresh.querySelectorAll("input[id], select[id]")) {
      const old = document.getElementById(box.id);
      if (old) box.value = old.value;
    }
    fresh.querySelectorAll("details").forEach((one, at) => { one.open = open[at]; });
    desk.replaceWith(fresh);
    if (typed && typed.id) {
      const again = document.getElementById(typed.id);
      if (again) again.focus();
    }
  }
  setInterval(() => { renew().catch(() => {}); }, 1000);
})();
