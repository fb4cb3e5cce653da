// The notices above the composing panel: one of each kind at most.
import { $, element, say, signInLink } from "./page.js";

export function noticeBoard(place) {
  // Without a look ("amber", "seal") the notice of that kind is taken away.
  function notice(kind, look, sentence, ...more) {
    $(`[data-notice="${kind}"]`, place)?.remove();
    if (!look) return;
    const made = element("div", { className: `notice notice-${look}`, role: "alert" }, ...(sentence ? [element("p", { textContent: sentence })] : []), ...more);
    made.dataset.notice = kind;
    place.append(made);
  }

  // The server did not answer, or knows the reader no longer; `again` asks once more.
  function unreached(trouble, again = null) {
    const more = [element("p", { className: "small", textContent: say("nothingLost") })];
    if (trouble.signedOut) more.push(Object.assign(signInLink(), { target: "_blank" }));  // the work stays here meanwhile
    if (again) {
      const retry = element("button", { type: "button", className: "button", textContent: say("again") });
      retry.addEventListener("click", () => { notice("unreached", null); again(); });
      more.push(retry);
    }
    notice("unreached", "seal", trouble.status === 0 ? say("noAnswer") : trouble.message, ...more);
  }

  return { notice, unreached, reached() { notice("unreached", null); notice("refused", null); }, clear: () => place.replaceChildren() };
}
