// The legend: its boxes say what is painted, its counts come from the overview.
import { keep } from "./address.js";
import { $, $$, count, element, say } from "./page.js";
import { differences, state } from "./state.js";

export function legend(map, sources, changed) {
  const layers = $$("[data-layer-toggle]"), parts = $$("[data-facet]"), sets = $("#criteria-set");
  let told = null;

  for (const box of layers) {
    box.addEventListener("change", () => {
      state.shown[box.dataset.layerToggle] = box.checked;
      if (box.checked) unfold(box.dataset.layerToggle, true);
      again();
    });
  }
  for (const box of parts) {
    box.addEventListener("change", () => {
      state.on[box.dataset.facet][box.checked ? "add" : "delete"](box.dataset.value);
      again();
    });
  }
  for (const one of $$("button[data-fold]")) {
    one.addEventListener("click", () => unfold(one.dataset.fold, one.getAttribute("aria-expanded") !== "true"));
  }
  sets?.addEventListener("change", () => { state.criteria = sets.value; tellJudged(); changed(true); });
  keep("show", () => differences().show);
  keep("hide", () => differences().hide);
  keep("set", () => (told && state.criteria !== told.runs[0]?.criteria ? state.criteria : ""));

  for (const box of layers) box.checked = state.shown[box.dataset.layerToggle];

  function again() { tell(); changed(false); }

  function unfold(layer, open) {
    const button = $(`[data-fold="${layer}"]`);
    button?.setAttribute("aria-expanded", open);
    $(`#rows-${layer}`)?.toggleAttribute("hidden", !open);
  }

  // The boxes as the state is: after the address was read, or a box was clicked.
  function tell() {
    for (const box of layers) {
      box.checked = state.shown[box.dataset.layerToggle];
      box.closest(".legend-layer").classList.toggle("off", !box.checked);
    }
    for (const box of parts) box.checked = state.on[box.dataset.facet].has(box.dataset.value);
    if (sets && state.criteria) sets.value = state.criteria;
    tellJudged();
    tellZoom();
  }

  const panel = $("#legend"), opener = $(".legend-open");
  const open = (wide) => { panel.classList.toggle("open", wide); opener.setAttribute("aria-expanded", wide); };
  opener.addEventListener("click", () => { open(true); $(".legend-close").focus(); });
  $(".legend-close").addEventListener("click", () => { open(false); opener.focus(); });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape" && panel.classList.contains("open")) { open(false); opener.focus(); } });

  // Say which layers need a closer look; on the map, that shapes are hidden and not missing.
  function tellZoom() {
    const far = sources.filter((one) => state.shown[one.id] && one.address && !one.empty && map.getZoom() < one.minzoom);
    for (const layer of $$(".legend-layer")) {
      const hidden = far.some((one) => one.id === layer.dataset.layer);
      layer.classList.toggle("too-far", hidden);
      for (const name of $$(".legend-name", layer)) name.dataset.far = hidden ? say("closer") : "";
    }
    const hint = $("#zoom-hint");
    const names = far.filter((one) => one.id === "parcels" || one.id === "patches").map((one) => say(one.id));
    hint.hidden = !names.length;
    if (names.length) hint.textContent = say("zoomIn", { layers: names.join(say("and")) });
  }
  map.on("zoomend", tellZoom);

  function fill(overview) {
    if (!told) for (const box of layers) if (box.checked && !box.defaultChecked) unfold(box.dataset.layerToggle, true);
    told = overview;
    for (const [layer, number] of Object.entries(overview.counts)) {
      if (layer !== "candidates") put("[data-count=\"" + layer + "\"]", number);
    }
    for (const facets of Object.values(overview.groups)) {
      for (const [facet, values] of Object.entries(facets)) {
        for (const row of $$(`[data-facet="${facet}"]`)) {
          const number = values[row.dataset.value] ?? 0;
          put(`[data-facet-count="${facet}/${row.dataset.value}"]`, number);
          if ("hidesNone" in row.parentElement.dataset) row.parentElement.hidden = !number;
        }
      }
    }
    for (const rows of $$(".legend-rows")) {
      const fold = $(`[data-fold="${rows.id.slice("rows-".length)}"]`);
      fold.classList.toggle("empty", $$(".legend-row", rows).every((row) => row.hidden));
    }
    const names = Object.fromEntries(overview.runs.map((run) => [run.criteria, run.title]));
    for (const name of Object.keys(overview.outcomes)) names[name] ??= name;
    if (!(state.criteria in names)) state.criteria = overview.runs[0]?.criteria ?? Object.keys(names)[0] ?? null;
    sets?.replaceChildren(...Object.entries(names).map(([value, textContent]) => element("option", { value, textContent })));
    $("#sets")?.toggleAttribute("hidden", Object.keys(names).length < 2);
    $("#runs").replaceChildren(...overview.runs.map((run) => {
      const when = new Date(run.ran_at).toLocaleDateString(document.documentElement.lang);
      return element("p", { textContent: say("judgedBy", { title: run.title, when }) });
    }));
    tell();
  }

  // Of the set that is shown: how many of each outcome, and of each category among the outcomes that are painted.
  function tellJudged() {
    if (!told) return;
    const outcomes = told.outcomes[state.criteria] ?? {}, categories = {};
    let all = 0;
    for (const place of $$("[data-facet=outcome]")) {
      const byCategory = outcomes[place.dataset.value] ?? {};
      const number = Object.values(byCategory).reduce((sum, one) => sum + one, 0);
      all += number;
      put(`[data-facet-count="outcome/${place.dataset.value}"]`, number);
      if (!state.on.outcome.has(place.dataset.value)) continue;
      for (const [category, one] of Object.entries(byCategory)) categories[category] = (categories[category] ?? 0) + one;
    }
    put("[data-count=candidates]", all);
    for (const place of $$("[data-facet=category]")) put(`[data-facet-count="category/${place.dataset.value}"]`, categories[place.dataset.value]);
  }

  return { tell, tellZoom, fill };
}

function put(selector, number) {
  for (const place of $$(selector)) place.textContent = count(number);
}
