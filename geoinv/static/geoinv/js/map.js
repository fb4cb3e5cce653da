// The map page: one state, painted on the map and told by the panels beside it.
import { askJson } from "./asking.js";
import * as address from "./address.js";
import { card } from "./card.js";
import { graticule } from "./graticule.js";
import { legend } from "./legend.js";
import { list } from "./list.js";
import { $, element, say, signInAddress, squareMetres, told } from "./page.js";
import { paintedLayer } from "./painting.js";
import { search } from "./search.js";
import { TileSource } from "./tiles.js";

const LOOK_AGAIN = 60_000;  // milliseconds between two looks at the version of the data
const CLOSE_ENOUGH = 16;    // the zoom at which a parcel chosen from the list is shown

const state = {
  selected: null,
  shown: Object.fromEntries(told.layers.map((one) => [one.id, true])),
  outcomes: new Set(),
  land: new Set(),
  landGroups: told.landGroups,
};
const here = address.read();
const map = L.map("map", {
  zoomControl: false, attributionControl: false, minZoom: 4, maxZoom: 20, fadeAnimation: false, maxBoundsViscosity: 0.8,
  maxBounds: [[-5, 55], [62, 150]],
});
map.setView(told.start.slice(0, 2), told.start[2]);
L.control.zoom({ zoomInTitle: say("zoomInTitle"), zoomOutTitle: say("zoomOutTitle") }).addTo(map);
L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
graticule(map);

const sources = told.layers.map((one) => new TileSource(one.id, one.tilejson, {
  wanted: (tile) => tile.z === painted.zoom(),
  trouble: showTrouble,
}));
const painted = paintedLayer(sources, state);
const legendPanel = legend(map, state, sources, () => { painted.repaint(); legendPanel.tellZoom(); });
const listPanel = told.inside ? list(choose) : null;
const cardPanel = told.inside ? card({ opened, closed }) : null;
if (told.inside) search(choose);

$(".skip").addEventListener("click", (event) => {
  event.preventDefault();  // the address holds the place on the map
  ($("#search") ?? map.getContainer()).focus();
});
map.on("zoomend", () => { if (sources.filter((one) => one.owes(map.getZoom())).length) painted.repaint(); });
const busy = (yes) => map.getContainer().setAttribute("aria-busy", yes);
painted.layer.on("loading", () => busy(true)).on("load", () => busy(false));
start();

async function start() {
  const [overview] = await Promise.all([look(), refresh()]);
  if (here.zoom !== null) map.setView([here.lat, here.lng], here.zoom, { animate: false });
  else if (overview?.box) {
    const [west, south, east, north] = overview.box;
    map.fitBounds([[south, west], [north, east]], { animate: false, padding: [12, 12], maxZoom: 17 });
  }
  painted.layer.addTo(map);
  legendPanel.tellZoom();
  map.on("moveend", () => address.write(map, address.read().code));
  window.addEventListener("hashchange", arrive);  // Back, Forward, or an address pasted into the open map
  map.on("click", picked);
  if (told.inside) {
    $("#nothing").hidden = !overview || Boolean(overview.counts.parcels || overview.counts.patches);
    listPanel.load();
    if (here.code) cardPanel.open(here.code, here.zoom !== null ? [] : null);
  } else {
    $("#no-units").hidden = !overview || Boolean(overview.counts.units);
    $("#welcome-close").addEventListener("click", () => { $("#welcome").hidden = true; map.getContainer().focus(); });
  }
  document.documentElement.dataset.ready = "yes";
  setInterval(lookAgain, LOOK_AGAIN);
  document.addEventListener("visibilitychange", lookAgain);
}

async function look() {
  try {
    const overview = await askJson(told.overview);
    if (told.layers.some((one) => !(one.id in overview.counts))) {
      showTrouble(401);  // whoever opened the page is signed in no longer; nobody's counts would be noughts
      return null;
    }
    legendPanel.fill(overview);
    listPanel?.fill(overview);
    for (const one of sources) one.empty = !overview.counts[one.id];  // nothing there: no tile need be asked for
    return overview;
  } catch (trouble) {
    showTrouble(trouble.status ?? 0);
    return null;
  }
}

