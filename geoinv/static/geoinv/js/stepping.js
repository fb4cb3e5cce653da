// Take steps, and take them back: each puts another state into the place of the one before, and everything is drawn anew.
import { $, element, say } from "./page.js";
import { sameBody } from "./rings.js";
import { KEPT } from "./steps.js";

// `redrawn(pause, same)` shows the present state; `same` when to the server nothing is new. `operations` knows what is
// promised to saved units.
export function stepping(work, { name, board, sketch, operations, redrawn, tell }) {
  const loaded = new WeakMap();  // a step that took in what somebody else saved → the names {mine, theirs}
  const now = () => work.steps.now;

  function commit(next, said = null, values = {}) {
    if (next === now()) return;
    const before = now(), same = sameBody(before, next);
    // What is promised to saved units is done, or taken back, before anything else changes.
    if (operations().of(before) && !same && !operations().of(next)) { tell("promiseFirst"); sketch().paint(); return; }
    sketch().free();
    const all = work.steps.take(next);
    redrawn(undefined, same);
    if (said) tell(said, values);
    if (!all && work.steps.fallen === 1) board.notice("fallen", "amber", say("stepsFallen", { count: KEPT }));
    if (before.how === "drawn" && next.how === "parcels" && !loaded.has(next)) tellReplaced(before);
  }

  // What was learned about corners that stand already: no step, but everywhere where they stand.
  function amend(change) {
    const before = now();
    sketch().amend(change);
    const concerned = work.steps.amend(change, (one, other) => {
      if (loaded.has(one)) loaded.set(other, loaded.get(one));
      operations().renamed(one, other);
      if (work.begun[0] === one) work.begun[0] = other;
    });
    if (concerned) redrawn(undefined, sameBody(before, now()));
  }

  // One click with another tool put parcels into the place of a drawing.
  function tellReplaced(drawing) {
    const back = element("button", { type: "button", className: "button", textContent: say("drawingBack") });
    back.addEventListener("click", () => {
      while (now() !== drawing && work.steps.back());
      redrawn();
      tell("undone");
      $("#compose-title").focus();
    });
    board.notice("replaced", "amber", say("drawingReplaced"), back);
  }

  function undo() {
    const left = loaded.get(now());
    sketch().free();
    sketch().choose(null);
    if (!work.steps.back()) { tell(work.steps.fallen ? "noOlderStep" : "noStep"); return; }
    if (left) { left.theirs = name.value; name.value = left.mine; }
    redrawn();
    tell("undone");
  }

  function redo() {
    sketch().free();
    sketch().choose(null);
    if (!work.steps.again()) { tell("noStep"); return; }
    const again = loaded.get(now());
    if (again) { again.mine = name.value; name.value = again.theirs; }
    redrawn();
    tell("redone");
  }

  // What somebody else saved, with its name, as one step.
  function theirs(state, called) {
    loaded.set(state, { mine: name.value, theirs: called });
    name.value = called;
    commit(state, "theirsLoaded");
  }

  return { commit, amend, undo, redo, theirs };
}
