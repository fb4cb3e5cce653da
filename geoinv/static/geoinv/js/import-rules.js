// How the rows of a dry run are painted: by what becomes of them, and with a sign where something is wrong.
import { TWICE, colour, fill, line, pattern, trace } from "./inks.js";
import { KINDS } from "./import-parts.js";
import { isSmall, sign } from "./registers.js";

const PATTERNS = { split: "diagonal", merged: "back", regrouped: "upright", gone: "level", refused: "cross", renumbered: "dots" };
const OUTLINE_FROM = 13;  // the zoom from which each row has its line; before that they would run together

// `state`: {kinds, severities: sets of what is shown, code: one problem only, selected: a row's number, before}.
export function previewRules(state) {
  const inks = Object.fromEntries(KINDS.map((kind) => [kind, colour(`import-${kind}`)]));
  const signs = { error: colour("finding-error"), warning: colour("finding-warning") };
  const codes = (f) => (f.props.codes ?? "").split(/[,\s{}]+/);
  const shown = (f) => state.kinds.has(f.props.kind);
  const faded = (f) => state.code && !codes(f).includes(state.code);

  const rows = {
    dataLayer: "preview",
    filter: (z, f) => shown(f),
    draw(ctx, geom, z, f) {
      const { kind } = f.props, ink = inks[kind] ?? inks.unchanged, quiet = faded(f);
      if (f.geomType === 1) { dot(ctx, geom, ink, quiet); return; }
      trace(ctx, geom);
      if (f.geomType === 3) {
        fill(ctx, ink, quiet ? 0.06 : kind === "unchanged" ? 0.28 : PATTERNS[kind] ? 0.2 : 0.5);
        if (PATTERNS[kind] && !quiet) { trace(ctx, geom); fill(ctx, pattern(ctx, PATTERNS[kind], ink, { width: 1.2 }), 0.8); }
      }
      if (z >= OUTLINE_FROM || kind !== "unchanged") line(ctx, quiet ? "rgb(102 108 113 / 35%)" : ink, kind === "unchanged" ? 0.7 : 1.3, kind === "gone" ? [4, 3] : []);
    },
  };
  const before = {
    dataLayer: "before",
    filter: (z, f) => state.before && (!f.props.kind || shown(f)),
    draw(ctx, geom) {
      trace(ctx, geom);
      line(ctx, "rgb(255 255 255 / 85%)", 3);
      trace(ctx, geom);
      line(ctx, "#12262b", 1.3, [5, 3]);
    },
  };
  const chosen = {
    dataLayer: "preview",
    filter: (z, f) => state.selected !== null && f.props.row_number === state.selected && shown(f),
    draw(ctx, geom, z, f) {
      if (f.geomType === 1) { ctx.beginPath(); ctx.arc(geom[0][0].x, geom[0][0].y, 7, 0, TWICE); } else trace(ctx, geom);
      ctx.lineJoin = "round";
      for (const [ink, width] of [["#fff", 6], ["#12262b", 3]]) line(ctx, ink, width);
    },
  };
  const problems = {
    dataLayer: "problems",
    filter: (z, f) => state.severities.has(f.props.severity) && (!state.code || f.props.code === state.code),
    draw(ctx, geom, z, f) {
      const ink = signs[f.props.severity] ?? signs.error, picked = state.selected !== null && f.props.row_number === state.selected;
      if (f.geomType === 1) { for (const [point] of geom) sign(ctx, point, f.props, ink, picked); return; }
      trace(ctx, geom);
      line(ctx, ink, 2);
      if (isSmall(f.bbox)) sign(ctx, { x: (f.bbox.minX + f.bbox.maxX) / 2, y: (f.bbox.minY + f.bbox.maxY) / 2 }, f.props, ink, picked);
    },
  };
  return [rows, before, chosen, problems].map((rule) => ({
    dataSource: "preview", dataLayer: rule.dataLayer, filter: rule.filter, symbolizer: { draw: rule.draw },
  }));
}

function dot(ctx, geom, ink, quiet) {
  for (const [point] of geom) {
    ctx.beginPath();
    ctx.arc(point.x, point.y, 2.6, 0, TWICE);
    fill(ctx, ink, quiet ? 0.2 : 0.9);
  }
}
