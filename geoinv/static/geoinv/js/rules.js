// How the ground, the parcels and what is judged are painted; registers.js paints what lies over them.
import { TWICE, colour, fill, line, pattern, trace } from "./inks.js";
import { controlAreas, findings, legacy, units } from "./registers.js";
import { suspected, thematic } from "./thematic.js";

export function landGroup(dlbm, groups) {
  return groups[dlbm.slice(0, 4)] ?? groups[dlbm.slice(0, 2)] ?? "other";
}

function patches(state) {
  const fills = Object.fromEntries([...new Set(Object.values(state.landGroups)), "other"].map((id) => [id, colour(`land-${id}`)]));
  return {
    dataLayer: "patches",
    filter: (z, f) => state.on.land.has(landGroup(f.props.dlbm, state.landGroups)),
    draw(ctx, geom, z, f) {
      trace(ctx, geom);
      // Below a theme or a base map the land classes are but ground.
      fill(ctx, fills[landGroup(f.props.dlbm, state.landGroups)], state.theme ? 0.22 : state.based ? 0.35 : z >= 13 ? 0.92 : 0.7);
      line(ctx, z >= 14 ? "rgb(255 255 255 / 85%)" : "rgb(255 255 255 / 35%)", z >= 16 ? 1.2 : 0.7);
    },
  };
}

function buildings(state) {
  const ink = colour("building");
  return { dataLayer: "buildings", draw(ctx, geom) { trace(ctx, geom); fill(ctx, ink, state.theme ? 0.16 : 0.5); } };
}

function parcels() {
  const ink = colour("parcel");
  return {
    dataLayer: "parcels",
    draw(ctx, geom, z) {
      trace(ctx, geom);
      ctx.globalAlpha = z >= 15 ? 0.9 : 0.45;
      line(ctx, ink, z >= 16 ? 1.1 : 0.7);
      ctx.globalAlpha = 1;
    },
  };
}

// What the subject is now: by its flag, or as long as other values are tried, by what they make of it.
const outcomeOf = (state, f) => state.tried?.get(f.id) ?? f.props.outcome;

// Office buildings are judged as parcels are; they lie over the parcel they stand on.
function candidates(state, building) {
  const known = new Map();
  const ink = (category) => known.get(category) ?? known.set(category, colour(`category-${category || "unknown"}`)).get(category);
  const painters = {
    candidate(ctx, own) { fill(ctx, own, 0.72); return [own, 1.4, []]; },
    undecided(ctx, own) { fill(ctx, pattern(ctx, "diagonal", own, { width: 2, ground: "rgb(255 255 255 / 70%)" }), 0.85); return [own, 1.1, []]; },
    exempted: () => [colour("outcome-exempted"), 2.2, []],
    excluded: () => [colour("outcome-excluded"), 1.4, [5, 3]],
    not_low: () => [colour("outcome-not_low"), 1, [2, 3]],
  };
  return {
    dataLayer: "candidates",
    filter: (z, f) => !state.theme && state.shown.candidates && (f.props.kind === "building") === building && state.on.category.has(f.props.category || "unknown")
      && (state.tried?.has(f.id) || state.on.outcome.has(f.props.outcome))
      && (!f.props.criteria || !state.criteria || f.props.criteria === state.criteria)
      && (f.geomType !== 1 || z >= 12 || f.props.outcome === "candidate" || state.tried?.has(f.id)),
    draw(ctx, geom, z, f) {
      const own = ink(f.props.category), outcome = outcomeOf(state, f);
      if (f.geomType === 1) return dot(ctx, geom, z, outcome, own);
      trace(ctx, geom);
      const [edge, width, dash] = painters[outcome](ctx, own);
      line(ctx, edge, z >= 15 ? width : width * 0.7, dash);
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
    line(ctx, full ? "rgb(255 255 255 / 80%)" : own, 0.8);
  }
}

// What other values change stands out by a heavy outline and a sign: up for a new candidate, down for one no longer.
function changed(state) {
  return {
    dataLayer: "candidates",
    filter: (z, f) => state.signs !== false && Boolean(state.tried?.has(f.id)) && state.on.category.has(f.props.category || "unknown")
      && (!f.props.criteria || !state.criteria || f.props.criteria === state.criteria),
    draw(ctx, geom, z, f) {
      const after = state.tried.get(f.id), way = after === "candidate" ? "in" : f.props.outcome === "candidate" ? "out" : "other";
      let [x, y] = [geom[0][0].x, geom[0][0].y];
      if (f.geomType !== 1) {
        trace(ctx, geom);
        ctx.lineJoin = "round";
        for (const [ink, width] of [["#fff", 4.5], ["#12262b", 2]]) line(ctx, ink, width, way === "in" ? [] : [4, 2]);
        const box = f.bbox;
        [x, y] = [(box.minX + box.maxX) / 2, (box.minY + box.maxY) / 2];
      }
      sign(ctx, x, y, way, z >= 14 ? 6 : 4.5);
    },
  };
}

function sign(ctx, x, y, way, size) {
  const tip = { in: -1, out: 1 }[way];
  ctx.beginPath();
  if (tip) for (const [dx, dy] of [[0, tip], [0.95, -tip * 0.75], [-0.95, -tip * 0.75]]) ctx.lineTo(x + dx * size, y + dy * size);
  else for (const [dx, dy] of [[0, -1], [0.8, 0], [0, 1], [-0.8, 0]]) ctx.lineTo(x + dx * size, y + dy * size);
  ctx.closePath();
  ctx.fillStyle = way === "in" ? "#12262b" : "#fff";
  ctx.fill();
  line(ctx, way === "in" ? "#fff" : "#12262b", 1.6);
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
      ctx.lineJoin = "round";
      for (const [ink, width] of [["#fff", 6], ["#12262b", 3]]) line(ctx, ink, width);
    },
  };
}

// From the ground up.
export function rules(state) {
  return [
    patches(state), thematic(state, false), thematic(state, true), buildings(state), parcels(), controlAreas(state), legacy(state),
    candidates(state, false), candidates(state, true), suspected(state), changed(state), units(state),
    selected(state, "buildings"), selected(state, "parcels"), selected(state, "candidates"), findings(state),
  ].map((rule) => ({
    dataSource: rule.dataLayer, dataLayer: rule.dataLayer, filter: rule.filter, symbolizer: { draw: rule.draw },
  }));
}
