// What an upload holds: its layers to choose from, and what was not read of it and why.
import { named, size } from "./import-parts.js";
import { $, count, element, say, told } from "./page.js";

const STATES = { previewing: "busy", importing: "busy", previewed: "ready", imported: "done", failed: "bad", interrupted: "bad", undone: "off" };

// `choose(number)` hears which layer is worked at.
export function layersStep({ choose }) {
  const place = $("#layers");

  function show(intake, chosen) {
    const held = place.contains(document.activeElement) ? document.activeElement.value : null;
    place.replaceChildren(...intake.layers.map((one) => row(one, one.number === chosen)));
    if (held !== null) place.querySelector(`input[value="${held}"]`)?.focus();
    if (!intake.layers.length) place.replaceChildren(element("p", { className: "notice notice-amber", textContent: say("noLayers") }));
    const notes = intake.notes ?? [];
    $("#not-read").replaceChildren(...(notes.length ? [element("p", { className: "small", textContent: say("notRead") }), element("ul", { className: "evidence" }, ...notes.map((one) => element("li", { textContent: typeof one === "string" ? one : one.message ?? one.sentence ?? JSON.stringify(one) })))] : []));
    tellEarlier(intake.layers.find((one) => one.number === chosen));
    const facts = [
      ...intake.files.map((one) => [say("fact-file"), `${one.name} · ${size(one.size)}`]),
      [say("fact-sha"), intake.sha256 ?? "–"],
      [say("fact-by"), [intake.by?.name ?? intake.by, moment(intake.received_at)].filter(Boolean).join(" · ")],
    ];
    $("#file-facts").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { className: "code", textContent: value })]));
  }

  // The very bytes of the layer came before: whoever sends them again wants to know as what.
  function tellEarlier(one) {
    const before = one?.state === "imported" ? [] : one?.earlier ?? [];
    $("#earlier").hidden = !before.length;
    $("#earlier").replaceChildren(say("earlier"), " ", ...before.flatMap((each, i) => [i ? say("comma") : "",
      element("a", { href: `${told.deliveries}${each.id}/`, textContent: say("earlierOne", { delivery: each.id, year: each.survey }) }),
      each.state === "undone" ? ` (${named("layer", "undone")})` : ""]));
  }

  function row(one, chosen) {
    const radio = element("input", { type: "radio", name: "layer", value: one.number, checked: chosen, autocomplete: "off" });
    radio.addEventListener("change", () => choose(one.number));
    const facts = one.unreadable ? [] : [
      say("rowsCount", { count: count(one.rows) }), one.deleted ? say("rowsDeleted", { count: count(one.deleted) }) : "",
      one.geometry ? named("geometry", one.geometry) : say("noShapes"), one.columns ? say("columnsCount", { count: count(one.columns.length) }) : "",
    ];
    const place_ = one.place && one.place !== one.name ? one.place : "";
    return element("label", { className: `layer${one.unreadable ? " unreadable" : ""}` }, radio,
      element("span", { className: "layer-name" }, element("b", { textContent: one.name || say("unnamed") }), place_ ? element("span", { className: "small faint", textContent: place_ }) : ""),
      element("span", { className: `layer-state state-${STATES[one.state] ?? "waiting"}`, textContent: one.unreadable ? say("unreadable") : named("layer", one.state) }),
      element("span", { className: "layer-facts small soft", textContent: facts.filter(Boolean).join(" · ") }),
      element("span", { className: "layer-facts small", textContent: one.unreadable || one.profile?.title || one.profile?.name || say("profileNone") }));
  }

  return { show };
}

// Times are told as the server tells them, in the time of China, wherever the browser stands.
const clock = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Shanghai" });

export function moment(text) {
  const when = text ? new Date(text) : null;
  return !when || Number.isNaN(when.getTime()) ? text ?? "" : clock.format(when);
}
