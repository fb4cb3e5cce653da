// Names and codes on the map, that never lie over each other: a canvas of its own, written anew when the map stands still.
import { colour } from "./inks.js";
import { covers } from "./mvt.js";

const PAUSE = 60;      // milliseconds after the last tile or movement
const MOST = 700;      // labels in a window
const APART = 3;       // pixels between two labels
const LINE = 1.25;     // of the size of the type
const HALO = "rgb(255 255 255 / 88%)";
const CUTS = [0.5, 0.38, 0.62, 0.25, 0.75];  // of the height of a shape: where its widest stretch is looked for
const TAIL = 7;        // of a parcel's code: what tells it from its neighbours (GB00001)

// What is named, the most important first. `text(props, room)` of a feature with so many pixels of room; null names nothing.
function named(state) {
  const family = getComputedStyle(document.body).fontFamily;
  const font = (size, weight = 400) => ({ size, css: `${weight} ${size}px ${family}` });
  return [
    { layer: "units", from: 13, font: font(13, 600), ink: colour("unit"), over: true, shown: (f) => state.on.unit?.has(f.props.state), text: (p) => p.name || p.code },
    { layer: "legacy", from: 16, font: font(11, 600), ink: colour("legacy"), over: true, shown: (f) => state.on.legacy?.has(f.props.state), text: (p, room, _id, zoom, wide) => (zoom >= 17 || wide(p.code) <= room * 1.3 ? p.code : `…${p.code.slice(-5)}`) },
    { layer: "control-areas", from: 14, font: font(12, 500), ink: (p) => colour(`control-${p.kind}`), large: 70, once: 260, shown: (f) => state.on.kind?.has(f.props.kind), text: (p) => p.name },
    {
      layer: "candidates", from: 16, font: font(11, 600), ink: (p, id) => (state.theme.inks[state.theme.sign(id)]?.dark ? "#fff" : "#20272d"), halo: null,
      shown: (f) => {
        const sign = state.theme?.sign(f.id);
        return Boolean(sign) && state.theme.on.has(sign) && f.props.criteria === state.theme.criteria && sign >= "0" && sign <= "9";
      },
      text: (p, room, id, zoom, wide) => {
        const number = String(Number(state.theme.sign(id)) + 1), whole = `${number} · ${p.code.slice(-TAIL)}`;
        return zoom >= 17 && p.kind === "parcel" && wide(whole) <= room ? whole : number;
      },
    },
    {
      layer: "parcels", from: 17, font: font(11), ink: "#3f3a32", shown: () => !state.theme,
      text: (p, room, _id, zoom, wide) => [zoom >= 18 ? p.code : null, p.code.slice(-TAIL)].find((one) => one && wide(one) <= room) ?? null,
    },
    { layer: "buildings", from: 18, font: font(10), ink: "#2f2c28", shown: () => true, text: (p) => (p.floors ? `${Number(p.floors)}F` : null) },
  ];
}

