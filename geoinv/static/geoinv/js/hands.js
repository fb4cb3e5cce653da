// Compose with the keyboard: a crosshair on the map does what a click does, and hops from corner to corner.
import { crosshair } from "./crosshair.js";
import { WAYS } from "./drawing.js";
import { corners, same } from "./rings.js";

const NEAR = 10;  // screen pixels from a corner that count as on it

// `does` = {pickAt, putAt, addBox, mergeAt, finish, removeCorner, cancelGrowing, use, leave, undo, redo, tell}, `letters` =
// {key: what it does}. While one measures, `measuring()`, the keys are the measure's.
export function hands(map, work, { sketch, edge, outlines, snapped, does, letters, measuring }) {
  const container = map.getContainer(), now = () => work.steps.now, { tell } = does, drawing = () => work.tool in WAYS;
  const cross = crosshair(map, crossed);
  let hops = [], hop = -1, anchor = null;

  function crossed(latlng) {
    hops = [];
    if (edge.held) { edge.carry(latlng); return; }
    const place = drawing() ? snapped(latlng) : null;
    if (sketch.lifted) sketch.carry(place, latlng);
    sketch.point(place, latlng);
    if (place?.kind) tell(`over-${place.kind}`, { code: place.code });
  }

  function press(latlng) {
    if (work.tool === "pick") does.pickAt(latlng);
    else if (work.tool === "box") pressBox(latlng);
    else if (work.tool === "merge") does.mergeAt(latlng);
    else if (work.tool === "edge") edge.press(latlng);
    else if (sketch.lifted) sketch.drop(true);
    else {
      const corner = now().growing.length || work.tool !== "draw" ? null : sketch.near(latlng, NEAR);
      if (corner) { sketch.lift(corner); tell("lifted"); } else does.putAt(latlng);
    }
  }

  function pressBox(latlng) {
    if (!anchor) { anchor = latlng; tell("boxAnchor"); return; }
    const bounds = L.latLngBounds(anchor, latlng);
    anchor = null;
    does.addBox(bounds);
  }

  // From one corner to the next: of the parcels while one draws, of the drawing otherwise; or from one shared edge on.
  function hopOn(way) {
    if (!hops.length) {
      const own = work.tool === "draw" && !now().growing.length && !sketch.lifted ? corners(now()) : [];
      const put = now().growing.slice(1);  // the first stays: on it the shape is closed
      hops = work.tool === "edge" && !edge.held ? edge.handles.map(({ at }) => ({ at, kind: "shared" }))
        : own.length ? own.map(([, at]) => ({ at, kind: "own" }))
        : outlines.cornersAround(cross.shown ? cross.at : map.getCenter()).filter((one) => !put.some((corner) => same(corner, one.at)));
      hop = way > 0 ? -1 : 0;
    }
    if (!hops.length) { tell("noCorners"); return; }
    hop = (hop + way + hops.length) % hops.length;
    const kept = hops, to = hops[hop];
    cross.go(L.latLng(to.at[1], to.at[0]));
    hops = kept;
    if (to.kind === "own") tell("ownCorner", { number: hop + 1, count: hops.length });
    if (to.kind === "shared") tell("sharedHandle", { number: hop + 1, count: hops.length });
  }

  // One thing at a time is taken back.
  function escape() {
    if (edge.held) edge.drop(false);
    else if (sketch.lifted) { sketch.drop(false); tell("putBack"); } else if (anchor) { anchor = null; tell("cancelled"); }
    else if (now().growing.length) does.cancelGrowing();
    else if (sketch.chosen) sketch.choose(null);
    else if (work.tool !== "pick") does.use("pick");
    else does.leave();
  }

  function enter() {
    if (!drawing()) press(cross.at); else if (sketch.lifted) sketch.drop(true); else does.finish();
  }

  function remove() {
    if (cross.shown && !now().growing.length) sketch.choose(sketch.near(cross.at, NEAR) ?? sketch.chosen);
    does.removeCorner();
  }

  const KEYS = {
    " ": () => { cross.show(); press(cross.at); }, Enter: enter, Escape: escape, Delete: remove, Backspace: remove,
    n: () => hopOn(1), p: () => hopOn(-1),
    "+": () => map.zoomIn(1, { animate: false }), "=": () => map.zoomIn(1, { animate: false }),
    "-": () => map.zoomOut(1, { animate: false }), _: () => map.zoomOut(1, { animate: false }),
    ...letters,
  };

  container.addEventListener("keydown", (event) => {
    if (!work.active || measuring() || event.target !== container || event.altKey) return;
    if (!cross.key(event)) {
      const act = event.ctrlKey || event.metaKey ? null : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      act();
    }
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (!work.active || measuring() || !(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) does.undo(); else if (key === "y" || (key === "z" && event.shiftKey)) does.redo(); else return;
    event.preventDefault();
  });

  map.on("mousemove", () => { if (cross.shown && work.active && !sketch.lifted && !edge.held) cross.hide(); });
  container.addEventListener("focus", () => { if (work.active && !measuring() && container.matches(":focus-visible")) cross.show(); });

  return { escape, hide: cross.hide, stepped() { hops = []; }, used() { anchor = null; } };
}
