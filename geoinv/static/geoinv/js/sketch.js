// What is composed, on the map: its outline, its corners, and the hand that puts and drags them.
import { CLOSE_ENOUGH } from "./snap.js";
import { cornerAt, corners, inserted, moved, same } from "./rings.js";

const REACH = { mouse: 9, pen: 12, touch: 20 };  // screen pixels around a corner that are taken for it
const ROOM = 34;   // screen pixels that an edge must have for a handle in its middle
const MANY = 1500; // corners in view beyond which none is shown; one zooms in

// `steps()` gives the state, `snapped(latlng, free)` the place a corner would take, `commit(next, said)` makes a step.
export function sketch(map, { steps, snapped, commit, finish, told }) {
  const container = map.getContainer();
  map.createPane("compose").style.zIndex = 450;
  const renderer = L.svg({ pane: "compose", padding: 0.4 });
  const quiet = { renderer, pane: "compose", interactive: false };
  const shapes = L.layerGroup(), hand = L.layerGroup(), dots = L.layerGroup();
  let drawing = false, geometry = null, stale = false, drag = null, handled = false, chosen = null, lifted = null, ghost = null;

  // --- painting

  function paint() {
    shapes.clearLayers();
    const now = drag?.preview ?? lifted?.preview ?? steps();
    const body = now.how === "drawn" ? now.shape : geometry && polygons(geometry);
    if (body?.length) {
      const classes = `compose-body${stale && now.how !== "drawn" ? " stale" : ""}`;
      L.polygon(turned(body), { ...quiet, className: `${classes} compose-halo`, fill: false }).addTo(shapes);
      L.polygon(turned(body), { ...quiet, className: classes }).addTo(shapes);
    }
    if (now.growing.length > 1) L.polyline(now.growing.map(turn), { ...quiet, className: "compose-line" }).addTo(shapes);
    if (now.growing.length > 2) L.polygon(now.growing.map(turn), { ...quiet, className: "compose-growing", stroke: false }).addTo(shapes);
    paintDots(now);
  }

  function paintDots(now = drag?.preview ?? lifted?.preview ?? steps()) {
    dots.clearLayers();
    if (!drawing || map.getZoom() < CLOSE_ENOUGH - 2) return;
    const view = map.getBounds().pad(0.05), held = drag?.where ?? lifted?.where ?? chosen;
    const seen = corners(now).filter(([, corner]) => view.contains(turn(corner)));
    if (seen.length > MANY) return;
    for (const [where, corner] of seen) {
      if (now.growing.length && where[0] !== "growing") continue;
      const marks = ["compose-corner"];
      if (snapped.isCorner(corner)) marks.push("on-corner");
      if (held && String(held) === String(where)) marks.push("chosen");
      if (where[0] === "growing" && where[1] === 0 && now.growing.length > 2) marks.push("first");
      L.circleMarker(turn(corner), { ...quiet, radius: marks.includes("first") ? 7 : 5, className: marks.join(" ") }).addTo(dots);
    }
    if (!now.growing.length) for (const { at } of middles(now)) L.circleMarker(turn(at), { ...quiet, radius: 3, className: "compose-middle" }).addTo(dots);
  }

  // Where a corner would be put now, with the lines that it would make.
  function point(place) {
    hand.clearLayers();
    ghost = place;
    if (!place || !drawing) return;
    const now = steps();
    if (now.growing.length && !drag && !lifted) {
      const ends = now.growing.length > 1 ? [now.growing.at(-1), place.at, now.growing[0]] : [now.growing[0], place.at];
      L.polyline(ends.map(turn), { ...quiet, className: "compose-rubber" }).addTo(hand);
    }
    L.circleMarker(turn(place.at), { ...quiet, radius: place.kind === "corner" ? 8 : 6, className: `compose-ghost ${place.kind ?? "free"}` }).addTo(hand);
  }

  // --- finding corners under the hand

  function near(latlng, reach) {
    const here = map.latLngToContainerPoint(latlng);
    let best = null, least = reach;
    const now = steps();
    for (const [where, corner] of corners(now)) {
      if (now.growing.length && where[0] !== "growing") continue;
      const away = map.latLngToContainerPoint(turn(corner)).distanceTo(here);
      if (away <= least) { least = away; best = where; }
    }
    return best;
  }

  function nearMiddle(latlng, reach) {
    const now = steps();
    if (now.growing.length) return null;
    const here = map.latLngToContainerPoint(latlng);
    return middles(now).find(({ at }) => map.latLngToContainerPoint(turn(at)).distanceTo(here) <= reach) ?? null;
  }

  function middles(now) {
    const found = [], view = map.getBounds();
    now.shape.forEach((polygon, p) => polygon.forEach((ring, r) => ring.forEach((a, i) => {
      const b = ring[(i + 1) % ring.length], at = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      if (!view.contains(turn(at))) return;
      if (map.latLngToContainerPoint(turn(a)).distanceTo(map.latLngToContainerPoint(turn(b))) >= ROOM) found.push({ at, where: [p, r, i + 1] });
    })));
    return found.length > MANY ? [] : found;
  }

  // --- the pointer: a corner that is pressed is dragged; anything else is left to the map

  function down(event) {
    handled = false;
    if (!drawing || event.button || event.shiftKey || !event.isPrimary || map.getZoom() < CLOSE_ENOUGH - 2) return;
    if (event.target.closest(".leaflet-control")) return;
    const latlng = map.mouseEventToLatLng(event), reach = REACH[event.pointerType] ?? REACH.mouse;
    const corner = near(latlng, reach), middle = corner ? null : nearMiddle(latlng, reach);
    if (!corner && !middle) return;
    map.dragging.disable();
    drag = { where: corner ?? middle.where, base: middle ? inserted(steps(), middle.where, middle.at) : steps(), from: [event.clientX, event.clientY], preview: null };
    handled = true;
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", let_go);
  }

  function move(event) {
    if (!drag.preview && Math.hypot(event.clientX - drag.from[0], event.clientY - drag.from[1]) < 4) return;
    const place = snapped(map.mouseEventToLatLng(event), event.altKey, drag.where);
    drag.preview = moved(drag.base, drag.where, place.at);
    point(place);
    paint();
  }

  function up() {
    const { where, preview, base } = drag;
    let_go();
    if (preview) {
      chosen = where;
      commit(preview, "composeMoved");
    } else if (base !== steps()) {
      chosen = where;
      commit(base, "composeInserted");
    } else if (where[0] === "growing" && where[1] === 0 && base.growing.length > 2) {
      finish();
    } else {
      chosen = chosen && String(chosen) === String(where) ? null : where;
      if (chosen) told("composeChosenCorner");
      paintDots();
    }
  }

  function let_go() {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", let_go);
    drag = null;
    map.dragging.enable();
    point(null);
    paint();
  }

  function hover(event) {
    if (!drawing || drag) return;
    const latlng = event.latlng, corner = near(latlng, REACH.mouse);
    container.classList.toggle("over-corner", Boolean(corner || nearMiddle(latlng, REACH.mouse)));
    point(corner ? null : snapped(latlng, event.originalEvent.altKey));
  }

  container.addEventListener("pointerdown", down, true);
  map.on("mousemove", hover);
  map.on("mouseout", () => { if (!lifted) point(null); });
  map.on("moveend", () => { if (drawing) paintDots(); });

  return {
    renderer, paint, point, near,
    get drawing() { return drawing; },
    get handled() { return handled; },     // the click that follows belongs to a corner, not to the map
    get chosen() { return chosen; },
    get lifted() { return lifted; },
    get ghost() { return ghost; },
    // Whatever is in the hand is let go: it was taken from a state that is about to be another.
    free() { lifted = null; if (drag) let_go(); },
    choose(where) { chosen = where; paintDots(); },
    show() { for (const one of [shapes, hand, dots]) one.addTo(map); },
    hide() { this.free(); geometry = null; stale = false; drawing = false; chosen = null; lifted = null; for (const one of [shapes, hand, dots]) { one.clearLayers(); one.remove(); } },
    draw(yes) {
      drawing = yes;
      if (!yes) { chosen = null; lifted = null; container.classList.remove("over-corner"); point(null); }
      map.doubleClickZoom[yes ? "disable" : "enable"]();
      container.classList.toggle("drawing", yes);
      paint();
    },
    answered(shape) { geometry = shape; stale = false; paint(); },
    waiting() { stale = true; paint(); },
    // The keyboard's way to drag: a corner is lifted, follows the crosshair, and is put down.
    lift(where) { lifted = { where, preview: null }; chosen = where; paint(); },
    carry(place) { lifted.preview = moved(steps(), lifted.where, place.at); paint(); },
    drop(keep) {
      if (!lifted) return;
      const { where, preview } = lifted;
      lifted = null;
      if (keep && preview && !same(cornerAt(preview, where), cornerAt(steps(), where))) commit(preview, "composeMoved"); else paint();
    },
  };
}

const turn = ([lng, lat]) => [lat, lng];
const turned = (body) => body.map((polygon) => polygon.map((ring) => ring.map(turn)));
const polygons = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);
