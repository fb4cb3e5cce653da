// The corners of a drawing as a list of coordinates, with the lengths between those that grow.
import * as geodesy from "./geodesy.js";
import { $, element, metres, say } from "./page.js";
import { corners, without } from "./rings.js";

const MOST = 500;  // rows

export function cornerList(map, { now, isCorner, choose, commit }) {
  const list = $("#compose-corner-list"), fold = list.closest("details");

  function fill() {
    const all = corners(now());
    $("#compose-corner-count").textContent = say("cornersCount", { count: all.length });
    const { growing, way } = now(), long = geodesy.length(growing.map(([lng, lat]) => ({ lng, lat })));
    $("#compose-long").textContent = growing.length > 1 ? say("lineLong", { metres: metres(long) }) : "";
    $("#compose-finish").disabled = growing.length < (way === "split" ? 2 : 3);
    $("#compose-drop").disabled = !growing.length;
    list.replaceChildren(...(fold.open ? all.slice(0, MOST).map(row) : []));
  }

  function row([where, corner], number) {
    const [lng, lat] = corner;
    const go = element("button", { type: "button", className: "corner-go", textContent: `${number + 1}. ${lng.toFixed(7)}, ${lat.toFixed(7)}` });
    if (isCorner(corner)) go.append(element("span", { className: "on-corner-mark", textContent: say("onCorner") }));
    go.addEventListener("click", () => { see(corner); choose(where); });
    const drop = element("button", { type: "button", className: "close", ariaLabel: say("cornerRemove", { number: number + 1 }), textContent: "×" });
    drop.addEventListener("click", () => {
      commit(without(now(), where), "cornerGone");
      $(`li:nth-child(${Math.min(number + 1, list.children.length)}) .close`, list)?.focus();
    });
    return element("li", {}, go, drop);
  }

  const see = ([lng, lat]) => { if (!map.getBounds().contains([lat, lng])) map.panTo([lat, lng], { animate: false }); };

  fold.addEventListener("toggle", fill);
  return { fill, see };
}
