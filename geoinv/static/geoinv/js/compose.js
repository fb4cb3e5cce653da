// Compose a redevelopment unit on the map: from parcels that the server unites, or drawn corner by corner.
import * as address from "./address.js";
import { cornerList } from "./cornerlist.js";
import { hands } from "./hands.js";
import { inquiry } from "./inquiry.js";
import { keeping } from "./keeping.js";
import { noticeBoard } from "./notices.js";
import { $, $$, element, say } from "./page.js";
import { picking } from "./picking.js";
import { EMPTY, corners, finished, isEmpty, ofGeometry, ofUnit, overlapsItself, put, same, without } from "./rings.js";
import { saving } from "./saving.js";
import { sketch as sketched } from "./sketch.js";
import { CLOSE_ENOUGH, Outlines } from "./snap.js";
import { Steps } from "./steps.js";
import { unitPanel } from "./unit.js";
import { verdict as verdicts } from "./verdict.js";

const LONG_ENOUGH = 6_000;   // milliseconds to read a sentence
const NEAR = 10, TWICE = 3;  // screen pixels: from the first corner, which closes the shape; between two presses of a double click

// `desk` = {map, painted, told, refreshed, measure, look}; its onPick, onAddress, onFound and onMeasure are set here.
export function compose(desk) {
  const { map } = desk, draw = desk.told.draw, container = map.getContainer();
  const panel = $("#compose"), view = $("#compose-view"), opener = $("#compose-open"), name = $("#compose-name");
  const store = keeping(panel.dataset.user), board = noticeBoard($("#compose-notices"));
  const outline = L.layerGroup();  // of the unit whose panel is open

  // What all parts of the tool look at: the steps, the unit that is edited (or null), the server's latest answer.
  const work = {
    active: false, tool: "pick", steps: new Steps(EMPTY), unit: null, district: null, confirmed: new Set(), answered: null, begun: null,
    session: 0,      // another number with every composition that begins or ends
    resumed: false,  // what is worked at was not saved before, so it is never without changes
  };
  const loaded = new WeakMap();  // a step that took in what somebody else saved → the names {mine, theirs}
  let looking = false;           // the next answer is brought into view
  const now = () => work.steps.now;

  const outlines = new Outlines(map, draw.outlines, (state) => { container.dataset.outlines = state; tellHint(); });
  const snapped = (latlng, free = false) => outlines.at(latlng, free);
  snapped.isCorner = (corner) => outlines.isCorner(corner);
  const sketch = sketched(map, { steps: now, snapped, commit, finish, told: tell });
  const verdict = verdicts(map, sketch.renderer, { confirmed: work.confirmed, changed: () => { saver.tellReason(); keep(); } });
  const asking = inquiry(work, { address: draw.compose, verdict, sketch, board, heard });
  const picker = picking(map, work, { address: draw.pick, painted: desk.painted, board, commit, tell, bringIntoView: () => { looking = true; } });
  const list = cornerList(map, { now, isCorner: snapped.isCorner, choose: sketch.choose, put: (corner) => commit(put(now(), corner), "put-free", { number: now().growing.length + 1 }), commit, tell });
  const saver = saving(work, { draw, inquiry: asking, verdict, board, finish, theirs, tell: tellPlain, keep, map, asNew, done: saved, stay, late });
  const keys = hands(map, work, { sketch, outlines, snapped, measuring: () => desk.measure?.active, does: { ...picker, putAt, finish, removeCorner, cancelGrowing, use, leave: askToLeave, undo, redo, tell } });
  const unit = unitPanel(draw, { opened: unitOpened, closed: unitClosed, edit, changed: () => desk.refreshed() });

  // --- in and out of the mode

  function start({ of = null, begun = EMPTY, called = "", tool = "pick", kept = null }) {
    if (work.active || !store.begin(kept?.id)) return false;
    desk.measure?.stop();
    unit.hide();
    outline.remove();
    $("#patch-note")?.setAttribute("hidden", "");
    $("#compose-resume").hidden = true;
    const districts = draw.districts.map((one) => one.code), wanted = of?.district ?? kept?.district;
    Object.assign(work, {
      active: true, steps: new Steps(begun), district: districts.includes(wanted) ? wanted : of?.district ?? districts[0],
      answered: null, begun: [begun, called], session: work.session + 1, resumed: Boolean(kept),
    });
    work.confirmed.clear();
    name.value = called;
    editing(of);
    $("#compose-district").value = work.district;
    board.clear();
    leaving(false);
    shown("compose");
    for (const one of [map.boxZoom, map.keyboard]) one.disable();
    sketch.show();
    verdict.show();
    outlines.start();
    picker.start();
    use(tool, false);
    redrawn(0);
    if (!of) address.write(map, address.read().code, false, null);
    $("#compose-title").focus({ preventScroll: true });
    tell(kept ? "resumed" : tool === "draw" ? "hintDraw" : "hintPick");
    return true;
  }

  // Which unit is edited; null for a new one.
  function editing(of) {
    work.unit = of;
    $("#compose-title").textContent = of ? say("composeEdit", { code: of.code }) : say("composeNew");
  }

  function stop() {
    work.active = false;
    work.session++;
    desk.measure?.stop();
    store.end();
    asking.stop();
    sketch.draw(false);
    for (const one of [sketch, verdict, keys]) one.hide();
    for (const one of [outlines, picker]) one.stop();
    container.classList.remove("boxing", "picking");
    for (const one of [map.boxZoom, map.keyboard]) one.enable();
    shown(null);
    offer();
  }

  // Leave for the list, or for the unit that was edited.
  function leave() {
    const of = work.unit;
    store.forget();
    stop();
    if (of) openUnit(of.code); else opener.focus();
  }

  function askToLeave() { if (changed()) leaving(true); else leave(); }

  function leaving(yes) {
    $("#compose-leaving").hidden = !yes;
    if (yes) $("#compose-discard").focus();
  }

  const changed = () => work.resumed || (now() !== work.begun[0] && !(isEmpty(now()) && isEmpty(work.begun[0]))) || name.value !== work.begun[1];

  // Which panel stands in the right column: mine with the tool, mine with a unit, or the desk's own (null).
  function shown(which) {
    panel.hidden = !which;
    view.hidden = which !== "compose";
    $("#unit-view").hidden = which !== "unit";
    opener.hidden = which === "compose";
    panel.closest(".workspace").classList.toggle("composing", Boolean(which));
    const search = $(".search"), above = which ? panel : $(".panel-right");
    if (search && search.parentElement !== above) above.prepend(search);  // always at hand, whichever panel there is
    map.invalidateSize({ animate: false });
  }

  // --- steps

  function commit(next, said = null, values = {}) {
    if (next === now()) return;
    const before = now();
    sketch.free();
    work.steps.take(next);
    redrawn();
    if (said) tell(said, values);
    if (before.how === "drawn" && next.how === "parcels" && !loaded.has(next)) tellReplaced(before);
  }

  // One click with another tool put parcels into the place of a drawing.
  function tellReplaced(drawing) {
    const back = element("button", { type: "button", className: "button", textContent: say("drawingBack") });
    back.addEventListener("click", () => {
      while (now() !== drawing && work.steps.back());
      redrawn();
      tell("undone");
      $("#compose-title").focus();
    });
    board.notice("replaced", "amber", say("drawingReplaced"), back);
  }

  function redrawn(pause) {
    if (now().how === "drawn") board.notice("replaced", null);
    keys.stepped();
    sketch.paint();
    picker.fill();
    list.fill();
    const drawn = now().how === "drawn";
    $("#compose-parcels").hidden = drawn;
    $("#compose-corners").hidden = !drawn && work.tool !== "draw";
    $("#compose-reshape").hidden = drawn || !now().parcels.length;
    $("#compose-undo").disabled = !work.steps.past.length;
    $("#compose-redo").disabled = !work.steps.future.length;
    asking.ask(pause);
    keep();
  }

  function undo() {
    const left = loaded.get(now());
    sketch.free();
    sketch.choose(null);
    if (!work.steps.back()) return;
    if (left) { left.theirs = name.value; name.value = left.mine; }
    redrawn();
    tell("undone");
  }

  function redo() {
    sketch.free();
    sketch.choose(null);
    if (!work.steps.again()) return;
    const again = loaded.get(now());
    if (again) { again.mine = name.value; name.value = again.theirs; }
    redrawn();
    tell("redone");
  }

  // What somebody else saved, with its name, as one step.
  function theirs(state, called) {
    loaded.set(state, { mine: name.value, theirs: called });
    name.value = called;
    commit(state, "theirsLoaded");
  }

  function keep() {
    if (!work.active) return;
    if (changed()) store.keep({ now: now(), name: name.value, unit: work.unit, district: work.district }); else store.forget();
  }

  // The server has answered (or not yet: null).
  function heard(answer) {
    if (answer) picker.judged(answer);
    if (answer && looking) {
      looking = false;
      if (answer.geometry) intoView(L.geoJSON(answer.geometry).getBounds());
    }
    saver.tellReason();
  }

  // --- drawing

  function use(tool, aloud = true) {
    desk.measure?.stop();
    work.tool = tool;
    for (const one of $$("[data-tool]", view)) one.setAttribute("aria-pressed", String(one.dataset.tool === tool));
    container.classList.toggle("picking", tool === "pick");
    container.classList.toggle("boxing", tool === "box");
    keys.used();
    sketch.draw(tool === "draw");
    if (tool === "draw") closeTo();
    $("#compose-corners").hidden = tool !== "draw" && now().how !== "drawn";
    tellHint();
    if (aloud) tell({ pick: "hintPick", box: "hintBox", draw: "hintDraw" }[tool]);
  }

  // Close enough to draw: at the shape where there is one, else where one looks.
  function closeTo() {
    const places = corners(now()).map(([, [lng, lat]]) => [lat, lng]), bounds = places.length ? L.latLngBounds(places) : null;
    const far = map.getZoom() < CLOSE_ENOUGH;
    if (bounds && (far || !map.getBounds().intersects(bounds))) {
      map.setView(bounds.getCenter(), Math.min(Math.max(map.getBoundsZoom(bounds.pad(0.1)), CLOSE_ENOUGH), 18), { animate: false });
    } else if (far) map.setZoom(CLOSE_ENOUGH, { animate: false });
  }

  const intoView = (bounds) => { if (!map.getBounds().contains(bounds)) map.fitBounds(bounds, { animate: false, padding: [40, 40], maxZoom: 18 }); };

  // The united outline becomes a drawing whose corners can be moved; the server's own numbers, no tile's.
  async function reshape() {
    const about = now();
    if (work.answered?.about !== about) await asking.now();
    const geometry = work.answered?.about === about && now() === about && work.answered.answer.geometry;
    if (!geometry) { tell("noOutline"); return; }
    commit(ofGeometry(geometry), "reshaped", { count: about.parcels.length });
    use("draw", false);
  }

  function putAt(latlng, free = false) {
    if (map.getZoom() < CLOSE_ENOUGH) { tell("closerForCorner"); return; }
    const { growing } = now(), place = snapped(latlng, free);
    const on = (corner, reach) => same(place.at, corner) || (place.kind !== "corner" && onScreen(corner, latlng) < reach);
    if (growing.length > 2 && on(growing[0], NEAR)) { finish(); return; }
    if (growing.length && on(growing.at(-1), TWICE)) return;
    commit(put(now(), place.at), place.kind ? `put-${place.kind}` : "put-free", { number: growing.length + 1, code: place.code });
  }

  const onScreen = ([lng, lat], latlng) => map.latLngToContainerPoint([lat, lng]).distanceTo(map.latLngToContainerPoint(latlng));

  function finish() {
    const number = now().growing.length;
    if (number < 3) { tell("threeCorners"); return; }
    sketch.point(null);
    const overlapping = overlapsItself(now()), done = finished(now());
    commit(done, overlapping ? "finishedOver" : done.shape.length === now().shape.length ? "finishedHole" : "finished", { number });
  }

  function cancelGrowing() {
    sketch.point(null);
    commit({ ...now(), growing: [] }, "cancelled");
  }

  function removeCorner() {
    const where = sketch.chosen, { growing } = now();
    if (!where && !growing.length) { tell("chooseCorner"); return; }
    sketch.choose(null);
    commit(where ? without(now(), where) : { ...now(), growing: growing.slice(0, -1) }, "cornerGone");
  }

  // --- clicks on the map, and addresses

  desk.onPick = (event) => {
    if (!work.active) return pickUnit(event.latlng);
    if (sketch.handled || picker.boxed) return true;
    container.focus({ preventScroll: true });
    const { altKey, shiftKey } = event.originalEvent ?? {};
    if (work.tool === "draw") putAt(event.latlng, altKey);
    else if (work.tool === "pick" && !shiftKey) picker.pickAt(event.latlng);
    return true;
  };
  map.on("dblclick", () => { if (work.active && work.tool === "draw" && now().growing.length > 2) finish(); });

  // A unit is opened by the first click on it; the next one there goes through to the parcel.
  function pickUnit(latlng) {
    const found = desk.painted.at(map, latlng).find((one) => one.layer === "units");
    if (found && found.feature.props.code !== unit.code) {
      openUnit(found.feature.props.code);
      return true;
    }
    if (unit.shown) unit.close();
    return false;
  }

  desk.onMeasure = () => { if (work.active && work.tool !== "pick") use("pick", false); };
  // What is searched for while one composes is shown on the map, and the panel stays.
  desk.onFound = (item) => {
    if (!work.active && unit.shown && item.kind !== "unit" && item.box) unit.close();
    return work.active;
  };
  desk.onAddress = (place) => {
    if (work.active || place.unit === unit.code) return Boolean(place.unit);
    if (place.unit) openUnit(place.unit); else if (unit.shown) unit.close();
    return Boolean(place.unit);
  };

  // --- units

  function openUnit(code, said = "") {
    shown("unit");
    return unit.open(code, said);
  }

  function unitOpened(found) {
    $("#patch-note")?.setAttribute("hidden", "");
    outline.clearLayers();
    const shape = L.geoJSON(found.geometry, { renderer: sketch.renderer, pane: "compose", interactive: false, style: { className: "unit-outline", fill: false } });
    shape.addTo(outline);
    outline.addTo(map);
    const bounds = shape.getBounds(), place = address.read();
    if (!map.getBounds().intersects(bounds) || (place.zoom === null && map.getZoom() < 14)) map.fitBounds(bounds, { animate: false, padding: [60, 60], maxZoom: 18 });
    address.write(map, null, place.unit !== found.code, found.code);
  }

  function unitClosed() {
    outline.clearLayers();
    outline.remove();
    shown(null);
    address.write(map, address.read().code, false, null);
    container.focus({ preventScroll: true });
  }

  function edit(found) {
    const begun = ofUnit(found), { code, version, edition, district } = found;
    start({ of: { code, version, edition, district }, begun, called: found.name, tool: begun.how === "drawn" ? "draw" : "pick" });
    intoView(L.geoJSON(found.geometry).getBounds());
  }

  function saved({ code }) {
    store.forget();
    stop();
    desk.refreshed();
    openUnit(code, say("saved", { code }));
  }

  // Saved as it was sent; what was changed since is an edit of the unit that it has become.
  function stay({ code, version, edition }, sent) {
    editing({ code, version, edition, district: work.district });
    Object.assign(work, { begun: [sent.now, sent.name], resumed: false });
    board.notice("saved", "moss", say("savedBefore", { code }));
    asking.ask(0);
    keep();
    desk.refreshed();
  }

  // Saved when one had left already, or had begun another.
  function late({ code }) {
    const place = $("#told-once");
    place.textContent = say("saved", { code });
    place.hidden = false;
    setTimeout(() => { place.hidden = true; }, LONG_ENOUGH);
    desk.refreshed();
  }

  // Somebody else ended the unit that was edited: what is composed becomes a new one.
  function asNew() {
    editing(null);
    work.resumed = true;
    work.answered = null;
    keep();
  }

  // --- words

  function tell(word, values = {}) { tellPlain(say(word, values)); }
  function tellPlain(sentence) { $("#compose-status").textContent = sentence; }

  function tellHint() {
    const words = { far: "closerForCorner", missing: "outlinesMissing", ready: "outlinesReady" };
    $("#compose-snapping").textContent = work.tool === "draw" ? say(words[container.dataset.outlines] ?? "outlinesLoading") : "";
  }

  // --- the panel's buttons

  container.parentElement.append(opener, $("#compose-resume"));
  opener.hidden = false;
  const clicked = {
    "#compose-open": () => start({}), "#compose-undo": undo, "#compose-redo": redo, "#compose-finish": finish, "#compose-drop": cancelGrowing,
    "#compose-remove-corner": removeCorner, "#compose-reshape": reshape, "#compose-leave": askToLeave, "#compose-discard": leave,
    "#compose-stay": () => { leaving(false); $("#compose-title").focus(); },
  };
  for (const [button, does] of Object.entries(clicked)) $(button).addEventListener("click", () => does());
  for (const one of $$("[data-tool]", view)) {
    one.addEventListener("click", () => { if (one.dataset.tool === "draw" && now().parcels.length) reshape(); else use(one.dataset.tool); });
  }
  $("#compose-district").addEventListener("change", (event) => { work.district = event.target.value; asking.ask(0); });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !work.active || event.defaultPrevented) return;
    if (!$("#compose-leaving").hidden) clicked["#compose-stay"](); else if (!event.target.matches("input, textarea, select")) keys.escape();
  });
  window.addEventListener("beforeunload", (event) => { if (work.active && changed()) { keep(); event.preventDefault(); } });

  // --- what was not saved the last time

  const place = $("#compose-resume");
  let offered = null;

  function offer() {
    offered = work.active ? null : store.kept();
    place.hidden = !offered;
    if (!offered) return;
    const when = new Date(offered.kept).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    $("span", place).textContent = say("keptWork", { when, name: offered.name || offered.unit?.code || say("composeNew") });
  }

  $("[data-forget]", place).addEventListener("click", () => { store.forget(offered.id); offer(); opener.focus(); });
  $("[data-resume]", place).addEventListener("click", () => {
    const kept = offered;
    looking = true;
    const begun = start({ of: kept.unit, begun: kept.now, called: kept.name, tool: kept.now.how === "drawn" ? "draw" : "pick", kept });
    if (begun) return;
    looking = false;
    offer();  // another window has taken it
  });
  // Another window saved, threw away or left something.
  window.addEventListener("storage", () => { if (!work.active) offer(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && !work.active) offer(); });
  offer();
}
