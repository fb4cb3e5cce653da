// The form of a unit's record: rows that come and go, sums while one types, what is wrong told beside each field.
import { threeWay } from "./conflict.js";
import { $, $$, element, say, signInLink, squareMetres, told } from "./page.js";
import { send } from "./sending.js";

const LISTS = ["plots", "infrastructure", "facilities"], TEXTS = ["functions", "structure", "infrastructure_note", "facilities_note"];
const NUMBERS = new Set(["m2", "far", "floor_m2", "quantity"]);
const TOLERANCE = 1;  // square metres, as the server allows
const form = $("#record-form"), trouble = $("#record-trouble"), said = $("#record-said");
const names = new Map($$("#uses option, #others option").map((one) => [one.value, one.textContent]));
let version = Number(form.dataset.version), saved = null, leaving = false;

// --- rows

function addRow(list, values = {}) {
  const row = $(`template[data-row="${list}"]`).content.firstElementChild.cloneNode(true);
  for (const [name, value] of Object.entries(values)) {
    const place = $(`[data-name="${name}"]`, row);
    if (place) place.value = value ?? ""; else if (name === "transfer") row.dataset.transfer = value;
  }
  $(`[data-list="${list}"] tbody`).append(row);
  follow(row);
  return row;
}

// What hangs on another cell of the row: the name of a use, the measures of an incentive, who has another unit.
function follow(row) {
  for (const place of $$("[data-name=use], [data-name=other_unit]", row)) place.nextElementSibling.textContent = names.get(place.value.trim()) ?? "";
  const kind = $("[data-name=type]", row);
  if (!kind) return;
  const allowed = told.uoms[kind.value], uom = $("[data-name=uom]", row), other = $("[data-name=other_unit]", row);
  for (const one of uom.options) one.hidden = one.disabled = !allowed.includes(one.value);
  if (!allowed.includes(uom.value)) uom.value = allowed[0];
  other.disabled = kind.value !== "transfer" || Boolean(row.dataset.transfer);
  kind.disabled = Boolean(row.dataset.transfer);
  const quantity = number($("[data-name=quantity]", row).value);
  if (kind.value === "transfer") other.nextElementSibling.textContent = [quantity < 0 ? say("given") : quantity > 0 ? say("takenOver") : say("transferHow"), names.get(other.value.trim())].filter(Boolean).join(" ");
  else { other.value = ""; other.nextElementSibling.textContent = ""; }
}

// --- what the form says

// "12,345.6" and full-width digits are numbers too; what is none is sent as it is, and the server says so.
function number(text) {
  const plain = text.normalize("NFKC").replace(/[,\s]/g, "").replace(/^[−–]/, "-");
  if (!plain) return null;
  return Number.isFinite(Number(plain)) ? Number(plain) : text;
}

const rowsOf = (list) => $$(`[data-list="${list}"] tbody tr`).map((row) => {
  const one = Object.fromEntries($$("[data-name]", row).map((place) => [place.dataset.name, NUMBERS.has(place.dataset.name) ? number(place.value) : place.value.trim()]));
  if (row.dataset.transfer) one.transfer = row.dataset.transfer;
  if (list === "incentives" && one.type !== "transfer") delete one.other_unit;
  return one;
});

function given() {
  const text = (name) => $(`[data-field="${name}"]`).value;
  const ticked = (name) => $$(`[data-choices="${name}"] input:checked`).map((one) => one.value);
  return {
    mode: text("mode"), methods: ticked("methods"), programmes: ticked("programmes"),
    requirements: { ...Object.fromEntries(LISTS.map((list) => [list, rowsOf(list)])), ...Object.fromEntries(TEXTS.map((name) => [name, text(name)])), total_floor_m2: number(text("total_floor_m2")) },
    incentives: rowsOf("incentives"),
  };
}

function put(record) {
  $("[data-field=mode]").value = record.mode;
  for (const name of ["methods", "programmes"]) for (const box of $$(`[data-choices="${name}"] input`)) box.checked = record[name].includes(box.value);
  for (const list of LISTS) { $(`[data-list="${list}"] tbody`).replaceChildren(); for (const one of record.requirements[list] ?? []) addRow(list, one); }
  $("[data-list=incentives] tbody").replaceChildren();
  for (const one of record.incentives) addRow("incentives", one);
  for (const name of TEXTS) $(`[data-field="${name}"]`).value = record.requirements[name] ?? "";
  $("[data-field=total_floor_m2]").value = record.requirements.total_floor_m2 ?? "";
}

// --- sums

const plain = (value) => (typeof value === "number" ? value : 0);

function sums() {
  const now = given(), plots = now.requirements.plots;
  const ground = plots.reduce((sum, one) => sum + plain(one.m2), 0);
  const floor = plots.reduce((sum, one) => sum + (typeof one.floor_m2 === "number" ? one.floor_m2 : plain(one.m2) * plain(one.far)), 0);
  const more = now.incentives.reduce((sum, one) => sum + (one.type === "transfer" ? plain(one.quantity) : one.type === "far_bonus" ? plain(one.quantity) * (one.uom === "far" ? ground : 1) : 0), 0);
  const total = now.requirements.total_floor_m2, cap = typeof total === "number" ? total + more : null;
  const tell = (name, text, over) => { const place = $(`[data-sum="${name}"]`); $("dd", place).textContent = text; place.classList.toggle("over", over); };
  tell("ground", `${squareMetres(ground)} / ${squareMetres(told.area_m2)}`, ground > told.area_m2 + TOLERANCE);
  tell("floor", squareMetres(floor), false);
  tell("cap", cap === null ? "–" : squareMetres(cap), false);
  tell("left", cap === null ? "–" : squareMetres(cap - floor), cap !== null && floor > cap + TOLERANCE);
  said.textContent = saved !== JSON.stringify(now) ? say("unsavedRecord") : "";
}

