// What is being composed, as plain values: a list of parcels, or polygons drawn corner by corner.
//   {how: "parcels" | "drawn", parcels: [code …], shape: [polygon …], growing: [corner …], way, aside: [shape …]}
// A polygon is a list of rings, the first its outside; a ring is a list of corners [lng, lat] without the first repeated.
// `way` says what the growing corners are for: "" for the shape itself, "split" for a line that parts it, "cut" for a
// ring that is taken out of it. `aside` are the pieces that a line has parted from the shape: drawn, but not of this unit.
// Nothing here changes a state: every step makes a new one.
export const EMPTY = Object.freeze({ how: "parcels", parcels: [], shape: [], growing: [], way: "", aside: [] });

export const ofParcels = (codes) => ({ ...EMPTY, parcels: [...new Set(codes)] });
export const ofGeometry = (geometry) => ({ ...EMPTY, how: "drawn", shape: fromGeoJson(geometry) });

// A unit as the server tells it.
export const ofUnit = (unit) => (unit.how === "parcels" && unit.parcels?.length ? ofParcels(unit.parcels) : ofGeometry(unit.geometry));

export const isEmpty = (now) => !now.parcels.length && !now.shape.length && !now.growing.length;

export function toggled(now, code) {
  return ofParcels(now.parcels.includes(code) ? now.parcels.filter((one) => one !== code) : [...now.parcels, code]);
}

// --- drawing

// A line or ring that changes a shape is drawn over parcels as well as over a drawing: they stay what they are.
export function put(now, corner, way = "") {
  const growing = [...now.growing, corner];
  return way ? { ...now, way, growing } : { ...now, how: "drawn", parcels: [], way, growing };
}

export const ungrown = (now) => ({ ...now, growing: [], way: "" });

// The ring that grows becomes a hole of the polygon that it lies wholly in, else a polygon; three corners at least.
export function finished(now) {
  if (now.way || now.growing.length < 3) return now;
  const ring = now.growing, around = now.shape.findIndex((polygon) => holds(polygon, ring));
  const shape = around < 0 ? [...now.shape, [ring]] : now.shape.with(around, [...now.shape[around], ring]);
  return { ...now, shape, growing: [] };
}

// Whether what grows cuts through, or covers, what is drawn already.
export function overlapsItself(now) {
  return !now.way && now.shape.some((polygon) => !holds(polygon, now.growing)
    && polygon.some((ring, r) => crosses(ring, now.growing) || (r === 0 && inside(ring, now.growing)) || inside(now.growing, ring)));
}

const edges = (ring) => ring.map((corner, i) => [corner, ring[(i + 1) % ring.length]]);
const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
const crosses = (one, other) => edges(one).some(([a, b]) => edges(other).some(([c, d]) => side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0));

// 1 for a corner inside the ring, 0 for one on its edge, -1 for one outside.
function stands([x, y], ring) {
  let within = false;
  for (const [a, b] of edges(ring)) {
    const between = x >= Math.min(a[0], b[0]) && x <= Math.max(a[0], b[0]) && y >= Math.min(a[1], b[1]) && y <= Math.max(a[1], b[1]);
    if (between && side(a, b, [x, y]) === 0) return 0;
    if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) within = !within;
  }
  return within ? 1 : -1;
}

// `ring` lies in the ring `outer` and is not the same one.
const inside = (ring, outer) => ring.every((corner) => stands(corner, outer) >= 0) && ring.some((corner) => stands(corner, outer) > 0) && !crosses(ring, outer);
const holds = ([outer, ...holes], ring) => inside(ring, outer) && holes.every((hole) => !crosses(hole, ring) && !inside(ring, hole) && !inside(hole, ring));

// `where` = [polygon, ring, corner], or ["growing", corner].
export function cornerAt(now, where) {
  return where[0] === "growing" ? now.growing[where[1]] : now.shape[where[0]][where[1]][where[2]];
}

export function moved(now, where, corner) {
  return changedRing(now, where, (ring, i) => ring.with(i, corner));
}

