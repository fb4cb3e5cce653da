// What is being composed, as plain values: a list of parcels, or polygons drawn corner by corner.
//   {how: "parcels" | "drawn", parcels: [code …], shape: [polygon …], growing: [corner …]}
// A polygon is a list of rings, the first its outside; a ring is a list of corners [lng, lat] without the first repeated.
// Nothing here changes a state: every step makes a new one.
export const EMPTY = Object.freeze({ how: "parcels", parcels: [], shape: [], growing: [] });

export const ofParcels = (codes) => ({ ...EMPTY, parcels: [...new Set(codes)] });
export const ofGeometry = (geometry) => ({ ...EMPTY, how: "drawn", shape: fromGeoJson(geometry) });

// A unit as the server tells it.
export const ofUnit = (unit) => (unit.how === "parcels" && unit.parcels?.length ? ofParcels(unit.parcels) : ofGeometry(unit.geometry));

export const isEmpty = (now) => !now.parcels.length && !now.shape.length && !now.growing.length;

export function toggled(now, code) {
  return ofParcels(now.parcels.includes(code) ? now.parcels.filter((one) => one !== code) : [...now.parcels, code]);
}

// --- drawing

export function put(now, corner) {
  return { ...now, how: "drawn", parcels: [], growing: [...now.growing, corner] };
}

// The ring that grows becomes a hole of the polygon that it lies wholly in, else a polygon; three corners at least.
export function finished(now) {
  if (now.growing.length < 3) return now;
  const ring = now.growing, around = now.shape.findIndex((polygon) => holds(polygon, ring));
  const shape = around < 0 ? [...now.shape, [ring]] : now.shape.with(around, [...now.shape[around], ring]);
  return { ...now, shape, growing: [] };
}

// Whether what grows cuts through, or covers, what is drawn already.
export function overlapsItself(now) {
  return now.shape.some((polygon) => !holds(polygon, now.growing)
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

// --- to and from the server

// The finished polygons and, from its third corner on, the growing one; null while there is none.
export function toGeoJson(now) {
  const polygons = finished(now).shape;
  if (!polygons.length) return null;
  return { type: "MultiPolygon", coordinates: polygons.map((rings) => rings.map((ring) => [...ring, ring[0]])) };
}

export function fromGeoJson(geometry) {
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return polygons.map((rings) => rings.map((ring) => ring.slice(0, -1).map(([lng, lat]) => [lng, lat])));
}
