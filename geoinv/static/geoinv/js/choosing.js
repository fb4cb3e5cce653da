// The parcels that are chosen, and those in the map's window to choose from, as lists for any hand.
import { $, element, say, squareMetres, told } from "./page.js";

const PAUSE = 350;  // milliseconds after the map has moved
const MOST = 200;   // rows shown

const facts = (one) => [one?.address, one?.area_m2 != null && squareMetres(one.area_m2)].filter(Boolean).join(" · ");
const badge = (one) => (one?.outcome ? element("span", { className: `badge badge-${one.outcome}`, textContent: told.outcomes[one.outcome] ?? one.outcome }) : null);

// `look(codes)` asks the server for rows that are not known yet.
export function chosenList({ remove, look }) {
  const place = $("#compose-chosen"), known = new Map();
  let codes = [], wanted = new Set(), timer = 0;

  function fill(now) {
    const before = codes, focused = document.activeElement?.closest?.("#compose-chosen li"), at = focused ? [...place.children].indexOf(focused) : -1;
    codes = now;
    $("#compose-count").textContent = say("parcelsCount", { count: codes.length });
    $("#compose-none").hidden = Boolean(codes.length);
    if (before.join() !== codes.join()) place.replaceChildren(...codes.map(row));
    if (at >= 0) ($$at(Math.min(at, codes.length - 1)) ?? $("#compose-title")).focus();
    const missing = codes.filter((code) => !known.has(code) && !wanted.has(code));
    if (missing.length) {
      for (const code of missing) wanted.add(code);
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const asked = [...wanted];
        wanted = new Set();
        const answer = await look(asked.join("\n"));
        if (!answer) return;  // nobody answered: asked again with the next step
        learn(answer.parcels);
        for (const code of asked) if (!known.has(code)) known.set(code, null);  // not asked again
      }, 60);
    }
  }

  const $$at = (number) => place.children[number]?.querySelector("button");

  function row(code) {
    const one = known.get(code), drop = element("button", { type: "button", className: "close", ariaLabel: say("parcelRemove", { code }), textContent: "×" });
    drop.addEventListener("click", () => remove(code));
    const made = element("li", {}, element("span", { className: "code", textContent: code }), badge(one), element("span", { className: "where", textContent: facts(one) }), drop);
    made.dataset.code = code;
    return made;
  }

  function learn(parcels) {
    for (const one of parcels) known.set(one.code, one);
    for (const made of [...place.children]) {
      if (parcels.some((one) => one.code === made.dataset.code) && !made.contains(document.activeElement)) made.replaceWith(row(made.dataset.code));
    }
  }

  return {
    fill, learn,
    judged(answer) {
      for (const made of place.children) made.classList.toggle("unknown", Boolean(answer.unknown?.includes(made.dataset.code)));
    },
  };
}

// A list with boxes of the parcels in the window; asked for only while it is unfolded.
export function inView(map, { look, toggle, chosen }) {
  const fold = $("#compose-inview"), place = $("ul", fold), note = $("p", fold);
  let on = false, timer = 0, turn = 0;

  const later = () => { clearTimeout(timer); if (on && fold.open) timer = setTimeout(ask, PAUSE); };
  map.on("moveend", later);
  fold.addEventListener("toggle", () => { if (on && fold.open) ask(); });

  async function ask() {
    if (map.getZoom() < 14) { place.replaceChildren(); note.textContent = say("closerForList"); return; }
    const mine = ++turn;
    place.setAttribute("aria-busy", "true");
    const answer = await look(map.getBounds());
    if (mine !== turn || !on) return;
    if (!answer) {
      place.setAttribute("aria-busy", "false");
      note.textContent = say("noAnswer");
      return;
    }
    const { parcels, more } = answer;
    const rank = (one) => ["candidate", "undecided", "exempted", "excluded", "not_low"].indexOf(one.outcome ?? "not_low");
    const rows = parcels.sort((a, b) => rank(a) - rank(b) || (a.code < b.code ? -1 : 1)).slice(0, MOST);
    const held = document.activeElement?.closest?.("#compose-inview ul") ? document.activeElement.value : null;
    place.replaceChildren(...rows.map((one) => {
      const box = element("input", { type: "checkbox", value: one.code, checked: chosen().includes(one.code) });
      box.addEventListener("change", () => toggle(one.code));
      return element("li", {}, element("label", {}, box, element("span", { className: "code", textContent: one.code }), badge(one), element("span", { className: "where", textContent: facts(one) })));
    }));
    if (held) [...place.querySelectorAll("input")].find((box) => box.value === held)?.focus();
    place.setAttribute("aria-busy", "false");
    note.textContent = more || parcels.length > MOST ? say("viewMore", { count: rows.length }) : say("viewCount", { count: rows.length });
  }

  return {
    start() { on = true; if (fold.open) ask(); },
    stop() { on = false; turn++; clearTimeout(timer); place.replaceChildren(); },
    mark() { const codes = new Set(chosen()); for (const box of place.querySelectorAll("input")) box.checked = codes.has(box.value); },
  };
}
