"use strict";
// Search, a count of what is shown, and keys. Without this script the page shows
// the same, and the boxes still show and hide by outcome.
(() => {
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const boxes = [...document.querySelectorAll(".filters input[type=checkbox]")];
  const cases = [...document.querySelectorAll(".case")];
  const units = [...document.querySelectorAll(".unit")];
  const names = units.map((unit) => unit.querySelector("h3").textContent.toLowerCase());
  const unitOf = new Map(units.flatMap((unit, i) => [...unit.querySelectorAll(".case")].map((one) => [one, i])));
  const texts = new Map(); // of cases in lower case, made at the first search

  const textOf = (one) => {
    if (!texts.has(one)) texts.set(one, names[unitOf.get(one)] + " " + one.textContent.toLowerCase());
    return texts.get(one);
  };

  const apply = () => {
    const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const counts = units.map(() => 0);
    let total = 0;
    for (const one of cases) {
      const found = words.every((word) => textOf(one).includes(word));
      one.hidden = !found;
      if (!found || ![...one.classList].some((name) => kinds.has(name))) continue;
      counts[unitOf.get(one)]++;
      total++;
    }
    const all = words.length === 0 && kinds.size === boxes.length;
    units.forEach((unit, i) => {
      unit.hidden = !all && counts[i] === 0;
      const rest = unit.querySelector(".rest");
      if (rest && words.length > 0) rest.open = true;
    });
    shown.value = all ? "" : `${total} of ${cases.length} shown`;
  };

  // What is shown is part of the address, so that it can be passed on.
  const remember = () => {
    const state = new URLSearchParams();
    if (search.value) state.set("q", search.value);
    const off = boxes.filter((box) => !box.checked).map((box) => box.value);
    if (off.length > 0) state.set("hide", off.join(","));
    try {
      history.replaceState(null, "", "#" + state);
    } catch {
      // Some frames may not change their address; the search works all the same.
    }
  };

  const recall = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    if (!state.has("q") && !state.has("hide")) return;
    search.value = state.get("q") || "";
    const off = new Set((state.get("hide") || "").split(","));
    for (const box of boxes) box.checked = !off.has(box.value);
  };

  // A link leads to a case that may lie in a folded list.
  const reveal = () => {
    const target = document.querySelector(".case:target");
    if (!target) return;
    const rest = target.closest(".rest");
    if (rest) rest.open = true;
    target.scrollIntoView();
  };

  let at = -1;
  const next = (step) => {
    const bad = cases.filter((one) => one.offsetParent !== null && (one.classList.contains("failed") || one.classList.contains("error")));
    if (bad.length === 0) return;
    at = (at + step + bad.length) % bad.length;
    const target = bad[at].querySelector("summary") || bad[at];
    target.focus();
    target.scrollIntoView({ block: "start" });
  };

  search.addEventListener("input", () => { apply(); remember(); });
  for (const box of boxes) box.addEventListener("change", () => { apply(); remember(); });
  document.getElementById("next").addEventListener("click", () => next(1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      apply();
      remember();
    } else if (event.target.matches("input[type=search]")) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      search.focus();
    } else if (event.key === "n") {
      next(1);
    } else if (event.key === "N") {
      next(-1);
    }
  });
  addEventListener("hashchange", () => { recall(); apply(); reveal(); });
  document.querySelector(".search").hidden = false;
  recall();
  apply();
  reveal();
})();
