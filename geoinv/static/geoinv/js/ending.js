// What follows when something was saved: the unit is shown, what is left over waits, and the work goes on where it must.
import { $, element, say } from "./page.js";
import { EMPTY } from "./rings.js";

const LONG_ENOUGH = 6_000;  // milliseconds to read a sentence

// `stop()` ends the composition, `editing(unit)` says which unit it is about; `opened(code, said)` shows a saved one.
export function ending(work, { desk, store, board, asking, editing, stop, keep, offer, opened, tell }) {
  function saved({ code }) {
    const { aside } = work.steps.now, { district } = work;
    store.forget();
    stop();
    if (aside.length) keepAside(aside, district);
    desk.refreshed();
    opened(code, say("saved", { code }));
  }

  // The pieces that were set aside wait as work of their own, the next one to be worked at.
  function keepAside([shape, ...others], district) {
    store.begin();
    store.keep({ now: { ...EMPTY, how: "drawn", shape, aside: others }, name: "", unit: null, district });
    store.end();
    offer();
  }

  // Saved units were changed together, or the change was undone; `code` is looked at.
  function operated(answer, said, code = answer?.units[0]?.code) {
    if (work.active) {
      store.forget();
      stop();
    }
    desk.refreshed();
    return code ? opened(code, said) : null;
  }

  function operationRefused(trouble, again) {
    if (trouble.unreachable || trouble.signedOut) { board.unreached(trouble, again); return; }
    const blocking = (trouble.answer?.problems ?? []).filter((one) => one.blocks);
    board.notice("refused", "seal", trouble.message, element("ul", { className: "small" }, ...blocking.map((one) => element("li", { textContent: one.sentence }))));
    tell.plain(trouble.message);
  }

  // Saved as it was sent; what was changed since is an edit of the unit that it has become.
  function stay({ code, version, edition }, sent) {
    editing({ code, version, edition, district: work.district });
    Object.assign(work, { begun: [sent.now, sent.name], resumed: false });
    board.notice("saved", "moss", say("savedBefore", { code }));
    asking.ask(0);
    keep();
    desk.refreshed();
  }

  // Saved when one had left already, or had begun another.
  function late({ code }) {
    const place = $("#told-once");
    place.textContent = say("saved", { code });
    place.hidden = false;
    setTimeout(() => { place.hidden = true; }, LONG_ENOUGH);
    desk.refreshed();
  }

  // Somebody else ended the unit that was edited: what is composed becomes a new one.
  function asNew() {
    editing(null);
    work.resumed = true;
    work.answered = null;
    keep();
  }

  // The server does not keep the draft (the trouble says why), or does again (null).
  function unheard(trouble) {
    const silent = trouble?.unreachable || trouble?.signedOut;
    if (silent) board.notice("kept", "amber", say("goesOnLocally"));
    else if (trouble) board.notice("kept", "amber", say("keptHereOnly", { why: trouble.message }));
    else { board.notice("kept", null); tell("keptAgain"); }
  }

  return { saved, operated, operationRefused, stay, late, asNew, unheard };
}
