// How control areas, legacy land, units and findings are painted: each by a line and a pattern of its own, not by colour alone.
import { colour, fill, line, pattern, trace } from "./inks.js";

// Kind → [dash, pattern or none, width]. The legend's swatches show the same.
const CONTROL = {
  ecological_red_line: [[], "diagonal", 2.4],
  basic_farmland: [[], "dots", 2],
  development_boundary: [[10, 4], null, 2.6],
  master_plan: [[2, 3], null, 1.2],
  special_plan: [[8, 3, 2, 3], "back", 1.8],
  block_plan: [[], null, 1.6],
  plot_plan: [[3, 2], null, 1],
  second_survey_construction: [[6, 3], "upright", 1.4],
  industrial_line: [[12, 3], "level", 2.2],
  park: [[], "upright", 1.8],
  heritage: [[], "back", 2],
  buried_relics: [[4, 3], "dots", 1.6],
  hazard: [[2, 2], "cross", 1.8],
  reservation: [[6, 2], "level", 1.6],
  key_area: [[10, 3, 2, 3], "diagonal", 1.8],
  renewal_plan: [[5, 5], "diagonal", 1.6],
  approved_batch: [[8, 2], "back", 1.6],
  urban_land: [[12, 2], "dots", 1.8],
  village_survey: [[14, 4, 2, 4], null, 1.6],
  low_use_unit: [[], "cross", 1.6],
  urban_village: [[2, 2], "diagonal", 1.8],
  industry_exit: [[9, 3], "upright", 1.8],
  industry_plan: [[2, 4], "level", 1.6],
  metro_station: [[], "level", 2.2],
  school: [[], "dots", 1.8],
  polluter: [[6, 2], "cross", 1.8],
};
const PLAIN = [[], null, 1.6];

export function controlAreas(state) {
  const inks = Object.fromEntries(Object.keys(CONTROL).map((kind) => [kind, colour(`control-${kind}`)]));
  return {
    dataLayer: "control-areas",
    filter: (z, f) => state.on.kind.has(f.props.kind),
    draw(ctx, geom, z, f) {
      const [dash, kind, width] = CONTROL[f.props.kind] ?? PLAIN, ink = inks[f.props.kind];
      trace(ctx, geom);
      if (kind) fill(ctx, pattern(ctx, kind, ink), 0.5);
      line(ctx, ink, z >= 14 ? width : width * 0.7, dash);
    },
  };
}

export function legacy(state) {
  const ink = colour("legacy");
  return {
    dataLayer: "legacy",
    filter: (z, f) => state.on.legacy.has(f.props.state),
    draw(ctx, geom, z, f) {
      trace(ctx, geom);
      fill(ctx, ink, 0.12);
      fill(ctx, pattern(ctx, "cross", ink, { width: 0.8 }), 0.55);
      line(ctx, ink, z >= 14 ? 2 : 1.4, f.props.state === "accepted" ? [] : [6, 3]);
    },
  };
}

const UNIT_DASH = { draft: [3, 3], checked: [8, 4], consulted: [12, 3, 2, 3], approved: [] };

export function units(state) {
  const ink = colour("unit");
  return {
    dataLayer: "units",
    filter: (z, f) => state.on.unit.has(f.props.state),
    draw(ctx, geom, z, f) {
      trace(ctx, geom);
      fill(ctx, ink, 0.14);
      line(ctx, "rgb(255 255 255 / 75%)", z >= 14 ? 4.4 : 3);
      line(ctx, ink, z >= 14 ? 2.4 : 1.6, UNIT_DASH[f.props.state] ?? []);
    },
  };
}

const SMALL = 26;  // pixels: a fault that is smaller than its sign is told by the sign alone

export const isSmall = (box) => box.maxX - box.minX < SMALL && box.maxY - box.minY < SMALL;

export function findings(state) {
  const inks = { error: colour("finding-error"), warning: colour("finding-warning") };
  return {
    dataLayer: "findings",
    filter: (z, f) => state.on.severity.has(f.props.severity),
    draw(ctx, geom, z, f) {
      const ink = inks[f.props.severity] ?? inks.error, chosen = state.finding === f.id;
      if (f.geomType !== 1) {
        trace(ctx, geom);
        if (f.geomType === 3) fill(ctx, pattern(ctx, "cross", ink, { width: 1.2, ground: "rgb(255 255 255 / 45%)" }), 0.8);
        line(ctx, ink, chosen ? 3.5 : 1.8);
      }
      if (f.geomType === 1) for (const [point] of geom) sign(ctx, point, f.props, ink, chosen);
      else if (isSmall(f.bbox)) sign(ctx, { x: (f.bbox.minX + f.bbox.maxX) / 2, y: (f.bbox.minY + f.bbox.maxY) / 2 }, f.props, ink, chosen);
    },
  };
}

// An error is a diamond, a warning a triangle; one that somebody accepted for a time is hollow.
export function sign(ctx, { x, y }, { severity, waived }, ink, chosen) {
  const size = chosen ? 9 : 6.5;
  ctx.beginPath();
  if (severity === "error") {
    ctx.moveTo(x, y - size); ctx.lineTo(x + size, y); ctx.lineTo(x, y + size); ctx.lineTo(x - size, y);
  } else {
    ctx.moveTo(x, y - size); ctx.lineTo(x + size * 0.95, y + size * 0.75); ctx.lineTo(x - size * 0.95, y + size * 0.75);
  }
  ctx.closePath();
  fill(ctx, waived ? "#fff" : ink, 1);
  line(ctx, waived ? ink : "#fff", 1.6);
  if (chosen) line(ctx, "#12262b", 1);
}
