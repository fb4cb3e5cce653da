// The keys of composing, shown over the page by “?”.
import { $ } from "./page.js";

export function helping(work, opener) {
  const dialog = $("#compose-help");
  let back = null;

  function show() {
    if (dialog.open) return;
    back = document.activeElement;
    dialog.showModal();
  }

  opener.addEventListener("click", show);
  $("[data-shut]", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });  // beside it
  dialog.addEventListener("keydown", (event) => { if (event.key === "?") { event.preventDefault(); dialog.close(); } event.stopPropagation(); });
  dialog.addEventListener("close", () => back?.focus({ preventScroll: true }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || !work.active || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
    event.preventDefault();
    show();
  });
  return { hide() { if (dialog.open) dialog.close(); } };
}
