// The editor of a draft of criteria: checked while one writes, faults marked at their place, names offered.
import { threeWay } from "./conflict.js";
import { keeping } from "./keeping.js";
import { $, element, told } from "./page.js";
import { send } from "./sending.js";

const PAUSE = 450;  // milliseconds after the last key
const OFFERED = 8;
const words = JSON.parse($("#words").textContent);
const area = $("#text"), marks = $("#marks"), gutter = $("#gutter"), list = $("#faults"), state = $("#state"), offers = $("#offers");
let version = told.version, faults = [], timer = 0, turn = 0, waiting = null, picked = 0;

const said = (name, blanks = {}) => Object.entries(blanks).reduce((text, [key, value]) => text.replace(`{${key}}`, value), told.words[name]);

async function check() {
  const mine = ++turn;
  waiting?.abort();
  waiting = new AbortController();
  state.textContent = said("checking");
  let answer;
  try {
    answer = await send("POST", told.check, { text: area.value, name: told.name, district: told.district }, waiting.signal);
  } catch (trouble) {
    if (trouble.name !== "AbortError" && mine === turn) state.textContent = trouble.signedOut ? said("signInAgain") : trouble.message || said("noAnswer");
    return;
  }
  if (mine !== turn) return;
  show(answer.faults);
  state.textContent = answer.faults.length ? said("faults", { count: answer.faults.length })
    : said("clean", { rules: answer.rules, cases: answer.cases, ms: Math.round(answer.milliseconds) });
}

// Line and column, both from 1, as the place in the text.
function place(line, column) {
  const lines = area.value.split("\n");
  let at = 0;
  for (let i = 0; i < Math.min(line - 1, lines.length); i++) at += lines[i].length + 1;
  return Math.min(at + Math.max(0, (column ?? 1) - 1), area.value.length);
}

function show(found) {
  faults = found;
  list.replaceChildren(...faults.map((one) => {
    const row = element("li", { className: "fault" });
    if (one.line) {
      const go = element("button", { type: "button", className: "link", textContent: said("line", { line: one.line, column: one.column ?? 1 }) });
      go.addEventListener("click", () => { const at = place(one.line, one.column); area.focus(); area.setSelectionRange(at, at + wordAt(at).length); reveal(one.line); });
      row.append(go, " ");
    }
    row.append(element("span", { textContent: one.message }), " ", element("span", { className: "soft", textContent: one.hint ?? "" }));
    if (one.meant && one.line) {
      const mend = element("button", { type: "button", className: "button meant", textContent: said("meant", { meant: one.meant }) });
      mend.addEventListener("click", () => {
        const at = place(one.line, one.column);
        area.setRangeText(one.meant, at, at + wordAt(at).length, "end");
        area.focus();
        changed();
      });
      row.append(" ", mend);
    }
    return row;
  }));
  paint();
}

const wordAt = (at) => /^[\p{L}\p{N}_-]*/u.exec(area.value.slice(at))[0];
const reveal = (line) => { area.scrollTop = Math.max(0, (line - 5) * height()); };
const height = () => parseFloat(getComputedStyle(area).lineHeight);

// The same text behind the one that is written, with the faulty places marked; and the numbers of the lines.
function paint() {
  const text = area.value, lines = text.split("\n").length;
  const faulty = new Set(faults.map((one) => one.line));
  gutter.replaceChildren(...Array.from({ length: lines }, (_one, i) => element("span", { className: faulty.has(i + 1) ? "bad" : "", textContent: i + 1 })));
  const spans = faults.filter((one) => one.line).map((one) => { const at = place(one.line, one.column); return [at, at + Math.max(1, wordAt(at).length)]; }).sort((a, b) => a[0] - b[0]);
  const parts = [];
  let from = 0;
  for (const [start, end] of spans) {
    if (start < from) continue;
    parts.push(text.slice(from, start), element("mark", { textContent: text.slice(start, end) || " " }));
    from = end;
  }
  parts.push(text.slice(from), "\n");
  marks.replaceChildren(...parts);
  follow();
}

function follow() {
  marks.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
  gutter.scrollTop = area.scrollTop;
}

function changed() {
  paint();
  state.textContent = said("unsaved");
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
  keep();
  offer();
}

// What begins like the word before the caret, while a condition is written.
function offer() {
  const before = /[a-z_][a-z0-9_]*$/.exec(area.value.slice(0, area.selectionStart))?.[0] ?? "";
  const line = area.value.slice(area.value.lastIndexOf("\n", area.selectionStart - 1) + 1, area.selectionStart);
  const found = before.length > 1 && /^\s*(when|message|given|expect)/.test(line) ? words.filter((one) => one.name.startsWith(before) && one.name !== before).slice(0, OFFERED) : [];
  picked = 0;
  offers.hidden = !found.length;
  offers.replaceChildren(...found.map((one, i) => {
    const row = element("li", { role: "option", ariaSelected: String(i === 0) }, element("span", { className: "code", textContent: one.name }), element("span", { className: "faint", textContent: ` ${one.title}` }));
    row.addEventListener("mousedown", (event) => { event.preventDefault(); take(one.name); });
    row.dataset.name = one.name;
    return row;
  }));
  if (found.length) {
    const rows = area.value.slice(0, area.selectionStart).split("\n");
    offers.style.top = `${rows.length * height() - area.scrollTop + 8}px`;
    offers.style.left = `${Math.min(rows.at(-1).length * 7.3 + 50, 420)}px`;
  }
}

