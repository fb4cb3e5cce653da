// The sliders of a trial: one row a parameter, with a field for the exact value beside it.
import { $, element, say } from "./page.js";

// `changed(name, text, sliding)` hears of every value; null is that of the set.
export function slides(place, { changed }) {
  const rows = new Map();  // name → {put, reset}

  function fill(params) {
    rows.clear();
    place.replaceChildren(...params.map((param) => {
      const made = row(param, changed);
      rows.set(param.name, made);
      return made.element;
    }));
  }

  return {
    fill,
    put(values) { for (const [name, made] of rows) made.put(values.get(name) ?? null); },
    has: (name) => rows.has(name),
    focus: () => $("input:enabled, select:enabled", place)?.focus(),
  };
}

function row(param, changed) {
  const id = `value-${param.name}`, note = `${id}-note`, shut = param.closed || Boolean(param.follows);
  const field = param.type === "boolean"
    ? element("select", { className: "input" }, ...["true", "false"].map((value) => element("option", { value, textContent: say(value === "true" ? "yes" : "no") })))
    : element("input", { className: "input", type: param.low === undefined ? "text" : "number", autocomplete: "off", spellcheck: false });
  Object.assign(field, { id, disabled: shut, value: param.text });
  field.setAttribute("aria-describedby", note);
  if (field.type === "number") field.step = "any";  // any value may be typed; the slider has the steps
  const back = element("button", { type: "button", className: "close slide-back", textContent: "↺", hidden: true });
  back.setAttribute("aria-label", say("valueBack", { name: param.name }));
  back.title = say("valueBack", { name: param.name });
  let slider = null;
  if (param.low !== undefined) {
    slider = element("input", { type: "range", className: "slider", min: param.low, max: param.high, step: param.step, value: param.text, disabled: shut });
    slider.setAttribute("aria-label", param.title);
    slider.setAttribute("aria-describedby", note);
    slider.addEventListener("input", () => { field.value = snapped(slider.value, param); tell(true); });
    slider.addEventListener("change", () => tell(false));
  }
  field.addEventListener(field.tagName === "SELECT" || field.type === "text" ? "change" : "input", () => tell(false));
  back.addEventListener("click", () => { put(null); changed(param.name, null, false); field.focus(); });

  function tell(sliding) {
    const text = field.value.trim();
    mark(text);
    if (slider && !sliding) slider.value = text;
    changed(param.name, same(text, param) || text === "" ? null : text, sliding);
  }

  function mark(text) {
    const other = text !== "" && !same(text, param);
    made.classList.toggle("moved", other);
    back.hidden = !other;
    if (slider) slider.setAttribute("aria-valuetext", `${text} ${param.uom_title}`.trim());
  }

  function put(text) {
    field.value = text ?? param.text;
    if (slider) slider.value = field.value;
    mark(field.value);
  }

  const rules = param.rules.map((rule) => rule.title).join(say("comma"));
  const why = param.follows ? say("valueFollows", { formula: param.follows }) : param.closed ? say("valueClosed") : "";
  const made = element("li", { className: `slide${shut ? " shut" : ""}` },
    element("label", { htmlFor: id, textContent: param.title, title: param.note }),
    element("span", { className: "code faint", textContent: param.name }),
    slider ? element("span", { className: "slider-place" }, slider) : null,
    element("span", { className: "slide-field" }, field, param.uom_title ? element("span", { className: "uom", textContent: param.uom_title }) : null, back),
    element("p", { className: "slide-note", id: note, textContent: `${say("valueWas", { value: `${param.text} ${param.uom_title}`.trim() })} ${rules}` }),
    why ? element("p", { className: "slide-why", textContent: why }) : null);
  if (slider) {
    const [low, high] = [Number(param.low), Number(param.high)];
    slider.parentElement.style.setProperty("--was", (Number(param.text) - low) / (high - low));
  }
  mark(param.text);
  return { element: made, put };
}

// A slider counts in floats: 0.30000000000000004 is 0.3.
const snapped = (value, param) => String(Number(Number(value).toFixed(param.decimals)));
const same = (text, param) => (param.low === undefined ? text === param.text : text !== "" && Number(text) === Number(param.text));
