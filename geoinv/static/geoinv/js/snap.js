// Snap to corners and edges of parcels in the full precision of the register; no tile is ever looked at.
import { askJson } from "./asking.js";

export const CLOSE_ENOUGH = 16;  // from this zoom on, a pixel is less than two metres: farther out nothing snaps
const CELL = 1 / 64;             // degrees, asked for at once; the server gives at most 0.02
const BIN = 1 / 2048;            // degrees, about 50 m: what is searched through at once
const CORNER = 12, EDGE = 8;     // screen pixels within which a corner draws, and an edge where no corner does
const FINGER = 2;                // times as far for a finger, which hides what it points at

export class Outlines {
  // `told(state)` hears "far", "loading", "ready" or "missing".
  constructor(map, address, told) {
    this.map = map; this.address = address; this.told = told;
    this.on = false;
    this.forget();
    map.on("moveend", () => this.load());
  }

  start() { this.on = true; this.forget(); this.load(); }
  stop() { this.on = false; }

  forget() {
    this.cells = new Map();    // asked for: key → promise
    this.corners = new Map();  // "lng,lat" → code of a parcel
    this.bins = new Map();     // key → {corners: [[lng, lat, code] …], edges: [[a, b, code] …]}
  }

  // Ask for what is in view and is not there yet.
  async load() {
    if (!this.on) return;
    if (this.map.getZoom() < CLOSE_ENOUGH) { this.told("far"); return; }
    const mine = this.turn = (this.turn ?? 0) + 1, cells = this.cells;
    const wanted = cellsOf(this.map.getBounds());
    for (const key of wanted) {
      if (!cells.has(key)) cells.set(key, this.ask(key, cells));
    }
    const waiting = wanted.map((key) => cells.get(key));
    this.told("loading");
    const answers = await Promise.allSettled(waiting);
    if (mine !== this.turn || cells !== this.cells) return;
    this.told(answers.every((one) => one.status === "fulfilled") ? "ready" : "missing");
  }

  async ask(key, cells) {
    const [x, y] = key.split(",").map(Number);
    const bbox = [x * CELL, y * CELL, (x + 1) * CELL, (y + 1) * CELL].join(",");
    let answer;
    try {
      answer = await askJson(`${this.address}?${new URLSearchParams({ bbox })}`);
    } catch (trouble) {
      cells.delete(key);  // asked again when the map moves
      throw trouble;
    }
    if (cells !== this.cells) return;
    for (const { code, rings } of answer.features) for (const ring of rings) this.add(code, ring);
  }

  add(code, ring) {
    const n = ring.length - 1;  // the last corner is the first
    for (let i = 0; i < n; i++) {
      const a = ring[i], b = ring[i + 1], name = `${a[0]},${a[1]}`;
      if (!this.corners.has(name)) {
        this.corners.set(name, code);
        this.bin(bin(a[0]), bin(a[1])).corners.push([a[0], a[1], code]);
      }
      const edge = [a, b, code];
      for (let x = bin(Math.min(a[0], b[0])); x <= bin(Math.max(a[0], b[0])); x++) {
        for (let y = bin(Math.min(a[1], b[1])); y <= bin(Math.max(a[1], b[1])); y++) this.bin(x, y).edges.push(edge);
      }
    }
  }

  bin(x, y) {
    const key = `${x},${y}`;
    if (!this.bins.has(key)) this.bins.set(key, { corners: [], edges: [] });
    return this.bins.get(key);
  }

  isCorner([lng, lat]) { return this.corners.has(`${lng},${lat}`); }

  // Where a corner put here would lie: {at: [lng, lat], kind: "corner" | "edge" | null, code}.
  // A corner's own numbers are taken as they are, never computed back from the screen.
  at({ lng, lat }, free = false, finger = false) {
    const zoom = this.map.getZoom(), here = { at: [lng, lat], kind: null, code: null };
    if (free || zoom < CLOSE_ENOUGH) return here;
    const bins = this.around(lng, lat), { wide, high } = pixels(zoom, lat);
    const far = finger ? FINGER : 1;
    let best = null, near = CORNER * far;
    for (const one of bins) {
      for (const [x, y, code] of one.corners) {
        const away = Math.hypot((x - lng) * wide, (y - lat) * high);
        if (away <= near) { near = away; best = { at: [x, y], kind: "corner", code }; }
      }
    }
    if (best) return best;
    near = EDGE * far;
    for (const one of bins) {
      for (const [a, b, code] of one.edges) {
        const dx = (b[0] - a[0]) * wide, dy = (b[1] - a[1]) * high, long = dx * dx + dy * dy;
        if (!long) continue;
        const along = ((lng - a[0]) * wide * dx + (lat - a[1]) * high * dy) / long;
        if (along <= 0 || along >= 1) continue;
        const foot = [a[0] + (b[0] - a[0]) * along, a[1] + (b[1] - a[1]) * along];
        const away = Math.hypot((foot[0] - lng) * wide, (foot[1] - lat) * high);
        if (away <= near) { near = away; best = { at: foot, kind: "edge", code }; }
      }
    }
    return best ?? here;
  }

  around(lng, lat) {
    const found = [];
    for (let x = bin(lng) - 1; x <= bin(lng) + 1; x++) {
      for (let y = bin(lat) - 1; y <= bin(lat) + 1; y++) {
        const one = this.bins.get(`${x},${y}`);
        if (one) found.push(one);
      }
    }
    return found;
  }

  // The parcels' corners in view, nearest to a place first.
  cornersAround({ lng, lat }) {
    const { wide, high } = pixels(this.map.getZoom(), lat), view = this.map.getBounds(), found = [];
    for (const one of this.bins.values()) {
      for (const [x, y, code] of one.corners) {
        if (view.contains([y, x])) found.push({ at: [x, y], kind: "corner", code, away: Math.hypot((x - lng) * wide, (y - lat) * high) });
      }
    }
    return found.sort((a, b) => a.away - b.away);
  }
}

const bin = (degrees) => Math.floor(degrees / BIN);

// Screen pixels to a degree at a zoom and latitude.
export function pixels(zoom, lat) {
  const wide = (256 * 2 ** zoom) / 360;
  return { wide, high: wide / Math.cos((lat * Math.PI) / 180) };
}

function cellsOf(bounds) {
  const keys = [];
  for (let x = Math.floor(bounds.getWest() / CELL); x <= Math.floor(bounds.getEast() / CELL); x++) {
    for (let y = Math.floor(bounds.getSouth() / CELL); y <= Math.floor(bounds.getNorth() / CELL); y++) keys.push(`${x},${y}`);
  }
  return keys;
}
