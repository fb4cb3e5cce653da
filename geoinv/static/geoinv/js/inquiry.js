// Ask the server what it thinks of the shape while one draws; an answer to an older question is dropped.
import { $, say } from "./page.js";
import { toGeoJson } from "./rings.js";
import { send } from "./sending.js";

const PAUSE = 220;  // milliseconds without a change before the server is asked

// `work` = {steps, unit, district, confirmed, answered}; the answer is put into `work.answered` with the state it is about.
export function inquiry(work, { address, verdict, sketch, board, heard }) {
  let timer = 0, asking = null;

  function question() {
    const now = work.steps.now, shape = now.how === "drawn" ? toGeoJson(now) : null;
    if (!shape && !now.parcels.length) return null;
    const asked = { district: work.district, ...(shape ? { geometry: shape, snap: false } : { parcels: now.parcels }) };
    if (work.unit) asked.unit = work.unit.code;
    return asked;
  }

  function stop() {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
    work.answered = null;
  }

  function ask(pause = PAUSE) {
    stop();
    if (question()) {
      verdict.waiting();
      sketch.waiting();
      timer = setTimeout(now, pause);
    } else {
      work.confirmed.clear();
      verdict.clear();
      sketch.answered(null);
      $("#compose-heard").textContent = "";
    }
    heard(null);
  }

  // At once; the promise ends when the answer is there, or will not come.
  async function now() {
    clearTimeout(timer);
    const mine = asking = new AbortController(), about = work.steps.now;
    try {
      const answer = await send("POST", address, question(), mine.signal);
      if (mine !== asking) return;
      work.answered = { about, answer };
      board.reached();
      verdict.fill(answer);
      sketch.answered(answer.geometry);
      if (answer.unknown?.length) board.notice("unknown", "amber", say("unknownCodes", { codes: answer.unknown.join(say("comma")) }));
      $("#compose-heard").textContent = verdict.inWords(answer);
    } catch (trouble) {
      if (trouble.name === "AbortError" || mine !== asking) return;
      if (trouble.unreachable || trouble.signedOut) board.unreached(trouble, now);
      verdict.trouble(trouble.message);
    }
    heard(work.answered?.answer ?? null);
  }

  return { question, ask, now, stop };
}
