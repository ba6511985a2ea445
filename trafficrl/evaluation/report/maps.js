"use strict";
// Maps of the queues with a slider for the time. Without this script a still picture stays.
(() => {
  const NARROW_PX = 0.8, WIDE_PX = 5, LONGEST = 3, PLAY_MS = 700;

  const make = (name, attributes, parent, text) => {
    const svg = ["svg", "path", "text", "title", "line"].includes(name);
    const found = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
    if (text !== undefined) found.textContent = text;
    if (parent) parent.append(found);
    return found;
  };

  const draw = (path, share, network) => {
    path.setAttribute("stroke", network.colours[Math.round(share * (network.colours.length - 1))]);
    path.setAttribute("stroke-width", (NARROW_PX + (WIDE_PX - NARROW_PX) * share).toFixed(2));
  };

  const scaleBar = (svg, network) => {
    const [left, , width, ] = network.view, size = width * 0.04;
    const x = left + size / 2, y = network.bar_y;
    make("path", { d: `M${x} ${y - size / 3}v${size / 3}h${network.bar_m}v${-size / 3}`, fill: "none", stroke: "#222", "vector-effect": "non-scaling-stroke" }, svg);
    make("text", { x: x + network.bar_m + size / 2, y, style: `font-size:${size}px` }, svg, `${network.bar_m} m`);
  };

  const oneMap = (of, network, grid) => {
    const box = make("div", { class: "map" }, grid);
    make("h4", {}, box, of.label);
    const told = make("p", {}, box);
    const svg = make("svg", { viewBox: network.view.join(" "), role: "img", "aria-label": `${of.label}: map of the queues` }, box);
    make("path", { d: network.roads, fill: "none", stroke: "#c4c4c4", "stroke-width": 0.7, "vector-effect": "non-scaling-stroke" }, svg);
    scaleBar(svg, network);
    // The longest mean queue on top.
    const edges = [...of.edges].sort((a, b) => a[1] - b[1]).map(([index, mean, slices]) => {
      const [name, shape] = network.edges[index];
      const path = make("path", { d: shape, fill: "none", "data-edge": name, "vector-effect": "non-scaling-stroke" }, svg);
      return { name, path, title: make("title", {}, path), values: [mean, ...slices] };
    });
    return (time, largest) => {
      for (const edge of edges) {
        const veh = edge.values[time];
        edge.path.style.display = veh > 0 ? "" : "none";
        draw(edge.path, Math.sqrt(Math.min(veh / largest, 1)), network);
        edge.title.textContent = `${edge.name}: ${veh.toFixed(2)} veh`;
      }
      const sorted = edges.filter((edge) => edge.values[time] > 0).sort((a, b) => b.values[time] - a.values[time]);
      const longest = sorted.slice(0, LONGEST).map((edge) => `${edge.name} ${edge.values[time].toFixed(1)}`);
      told.textContent = `${of.totals[time].toFixed(1)} veh stand` + (longest.length ? `; longest: ${longest.join(", ")} veh` : "");
    };
  };

  const legend = (content, network, parent) => {
    const box = make("div", { class: "legend" }, parent);
    const svg = make("svg", { viewBox: "0 0 500 34", role: "img", "aria-label": "Legend: the longer the queue, the darker and wider its edge" }, box);
    content.ticks.forEach((veh, i) => {
      const x = 4 + i * 100;
      draw(make("path", { d: `M${x} 10h34` }, svg), Math.sqrt(Math.min(veh / content.largest, 1)), network);
      make("text", { x: x + 40, y: 14 }, svg, `${veh}`);
    });
    make("text", { x: 4, y: 31 }, svg, "queue of an edge: mean number of standing vehicles [veh]");
  };

  const begin = (figure) => {
    const content = JSON.parse(figure.querySelector("script").textContent);
    const network = JSON.parse(document.getElementById(figure.dataset.network).textContent);
    const live = figure.querySelector(".live");
    const controls = make("div", { class: "controls" }, live);
    const id = `${figure.id}-time`;
    make("label", { for: id }, controls, "Time");
    const slider = make("input", { type: "range", id, min: 0, max: content.slices.length, step: 1, value: 0 }, controls);
    const shown = make("output", { for: id }, controls);
    const play = make("button", { type: "button" }, controls, "Play");
    const grid = make("div", { class: "maps" }, live);
    const maps = content.maps.map((of) => oneMap(of, network, grid));
    legend(content, network, live);

    const show = () => {
      const time = Number(slider.value);
      const text = time ? `${content.slices[time - 1]} (${time} of ${content.slices.length})` : `whole episode (${content.whole})`;
      shown.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      maps.forEach((map) => map(time, content.largest));
    };
    let timer = 0;
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; delete figure.dataset.playing; };
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (slider.value === slider.max) slider.value = 0;
      play.textContent = "Pause";
      figure.dataset.playing = "yes";
      timer = setInterval(() => {
        slider.value = Number(slider.value) + 1;
        show();
        if (slider.value === slider.max) stop();
      }, PLAY_MS);
    });
    slider.addEventListener("input", show);
    show();
    figure.querySelector(".still").hidden = true;
    live.hidden = false;
  };

  document.querySelectorAll("figure.queues").forEach(begin);
})();
