// How a theme is painted: each subject in the colour of its class, hatched where nothing is known of it.
import { TWICE, fill, line, pattern, trace } from "./inks.js";

const INK = "#3d4349", FAINT = "#7f868c";
export const HATCH = { "?": ["diagonal", "#8a9095"], "-": ["cross", "#8a9095"] };  // not known, closed to the reader

export function thematic(state, building) {
  return {
    dataLayer: "candidates",
    filter(z, f) {
      if (!state.theme || (f.props.kind === "building") !== building || (f.props.criteria && f.props.criteria !== state.theme.criteria)) return false;
      const sign = state.theme.sign(f.id);
      return sign !== null && state.theme.on.has(sign);
    },
    draw(ctx, geom, z, f) {
      const sign = state.theme.sign(f.id), ink = state.theme.inks[sign];
      if (f.geomType === 1) { dot(ctx, geom, z, ink); return; }
      trace(ctx, geom);
      if (ink) {
        fill(ctx, ink.fill, 0.92);
        if (ink.pattern) fill(ctx, pattern(ctx, ink.pattern, ink.dark ? "rgb(255 255 255 / 65%)" : "rgb(32 39 45 / 55%)", { width: 1.1 }), 1);
      } else {
        const [kind, shade] = HATCH[sign];
        fill(ctx, pattern(ctx, kind, shade, { width: 1, ground: "rgb(255 255 255 / 82%)" }), 1);
      }
      line(ctx, ink ? "rgb(255 255 255 / 90%)" : FAINT, z >= 16 ? 1 : 0.6);
    },
  };
}

function dot(ctx, geom, z, ink) {
  for (const [point] of geom) {
    ctx.beginPath();
    ctx.arc(point.x, point.y, ink ? (z >= 12 ? 2.6 : 1.9) : 1.4, 0, TWICE);
    ctx.fillStyle = ink ? ink.fill : "#fff";
    ctx.fill();
    if (z >= 12 || !ink) line(ctx, ink ? "rgb(32 39 45 / 45%)" : FAINT, 0.6);
  }
}

// What the rules suspect keeps its outline over the theme, as long as that layer is shown.
export function suspected(state) {
  return {
    dataLayer: "candidates",
    filter: (z, f) => Boolean(state.theme) && state.shown.candidates && z >= 14 && f.geomType !== 1 && f.props.outcome === "candidate"
      && state.on.outcome.has("candidate") && state.on.category.has(f.props.category || "unknown")
      && (!f.props.criteria || !state.criteria || f.props.criteria === state.criteria),
    draw(ctx, geom, z) {
      trace(ctx, geom);
      ctx.lineJoin = "round";
      line(ctx, "#fff", z >= 16 ? 3.6 : 2.6);
      line(ctx, INK, z >= 16 ? 1.8 : 1.3);
    },
  };
}
