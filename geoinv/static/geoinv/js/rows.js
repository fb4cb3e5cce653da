// One row of a list: a judged subject, or an entry of a register.
import { element, say, squareMetres, told } from "./page.js";

const stripe = (name) => element("span", { className: `stripe ${name}` });

export function subjectRow(item) {
  const marks = item.outcome === "undecided"
    ? [say("missing", { count: item.missing.length })]
    : item.fired.length ? [item.fired.join(say("comma"))] : [];
  if (item.kind === "building") marks.unshift(say("aBuilding"));
  const made = element("button", { type: "button", className: `list-row outcome-${item.outcome}` },
    stripe(`category-${item.category || "unknown"}`),
    element("span", { className: "code", textContent: item.code }),
    element("span", { className: "area", textContent: squareMetres(item.area_m2) }),
    element("span", { className: "where", textContent: item.address || say("noAddress") }),
    element("span", { className: "where marks", textContent: [told.categories[item.category] ?? say("unknownCategory"), ...marks].join(" · ") }));
  made.dataset.code = item.code;
  return made;
}

const REGISTERS = {
  units: (item) => [`unit-${item.state}`, item.name || item.code, squareMetres(item.area_m2), item.code, item.part_title],
  legacy: (item) => [`legacy-${item.state}`, item.code, squareMetres(item.area_m2), item.name || say("noAddress"), item.part_title],
  "control-areas": (item) => [`control-${item.kind}`, item.name || item.part_title, squareMetres(item.area_m2), item.part_title, [item.code, item.edition, item.use].filter(Boolean).join(" · ")],
  findings: (item) => [`finding-${item.severity}`, item.title, item.part_title, item.sentence, [...(item.title === item.code ? [] : [item.code]), ...item.subjects].join(" · ")],
};

export function registerRow(of, item) {
  const [swatch, title, right, where, marks] = REGISTERS[of](item);
  const made = element("button", { type: "button", className: `list-row list-row-${of}` },
    stripe(swatch),
    element("span", { className: "code", textContent: title }),
    element("span", { className: "area", textContent: right }),
    element("span", { className: "where", textContent: where, title: where }),
    element("span", { className: "where marks", textContent: marks }));
  made.dataset.code = of === "findings" ? item.identity : of === "control-areas" ? String(item.fid) : item.code;
  if (!item.box) made.append(element("span", { className: "where marks", textContent: say("noPlace") }));
  return made;
}
