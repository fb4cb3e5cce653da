// The theme of the map: a measure in classes, whose legend counts them and narrows map and list.
import { keep } from "./address.js";
import { askJson } from "./asking.js";
import { $, count, element, exact, say, told } from "./page.js";
import { named, ordered } from "./ramps.js";
import { state } from "./state.js";
import { HATCH } from "./thematic.js";

const NOBODY = " ";

// `changed(repaint)` hears that the map has to be painted again; `narrowed()` that the list has to be asked again.
export function choropleth({ changed, narrowed }) {
  const place = $("#theme"), measure = $("#theme-measure"), method = $("#theme-method"), number = $("#theme-number");
  let turn = 0, wanted = null;  // {measure, method, number, off: Set of signs}

  keep("theme", () => (wanted ? [wanted.measure, wanted.method, wanted.number].join(":") : ""));
  keep("class", () => (filtered() ? shownSigns().join() : ""));

  for (const one of [measure, method, number]) {
    one.addEventListener("change", () => {
      const was = wanted;
      wanted = measure.value ? { measure: measure.value, method: method.value, number: number.value, off: null } : null;
      if (was && wanted && was.measure !== wanted.measure) state.theme = null;
      load();
    });
  }
  $("#theme-all").addEventListener("click", () => { all(); });
  $("#theme-off").addEventListener("click", () => { off(); measure.focus(); });

  const signs = () => (state.theme ? [...state.theme.data.classes.map((_one, i) => String(i)), "?", ...(state.theme.data.closed ? ["-"] : [])] : []);
  const shownSigns = () => signs().filter((sign) => state.theme.on.has(sign) && sign !== "-");
  const filtered = () => Boolean(state.theme) && signs().some((sign) => sign !== "-" && !state.theme.on.has(sign));

  function off() {
    wanted = null;
    measure.value = "";
    load();
  }

  function all() {
    if (!state.theme) return;
    state.theme.on = new Set(signs());
    tell();
    changed();
    narrowed();
  }

  // Ask for the classes of what is chosen; `keepOff`: the same measure again, so what was hidden stays hidden.
  async function load(chosen = null) {
    const mine = ++turn;
    arrange();
    if (!wanted) {
      const was = filtered();
      state.theme = null;
      tell();
      changed();
      if (was) narrowed();
      return;
    }
    place.setAttribute("aria-busy", "true");
    const words = { measure: wanted.measure, method: wanted.method, classes: wanted.number };
    if (state.criteria) words.criteria = state.criteria;
    let data;
    try {
      data = await askJson(`${told.theme.values}?${new URLSearchParams(words)}`);
    } catch (trouble) {
      if (mine !== turn) return;
      state.theme = null;
      place.setAttribute("aria-busy", "false");
      tell(trouble.message || say("noAnswer"));
      changed();
      return;
    }
    if (mine !== turn) return;
    const was = filtered();
    state.theme = themed(data, chosen ?? wanted.off);
    wanted.off = null;
    place.setAttribute("aria-busy", "false");
    tell();
    changed();
    if (was || filtered()) narrowed();
  }

  function arrange() {
    $("#theme-how").hidden = !wanted;
    const one = measure.selectedOptions[0];
    for (const select of [method, number]) select.disabled = Boolean(one) && one.dataset.type !== "number";
  }

  // The legend of the theme: each class a box, a swatch, its values and how many there are.
  function tell(trouble = null) {
    $("#theme-trouble").hidden = !trouble;
    if (trouble) $("#theme-trouble").textContent = trouble;
    const rows = $("#theme-classes"), theme = state.theme;
    $("#legend").classList.toggle("themed", Boolean(theme));
    $("#theme-table").href = theme ? `${told.theme.table}?${new URLSearchParams({ measure: theme.data.measure.name, method: theme.data.method, classes: wanted.number, criteria: theme.criteria, ...(filtered() ? { class: shownSigns().join() } : {}) })}` : "";
    $("#theme-all").hidden = !filtered();
    $("#theme-foot").hidden = !theme;
    if (!theme) { rows.replaceChildren(); return; }
    const kept = document.activeElement?.closest?.("#theme-classes") ? document.activeElement.dataset.key : null;
    rows.replaceChildren(...signs().map((sign) => row(sign)));
    if (kept) $(`[data-key="${CSS.escape(kept)}"]`, rows)?.focus();
    const about = theme.data.measure;
    $("#theme-definition").textContent = about.definition;
    $("#theme-source").textContent = say(about.type === "number" ? "themeSource" : "themeSourceOnly", { source: about.source });
  }

  function row(sign) {
    const theme = state.theme, one = sign === "?" ? theme.data.unknown : sign === "-" ? { count: theme.data.closed } : theme.data.classes[sign];
    const title = titleOf(sign);
    const box = element("input", { type: "checkbox", autocomplete: "off", checked: theme.on.has(sign) });
    box.dataset.key = `box ${sign}`;
    box.dataset.class = sign;
    box.addEventListener("change", () => {
      theme.on[box.checked ? "add" : "delete"](sign);
      if (!shownSigns().length) theme.on = new Set(signs());  // an empty map tells nothing: all of them again
      tell();
      changed();
      narrowed();
    });
    const only = element("button", { type: "button", className: "theme-only", textContent: say("themeOnly"), title: say("themeOnlyThis", { title }) });
    only.setAttribute("aria-label", say("themeOnlyThis", { title }));
    only.dataset.key = `only ${sign}`;
    only.addEventListener("click", () => {
      const alone = theme.on.has(sign) && shownSigns().length === 1;
      theme.on = new Set(alone ? signs() : [sign]);
      tell();
      changed();
      narrowed();
    });
    const land = one.hectares === undefined ? "" : `${exact(one.hectares, one.hectares < 10 ? 2 : 0)} ${say("hectares")}`;
    return element("li", { className: "theme-class" },
      element("label", { className: "legend-row" }, box, swatch(sign),
        element("span", { className: "theme-range", textContent: title }), element("span", { className: "count", textContent: count(one.count), title: land })),
      sign === "-" ? null : only);
  }

  // The values of a class in words: those that occur in it, or of equal steps its bounds.
  function titleOf(sign) {
    if (sign === "?") return say("themeUnknown");
    if (sign === "-") return say("themeClosed");
    const { data } = state.theme, one = data.classes[sign], { decimals, uom } = data.measure;
    if (data.measure.type !== "number") return one.title;
    const write = (value) => exact(value, Math.min(decimals, state.theme.decimals));
    const unit = uom ? ` ${uom}` : "";
    if (data.method === "equal" && data.classes.length > 1) {
      return one.low === null ? `≤ ${write(one.high)}${unit}` : `${write(one.low)} < … ≤ ${write(one.high)}${unit}`;
    }
    if (one.least === one.most) return `${write(one.least)}${unit}`;
    return `${write(one.least)} – ${write(one.most)}${unit}`;
  }

  function swatch(sign) {
    const made = element("span", { className: "swatch swatch-class" }), ink = state.theme.inks[sign];
    if (!ink) { made.classList.add(`swatch-hatch-${HATCH[sign][0]}`); return made; }
    made.style.backgroundColor = ink.fill;
    made.append(element("span", { className: "swatch-number", textContent: String(Number(sign) + 1) }));  // as on the map
    if (ink.pattern) made.classList.add(`swatch-over-${ink.pattern}`, ...(ink.dark ? ["on-dark"] : []));
    else if (ink.dark) made.classList.add("on-dark");
    return made;
  }

  return {
    // As the address says.
    follow(params) {
      const [name, how, many] = (params.get("theme") ?? "").split(":");
      measure.disabled = Boolean(state.asOf);
      const option = state.asOf ? null : [...measure.options].find((one) => one.value && one.value === name);
      const before = wanted && [wanted.measure, wanted.method, wanted.number].join(":");
      if (!option) { if (wanted) off(); return; }
      measure.value = name;
      if ([...method.options].some((one) => one.value === how)) method.value = how;
      if ([...number.options].some((one) => one.value === many)) number.value = many;
      wanted = { measure: name, method: method.value, number: number.value, off: null };
      const chosen = params.get("class") ? new Set(params.get("class").split(",")) : null;
      if (before === [wanted.measure, wanted.method, wanted.number].join(":") && state.theme) {
        state.theme.on = onOf(state.theme.data, chosen);
        tell();
        changed();
        return;
      }
      load(chosen ?? new Set());
    },
    again() { if (wanted) load(filtered() ? new Set(shownSigns()) : null); },
    all,
    // Of an earlier day nothing is kept that was measured: then there is no theme to choose.
    shut(yes) {
      measure.disabled = yes;
      if (yes && wanted) off();
    },
    // What the list is narrowed by besides its own filters.
    query() {
      return filtered() ? { measure: state.theme.data.measure.name, method: state.theme.data.method, classes: wanted.number, class: shownSigns().join() } : {};
    },
    get filtered() { return filtered(); },
    // For the print: {title, rows: [[swatch, title, count]]} of what is shown.
    legend() {
      if (!state.theme) return null;
      return { title: state.theme.data.measure.title, rows: signs().filter((sign) => state.theme.on.has(sign)).map((sign) => [swatch(sign), titleOf(sign), (sign === "?" ? state.theme.data.unknown : sign === "-" ? { count: state.theme.data.closed } : state.theme.data.classes[sign]).count]) };
    },
    titleOf,
  };
}

