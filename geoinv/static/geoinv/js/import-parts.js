// The small things every step of an import shows: verdicts, kinds of change, severities, notes and progress.
import { count, element, exact, say } from "./page.js";

// What may become of a row, from the liveliest to the dullest; the same order in chips, bar and legend.
export const KINDS = ["new", "attributes", "moved", "renumbered", "split", "merged", "regrouped", "gone", "refused", "unchanged"];
export const SEVERITIES = ["error", "warning"];

// The words of a name that the server may one day know more of than these scripts.
export const named = (group, name) => (name ? said(`${group}-${name}`) ?? name : "");

function said(name) {
  try { return say(name); } catch { return null; }
}

export function verdictBadge(verdict) {
  return element("span", { className: `mark mark-${verdict}`, textContent: named("verdict", verdict) });
}

export function kindBadge(kind) {
  return element("span", { className: "kind" }, element("span", { className: `swatch kind-${kind}` }), named("kind", kind));
}

export function severityMark(severity) {
  return element("span", { className: `severity severity-${severity}`, title: named("severity", severity) }, element("span", { className: "unseen", textContent: named("severity", severity) }));
}

// The server's sentences name the options of the command; here they are called as they stand on the page.
const OPTION = /--(replace|supplement|crs|encoding|profile|survey|keep-edited)(?= |[.,;:)。，；：）]|$)(?: (?:EPSG:…|FILE|文件))?/g;
export const spoken = (text) => String(text ?? "").replace(OPTION, (_whole, name) => say(`option-${name}`));

export const note = (look, text, ...more) => element("div", { className: `notice notice-${look}` }, element("p", { textContent: text }), ...more);

export function button(text, pressed, look = "") {
  const made = element("button", { type: "button", className: `button ${look}`.trim(), textContent: text });
  made.addEventListener("click", pressed);
  return made;
}

export function option(value, text, more = {}) {
  return element("option", { value, textContent: text, ...more });
}

export function size(bytes) {
  const steps = ["B", "KB", "MB", "GB"];
  let at = 0, left = bytes ?? 0;
  while (left >= 1024 && at < steps.length - 1) { left /= 1024; at += 1; }
  return `${at ? exact(left, left < 10 ? 1 : 0) : count(left)} ${steps[at]}`;
}

// A job's progress, said aloud now and then: `tell(progress, state)` shows it, `hide()` takes it away.
export function jobView(place, { stop = null } = {}) {
  const what = element("b", {}), bar = element("progress", { max: 1 }), beside = element("span", { className: "small soft" });
  const heard = element("p", { className: "unseen", role: "status" });
  const stopping = stop && button(say("jobStop"), async () => { stopping.disabled = true; await stop(); });
  place.replaceChildren(element("p", {}, what, " ", beside), bar, element("p", { className: "faint small", textContent: say("jobGoesOn") }), heard, stopping ?? "");
  let tenth = -1, step = "";

  function tell(progress) {
    const { done = 0, total = 0, step: now = "queued" } = progress ?? {};
    place.hidden = false;
    what.textContent = named("step", now || "queued");
    bar.setAttribute("aria-label", what.textContent);
    if (total > 0) { bar.max = total; bar.value = Math.min(done, total); } else bar.removeAttribute("value");
    beside.textContent = total > 0 ? say("jobRows", { done: count(done), total: count(total) }) : "";
    const reached = total > 0 ? Math.floor((done / total) * 10) : 0;
    if (now !== step || reached > tenth) {
      heard.textContent = total > 0 ? `${what.textContent} ${reached * 10}%` : what.textContent;
      step = now; tenth = reached;
    }
  }

  return {
    tell,
    hide() { place.hidden = true; if (stopping) stopping.disabled = false; tenth = -1; step = ""; heard.textContent = ""; },
    get shown() { return !place.hidden; },
  };
}

// Fill a list of evidence, or of reasons; nothing where there is none.
export function sentences(place, list) {
  place.replaceChildren(...list.map((one) => element("li", { textContent: spoken(one) })));
  place.hidden = !list.length;
}

