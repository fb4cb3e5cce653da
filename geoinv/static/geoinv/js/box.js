// Draw a box on the map with the pointer: with Shift, or while the box tool is chosen.

// `wanted(event)` says whether a press starts a box; `drawn(bounds)` hears of it.
export function box(map, { wanted, drawn }) {
  const container = map.getContainer();
  let from = null, frame = null, made = false;

  container.addEventListener("pointerdown", (event) => {
    made = false;
    if (event.button || !event.isPrimary || event.target.closest(".leaflet-control") || !wanted(event)) return;
    event.preventDefault();
    map.dragging.disable();
    from = map.mouseEventToContainerPoint(event);
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", end);
  }, true);

  function move(event) {
    const to = map.mouseEventToContainerPoint(event);
    if (!frame) {
      if (from.distanceTo(to) < 4) return;
      frame = document.createElement("div");
      frame.className = "compose-box";
      container.append(frame);
    }
    Object.assign(frame.style, {
      left: `${Math.min(from.x, to.x)}px`, top: `${Math.min(from.y, to.y)}px`,
      width: `${Math.abs(from.x - to.x)}px`, height: `${Math.abs(from.y - to.y)}px`,
    });
  }

  function up(event) {
    const to = map.mouseEventToContainerPoint(event), start = from;
    made = Boolean(frame);
    end();
    if (made) drawn(L.latLngBounds(map.containerPointToLatLng(start), map.containerPointToLatLng(to)));
  }

  function end() {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", end);
    frame?.remove();
    from = frame = null;
    map.dragging.enable();
  }

  return { get made() { return made; } };  // the click that follows belongs to the box
}
