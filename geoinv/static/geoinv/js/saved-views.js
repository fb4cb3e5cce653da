// Views that one keeps: saved under a name, opened again as a link is, shared with the district.
import { askJson } from "./asking.js";
import { $, element, say, told } from "./page.js";
import { send } from "./sending.js";

// `written()` writes the address of the view that is open now.
export function savedViews({ written }) {
  const panel = $("#views"), opener = $("#tool-views"), list = $("#views-list"), form = $("#views-form"), name = $("#views-name");
  const addresses = told.views;

  opener.addEventListener("click", () => (panel.hidden ? open() : close()));
  $("#views-close").addEventListener("click", close);
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });

  async function open() {
    panel.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    tell("");
    await load();
    name.focus();
  }

  function close() {
    panel.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  }

  function tell(text, trouble = false) {
    const place = $("#views-told");
    place.textContent = text;
    place.classList.toggle("notice-seal", trouble);
    place.hidden = !text;
  }

  async function load() {
    list.setAttribute("aria-busy", "true");
    try {
      const { mine, shared } = await askJson(addresses.all);
      const rows = [...mine.map(own), ...shared.map(other)];
      list.replaceChildren(...(rows.length ? rows : [element("li", { className: "faint small", textContent: say("viewsNone") })]));
    } catch (trouble) {
      tell(trouble.message || say("noAnswer"), true);
    } finally {
      list.setAttribute("aria-busy", "false");
    }
  }

  const link = (view) => {
    const made = element("a", { href: `#${view.address}`, className: "views-name", textContent: view.name });
    made.addEventListener("click", (event) => {
      event.preventDefault();
      if (location.hash === `#${view.address}`) window.dispatchEvent(new HashChangeEvent("hashchange"));
      else location.hash = `#${view.address}`;
      tell(say("viewOpened", { name: view.name }));
    });
    return made;
  };

  function own(view) {
    const shares = element("button", { type: "button", className: "button button-plain", textContent: say(view.district ? "viewUnshare" : "viewShare") });
    shares.setAttribute("aria-label", say(view.district ? "viewUnshareThis" : "viewShareThis", { name: view.name }));
    shares.addEventListener("click", () => act("PUT", view, { district: view.district ? "" : addresses.districts[0]?.code ?? "" }, say(view.district ? "viewUnshared" : "viewShared", { name: view.name })));
    const anew = element("button", { type: "button", className: "button button-plain", textContent: say("viewReplace") });
    anew.setAttribute("aria-label", say("viewReplaceThis", { name: view.name }));
    anew.addEventListener("click", () => { written(); act("PUT", view, { address: location.hash }, say("viewReplaced", { name: view.name })); });
    const gone = element("button", { type: "button", className: "close", textContent: "×" });
    gone.setAttribute("aria-label", say("viewDeleteThis", { name: view.name }));
    gone.addEventListener("click", () => act("DELETE", view, {}, say("viewDeleted", { name: view.name })));
    return element("li", { className: "views-row" }, link(view),
      element("span", { className: "faint small", textContent: view.district ? say("viewIsShared") : "" }),
      element("span", { className: "views-acts" }, addresses.districts.length ? shares : null, anew, gone));
  }

  const other = (view) => element("li", { className: "views-row" }, link(view), element("span", { className: "faint small", textContent: say("viewBy", { who: view.by }) }));

  async function act(method, view, values, done) {
    try {
      await send(method, addresses.one.replace("/0.json", `/${view.number}.json`), { version: view.version, ...values });
      tell(done);
    } catch (trouble) {
      tell(trouble.message, true);
    }
    await load();
    if (!panel.contains(document.activeElement)) name.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    written();
    try {
      const shared = $("#views-share")?.checked ? addresses.districts[0].code : "";
      const made = await send("POST", addresses.all, { name: name.value, address: location.hash, district: shared });
      name.value = "";
      tell(say("viewSaved", { name: made.name }));
      await load();
    } catch (trouble) {
      tell(trouble.message, true);
    }
    name.focus();
  });
}