// {data, criteria, inks: {sign: ink}, on, sign(number of a flag)}
function themed(data, chosen) {
  const colours = data.measure.type === "number" ? ordered(data.classes.length) : named(data.classes.length);
  const runs = data.packed.map(([first, signs]) => ({ first, signs, last: first + signs.length - 1 }));
  function sign(fid) {
    let low = 0, high = runs.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1, run = runs[middle];
      if (fid < run.first) high = middle - 1;
      else if (fid > run.last) low = middle + 1;
      else return run.signs[fid - run.first] === NOBODY ? null : run.signs[fid - run.first];
    }
    return null;
  }
  // As many decimals as the bounds need, the same for all of them.
  const bounds = data.classes.flatMap((one) => (data.method === "equal" ? [one.low, one.high] : [one.least, one.most])).filter((one) => one !== null);
  const decimals = Math.max(0, ...bounds.map((one) => String(Number(one.toFixed(data.measure.decimals))).split(".")[1]?.length ?? 0));
  return { data, decimals, criteria: data.criteria, inks: Object.fromEntries(colours.map((one, i) => [String(i), one])), on: onOf(data, chosen), sign };
}

function onOf(data, chosen) {
  const every = [...data.classes.map((_one, i) => String(i)), "?", "-"];
  const those = chosen ? every.filter((sign) => chosen.has(sign)) : [];
  return new Set(those.length ? those : every);
}
