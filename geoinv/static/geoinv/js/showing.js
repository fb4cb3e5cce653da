// Show a unit in the panel beside the map: opened by a click on it, a link, or when it was saved.
import * as address from "./address.js";
import { $ } from "./page.js";
import { unitPanel } from "./unit.js";

// `shown(which)` puts the panel of that name into the right column; `edit(unit)` begins to change one; `opened()` hears of each.
export function showing(desk, work, { draw, renderer, shown, edit, opened: told }) {
  const { map } = desk, container = map.getContainer(), outline = L.layerGroup();
  const unit = unitPanel(draw, { opened, closed, edit, changed: () => desk.refreshed() });

  function open(code, said = "") {
    shown("unit");
    return unit.open(code, said);
  }

  function opened(found) {
    $("#patch-note")?.setAttribute("hidden", "");
    outline.clearLayers();
    const shape = L.geoJSON(found.geometry, { renderer, pane: "compose", interactive: false, style: { className: "unit-outline", fill: false } });
    shape.addTo(outline);
    outline.addTo(map);
    const bounds = shape.getBounds(), place = address.read();
    if (!map.getBounds().intersects(bounds) || (place.zoom === null && map.getZoom() < 14)) map.fitBounds(bounds, { animate: false, padding: [60, 60], maxZoom: 18 });
    address.write(map, null, place.unit !== found.code, found.code);
    told();
  }

  function closed() {
    outline.clearLayers();
    outline.remove();
    shown(null);
    address.write(map, address.read().code, false, null);
    container.focus({ preventScroll: true });
  }

  // The code of the saved unit that lies there; null where none does.
  const unitAt = (latlng) => desk.painted.at(map, latlng).find((one) => one.layer === "units")?.feature.props.code ?? null;

  // A unit is opened by the first click on it; the next one there goes through to the parcel.
  function pick(latlng) {
    const code = unitAt(latlng);
    if (code && code !== unit.code) {
      open(code);
      return true;
    }
    if (unit.shown) unit.close();
    return false;
  }

  // What is searched for while one composes is shown on the map, and the panel stays.
  desk.onFound = (item) => {
    if (!work.active && unit.shown && item.kind !== "unit" && item.box) unit.close();
    return work.active;
  };
  desk.onAddress = (place) => {
    if (work.active || place.unit === unit.code) return Boolean(place.unit);
    if (place.unit) open(place.unit); else if (unit.shown) unit.close();
    return Boolean(place.unit);
  };

  return { open, pick, unitAt, get code() { return unit.code; }, hide() { unit.hide(); outline.remove(); } };
}
