// The panel of one redevelopment unit: what it holds, and for who may: edit, delete with a reason, bring back.
import { askJson } from "./asking.js";
import { $, element, say, signInLink } from "./page.js";
import { send } from "./sending.js";
import { bigArea, memberTable } from "./verdict.js";

export function unitPanel(draw, { opened, closed, edit, changed }) {
  const place = $("#unit-body"), view = $("#unit-view");
  let turn = 0, unit = null, wanted = null;  // the code that was asked for last
  const address = (code) => draw.unit.replace("CODE", encodeURIComponent(code));

  async function open(code, said = "") {
    const mine = ++turn;
    wanted = code;
    view.hidden = false;
    place.setAttribute("aria-busy", "true");
    let found;
    try {
      found = await askJson(address(code));
    } catch (trouble) {
      if (mine !== turn) return null;
      unit = null;
      place.replaceChildren(element("p", { role: "alert", className: "notice notice-seal", textContent: trouble.status === 404 ? say("noUnit", { code }) : trouble.message }), trouble.signedOut ? signInLink() : "");
      place.setAttribute("aria-busy", "false");
      return null;
    }
    if (mine !== turn) return null;
    unit = found;
    fill(said);
    opened(unit);
    return unit;
  }

  function fill(said) {
    const members = (unit.members ?? []).filter((one) => one.state !== "touched");  // none for who sees the public columns alone
    const heading = element("h2", { tabIndex: -1, textContent: unit.name || unit.code });
    const doing = [];
    if (unit.may?.edit) doing.push(button("unitEdit", "button-main", () => edit(unit)));
    if (unit.may?.delete) doing.push(button("unitDelete", "", askReason));
    if (unit.may?.restore) doing.push(button("unitRestore", "button-main", restore));
    const changedBy = unit.changed_by ?? unit.drawn_by, changedAt = unit.changed_at ?? unit.drawn_at;
    place.replaceChildren(
      said ? element("p", { className: "notice notice-moss", role: "status", textContent: said }) : "",
      element("header", { className: "unit-head" }, heading,
        element("p", { className: "badges" }, element("span", { className: `badge badge-unit state-${unit.state}`, textContent: unit.state_title }), element("span", { className: "code soft", textContent: unit.code }))),
      bigArea(unit.area_m2),
      element("dl", { className: "facts" }, ...[
        [say("unitHow"), say(unit.how === "drawn" ? "howDrawn" : "howParcels")], [say("unitEdition"), String(unit.edition)],
        [say("unitChanged"), [changedBy, changedAt && new Date(changedAt).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" })].filter(Boolean).join(say("comma"))],
      ].flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })])),
      doing.length ? element("p", { className: "unit-doing" }, ...doing) : element("p", { className: "faint small", textContent: say("unitReadOnly") }),
      element("div", { id: "unit-asks" }),
      element("section", {}, element("h3", {}, say("unitMembers"), element("small", { textContent: String(members.length) })), memberTable(members)),
      element("p", { className: "small" }, element("a", { href: draw.page.replace("CODE", encodeURIComponent(unit.code)), textContent: say("unitPage") })));
    place.setAttribute("aria-busy", "false");
    heading.focus({ preventScroll: true });
  }

  function button(word, look, does) {
    const made = element("button", { type: "button", className: `button ${look}`, textContent: say(word) });
    made.dataset.does = word;
    made.addEventListener("click", does);
    return made;
  }

  function askReason() {
    const asks = $("#unit-asks", place), reason = element("textarea", { className: "input", id: "unit-reason", rows: 2, maxLength: 500, required: true });
    const form = element("form", { className: "unit-reason" },
      element("label", { htmlFor: "unit-reason", textContent: say("deleteReason") }), reason,
      element("p", { className: "faint small", textContent: say("deleteKept") }),
      element("p", { className: "unit-doing" }, element("button", { className: "button button-seal", textContent: say("deleteNow") }), button("composeKeep", "", () => { asks.replaceChildren(); $("[data-does=unitDelete]", place).focus(); })));
    form.addEventListener("submit", (event) => { event.preventDefault(); if (reason.value.trim()) act("DELETE", { version: unit.version, reason: reason.value.trim() }, "deleted"); else reason.focus(); });
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); asks.replaceChildren(); $("[data-does=unitDelete]", place).focus(); } });
    asks.replaceChildren(form);
    reason.focus();
  }

  const restore = () => act("POST", { version: unit.version, restore: true }, "restored");

  async function act(method, body, done) {
    const code = unit.code, mine = turn;
    place.setAttribute("aria-busy", "true");
    try {
      await send(method, address(code), body);
    } catch (trouble) {
      if (mine !== turn) return;
      place.setAttribute("aria-busy", "false");
      const again = trouble.status === 409 ? button("loadTheirs", "", () => open(code)) : trouble.signedOut ? signInLink() : "";
      $("#unit-asks", place).prepend(element("div", { role: "alert", className: "notice notice-seal" }, element("p", { textContent: trouble.message }), again));
      return;
    }
    changed();
    if (mine === turn) await open(code, say(done));
  }

  function close() {
    hide();
    closed();
  }

  function hide() {
    turn++;
    unit = wanted = null;
    view.hidden = true;
    place.replaceChildren();
  }

  $("#unit-close").addEventListener("click", close);
  view.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  return { open, close, hide, get code() { return wanted; }, get shown() { return !view.hidden; } };
}
