// Colours, outlines and patterns that the rules of all layers paint with. Colours come from the style sheet.

const styles = getComputedStyle(document.documentElement);
export const colour = (name) => styles.getPropertyValue(`--${name}`).trim();
export const TWICE = Math.PI * 2;

export function trace(ctx, geom) {
  ctx.beginPath();
  for (const ring of geom) ring.forEach((point, i) => (i ? ctx.lineTo(point.x, point.y) : ctx.moveTo(point.x, point.y)));
}

// What a pattern draws on a square of 8: a period that divides the tile, so that lines meet across its edge.
const STROKES = {
  diagonal: [[-8, 8, 0, 0], [0, 8, 8, 0], [8, 8, 16, 0]],
  back: [[-8, 0, 0, 8], [0, 0, 8, 8], [8, 0, 16, 8]],
  upright: [[4, 0, 4, 8]],
  level: [[0, 4, 8, 4]],
  cross: [[4, 0, 4, 8], [0, 4, 8, 4]],
  dots: [[3, 4, 5, 4]],
};
const patterns = new Map();
let fine = 1;  // dots that are painted for one pixel; more for paper

export function sharpen(ratio) { fine = ratio; }

// `ground` is painted under the strokes; without it what lies below shows through.
export function pattern(ctx, kind, ink, { width = 1, ground = null } = {}) {
  const key = `${kind} ${ink} ${width} ${ground} ${fine}`;
  if (!patterns.has(key)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8 * fine;
    const brush = tile.getContext("2d");
    brush.scale(fine, fine);
    if (ground) {
      brush.fillStyle = ground;
      brush.fillRect(0, 0, 8, 8);
    }
    brush.strokeStyle = ink;
    brush.lineWidth = width;
    brush.beginPath();
    for (const [x, y, toX, toY] of STROKES[kind]) { brush.moveTo(x, y); brush.lineTo(toX, toY); }
    brush.stroke();
    const made = ctx.createPattern(tile, "repeat");
    if (fine !== 1) made.setTransform(new DOMMatrix().scale(1 / fine));
    patterns.set(key, made);
  }
  return patterns.get(key);
}

export function fill(ctx, style, alpha) {
  ctx.globalAlpha = alpha;
  ctx.fillStyle = style;
  ctx.fill();
  ctx.globalAlpha = 1;
}

export function line(ctx, ink, width, dash = []) {
  ctx.strokeStyle = ink;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}
