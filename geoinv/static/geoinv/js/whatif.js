// Try other values of a set's parameters: sliders beside the map, counts and hectares, the changes, and a draft of it.
import * as address from "./address.js";
import { copyLink } from "./link.js";
import { noticeBoard } from "./notices.js";
import { $, $$, count, element, say } from "./page.js";
import { send } from "./sending.js";
import { state } from "./state.js";
import { slides } from "./whatif-slides.js";
import { changeRow, hectares, tables } from "./whatif-tables.js";

const PAUSE = 150;     // milliseconds without a movement before one asks
const LONGEST = 500;   // of movement without a pause, after which one asks all the same

// `desk` = {map, painted, told}; `runs()` are those of the overview; `written()` writes the address; `open(item)` a card.
export function whatif(desk, { runs, written, open: openCard }) {
  const panel = $("#whatif"), workspace = panel.closest(".workspace"), addresses = desk.told.whatif;
  const values = new Map(), opener = $("#tool-whatif"), districts = $("#whatif-district");
  const board = noticeBoard($("#whatif-notices"));
  const sliders = slides($("#whatif-slides"), { changed: moved });
  let active = false, aside = false, params = null, of = null, answer = null, asking = null, timer = 0, first = 0;
  let page = null, tab = "values";

  address.keep("try", () => (active ? [...values].map(([name, text]) => `${name}:${encodeURIComponent(text)}`).join(";") || "open" : ""));

  opener.addEventListener("click", () => (active ? stop() : start()));
  $("#whatif-close").addEventListener("click", () => { stop(); opener.focus(); });
  $("#whatif-reset").addEventListener("click", () => { values.clear(); sliders.put(values); ask(); });
  $("#whatif-link").addEventListener("click", () => copyLink($("#whatif-link")));
  districts.addEventListener("change", () => load());
  tabs();

  // --- in and out

  async function start(wanted = null) {
    active = true;
    aside = false;
    if (wanted) { values.clear(); for (const [name, text] of wanted) values.set(name, text); }
    show();
    await load();
    if (!wanted) $("#whatif-title").focus({ preventScroll: true });
  }

  function stop() {
    active = aside = false;
    clearTimeout(timer);
    asking?.abort();
    answer = null;
    paint(null);
    show();
    written();
  }

  function show() {
    panel.hidden = !active || aside;
    workspace.classList.toggle("trying", active && !aside);
    opener.setAttribute("aria-pressed", active);
    desk.map.invalidateSize({ animate: false });
  }

  // --- what can be moved

  async function load() {
    const those = runs().filter((run) => run.criteria === state.criteria);
    fillDistricts(those);
    const now = { district: districts.value, criteria: state.criteria };
    if (!now.district || !now.criteria) { board.notice("none", "amber", say("nothingFlagged")); return; }
    board.clear();
    if (of?.district !== now.district || of?.criteria !== now.criteria || !params) {
      $("#whatif-slides").setAttribute("aria-busy", "true");
      try {
        params = await send("GET", `${addresses.parameters}?${new URLSearchParams(now)}`);
      } catch (trouble) {
        params = null;
        failed(trouble, load);
        return;
      } finally {
        $("#whatif-slides").setAttribute("aria-busy", "false");
      }
      of = now;
      $("#whatif-set").textContent = params.title;
      sliders.fill(params.params);
      $("#whatif-compare").hidden = !addresses.compare;
      $("#whatif-compare").href = `${addresses.compare}?${new URLSearchParams({ district: now.district, a: now.criteria })}`;
    }
    for (const name of [...values.keys()]) {
      if (sliders.has(name)) continue;
      values.delete(name);
      board.notice("unknown", "amber", say("noSuchValue", { name }));
    }
    sliders.put(values);
    $("#whatif-save").hidden = !params.draft;
    if (params.draft) $("#whatif-name").value = params.draft.name;
    if (!params.official) board.notice("demo", "amber", say("unofficial"));
    await ask();
  }

  function fillDistricts(those) {
    const kept = districts.value || of?.district;
    districts.replaceChildren(...those.map((run) => element("option", { value: run.code, textContent: run.district })));
    if (those.some((run) => run.code === kept)) districts.value = kept;
    districts.hidden = those.length < 2;
  }

  function moved(name, text, sliding) {
    if (text === null) values.delete(name); else values.set(name, text);
    const now = performance.now();
    if (!timer) first = now;
    clearTimeout(timer);
    $("#whatif-sum").setAttribute("aria-busy", "true");
    timer = setTimeout(ask, sliding && now - first > LONGEST ? 0 : PAUSE);
  }

  // --- asking: one question at a time; one that is overtaken is taken back, and its answer is never shown

  const query = (more = {}) => {
    const words = new URLSearchParams({ ...of, ...more });
    for (const [name, text] of values) words.append("set", `${name}=${text}`);
    return words;
  };

  async function ask() {
    clearTimeout(timer);
    timer = 0;
    asking?.abort();
    if (!active || !of) return;
    const mine = asking = new AbortController();
    $("#whatif-sum").setAttribute("aria-busy", "true");
    written();
    let news;
    try {
      news = await send("GET", `${addresses.try}?${query()}`, undefined, mine.signal);
    } catch (trouble) {
      if (trouble.name === "AbortError" || mine !== asking) return;
      failed(trouble, ask);
      return;
    }
    if (mine !== asking) return;
    asking = null;
    answer = news;
    page = null;
    for (const kind of ["refused", "unreached"]) board.notice(kind, null);
    tell();
    paint(news.changed);
    $("#whatif-sum").setAttribute("aria-busy", "false");
  }

  function failed(trouble, again) {
    $("#whatif-sum").setAttribute("aria-busy", "false");
    if (trouble.unreachable || trouble.signedOut) board.unreached(trouble, again);
    else board.notice("refused", "seal", trouble.message);
    for (const one of [$("#whatif-count"), $("#whatif-hectares"), $("#whatif-ways"), $("#whatif-changed")]) one.textContent = "";
    $("#whatif-counts").replaceChildren();
    $("#whatif-rows").replaceChildren();
    $("#whatif-save").disabled = true;
    paint(null);
  }

  // The map's tiles know their subjects by the number of the flag.
  function paint(changed) {
    state.tried = changed && new Map(Object.entries(changed).flatMap(([outcome, ids]) => ids.map((id) => [id, outcome])));
    desk.painted.repaint();
  }

  // --- telling

  function tell() {
    const { counts, hectares: land } = answer, way = (name) => answer.ways[name];
    const both = (side) => [counts[side].candidate, land[side].candidate];
    const [before, areaBefore] = both("before"), [after, areaAfter] = both("after");
    const [entered, areaIn] = both("in"), [left, areaOut] = both("out");
    $("#whatif-count").textContent = values.size ? `${count(before)} → ${count(after)}` : count(before);
    $("#whatif-hectares").textContent = values.size ? `${hectares(areaBefore)} → ${hectares(areaAfter)} ${say("hectares")}` : `${hectares(areaBefore)} ${say("hectares")}`;
    $("#whatif-ways").textContent = values.size
      ? say("inAndOut", { in: count(entered), inArea: hectares(areaIn), out: count(left), outArea: hectares(areaOut) })
      : say("moveSomething");
    if (values.size) $("#whatif-heard").textContent = say("heard", { before: count(before), after: count(after), in: count(entered), out: count(left) });
    $("#whatif-changed").textContent = count(way("in") + way("out") + way("other") + way("rules"));
    $("#whatif-counts").replaceChildren(...tables(answer));
    $("#whatif-reset").disabled = !values.size;
    $("#whatif-save").disabled = !values.size;
    const stale = answer.stale;
    board.notice("stale", stale ? "amber" : null, stale && say(stale.whole ? "staleWhole" : "staleSome", { changes: count(stale.changes) }));
    const run = answer.against;
    board.notice("against", run && run.same_text && run.same_facts ? null : "amber", say(!run ? "againstNone" : run.same_text ? "againstFacts" : "againstText"));
    panel.dataset.seconds = answer.seconds;
    fillWays();
    list(1, answer);
  }

  function fillWays() {
    const select = $("#whatif-way"), kept = select.value, all = Object.values(answer.ways).reduce((sum, one) => sum + one, 0);
    select.replaceChildren(
      element("option", { value: "", textContent: `${say("way-all")} ${count(all)}` }),
      ...Object.entries(answer.ways).map(([name, number]) => element("option", { value: name, textContent: `${say(`way-${name}`)} ${count(number)}` })));
    select.value = kept;
  }

  for (const one of [$("#whatif-way"), $("#whatif-sort")]) one.addEventListener("change", () => list(1));

  // A page of the changes; the first one comes with the counts.
  async function list(wanted, given = null) {
    const place = $("#whatif-rows"), words = { way: $("#whatif-way").value, sort: $("#whatif-sort").value };
    $("#whatif-table").href = `${addresses.table}?${query(words)}`;
    const asked = answer;
    let news = given && !words.way && words.sort === "area" ? given : null;
    if (!news) {
      place.setAttribute("aria-busy", "true");
      const mine = page = new AbortController();
      try {
        news = await send("GET", `${addresses.list}?${query({ ...words, page: wanted })}`, undefined, mine.signal);
      } catch (trouble) {
        if (trouble.name !== "AbortError" && mine === page) failed(trouble, ask);
        return;
      } finally {
        place.setAttribute("aria-busy", "false");
      }
      if (mine !== page || asked !== answer) return;  // another value was tried meanwhile
    }
    const more = $(".more", place), focused = more && more === document.activeElement;
    more?.closest("li").remove();
    const rows = news.codes.map((item) => changeRow(item, openCard));
    if (wanted === 1) place.replaceChildren(...rows); else place.append(...rows);
    if (!rows.length && wanted === 1) place.append(element("li", { className: "list-empty", textContent: say(values.size ? "nothingChanges" : "moveSomething") }));
    if (news.page < news.pages) {
      const next = element("button", { type: "button", className: "button more", textContent: say("more") });
      next.addEventListener("click", () => list(wanted + 1));
      place.append(element("li", {}, next));
    }
    if (focused) rows[0]?.firstChild.focus();
  }

  // --- tabs: arrows lead from one to the next

  function tabs() {
    const all = $$("[role=tab]", panel);
    const choose = (one) => {
      tab = one.getAttribute("aria-controls");
      for (const other of all) {
        const chosen = other === one;
        other.setAttribute("aria-selected", chosen);
        other.tabIndex = chosen ? 0 : -1;
        $(`#${other.getAttribute("aria-controls")}`).hidden = !chosen;
      }
    };
    for (const [i, one] of all.entries()) {
      one.addEventListener("click", () => choose(one));
      one.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = all[(i + step + all.length) % all.length];
        choose(next);
        next.focus();
      });
    }
  }

  // --- a draft of the values

  const draft = $("#whatif-draft");
  const drafting = (yes) => { draft.hidden = !yes; $("#whatif-save").setAttribute("aria-expanded", yes); };
  $("#whatif-save").addEventListener("click", () => { drafting(true); $("#whatif-reason").focus(); });
  $("#whatif-draft-not").addEventListener("click", () => { drafting(false); $("#whatif-save").focus(); });
  draft.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $("button", draft);
    button.disabled = true;
    board.notice("draft", null);
    try {
      const made = await send("POST", addresses.draft, { ...of, name: $("#whatif-name").value, reason: $("#whatif-reason").value, values: Object.fromEntries(values) });
      drafting(false);
      $("#whatif-reason").value = "";
      board.notice("draft", "moss", say("draftSaved", { name: made.name }),
        ...(made.address ? [element("a", { href: made.address, textContent: say("draftOpen") })] : []));
      $("#whatif-save").focus();
      if (made.next) { params.draft.name = made.next; $("#whatif-name").value = made.next; }
    } catch (trouble) {
      if (trouble.unreachable || trouble.signedOut) board.unreached(trouble); else board.notice("draft", "seal", trouble.message);
    } finally {
      button.disabled = false;
    }
  });

  return {
    get active() { return active; },
    // As the address says.
    follow(words) {
      const wanted = read(words.get("try"));
      if (wanted) start(wanted); else if (active) stop();
    },
    setChanged() { if (active) load(); },
    again() { if (active) ask(); },
    // A card is read in the place of the panel; what was tried stays on the map.
    aside() { if (active && !aside) { aside = true; show(); } },
    back() { if (active && aside) { aside = false; show(); } },
  };
}

// `far_min:0.8;sectors:17,20` as pairs; null where nothing is tried.
function read(written) {
  if (!written) return null;
  const found = [];
  for (const part of written === "open" ? [] : written.split(";")) {
    const at = part.indexOf(":");
    if (at < 1) continue;
    try {
      found.push([part.slice(0, at), decodeURIComponent(part.slice(at + 1))]);
    } catch {
      continue;  // cut off in the middle of a letter
    }
  }
  return found;
}