// --- saving

function quiet() {
  trouble.replaceChildren();
  for (const one of $$(".wrong", form)) one.textContent = "";
  for (const one of $$("[aria-invalid]", form)) one.removeAttribute("aria-invalid");
}

// The place of "plots.2.far", or of a field of its own; null where the whole form is meant.
function placeOf(field) {
  const [list, row, name] = field.split(".");
  const own = $(`[data-field="${field}"]`);
  if (own) return { place: own, word: $(`[data-wrong="${field}"]`) };
  const cells = $$(`[data-list="${list}"] tbody tr`)[Number(row)];
  const place = cells && $(`[data-name="${name}"]`, cells);
  if (place) return { place, word: $(".wrong", place.parentElement) };
  const word = $(`[data-wrong="${list}"]`);
  return word ? { place: null, word } : null;
}

function wrong(problems) {
  const lost = [];
  let first = null;
  for (const problem of problems) {
    const found = placeOf(problem.field), sentence = [problem.sentence, problem.fix].filter(Boolean).join(" ");
    if (!found) { lost.push(sentence); continue; }
    found.word.textContent = [found.word.textContent, sentence].filter(Boolean).join(" ");
    found.place?.setAttribute("aria-invalid", "true");
    first ??= found.place ?? found.word;
  }
  trouble.replaceChildren(element("p", { className: "errorlist", textContent: [say("recordRefused", { count: problems.length }), ...lost].join(" ") }));
  (first ?? trouble).scrollIntoView({ block: "center" });
  first?.focus?.();
}

async function save(event) {
  event?.preventDefault();
  quiet();
  said.textContent = say("savingRecord");
  $("#record-save").disabled = true;
  try {
    await send("POST", location.pathname + location.search, { version, ...given() });
    leaving = true;
    location.assign(form.dataset.page);
    return;
  } catch (refused) {
    said.textContent = "";
    const answer = refused.answer ?? {};
    if (answer.theirs) conflict(answer, refused);
    else if (answer.problems) wrong(answer.problems);
    else {
      trouble.replaceChildren(element("p", { className: "errorlist", textContent: refused.message }), refused.signedOut ? signInLink() : "");
      trouble.scrollIntoView({ block: "center" });
    }
  }
  $("#record-save").disabled = false;
}

// Somebody else has saved meanwhile: each field that both wrote is chosen, and saved over theirs as a whole.
function conflict(answer, refused) {
  const mine = given(), theirs = answer.theirs.fields, base = answer.base?.fields ?? {};
  const parts = (record) => ({ mode: record?.mode ?? "", methods: record?.methods ?? [], programmes: record?.programmes ?? [], incentives: record?.incentives ?? [],
    ...Object.fromEntries([...LISTS, ...TEXTS, "total_floor_m2"].map((name) => [name, record?.requirements?.[name] ?? (LISTS.includes(name) ? [] : "")])) });
  const [one, two, three] = [parts(base), parts(mine), parts(theirs)];
  const fields = Object.keys(two).map((name) => ({ name, title: told.words[`field_${name}`], base: shown(one[name]), mine: shown(two[name]), theirs: shown(three[name]) }));
  const view = threeWay(fields, { who: answer.theirs.changed_by });
  const take = element("button", { type: "button", className: "button button-main", textContent: say("recordTake") });
  take.addEventListener("click", () => {
    const open = view.open();
    if (open) { open.focus(); return; }
    const chosen = view.chosen(), taken = { ...two };
    for (const [name, side] of Object.entries(chosen)) if (side === "theirs") taken[name] = three[name];
    put({ mode: taken.mode, methods: taken.methods, programmes: taken.programmes, incentives: taken.incentives, requirements: taken });
    version = answer.theirs.version;
    quiet();
    sums();
    $("#record-save").focus();
  });
  trouble.replaceChildren(element("p", { className: "errorlist", textContent: refused.message }), view.count ? view.table : element("p", { textContent: say("recordSame") }), take);
  trouble.scrollIntoView({ block: "start" });
}

// One line a row, so that two lists can be held beside each other.
function shown(value) {
  if (!Array.isArray(value)) return String(value ?? "");
  return value.map((one) => (typeof one === "object" ? Object.entries(one).filter(([name, part]) => name !== "transfer" && part !== "" && part !== null && part !== undefined).map(([, part]) => part).join(" · ") : one)).join("; ");
}

put(told.record);
saved = JSON.stringify(given());
sums();
form.addEventListener("submit", save);
form.addEventListener("input", (event) => { const row = event.target.closest("tr"); if (row) follow(row); sums(); });
form.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add]"), away = event.target.closest("[data-take-away]");
  if (add) { $("input, select", addRow(add.dataset.add)).focus(); sums(); }
  if (away) { const list = away.closest("table"), row = away.closest("tr"), next = row.nextElementSibling ?? row.previousElementSibling; row.remove(); (next ? $("input, select", next) : $(`[data-add="${list.dataset.list}"]`)).focus(); sums(); }
});
addEventListener("beforeunload", (event) => { if (!leaving && JSON.stringify(given()) !== saved) event.preventDefault(); });
