// Repairs that wait for a person: each with a picture of before and after, its area and what it costs.
import { askJson } from "./asking.js";
import { jobView, named } from "./import-parts.js";
import { $, count, element, exact, say } from "./page.js";
import { send } from "./sending.js";

const SHOWN = 20;  // repairs drawn at a time

// `base` is the address of the delivery; `trouble(error)` hears of failures, `done()` that the shapes were taken.
export function repairsView({ base, trouble, done }) {
  const part = $("#repairs-part"), place = $("#repairs"), acts = $("#repairs-acts"), all = $("#repairs-all");
  const accept = $("#accept-chosen"), decline = $("#decline-chosen"), job = jobView($("[data-job]", part));
  let repairs = [], chosen = new Set(), shown = SHOWN, answered = 0;

  accept.addEventListener("click", () => decide("accept"));
  decline.addEventListener("click", () => decide("decline"));
  all.addEventListener("change", () => {
    chosen = new Set(all.checked ? waiting().map((one) => one.id) : []);
    draw();
  });

  const waiting = () => repairs.filter((one) => one.state === "proposed");

  async function load() {
    let answer;
    try { answer = await askJson(`${base}repairs.json`); } catch (error) { trouble(error, load); return; }
    repairs = answer.repairs ?? [];
    repairs.sort((a, b) => (a.state === "proposed" ? 0 : 1) - (b.state === "proposed" ? 0 : 1));
    chosen = new Set([...chosen].filter((id) => waiting().some((one) => one.id === id)));
    part.hidden = !repairs.length;
    if (answer.job) { job.tell(answer.job); setTimeout(load, 1_000); answered = 1; return; }
    job.hide();
    if (answered) { answered = 0; done(answer); }
    draw();
  }

  function draw() {
    const open = waiting().length, held = document.activeElement?.id;
    $("#repairs-count").textContent = open ? say("repairsWait", { count: count(open) }) : say("repairsNone");
    acts.hidden = !open;
    all.checked = open > 0 && chosen.size === open;
    accept.textContent = say("repairsAccept", { count: count(chosen.size) });
    decline.textContent = say("repairsDecline", { count: count(chosen.size) });
    accept.disabled = decline.disabled = !chosen.size;
    place.replaceChildren(...repairs.slice(0, shown).map(card));
    if (repairs.length > shown) {
      const more = element("button", { type: "button", className: "button", textContent: say("more") });
      more.addEventListener("click", () => { shown += SHOWN; draw(); });
      place.append(element("li", { className: "repairs-more" }, more));
    }
    if (held) document.getElementById(held)?.focus({ preventScroll: true });
  }

  function card(one) {
    const change = one.change_m2;  // null where nobody can say what the shape measured
    const area = (value) => (value === null || value === undefined ? "–" : `${exact(value, 2)} m²`);
    const about = element("div", { className: "repair-about" },
      element("p", {}, element("b", { textContent: one.key || say("rowNumber", { row: count(one.row_number) }) }), " ", element("span", { className: "small faint", textContent: one.key ? say("rowNumber", { row: count(one.row_number) }) : "" })),
      element("p", { textContent: one.title ?? named("method", one.method) }),
      one.sentence ? element("p", { className: "small soft", textContent: one.sentence }) : "",
      element("dl", { className: "facts" },
        element("dt", { textContent: say("areaBefore") }), element("dd", { className: "number", textContent: area(one.area_before) }),
        element("dt", { textContent: say("areaAfter") }), element("dd", { className: "number", textContent: area(one.area_after) }),
        element("dt", { textContent: say(one.area_before === null ? "areaDoubt" : "areaChange") }), element("dd", { className: "number", textContent: change === null || change === undefined ? "–" : `${change > 0 && one.area_before !== null ? "+" : ""}${exact(change, 2)} m²` })));
    const picture = element("img", { src: `${base}repairs/${one.id}.svg`, alt: say("repairPicture", { row: count(one.row_number) }), loading: "lazy", width: 360, height: 180 });
    if (one.state !== "proposed") return element("li", { className: `repair sheet repair-${one.state}` }, picture, about, element("p", { className: "small", textContent: [named("repair", one.state), one.by].filter(Boolean).join(" · ") }));
    const tick = element("input", { type: "checkbox", id: `repair-${one.id}`, checked: chosen.has(one.id), autocomplete: "off" });
    tick.addEventListener("change", () => { chosen[tick.checked ? "add" : "delete"](one.id); draw(); });
    return element("li", { className: "repair sheet" }, picture, about, element("label", { className: "tick" }, tick, ` ${say("repairChoose")}`));
  }

  async function decide(what) {
    accept.disabled = decline.disabled = true;
    try {
      await send("POST", `${base}repairs.json`, { [what]: what === "accept" && chosen.size === waiting().length ? "all" : [...chosen] });
      chosen.clear();
      if (what === "accept") { answered = 1; job.tell({ step: "queued" }); }
      await load();
      $("#repairs-title").focus();
    } catch (error) { trouble(error); draw(); }
  }

  return { load };
}
