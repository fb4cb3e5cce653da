// Send to our own server and tell its refusals apart: what it says, and that nobody answered.
import { $, say } from "./page.js";

export class Refused extends Error {
  constructor(status, answer) {
    super(status === 401 ? say("signInAgain") : [answer.message ?? answer.detail, answer.hint].filter(Boolean).join(" ") || say("noAnswer"));
    this.status = status; this.answer = answer;
  }

  get signedOut() { return this.status === 401; }
  get unreachable() { return this.status === 0 || this.status >= 500; }
}

// Who signs in again, in another window, has another one: the cookie has it, the page of before does not.
export function token() {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : $("input[name=csrfmiddlewaretoken]").value;
}

// `signal` takes a question back whose answer nobody waits for any more.
export async function send(method, address, body, signal) {
  let answer, told = {};
  try {
    answer = await fetch(address, {
      method, signal, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token() },
    });
    told = answer.status === 204 ? {} : await answer.json();
  } catch (trouble) {
    if (trouble.name === "AbortError") throw trouble;
    if (!answer || answer.ok) throw new Refused(0, {});  // not reached, cut off, or no JSON at all
  }
  if (!answer.ok) throw new Refused(answer.status, told);
  return told;
}
