// The rows of an import as a table: page by page, narrowed by filters, each unfolding what changes and what is wrong.
import { askJson } from "./asking.js";
import { KINDS, kindBadge, named, severityMark, spoken } from "./import-parts.js";
import { $, count, element, say, signInLink } from "./page.js";

const PAUSE = 300;   // milliseconds without a key before the search is asked
const SHORT = 24;    // letters of an identifier that is not broken
const NAMED = 3;     // codes that a row spells out

// `show(number, box)` brings a row to the map; `filtered(filters)` hears what is chosen; `listed` is "rows", or "problems"
// where the rows themselves are in the survey by now and only what was said of them is kept here.
export function rowsTable({ show, filtered, listed }) {
  const place = $("#rows"), chips = $("#kinds"), find = $("#rows-find"), severity = $("#rows-severity");
  const codeChip = $("#rows-code"), clear = $("#rows-clear"), pager = $("#pager");
  let together = new Map();  // identifier → the group of rows that were split, merged or drawn anew with it
  let base = "", page = 1, turn = 0, timer = 0, opened = null, kinds = {}, sentences = {}, groups = [], pages = 1;
  const filters = { kind: "", code: "", severity: "", q: "", row: null };

  chips.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-kind]");
    if (chip) filter({ kind: chip.dataset.kind });
  });
  severity.addEventListener("change", () => filter({ severity: severity.value }));
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => filter({ q: listed === "problems" ? find.value.replace(/\D/g, "") : find.value.trim() }), PAUSE); });
  codeChip.addEventListener("click", () => { filter({ code: "" }); find.focus(); });
  clear.addEventListener("click", () => { filter({ kind: "", code: "", severity: "", q: "" }); find.focus(); });
  $("#page-before").addEventListener("click", () => turnTo(page - 1));
  $("#page-after").addEventListener("click", () => turnTo(page + 1));

  function filter(change) {
    Object.assign(filters, { row: null }, change);
    page = 1;
    arrange();
    filtered(filters);
    return load();
  }

  async function turnTo(wanted) {
    page = Math.min(Math.max(wanted, 1), pages);
    await load();
    $("#rows-part").scrollIntoView({ block: "start" });
    $("button", place)?.focus({ preventScroll: true });
  }

  function arrange() {
    if (document.activeElement !== find && find.value.trim() !== filters.q) find.value = filters.q;
    severity.value = filters.severity;
    codeChip.hidden = !filters.code;
    codeChip.textContent = filters.code ? `${sentences[filters.code] ?? filters.code} ×` : "";
    codeChip.title = say("filterOff");
    clear.hidden = !filters.kind && !filters.code && !filters.severity && !filters.q && filters.row === null;
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.dataset.kind === filters.kind));
  }

  function query(more = {}) {
    const values = { page, ...more };
    for (const name of ["kind", "code", "severity", "q"]) if (filters[name]) values[name === "q" && listed === "problems" ? "row" : name] = filters[name];
    if (filters.row !== null) { values.row = filters.row; values.page = 1; }
    return new URLSearchParams(values);
  }

  // Open the rows of another import or dry run; the counts of all of them.
  async function open(address, groups_ = []) {
    base = address;
    together = new Map(groups_.flatMap((one) => [...one.held, ...one.rows].map((key) => [key, one])));
    Object.assign(filters, { kind: "", code: "", severity: "", q: "", row: null });
    page = 1; opened = null; groups = []; sentences = {};
    chips.replaceChildren();
    try {
      groups = (await askJson(`${base}problems.json?page=1`)).groups ?? [];
      sentences = Object.fromEntries(groups.map((one) => [one.code, one.sentence]));
    } catch { /* the rows are asked next, and say what is the matter */ }
    filtered(filters);
    const counts = await load();
    kinds = counts?.kind ?? {};
    if (listed === "rows") tellChips();
    arrange();
    return counts;
  }

  function tellChips() {
    const all = Object.values(kinds).reduce((sum, number) => sum + number, 0);
    const chip = (kind, title, number, swatch) => {
      const made = element("button", { type: "button", className: "tab" }, swatch ? element("span", { className: `swatch kind-${kind}` }) : "", `${title} `, element("span", { className: "count", textContent: count(number) }));
      made.dataset.kind = kind;
      made.setAttribute("aria-pressed", String(kind === filters.kind));
      return made;
    };
    chips.replaceChildren(chip("", say("all"), all, false), ...KINDS.filter((kind) => kinds[kind]).map((kind) => chip(kind, named("kind", kind), kinds[kind], true)));
  }

  async function load() {
    const mine = ++turn;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await askJson(`${base}${listed}.json?${query()}`);
      if (mine !== turn) return null;
      pages = Math.max(answer.pages ?? 1, 1);
      opened = null;
      const found = listed === "problems" ? answer.problems.map(problemRow) : answer.rows.map(row);
      place.replaceChildren(...found);
      if (!found.length) place.append(element("tr", {}, element("td", { colSpan: 4, className: "faint", textContent: say("noRows") })));
      tellPage(answer);
      return answer.counts;
    } catch (trouble) {
      if (mine !== turn) return null;
      const again = element("button", { type: "button", className: "button", textContent: say("again") });
      again.addEventListener("click", load);
      place.replaceChildren(element("tr", {}, element("td", { colSpan: 4 }, element("p", { role: "alert", textContent: trouble.message || say("noAnswer") }), trouble.signedOut ? signInLink() : again)));
      pager.hidden = true;
      return null;
    } finally {
      if (mine === turn) place.setAttribute("aria-busy", "false");
    }
  }

  function tellPage({ total }) {
    $("#rows-told").textContent = listed === "problems" ? say("problemsFound", { count: count(total) }) : filters.row !== null ? say("oneRow", { row: count(filters.row) }) : say("rowsFound", { count: count(total) });
    pager.hidden = pages < 2 || filters.row !== null;
    $("#page-told").textContent = say("pageOf", { page: count(page), pages: count(pages) });
    $("#page-before").disabled = page <= 1;
    $("#page-after").disabled = page >= pages;
  }

  function row(one) {
    const number = one.row_number === null || one.row_number === undefined ? "–" : count(one.row_number);
    const unfold = element("button", { type: "button", className: "row-open", textContent: number });
    unfold.setAttribute("aria-expanded", "false");
    unfold.setAttribute("aria-label", say("rowOpen", { row: one.row_number ?? one.key ?? "" }));
    const codes = one.codes ?? [], wrong = one.problem ? [one.problem] : codes.slice(0, NAMED).map((code) => sentences[code] ?? code);
    const further = codes.length - (one.problem ? 1 : NAMED);
    if (further > 0) wrong.push(say("andMore", { count: count(further) }));
    const made = element("tr", { className: "row" },
      element("td", { className: "end" }, unfold),
      keyCell(one.key),
      element("td", {}, kindBadge(one.kind), changedFields(one)),
      element("td", { className: "wrong" }, one.severity ? severityMark(one.severity) : "", element("span", { textContent: wrong.join(say("semicolon")) })));
    made.dataset.row = one.row_number ?? "";
    unfold.addEventListener("click", () => (opened?.of === made ? shut() : detail(made, one)));
    made.addEventListener("click", (event) => { if (!event.target.closest("button, a") && !getSelection().toString()) unfold.click(); });
    return made;
  }

  const problemRow = (one) => element("tr", {},
    element("td", { className: "end", textContent: one.row_number > 0 ? count(one.row_number) : "–" }), keyCell(one.key),
    element("td", { className: "wrong" }, severityMark(one.severity), element("span", { textContent: one.sentence })),
    element("td", { className: "soft", textContent: spoken(one.fix) }));

  const keyCell = (key) => element("td", { className: `code${(key ?? "").length > SHORT ? "" : " short"}`, textContent: key || "–" });

  const pairs = (changes) => Object.entries(changes ?? {}).filter(([, pair]) => Array.isArray(pair));

  function changedFields(one) {
    const names = pairs(one.changes).map(([field]) => field);
    return names.length ? element("span", { className: "small faint changed-fields", textContent: `${names.slice(0, 4).join(say("comma"))}${names.length > 4 ? " …" : ""}` }) : "";
  }

  function shut() {
    if (!opened) return;
    opened.below.remove();
    opened.of.removeAttribute("aria-current");
    $(".row-open", opened.of)?.setAttribute("aria-expanded", "false");
    opened = null;
  }

  // What changes in a row and what is wrong with it, below the row; and the row on the map.
  async function detail(made, one) {
    shut();
    const inside = element("td", { colSpan: 4 }), below = element("tr", { className: "row-detail" }, inside);
    made.after(below);
    made.setAttribute("aria-current", "true");
    $(".row-open", made).setAttribute("aria-expanded", "true");
    opened = { of: made, below };
    show?.(one.row_number, one.box ?? null);
    const changes = pairs(one.changes);
    const whole = together.get(one.key);
    if (whole) inside.append(element("p", { className: "small", textContent: say("becameOf", { before: whole.held.join(say("comma")), after: whole.rows.join(say("comma")) }) }));
    if (changes.length) inside.append(changesTable(changes));
    if (!one.box) inside.append(element("p", { className: "small faint", textContent: say("noPlaceHere") }));
    if (!(one.codes ?? []).length) { if (!changes.length) inside.prepend(element("p", { className: "small soft", textContent: say("rowFine") })); return; }
    const list = element("ul", { className: "row-problems", ariaBusy: "true" });
    inside.append(list);
    try {
      const { problems } = await askJson(`${base}problems.json?${new URLSearchParams({ row: one.row_number, page: 1 })}`);
      list.replaceChildren(...problems.map((each) => problem(each, one)));
    } catch (trouble) {
      list.replaceChildren(element("li", { role: "alert", textContent: trouble.message || say("noAnswer") }));
    }
    list.ariaBusy = "false";
  }

  function changesTable(changes) {
    const head = element("tr", {}, ...["field", "before", "after"].map((name) => element("th", { scope: "col", textContent: say(`change-${name}`) })));
    return element("table", { className: "table changes" }, element("thead", {}, head), element("tbody", {}, ...changes.map(([field, [old, now]]) => element("tr", {},
      element("th", { scope: "row", textContent: field }), element("td", { textContent: shownValue(old) }), element("td", { textContent: shownValue(now) })))));
  }

  const shownValue = (value) => (value === null || value === undefined || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));

  function problem(each, one) {
    const where = each.point && show ? element("button", { type: "button", className: "button button-plain", textContent: say("onTheMap") }) : null;
    where?.addEventListener("click", () => { const [lng, lat] = each.point; show(one.row_number, [lng, lat, lng, lat]); });
    return element("li", {}, severityMark(each.severity), element("span", {}, each.sentence, each.fix ? element("span", { className: "soft", textContent: ` ${spoken(each.fix)}` }) : ""), where ?? "");
  }

  // A row was clicked on the map: it alone stands in the table, unfolded, until one wants all again.
  async function pick(number) {
    Object.assign(filters, { row: number });
    arrange();
    await load();
    const made = $(`tr[data-row="${number}"]`, place);
    $("#rows-part").scrollIntoView({ block: "nearest" });
    if (made) { $(".row-open", made).click(); $(".row-open", made).focus({ preventScroll: false }); }
  }

  return { open, filter, pick, get groups() { return groups; } };
}
