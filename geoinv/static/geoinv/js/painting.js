// The one place that knows protomaps-leaflet: our sources and our rules in, a Leaflet layer out.
import { covers } from "./mvt.js";
import { isSmall } from "./registers.js";
import { rules } from "./rules.js";

const DEEPEST = 20;
const SIGNED = new Set(["findings", "problems"]);
const NEAR = matchMedia("(pointer: coarse)").matches ? 16 : 8;  // pixels from a point or a line that count as on it

// `state` is that of state.js, or has as much of it as `drawn` asks for; call `repaint()` after changing it.
export function paintedLayer(sources, state, drawn = rules(state)) {
  const visible = (feature, zoom) => (one) => one.dataLayer === feature.layer && (!one.filter || one.filter(zoom, feature.feature));
  const layer = protomapsL.leafletLayer({
    sources: {}, paintRules: drawn, labelRules: [], attribution: "", maxZoom: DEEPEST, maxNativeZoom: DEEPEST,
    minZoom: 0, updateWhenZooming: false, keepBuffer: 1,
  });
  const view = (source) => new protomapsL.View(source, DEEPEST, 0);  // level difference 0: a tile is asked at its own zoom
  // A theme is painted on what was judged, whether that layer is shown or not.
  const wanted = (id) => state.shown[id] || (id === "candidates" && Boolean(state.theme));
  const pick = () => {
    layer.views = new Map(sources.filter((one) => wanted(one.id) && !one.empty).map((one) => [one.id, view(one)]));
  };
  pick();
  return {
    layer,
    zoom: () => layer._tileZoom,  // of the tiles; during an animation the map is not there yet
    repaint() { pick(); layer.rerenderTiles(); layer.fire("repainted"); },
    // What is painted at a place, topmost layer first: [{layer, feature}].
    at(map, latlng) {
      const zoom = map.getZoom(), place = L.CRS.EPSG3857.latLngToPoint(latlng, zoom);
      const tile = { x: Math.floor(place.x / 256), y: Math.floor(place.y / 256) };
      const x = place.x - tile.x * 256, y = place.y - tile.y * 256;
      const found = [];
      for (const source of [...sources].reverse()) {
        if (!wanted(source.id)) continue;
        const tiles = source.kept.get(`${zoom}/${tile.x}/${tile.y}`);
        for (const name of source.layers ?? [source.id]) {  // topmost first
          for (const feature of tiles?.get(name) ?? []) {
            const one = { layer: name, feature };
            if (!drawn.some(visible(one, zoom))) continue;  // the legend hides it
            if (hit(feature, x, y, SIGNED.has(name))) found.push(one);
          }
        }
      }
      return found;
    },
  };
}

// `signed`: what is small is painted as a sign, so the sign is what is clicked.
function hit(feature, x, y, signed) {
  if (feature.geomType === 1) return feature.geom.some(([point]) => Math.hypot(point.x - x, point.y - y) < NEAR);
  const box = feature.bbox;
  if (signed && isSmall(box) && Math.hypot((box.minX + box.maxX) / 2 - x, (box.minY + box.maxY) / 2 - y) < NEAR) return true;
  if (feature.geomType === 3) return covers(feature, x, y);
  return feature.geom.some((line) => line.some((point, i) => i > 0 && fromSegment(line[i - 1], point, x, y) < NEAR));
}

function fromSegment(a, b, x, y) {
  const dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  const along = square ? Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / square)) : 0;
  return Math.hypot(a.x + along * dx - x, a.y + along * dy - y);
}
