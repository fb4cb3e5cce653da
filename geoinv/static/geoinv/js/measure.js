// Measure a length or an area on the map, with the mouse or the keyboard; the server's number follows each point.
import { crosshair } from "./crosshair.js";
import * as geodesy from "./geodesy.js";
import { $, element, exact, metres, say, told } from "./page.js";
import { send } from "./sending.js";

const SAME = 6;  // pixels: a second click so near to the last point ends the measurement
const MU = 10_000 / 15, HECTARE = 10_000;  // square metres

// `begun()` hears that a measurement starts: whoever else takes clicks lets them go.
export function measure(map, begun) {
  const panel = $("#measure"), heard = $("#measure-heard"), buttons = { length: $("#tool-length"), area: $("#tool-area") };
  const pane = map.createPane("measure");
  pane.style.zIndex = 450;
  pane.style.pointerEvents = "none";
  const renderer = L.svg({ pane: "measure" });
  const drawn = L.layerGroup();
  let kind = null, points = [], pointer = null, done = false, answer = null, turn = 0, found = [];
  const closed = () => kind === "area";
  const cross = crosshair(map, (latlng) => { pointer = latlng; tell(); });

  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => (kind === name ? stop() : start(name)));

  function start(name) {
    stop();
    begun();
    kind = name;
    buttons[name].setAttribute("aria-pressed", "true");
    drawn.addTo(map);
    panel.hidden = false;
    map.getContainer().classList.add("measuring");
    found = [map.doubleClickZoom, map.keyboard].filter((one) => one.enabled());
    for (const one of found) one.disable();
    heard.textContent = say(closed() ? "measureArea" : "measureLength");
    tell();
    map.getContainer().focus({ preventScroll: true });
  }

  function stop() {
    if (!kind) return;
    buttons[kind].setAttribute("aria-pressed", "false");
    kind = null;
    points = []; pointer = null; done = false; answer = null;
    turn++;
    cross.hide();
    drawn.clearLayers();
    drawn.remove();
    panel.hidden = true;
    map.getContainer().classList.remove("measuring");
    for (const one of found) one.enable();
    heard.textContent = "";
  }

  function add(latlng) {
    if (done) { points = []; done = false; answer = null; }
    const last = points.at(-1);
    if (last && map.latLngToContainerPoint(last).distanceTo(map.latLngToContainerPoint(latlng)) < SAME) return finish();
    points.push(latlng);
    pointer = null;
    return ask();
  }

  function undo() {
    points.pop();
    done = false;
    ask();
  }

  function finish() {
    done = points.length > 1;
    pointer = null;
    cross.hide();
    tell();
  }

  // The server measures on the same ellipsoid, by the same function as every area of the inventory.
  async function ask() {
    const mine = ++turn, round = closed();
    answer = null;
    tell();
    if (points.length < (round ? 3 : 2)) return;
    try {
      const measured = await send("POST", told.measure, { closed: round, points: points.map((one) => [one.lng, one.lat]) });
      if (mine !== turn) return;
      answer = measured;
    } catch {
      if (mine === turn) answer = null;  // the browser's own number stays, told as one
    }
    tell();
    if (answer) heard.textContent = `${metres(answer.length_m)} m${round && answer.area_m2 != null ? `${say("comma")}${exact(answer.area_m2, 2)} m²` : ""}`;
  }

  function tell() {
    if (!kind) return;
    draw();
    const round = closed(), shown = pointer && !done ? [...points, pointer] : points;
    const exactly = answer && shown.length === points.length;
    const long = exactly ? answer.length_m : geodesy.length(shown, round);
    const rows = [[say(round ? "perimeter" : "length"), `${exactly ? "" : "≈ "}${metres(long)} m`]];
    if (round && shown.length > 2) {
      const area = exactly ? answer.area_m2 : geodesy.area(shown), sign = exactly ? "" : "≈ ";
      if (area === null) rows.unshift([say("area"), say("crossing")]);
      else {
        rows.unshift([say("area"), `${sign}${exact(area, 2)} m²`], ["", `${sign}${exact(exactly ? answer.area_mu : area / MU, 4)} ${say("mu")}`],
          ["", `${sign}${exact(exactly ? answer.area_ha : area / HECTARE, 4)} ${say("hectares")}`]);
      }
    }
    const act = (name, way, idle = false) => {
      const made = element("button", { type: "button", className: "button", textContent: name, disabled: idle });
      made.addEventListener("click", () => { way(); map.getContainer().focus({ preventScroll: true }); });
      return made;
    };
    const shut = element("button", { type: "button", className: "close", ariaLabel: say("close"), textContent: "×" });
    shut.addEventListener("click", () => { stop(); });
    panel.replaceChildren(
      element("header", {}, element("h2", { textContent: say(round ? "measureArea" : "measureLength") }), shut),
      element("dl", { className: "pairs" }, ...rows.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })])),
      element("p", { className: "faint small", textContent: say(exactly ? "measuredBy" : done ? "measuredHere" : "measureHow") }),
      element("p", { className: "acts" }, act(say("finish"), finish, points.length < 2 || done), act(say("undo"), undo, !points.length)));
    panel.dataset.exact = exactly ? "yes" : "no";
  }

  function draw() {
    drawn.clearLayers();
    const style = { renderer, interactive: false, color: "#b13a2c", weight: 2.5 };
    const shown = pointer && !done ? [...points, pointer] : points;
    if (kind === "area" && shown.length > 2) L.polygon(shown, { ...style, fillOpacity: 0.12, dashArray: done ? null : "6 4" }).addTo(drawn);
    else if (shown.length > 1) L.polyline(shown, { ...style, dashArray: done ? null : "6 4" }).addTo(drawn);
    for (const one of points) L.circleMarker(one, { ...style, radius: 4, fillColor: "#fff", fillOpacity: 1 }).addTo(drawn);
  }

  map.on("mousemove", ({ latlng }) => {
    if (!kind || done || cross.shown) return;
    pointer = latlng;
    if (points.length) tell();
  });
  map.on("mouseout", () => { if (kind && pointer && !cross.shown) { pointer = null; tell(); } });
  map.on("mousedown", () => { if (kind) cross.hide(); });
  map.on("dblclick", () => { if (kind && !done) finish(); });
  map.getContainer().addEventListener("keydown", (event) => {
    if (!kind) return;
    if (cross.key(event)) event.preventDefault();
    else if (event.key === "Enter" && event.target === map.getContainer()) {
      event.preventDefault();
      if (cross.shown) add(cross.at); else finish();
    } else if (event.key === "Backspace") { event.preventDefault(); undo(); }
    else if (event.key === "Escape") { event.preventDefault(); stop(); }
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });

  return { stop, get active() { return kind !== null; }, picked(latlng) { if (kind) add(latlng); return kind !== null; } };
}
