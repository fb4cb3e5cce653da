// What a trial changes, as tables of counts and hectares and as rows of a list.
import { count, element, exact, say, squareMetres, told } from "./page.js";

const DECIMALS = 4;  // a hectare to the square metre
export const hectares = (area) => exact(area, DECIMALS);
const SIDES = ["before", "after", "in", "out"];
const ORDER = ["candidate", "undecided", "exempted", "excluded", "not_low"];

export const badge = (outcome) => element("span", { className: `badge badge-${outcome}`, textContent: told.outcomes[outcome] ?? outcome });

export function tables(answer) {
  const outcomes = ORDER.map((name) => ({
    head: badge(name),
    subjects: Object.fromEntries(SIDES.map((side) => [side, answer.counts[side][name]])),
    hectares: Object.fromEntries(SIDES.map((side) => [side, answer.hectares[side][name]])),
  }));
  const of = (rows, head) => rows.map((row) => ({ ...row, head: element("span", { textContent: head(row) }) }));
  return [
    table(say("byOutcome"), say("columnOutcome"), outcomes),
    table(say("byCategory"), say("columnCategory"), of(answer.by_category, (row) => told.categories[row.category] ?? say("unknownCategory"))),
    table(say("byStreet"), say("columnStreet"), of(answer.by_street, (row) => row.name || say("noStreet"))),
    ways(answer),
    element("p", { className: "faint small", textContent: say("landOnce") }),
  ];
}

function table(title, first, rows) {
  if (!rows.length) return element("p", { className: "faint small", textContent: `${title}: ${say("noneHere")}` });
  const head = [first, say("columnBefore"), say("columnAfter"), say("columnIn"), say("columnOut")];
  return element("table", { className: "table whatif-table" },
    element("caption", {}, title, element("small", { className: "faint", textContent: ` ${say("countAndHectares")}` })),
    element("thead", {}, element("tr", {}, ...head.map((text, i) => element("th", { scope: "col", textContent: text, className: i ? "end" : "" })))),
    element("tbody", {}, ...rows.map((row) => element("tr", {},
      element("th", { scope: "row" }, row.head),
      ...SIDES.map((side) => element("td", { className: `end${(side === "in" || side === "out") && !row.subjects[side] ? " faint" : ""}` },
        element("b", { textContent: sign(side, row.subjects[side]) + count(row.subjects[side]) }),
        element("small", { textContent: hectares(row.hectares[side]) })))))));
}

const sign = (side, number) => (!number ? "" : side === "in" ? "▲ " : side === "out" ? "▼ " : "");

function ways(answer) {
  if (!answer.changes.length && !answer.other_rules) return element("p", { className: "faint small", textContent: say("nothingChanges") });
  const rows = answer.changes.map((row) => element("tr", {},
    element("th", { scope: "row" }, badge(row.from), " → ", badge(row.to)),
    element("td", { className: "end" }, element("b", { textContent: count(row.subjects) }),
      row.buildings ? element("small", { textContent: say("ofThemBuildings", { count: count(row.buildings) }) }) : null),
    element("td", { className: "end", textContent: `${hectares(row.hectares)} ${say("hectares")}` })));
  if (answer.other_rules) {
    rows.push(element("tr", {}, element("th", { scope: "row", textContent: say("way-rules") }),
      element("td", { className: "end" }, element("b", { textContent: count(answer.other_rules) })), element("td", {})));
  }
  return element("table", { className: "table whatif-table" }, element("caption", { textContent: say("byChange") }), element("tbody", {}, ...rows));
}

const SIGNS = { in: "▲", out: "▼", other: "◆", rules: "=" };

export function changeRow(item, choose) {
  const gained = item.fired_after.filter((one) => !item.fired_before.includes(one)).map((one) => `+ ${one}`);
  const lost = item.fired_before.filter((one) => !item.fired_after.includes(one)).map((one) => `− ${one}`);
  const made = element("button", { type: "button", className: `list-row change-${item.way}` },
    element("span", { className: "change-sign", textContent: SIGNS[item.way], title: say(`way-${item.way}`) }),
    element("span", { className: "code", textContent: item.code }),
    element("span", { className: "area", textContent: squareMetres(item.area_m2) }),
    element("span", { className: "where" }, badge(item.from), item.from === item.to ? "" : " → ", item.from === item.to ? "" : badge(item.to)),
    element("span", { className: "where marks", textContent: [item.kind === "building" ? say("aBuilding") : "", told.categories[item.category] ?? say("unknownCategory"), item.street, item.address].filter(Boolean).join(" · ") }),
    element("span", { className: "where marks", textContent: [...gained, ...lost].join(" · ") }));
  made.dataset.code = item.code;
  made.addEventListener("click", () => choose(item));
  return element("li", {}, made);
}
