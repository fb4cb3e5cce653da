// Move an edge or a corner that two shapes share, for both at once: what one loses the other gains.
// The shapes are what is drawn and the pieces set aside from it, or a saved draft and the drafts beside it.
import { askJson } from "./asking.js";
import * as geodesy from "./geodesy.js";
import { metres } from "./page.js";
import { EMPTY, fromGeoJson, geoJson, same } from "./rings.js";
import { CLOSE_ENOUGH, pixels } from "./snap.js";
import { send } from "./sending.js";

const REACH = { mouse: 10, pen: 12, touch: 22 };  // screen pixels around a handle
const ON = 5e-8;   // degrees, half a centimetre: so near an edge a corner lies on it
const MANY = 800;  // handles in view beyond which none is shown; one zooms in

export function edging(map, work, { addresses, sketch, snapped, settler, board, commit, saved, body, promise, promised, tell }) {
  const container = map.getContainer(), { renderer } = sketch;
  const quiet = { renderer, pane: "compose", interactive: false }, painted = L.layerGroup(), hand = L.layerGroup();
  let on = false, groups = [], handles = [], held = null, handled = false, turn = 0, beside = { key: "", units: [] };

  // --- what can be moved

  async function fill() {
    if (!on) return;
    const mine = ++turn, session = work.session, unit = saved(), now = work.steps.now;
    const geometry = await body(), others = unit ? await neighbours(unit) : now.aside.map((shape) => ({ shape }));
    if (mine !== turn || session !== work.session || !on) return;
    groups = geometry ? [{ shape: fromGeoJson(geometry), unit }, ...others] : [];
    handles = unit || now.aside.length || now.shape.length > 1 ? shared(groups) : [];
    paint();
    container.dataset.handles = String(handles.length);
    if (!handles.length && !promised()) tell(!unit && !now.aside.length ? "saveForEdge" : "noSharedEdge");
  }

  async function neighbours(unit) {
    const key = `${unit.code} ${unit.version}`;
    if (beside.key === key) return beside.units;
    try {
      const { units } = await askJson(`${addresses.neighbours}?${new URLSearchParams({ district: work.district, unit: unit.code })}`);
      beside = { key, units: units.map((one) => ({ shape: fromGeoJson(one.geometry), unit: { code: one.code, version: one.version }, name: one.name })) };
      return beside.units;
    } catch (trouble) {
      tell.plain(trouble.message);
      return [];
    }
  }

  // --- on the map

  function paint() {
    painted.clearLayers();
    hand.clearLayers();
    if (!on) return;
    const others = promised()?.preview ?? groups.slice(1).map((one) => one.shape);
    for (const shape of held?.preview?.slice(1) ?? others) L.polygon(outline(shape), { ...quiet, className: "compose-aside" }).addTo(painted);
    if (promised() || map.getZoom() < CLOSE_ENOUGH - 2) return;
    const seen = handles.filter((one) => map.getBounds().contains(swapped(one.at)));
    if (seen.length > MANY) return;
    for (const one of seen.filter((two) => two.edge.length > 1)) L.polyline(one.edge.map(swapped), { ...quiet, className: "shared-edge" }).addTo(painted);
    for (const one of seen) L.circleMarker(swapped(one.at), { ...quiet, radius: one.edge.length > 1 ? 4 : 6, className: `shared-handle${held?.handle === one ? " chosen" : ""}` }).addTo(painted);
    if (held?.to) {
      L.polyline([...held.handle.edge, ...[...held.to].reverse(), held.handle.edge[0]].map(swapped), { ...quiet, className: "compose-rubber" }).addTo(hand);
      for (const one of held.to) L.circleMarker(swapped(one), { ...quiet, radius: 6, className: "compose-ghost corner" }).addTo(hand);
      if (held.preview?.[0]) L.polygon(outline(held.preview[0]), { ...quiet, className: "compose-line", fill: false }).addTo(hand);
    }
  }

  function near(latlng, reach) {
    const here = map.latLngToContainerPoint(latlng), away = (one) => map.latLngToContainerPoint(swapped(one.at)).distanceTo(here);
    return handles.filter((one) => away(one) <= reach).sort((a, b) => away(a) - away(b) || a.edge.length - b.edge.length)[0] ?? null;
  }

  // --- taking, moving, letting go: the same for hand and keyboard

  function lift(handle, from) {
    held = { handle, from, to: null, preview: null };
    tell(handle.edge.length > 1 ? "edgeLifted" : "cornerLifted");
    paint();
  }

  function carry(latlng, free = false) {
    const { handle, from } = held;
    if (handle.edge.length === 1) {
      held.place = { ...snapped(latlng, free, sketch.wide), from: latlng, free };
      held.to = [held.place.at];
    } else held.to = handle.edge.map(([lng, lat]) => [lng + latlng.lng - from.lng, lat + latlng.lat - from.lat]);
    held.preview = groups.map((one) => replaced(one.shape, handle.edge, held.to));
    paint();
  }

  async function drop(keep = true) {
    if (!held) return;
    const { handle, to, place } = held, moved = to && to.some((one, i) => !same(one, handle.edge[i]));
    held = null;
    if (!keep || !moved) { paint(); if (!keep) tell("putBack"); return; }
    const about = work.steps.now, session = work.session, mine = groups, unit = saved();
    tell("asking");
    try {
      if (place) to[0] = await settler.settle(place);
      const question = { op: "move_edge", edge: handle.edge, to };
      const answer = await send("POST", addresses.reshape, { district: work.district, geometries: mine.map((one) => geoJson(one.shape)), ...question });
      board.reached();
      if (session !== work.session || about !== work.steps.now) { tell("changedMeanwhile"); return; }
      took(answer, question, mine, unit);
    } catch (trouble) {
      if (session !== work.session) return;
      if (trouble.unreachable || trouble.signedOut) board.unreached(trouble);
      tell.plain(trouble.message);
      paint();
    }
  }

  function took(answer, question, before, unit) {
    const [first, ...others] = answer.pieces.map((one) => fromGeoJson(one.geometry)), now = work.steps.now;
    const next = { ...EMPTY, how: "drawn", shape: first, aside: unit ? now.aside : others };
    const far = metres(geodesy.distance(latLng(question.edge[0]), latLng(question.to[0])));
    if (unit) {
      const touched = before.filter((one) => question.edge.some((corner) => lies(one.shape, corner)));
      promise(next, { ...question, units: touched.map((one) => one.unit), count: touched.length, preview: others });
    }
    commit(next, unit ? "edgeMovedSaved" : "edgeMoved", { metres: far });
  }

  // --- the pointer

  function down(event) {
    handled = false;
    if (!on || event.button || event.shiftKey || !event.isPrimary || event.target.closest(".leaflet-control")) return;
    const latlng = map.mouseEventToLatLng(event), handle = promised() ? null : near(latlng, REACH[event.pointerType] ?? REACH.mouse);
    if (!handle) return;
    handled = true;
    map.dragging.disable();
    lift(handle, latlng);
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", cancel);
  }

  function move(event) { if (held) carry(map.mouseEventToLatLng(event), event.altKey); }
  function up() { away(); drop(true); }
  function cancel() { away(); drop(false); }

  function away() {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", cancel);
    map.dragging.enable();
  }

  container.addEventListener("pointerdown", down, true);
  map.on("mousemove", ({ latlng }) => { if (on && !held) container.classList.toggle("over-corner", Boolean(near(latlng, REACH.mouse))); });
  map.on("moveend", () => { if (on) paint(); });

  return {
    fill, carry, beside: neighbours,
    get handled() { return handled; },
    get held() { return held; },
    get handles() { return handles; },
    // The keyboard's press: takes what is under the crosshair, or puts it down.
    press(latlng) {
      if (held) { drop(true); return; }
      const handle = promised() ? null : near(latlng, REACH.mouse);
      if (handle) lift(handle, L.latLng(swapped(handle.at))); else tell("noSharedEdge");
    },
    drop,
    use(yes) {
      if (yes === on) return;
      on = yes;
      held = null;
      for (const one of [painted, hand]) { if (on) one.addTo(map); else { one.clearLayers(); one.remove(); } }
      if (on) fill(); else { turn++; handles = groups = []; container.classList.remove("over-corner"); }
    },
    forget() { beside = { key: "", units: [] }; },
  };
}

