// The map beside an import: the district, the rows of the dry run and what is wrong with them.
import { askJson } from "./asking.js";
import { graticule } from "./graticule.js";
import { makeMap } from "./ground.js";
import { KINDS, SEVERITIES, named } from "./import-parts.js";
import { previewRules } from "./import-rules.js";
import { $, count, element, say, told } from "./page.js";
import { paintedLayer } from "./painting.js";
import { TileSource } from "./tiles.js";

const NARROW = 1180;  // pixels of the window, as in import.css
const CLOSE_ENOUGH = 17, FARTHEST_ROW = 15;  // zooms at which one row is shown

// `picked(row number)` hears which row was clicked.
export function importMap({ picked }) {
  const map = makeMap();
  const state = { shown: { preview: true }, kinds: new Set(KINDS), severities: new Set(SEVERITIES), code: "", before: true, selected: null };
  const source = new TileSource("preview", null, { wanted: (tile) => tile.z === painted.zoom(), trouble: () => trouble(say("tilesMissing")) });
  source.layers = ["problems", "preview"];
  const painted = paintedLayer([source], state, previewRules(state));
  const district = L.layerGroup().addTo(map), mark = L.layerGroup().addTo(map);
  const pane = map.createPane("mark");
  pane.style.zIndex = 450;
  pane.style.pointerEvents = "none";
  let home = null, extent = null;
  graticule(map).addTo(map);

  map.on("zoomend", () => { if (source.owes(map.getZoom())) painted.repaint(); });
  const busy = (yes) => map.getContainer().setAttribute("aria-busy", yes);
  painted.layer.on("loading", () => busy(true)).on("load", () => busy(false));
  map.on("click", (event) => {
    const found = painted.at(map, event.latlng)[0];
    if (found) picked(found.feature.props.row_number);
  });

  function trouble(text) {
    $("#trouble").textContent = text;
    $("#trouble").hidden = !text;
  }

  // The outline of the district, and the whole of it in view.
  async function outline(code) {
    try {
      const places = await askJson(told.places);
      const one = places.districts.find((place) => place.code === code);
      const style = { pane: "places", renderer: L.svg({ pane: "places" }), interactive: false, fill: false };
      for (const street of places.streets) L.geoJSON(street.outline, { ...style, style: { color: "#4c483f", weight: 1, opacity: 0.4, dashArray: "6 3 1 3", interactive: false } }).addTo(district);
      if (one) L.geoJSON(one.outline, { ...style, style: { color: "#4c483f", weight: 2.2, opacity: 0.85, interactive: false } }).addTo(district);
      home = one?.box ?? null;
      if (home && !extent) look(home, true);
    } catch {
      // A map without the outline still shows the rows.
    }
  }

  function look(box, whole = false) {
    if (!box?.length) return;
    const [west, south, east, north] = box, bounds = L.latLngBounds([south, west], [north, east]);
    if (whole) { map.fitBounds(bounds, { animate: false, padding: [16, 16], maxZoom: CLOSE_ENOUGH }); return; }
    if (map.getBounds().contains(bounds) && map.getZoom() >= CLOSE_ENOUGH) return;
    const close = Math.min(map.getBoundsZoom(bounds, false, L.point(80, 80)), 19);
    map.setView(bounds.getCenter(), Math.max(Math.min(close, CLOSE_ENOUGH), Math.min(close, FARTHEST_ROW)), { animate: false });
  }

  // Where the layer lies as it is read now, before anything is checked.
  function frame(box) {
    mark.clearLayers();
    extent = box;
    if (!box) { if (home) look(home, true); return; }
    const [west, south, east, north] = box;
    L.rectangle([[south, west], [north, east]], { pane: "mark", renderer: L.svg({ pane: "mark" }), className: "import-extent", interactive: false, fill: false }).addTo(mark);
    const both = home ? [Math.min(west, home[0]), Math.min(south, home[1]), Math.max(east, home[2]), Math.max(north, home[3])] : box;
    look(both, true);
  }

  // The tiles of a dry run, or none.
  function show(address, version, box) {
    trouble("");
    source.kept.clear();
    source.coming.clear();
    source.address = address ? `${address}{z}/{x}/{y}.mvt?preview=${encodeURIComponent(version)}` : null;
    source.maxzoom = 20;
    state.selected = null;
    mark.clearLayers();
    if (!address) { painted.layer.remove(); return; }
    if (map.hasLayer(painted.layer)) painted.repaint(); else painted.layer.addTo(map);
    if (box ?? home) look(box ?? home, true);
  }

  // The legend of the map is its filter; `counts` are the rows of each kind and the problems of each severity.
  function legend(counts, severities) {
    const kinds = KINDS.filter((kind) => counts[kind]), signs = SEVERITIES.filter((one) => severities[one]);
    state.kinds = new Set(KINDS);
    state.severities = new Set(SEVERITIES);
    $("#legend").hidden = !kinds.length;
    if (window.innerWidth < NARROW && kinds.length > 4) $("#legend").open = false;  // it would hide the map
    const row = (set, value, swatch, title, number) => {
      const box = element("input", { type: "checkbox", checked: true, autocomplete: "off" });
      box.dataset.value = value;
      box.addEventListener("change", () => { set()[box.checked ? "add" : "delete"](value); painted.repaint(); });
      return element("label", { className: "legend-row" }, box, element("span", { className: `swatch ${swatch}` }), element("span", { textContent: title }), element("span", { className: "count", textContent: count(number) }));
    };
    $("#legend-kinds").replaceChildren(...kinds.map((kind) => row(() => state.kinds, kind, `kind-${kind}`, named("kind", kind), counts[kind])));
    const old = element("input", { type: "checkbox", checked: state.before, autocomplete: "off" });
    old.addEventListener("change", () => { state.before = old.checked; painted.repaint(); });
    $("#legend-signs").replaceChildren(
      ...signs.map((one) => row(() => state.severities, one, `finding-${one}`, named("severity", one), severities[one])),
      ...(["moved", "split", "merged", "regrouped"].some((kind) => counts[kind]) ? [element("label", { className: "legend-row" }, old, element("span", { className: "swatch swatch-before" }), element("span", { textContent: say("beforeOutline") }), element("span", {}))] : []));
  }

  return {
    map, outline, look, frame, show, legend,
    select(number, box) { state.selected = number; painted.repaint(); look(box); },
    only(code) { state.code = code; painted.repaint(); },
    words(text) { $("#map-told").textContent = text; $("#map-told").hidden = !text; },
  };
}
