// The map page: one state, painted on the map and told by the panels beside it.
import * as address from "./address.js";
import { askJson } from "./asking.js";
import { card, cardCode, tileCode } from "./card.js";
import { choropleth } from "./choropleth.js";
import { ground, makeMap } from "./ground.js";
import { here } from "./here.js";
import { Labels } from "./labels.js";
import { legend } from "./legend.js";
import { copyLink } from "./link.js";
import { list } from "./list.js";
import { measure } from "./measure.js";
import { $, say, signInAddress, told } from "./page.js";
import { paintedLayer } from "./painting.js";
import { printing } from "./print.js";
import { savedViews } from "./saved-views.js";
import { search } from "./search.js";
import { follow, state } from "./state.js";
import { TileSource } from "./tiles.js";
import { whatif } from "./whatif.js";

const LOOK_AGAIN = 60_000;  // milliseconds between two looks at the version of the data
const NARROW = 600;         // pixels of a window that is too narrow for map and lists beside each other
const CLOSE_ENOUGH = 16;    // the zoom at which a parcel chosen from the list is shown

const first = address.read();
const map = makeMap();
follow(first.params);
state.criteria = first.params.get("set");
state.asOf = dayOf(first.params);
const sources = told.layers.map((one) => new TileSource(one.id, one.tilejson, {
  wanted: (tile) => tile.z === painted.zoom(),
  trouble: showTrouble,
  past: one.kept,
}));
for (const one of sources) one.words = state.asOf ? `as_of=${state.asOf}` : "";
const painted = paintedLayer(sources, state);
const pin = L.circleMarker([0, 0], { radius: 7, color: "#12262b", weight: 2.5, fillColor: "#fff", fillOpacity: 0.9, interactive: false });
const written = () => address.write(map, address.read().code);
address.keep("at", () => state.asOf ?? "");
const names = new Labels({ sources, state, painted, taken: () => groundPanel.taken() });
const groundPanel = ground(map, written, { labels: names }, (yes) => { state.based = yes; painted.repaint(); });
const themePanel = told.theme ? choropleth({
  changed: () => { painted.repaint(); written(); },
  narrowed: () => { listPanel.load(); written(); },
}) : null;
const legendPanel = legend(map, sources, (anotherSet) => {
  painted.repaint();
  legendPanel.tellZoom();
  if (anotherSet) {
    themePanel?.again();
    listPanel?.fill();
    listPanel?.load();
    if (cardPanel?.shown) cardPanel.open(address.read().code, []);
    trial?.setChanged();
  }
  written();
});
const listPanel = told.inside ? list(map, { choose, changed: written, theme: themePanel, streetChosen: (code) => look(groundPanel.street(code)?.box) }) : null;
const cardPanel = told.inside ? card({ opened, closed, drawn }) : null;
const notes = here({
  changed: (repaint = true) => {
    if (repaint) painted.repaint();
    listPanel?.select(state.selected ?? notes.named?.code ?? null);
    written();
  },
  show: (box) => look(box),
  openCard: cardPanel && told.building ? (item) => cardPanel.open(cardCode({ kind: "building", code: item.code }), []) : null,
});
// What the module that draws units is handed; it sets onPick, onAddress, onFound and onMeasure, which are asked first.
const desk = { map, painted, state, told, sources, refreshed, cardPanel, listPanel, groundPanel, legendPanel, themePanel, look, written, setDate, onDate: [], onPick: null, onAddress: null, onFound: null, onMeasure: null };
desk.measure = measure(map, () => desk.onMeasure?.());
const trial = told.whatif ? whatif(desk, { runs: () => overview?.runs ?? [], written, open: (item) => cardPanel.open(cardCode(item), null) }) : null;
if (told.inside) search(found);
if (told.views) savedViews({ written });
printing(desk, names);
let piece = null;
let overview = null, tried = 0, owed = false;  // owed: the list is older than the data, as it was hidden when they changed

$(".skip").addEventListener("click", (event) => {
  event.preventDefault();  // the address holds the place on the map
  ($("#search") ?? map.getContainer()).focus();
});
const folder = $("#list-fold");
folder?.addEventListener("click", () => { fold(folder.getAttribute("aria-expanded") === "true"); });
if (window.matchMedia(`(width < ${NARROW}px)`).matches) fold(true);  // a telephone has room for one of the two
$("#tool-home").addEventListener("click", () => look(overview?.box, true));
$("#tool-link").addEventListener("click", () => copyLink($("#tool-link")));
map.on("zoomend", () => { if (sources.filter((one) => one.owes(map.getZoom())).length) painted.repaint(); });
const busy = (yes) => map.getContainer().setAttribute("aria-busy", yes);
painted.layer.on("loading", () => busy(true)).on("load", () => busy(false));
start();

