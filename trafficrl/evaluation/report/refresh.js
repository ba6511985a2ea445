"use strict";
// Loads the page anew while runs go on, and puts the reader back where he was.
(() => {
  const box = document.getElementById("refresh");
  const everyS = Number(box.dataset.everyS), written = Date.parse(box.dataset.written);
  const wanted = box.querySelector("input"), age = box.querySelector("output");
  const key = `trafficrl ${location.pathname}`;
  const sliders = () => [...document.querySelectorAll("input[type=range]")];
  const folds = () => [...document.querySelectorAll("details[id]")];
  const wides = () => [...document.querySelectorAll(".wide")];

  const load = () => {
    try { return JSON.parse(sessionStorage.getItem(key)); } catch { /* storage is refused */ }
    try { return JSON.parse(window.name); } catch { return null; }
  };
  const save = () => {
    const place = JSON.stringify({
      x: scrollX, y: scrollY, wanted: wanted.checked, focus: document.activeElement.id,
      sliders: sliders().map((one) => [one.id, one.value]),
      open: folds().filter((one) => one.open).map((one) => one.id),
      wides: wides().map((one) => one.scrollLeft),
    });
    try { sessionStorage.setItem(key, place); } catch { window.name = place; }
  };
  const restore = (place) => {
    for (const one of folds()) one.open = place.open.includes(one.id);
    for (const [id, value] of place.sliders) {
      const slider = document.getElementById(id);
      if (slider) { slider.value = value; slider.dispatchEvent(new Event("input")); }
    }
    wides().forEach((one, i) => { one.scrollLeft = place.wides[i] || 0; });
    wanted.checked = place.wanted;
    const focused = place.focus && document.getElementById(place.focus);
    if (focused) focused.focus({ preventScroll: true });
    scrollTo(place.x, place.y);
  };

  let held = false;
  addEventListener("pointerdown", () => { held = true; });
  addEventListener("pointerup", () => { held = false; });
  addEventListener("pointercancel", () => { held = false; });
  const busy = () => held || document.hidden || document.querySelector("[data-playing]") || !getSelection().isCollapsed;

  history.scrollRestoration = "manual";
  const place = load();
  if (place && place.sliders) {
    restore(place);
    addEventListener("load", () => scrollTo(place.x, place.y));
  }
  addEventListener("pagehide", save);
  const loaded = Date.now();
  setInterval(() => {
    age.textContent = `${Math.max(0, Math.round((Date.now() - written) / 1000))} s ago`;
    if (wanted.checked && Date.now() - loaded >= everyS * 1000 && !busy()) { save(); location.reload(); }
  }, 1000);
})();
