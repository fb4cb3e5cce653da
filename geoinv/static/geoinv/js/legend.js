// The legend: its boxes say what is painted, its counts come from the overview.
import { $, $$, count, say } from "./page.js";

export function legend(map, state, sources, changed) {
  for (const box of $$("[data-layer-toggle]")) {
    box.addEventListener("change", () => {
      state.shown[box.dataset.layerToggle] = box.checked;
      box.closest(".legend-layer").classList.toggle("off", !box.checked);
      changed();
    });
  }
  bind("[data-outcome]", "outcome", state.outcomes);
  bind("[data-land]", "land", state.land);

  function bind(selector, key, set) {
    for (const box of $$(`input${selector}`)) {
      const tell = () => (box.checked ? set.add(box.dataset[key]) : set.delete(box.dataset[key]));
      tell();  // a browser may have kept the boxes of the last visit
      box.addEventListener("change", () => { tell(); changed(); });
    }
  }

  const panel = $("#legend"), opener = $(".legend-open");
  const open = (wide) => { panel.classList.toggle("open", wide); opener.setAttribute("aria-expanded", wide); };
  opener.addEventListener("click", () => { open(true); $(".legend-close").focus(); });
  $(".legend-close").addEventListener("click", () => { open(false); opener.focus(); });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape" && panel.classList.contains("open")) { open(false); opener.focus(); } });

  // Say which layers need a closer look; on the map, that shapes are hidden and not missing.
  function tellZoom() {
    const far = sources.filter((one) => state.shown[one.id] && one.address && map.getZoom() < one.minzoom);
    for (const layer of $$(".legend-layer")) {
      const hidden = far.some((one) => one.id === layer.dataset.layer);
      layer.classList.toggle("too-far", hidden);
      $(".legend-title span", layer).dataset.far = hidden ? say("closer") : "";
    }
    const hint = $("#zoom-hint");
    const names = far.filter((one) => one.id === "parcels" || one.id === "patches").map((one) => say(one.id));
    hint.hidden = !names.length;
    if (names.length) hint.textContent = say("zoomIn", { layers: names.join(say("and")) });
  }
  map.on("zoomend", tellZoom);

  return { tellZoom, fill };
}

function fill(overview) {
  const put = (selector, number) => { for (const place of $$(selector)) place.textContent = count(number); };
  for (const [layer, number] of Object.entries(overview.counts)) put(`[data-count="${layer}"]`, number);
  for (const row of $$("[data-land-row]")) {
    const number = overview.land[row.dataset.landRow] ?? 0;
    row.hidden = !number;
    put(`[data-land-count="${row.dataset.landRow}"]`, number);
  }
  const categories = {};
  for (const place of $$("[data-outcome-count]")) {
    const byCategory = overview.outcomes[place.dataset.outcomeCount] ?? {};
    place.textContent = count(Object.values(byCategory).reduce((sum, number) => sum + number, 0));
  }
  for (const [outcome, byCategory] of Object.entries(overview.outcomes)) {
    if (outcome !== "candidate") continue;
    for (const [category, number] of Object.entries(byCategory)) categories[category] = number;
  }
  for (const place of $$("[data-category-count]")) place.textContent = count(categories[place.dataset.categoryCount]);
  const runs = $("#runs");
  runs.replaceChildren(...overview.runs.map((run) => {
    const line = document.createElement("p");
    const when = new Date(run.ran_at).toLocaleDateString(document.documentElement.lang);
    line.textContent = say("judgedBy", { title: run.title, when });
    return line;
  }));
}
