// Trace along the edges of parcels: between two corners that follow each other, all that lie on the way are taken in.
import { $, metres } from "./page.js";
import { exchanged, same, withBetween } from "./rings.js";
import { send } from "./sending.js";

const STILL = 120;  // milliseconds that the hand rests before the way is looked ahead for

export function tracing(map, work, { address, amend, commit, settler, sketch, tell }) {
  const button = $("#compose-trace"), container = map.getContainer();
  let on = false, last = null, timer = 0, looked = 0;

  function toggle(yes = !on, aloud = true) {
    on = yes && Boolean(address);
    button.setAttribute("aria-pressed", String(on));
    sketch.along([]);
    if (aloud) tell(on ? "traceOn" : "traceOff");
  }

  const ask = (from, to) => send("POST", address, { district: work.district, from, to });
  const inner = (way) => way.line.coordinates.slice(1, -1).map(([lng, lat]) => [lng, lat]);

  // `from` and `to` stand in the state, one after the other; what lies between them belongs to the step that put `to`.
  async function follow(from, to) {
    if (!on) return;
    const session = work.session, [a, b] = await Promise.all([settler.standing(from), settler.standing(to)]);
    if (settler.isFree(a) || settler.isFree(b)) { if (session === work.session) tell("noWay"); return; }
    container.dataset.tracing = "asking";
    let ways;
    try {
      ({ ways } = await ask(a, b));
    } catch (trouble) {
      if (session === work.session) tell(trouble.unreachable ? "noAnswer" : "noWay");
      return;
    } finally {
      container.dataset.tracing = "done";
    }
    if (session !== work.session) return;
    if (!ways.length) { tell("noWay"); return; }
    const at = fresh(ways), between = inner(ways[at]);
    last = { from: a, to: b, ways, at, between };
    amend(withBetween(a, b, between));
    told();
  }

  // The shortest way that does not go back over corners which stand already.
  function fresh(ways) {
    const { growing } = work.steps.now;
    return Math.max(0, ways.findIndex((way) => !inner(way).some((corner) => growing.some((one) => same(one, corner)))));
  }

  // What lies on the way from the last corner back to the first, to close the shape; nothing when the server is silent.
  async function closing(from, to) {
    if (settler.isFree(from) || settler.isFree(to)) return [];
    try {
      const { ways } = await ask(from, to);
      return ways.length ? inner(ways[fresh(ways)]) : [];
    } catch {
      return [];
    }
  }

  function told() {
    const { ways, at } = last;
    tell(ways.length > 1 ? "tracedOther" : "traced", { count: last.between.length, metres: metres(ways[at].metres) });
  }

  // The next of the ways between the two corners that were traced last: a step of its own.
  function otherWay() {
    if (!last || last.ways.length < 2) { tell("noOtherWay"); return; }
    const at = (last.at + 1) % last.ways.length, between = inner(last.ways[at]), { from, to } = last;
    const change = last.between.length ? exchanged([from, ...last.between, to], [from, ...between, to]) : withBetween(from, to, between);
    const next = change(work.steps.now);
    if (next === work.steps.now) { tell("noOtherWay"); return; }
    commit(next);
    Object.assign(last, { at, between });
    told();
  }

  // Where the hand rests on a parcel's corner, the way there is shown before it is taken.
  function ahead() {
    clearTimeout(timer);
    const { growing } = work.steps.now, place = sketch.ghost;
    if (!on || !growing.length || !place?.kind || settler.isFree(growing.at(-1))) return;
    const mine = ++looked;
    timer = setTimeout(async () => {
      try {
        const { ways } = await ask(growing.at(-1), place.at);
        if (mine === looked && sketch.ghost === place && ways.length) sketch.along(inner(ways[fresh(ways)]));
      } catch { /* it is only looked ahead; the click itself tells */ }
    }, STILL);
  }

  map.on("mousemove", ahead);
  button.hidden = !address;
  button.addEventListener("click", () => toggle());
  return { toggle, follow, closing, otherWay, get on() { return on; }, stop() { toggle(false, false); clearTimeout(timer); looked++; last = null; } };
}