async function start() {
  await Promise.all([count(), refresh(), groundPanel.load()]);
  if (first.zoom !== null) map.setView([first.lat, first.lng], first.zoom, { animate: false });
  else if (overview?.box) look(overview.box, true);
  painted.layer.addTo(map);
  legendPanel.tell();
  map.on("moveend", written);
  window.addEventListener("hashchange", arrive);  // Back, Forward, or an address pasted into the open map
  map.on("click", picked);
  map.getContainer().addEventListener("keydown", pressed);
  if (told.draw) (await import("./compose.js")).compose(desk);
  if (told.dates) (await import("./asof.js")).asOf(desk);
  if (told.inside) {
    $("#nothing").hidden = !overview || Boolean(state.asOf || overview.counts.parcels || overview.counts.patches);
    themePanel.follow(first.params);
    listPanel.follow(first.params);
    listPanel.fill();
    listPanel.load();
    trial?.follow(first.params);
    if (first.code) cardPanel.open(first.code, first.zoom !== null ? [] : null);
  } else {
    $("#no-units").hidden = !overview || Boolean(overview.counts.units);
    $("#welcome-close").addEventListener("click", () => { $("#welcome").hidden = true; map.getContainer().focus(); });
  }
  openNamed(first);
  document.documentElement.dataset.ready = "yes";
  setInterval(() => { if (document.visibilityState === "visible") refreshed(); }, LOOK_AGAIN);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") refreshed(); });
}

async function count() {
  try {
    const news = await askJson(state.asOf ? `${told.overview}?as_of=${state.asOf}` : told.overview);
    if (told.layers.some((one) => !(one.id in news.counts))) {
      showTrouble(401);  // whoever opened the page is signed in no longer; nobody's counts would be noughts
      return;
    }
    overview = news;
    legendPanel.fill(overview);
    listPanel?.fill(overview);
    for (const one of sources) one.empty = !overview.counts[one.id];  // nothing there: no tile need be asked for
  } catch (trouble) {
    showTrouble(trouble.status ?? 0);
  }
}

// Which tiles there are now; the layers whose data changed.
async function refresh() {
  const changed = await Promise.allSettled(sources.map((one) => one.refresh()));
  const failed = changed.find((one) => one.status === "rejected" && !(state.asOf && one.reason.status === 409));
  if (failed) showTrouble(failed.reason.status ?? 0);
  return sources.filter((_one, i) => changed[i].value).map((one) => one.id);
}

// Look at the version of the data now, and count and paint again what changed.
async function refreshed() {
  const changed = await refresh();
  if (!changed.length) return;
  await count();
  painted.repaint();
  if (changed.includes("candidates") || changed.includes("parcels")) { trial?.again(); themePanel?.again(); }
  if (!listPanel?.shows(changed)) return;
  if (cardPanel.shown) owed = true; else listPanel.reload();
}

// The address was changed from outside: look there, and open or close what it names.
function arrive() {
  const place = address.read(), before = state.criteria;
  follow(place.params);
  state.criteria = place.params.get("set") ?? overview?.runs[0]?.criteria ?? state.criteria;
  groundPanel.follow(place.params);
  if (dayOf(place.params) !== state.asOf) setDate(dayOf(place.params));
  legendPanel.tell();
  if (place.zoom !== null) map.setView([place.lat, place.lng], place.zoom, { animate: false });
  painted.repaint();
  if (cardPanel) {
    themePanel.follow(place.params);
    listPanel.follow(place.params);
    listPanel.fill();
    listPanel.load();
    trial?.follow(place.params);
    if (place.code && (tileCode(place.code) !== state.selected || state.criteria !== before)) cardPanel.open(place.code, place.zoom !== null ? [] : null);
    else if (!place.code && cardPanel.shown) cardPanel.close();
  }
  openNamed(place);
}

function dayOf(params) {
  const day = params.get("at");
  return /^\d{4}-\d\d-\d\d$/.test(day ?? "") ? day : null;
}

// The map of another day, or of today (null): tiles and lists are asked for that day; what cannot be told of it is empty.
async function setDate(day) {
  state.asOf = day || null;
  themePanel?.shut(Boolean(state.asOf));
  for (const one of sources) one.words = state.asOf ? `as_of=${state.asOf}` : "";
  await Promise.all([count(), refresh()]);
  painted.repaint();
  listPanel?.load();
  for (const told of desk.onDate) told(state.asOf);
  written();
}

// The finding, legacy land or unit that the address names; who draws units opens a unit in a panel of its own.
function openNamed(place) {
  const finding = place.params.get("finding"), legacy = place.params.get("legacy");
  const taken = desk.onAddress?.(place);
  if (finding) name("findings", finding); else if (legacy) name("legacy", legacy);
  else if (place.unit && !taken) name("units", place.unit);
  else if (notes.named) notes.close();
}

function name(layer, code) {
  if (notes.named?.layer === layer && notes.named.code === code) return;
  if (layer in state.shown) { state.shown[layer] = true; legendPanel.tell(); }
  notes.find(layer, code);
}

// A row of a list was chosen.
function choose(of, item) {
  if (of === "candidates") cardPanel.open(cardCode(item), item.box);
  else if (of === "units") openUnit(item.code);
  else if (of === "control-areas") openArea(item);
  else name(of, of === "findings" ? item.identity : item.code);
}

