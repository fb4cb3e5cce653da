// The lists beside the map: what is judged, and the registers; narrowed by filters and, when wanted, by the view.
import { keep } from "./address.js";
import { askJson } from "./asking.js";
import { $, $$, count, element, say, signInLink, told } from "./page.js";
import { registerRow, subjectRow } from "./rows.js";
import { state } from "./state.js";

const PAUSE = 250;  // milliseconds without a movement of the map before the list follows
const NARROW = { street: "streets", rule: "rules", owner: "owners" };  // filter → its choices in the overview

// `choose(of, item)` hears which row was chosen; `changed()` that the address has to be written; `streetChosen(code)`.
// `theme` narrows the judged subjects besides: {query(), filtered, all()}.
export function list(map, { choose, changed, theme, streetChosen }) {
  const place = $("#list"), kind = $("#list-of"), inView = $("#in-view"), filters = $$("[data-filter]");
  const allKinds = [...$("#kind").options].slice(1).map((one) => ({ id: one.value, title: one.textContent }));
  const first = Object.fromEntries(told.lists.map((of) => [of, of === "candidates" ? "candidate" : ""]));
  const tab = { ...first };
  let turn = 0, selected = null, timer = 0, shown = 0, overview = null;

  kind.addEventListener("change", () => { arrange(); changed(); load(); });
  inView.addEventListener("change", () => { changed(); load(); });
  for (const one of filters) {
    one.addEventListener("change", () => {
      if (one.id === "street" && one.value) streetChosen(one.value);
      changed();
      load();
    });
  }
  for (const one of $$("[data-tab]")) {
    one.addEventListener("click", () => { tab[of()] = one.dataset.tab; arrange(); changed(); load(); });
  }
  $("#list-reset").addEventListener("click", () => { for (const one of filters) one.value = ""; inView.checked = false; if (theme.filtered) theme.all(); changed(); load(); });
  map.on("moveend", () => {
    if (!inView.checked) return;
    clearTimeout(timer);
    timer = setTimeout(load, PAUSE);
  });
  place.addEventListener("keydown", walk);

  const of = () => kind.value;
  const used = () => filters.filter((one) => one.value && one.closest("[data-for]").dataset.for.split(" ").includes(of()));
  keep("list", () => (of() === "candidates" ? "" : of()));
  keep("tab", () => (tab[of()] === first[of()] ? "" : tab[of()]));
  for (const one of filters) keep(one.dataset.filter, () => (used().includes(one) ? one.value : ""));
  keep("view", () => (inView.checked ? "1" : ""));

  // As the address says.
  function follow(params) {
    kind.value = told.lists.includes(params.get("list")) ? params.get("list") : told.lists[0];
    const wanted = params.get("tab");
    tab[of()] = $(`[data-tabs=${of()}] [data-tab="${CSS.escape(wanted ?? "")}"]`) && wanted !== null ? wanted : first[of()];
    for (const one of filters) {
      const value = params.get(one.dataset.filter) ?? "";
      // The choices may not have come yet; one that is none of them is dropped when they do.
      if (value && ![...one.options].some((option) => option.value === value)) one.append(element("option", { value, textContent: value }));
      one.value = value;
    }
    inView.checked = params.get("view") === "1";
    arrange();
  }

  // Which tabs and filters belong to the list that is shown.
  function arrange() {
    for (const group of $$("[data-tabs]")) group.hidden = group.dataset.tabs !== of();
    for (const label of $$("[data-for]")) {
      label.hidden = !label.dataset.for.split(" ").includes(of()) || $("select", label).options.length < 2;
    }
    for (const one of $$(`[data-tabs=${of()}] [data-tab]`)) one.setAttribute("aria-pressed", one.dataset.tab === tab[of()]);
    $("#list-findings").hidden = of() !== "findings";
  }

  function query(more = {}) {
    const values = Object.fromEntries(used().map((one) => [one.dataset.filter, one.value]));
    if (inView.checked) values.bbox = map.getBounds().toBBoxString();
    if (state.asOf) values.as_of = state.asOf;
    if (of() === "candidates") {
      values.outcome = tab.candidates;
      if (state.criteria) values.criteria = state.criteria;
      Object.assign(values, theme.query());
    } else {
      values.of = of();
      if (tab[of()]) values.part = tab[of()];
    }
    return new URLSearchParams({ ...values, ...more });
  }

  async function load(after = null) {
    const mine = ++turn, begins = typeof after !== "string", listed = of();
    place.setAttribute("aria-busy", "true");
    $("#list-table").href = `${listed === "candidates" ? told.table : told.registersTable}?${query()}`;
    $("#list-reset").hidden = !used().length && !inView.checked && !(listed === "candidates" && theme.filtered);
    const layer = told.layers.find((one) => one.id === listed);
    if (state.asOf && layer && !layer.kept) {
      place.replaceChildren(element("li", { className: "list-empty", textContent: say("pastNotKept", { layer: layer.title }) }));
      place.setAttribute("aria-busy", "false");
      $("#list-told").textContent = "";
      return;
    }
    try {
      const page = await askJson(`${listed === "candidates" ? told.candidates : told.registers}?${query(begins ? {} : { after })}`);
      if (mine !== turn) return;  // another filter was chosen meanwhile
      if (begins) { place.replaceChildren(); place.scrollTop = 0; shown = 0; tellCounts(listed, page.counts); }
      const ends = $$(".more, .list-empty", place).map((one) => one.closest("li"));
      const focused = ends.some((one) => one.contains(document.activeElement));
      for (const one of ends) one.remove();
      const rows = put(listed, page.items, page.next);
      if (focused) rows[0]?.firstChild.focus();
    } catch (trouble) {
      if (mine !== turn) return;
      // Rows of another filter would be taken for the answer to this one.
      if (begins) { place.replaceChildren(); place.scrollTop = 0; $("#list-told").textContent = ""; }
      $(".list-empty", place)?.remove();
      const again = element("button", { type: "button", className: "button", textContent: say("again") });
      again.addEventListener("click", () => load(after));
      place.append(element("li", { className: "list-empty" },
        element("p", { role: "alert", textContent: trouble.message || say("noAnswer") }), trouble.signedOut ? signInLink() : again));
    } finally {
      if (mine === turn) place.setAttribute("aria-busy", "false");
    }
  }

  // Rows below those that are there, and the way to further ones.
  function put(listed, items, next) {
    const rows = items.map((item) => row(listed, item));
    place.append(...rows);
    shown += rows.length;
    if (!shown) place.append(element("li", { className: "list-empty", textContent: say("noneHere") }));
    if (next) {
      const more = element("button", { type: "button", className: "button more", textContent: say("more") });
      more.addEventListener("click", () => load(next));
      place.append(element("li", {}, more));
    }
    tellShown(listed);
    mark();
    return rows;
  }

  // The data changed behind what is shown: the same rows anew, as many, and the reader stays where he was.
  async function reload() {
    if (place.getAttribute("aria-busy") === "true" || !shown) return load();
    const mine = ++turn, listed = of(), items = [];
    let counts, next = null;
    try {
      do {
        const page = await askJson(`${listed === "candidates" ? told.candidates : told.registers}?${query(next ? { after: next } : {})}`);
        if (mine !== turn) return undefined;
        counts ??= page.counts;
        items.push(...page.items);
        next = page.next;
      } while (next && items.length < shown);
    } catch {
      return undefined;  // what is there stays; one looks again within a minute
    }
    const top = place.scrollTop, held = place.contains(document.activeElement) ? document.activeElement : null;
    place.replaceChildren();
    shown = 0;
    tellCounts(listed, counts);
    const rows = put(listed, items, next).map((one) => one.firstChild);
    if (held) (rows.find((one) => one.dataset.code === held.dataset.code) ?? $(".more", place) ?? rows[0])?.focus({ preventScroll: true });
    if (place.offsetParent) place.scrollTop = top;
    return undefined;
  }

  function row(listed, item) {
    const made = listed === "candidates" ? subjectRow(item) : registerRow(listed, item);
    made.addEventListener("click", () => choose(listed, item));
    return element("li", {}, made);
  }

  function tellCounts(listed, counts) {
    let all = 0;
    for (const number of Object.values(counts)) all += number;
    for (const one of $$(`[data-tabs=${listed}] [data-tab]`)) {
      const number = one.dataset.tab ? counts[one.dataset.tab] ?? 0 : all;
      $(".count", one).textContent = count(number);
      if (listed !== "candidates" && one.dataset.tab) one.hidden = !number && one.dataset.tab !== tab[listed];
    }
  }

  function tellShown(listed) {
    const all = $(`[data-tabs=${listed}] [aria-pressed=true] .count`)?.textContent ?? count(shown);
    const told = say(inView.checked ? "shownInView" : "shownOf", { shown: count(shown), all });
    $("#list-told").textContent = listed === "candidates" && theme.filtered ? `${told} · ${say("themeNarrows")}` : told;
  }

  // Arrows lead from row to row; past the last one the next page is fetched.
  function walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], rows = $$(".list-row, .more", place);
    if (!step && event.key !== "Home" && event.key !== "End") return;
    const at = rows.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    const next = step ? rows[at + step] : event.key === "Home" ? rows[0] : rows.at(-1);
    next?.focus();
    if (next?.classList.contains("more")) next.click();
  }

  function mark() {
    for (const one of $$(".list-row", place)) {
      if (one.dataset.code === selected) one.setAttribute("aria-current", "true"); else one.removeAttribute("aria-current");
    }
  }

  // The choices of the filters, of the set that is shown; each with its number.
  function fill(news = overview) {
    overview = news;
    const narrow = overview?.narrow[state.criteria] ?? {};
    const choices = Object.fromEntries(Object.entries(NARROW).map(([filter, name]) => [filter, narrow[name] ?? []]));
    choices.state = overview?.states ?? [];
    const kinds = overview?.groups["control-areas"]?.kind ?? {};
    choices.part = allKinds.filter((one) => kinds[one.id]).map((one) => ({ ...one, count: kinds[one.id] }));
    for (const [filter, rows] of Object.entries(choices)) {
      const select = $(`[data-filter=${filter}]`), kept = select.value;
      select.replaceChildren(select.options[0], ...rows.map((one) => element("option", {
        value: one.id, textContent: one.count === undefined ? one.title : `${one.title} ${count(one.count)}`,
      })));
      select.value = rows.some((one) => one.id === kept) ? kept : "";
    }
    arrange();
  }

  return {
    load, reload, fill, follow,
    shows: (layers) => layers.includes(of()) || (of() === "candidates" && layers.includes("parcels")),
    select(code) { selected = code; mark(); },
    street(code) { $("#street").value = code; if ($("#street").value !== code) $("#street").value = ""; changed(); load(); },
    focus() { ($('.list-row[aria-current="true"]', place) ?? $("#search")).focus(); },
  };
}
