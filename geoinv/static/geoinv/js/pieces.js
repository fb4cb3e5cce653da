// The pieces that a line has parted from the shape: as a list beside the map, with a number on each.
import * as geodesy from "./geodesy.js";
import { $, element, say, squareMetres } from "./page.js";

// On the ellipsoid, by the browser: the server says it once more when the piece is worked at.
const areaOf = (shape) => shape.reduce((sum, [outer, ...holes]) => sum + ring(outer) - holes.reduce((less, hole) => less + ring(hole), 0), 0);
const ring = (corners) => geodesy.area(corners.map(([lng, lat]) => ({ lng, lat })));

// `does` = {take(number), merge(number), drop(number)}.
export function pieces(map, does) {
  const place = $("#compose-pieces"), list = $("ol", place), numbers = L.layerGroup();
  let before = null;

  function fill({ aside }) {
    if (aside === before) return;
    before = aside;
    place.hidden = !aside.length;
    const held = document.activeElement?.closest?.("#compose-pieces") && document.activeElement.dataset.does;
    list.replaceChildren(...aside.map((shape, number) => {
      const act = (word, ariaLabel, way) => {
        const made = element("button", { type: "button", className: "button", textContent: say(word), ariaLabel });
        made.dataset.does = word;
        made.addEventListener("click", () => way(number));
        return made;
      };
      return element("li", {}, element("span", { className: "piece-number", textContent: String(number + 1) }), element("span", { textContent: squareMetres(areaOf(shape)) }),
        element("span", { className: "piece-acts" },
          act("pieceTake", say("pieceTakeLong", { number: number + 1 }), does.take),
          act("pieceMerge", say("pieceMergeLong", { number: number + 1 }), does.merge),
          act("pieceDrop", say("pieceDropLong", { number: number + 1 }), does.drop)));
    }));
    if (held) ($(`[data-does=${held}]`, list) ?? $("#compose-title")).focus();
    numbers.clearLayers();
    aside.forEach((shape, number) => {
      const middle = L.polygon(shape[0].map((one) => one.map(([lng, lat]) => [lat, lng]))).getBounds().getCenter();
      L.marker(middle, { interactive: false, keyboard: false, pane: "compose", icon: L.divIcon({ className: "piece-mark", html: String(number + 1), iconSize: [22, 22] }) }).addTo(numbers);
    });
  }

  return { fill, show() { before = null; numbers.addTo(map); }, hide() { before = null; numbers.clearLayers(); numbers.remove(); place.hidden = true; } };
}
