// Read a Mapbox vector tile (version 2.1) into features with coordinates in screen pixels of the tile.

export class Point {
  constructor(x, y) { this.x = x; this.y = y; }
  clone() { return new Point(this.x, this.y); }
  mult(k) { this.x *= k; this.y *= k; return this; }
  add(p) { this.x += p.x; this.y += p.y; return this; }
}

class Wire {
  constructor(bytes) {
    this.bytes = bytes; this.at = 0; this.end = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  varint() {
    let value = 0, factor = 1, byte;
    do {
      if (this.at >= this.end) throw new Error("the tile ends within a number");
      byte = this.bytes[this.at++];
      value += (byte & 0x7f) * factor;
      factor *= 128;
    } while (byte & 0x80);
    return value;
  }
  signed() {
    const n = this.varint();
    return n % 2 ? -(n + 1) / 2 : n / 2;
  }
  part() {
    const size = this.varint();
    if (this.at + size > this.end) throw new Error("the tile ends within a part");
    const part = new Wire(this.bytes.subarray(this.at, this.at + size));
    this.at += size;
    return part;
  }
  text() { return new TextDecoder().decode(this.part().bytes); }
  skip(type) {
    if (type === 0) this.varint();
    else if (type === 1) this.at += 8;
    else if (type === 2) this.part();
    else if (type === 5) this.at += 4;
    else throw new Error(`the tile holds wire type ${type}`);
  }
  // Call read[tag] for each field that has a reader, pass over the others.
  fields(read) {
    while (this.at < this.end) {
      const key = this.varint(), tag = Math.floor(key / 8), type = key % 8;
      if (read[tag]) read[tag](this, type); else this.skip(type);
    }
  }
}

// Map of layer name → [{id, geomType, geom, bbox, numVertices, props}], as the painter wants it.
export function decode(buffer, size) {
  const layers = new Map();
  new Wire(new Uint8Array(buffer)).fields({ 3: (wire) => readLayer(wire.part(), size, layers) });
  return layers;
}

function readLayer(wire, size, layers) {
  const keys = [], values = [], parts = [];
  let name = "", extent = 4096;
  wire.fields({
    1: (w) => { name = w.text(); },
    2: (w) => { parts.push(w.part()); },
    3: (w) => { keys.push(w.text()); },
    4: (w) => { values.push(readValue(w.part())); },
    5: (w) => { extent = w.varint(); },
  });
  layers.set(name, parts.map((part) => readFeature(part, keys, values, size / extent)));
}

function readValue(wire) {
  let value = null;
  wire.fields({
    1: (w) => { value = w.text(); },
    2: (w) => { value = w.view.getFloat32(w.at, true); w.at += 4; },
    3: (w) => { value = w.view.getFloat64(w.at, true); w.at += 8; },
    4: (w) => { value = w.varint(); },
    5: (w) => { value = w.varint(); },
    6: (w) => { value = w.signed(); },
    7: (w) => { value = Boolean(w.varint()); },
  });
  return value;
}

function readFeature(wire, keys, values, scale) {
  const feature = { id: 0, geomType: 0, props: {}, geom: [], numVertices: 0, bbox: null };
  wire.fields({
    1: (w) => { feature.id = w.varint(); },
    2: (w) => {
      const tags = w.part();
      while (tags.at < tags.end) { const key = keys[tags.varint()]; feature.props[key] = values[tags.varint()]; }
    },
    3: (w) => { feature.geomType = w.varint(); },
    4: (w) => { readShape(w.part(), scale, feature); },
  });
  return feature;
}

function readShape(wire, scale, feature) {
  let x = 0, y = 0, line = null;
  const box = { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
  while (wire.at < wire.end) {
    const command = wire.varint(), times = command >> 3;
    if ((command & 7) === 7) { line.push(line[0].clone()); continue; }
    for (let i = 0; i < times; i++) {
      x += wire.signed(); y += wire.signed();
      if ((command & 7) === 1) { line = []; feature.geom.push(line); }
      const point = new Point(x * scale, y * scale);
      line.push(point);
      feature.numVertices++;
      box.minX = Math.min(box.minX, point.x); box.maxX = Math.max(box.maxX, point.x);
      box.minY = Math.min(box.minY, point.y); box.maxY = Math.max(box.maxY, point.y);
    }
  }
  feature.bbox = box;
}

// Even-odd over all rings, so holes are holes whichever way they turn.
export function covers(feature, x, y) {
  if (feature.geomType !== 3) return false;
  let inside = false;
  for (const ring of feature.geom) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const a = ring[i], b = ring[j];
      if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
    }
  }
  return inside;
}
