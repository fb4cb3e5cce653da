// A crosshair on the map for hands on the keyboard: arrows move it, and it does what a click would do.
const STEP = 16, FINE = 1, FAR = 96;  // screen pixels: an arrow, with Shift, with Ctrl
const RIM = 40;                       // nearer to the map's rim the map follows

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `moved(latlng)` hears where it is; it is seen only while the keyboard is used.
export function crosshair(map, moved) {
  const marker = L.marker(map.getCenter(), {
    icon: L.divIcon({ className: "compose-crosshair", iconSize: [32, 32] }), interactive: false, keyboard: false, zIndexOffset: 1000,
  });
  let shown = false;

  function show() {
    if (shown) return;
    shown = true;
    if (!map.getBounds().pad(-0.02).contains(marker.getLatLng())) marker.setLatLng(map.getCenter());
    marker.addTo(map);
  }

  function hide() {
    shown = false;
    marker.remove();
  }

  function go(latlng) {
    show();
    marker.setLatLng(latlng);
    const at = map.latLngToContainerPoint(latlng), size = map.getSize();
    const over = L.point(
      at.x < RIM ? at.x - size.x / 2 : at.x > size.x - RIM ? at.x - size.x / 2 : 0,
      at.y < RIM ? at.y - size.y / 2 : at.y > size.y - RIM ? at.y - size.y / 2 : 0,
    );
    if (over.x || over.y) map.panBy(over, { animate: false });
    moved(marker.getLatLng());
  }

  return {
    show, hide, go,
    get shown() { return shown; },
    get at() { return marker.getLatLng(); },
    // True when the key was an arrow.
    key(event) {
      const way = ARROWS[event.key];
      if (!way) return false;
      const step = event.shiftKey ? FINE : event.ctrlKey || event.metaKey ? FAR : STEP;
      show();
      const here = map.latLngToContainerPoint(marker.getLatLng());
      go(map.containerPointToLatLng(here.add(L.point(way[0] * step, way[1] * step))));
      return true;
    },
  };
}
