// The list beside the map: what the criteria say, by outcome and category, a page at a time.
import { askJson } from "./asking.js";
import { $, $$, count, element, say, signInLink, squareMetres, told } from "./page.js";

export function list(choose) {
  const place = $("#list"), category = $("#category"), tabs = $$("[data-tab]");
  let outcome = tabs[0].dataset.tab, turn = 0, selected = null, outcomes = {};

  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      outcome = tab.dataset.tab;
      for (const one of tabs) one.setAttribute("aria-pressed", one === tab);
      load();
    });
  }
  category.addEventListener("change", () => { tellCounts(); load(); });

  // How many parcels stand behind each tab, of the category that is chosen.
  function tellCounts() {
    for (const tab of tabs) {
      const byCategory = outcomes[tab.dataset.tab] ?? {};
      const number = category.value ? byCategory[category.value] ?? 0 : Object.values(byCategory).reduce((sum, one) => sum + one, 0);
      $(".count", tab).textContent = count(number);
    }
  }

  async function load(after = null) {
    const mine = ++turn, first = typeof after !== "string";
    const query = new URLSearchParams({ outcome, ...(category.value && { category: category.value }), ...(!first && { after }) });
    place.setAttribute("aria-busy", "true");
    try {
      const page = await askJson(`${told.candidates}?${query}`);
      if (mine !== turn) return;  // another filter was chosen meanwhile
      if (first) { place.replaceChildren(); place.scrollTop = 0; }
      const ends = $$(".more, .list-empty", place).map((one) => one.closest("li"));
      const focused = ends.some((one) => one.contains(document.activeElement));
      for (const one of ends) one.remove();
      const rows = page.items.map(row);
      place.append(...rows);
      if (focused) rows[0]?.firstChild.focus();
      if (!page.items.length && first) place.append(element("li", { className: "list-empty", textContent: say("noneHere") }));
      if (page.next) {
        const more = element("button", { type: "button", className: "button more", textContent: say("more") });
        more.addEventListener("click", () => load(page.next));
        place.append(element("li", {}, more));
      }
      mark();
    } catch (trouble) {
      if (mine !== turn) return;
      // Rows of another filter would be taken for the answer to this one.
      if (first) { place.replaceChildren(); place.scrollTop = 0; }
      $(".list-empty", place)?.remove();
      const again = element("button", { type: "button", className: "button", textContent: say("again") });
      again.addEventListener("click", () => load(after));
      place.append(element("li", { className: "list-empty" },
        element("p", { role: "alert", textContent: trouble.message || say("noAnswer") }), trouble.signedOut ? signInLink() : again));
    } finally {
      if (mine === turn) place.setAttribute("aria-busy", "false");
    }
  }

  function row(item) {
    const marks = item.outcome === "undecided"
      ? [say("missing", { count: item.missing.length })]
      : item.fired.length ? [item.fired.join(say("comma"))] : [];
    const made = element("button", { type: "button", className: "list-row" },
      element("span", { className: `stripe category-${item.category || "unknown"}` }),
      element("span", { className: "code", textContent: item.code }),
      element("span", { className: "area", textContent: squareMetres(item.area_m2) }),
      element("span", { className: "where", textContent: item.address || say("noAddress") }),
      element("span", { className: "where marks", textContent: [told.categories[item.category] ?? say("unknownCategory"), ...marks].join(" · ") }));
    made.dataset.code = item.code;
    made.addEventListener("click", () => choose(item.code, item.box));
    return element("li", {}, made);
  }

  function mark() {
    for (const one of $$(".list-row", place)) {
      if (one.dataset.code === selected) one.setAttribute("aria-current", "true"); else one.removeAttribute("aria-current");
    }
  }

  return {
    load,
    fill(overview) { outcomes = overview.outcomes; tellCounts(); },
    select(code) { selected = code; mark(); },
    focus() { ($(`.list-row[aria-current="true"]`, place) ?? $("#search")).focus(); },
  };
}
