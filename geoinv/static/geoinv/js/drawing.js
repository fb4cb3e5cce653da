// Draw: put corners by the hand or by their numbers, end what grows, take corners away, come close enough to see them.
import * as geodesy from "./geodesy.js";
import { metres } from "./page.js";
import { cornerAt, corners, finished, ofGeometry, overlapsItself, put, same, ungrown, without } from "./rings.js";
import { CLOSE_ENOUGH } from "./snap.js";

const NEAR = 10, TWICE = 3;  // screen pixels: from the first corner, which closes the shape; between two presses of a double click
const FINGER = 24;           // screen pixels, of a finger
export const WAYS = { draw: "", split: "split", cut: "cut" };  // tool → what its corners are for

// `ends` = {split(line), cut(ring)}: what becomes of a line or ring that is finished.
export function drawing(map, work, { sketch, snapped, settler, tracer, asking, ends, commit, use, tell }) {
  const now = () => work.steps.now, way = () => WAYS[work.tool] ?? "";

  function putAt(latlng, free = false, wide = false) {
    if (map.getZoom() < CLOSE_ENOUGH) { tell("closerForCorner"); return; }
    const { growing } = now(), place = { ...snapped(latlng, free, wide), from: latlng, free };
    const on = (corner, reach) => same(place.at, corner) || (place.kind !== "corner" && onScreen(corner, latlng) < reach);
    if (way() !== "split" && growing.length > 2 && on(growing[0], wide ? FINGER : NEAR)) { close(free); return; }
    if (growing.length && on(growing.at(-1), TWICE)) { if (way() === "split" && wide && growing.length > 1) finish(); return; }
    add(place);
  }

  // A press on the first corner: while one traces, the last line follows the parcels, too.
  async function close(free = false) {
    const about = now(), { growing } = about;
    const more = tracer.on && !free && about.way !== "split" ? await tracer.closing(growing.at(-1), growing[0]) : [];
    if (now() !== about) return;
    if (more.length) commit({ ...about, growing: [...growing, ...more] });
    finish();
  }

  function add(place) {
    const before = now().growing.at(-1), number = now().growing.length + 1;
    const away = place.from ? geodesy.distance(place.from, latLng(place.at)) : 0;
    commit(put(now(), place.at, way()), `put-${place.kind ?? "free"}`, { number, code: place.code, metres: metres(away) });
    settler.settle(place, ({ kind, code, metres: moved }) => { if (kind && !tracer.on) tell(`put-${kind}`, { number, code, metres: moved }); });
    if (before && tracer.on && !place.free) tracer.follow(before, place.at);
  }

  // A corner that was dragged, or inserted where an edge was pressed; `place` is null when it was only inserted.
  function dropped(next, said, where, place) {
    commit(next, said);
    const at = cornerAt(next, where);
    settler.settle(place?.at === at ? place : { at, kind: null, code: null, from: null, free: place?.free }, ({ kind, code, metres: moved }) => {
      if (kind) tell(`moved-${kind}`, { code, metres: moved });
    });
  }

  const onScreen = ([lng, lat], latlng) => map.latLngToContainerPoint([lat, lng]).distanceTo(map.latLngToContainerPoint(latlng));

  function finish() {
    const { growing } = now(), number = growing.length;
    if (now().way === "split" ? number < 2 : number < 3) { tell(now().way === "split" ? "twoCorners" : "threeCorners"); return; }
    sketch.point(null);
    if (now().way) { ends[now().way](growing); return; }
    const overlapping = overlapsItself(now()), done = finished(now());
    commit(done, overlapping ? "finishedOver" : done.shape.length === now().shape.length ? "finishedHole" : "finished", { number });
  }

  function cancelGrowing() {
    sketch.point(null);
    commit(ungrown(now()), "cancelled");
  }

  function removeCorner() {
    const where = sketch.chosen, { growing } = now();
    if (!where && !growing.length) { tell("chooseCorner"); return; }
    sketch.choose(null);
    if (where) commit(without(now(), where), "cornerGone");
    else commit(growing.length > 1 ? { ...now(), growing: growing.slice(0, -1) } : ungrown(now()), "cornerGone");
  }

  // Close enough to draw: at the shape where there is one, else where one looks.
  function closeTo() {
    const places = corners(now()).map(([, [lng, lat]]) => [lat, lng]), bounds = places.length ? L.latLngBounds(places) : null;
    const far = map.getZoom() < CLOSE_ENOUGH;
    if (bounds && (far || !map.getBounds().intersects(bounds))) {
      map.setView(bounds.getCenter(), Math.min(Math.max(map.getBoundsZoom(bounds.pad(0.1)), CLOSE_ENOUGH), 18), { animate: false });
    } else if (far) map.setZoom(CLOSE_ENOUGH, { animate: false });
  }

  // The united outline becomes a drawing whose corners can be moved; the server's own numbers, no tile's.
  async function reshape() {
    const about = now();
    if (work.answered?.about !== about) await asking.now();
    const geometry = work.answered?.about === about && now() === about && work.answered.answer.geometry;
    if (!geometry) { tell("noOutline"); return; }
    commit(ofGeometry(geometry), "reshaped", { count: about.parcels.length });
    use("draw", false);
  }

  return { add, cancelGrowing, close, closeTo, dropped, finish, putAt, removeCorner, reshape };
}

const latLng = ([lng, lat]) => ({ lat, lng });
