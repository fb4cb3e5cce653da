// Save what is composed: what still hinders it, what the server refuses, and who else saved meanwhile.
import { askJson } from "./asking.js";
import { threeWay } from "./conflict.js";
import { sample, threeOutlines } from "./conflictmap.js";
import { $, element, say, squareMetres } from "./page.js";
import { isEmpty, ofUnit, toGeoJson } from "./rings.js";
import { send } from "./sending.js";

const ALL = 0.999;  // the share of a shape below another unit from which on the two are taken for one

// `work` as in inquiry.js; `done(unit)` hears of what was saved, `stay(unit, name)` when it was changed since it was
// sent, `late(unit)` when the composition had been left. `theirs(state, name)` makes a step of what somebody else saved.
export function saving(work, { draw, inquiry, verdict, board, finish, theirs: takeTheirs, tell, keep, map, asNew, done, stay, late }) {
  const name = $("#compose-name"), button = $("#compose-save");
  let busy = false, lost = null;  // the session of which an answer never came: what it sent may have been saved
  const outlines = threeOutlines(map);
  const now = () => work.steps.now, address = () => draw.unit.replace("CODE", encodeURIComponent(work.unit.code));

  // Why it cannot be saved now, and where that can be mended; null when it can.
  function hindrance() {
    if (isEmpty(now())) return ["nothingYet", $("#compose-title")];
    if (now().way && now().growing.length) return ["lineFirst", map.getContainer()];
    if (now().growing.length && now().growing.length < 3) return ["threeCorners", map.getContainer()];
    if (!work.answered) return ["asking", null];
    const problems = work.answered.answer.problems ?? [];
    if (problems.some((one) => one.blocks && !one.confirm)) return ["blocked", $(".problem.blocks")];
    const open = problems.find((one) => one.blocks && one.confirm && !work.confirmed.has(one.code));
    if (open) return ["confirmFirst", $(`[data-confirm="${CSS.escape(open.code)}"]`)];
    return name.value.trim() ? null : ["nameFirst", name];
  }

  function tellReason() {
    const reason = hindrance();
    $("#compose-reason").textContent = reason && !isEmpty(now()) ? say(reason[0]) : "";
    button.classList.toggle("held", Boolean(reason));  // it still answers, and says why not
  }

  async function save(event) {
    event?.preventDefault();
    if (busy || !work.active) return;
    if (now().growing.length > 2 && !now().way) finish();
    busy = true;
    button.setAttribute("aria-busy", "true");
    const session = work.session;
    let saved = null, sent = null;
    try {
      if (inquiry.question() && (!work.answered || lost === session)) await inquiry.now();
      const reason = session === work.session ? hindrance() : ["asking", null];
      const twin = !reason && lost === session && work.answered.answer.overlaps.find((one) => one.layer === "units" && one.share >= ALL);
      if (twin) maybeSaved(twin);
      else if (!reason) {
        sent = { now: now(), name: name.value };
        saved = await asked();
      } else if (reason[0] !== "asking") lead(...reason);
    } catch (trouble) {
      if (session === work.session) refused(trouble);
    } finally {
      busy = false;
      button.setAttribute("aria-busy", "false");
    }
    if (!saved) return;
    lost = null;
    if (session !== work.session) late(saved);
    else if (now() === sent.now && name.value === sent.name) done(saved);
    else stay(saved, sent);
  }

  function asked() {
    const { district, parcels, geometry, snap } = inquiry.question();
    const body = { name: name.value.trim(), confirm: [...work.confirmed], ...(parcels ? { parcels } : { geometry, snap }) };
    return work.unit ? send("PUT", address(), { ...body, version: work.unit.version }) : send("POST", draw.units, { ...body, district });
  }

  // The answer to a first attempt never came, and now a unit of this very shape is there.
  function maybeSaved({ code, name: called }) {
    const open = act("openThat", "button-main", () => done({ code }), { code });
    const again = act("saveSecond", "", () => { lost = null; board.notice("lost", null); save(); });
    board.notice("lost", "amber", say("maybeSaved", { code, name: called ?? "" }), element("p", { className: "unit-doing" }, open, again));
    open.focus();
  }

  function act(word, look, does, values = {}) {
    const made = element("button", { type: "button", className: `button ${look}`, textContent: say(word, values) });
    made.dataset.does = word;
    made.addEventListener("click", does);
    return made;
  }

  function lead(word, place, values = {}) {
    tell(say(word, values));
    place?.focus();
    place?.scrollIntoView({ block: "nearest" });
  }

  function refused(trouble) {
    board.reached();
    const gone = work.unit && (trouble.status === 404 || trouble.answer?.code === "not-a-draft");
    if (trouble.status === 409 && trouble.answer.theirs) conflict(trouble.answer.theirs, trouble.message);
    else if (gone) board.notice("conflict", "seal", trouble.message, element("p", { className: "unit-doing" }, saveAsNew()));
    else if (trouble.status === 422 && trouble.answer.problems && work.answered) {
      work.answered = { about: now(), answer: { ...work.answered.answer, problems: trouble.answer.problems } };
      verdict.fill(work.answered.answer);
      tellReason();
      tell(trouble.message);
      $(".problem")?.scrollIntoView({ block: "nearest" });
    } else if (trouble.unreachable || trouble.signedOut) {
      if (trouble.unreachable && !work.unit) lost = work.session;
      keep();
      board.unreached(trouble, save);
    } else board.notice("refused", "seal", trouble.message);
  }

  const saveAsNew = () => act("saveAsNew", "", () => { board.notice("conflict", null); asNew(); save(); });

  // Someone else saved meanwhile. Of a draft all three are shown, and each field is chosen; what is chosen is saved upon
  // theirs. Who deleted it, or approved it, left nothing to edit: then mine brings it back, or becomes a unit of its own.
  async function conflict(theirs, sentence) {
    const when = theirs.changed_at ? new Date(theirs.changed_at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" }) : "";
    const deleted = theirs.state === "deleted", draft = (theirs.state ?? "draft") === "draft";
    const told = !theirs.changed_by ? sentence : say(deleted ? "deletedBy" : draft ? "savedBy" : "closedBy", { who: theirs.changed_by, when });
    keep();
    if (draft) {
      await threeSided(told, theirs);
      return;
    }
    const restore = act("restoreAndSave", "button-main", async () => {
      try {
        const { version, edition } = await send("POST", address(), { version: theirs.version, restore: true });
        Object.assign(work.unit, { version, edition });
        board.notice("conflict", null);
        save();
      } catch (trouble) {
        refused(trouble);
      }
    });
    const ways = deleted ? [restore, saveAsNew()] : [saveAsNew()];
    board.notice("conflict", "seal", told, element("p", { className: "unit-doing" }, ...ways));
    ways[0].focus();
  }

  async function threeSided(told, newest) {
    const { code, edition, version } = work.unit, session = work.session;
    let found;
    try {
      found = await askJson(`${draw.since.replace("CODE", encodeURIComponent(code))}?version=${edition}.${version}&district=${encodeURIComponent(work.unit.district ?? "")}`);
    } catch (trouble) {
      tell(trouble.message);
      board.notice("conflict", "seal", told, element("p", { textContent: trouble.message }), element("p", { className: "unit-doing" }, act("again", "button-main", () => { board.notice("conflict", null); save(); })));
      return;
    }
    if (session !== work.session) return;
    const { base, theirs } = found, who = newest.changed_by || theirs.by;
    const mine = now(), about = work.answered?.about === mine ? work.answered.answer : null;
    const shapes = { base: base.geometry, theirs: theirs.geometry, mine: mine.how === "drawn" ? toGeoJson(mine) : about?.geometry ?? null };
    const view = threeWay(fieldsOf(base, theirs, mine, about, who), { who });
    const close = () => { outlines.hide(); board.notice("conflict", null); };

    // What is chosen, upon what they saved: it is worked on as a step, so “undo” has one's own.
    function take() {
      const open = view.open();
      if (open) {
        lead("threeChoose", open, { field: open.closest("tr").cells[0].textContent });
        return false;
      }
      const chosen = view.chosen(), called = chosen.name === "theirs" ? theirs.fields.name : name.value;
      close();
      Object.assign(work.unit, { version: theirs.version, edition: theirs.edition });
      if (chosen.shape === "theirs") takeTheirs(ofUnit(theirs), called);
      else { name.value = called; keep(); tellReason(); }
      return true;
    }

    const save3 = act("threeSave", "button-main", () => { if (take()) save(); });
    const goOn = act("threeGoOn", "", () => { if (take()) { tell(say("threeChosen")); $("#compose-title").focus(); } });
    const heading = element("h3", { textContent: told, tabIndex: -1 });
    board.notice("conflict", "seal", "", heading, element("p", { className: "small", textContent: say(view.count ? "threeHow" : "threeSame") }), view.table, element("p", { className: "unit-doing" }, save3, goOn));
    view.table.hidden = !view.count;
    outlines.show(shapes);
    heading.focus();
    heading.scrollIntoView({ block: "nearest" });
  }

  // What of a unit is told apart: its name and shape can be chosen; its record is edited on its own page, and stays theirs.
  function fieldsOf(base, theirs, mine, about, who) {
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const shape = (side, area) => element("span", { className: "three-shape" }, sample(side), area === null ? "" : squareMetres(area));
    const unmoved = mine === work.begun[0] && !work.resumed;
    const fields = [
      { name: "name", title: say("fieldName"), base: base.fields.name, mine: name.value.trim(), theirs: theirs.fields.name },
      {
        name: "shape", title: say("fieldShape"), base: shape("base", base.area_m2), mine: shape("mine", about?.area_m2 ?? null), theirs: shape("theirs", theirs.area_m2),
        keys: { base: "base", theirs: same(base.geometry, theirs.geometry) ? "base" : "theirs", mine: unmoved ? "base" : "mine" },
      },
    ];
    const { name: _mine, ...before } = base.fields, { name: _theirs, ...after } = theirs.fields;
    if (!same(before, after)) fields.push({ name: "record", title: say("fieldRecord"), base: "–", mine: say("recordSame"), theirs: say("recordTheirs", { who }), keys: { base: "base", mine: "base", theirs: "theirs" } });
    return fields;
  }

  $("#compose-form").addEventListener("submit", save);
  name.addEventListener("input", () => { tellReason(); keep(); });
  // With every composition that begins or ends: the outlines of another one's conflict are not left on the map.
  return { save, tellReason, left: outlines.hide.bind(outlines) };
}
