// A three-way view: what each field was when both began, what I wrote and what they did, with a choice wherever both differ.
import { element, say } from "./page.js";

// `fields` = [{name, title, base, mine, theirs}], each shown as text or as an element; two are the same when their
// `same` values are (the text itself unless told). What one side alone has changed is chosen already; what both have, is not.
export function threeWay(fields, { who, heard = () => {} }) {
  const key = (one, side) => one.keys?.[side] ?? one[side];
  const differing = fields.filter((one) => key(one, "mine") !== key(one, "theirs"));
  const body = element("tbody", {}, ...differing.map(row));
  const table = element("table", { className: "table three-way" },
    element("caption", { className: "unseen", textContent: say("threeWay") }),
    element("thead", {}, element("tr", {}, ...["threeField", "threeBase", "threeMine"].map((word) => element("th", { scope: "col", textContent: say(word) })),
      element("th", { scope: "col", textContent: who }))),
    body);

  function row(one) {
    const preset = key(one, "mine") === key(one, "base") ? "theirs" : key(one, "theirs") === key(one, "base") ? "mine" : null;
    return element("tr", {}, element("th", { scope: "row", textContent: one.title }), element("td", {}, shown(one.base)), choice(one, "mine", preset), choice(one, "theirs", preset));
  }

  function choice(one, side, preset) {
    const box = element("input", { type: "radio", name: `three-${one.name}`, value: side, checked: preset === side });
    box.setAttribute("aria-label", say(side === "mine" ? "takeMine" : "takeTheirs", { field: one.title, who }));
    box.addEventListener("change", () => heard());
    return element("td", {}, element("label", { className: "three-choice" }, box, shown(one[side])));
  }

  return {
    table, count: differing.length,
    // {field: "mine" | "theirs"} of those that are chosen; fields on which both agree are not told.
    chosen: () => Object.fromEntries([...body.querySelectorAll("input:checked")].map((box) => [box.name.slice("three-".length), box.value])),
    // The first choice that is still to be made, or null.
    open: () => [...body.rows].map((one) => [...one.querySelectorAll("input")]).find((boxes) => !boxes.some((box) => box.checked))?.[0] ?? null,
  };
}

const shown = (value) => (value instanceof Node ? value : element("span", { textContent: value || "–" }));
