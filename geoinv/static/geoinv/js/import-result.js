// What an import does, or did, to the survey: counts that add up, what is wrong by kind, and the rows themselves.
import { KINDS, kindBadge, severityMark, spoken } from "./import-parts.js";
import { rowsTable } from "./import-rows.js";
import { $, count, element, say } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
// rows = taken + changed + unchanged + refused + deleted
const PARTS = ["taken", "changed", "unchanged", "refused", "deleted"];
const FEW = 6;  // groups shown before the rest is unfolded

// `show(number, box)` brings a row to the map, `only(code)` leaves one kind of problem on it.
export function resultView({ show = null, only = () => {}, listed = "rows" } = {}) {
  const rows = rowsTable({ show, filtered: mark, listed });
  let base = "", asked = 0;

  // `about` says how the sentence begins: what would happen, or what did.
  async function fill(result, { address, workbook = null, done = false }) {
    base = address;
    const mine = ++asked;
    tellSum(result, done);
    $("#problems-workbook").hidden = !workbook;
    if (workbook) $("#problems-workbook").href = workbook;
    $("#groups").replaceChildren();
    $("#groups-count").textContent = "";
    const nothing = Boolean(result.already) && !done;  // nothing is done to any row
    $(".groups-part").hidden = $("#rows-part").hidden = nothing;
    if (nothing) return { kinds: {}, severities: {} };
    const counts = await rows.open(base, result.groups);
    if (mine !== asked) return null;
    const groups = rows.groups;
    tellGroups(groups);
    const severities = { error: 0, warning: 0 };
    for (const one of groups) severities[one.severity === "warning" ? "warning" : "error"] += one.count;
    // A later delivery of the same rows takes their problems over: then fewer are told here than rows were refused.
    if (done && severities.error < (result.refused ?? 0)) $("#sum-beside").append(` ${say("sumElsewhere")}`);
    return { kinds: counts?.kind ?? {}, severities };
  }

  function tellSum(result, done) {
    const parts = PARTS.map((name) => [name, result[name] ?? 0]);
    const words = parts.filter(([, number]) => number).map(([name, number]) => say(`sum-${name}`, { count: count(number) }));
    $("#sum").textContent = result.already ? say("sumAlready", { delivery: result.delivery })
      : say(done ? "sumDone" : "sumWould", { rows: count(result.rows), parts: words.join(say("comma")) || say("sumNothing") });
    bar(parts, result.rows);
    $("#sum-parts").replaceChildren(...parts.flatMap(([name, number]) => [
      element("dt", {}, element("span", { className: `swatch part-${name}` }), say(`part-${name}`)), element("dd", { textContent: count(number) }),
    ]));
    const delta = done ? KINDS.filter((kind) => result.delta?.[kind]) : [];  // before the import, the chips above the rows tell it
    $("#delta-told").replaceChildren(...delta.map((kind) => element("li", {}, kindBadge(kind), ` ${count(result.delta[kind])}`)));
    $("#delta-told").hidden = !delta.length;
    const beside = [];
    if (result.gone) beside.push(say(done ? "sumGoneDone" : "sumGone", { count: count(result.gone) }));
    const replaced = (result.gone ?? 0) - (result.delta?.gone ?? result.gone ?? 0);
    if (replaced > 0) beside.push(say("sumReplaced", { count: count(replaced) }));
    const { automatic = 0, accepted = 0, proposed = 0 } = result.repairs ?? {};
    if (automatic) beside.push(say("sumMended", { count: count(automatic) }));
    if (accepted) beside.push(say("sumAccepted", { count: count(accepted) }));
    if (proposed) beside.push(say(done ? "sumProposedDone" : "sumProposed", { count: count(proposed) }));
    if (result.seconds !== undefined && !result.already) beside.push(say("sumSeconds", { seconds: count(Math.round(result.seconds * 10) / 10) }));
    $("#sum-beside").textContent = beside.join(" ");
  }

  function bar(parts, whole) {
    const drawing = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" })) drawing.setAttribute(name, value);
    let at = 0;
    for (const [name, number] of parts) {
      if (!number || !whole) continue;
      const rect = document.createElementNS(SVG, "rect");
      const wide = Math.max((number / whole) * 1000, 4);  // one row of a million is seen too
      for (const [key, value] of Object.entries({ x: at, y: 0, width: wide, height: 10, class: `part-${name}` })) rect.setAttribute(key, value);
      drawing.append(rect);
      at += (number / whole) * 1000;
    }
    $("#sum-bar").replaceChildren(drawing);
    $("#sum-bar").hidden = !whole;
  }

  function tellGroups(groups) {
    const place = $("#groups");
    const errors = groups.filter((one) => one.severity !== "warning").length;
    const all = groups.reduce((sum, one) => sum + one.count, 0);
    $("#groups-count").textContent = groups.length ? say("groupsCount", { problems: count(all), kinds: count(groups.length) }) : "";
    place.replaceChildren(...groups.map(group));
    if (!groups.length) { place.append(element("li", { className: "none", textContent: say("nothingWrong") })); return; }
    const rest = [...place.children].slice(Math.max(FEW, errors));
    if (rest.length < 2) return;
    for (const one of rest) one.hidden = true;
    const more = element("button", { type: "button", className: "button button-plain", textContent: say("groupsMore", { count: count(rest.length) }) });
    more.addEventListener("click", () => { for (const one of rest) one.hidden = false; more.closest("li").remove(); $("button", rest[0])?.focus(); });
    place.append(element("li", {}, more));
  }

  function group(one) {
    const pick = element("button", { type: "button", className: "button group-pick", textContent: say("groupShow") });
    pick.setAttribute("aria-pressed", "false");
    pick.addEventListener("click", () => {
      const on = pick.getAttribute("aria-pressed") !== "true";
      rows.filter({ code: on ? one.code : "" });
      if (on) $("#rows-part").scrollIntoView({ block: "start" });
    });
    const made = element("li", { className: `group group-${one.severity === "warning" ? "warning" : "error"}` },
      element("div", { className: "group-head" }, severityMark(one.severity), element("b", { className: "number", textContent: count(one.count) }), element("span", { textContent: one.sentence }), pick),
      element("p", { className: "small soft" }, one.fix ? element("span", { className: "fix", textContent: say("whatToDo") }) : "", ` ${spoken(one.fix)} `, element("span", { className: "faint code", textContent: one.code })));
    made.dataset.code = one.code;
    return made;
  }

  // A filter was chosen, here or in the table.
  function mark({ code }) {
    for (const one of document.querySelectorAll(".group[data-code] .group-pick")) one.setAttribute("aria-pressed", String(one.closest(".group").dataset.code === code));
    only(code);
  }

  return { fill, sum: (result) => tellSum(result, true), pick: (number) => rows.pick(number) };
}