export function inserted(now, where, corner) {
  return changedRing(now, where, (ring, i) => ring.toSpliced(i, 0, corner));
}

// Without one corner; a ring of fewer than three goes, and a polygon with its outside.
export function without(now, where) {
  return changedRing(now, where, (ring, i) => ring.toSpliced(i, 1));
}

function changedRing(now, where, change) {
  if (where[0] === "growing") return { ...now, growing: change(now.growing, where[1]) };
  const [p, r, i] = where, ring = change(now.shape[p][r], i);
  const polygon = ring.length >= 3 ? now.shape[p].with(r, ring) : r ? now.shape[p].toSpliced(r, 1) : null;
  return { ...now, shape: polygon ? now.shape.with(p, polygon) : now.shape.toSpliced(p, 1) };
}

// Every corner with its place: [[where, corner] …], the growing ring last.
export function corners(now) {
  return [
    ...now.shape.flatMap((polygon, p) => polygon.flatMap((ring, r) => ring.map((corner, i) => [[p, r, i], corner]))),
    ...now.growing.map((corner, i) => [["growing", i], corner]),
  ];
}

export const same = (one, other) => one[0] === other[0] && one[1] === other[1];

// Whether two states are the same to the server: what merely begins to grow is no part of the shape yet.
export function sameBody(one, other) {
  const idle = (state) => Boolean(state.way) || state.growing.length < 3;
  return one.how === other.how && one.parcels === other.parcels && one.shape === other.shape && (one.growing === other.growing || (idle(one) && idle(other)));
}

// A change of single rings, as a change of states: `change(ring, closed)` gives the ring itself where it leaves it as it
// is. States share their rings, and still do afterwards.
export function ofRings(change) {
  const closedOnes = new Map(), openOnes = new Map(), lists = new Map();
  const once = (known, one, make) => {
    if (!known.has(one)) known.set(one, make());
    return known.get(one);
  };
  const ring = (one, closed) => once(closed ? closedOnes : openOnes, one, () => change(one, closed));
  const list = (some, each) => once(lists, some, () => {
    const made = some.map((one) => each(one));
    return made.every((one, i) => one === some[i]) ? some : made;
  });
  const shape = (polygons) => list(polygons, (polygon) => list(polygon, (one) => ring(one, true)));
  return (now) => {
    const made = { ...now, shape: shape(now.shape), growing: ring(now.growing, false), aside: list(now.aside, shape) };
    return ["shape", "growing", "aside"].every((part) => made[part] === now[part]) ? now : made;
  };
}

// One corner, the very one and not one of the same numbers, in the place of another.
export const instead = (corner, other) => ofRings((ring) => (ring.includes(corner) ? ring.map((one) => (one === corner ? other : one)) : ring));

// The corners `between` two that follow each other.
export function withBetween(from, to, between) {
  return ofRings((ring, closed) => {
    const i = ring.findIndex((one, at) => one === from && (ring[at + 1] ?? (closed ? ring[0] : null)) === to);
    return i < 0 ? ring : ring.toSpliced(i + 1, 0, ...between);
  });
}

// `before`, corners that follow each other between two, exchanged for others.
export function exchanged(before, after) {
  return ofRings((ring) => {
    const i = ring.indexOf(before[0]);
    return i >= 0 && before.every((one, at) => ring[i + at] === one) ? ring.toSpliced(i, before.length, ...after) : ring;
  });
}

// --- to and from the server

// The finished polygons and, from its third corner on, the growing one; null while there is none.
export function toGeoJson(now) {
  const polygons = finished(now).shape;
  return polygons.length ? geoJson(polygons) : null;
}

export const geoJson = (polygons) => ({ type: "MultiPolygon", coordinates: polygons.map((rings) => rings.map((ring) => [...ring, ring[0]])) });

export function fromGeoJson(geometry) {
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return polygons.map((rings) => rings.map((ring) => ring.slice(0, -1).map(([lng, lat]) => [lng, lat])));
}
