// The ground of the map: grey with a graticule and the streets' outlines; the national map where it is switched on.
import { keep, read } from "./address.js";
import { askJson } from "./asking.js";
import { graticule } from "./graticule.js";
import { $, $$, count, say, told } from "./page.js";

const FAILURES = 3;     // tiles of a base map in a row that do not come before it is given up
const PATIENCE = 6000;  // milliseconds for the first one
const SERVERS = "01234567";
const LETTER = 14;  // pixels of one letter of a street's name
const NAMES_FROM = 13;  // the zoom from which streets are named

export function makeMap() {
  const map = L.map("map", {
    zoomControl: false, attributionControl: false, minZoom: 4, maxZoom: 20, fadeAnimation: false, maxBoundsViscosity: 0.8,
    maxBounds: [[-5, 55], [62, 150]],
  });
  map.setView(told.start.slice(0, 2), told.start[2]);
  L.control.zoom({ zoomInTitle: say("zoomInTitle"), zoomOutTitle: say("zoomOutTitle") }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  const pane = map.createPane("places");
  pane.style.zIndex = 340;
  pane.style.pointerEvents = "none";
  pane.setAttribute("aria-hidden", "true");
  const pointer = $("#pointer");
  map.on("mousemove", ({ latlng }) => { pointer.textContent = `${latlng.lng.toFixed(6)}°E ${latlng.lat.toFixed(6)}°N`; });
  map.on("mouseout", () => { pointer.textContent = ""; });
  return map;
}

// `further` = {name: layer} that are switched beside the ground; `based(yes)` hears whether a base map lies below.
export function ground(map, changed, further = {}, based = () => {}) {
  const lines = graticule(map);
  const drawn = L.layerGroup(), labels = L.layerGroup();
  const layers = { places: drawn, graticule: lines, ...further };
  const shown = Object.fromEntries(Object.keys(layers).map((name) => [name, true]));
  let streets = new Map(), base = "", painted = null, turn = 0;

  for (const box of $$("[data-ground-toggle]")) {
    box.addEventListener("change", () => { shown[box.dataset.groundToggle] = box.checked; apply(); changed(); });
  }
  for (const choice of $$("input[name=ground]")) choice.addEventListener("change", () => { paint(choice.value); changed(); });
  keep("ground", () => [base, ...Object.keys(shown).filter((name) => !shown[name]).map((name) => `-${name}`)].filter(Boolean).join());

  function apply() {
    for (const [name, layer] of Object.entries(layers)) {
      if (shown[name]) layer.addTo(map); else layer.remove();
    }
    nameStreets();
    for (const box of $$("[data-ground-toggle]")) box.checked = shown[box.dataset.groundToggle];
    for (const choice of $$("input[name=ground]")) choice.checked = choice.value === base;
  }

  function nameStreets() {
    if (shown.places && map.getZoom() >= NAMES_FROM) labels.addTo(map); else labels.remove();
  }
  map.on("zoomend", nameStreets);

  // A base map is tried first by one tile of what is seen: where that does not come, or later three in a row do not, it
  // is taken away with a word, and the grey ground is there again.
  async function paint(id) {
    const mine = ++turn, wanted = told.grounds.find((one) => one.id === id);
    painted?.remove();
    painted = null;
    base = wanted?.id ?? "";
    based(false);
    tellBase(wanted ? say("groundAsked") : "");
    if (!wanted) return;
    const come = await comes(wanted.tiles[0]);
    if (mine !== turn) return;
    if (!come) { gone(); return; }
    let failed = 0;
    tellBase(say("tianditu"));
    painted = L.layerGroup(wanted.tiles.map((address) => L.tileLayer(address, {
      subdomains: SERVERS, maxZoom: 20, maxNativeZoom: 18, zIndex: 0, pane: "tilePane", referrerPolicy: "origin",
    }).on("tileload", () => { failed = 0; }).on("tileerror", () => {
      failed += 1;
      if (failed === FAILURES && mine === turn) gone();
    }))).addTo(map);
    for (const layer of painted.getLayers()) layer.getContainer()?.style.setProperty("z-index", 0);
    based(true);
  }

  function gone() {
    paint("");
    apply();
    tellBase(say("noGround"));
    changed();
  }

  function tellBase(text) {
    $("#attribution").hidden = !text;
    $("#attribution").textContent = text;
  }

  // Whether the tile in the middle of the map comes in time.
  function comes(address) {
    const zoom = Math.min(map.getZoom(), 18), { x, y } = map.project(map.getCenter(), zoom).divideBy(256).floor();
    const image = new Image();
    image.referrerPolicy = "origin";
    return new Promise((done) => {
      const late = setTimeout(() => { image.src = ""; done(false); }, PATIENCE);
      image.onload = () => { clearTimeout(late); done(true); };
      image.onerror = () => { clearTimeout(late); done(false); };
      image.src = L.Util.template(address, { s: SERVERS[0], x, y, z: zoom });
    });
  }

  // As the address says: a base map, and what of the ground is hidden.
  function follow(params) {
    const words = (params.get("ground") ?? "").split(",");
    for (const name of Object.keys(shown)) shown[name] = !words.includes(`-${name}`);
    const wanted = words.find((word) => told.grounds.some((one) => one.id === word)) ?? "";
    if (wanted !== base) paint(wanted);
    apply();
  }

  async function load() {
    try {
      const places = await askJson(told.places);
      streets = new Map(places.streets.map((one) => [one.code, one]));
      const style = { pane: "places", renderer: L.svg({ pane: "places" }), interactive: false, fill: false };
      const outline = (one, more) => L.geoJSON(one.outline, { ...style, style: { color: "#4c483f", interactive: false, ...more } }).addTo(drawn);
      for (const one of places.streets) {
        outline(one, { weight: 1.2, opacity: 0.65, dashArray: "6 3 1 3" });
        const icon = L.divIcon({ className: "street-label", html: "", iconSize: null });
        const label = L.marker([one.label[1], one.label[0]], { icon, pane: "places", interactive: false, keyboard: false });
        label.on("add", () => { label.getElement().replaceChildren(Object.assign(document.createElement("span"), { textContent: one.name })); });
        label.addTo(labels);
      }
      for (const one of places.districts) outline(one, { weight: 2.2, opacity: 0.8 });
      for (const place of $$('[data-count="places"]')) place.textContent = count(places.streets.length);
    } catch {
      // Outlines are ground; a map without them still works, and the tiles tell of a server that does not answer.
    }
  }

  follow(read().params);
  // Where the names of streets stand in the window: [[x, y, width, height]].
  function taken() {
    if (!map.hasLayer(labels)) return [];
    return [...streets.values()].map((one) => {
      const { x, y } = map.latLngToContainerPoint([one.label[1], one.label[0]]);
      return [x, y, one.name.length * LETTER, 16];
    });
  }

  return { load, follow, taken, street: (code) => streets.get(code), get base() { return told.grounds.find((one) => one.id === base) ?? null; } };
}
