// Makes the page livelier. Without it, forms post and the page reloads itself.
(function () {
  "use strict";
  var page = document.getElementById("page");
  var note = document.getElementById("offline");
  var seen = document.getElementById("state").outerHTML;
  var tag = "", timer = 0, misses = 0, asking = false;

  function state() { return document.getElementById("state"); }

  function later(seconds) {
    clearTimeout(timer);
    if (seconds > 0) timer = setTimeout(ask, seconds * 1000);
  }

  function every() { return Number(state().dataset.refresh || 0); }

  // Says that we can't see, and never that anything failed.
  function tell(word) {
    var text = word ? note.dataset[word] : "";
    if (note.textContent !== text) note.textContent = text;
    note.hidden = !text;
  }

  function missed(wait) {
    misses += 1;
    if (misses > 1) tell(navigator.onLine === false ? "offline" : "slow");
    later(Math.max(wait || 0, Math.min(every() * Math.pow(2, misses - 1), 30)));
  }

  function ask() {
    if (asking || !every()) return;
    asking = true;
    var stop = window.AbortController ? new AbortController() : null;
    var limit = setTimeout(function () { if (stop) stop.abort(); }, 15000);
    var options = { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} };
    if (stop) options.signal = stop.signal;
    fetch(page.dataset.ask, options).then(function (answer) {
      if (answer.status === 304) return "";
      if (answer.status === 404) { location.reload(); return ""; }
      if (!answer.ok) { var no = new Error("no"); no.wait = Number(answer.headers.get("Retry-After")); throw no; }
      tag = answer.headers.get("ETag") || "";
      return answer.text();
    }).then(function (html) {
      misses = 0;
      tell("");
      if (html) swap(html);
      later(every());
    }).catch(function (error) { missed(error.wait); }).then(function () {
      clearTimeout(limit);
      asking = false;
    });
  }

  // Swaps what changed and keeps the live region itself, so that a screen reader speaks the new sentences.
  function swap(html) {
    var next = new DOMParser().parseFromString(html, "text/html").getElementById("state");
    if (!next || next.outerHTML === seen) return;
    seen = next.outerHTML;
    var now = state();
    Array.prototype.slice.call(now.attributes).forEach(function (old) { if (old.name !== "id") now.removeAttribute(old.name); });
    Array.prototype.slice.call(next.attributes).forEach(function (one) { now.setAttribute(one.name, one.value); });
    ["said", "acts"].forEach(function (id) {
      document.getElementById(id).innerHTML = next.querySelector("#" + id).innerHTML;
    });
    document.title = next.dataset.title + " · " + page.dataset.shop;
    dress();
    if (/^https?:\/\//.test(next.dataset.go || "")) {
      setTimeout(function () { location.assign(next.dataset.go); }, Number(next.dataset.goAfter) * 1000);
    }
  }

  // `0712 345 678` for whatever is a Kenyan mobile number, else nothing; the server decides.
  function shown(typed) {
    var digits = typed.replace(/\D/g, "").replace(/^(00)?254/, "").replace(/^0/, "");
    return /^[17]\d{8}$/.test(digits) ? "0" + digits.replace(/^(...)(...)(...)$/, "$1 $2 $3") : "";
  }

  function echo() {
    var field = document.getElementById("phone"), line = document.querySelector("[data-echo]");
    if (!field || !line) return;
    var number = shown(field.value);
    line.textContent = number ? line.dataset.echo.replace("{payer}", number) : "";
    line.hidden = !number;
  }

  function dress() {
    Array.prototype.forEach.call(document.querySelectorAll("[data-print]"), function (button) { button.hidden = false; });
    echo();
  }

  // One press is enough; the words on the button say that it was felt.
  function free() {
    Array.prototype.forEach.call(document.querySelectorAll("form"), function (form) {
      var button = form.querySelector("button");
      if (button.dataset.words) button.textContent = button.dataset.words;
      delete form.dataset.sent;
    });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target, button = form.querySelector("button");
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    if (form.dataset.busy) { button.dataset.words = button.textContent; button.textContent = form.dataset.busy; }
  });
  document.addEventListener("input", function (event) { if (event.target.id === "phone") echo(); });
  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("[data-now],[data-print]") : null;
    if (!link) return;
    event.preventDefault();
    if (link.hasAttribute("data-print")) window.print(); else { misses = 0; ask(); }
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) ask(); });
  window.addEventListener("online", function () { misses = 0; ask(); });
  window.addEventListener("pageshow", function (event) { free(); if (event.persisted) location.reload(); });

  dress();
  later(every());
})();
