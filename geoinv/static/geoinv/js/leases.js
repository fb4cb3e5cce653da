// Who edits which unit, on the map: a name beside each unit that somebody has open, and in the panel that is open.
import { askJson } from "./asking.js";
import { leasing } from "./lease.js";
import { $, element, say } from "./page.js";

const EVERY = 30_000;  // milliseconds; the first look is when the map is ready

// `opened()` is the code of the unit whose panel is open, or null.
export function unitLeases(map, address, { opened }) {
  const labels = L.layerGroup().addTo(map);
  let open = new Map();  // code → the names of who edits it

  const mine = leasing(address, (names) => tell($("#compose-lease"), names));
  const sentence = (names) => say("isEditing", { who: names.join(say("comma")) });

  function tell(place, names) {
    if (!place) return;
    place.hidden = !names.length;
    place.textContent = names.length ? sentence(names) : "";
  }

  async function look() {
    if (document.visibilityState !== "visible") return;
    let found;
    try {
      found = (await askJson(`${address}?register=unit`)).leases;
    } catch {
      return;  // whoever was told stays told until the next look
    }
    open = new Map();
    for (const one of found) {
      if (!open.has(one.code)) open.set(one.code, { names: [], at: one.at });
      open.get(one.code).names.push(one.name);
    }
    labels.clearLayers();
    for (const [code, { names, at }] of open) {
      if (!at) continue;
      const icon = L.divIcon({ className: "lease-label", iconSize: null, html: element("span", { textContent: sentence(names), title: code }) });
      L.marker([at[1], at[0]], { icon, interactive: false, keyboard: false }).addTo(labels);
    }
    shown();
  }

  // The panel of a unit that somebody edits says so.
  function shown() { tell($("#unit-lease"), open.get(opened())?.names ?? []); }

  setInterval(look, EVERY);
  look();
  return {
    hold(unit) { if (unit) mine.hold({ register: "unit", code: unit.code, district: unit.district ?? "" }); },
    leave: mine.leave, shown, look,
  };
}
