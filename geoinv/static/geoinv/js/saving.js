// Save what is composed: what still hinders it, what the server refuses, and who else saved meanwhile.
import { askJson } from "./asking.js";
import { $, element, say } from "./page.js";
import { isEmpty, ofUnit } from "./rings.js";
import { send } from "./sending.js";

const ALL = 0.999;  // the share of a shape below another unit from which on the two are taken for one

// `work` as in inquiry.js; `done(unit)` hears of what was saved, `stay(unit, name)` when it was changed since it was
// sent, `late(unit)` when the composition had been left. `theirs(state, name)` makes a step of what somebody else saved.
export function saving(work, { draw, inquiry, verdict, board, finish, theirs: takeTheirs, tell, keep, map, asNew, done, stay, late }) {
  const name = $("#compose-name"), button = $("#compose-save");
  let busy = false, lost = null;  // the session of which an answer never came: what it sent may have been saved
  const now = () => work.steps.now, address = () => draw.unit.replace("CODE", encodeURIComponent(work.unit.code));

  // Why it cannot be saved now, and where that can be mended; null when it can.
  function hindrance() {
    if (isEmpty(now())) return ["nothingYet", $("#compose-title")];
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
    if (now().growing.length > 2) finish();
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
    made.addEventListener("click", does);
    return made;
  }

  function lead(word, place) {
    tell(say(word));
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

  // Someone else saved meanwhile: theirs is taken in as a step, so that “undo” brings one's own back on top of it.
  // Who deleted it, or approved it, left nothing to edit: then mine brings it back, or becomes a unit of its own.
  function conflict(theirs, sentence) {
    const load = act("loadTheirs", "button-main", async () => {
      try {
        const found = await askJson(address());
        Object.assign(work.unit, { version: found.version, edition: found.edition });
        takeTheirs(ofUnit(found), found.name);
        board.notice("conflict", null);
        $("#compose-title").focus();
      } catch (trouble) {
        tell(trouble.message);
      }
    });
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
    const when = theirs.changed_at ? new Date(theirs.changed_at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" }) : "";
    const deleted = theirs.state === "deleted", draft = (theirs.state ?? "draft") === "draft";
    const told = !theirs.changed_by ? sentence : say(deleted ? "deletedBy" : draft ? "savedBy" : "closedBy", { who: theirs.changed_by, when });
    const ways = deleted ? [restore, saveAsNew()] : draft ? [load] : [saveAsNew()];
    board.notice("conflict", "seal", told, draft ? element("p", { className: "small", textContent: say("undoIsYours") }) : "", element("p", { className: "unit-doing" }, ...ways));
    ways[0].focus();
  }

  $("#compose-form").addEventListener("submit", save);
  name.addEventListener("input", () => { tellReason(); keep(); });
  return { save, tellReason };
}
