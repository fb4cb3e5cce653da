// The corners of a drawing as a list of coordinates, and a field to put one by its numbers.
import { $, element, say } from "./page.js";
import { corners, without } from "./rings.js";

const MOST = 500;  // rows
const LNG = [70, 140], LAT = [0, 60];  // degrees: China and its seas, with room

export function cornerList(map, { now, isCorner, choose, put, commit, tell }) {
  const list = $("#compose-corner-list"), fold = list.closest("details");

  function fill() {
    const all = corners(now());
    $("#compose-corner-count").textContent = say("cornersCount", { count: all.length });
    $("#compose-finish").disabled = now().growing.length < 3;
    $("#compose-drop").disabled = !now().growing.length;
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
  const within = (value, [least, most]) => value > least && value < most;

  $("#compose-put").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = $("#compose-place"), numbers = field.value.split(/[\s,，;；]+/).filter(Boolean).map(Number);
    if (numbers.length !== 2 || !within(numbers[0], LNG) || !within(numbers[1], LAT)) { tell("badPlace"); field.focus(); return; }
    put(numbers);
    see(numbers);
    field.value = "";
  });
  fold.addEventListener("toggle", fill);
  return { fill };
}
