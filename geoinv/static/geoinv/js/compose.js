// Compose a redevelopment unit on the map: from parcels that the server unites, or drawn corner by corner.
import * as address from "./address.js";
import { askJson } from "./asking.js";
import { bringing } from "./bringing.js";
import { cornerList } from "./cornerlist.js";
import { WAYS, drawing } from "./drawing.js";
import { edging } from "./edging.js";
import { ending } from "./ending.js";
import { hands } from "./hands.js";
import { helping } from "./helping.js";
import { inquiry } from "./inquiry.js";
import { keeping } from "./keeping.js";
import { unitLeases } from "./leases.js";
import { noticeBoard } from "./notices.js";
import { offering } from "./offering.js";
import { operating } from "./operating.js";
import { $, $$, say } from "./page.js";
import { picking } from "./picking.js";
import { pieces } from "./pieces.js";
import { reshaping } from "./reshaping.js";
import { EMPTY, isEmpty, ofUnit, sameBody, ungrown } from "./rings.js";
import { saving } from "./saving.js";
import { settling } from "./settling.js";
import { showing } from "./showing.js";
import { sketch as sketched } from "./sketch.js";
import { Outlines } from "./snap.js";
import { stepping } from "./stepping.js";
import { Steps } from "./steps.js";
import { tracing } from "./tracing.js";
import { verdict as verdicts } from "./verdict.js";

const HINTS = { pick: "hintPick", box: "hintBox", draw: "hintDraw", split: "hintSplit", cut: "hintCut", merge: "hintMerge", edge: "hintEdge" };
const CHANGING = ["split", "cut", "merge", "edge"];  // tools that change what is there

