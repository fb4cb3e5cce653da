// The card of one parcel, in place of the list until one goes back.
import { askFragment } from "./asking.js";
import { $, element, say, signInLink, told } from "./page.js";

export function card({ opened, closed }) {
  const view = $("#card-view"), listView = $("#list-view"), place = $("#card"), link = $("#card-link");
  let turn = 0;

  const address = (code) => told.card.replace("CODE", encodeURIComponent(code));

  async function open(code, fallback = null) {
    const mine = ++turn;
    listView.hidden = true;
    view.hidden = false;
    $("#card-page").href = address(code);
    place.setAttribute("aria-busy", "true");
    let inside;
    try {
      inside = await askFragment(`${address(code)}?fragment=1`);
    } catch (trouble) {
      if (mine !== turn) return;
      const sentence = trouble.signedOut ? say("signedOut") : trouble.status === 404 ? say("noParcel", { code }) : say("noAnswer");
      place.replaceChildren(element("div", { className: "list-empty" },
        element("p", { role: "alert", textContent: sentence }), trouble.signedOut ? signInLink() : null));
      place.setAttribute("aria-busy", "false");
      return;
    }
    if (mine !== turn) return;
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
    closed();
  }

  $("#card-back").addEventListener("click", close);
  view.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  link.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      link.textContent = say("copied");
      setTimeout(() => { link.textContent = say("copyLink"); }, 1600);
    } catch {
      window.prompt(say("copyLink"), location.href);  // without HTTPS a page may not write to the clipboard
    }
  });
  return { open, close, get shown() { return !view.hidden; } };
}
