// The map of another day: a slider over the days of the inventory, marked where something happened, and two days beside each other.
import * as address from "./address.js";
import { askJson } from "./asking.js";
import { $, say, told } from "./page.js";
import { swipe } from "./swipe.js";

const DAY = 24 * 3600 * 1000;
const WAIT = 250;  // milliseconds after the slider's last step before the map is asked for
const WIDTH = 1000, MARK = 3;  // of the marks' drawing
const SVG = "http://www.w3.org/2000/svg";

const daysBetween = (first, last) => Math.round((Date.parse(last) - Date.parse(first)) / DAY);
const dayAfter = (first, days) => new Date(Date.parse(first) + days * DAY).toISOString().slice(0, 10);
const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? "");

// `desk` is what map.js hands on; sets the date by desk.setDate and hears of it by desk.onDate.
export async function asOf(desk) {
  const { state } = desk;
  const tool = $("#tool-date"), bar = $("#asof"), slider = $("#asof-slider"), day = $("#asof-day");
  const both = $("#asof-compare"), second = $("#asof-other"), said = $("#asof-told");
  const sides = swipe(desk);
  let dates = null, waiting = null, against = null;  // against: the day on the right, null where none is compared

  address.keep("against", () => against ?? "");

  async function load() {
    if (dates) return;
    try {
      dates = await askJson(told.dates);
    } catch (trouble) {
      said.textContent = trouble.message;
      return;
    }
    slider.max = daysBetween(dates.first, dates.today);
    for (const input of [day, second]) { input.min = dates.first; input.max = dates.today; }
    const whole = Math.max(1, Number(slider.max));
    $("#asof-marks").replaceChildren(...dates.days.map((one) => {
      const mark = document.createElementNS(SVG, "rect");
      const at = (daysBetween(dates.first, one.day) / whole) * (WIDTH - MARK);
      for (const [name, value] of Object.entries({ x: at, y: 0, width: MARK, height: 10 })) mark.setAttribute(name, value);
      return mark;
    }));
  }

  const chosen = () => state.asOf ?? dates.today;
  const happened = (on) => dates.days.find((one) => one.day === on)?.told ?? "";

  // What the bar says of the day that is chosen.
  function tell(on = chosen()) {
    if (!dates) return;
    slider.value = daysBetween(dates.first, on);
    day.value = on;
    const today = on === dates.today;
    const parts = [today ? say("asofToday", { day: on }) : say("asofDay", { day: on })];
    if (happened(on)) parts.push(happened(on));
    const closed = today ? [] : told.layers.filter((one) => !one.kept).map((one) => one.title);
    if (closed.length) parts.push(say("asofNot", { layers: closed.join(say("comma")) }));
    said.textContent = parts.join(say("asofStop"));
    slider.setAttribute("aria-valuetext", [on, happened(on)].filter(Boolean).join(say("comma")));
    $("#asof-before").disabled = !dates.days.some((one) => one.day < on);
    $("#asof-after").disabled = today;
    document.body.classList.toggle("asof-past", !today);
    const from = against && against < on ? against : on, to = against && against > on ? against : (against ? on : dates.today);
    $("#asof-table").href = `${told.history}?from=${from < to ? from : dayAfter(to, -1)}&to=${to}`;
  }

  async function show(on) {
    clearTimeout(waiting);
    if (!isDay(on)) return;
    const kept = on < dates.first ? dates.first : on > dates.today ? dates.today : on;
    await desk.setDate(kept === dates.today ? null : kept);
  }

  function jump(forward) {
    const on = chosen();
    const found = forward ? dates.days.find((one) => one.day > on) : dates.days.findLast((one) => one.day < on);
    show(found?.day ?? (forward ? dates.today : on));
  }

  async function compare(on) {
    against = isDay(on) ? on : null;
    both.checked = against !== null;
    second.disabled = against === null;
    if (against) second.value = against;
    if (against) await sides.open(dates && against >= dates.today ? null : against);
    else sides.close();
    tell();
    desk.written();
  }

  async function open(yes) {
    bar.hidden = !yes;
    tool.setAttribute("aria-pressed", yes);
    if (yes) { await load(); tell(); return; }
    if (against) await compare(null);
    if (state.asOf) await desk.setDate(null);
  }

  tool.hidden = false;
  tool.addEventListener("click", async () => {
    await open(bar.hidden);
    if (!bar.hidden) slider.focus();
  });
  $("#asof-close").addEventListener("click", async () => { await open(false); tool.focus(); });
  $("#asof-today").addEventListener("click", () => show(dates.today));
  $("#asof-before").addEventListener("click", () => jump(false));
  $("#asof-after").addEventListener("click", () => jump(true));
  slider.addEventListener("input", () => {
    const on = dayAfter(dates.first, Number(slider.value));
    tell(on);
    clearTimeout(waiting);
    waiting = setTimeout(() => show(on), WAIT);
  });
  slider.addEventListener("keydown", (event) => {
    if (event.key !== "PageUp" && event.key !== "PageDown") return;
    event.preventDefault();
    jump(event.key === "PageUp");
  });
  day.addEventListener("change", () => show(day.value));
  both.addEventListener("change", () => compare(both.checked ? (second.value || dates.first) : null));
  second.addEventListener("change", () => { if (both.checked) compare(second.value); });
  bar.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); $("#asof-close").click(); } });
  desk.onDate.push(() => { if (state.asOf && bar.hidden) open(true); else tell(); sides.named(); });

  const first = address.read().params.get("against");
  if (state.asOf || isDay(first)) {
    await open(true);
    if (isDay(first)) await compare(first);
  }
}
