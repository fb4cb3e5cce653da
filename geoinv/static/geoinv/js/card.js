// The card of one parcel or building, in place of the list until one goes back.
import { askFragment } from "./asking.js";
import { copyLink } from "./link.js";
import { $, element, say, signInLink, told } from "./page.js";
import { state } from "./state.js";

const BUILDING = "building:";  // before the code of a building, in the address

export function card({ opened, closed, drawn = () => {} }) {
  const view = $("#card-view"), listView = $("#list-view"), place = $("#card"), link = $("#card-link");
  let turn = 0;

  // By the set whose flags the map shows, so that card and map say the same.
  const address = (code, words = {}) => {
    if (state.criteria) words.criteria = state.criteria;
    const page = code.startsWith(BUILDING)
      ? told.building.replace("CODE", encodeURIComponent(code.slice(BUILDING.length)))
      : told.card.replace("CODE", encodeURIComponent(code));
    const query = new URLSearchParams(words).toString();
    return query ? `${page}?${query}` : page;
  };

  async function open(code, fallback = null) {
    const mine = ++turn;
    listView.hidden = true;
    view.hidden = false;
    $("#card-page").href = address(code);
    place.setAttribute("aria-busy", "true");
    let inside;
    try {
      inside = await askFragment(address(code, { fragment: 1 }));
    } catch (trouble) {
      if (mine !== turn) return;
      const sentence = trouble.signedOut ? say("signedOut") : trouble.status === 404 ? say("noParcel", { code: code.replace(BUILDING, "") }) : say("noAnswer");
      place.replaceChildren(element("div", { className: "list-empty" },
        element("p", { role: "alert", textContent: sentence }), trouble.signedOut ? signInLink() : null));
      place.setAttribute("aria-busy", "false");
      return;
    }
    if (mine !== turn) return;
    drawn(null);
    place.innerHTML = inside;  // our own server's template; it escapes every value
    place.scrollTop = 0;
    place.setAttribute("aria-busy", "false");
    const box = $("[data-box]", place)?.dataset.box;
    opened(code, fallback ?? (box ? box.split(",").map(Number) : null));
    place.focus({ preventScroll: true });
  }

  function close() {
    turn++;
    view.hidden = true;
    listView.hidden = false;
    place.replaceChildren();
    drawn(null);
    closed();
  }

  // A piece that a rule found on the land, drawn on the map too; pressed again it goes.
  place.addEventListener("click", (event) => {
    const piece = event.target.closest("[data-piece]");
    if (!piece) return;
    const on = piece.getAttribute("aria-pressed") !== "true";
    for (const one of place.querySelectorAll("[data-piece]")) one.setAttribute("aria-pressed", String(one === piece && on));
    drawn(on ? JSON.parse($("script", piece).textContent) : null);
  });

  $("#card-back").addEventListener("click", close);
  view.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  link.addEventListener("click", () => copyLink(link));
  return { open, close, get shown() { return !view.hidden; } };
}

// How the address names the card of a subject, and the code that its tiles carry.
export const cardCode = (item) => (item.kind === "building" ? `${BUILDING}${item.code}` : item.code);
export const tileCode = (code) => code?.replace(BUILDING, "") ?? null;