// `desk` = {map, painted, told, refreshed, measure, look}; its onPick, onAddress, onFound and onMeasure are set here.
export function compose(desk) {
  const { map } = desk, draw = desk.told.draw, container = map.getContainer();
  const panel = $("#compose"), view = $("#compose-view"), opener = $("#compose-open"), name = $("#compose-name");
  const board = noticeBoard($("#compose-notices"));
  const store = keeping(panel.dataset.user, { server: draw.kept, arrived: () => { if (!work.active) offers.offer(); }, silent: (trouble) => ends.unheard(trouble) });

  // What all parts of the tool look at: the steps, the unit that is edited (or null), the server's latest answer.
  const work = {
    active: false, tool: "pick", steps: new Steps(EMPTY), unit: null, district: null, confirmed: new Set(), answered: null, begun: null,
    session: 0,      // another number with every composition that begins or ends
    resumed: false,  // what is worked at was not saved before, so it is never without changes
  };
  let looking = false;  // the next answer is brought into view
  const now = () => work.steps.now;

  tell.plain = tellPlain;
  const { commit, amend, undo, redo, theirs } = stepping(work, { name, board, sketch: () => sketch, operations: () => operations, redrawn, tell });
  const outlines = new Outlines(map, draw.outlines, (state) => { container.dataset.outlines = state; tellHint(); });
  const snapped = (latlng, free = false, wide = false) => outlines.at(latlng, free, wide);
  snapped.isCorner = (corner) => outlines.isCorner(corner);
  const sketch = sketched(map, { steps: now, snapped, dropped: (...corner) => drawn.dropped(...corner), finish: () => drawn.close(), told: tell });
  const verdict = verdicts(map, sketch.renderer, { confirmed: work.confirmed, changed: () => { saver.tellReason(); keep(); } });
  const asking = inquiry(work, { address: draw.compose, verdict, sketch, board, heard });
  const bringIntoView = () => { looking = true; };
  const picker = picking(map, work, { address: draw.pick, painted: desk.painted, board, commit, tell, bringIntoView });
  const units = showing(desk, work, { draw, renderer: sketch.renderer, shown, edit, opened: () => leases.shown() });
  const leases = unitLeases(map, draw.leases, { opened: () => units.code });

  // --- what draws and changes the shape
  const settler = settling(map, work, { address: draw.snap, amend, sketch });
  const tracer = tracing(map, work, { address: draw.trace, amend, commit, settler, sketch, tell });
  const operations = operating(work, { address: draw.reshapeUnits, board, done: (...what) => { edge.forget(); return ends.operated(...what); }, refused: (...what) => ends.operationRefused(...what), tell });
  const shapes = reshaping(work, {
    addresses: draw, asking, board, commit, saved: savedUnit, promise: operations.promise, parcelAt: picker.parcelAt, unitAt: units.unitAt, beside: (unit) => edge.beside(unit), found: foundUnit, use, tell,
  });
  const drawn = drawing(map, work, { sketch, snapped, settler, tracer, asking, ends: shapes, commit, use, tell });
  const edge = edging(map, work, { addresses: draw, sketch, snapped, settler, board, commit, saved: savedUnit, body: shapes.body, promise: operations.promise, promised: operations.of, tell });
  const aside = pieces(map, { take: shapes.take, merge: shapes.mergePiece, drop: shapes.drop });
  const list = cornerList(map, { now, isCorner: snapped.isCorner, choose: sketch.choose, commit });
  const brought = bringing(work, { addresses: draw, panel, settler, board, commit, point: (at) => { drawn.add({ at, kind: null, code: null, from: null }); list.see(at); }, bringIntoView, tell });

  const ends = ending(work, { desk, store, board, asking, editing, stop, keep, offer: () => offers.offer(), opened: units.open, tell });
  const saver = saving(work, { draw, inquiry: asking, verdict, board, finish: drawn.finish, theirs, tell: tellPlain, keep, map, asNew: ends.asNew, done: ends.saved, stay: ends.stay, late: ends.late });
  const letters = {
    v: () => use("pick"), b: () => use("box"), d: () => choose("draw"), s: () => choose("split"), c: () => choose("cut"), m: () => choose("merge"), e: () => choose("edge"),
    t: () => tracer.toggle(), o: () => tracer.otherWay(), g: () => brought.typed(), f: () => brought.choose(),
    l: () => $("#tool-length").click(), a: () => $("#tool-area").click(),
  };
  const keys = hands(map, work, {
    sketch, edge, outlines, snapped, measuring: () => desk.measure?.active, letters,
    does: { ...picker, ...drawn, mergeAt: shapes.mergeAt, use, leave: askToLeave, undo, redo, tell },
  });
  const help = helping(work, $("#compose-keys"));
  const offers = offering(work, { store, opener, start: (kept) => {
    looking = true;
    const { how } = kept.now, begun = start({ of: kept.unit, begun: { ...EMPTY, ...kept.now }, called: kept.name, tool: how === "drawn" ? "draw" : "pick", kept });
    looking = begun;
    return begun;
  } });

  // --- in and out of the mode

  function start({ of = null, begun = EMPTY, called = "", tool = "pick", kept = null }) {
    if (work.active || !store.begin(kept?.id)) return false;
    desk.measure?.stop();
    units.hide();
    $("#patch-note")?.setAttribute("hidden", "");
    offers.hide();
    operations.begun();
    brought.begun();
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
    aside.show();
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
    if (of) leases.hold(of); else leases.leave();
    $("#compose-title").textContent = of ? say("composeEdit", { code: of.code }) : say("composeNew");
  }

  function stop() {
    work.active = false;
    work.session++;
    desk.measure?.stop();
    store.end();
    leases.leave();
    saver.left();
    asking.stop();
    sketch.draw(false);
    edge.use(false);
    edge.forget();
    for (const one of [sketch, verdict, keys, aside, help]) one.hide();
    for (const one of [outlines, picker, tracer]) one.stop();
    container.classList.remove("boxing", "picking", "merging");
    for (const one of [map.boxZoom, map.keyboard]) one.enable();
    shown(null);
    offers.offer();
  }

  // Leave for the list, or for the unit that was edited.
  function leave() {
    const of = work.unit;
    store.forget();
    stop();
    if (of) units.open(of.code); else opener.focus();
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

  // `same`: to the server nothing is new, and what it has answered stands.
  function redrawn(pause, same = false) {
    const current = now(), isDrawn = current.how === "drawn";
    if (isDrawn) board.notice("replaced", null);
    keys.stepped();
    sketch.paint();
    picker.fill();
    list.fill();
    aside.fill(current);
    operations.fill();
    edge.fill();
    $("#compose-parcels").hidden = isDrawn;
    $("#compose-corners").hidden = !isDrawn && !(work.tool in WAYS);
    $("#compose-reshape").hidden = isDrawn || !current.parcels.length;
    $("#compose-undo").disabled = !work.steps.past.length;
    $("#compose-redo").disabled = !work.steps.future.length;
    if (same && work.answered) work.answered.about = current; else asking.ask(pause);
    keep();
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
    if (now().growing.length && now().way !== (WAYS[tool] ?? now().way)) commit(ungrown(now()));
    for (const one of $$("[data-tool]", view)) one.setAttribute("aria-pressed", String(one.dataset.tool === tool));
    for (const [name, of] of [["picking", "pick"], ["boxing", "box"], ["merging", "merge"]]) container.classList.toggle(name, tool === of);
    keys.used();
    sketch.draw(tool in WAYS, tool === "draw");
    edge.use(tool === "edge");
    if (tool in WAYS || tool === "edge") drawn.closeTo();
    $("#compose-corners").hidden = !(tool in WAYS) && now().how !== "drawn";
    list.fill();
    tellHint();
    if (aloud) tell(HINTS[tool]);
  }

  // A tool by its button or key: what is united is drawn on by its corners, and nothing is changed before there is something.
  function choose(tool) {
    const changes = CHANGING.includes(tool);
    if (changes && !now().way && now().growing.length > 2) drawn.finish();
    if (tool === "draw" && now().parcels.length) drawn.reshape();
    else if (changes && isEmpty(now())) tell("nothingToChange");
    else use(tool);
  }

  const intoView = (bounds) => { if (!map.getBounds().contains(bounds)) map.fitBounds(bounds, { animate: false, padding: [40, 40], maxZoom: 18 }); };

  // The unit that is edited, while what is composed is what is saved; null otherwise.
  function savedUnit() {
    const [begun, called] = work.begun, same = name.value === called && !now().aside.length && sameBody(ungrown(now()), ungrown(begun));
    return work.unit && same && !work.resumed && draw.reshapeUnits ? { code: work.unit.code, version: work.unit.version } : null;
  }

  async function foundUnit(code) {
    try {
      return await askJson(draw.unit.replace("CODE", encodeURIComponent(code)));
    } catch (trouble) {
      tellPlain(trouble.message);
      return null;
    }
  }

  // --- clicks on the map, and addresses

  desk.onPick = (event) => {
    if (!work.active) return units.pick(event.latlng);
    if (sketch.handled || edge.handled || picker.boxed) return true;
    container.focus({ preventScroll: true });
    const { altKey, shiftKey } = event.originalEvent ?? {};
    if (work.tool in WAYS) drawn.putAt(event.latlng, altKey, sketch.wide);
    else if (work.tool === "merge") shapes.mergeAt(event.latlng);
    else if (work.tool === "pick" && !shiftKey) picker.pickAt(event.latlng);
    return true;
  };
  map.on("dblclick", () => { if (work.active && work.tool in WAYS && now().growing.length > (now().way === "split" ? 1 : 2)) drawn.finish(); });

  desk.onMeasure = () => { if (work.active && work.tool !== "pick") use("pick", false); };

  // --- units

  function edit(found) {
    const begun = ofUnit(found), { code, version, edition, district } = found;
    start({ of: { code, version, edition, district }, begun, called: found.name, tool: begun.how === "drawn" ? "draw" : "pick" });
    intoView(L.geoJSON(found.geometry).getBounds());
  }

  // --- words

  function tell(word, values = {}) { tellPlain(say(word, values)); }
  function tellPlain(sentence) { $("#compose-status").textContent = sentence; }

  function tellHint() {
    const words = { far: "closerForCorner", missing: "outlinesMissing", ready: "outlinesReady" };
    $("#compose-snapping").textContent = work.tool in WAYS ? say(words[container.dataset.outlines] ?? "outlinesLoading") : "";
  }

  // --- the panel's buttons

  container.parentElement.append(opener, $("#compose-resume"), $("#compose-reshaped"));
  opener.hidden = false;
  const clicked = {
    "#compose-open": () => start({}), "#compose-undo": undo, "#compose-redo": redo, "#compose-finish": drawn.finish, "#compose-drop": drawn.cancelGrowing,
    "#compose-remove-corner": drawn.removeCorner, "#compose-reshape": drawn.reshape, "#compose-leave": askToLeave, "#compose-discard": leave,
    "#compose-stay": () => { leaving(false); $("#compose-title").focus(); },
  };
  for (const [button, does] of Object.entries(clicked)) $(button).addEventListener("click", () => does());
  for (const one of $$("[data-tool]", view)) {
    one.addEventListener("click", () => choose(one.dataset.tool));
    one.hidden = CHANGING.includes(one.dataset.tool) && !draw.reshape;
  }
  // Where something is promised to saved units, to save is to do it.
  $("#compose-form").addEventListener("submit", (event) => {
    if (!operations.of() || operations.of().op === "split") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    operations.run();
  }, true);
  $("#compose-district").addEventListener("change", (event) => { work.district = event.target.value; asking.ask(0); });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !work.active || event.defaultPrevented) return;
    if (!$("#compose-leaving").hidden) clicked["#compose-stay"](); else if (!event.target.matches("input, textarea, select")) keys.escape();
  });
  window.addEventListener("beforeunload", (event) => { if (work.active && changed()) { keep(); event.preventDefault(); } });
  offers.offer();
}
