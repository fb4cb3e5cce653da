// Warn before the session ends, keep it while somebody is at the page, and hold what is typed when it has ended.

const $ = (selector) => document.querySelector(selector);
const WARNED = 300, MOST = 2 ** 31 / 1000 - 1;  // seconds before the end; what a timer of a browser can wait
const RENEWED_AFTER = 300;  // seconds between two renewals by somebody who is at the page
const notice = $("#session-notice");
const state = { timer: 0, over: false, renewed: Date.now() };

async function ask(method) {
  const token = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="))?.slice("csrftoken=".length) ?? "";
  const answer = await fetch(notice.dataset.address, { method, headers: { Accept: "application/json", "X-CSRFToken": token } });
  if (answer.status === 401 || answer.status === 403) return { left: 0 };
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

function say(kind, values = {}) {
  const shown = $(".session-end");
  const made = shown?.dataset.kind === kind ? shown : notice.content.querySelector(`[data-kind="${kind}"]`).cloneNode(true);
  for (const blank of made.querySelectorAll("[data-blank]")) blank.textContent = values[blank.dataset.blank];
  if (made === shown) return;
  shown?.remove();
  made.className = "session-end";
  made.querySelector("[data-renew]")?.addEventListener("click", () => look("POST"));
  document.body.append(made);
}

function hide() {
  $(".session-end")?.remove();
}

// Ask how long it stands, and say so where it is not long any more.
async function look(method = "GET") {
  clearTimeout(state.timer);
  let told;
  try {
    told = await ask(method);
  } catch {
    state.timer = setTimeout(look, 60_000);  // nobody answered: that is for the page itself to tell
    return;
  }
  if (method === "POST") state.renewed = Date.now();
  state.over = told.left <= 0 || told.user !== notice.dataset.user;
  if (told.left > 0 && state.over) say("other", { user: told.user });
  else if (state.over) say("over");
  else if (told.left <= WARNED) say(told.goes_on ? "soon" : "last", { minutes: Math.max(1, Math.ceil(told.left / 60)) });
  else hide();
  const next = state.over ? 15 : told.left > WARNED ? told.left - WARNED : Math.min(30, told.left + 1);
  state.timer = setTimeout(look, Math.min(next, MOST) * 1000);
}

// Whoever is at the page uses the session, whether or not the page asks the server for anything.
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => {
    if (!state.over && Date.now() - state.renewed > RENEWED_AFTER * 1000) {
      state.renewed = Date.now();
      look("POST");
    }
  }, { passive: true });
}

// A form that is sent after the end would be refused with all that was typed: it waits for the new sign-in, which may
// happen in another window, and goes with that one's token.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!state.over || form.method !== "post" || !form.closest("main")) return;
  event.preventDefault();
  const sender = event.submitter;
  await look();
  if (state.over) {
    $(".session-end a, .session-end button")?.focus();
    return;
  }
  const token = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="))?.slice("csrftoken=".length);
  for (const one of form.querySelectorAll("input[name=csrfmiddlewaretoken]")) one.value = token ?? one.value;
  form.requestSubmit(sender);
});

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
state.timer = setTimeout(look, Math.min(Math.max(0, Number(notice.dataset.left) - WARNED), MOST) * 1000);
