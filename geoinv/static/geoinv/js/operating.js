// Do with saved units what is shown on the map: part one, merge two, move the edge that they share. All or nothing, by one
// question to the server; it can be undone afterwards, as one.
import { $, element, say } from "./page.js";
import { send } from "./sending.js";

// A state knows what has to be done with saved units for it; undo leads past it, and redo back to it.
export function operating(work, { address, board, done, refused, tell }) {
  const promised = new WeakMap(), place = $("#compose-promise"), bar = $("#compose-reshaped");
  let busy = false, undoing = null;
  const of = (state = work.steps.now) => promised.get(state) ?? null;

  function fill() {
    const operation = of();
    place.hidden = !operation;
    if (!operation) { place.replaceChildren(); return; }
    const act = element("button", { type: "button", className: "button button-main", textContent: say(`do-${operation.op}`, { count: operation.count }) });
    act.addEventListener("click", () => run());
    place.replaceChildren(element("p", { textContent: say(`promise-${operation.op}`, { codes: operation.units.map((one) => one.code).join(say("comma")), count: operation.count }) }), act);
  }

  async function run(name = $("#compose-name").value.trim()) {
    const operation = of(), session = work.session;
    if (!operation || busy) return;
    const { count, preview: _preview, ...question } = operation;
    if (operation.op === "merge") Object.assign(question, { name, confirm: [...work.confirmed] });
    if (operation.op === "split") Object.assign(question, { confirm: [...work.confirmed] });
    busy = true;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await send("POST", address, { district: work.district, ...question });
      if (session !== work.session) return;
      done(answer, say(`done-${operation.op}`, { codes: answer.units.filter((one) => !one.noded).map((one) => one.code).join(say("comma")), count }));
      offerUndo(answer, operation.op);
    } catch (trouble) {
      if (session === work.session) refused(trouble, run);
    } finally {
      busy = false;
      place.setAttribute("aria-busy", "false");
    }
  }

  function offerUndo(answer, op) {
    undoing = { operation: answer.operation, district: work.district, code: answer.units[0]?.code };
    $("span", bar).textContent = say(`undo-${op}`);
    bar.hidden = false;
  }

  $("[data-undo]", bar).addEventListener("click", async () => {
    const { operation, district, code } = undoing;
    bar.setAttribute("aria-busy", "true");
    try {
      await send("POST", address, { district, op: "undo", operation });
      await done(null, say("operationUndone"), code);
      bar.hidden = true;
    } catch (trouble) {
      $("span", bar).textContent = trouble.message;
    } finally {
      bar.setAttribute("aria-busy", "false");
    }
  });
  $("[data-shut]", bar).addEventListener("click", () => { bar.hidden = true; });

  return {
    of, fill, run,
    promise: (state, operation) => promised.set(state, operation),
    renamed(before, after) { if (promised.has(before)) promised.set(after, promised.get(before)); },
    begun() { bar.hidden = true; },
  };
}