function take(name) {
  const at = area.selectionStart, before = /[a-z_][a-z0-9_]*$/.exec(area.value.slice(0, at))[0];
  area.setRangeText(name, at - before.length, at, "end");
  offers.hidden = true;
  changed();
  offers.hidden = true;
}

area.addEventListener("keydown", (event) => {
  if (event.key === "s" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); save(); return; }
  if (offers.hidden) return;
  const rows = [...offers.children];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    picked = (picked + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length;
    rows.forEach((row, i) => { row.ariaSelected = String(i === picked); });
  } else if (event.key === "Enter" || event.key === "Tab") {
    event.preventDefault();
    take(rows[picked].dataset.name);
  } else if (event.key === "Escape") offers.hidden = true;
});
area.addEventListener("input", changed);
area.addEventListener("scroll", follow);
area.addEventListener("blur", () => { offers.hidden = true; });

// --- what is not saved yet, and what somebody else has saved meanwhile

const store = keeping(told.user, { kind: "criteria", server: told.kept, arrived: offerKept, silent: (trouble) => { state.textContent = said(trouble ? "keptHere" : "unsaved"); } });
let working = false, begun = area.value;  // the text as it was in the version that one writes upon

function keep() {
  if (area.value === saved) { if (working) store.forget(); return; }
  if (!working) working = store.begin();
  store.keep({ name: told.name, of: version, begun, text: area.value });
}

function button(word, does, look = "") {
  const made = element("button", { type: "button", className: `button ${look}`, textContent: said(word) });
  made.dataset.does = word;
  made.addEventListener("click", does);
  return made;
}

function offerKept() {
  const kept = working ? null : store.kept((work) => work.name === told.name), place = $("#text-kept");
  place.hidden = !kept;
  if (!kept) return;
  const when = new Date(kept.kept).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  place.replaceChildren(element("span", { textContent: `${said("keptText", { when })} ` }), button("keptResume", () => {
    if (!store.begin(kept.id)) { offerKept(); return; }
    working = true;
    ({ of: version, begun } = kept);  // upon the version of then: who saved meanwhile is heard of
    write(kept.text);
    place.hidden = true;
    area.focus();
  }, "button-main"), " ", button("keptForget", () => { store.forget(kept.id); offerKept(); }));
}

function write(text) {
  area.value = text;
  changed();
}

// Lines that came and went between two texts, as a reader sees them: "− old" and "+ new".
function lines(from, to) {
  const left = new Map();
  const before = from.split("\n"), after = to.split("\n");
  for (const one of before) left.set(one, (left.get(one) ?? 0) + 1);
  const came = after.filter((one) => { const count = left.get(one) ?? 0; left.set(one, count - 1); return count < 1; });
  const gone = before.filter((one) => { const count = left.get(one) ?? 0; left.set(one, count - 1); return count > 0; });
  return [...gone.map((one) => `− ${one}`), ...came.map((one) => `+ ${one}`)].join("\n") || "–";
}

function threeSided(theirs, sentence) {
  const place = $("#text-conflict"), pre = (text) => element("pre", { className: "three-text", textContent: text });
  const view = threeWay([{ name: "text", title: said("fieldText"), base: pre(said("textBase")), mine: pre(lines(begun, area.value)), theirs: pre(lines(begun, theirs.text)), keys: { base: begun, mine: area.value, theirs: theirs.text } }], { who: theirs.edited_by });
  const done = () => { place.hidden = true; version = theirs.version; begun = theirs.text; };
  const take = button("threeSave", () => {
    const chosen = view.chosen().text, mine = area.value;
    if (!chosen && view.count) { view.open().focus(); state.textContent = said("threeChoose", { field: said("fieldText") }); return; }
    done();
    if (chosen !== "theirs") { save(); return; }
    saved = theirs.text;
    write(theirs.text);
    place.hidden = false;  // one's own is one press away
    place.replaceChildren(element("p", { textContent: said("theirsTaken") }), button("mineBack", () => { place.hidden = true; write(mine); area.focus(); }));
  }, "button-main");
  const heading = element("h2", { textContent: sentence, tabIndex: -1 });
  place.replaceChildren(heading, element("p", { className: "small", textContent: said("threeHow") }), view.table, element("p", {}, take));
  place.hidden = false;
  heading.focus();
  keep();
}

async function save() {
  clearTimeout(timer);
  turn++;
  waiting?.abort();
  const sent = area.value;
  try {
    const answer = await send("POST", told.save, { text: sent, version });
    version = answer.version;
    state.dataset.saved = version;
    show(answer.faults);
    state.textContent = said(answer.faults.length ? "savedFaulty" : "saved", { version });
    saved = begun = sent;
    keep();
  } catch (trouble) {
    state.textContent = trouble.message || said("noAnswer");
    if (trouble.answer?.theirs?.text !== undefined) threeSided(trouble.answer.theirs, trouble.message);
  }
}
let saved = area.value;
$("#save").addEventListener("click", save);
window.addEventListener("beforeunload", (event) => { if (area.value !== saved) event.preventDefault(); });

// What may be named, with what it means.
function look(text) {
  const wanted = text.trim().toLowerCase();
  const found = words.filter((one) => !wanted || `${one.name} ${one.title} ${one.definition}`.toLowerCase().includes(wanted));
  $("#word-list").replaceChildren(...found.flatMap((one) => [
    element("dt", {}, element("span", { className: "code", textContent: one.name }), element("span", { className: "faint", textContent: ` ${one.title}` })),
    element("dd", { textContent: [one.definition, one.uom, one.source].filter(Boolean).join(" · ") }),
  ]));
}
$("#find-word").addEventListener("input", (event) => look(event.target.value));
look("");
paint();
check();
offerKept();
