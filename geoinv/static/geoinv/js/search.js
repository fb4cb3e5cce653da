// Find a place by code, name, location or coordinates: a combobox whose suggestions come while one types.
import { askJson } from "./asking.js";
import { $, $$, element, say, squareMetres, told } from "./page.js";

const PAUSE = 180;  // milliseconds without a key before we ask

// `choose(item)` hears what was chosen: {kind, code, title, box …} as map/search.json gives it.
export function search(choose) {
  const input = $("#search"), found = $("#search-found");
  let timer = 0, turn = 0, items = [], active = -1, answered = null;

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("keydown", async (event) => {
    if (event.isComposing || event.keyCode === 229) return;  // the key belongs to the Chinese input method
    if (event.key === "Escape") { close(); return; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (items.length) activate(event.key === "ArrowDown" ? (active + 1) % items.length : (active > 0 ? active : items.length) - 1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      if (active < 0 && answered !== input.value.trim()) await ask();
      if (active >= 0) take(active);
      else if (items.length === 1) take(0);  // of several, one has to be chosen
    }
  });
  input.addEventListener("blur", () => setTimeout(close, 150));

  async function ask() {
    const mine = ++turn, words = input.value.trim();
    if (!words) { close(); return; }
    let answer, untold = null;
    try {
      answer = await askJson(`${told.search}?${new URLSearchParams({ q: words })}`);
    } catch (trouble) {
      answer = { items: [], more: false };
      untold = trouble.signedOut ? say("signedOut") : trouble.status === 400 ? trouble.message : say("noAnswer");
    }
    if (mine !== turn) return;
    items = answer.items;
    answered = untold ? null : words;
    active = -1;
    found.replaceChildren(...items.map(option));
    if (untold) found.append(element("p", { className: "none", role: "alert", textContent: untold }));
    else if (!items.length) found.append(element("p", { className: "none", textContent: say("notFound", { words }) }));
    if (answer.more) found.append(element("p", { className: "none", textContent: say("moreFound", { count: items.length }) }));
    found.scrollTop = 0;
    input.removeAttribute("aria-activedescendant");
    found.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  function option(item, i) {
    const size = item.area_m2 === null ? null : squareMetres(item.area_m2);
    const named = item.title && item.code ? [item.code] : [];
    const made = element("div", { role: "option", id: `found-${i}` },
      element("span", { className: "kind", textContent: kinds()[item.kind] }),
      element("span", { className: "code", textContent: item.title || item.code }),
      element("span", { className: "soft", textContent: [...named, item.address, size].filter(Boolean).join(" · ") }));
    made.addEventListener("mousedown", (event) => { event.preventDefault(); take(i); });
    return made;
  }

  function activate(i) {
    active = i;
    $$("[role=option]", found).forEach((one, n) => {
      one.setAttribute("aria-selected", n === i);
      if (n === i) one.scrollIntoView({ block: "nearest" });
    });
    input.setAttribute("aria-activedescendant", `found-${i}`);
  }

  function take(i) {
    const item = items[i];
    close();
    choose(item);
  }

  function close() {
    turn++;
    items = []; active = -1; answered = null;
    found.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
}

const kinds = () => ({
  parcel: say("aParcel"), street: say("aStreet"), unit: say("aUnit"), legacy: say("aLegacy"), building: say("aBuilding"), place: say("aPlace"),
});
