// Offer what was not saved the last time, and take it up again.
import { $, say } from "./page.js";

// `start(kept)` begins with it, and says whether it could: another window may have taken it meanwhile.
export function offering(work, { store, start, opener }) {
  const place = $("#compose-resume");
  let offered = null;

  function offer() {
    offered = work.active ? null : store.kept();
    place.hidden = !offered;
    if (!offered) return;
    const when = new Date(offered.kept).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    const name = offered.name || offered.unit?.code || say("composeNew");
    $("span", place).textContent = offered.where === "server" ? say("keptServer", { when, name }) : offered.newer === "server" ? say("keptNewerServer", { when, name })
      : offered.newer === "browser" ? say("keptNewerBrowser", { when, name }) : say("keptWork", { when, name });
  }

  $("[data-forget]", place).addEventListener("click", () => { store.forget(offered.id); offer(); opener.focus(); });
  $("[data-resume]", place).addEventListener("click", () => { if (!start(offered)) offer(); });
  // Another window saved, threw away or left something.
  window.addEventListener("storage", () => { if (!work.active) offer(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && !work.active) offer(); });
  return { offer, hide() { place.hidden = true; } };
}
