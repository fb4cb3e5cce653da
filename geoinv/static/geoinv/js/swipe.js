// Two days of the same map beside each other: a second layer of tiles, and a divider that is dragged or moved by keys.
import { $, say } from "./page.js";
import { paintedLayer } from "./painting.js";
import { rules } from "./rules.js";
import { TileSource } from "./tiles.js";

const STEP = 2;       // of a hundred, by one arrow key
const LEAP = 10;

// `swipe(desk)` gives {open(day), close(), shown}; what `day` is null of is today.
export function swipe(desk) {
  const { map, painted, state, told } = desk;
  const room = $("#swipe"), handle = $("#swipe-handle");
  let other = null, share = 50, right = null;

  const left = () => state.asOf ?? say("today");

  function clip() {
    const sides = [painted.layer.getContainer(), other?.layer.getContainer()];
    if (!sides[0] || !sides[1]) return;  // the second is asked for and not yet there
    const size = map.getSize(), nw = map.containerPointToLayerPoint([0, 0]), se = map.containerPointToLayerPoint(size);
    const at = nw.x + (size.x * share) / 100;
    const box = (west, east) => `polygon(${west}px ${nw.y}px, ${east}px ${nw.y}px, ${east}px ${se.y}px, ${west}px ${se.y}px)`;
    sides[0].style.clipPath = box(nw.x, at);
    sides[1].style.clipPath = box(at, se.x);
    for (const one of [handle, $("#swipe-left"), $("#swipe-right")]) one.style.left = `${share}%`;
    handle.setAttribute("aria-valuenow", Math.round(share));
    handle.setAttribute("aria-valuetext", say("swipeAt", { left: left(), right: right ?? say("today"), share: Math.round(share) }));
  }

  function put(to) {
    share = Math.min(100, Math.max(0, to));
    clip();
  }

  function name() {
    $("#swipe-left").textContent = left();
    $("#swipe-right").textContent = right ?? say("today");
  }

  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP }[event.key];
    if (by !== undefined) put(share + by);
    else if (event.key === "Home") put(0);
    else if (event.key === "End") put(100);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const sides = room.getBoundingClientRect();
    put(((event.clientX - sides.left) / sides.width) * 100);
  });
  map.on("move zoom zoomend resize viewreset", clip);
  painted.layer.on("repainted", () => other?.repaint());

  async function open(day) {
    if (other && right === day) { name(); clip(); return; }
    close();
    right = day;
    const sources = told.layers.map((one) => {
      const source = new TileSource(one.id, one.tilejson, { wanted: (tile) => tile.z === other?.zoom(), trouble: () => {}, past: one.kept });
      source.words = day ? `as_of=${day}` : "";
      return source;
    });
    other = paintedLayer(sources, state, rules(state));
    const made = other;
    await Promise.allSettled(sources.map((one) => one.refresh()));
    if (other !== made) return;  // another day was chosen meanwhile
    other.layer.addTo(map);
    other.layer.setZIndex(2);
    room.hidden = false;
    room.dataset.right = day ?? "";
    name();
    other.repaint();
    clip();
  }

  function close() {
    other?.layer.remove();
    other = null;
    room.hidden = true;
    if (painted.layer.getContainer()) painted.layer.getContainer().style.clipPath = "";
  }

  return { open, close, named: () => { if (other) { name(); clip(); } }, get shown() { return other !== null; } };
}