// Control areas share codes between kinds: one is named by its number.
function openArea(item) {
  state.shown["control-areas"] = true;
  state.on.kind.add(item.kind);
  legendPanel.tell();
  look(item.box);
  painted.repaint();
  notes.at([{ layer: "control-areas", feature: { id: item.fid } }]);
}

function openUnit(code) {
  state.shown.units = true;
  legendPanel.tell();
  if (!desk.onAddress?.({ ...address.read(), unit: code })) name("units", code);
}

// Something was found by a search.
function found(item) {
  if (desk.onFound?.(item) && item.box) { look(item.box); return; }
  if (item.kind === "parcel") cardPanel.open(item.code, item.box);
  else if (item.kind === "unit") openUnit(item.code);
  else if (item.kind === "legacy") name("legacy", item.code);
  else if (item.kind === "building") { look(item.box); notes.find("buildings", item.code); }
  else if (item.kind === "street") { look(item.box, true); listPanel.street(item.code); }
  else {
    pin.setLatLng([item.lat, item.lng]).addTo(map);
    map.setView([item.lat, item.lng], Math.max(map.getZoom(), CLOSE_ENOUGH), { animate: false });
    written();
  }
}

// Bring a box into view; `whole` shows it as large as it fits, else the map moves only where it must.
function look(box, whole = false) {
  if (!box?.length) return;
  const [west, south, east, north] = box, bounds = L.latLngBounds([south, west], [north, east]);
  if (whole) { map.fitBounds(bounds, { animate: false, padding: [12, 12], maxZoom: 17 }); return; }
  if (map.getBounds().contains(bounds) && map.getZoom() >= CLOSE_ENOUGH) return;
  const close = Math.min(map.getBoundsZoom(bounds, false, L.point(80, 80)), 18);
  map.setView(bounds.getCenter(), Math.max(Math.min(close, CLOSE_ENOUGH), Math.min(close, map.getZoom())), { animate: false });
}

// The panel of lists folded away leaves its room to the map; a card that opens brings it back.
function fold(away) {
  if (!folder || (folder.getAttribute("aria-expanded") === "false") === away) return;
  $(".workspace").classList.toggle("folded", away);
  folder.setAttribute("aria-expanded", !away);
  map.invalidateSize({ animate: false });
}

// A card is there: mark its subject, and bring it into view unless the address said where to look.
function opened(code, box) {
  fold(false);
  trial?.aside();
  if (address.read().code !== code) address.write(map, code, true);  // first, so that Back returns to the view before
  state.selected = tileCode(code);
  listPanel.select(state.selected);
  look(box);
  painted.repaint();
  address.write(map, code);
}

// A piece of the land that the card tells of, over everything else; null takes it away.
function drawn(shape) {
  piece?.remove();
  piece = shape && L.geoJSON(shape, { interactive: false, className: "card-piece", style: { color: "#b3261e", weight: 2.5, dashArray: "6 4", fillColor: "#b3261e", fillOpacity: 0.3 } }).addTo(map);
  if (!piece) return;
  const bounds = piece.getBounds();
  look([bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]);
}

function closed() {
  state.selected = null;
  trial?.back();
  painted.repaint();
  address.write(map, null, address.read().code !== null);
  listPanel.focus();
  listPanel.select(null);
  if (owed) listPanel.reload();
  owed = false;
}

// What a click does, for hands on the keyboard: Enter, in the middle of the map.
function pressed(event) {
  if (event.key === "Enter" && event.target === map.getContainer() && !event.defaultPrevented) picked({ latlng: map.getCenter() });
}

function picked(event) {
  if (desk.measure.picked(event.latlng) || desk.onPick?.(event)) return;
  pin.remove();
  const all = painted.at(map, event.latlng);
  const judged = all.filter((one) => one.layer === "candidates");
  const parcel = judged.find((one) => one.feature.props.kind === "building") ?? judged[0] ?? all.find((one) => one.layer === "parcels");
  const others = all.filter((one) => one.layer !== "candidates" && one.layer !== "parcels");
  if (parcel && cardPanel) {
    const { lat, lng } = event.latlng, its = parcel.feature.props;
    cardPanel.open(cardCode(its), map.getZoom() < CLOSE_ENOUGH - 2 ? null : [lng, lat, lng, lat]);
    notes.at(others.filter((one) => one.layer !== "patches" && one.layer !== "buildings"));  // the card tells of these
  } else {
    notes.at(others);
  }
}

// What was asked for before one tried again tells of the trouble that one has seen already.
function showTrouble(status, asked = performance.now()) {
  if (asked < tried) return;
  const place = $("#trouble");
  const signedOut = status === 401 || status === 403;
  $("span", place).textContent = signedOut ? say("signedOut") : say("tilesMissing");
  $("a", place).hidden = !signedOut;
  if (signedOut) $("a", place).href = signInAddress(told.signIn);
  place.hidden = false;
}
$("#trouble button").addEventListener("click", async () => {
  $("#trouble").hidden = true;
  tried = performance.now();
  await Promise.all([count(), refresh()]);
  painted.repaint();
});
