// Two maps of the same place, one by each set: only what differs is coloured, and moving one moves the other.
import { askJson } from "./asking.js";
import { $, $$, say, told } from "./page.js";
import { paintedLayer } from "./painting.js";
import { rules } from "./rules.js";
import { TileSource } from "./tiles.js";

const every = (facet) => new Set(Object.keys(told.legend.candidates.facets[facet]));
const trouble = () => { $("#compare-trouble").textContent = say("tilesMissing"); };
const maps = [];

start();

async function start() {
  let found;
  try {
    found = await askJson(told.changes);
  } catch (error) {
    $("#compare-trouble").textContent = error.message;
    return;
  }
  for (const place of $$(".compare-map")) maps.push(await made(place, found));
  for (const one of maps) one.on("move", () => follow(one));
  document.documentElement.dataset.ready = "yes";
}

async function made(place, { shown, box, outcomes }) {
  const side = Number(place.dataset.side);
  const state = {
    shown: { parcels: true, candidates: true }, on: { outcome: new Set(), category: every("category"), land: new Set(), kind: new Set(), legacy: new Set(), unit: new Set(), severity: new Set() },
    criteria: shown, landGroups: told.landGroups, selected: null, signs: false,
    tried: new Map(Object.entries(outcomes).map(([flag, both]) => [Number(flag), both[side]])),
  };
  const map = L.map(place, { zoomControl: false, attributionControl: false, minZoom: 4, maxZoom: 20, fadeAnimation: false, zoomAnimation: false });
  if (side === 0) L.control.zoom({ zoomInTitle: say("zoomInTitle"), zoomOutTitle: say("zoomOutTitle") }).addTo(map);
  map.setView(told.start.slice(0, 2), told.start[2]);
  if (box) map.fitBounds([[box[1], box[0]], [box[3], box[2]]], { animate: false });
  L.control.scale({ imperial: false }).addTo(map);
  let painted = null;
  const sources = told.layers.map((one) => new TileSource(one.id, one.tilejson, { wanted: (tile) => tile.z === painted.zoom(), trouble }));
  const drawn = rules(state).filter((rule) => rule.dataLayer === "parcels" || rule.dataLayer === "candidates");
  painted = paintedLayer(sources, state, drawn);
  await Promise.allSettled(sources.map((one) => one.refresh()));
  painted.layer.on("load", () => place.setAttribute("aria-busy", "false")).on("loading", () => place.setAttribute("aria-busy", "true"));
  painted.layer.addTo(map);
  map.on("zoomend", () => { if (sources.some((one) => one.owes(map.getZoom()))) painted.repaint(); });
  map.on("click", ({ latlng }) => {
    const props = painted.at(map, latlng).find((one) => one.layer === "candidates")?.feature.props;
    if (props) location.href = (props.kind === "building" ? told.building : told.card).replace("CODE", encodeURIComponent(props.code));
  });
  return map;
}

let leading = false;

function follow(one) {
  if (leading) return;
  leading = true;
  for (const other of maps) if (other !== one) other.setView(one.getCenter(), one.getZoom(), { animate: false });
  leading = false;
}
