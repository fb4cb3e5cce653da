// Put the address of this very view on the clipboard, and say so: on the button, or under the map for one without words.
import { $, say } from "./page.js";

export async function copyLink(button) {
  const told = button.textContent.trim() ? button : $("#told-once");
  try {
    await navigator.clipboard.writeText(location.href);
    told.textContent = say("copied");
    told.hidden = false;
    setTimeout(() => { if (told === button) told.textContent = say("copyLink"); else told.hidden = true; }, 1600);
  } catch {
    window.prompt(say("copyLink"), location.href);  // without HTTPS a page may not write to the clipboard
  }
}
