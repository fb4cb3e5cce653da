// Meridians and parallels with their degrees: a ground that needs no other host. A layer to be added to the map.

const STEPS = [10, 5, 2, 1, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.0025, 0.001];
const BESIDE_ZOOM = 44;  // pixels: no degree under the zoom buttons
const LABEL = 60;        // pixels: about the width of one
const LINES = 5;  // at least so many across the window, as long as their degrees have room
const ROOM = 96;  // pixels between two lines whose degrees can be read

export function graticule(map) {
  const drawn = L.layerGroup();
  const pane = map.createPane("graticule");
  pane.style.zIndex = 350;
  pane.style.pointerEvents = "none";
  pane.setAttribute("aria-hidden", "true");
  const line = { pane: "graticule", color: "#8d8778", weight: 1, opacity: 0.28, interactive: false };
  const renderer = L.svg({ pane: "graticule" });

  function draw() {
    drawn.clearLayers();
    const seen = map.getBounds(), width = seen.getEast() - seen.getWest();
    const wide = (one) => (map.getSize().x * one) / width >= ROOM;
    const step = STEPS.find((one, i) => width / one >= LINES || !wide(STEPS[i + 1] ?? 0)) ?? STEPS.at(-1);
    const digits = Math.max(0, String(step).split(".")[1]?.length ?? 0);
    const every = (from, to) => {
      const values = [];
      for (let i = Math.ceil(from / step); i * step <= to; i++) values.push(i * step);
      return values;
    };
    for (const lng of every(seen.getWest(), seen.getEast())) {
      L.polyline([[seen.getSouth(), lng], [seen.getNorth(), lng]], { ...line, renderer }).addTo(drawn);
      const x = map.latLngToContainerPoint([seen.getNorth(), lng]).x;
      if (x > BESIDE_ZOOM && x < map.getSize().x - LABEL) label([seen.getNorth(), lng], `${lng.toFixed(digits)}°E`, [-3, -4]);
    }
    for (const lat of every(seen.getSouth(), seen.getNorth())) {
      L.polyline([[lat, seen.getWest()], [lat, seen.getEast()]], { ...line, renderer }).addTo(drawn);
      if (map.latLngToContainerPoint([lat, seen.getEast()]).y > LABEL / 2) label([lat, seen.getEast()], `${lat.toFixed(digits)}°N`, [52, 13]);
    }
  }

  function label(place, text, anchor) {
    const icon = L.divIcon({ className: "graticule-label", html: text, iconSize: null, iconAnchor: anchor });
    L.marker(place, { icon, pane: "graticule", interactive: false, keyboard: false }).addTo(drawn);
  }

  map.on("moveend resize", () => { if (map.hasLayer(drawn)) draw(); });
  drawn.on("add", draw);
  return drawn;
}
