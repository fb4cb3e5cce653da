// What lies at a place: the notes of units, findings, legacy land, control areas and the ground, in the server's words.
import { keep } from "./address.js";
import { askJson } from "./asking.js";
import { $, element, say, told } from "./page.js";
import { state } from "./state.js";

const MOST = 30;  // shapes of a layer that are asked for
// What the address names while its note is open; who draws units has a panel for them, which keeps the name itself.
const NAMED = told.draw ? ["findings", "legacy"] : ["findings", "legacy", "units"];
export const NOTED = ["findings", "units", "legacy", "control-areas", "buildings", "patches"];

// `changed()`: another note is open, so the address and the map have to say so. `show(box)` brings a shape into view.
export function here({ changed, show, openCard }) {
  const place = $("#patch-note");
  let turn = 0, named = null;  // {layer, code} of the one shape that the address names
  keep("finding", () => (named?.layer === "findings" ? named.code : ""));
  keep("legacy", () => (named?.layer === "legacy" ? named.code : ""));
  if (NAMED.includes("units")) keep("unit", () => (named?.layer === "units" ? named.code : ""));
  place.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  // `found` = [{layer, feature}] of the painter; what the reader clicked, without the parcel whose card opens.
  async function at(found) {
    const byLayer = {};
    for (const { layer, feature } of found) {
      if (NOTED.includes(layer)) (byLayer[layer] ??= []).push(feature.id);
    }
    const query = new URLSearchParams(Object.entries(byLayer).map(([layer, numbers]) => [layer, [...new Set(numbers)].slice(0, MOST).join()]));
    if (!Object.keys(byLayer).length) { close(); return; }
    await open(query, false);
  }

  // One shape by its code, from a list or an address: it is brought into view too.
  const find = (layer, code) => open(new URLSearchParams({ [`${layer}.code`]: code }), true, layer);

  async function open(query, look, layer = null) {
    const mine = ++turn;
    let items;
    try {
      ({ items } = await askJson(`${told.here}?${query}`));
    } catch (trouble) {
      items = [];
      if (mine === turn) fill([element("p", { role: "alert", textContent: trouble.message || say("noAnswer") })]);
      return;
    }
    if (mine !== turn) return;
    if (!items.length) {
      if (look) fill([element("p", { role: "alert", textContent: say("notThere") })]); else close();
      return;
    }
    const one = items[0];
    named = NAMED.includes(one.layer) || (layer && one.layer === layer) ? one : null;
    state.finding = items.find((item) => item.layer === "findings")?.fid ?? null;
    fill(items.map(note));
    if (look && one.box) show(one.box);
    changed();
  }

  function note(item) {
    return element("article", { className: `note note-${item.layer}` },
      element("header", {}, element("span", { className: `swatch ${item.swatch}` }),
        element("h2", { textContent: item.title }), element("small", { textContent: item.part ?? item.layer_title })),
      item.sentence ? element("p", { className: "note-sentence", textContent: item.sentence }) : null,
      item.fix ? element("p", { className: "note-fix", textContent: item.fix }) : null,
      element("dl", { className: "pairs" }, ...item.pairs.flatMap(([name, value]) => [
        element("dt", { textContent: name }), element("dd", { textContent: value }),
      ])),
      item.link ? link(item) : null);
  }

  function link(item) {
    const made = element("a", { href: item.link, textContent: say(item.layer === "buildings" ? "buildingCard" : "ownPage") });
    if (item.layer === "buildings" && openCard) {
      made.addEventListener("click", (event) => { event.preventDefault(); openCard(item); });
    }
    return element("p", {}, made);
  }

  function fill(children) {
    const shut = element("button", { type: "button", className: "close", ariaLabel: say("close"), textContent: "×" });
    shut.addEventListener("click", close);
    place.replaceChildren(shut, ...children);
    place.scrollTop = 0;
    place.hidden = false;
  }

  function close() {
    turn++;
    if (place.hidden && !named) return;
    place.hidden = true;
    named = null;
    const painted = state.finding;
    state.finding = null;
    changed(painted !== null);
  }

  return { at, find, close, get named() { return named; } };
}
