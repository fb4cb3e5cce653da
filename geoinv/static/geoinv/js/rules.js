// How each layer is painted. Colours come from the style sheet, so that legend and map cannot differ.

const styles = getComputedStyle(document.documentElement);
const colour = (name) => styles.getPropertyValue(`--${name}`).trim();
const TWICE = Math.PI * 2;

export function landGroup(dlbm, groups) {
  return groups[dlbm.slice(0, 4)] ?? groups[dlbm.slice(0, 2)] ?? "other";
}

function trace(ctx, geom) {
  ctx.beginPath();
  for (const ring of geom) ring.forEach((point, i) => (i ? ctx.lineTo(point.x, point.y) : ctx.moveTo(point.x, point.y)));
}

// Diagonal lines in one colour; a period of 8 divides the tile, so that they meet across its edge.
const hatches = new Map();
function hatch(ctx, ink) {
  if (!hatches.has(ink)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const brush = tile.getContext("2d");
    brush.fillStyle = "rgb(255 255 255 / 70%)";
    brush.fillRect(0, 0, 8, 8);
    brush.strokeStyle = ink;
    brush.lineWidth = 2;
    brush.beginPath();
    for (const x of [-8, 0, 8]) { brush.moveTo(x, 8); brush.lineTo(x + 8, 0); }
    brush.stroke();
    hatches.set(ink, ctx.createPattern(tile, "repeat"));
  }
  return hatches.get(ink);
}

function patches(state) {
  const fills = Object.fromEntries([...new Set(Object.values(state.landGroups)), "other"].map((id) => [id, colour(`land-${id}`)]));
  return {
    dataLayer: "patches",
    filter: (z, f) => state.land.has(landGroup(f.props.dlbm, state.landGroups)),
    draw(ctx, geom, z, f) {
      trace(ctx, geom);
      ctx.fillStyle = fills[landGroup(f.props.dlbm, state.landGroups)];
      ctx.globalAlpha = z >= 13 ? 0.92 : 0.7;
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.strokeStyle = z >= 14 ? "rgb(255 255 255 / 85%)" : "rgb(255 255 255 / 35%)";
      ctx.lineWidth = z >= 16 ? 1.2 : 0.7;
      ctx.stroke();
    },
  };
}

function parcels() {
  const line = colour("parcel");
  return {
    dataLayer: "parcels",
    draw(ctx, geom, z) {
      trace(ctx, geom);
      ctx.globalAlpha = z >= 15 ? 0.9 : 0.45;
      ctx.strokeStyle = line;
      ctx.lineWidth = z >= 16 ? 1.1 : 0.7;
      ctx.stroke();
      ctx.globalAlpha = 1;
    },
  };
}

function buildings() {
  const fill = colour("building");
  return {
    dataLayer: "buildings",
    draw(ctx, geom) {
      trace(ctx, geom);
      ctx.globalAlpha = 0.5;
      ctx.fillStyle = fill;
      ctx.fill();
      ctx.globalAlpha = 1;
    },
  };
}

function candidates(state) {
  const inks = (category) => colour(`category-${category || "unknown"}`);
  const known = new Map();
  const ink = (category) => known.get(category) ?? (known.set(category, inks(category)), known.get(category));
  const painters = {
    candidate(ctx, own) { ctx.globalAlpha = 0.72; ctx.fillStyle = own; ctx.fill(); ctx.globalAlpha = 1; return [own, 1.4, []]; },
    undecided(ctx, own) { ctx.fillStyle = hatch(ctx, own); ctx.globalAlpha = 0.85; ctx.fill(); ctx.globalAlpha = 1; return [own, 1.1, []]; },
    exempted: () => [colour("outcome-exempted"), 2.2, []],
    excluded: () => [colour("outcome-excluded"), 1.4, [5, 3]],
    not_low: () => [colour("outcome-not_low"), 1, [2, 3]],
  };
  return {
    dataLayer: "candidates",
    filter: (z, f) => state.outcomes.has(f.props.outcome) && (f.geomType !== 1 || z >= 12 || f.props.outcome === "candidate"),
    draw(ctx, geom, z, f) {
      const own = ink(f.props.category);
      if (f.geomType === 1) return dot(ctx, geom, z, f.props.outcome, own);
      trace(ctx, geom);
      const [line, width, dash] = painters[f.props.outcome](ctx, own);
      ctx.strokeStyle = line;
      ctx.lineWidth = z >= 15 ? width : width * 0.7;
      ctx.setLineDash(dash);
      ctx.stroke();
      ctx.setLineDash([]);
      return undefined;
    },
  };
}

// Too far out for shapes: candidates are full dots, everything else is a ring.
function dot(ctx, geom, z, outcome, own) {
  const full = outcome === "candidate";
  for (const [point] of geom) {
    ctx.beginPath();
    ctx.arc(point.x, point.y, (z >= 12 ? 3.1 : 2.3) - (full ? 0 : 0.9), 0, TWICE);
    ctx.fillStyle = full ? own : "#fff";
    ctx.fill();
    ctx.lineWidth = 0.8;
    ctx.strokeStyle = full ? "rgb(255 255 255 / 80%)" : own;
    ctx.stroke();
  }
}

function units() {
  const line = colour("unit");
  return {
    dataLayer: "units",
    draw(ctx, geom, z, f) {
      trace(ctx, geom);
      ctx.fillStyle = line;
      ctx.globalAlpha = 0.14;
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.strokeStyle = line;
      ctx.lineWidth = 2.4;
      ctx.setLineDash(f.props.state === "approved" ? [] : [7, 4]);
      ctx.stroke();
      ctx.setLineDash([]);
    },
  };
}

function selected(state, dataLayer) {
  return {
    dataLayer,
    filter: (z, f) => f.props.code === state.selected,
    draw(ctx, geom, z, f) {
      if (f.geomType === 1) {
        ctx.beginPath();
        ctx.arc(geom[0][0].x, geom[0][0].y, 7, 0, TWICE);
      } else {
        trace(ctx, geom);
      }
      for (const [ink, width] of [["#fff", 6], ["#12262b", 3]]) {
        ctx.strokeStyle = ink;
        ctx.lineWidth = width;
        ctx.lineJoin = "round";
        ctx.stroke();
      }
    },
  };
}

// From the ground up.
export function rules(state) {
  return [
    patches(state), buildings(), parcels(), candidates(state), units(), selected(state, "candidates"), selected(state, "parcels"),
  ].map((rule) => ({
    dataSource: rule.dataLayer, dataLayer: rule.dataLayer, filter: rule.filter, symbolizer: { draw: rule.draw },
  }));
}
