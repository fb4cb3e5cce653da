// Ask our own server; an answer that is not what was asked for is an error with a sentence in the reader's language.
import { say } from "./page.js";

export class Trouble extends Error {
  constructor(status, message) { super(message); this.status = status; }

  get signedOut() { return this.status === 401 || this.status === 403; }
}

export async function askJson(address, options = {}) {
  const answer = await reach(address, { headers: { Accept: "application/json" }, ...options });
  if (!answer.ok) throw new Trouble(answer.status, await sentence(answer));
  try {
    return await answer.json();
  } catch {
    throw new Trouble(0, say("noAnswer"));  // cut off, or not ours
  }
}

export async function askFragment(address) {
  const answer = await reach(address, { headers: { Accept: "text/html" } });
  const type = answer.headers.get("Content-Type") ?? "";
  if (answer.redirected) throw new Trouble(401, say("signedOut"));  // to the sign-in
  if (!answer.ok || !type.startsWith("text/html")) throw new Trouble(answer.status, say("noAnswer"));
  return answer.text();
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Trouble(0, say("noAnswer"));  // the browser's own words are English
  }
}

async function sentence(answer) {
  try {
    const told = await answer.json();
    return [told.detail, told.hint].filter(Boolean).join(" ") || say("noAnswer");
  } catch {
    return say("noAnswer");
  }
}
