// What is composed, on the map: its outline, its corners, and the hand that puts and drags them.
import * as geodesy from "./geodesy.js";
import { metres, say } from "./page.js";
import { cornerAt, corners, inserted, moved, same } from "./rings.js";
import { CLOSE_ENOUGH } from "./snap.js";

const REACH = { mouse: 9, pen: 12, touch: 20 };  // screen pixels around a corner that are taken for it
const ROOM = 34;   // screen pixels that an edge must have for a handle in its middle
const READ = 2600; // milliseconds for a few words beside a corner
const MANY = 1500; // corners in view beyond which none is shown; one zooms in

// `steps()` gives the state, `snapped(latlng, free, wide)` the place a corner would take; `dropped(next, said, where, place)`
// makes a step of a corner that was moved.
export function sketch(map, { steps, snapped, dropped, finish, told }) {
  const container = map.getContainer();
  map.createPane("compose").style.zIndex = 450;
  const renderer = L.svg({ pane: "compose", padding: 0.4 });
  const quiet = { renderer, pane: "compose", interactive: false };
  const shapes = L.layerGroup(), hand = L.layerGroup(), dots = L.layerGroup();
  const tag = L.tooltip({ permanent: true, direction: "right", offset: [12, -12], className: "compose-tag", interactive: false });
  const rubber = L.polyline([], { ...quiet, className: "compose-rubber" }), spot = L.circleMarker([0, 0], { ...quiet, className: "compose-ghost" });
  let drawing = false, shapeToo = true, geometry = null, stale = false, drag = null, handled = false, chosen = null, lifted = null, ghost = null, held = null, way = [];
  let pointer = "mouse", flashing = 0;

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
    for (const piece of now.aside) {
      L.polygon(turned(piece), { ...quiet, className: "compose-halo", fill: false }).addTo(shapes);
      L.polygon(turned(piece), { ...quiet, className: "compose-aside" }).addTo(shapes);
    }
    if (now.growing.length > 1) L.polyline(now.growing.map(turn), { ...quiet, className: `compose-line ${now.way}` }).addTo(shapes);
    if (now.growing.length > 2 && now.way !== "split") L.polygon(now.growing.map(turn), { ...quiet, className: "compose-growing", stroke: false }).addTo(shapes);
    paintDots(now);
  }

  function paintDots(now = drag?.preview ?? lifted?.preview ?? steps()) {
    dots.clearLayers();
    if (!drawing || map.getZoom() < CLOSE_ENOUGH - 2) return;
    const view = map.getBounds().pad(0.05), held = drag?.where ?? lifted?.where ?? chosen;
    const seen = corners(now).filter(([, corner]) => view.contains(turn(corner)));
    if (seen.length > MANY) return;
    for (const [where, corner] of seen) {
      if (!own(now, where)) continue;
      const marks = ["compose-corner"];
      if (snapped.isCorner(corner)) marks.push("on-corner");
      if (held && String(held) === String(where)) marks.push("chosen");
      if (where[0] === "growing" && where[1] === 0 && now.growing.length > 2 && now.way !== "split") marks.push("first");
      L.circleMarker(turn(corner), { ...quiet, radius: marks.includes("first") ? 7 : 5, className: marks.join(" ") }).addTo(dots);
    }
    if (!now.growing.length && shapeToo) for (const { at } of middles(now)) L.circleMarker(turn(at), { ...quiet, radius: 3, className: "compose-middle" }).addTo(dots);
  }

  // While something grows only its own corners are taken hold of, and never the shape's while one draws a line over it.
  const own = (now, where) => (now.growing.length || !shapeToo ? where[0] === "growing" : true);

  // Where a corner would be put now, with the lines that it would make, and in words how far from the hand it lies.
  // `from` is where the hand is, {lat, lng}.
  function point(place, from = null) {
    if (place !== ghost) way = [];
    [ghost, held] = [place, from];
    const now = steps(), shown = place && drawing, grows = shown && now.growing.length && !drag && !lifted;
    if (grows) {
      const back = now.growing.length > 1 && now.way !== "split" ? [now.growing[0]] : [];
      rubber.setLatLngs([now.growing.at(-1), ...way, place.at, ...back].map(turn));
    }
    keptIf(rubber, grows, `compose-rubber ${now.way}`);
    if (shown) spot.setLatLng(turn(place.at)).setRadius(place.kind === "corner" ? 8 : 6);
    keptIf(spot, shown, `compose-ghost ${place?.kind ?? "free"}`);
    if (flashing) return;
    const words = !shown || !from ? [] : [place.kind ? say(`tag-${place.kind}`, { metres: metres(geodesy.distance(from, latLng(place.at))) }) : null,
      grows ? say("tagSide", { metres: metres(geodesy.distance(latLng(now.growing.at(-1)), latLng(place.at))) }) : null].filter(Boolean);
    if (words.length) tag.setLatLng(turn(place.at)).setContent(words.join(say("comma"))).addTo(map); else tag.remove();
  }

  // The two that follow the hand are made once: to make them anew with each move costs more than all the rest.
  function keptIf(layer, yes, classes) {
    if (!yes) { hand.removeLayer(layer); return; }
    if (!hand.hasLayer(layer)) hand.addLayer(layer);
    layer.getElement()?.setAttribute("class", `${classes} leaflet-path`);
  }

  // What became of a corner, beside it, long enough to be read.
  function flash(at, words) {
    clearTimeout(flashing);
    tag.setLatLng(turn(at)).setContent(words).addTo(map);
    flashing = setTimeout(() => { flashing = 0; tag.remove(); }, READ);
  }

  // --- finding corners under the hand

  function near(latlng, reach) {
    const here = map.latLngToContainerPoint(latlng);
    let best = null, least = reach;
    const now = steps();
    for (const [where, corner] of corners(now)) {
      if (!own(now, where)) continue;
      const away = map.latLngToContainerPoint(turn(corner)).distanceTo(here);
      if (away <= least) { least = away; best = where; }
    }
    return best;
  }

  function nearMiddle(latlng, reach) {
    const now = steps();
    if (now.growing.length || !shapeToo) return null;
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
    pointer = event.pointerType;
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
    const from = map.mouseEventToLatLng(event), place = snapped(from, event.altKey, pointer === "touch");
    Object.assign(drag, { place: { ...place, from, free: event.altKey }, preview: moved(drag.base, drag.where, place.at) });
    point(place, from);
    paint();
  }

  function up() {
    const { where, preview, base, place } = drag;
    let_go();
    if (preview) {
      chosen = where;
      dropped(preview, "composeMoved", where, place);
    } else if (base !== steps()) {
      chosen = where;
      dropped(base, "composeInserted", where, null);
    } else if (closes(base, where)) {
      finish();
    } else {
      chosen = chosen && String(chosen) === String(where) ? null : where;
      if (chosen) told("composeChosenCorner");
      paintDots();
    }
  }

  const closes = (now, where) => where[0] === "growing" && (now.way === "split" ? where[1] === now.growing.length - 1 && where[1] > 0 : where[1] === 0 && now.growing.length > 2);

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
    point(corner ? null : snapped(latlng, event.originalEvent.altKey), latlng);
  }

  container.addEventListener("pointerdown", down, true);
  map.on("mousemove", hover);
  map.on("mouseout", () => { if (!lifted) point(null); });
  map.on("moveend", () => { if (drawing) paintDots(); });

  return {
    renderer, paint, point, near, flash,
    get wide() { return pointer === "touch"; },  // the hand is a finger
    // The way that the next line would take along the parcels.
    along(corners) { way = corners; if (ghost) point(ghost, held); },
    get drawing() { return drawing; },
    get handled() { return handled; },     // the click that follows belongs to a corner, not to the map
    // What was learned about a corner concerns what is in the hand, too.
    amend(change) {
      if (drag) Object.assign(drag, { base: change(drag.base), preview: drag.preview && change(drag.preview) });
      if (lifted?.preview) lifted.preview = change(lifted.preview);
    },
    get chosen() { return chosen; },
    get lifted() { return lifted; },
    get ghost() { return ghost; },
    // Whatever is in the hand is let go: it was taken from a state that is about to be another.
    free() { lifted = null; if (drag) let_go(); },
    choose(where) { chosen = where; paintDots(); },
    show() { for (const one of [shapes, hand, dots]) one.addTo(map); },
    hide() { this.free(); clearTimeout(flashing); flashing = 0; tag.remove(); geometry = null; stale = false; drawing = false; chosen = null; lifted = null; for (const one of [shapes, hand, dots]) { one.clearLayers(); one.remove(); } },
    // `own` false: lines are drawn over the shape, whose corners stay where they are.
    draw(yes, own = true) {
      drawing = yes;
      shapeToo = own;
      if (!yes) { chosen = null; lifted = null; container.classList.remove("over-corner"); point(null); }
      map.doubleClickZoom[yes ? "disable" : "enable"]();
      container.classList.toggle("drawing", yes);
      paint();
    },
    answered(shape) { geometry = shape; stale = false; paint(); },
    waiting() { stale = true; paint(); },
    // The keyboard's way to drag: a corner is lifted, follows the crosshair, and is put down.
    lift(where) { lifted = { where, preview: null }; chosen = where; paint(); },
    carry(place, from) { Object.assign(lifted, { place: { ...place, from }, preview: moved(steps(), lifted.where, place.at) }); paint(); },
    drop(keep) {
      if (!lifted) return;
      const { where, preview, place } = lifted;
      lifted = null;
      if (keep && preview && !same(cornerAt(preview, where), cornerAt(steps(), where))) dropped(preview, "composeMoved", where, place); else paint();
    },
  };
}

const turn = ([lng, lat]) => [lat, lng];
const latLng = ([lng, lat]) => ({ lat, lng });
const turned = (body) => body.map((polygon) => polygon.map((ring) => ring.map(turn)));
const polygons = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);