// The corners that two polygons share, and the edges between two such: [{edge: [corner] or [corner, corner], at}].
function shared(groups) {
  const polygons = groups.flatMap((group) => group.shape.map((polygon) => [polygon])), found = new Map();
  const common = (corner) => polygons.filter((one) => lies(one, corner)).length > 1;
  for (const [polygon] of polygons) {
    for (const ring of polygon) {
      const both = ring.map(common);
      ring.forEach((a, i) => {
        const b = ring[(i + 1) % ring.length], middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
        if (both[i]) found.set(String(a), { edge: [a], at: a });
        if (!both[i] || !both[(i + 1) % ring.length] || !common(middle)) return;
        const key = [String(a), String(b)].sort().join(" ");
        if (!found.has(key)) found.set(key, { edge: [a, b], at: middle });
      });
    }
  }
  return [...found.values()];
}

// Whether a corner lies on an edge of the shape, to the half centimetre.
function lies(shape, [x, y]) {
  const { wide, high } = pixels(0, y), squash = wide / high;  // degrees of longitude are shorter than those of latitude
  return shape.some((polygon) => polygon.some((ring) => ring.some((a, i) => {
    const b = ring[(i + 1) % ring.length];
    if (x < Math.min(a[0], b[0]) - ON || x > Math.max(a[0], b[0]) + ON || y < Math.min(a[1], b[1]) - ON || y > Math.max(a[1], b[1]) + ON) return false;
    const dx = (b[0] - a[0]) * squash, dy = b[1] - a[1], long = dx * dx + dy * dy;
    const along = long ? Math.max(0, Math.min(1, ((x - a[0]) * squash * dx + (y - a[1]) * dy) / long)) : 0;
    return Math.hypot((x - a[0]) * squash - along * dx, y - a[1] - along * dy) <= ON;
  })));
}

const replaced = (shape, edge, to) => shape.map((polygon) => polygon.map((ring) => ring.map((corner) => {
  const i = edge.findIndex((one) => same(one, corner));
  return i < 0 ? corner : to[i];
})));

const swapped = ([lng, lat]) => [lat, lng];
const latLng = ([lng, lat]) => ({ lat, lng });
const outline = (shape) => shape.map((polygon) => polygon.map((ring) => ring.map(swapped)));