// Which tiles there are now; true when any layer's data changed.
async function refresh() {
  const changed = await Promise.allSettled(sources.map((one) => one.refresh()));
  const failed = changed.find((one) => one.status === "rejected");
  if (failed) showTrouble(failed.reason.status ?? 0);
  return changed.some((one) => one.value);
}

async function lookAgain() {
  if (document.visibilityState !== "visible") return;
  if (await refresh()) {
    await look();
    painted.repaint();
    if (listPanel && !state.selected) listPanel.load();
  }
}

// The address was changed from outside: look there, and open or close the card.
function arrive() {
  const place = address.read();
  if (place.zoom !== null) map.setView([place.lat, place.lng], place.zoom, { animate: false });
  if (!cardPanel) return;
  if (place.code && place.code !== state.selected) cardPanel.open(place.code, place.zoom !== null ? [] : null);
  else if (!place.code && cardPanel.shown) cardPanel.close();
}

function choose(code, box) {
  cardPanel.open(code, box);
}

// A card is there: mark its parcel, and bring it into view unless the address said where to look.
function opened(code, box) {
  const step = address.read().code !== code;
  if (step) address.write(map, code, true);  // first, so that Back returns to the view before
  state.selected = code;
  listPanel.select(code);
  $("#patch-note").hidden = true;
  if (box?.length) {
    const [west, south, east, north] = box, bounds = L.latLngBounds([south, west], [north, east]);
    const close = Math.min(map.getBoundsZoom(bounds, false, L.point(80, 80)), 18);
    if (!map.getBounds().contains(bounds) || map.getZoom() < CLOSE_ENOUGH) {
      map.setView(bounds.getCenter(), Math.max(Math.min(close, CLOSE_ENOUGH), Math.min(close, map.getZoom())), { animate: false });
    }
  }
  painted.repaint();
  address.write(map, code);
}

function closed() {
  state.selected = null;
  painted.repaint();
  address.write(map, null, address.read().code !== null);
  listPanel.focus();
  listPanel.select(null);
}

function picked(event) {
  const found = painted.at(map, event.latlng);
  const parcel = found.find((one) => one.layer === "candidates" || one.layer === "parcels");
  const unit = found.find((one) => one.layer === "units");
  const patch = found.find((one) => one.layer === "patches");
  if (parcel && cardPanel) {
    const { lat, lng } = event.latlng;
    cardPanel.open(parcel.feature.props.code, map.getZoom() < CLOSE_ENOUGH - 2 ? null : [lng, lat, lng, lat]);
  } else if (unit) {
    note(unit.feature.props.name, [["code", unit.feature.props.code], ["area", squareMetres(unit.feature.props.area_m2)]]);
  } else if (patch?.feature.props.bsm) {
    const its = patch.feature.props;
    note(its.dlmc || its.dlbm, [
      ["landClass", its.dlbm], ["bsm", its.bsm], ["lies", its.zldwmc ?? ""],
      ["surveyed", its.tbmj == null ? "–" : squareMetres(its.tbmj)], ["measured", squareMetres(its.area_m2)],
    ]);
  } else {
    $("#patch-note").hidden = true;
  }
}

function note(title, pairs) {
  const place = $("#patch-note"), shut = element("button", { type: "button", className: "close", ariaLabel: say("close"), textContent: "×" });
  shut.addEventListener("click", () => { place.hidden = true; });
  place.replaceChildren(
    element("header", {}, element("h2", { textContent: title }), shut),
    element("dl", { className: "pairs" }, ...pairs.flatMap(([name, value]) => [
      element("dt", { textContent: say(name) }), element("dd", { textContent: value }),
    ])));
  place.hidden = false;
}

function showTrouble(status) {
  const place = $("#trouble");
  const signedOut = status === 401 || status === 403;
  $("span", place).textContent = signedOut ? say("signedOut") : say("tilesMissing");
  $("a", place).hidden = !signedOut;
  if (signedOut) $("a", place).href = signInAddress(told.signIn);
  place.hidden = false;
}
$("#trouble button").addEventListener("click", async () => {
  $("#trouble").hidden = true;
  await Promise.all([look(), refresh()]);
  painted.repaint();
});