// `taken()` says which places of the window are not free: [[x, y, width, height]].
export const Labels = L.Layer.extend({
  initialize({ sources, state, painted, taken }) {
    this.sources = new Map(sources.map((one) => [one.id, one]));
    this.state = state;
    this.painted = painted;
    this.taken = taken;
    this.timer = 0;
    this.known = new Map();  // font and text → width
  },

  onAdd(map) {
    const pane = map.getPane("labels") ?? map.createPane("labels");
    pane.style.zIndex = 345;
    pane.style.pointerEvents = "none";
    pane.setAttribute("aria-hidden", "true");  // the lists tell the same
    this.canvas = L.DomUtil.create("canvas", "map-labels leaflet-zoom-hide", pane);
    this.rules = named(this.state);
    this.soon = () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.draw(), PAUSE); };
    map.on("moveend zoomend resize", this.soon);
    this.painted.layer.on("load repainted", this.soon);
    this.soon();
  },

  onRemove(map) {
    clearTimeout(this.timer);
    map.off("moveend zoomend resize", this.soon);
    this.painted.layer.off("load repainted", this.soon);
    this.canvas.remove();
  },

  // All that is named in the window, put where it fits; {placed, milliseconds} for who wants to know.
  draw() {
    const map = this._map;
    if (!map) return null;
    const begun = performance.now(), size = map.getSize(), ratio = this.ratio ?? window.devicePixelRatio ?? 1, canvas = this.canvas;
    L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
    canvas.width = size.x * ratio;
    canvas.height = size.y * ratio;
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";
    const boxes = new Boxes(size);
    for (const [x, y, width, height] of this.taken()) boxes.put(x - width / 2, y - height / 2, x + width / 2, y + height / 2);
    let placed = 0;
    this.said = new Map();  // a text that is said once in so many pixels → where it stands
    for (const rule of this.rules) {
      if (map.getZoom() < rule.from) continue;
      ctx.font = rule.font.css;
      for (const one of this.candidates(rule, map, size)) {
        if (placed >= MOST) break;
        if (this.place(ctx, rule, one, boxes, map.getZoom())) placed += 1;
      }
    }
    canvas.dataset.placed = placed;
    const milliseconds = performance.now() - begun;
    canvas.dataset.milliseconds = milliseconds.toFixed(1);
    return { placed, milliseconds };
  },

  // Features of the window, each once, by its largest piece: the largest first.
  candidates(rule, map, size) {
    const source = this.sources.get(rule.layer), zoom = map.getZoom(), found = new Map();
    const wanted = this.state.shown[rule.layer] || (rule.layer === "candidates" && this.state.theme);
    if (!source || !wanted) return [];
    const corner = map.getPixelBounds().min;
    for (let x = Math.floor(corner.x / 256); x <= Math.floor((corner.x + size.x) / 256); x++) {
      for (let y = Math.floor(corner.y / 256); y <= Math.floor((corner.y + size.y) / 256); y++) {
        for (const feature of source.kept.get(`${zoom}/${x}/${y}`)?.get(rule.layer) ?? []) {
          if (feature.geomType !== 3 || !rule.shown(feature)) continue;
          const { minX, minY, maxX, maxY } = feature.bbox, area = (maxX - minX) * (maxY - minY);
          if (rule.large && maxX - minX < rule.large && maxY - minY < rule.large) continue;
          if (area > (found.get(feature.id)?.area ?? 60)) found.set(feature.id, { feature, area, dx: x * 256 - corner.x, dy: y * 256 - corner.y });
        }
      }
    }
    return [...found.values()].sort((a, b) => b.area - a.area || a.feature.id - b.feature.id);
  },

  place(ctx, rule, { feature, dx, dy }, boxes, zoom) {
    const spot = inside(feature);
    if (!spot) return false;
    const room = spot.room - 4, wide = (text) => this.width(ctx, rule.font.css, text);
    const text = rule.text(feature.props, room, feature.id, zoom, wide);
    if (!text) return false;
    const width = wide(text), height = rule.font.size * LINE;
    if (!rule.over && !rule.large && (width > room || height > feature.bbox.maxY - feature.bbox.minY)) return false;
    const x = Math.round(spot.x + dx), y = Math.round(spot.y + dy);
    const said = rule.once ? this.said.get(text) ?? [] : [];
    if (said.some(([a, b]) => Math.hypot(a - x, b - y) < rule.once)) return false;
    if (!boxes.put(x - width / 2, y - height / 2, x + width / 2, y + height / 2)) return false;
    if (rule.once) this.said.set(text, [...said, [x, y]]);
    const ink = typeof rule.ink === "function" ? rule.ink(feature.props, feature.id) : rule.ink;
    if (rule.halo !== null) {
      ctx.strokeStyle = HALO;
      ctx.lineWidth = rule.font.size >= 12 ? 3.6 : 3;
      ctx.strokeText(text, x, y);
    }
    ctx.fillStyle = ink;
    ctx.fillText(text, x, y);
    return true;
  },

  width(ctx, font, text) {
    const key = `${font} ${text}`;
    if (this.known.size > 5000) this.known.clear();
    if (!this.known.has(key)) this.known.set(key, ctx.measureText(text).width);
    return this.known.get(key);
  },
});

// Places that are taken, by squares of 64 pixels, so that a label is held against its neighbours alone.
class Boxes {
  constructor(size) { this.size = size; this.squares = new Map(); }

  // Whether the box was free and in the window; then it is taken.
  put(left, top, right, bottom) {
    const box = [left - APART, top - APART, right + APART, bottom + APART], squares = [];
    for (let x = Math.floor(box[0] / 64); x <= Math.floor(box[2] / 64); x++) {
      for (let y = Math.floor(box[1] / 64); y <= Math.floor(box[3] / 64); y++) squares.push(`${x} ${y}`);
    }
    if (left < 2 || top < 2 || right > this.size.x - 2 || bottom > this.size.y - 2) return false;
    const meets = (one) => one[0] < box[2] && one[2] > box[0] && one[1] < box[3] && one[3] > box[1];
    if (squares.some((one) => this.squares.get(one)?.some(meets))) return false;
    for (const one of squares) { if (!this.squares.has(one)) this.squares.set(one, []); this.squares.get(one).push(box); }
    return true;
  }
}

// The middle of the widest stretch of a shape on one of a few lines across it: {x, y, room}; always inside it.
function inside(feature) {
  const { minY, maxY } = feature.bbox;
  let best = null;
  for (const cut of CUTS) {
    const y = minY + (maxY - minY) * cut, crossings = [];
    for (const ring of feature.geom) {
      for (let i = 1; i < ring.length; i++) {
        const a = ring[i - 1], b = ring[i];
        if ((a.y > y) !== (b.y > y)) crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
      }
    }
    crossings.sort((a, b) => a - b);
    for (let i = 1; i < crossings.length; i += 2) {
      const room = crossings[i] - crossings[i - 1];
      if (!best || room > best.room * 1.15) best = { x: (crossings[i] + crossings[i - 1]) / 2, y, room };
    }
  }
  return best && covers(feature, best.x, best.y) ? best : null;
}

