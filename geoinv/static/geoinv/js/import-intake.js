// The page of one upload: from what the file holds, through how it is read and a dry run, to the import itself.
import { askJson } from "./asking.js";
import { layersStep } from "./import-layers.js";
import { importMap } from "./import-map.js";
import { mappingStep } from "./import-mapping.js";
import { button, jobView, note, option, sentences, spoken } from "./import-parts.js";
import { resultView } from "./import-result.js";
import { verdictsStep } from "./import-verdicts.js";
import { noticeBoard } from "./notices.js";
import { $, count, element, say, told } from "./page.js";
import { send } from "./sending.js";

const SOON = 700, LATER = 2_500;   // milliseconds between two looks at a job, at first and after a while
const WHILE = 20;                  // looks after which a job is a long one
const SETTLE = 800;                // a button that has just appeared is not pressed by a second click meant for another
const AGAIN = ["interrupted", "broken", "stopped"];  // what may end otherwise another time
const RUNNING = ["previewing", "importing"];

const board = noticeBoard($("#notices"));
const map = importMap({ picked: (number) => result.pick(number) });
const result = resultView({ show: (number, box) => map.select(number, box), only: (code) => map.only(code) });
const layers = layersStep({ choose });
const verdicts = verdictsStep({ changed: settingsChanged });
const mapping = mappingStep({ changed: () => settingsChanged("mapping"), trouble: unreached });
const previewJob = jobView($("#step-preview [data-job]"), { stop });
const importJob = jobView($("#step-confirm [data-job]"), { stop });
const words = new Map();   // layer number → what is asked of it, as it stands on the page
let intake = null, chosen = null, looks = 0, timer = 0, shownResult = "", shownLayer = null, framed = null, moved = false;

const layer = () => intake?.layers.find((one) => one.number === chosen) ?? null;
const asked = () => words.get(chosen);
const isRunning = (one) => RUNNING.includes(one?.state);

$("#preview-start").addEventListener("click", startPreview);
$("#confirm").addEventListener("click", confirm);
$("#replace").addEventListener("change", () => { asked().replace = $("#replace").checked; settingsChanged("replace"); });
$("#supplement").addEventListener("change", () => { asked().supplement = Number($("#supplement").value) || null; settingsChanged("supplement"); });
$("#gone-known").addEventListener("change", tellConfirm);
$("#discard").addEventListener("click", () => { $("#discard-sure").hidden = false; $("#discard").hidden = true; $("#discard-no").focus(); });
$("#discard-no").addEventListener("click", () => { $("#discard-sure").hidden = true; $("#discard").hidden = false; $("#discard").focus(); });
$("#discard-yes").addEventListener("click", async () => {
  try { await send("DELETE", told.base); location.assign(told.import); } catch (trouble) { unreached(trouble); }
});
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && timer) look(); });
look();

// Ask how things stand, and again while somebody works at it.
async function look() {
  clearTimeout(timer);
  timer = 0;
  try {
    intake = await askJson(told.json);
    board.reached();
  } catch (trouble) {
    unreached(trouble, look);
    return;
  }
  show();
  document.documentElement.dataset.ready = "yes";
  const busy = ["receiving", "inspecting"].includes(intake.state) || intake.layers.some(isRunning);
  if (!busy) { looks = 0; return; }
  looks += 1;
  timer = setTimeout(look, looks > WHILE ? LATER : SOON);
}

function unreached(trouble, again = null) {
  if (trouble.signedOut || trouble.unreachable || !trouble.status) board.unreached(trouble, again ?? look);
  else board.notice("refused", "seal", spoken(trouble.message));
  if (!again) $("#notices").scrollIntoView({ block: "nearest" });
}

async function lookAgain() {
  try {
    await send("POST", `${told.base}again.json`, {});
    looks = 0;
    look();
  } catch (trouble) { unreached(trouble); }
}

function show() {
  $("#title").textContent = intake.files.length === 1 ? intake.files[0].name : say("filesOf", { name: intake.files[0]?.name ?? "–", count: count(intake.files.length) });
  document.title = `${$("#title").textContent} · ${document.title.split(" · ").slice(1).join(" · ")}`;
  $("#about").textContent = say("into", { district: intake.district.name, year: intake.survey });
  const waiting = ["receiving", "inspecting"].includes(intake.state);
  $("#step-wait").hidden = !waiting;
  $("#wait-what").textContent = say(intake.state === "receiving" ? "step-receiving" : "step-inspecting");
  board.notice("worker", intake.worker === false && (waiting || intake.layers.some(isRunning)) ? "amber" : null, say("noWorker"));
  board.notice("intake", intake.state === "failed" ? "seal" : intake.state === "closed" ? "amber" : null, intake.state === "closed" ? say("intakeClosed") : sentenceOf(intake.error), ...(AGAIN.includes(intake.error?.code) ? [button(say("lookAgain"), lookAgain)] : []));
  const open = intake.state === "open" || (intake.state === "closed" && intake.layers.length > 0);
  for (const name of ["file", "verdicts", "mapping", "preview"]) $(`#step-${name}`).hidden = !open;
  if (!open) { $("#step-result").hidden = $("#step-confirm").hidden = true; return; }
  if (!moved) { moved = true; map.outline(intake.district.code); }
  if (chosen === null) chosen = first();
  layers.show(intake, chosen);
  const now = layer();
  if (!now) { for (const name of ["verdicts", "mapping", "preview", "result", "confirm"]) $(`#step-${name}`).hidden = true; return; }
  if (!words.has(chosen)) words.set(chosen, begun(now));
  showLayer(now);
}

// The layer in the address, else one at which somebody works, else the first that can be read and is not done.
function first() {
  const named = Number(new URLSearchParams(location.hash.slice(1)).get("layer"));
  const by = (test) => intake.layers.find(test)?.number;
  return by((one) => location.hash && one.number === named) ?? by(isRunning) ?? by((one) => one.state === "previewed")
    ?? by((one) => !one.unreadable && one.rows && one.state !== "imported") ?? intake.layers[0]?.number ?? null;
}

// West, south, east and north in degrees, where the reference system is known.
const lies = (one) => (one.extent && Math.abs(one.extent[0]) <= 180 ? one.extent : null);

function choose(number) {
  chosen = number;
  history.replaceState(null, "", `#layer=${number}`);
  show();
}

function begun(one) {
  const said = one.asked ?? {};
  return { profile: said.profile && said.profile !== one.profile?.name ? said.profile : "", encoding: said.encoding ?? "", crs: said.crs ?? "", mapping: said.mapping ?? null, replace: Boolean(said.replace), supplement: said.supplement ?? null, template: said.template ?? null };
}

// As it is sent: the profile by name, and nothing for what is left as it was found.
function settings() {
  const { profile, encoding, crs, mapping: map_, replace, supplement, template } = asked();
  return { profile: profile || layer().profile?.name || "", encoding: encoding || null, crs: crs || null, mapping: map_, replace, supplement, template };
}

function showLayer(now) {
  const fresh = shownLayer !== now.number;
  shownLayer = now.number;
  const readable = !now.unreadable;
  for (const name of ["verdicts", "mapping"]) $(`#step-${name}`).hidden = !readable;
  if (fresh && readable) {
    verdicts.show(now, asked(), intake);
    mapping.show(now, asked(), intake);
    $("#replace").checked = asked().replace;
    tellSupplement(now);
  }
  const preview = now.state === "previewing", importing = now.state === "importing";
  if (preview) previewJob.tell(now.progress); else previewJob.hide();
  if (importing) importJob.tell(now.progress); else importJob.hide();
  freeze(preview || importing || now.state === "imported" || intake.state === "closed");
  tellFailure(now);
  tellPreview(now);
  const has = Boolean(now.result && now.preview) && now.state !== "undone" && !preview;
  $("#step-result").hidden = !has;
  $("#stage").classList.toggle("bare", !now.geometry);
  if (!has) {
    shownResult = "";
    if (framed !== now.number) { map.show(null); map.legend({}, {}); map.frame(lies(now)); }
    framed = now.number;
    map.words(now.geometry ? "" : say("mapNothing"));
  } else {
    framed = null;
    if (shownResult !== `${now.number} ${now.preview} ${now.state === "imported"}`) fillResult(now);
  }
  tellConfirm();
}

async function fillResult(now) {
  shownResult = `${now.number} ${now.preview} ${now.state === "imported"}`;
  const arrived = looks > 0;
  const address = `${told.base}${now.number}/`;
  // Who waited for it is led to it; who has gone on to read or write elsewhere is not.
  const idle = !document.activeElement || document.activeElement === document.body || $("#step-preview").contains(document.activeElement);
  if (arrived && idle && now.state === "previewed") $("#step-result-title").focus({ preventScroll: true });
  const led = () => { if (document.activeElement === $("#step-result-title")) $("#step-result").scrollIntoView({ block: "start", behavior: "auto" }); };
  led();
  map.show(null);
  map.words(now.geometry ? "" : say("mapNothing"));
  // The rows first: the tiles of a large layer would keep them waiting.
  const shown = shownResult, counted = await result.fill(now.result, { address, workbook: `${address}problems.xlsx`, done: now.state === "imported" });
  if (shownResult !== shown) return;  // another layer was chosen meanwhile
  map.show(now.geometry ? address : null, now.preview, lies(now));
  if (arrived) led();  // what came below it is long enough now for it to stand at the top
  if (!counted) return;
  map.legend(now.geometry ? counted.kinds : {}, now.geometry ? counted.severities : {});
  $("#heard").textContent = $("#sum").textContent;
}

// Rows that went back and were mended complete the delivery they went back from, without being the whole layer.
function tellSupplement(now) {
  const completes = now.completes ?? [];
  $("#supplement-field").hidden = !completes.length;
  $("#supplement").replaceChildren(option("", say("supplementWhole")), ...completes.map((delivery) => option(String(delivery), say("supplementOf", { delivery }))));
  $("#supplement").value = asked().supplement ? String(asked().supplement) : "";
}

// What is asked cannot be changed while it is being done, nor afterwards.
function freeze(yes) {
  for (const control of document.querySelectorAll("#step-verdicts select, #step-verdicts input, #step-mapping select, #step-mapping input, #step-mapping button, #replace, #supplement")) control.disabled = yes;
}

const sentenceOf = (error) => spoken([error?.message, error?.hint].filter(Boolean).join(" "));

function tellFailure(now) {
  const place = $("#step-preview"), stopped = now.error?.code === "stopped", failed = ["failed", "interrupted"].includes(now.state);
  $(".notice.failure", place)?.remove();
  if (!failed && !stopped) return;
  const made = note(stopped ? "amber" : "seal", sentenceOf(now.error) || say(now.state === "interrupted" ? "jobInterrupted" : "jobFailed"));
  made.classList.add("failure");
  made.setAttribute("role", "alert");
  $("#preview-reasons").before(made);
}

// Why a dry run cannot be started: each a sentence that says what to do.
function reasons() {
  const now = layer(), said = settings(), list = [], found = now.profile;
  if (now.unreadable) return [now.unreadable];
  if (intake.state === "closed") return [say("intakeClosed")];
  if (intake.may_change === false) list.push(say(intake.survey_state === "retired" ? "surveyRetired" : "surveyInForce", { year: intake.survey }));
  if (!now.rows) list.push(say("reasonEmpty"));
  if (!said.profile) list.push(say("reasonProfile"));
  else if (!intake.profiles.some((one) => one.name === said.profile)) list.push(say("reasonRights", { profile: found?.name === said.profile ? found.title ?? found.name : said.profile }));
  else if (found?.verdict === "refused" && !asked().profile) list.push(found.reason || say("reasonRefused"));
  const lacking = mapping.missing();
  const alike = said.supplement;  // read as the delivery was that it completes, where the file leaves it open
  if (lacking.length && !alike) list.push(say("reasonFields", { fields: lacking.join(say("comma")) }));
  if (["ask", "refused"].includes(now.encoding?.verdict) && !said.encoding && !alike) list.push(say("reasonEncoding"));
  if (now.geometry && ["ask", "refused"].includes(now.crs?.verdict) && !said.crs && !alike) list.push(say("reasonCrs"));
  const other = intake.layers.find((one) => one !== now && isRunning(one));
  if (other) list.push(say("reasonOther", { layer: other.name }));
  return list;
}

function tellPreview(now) {
  const busy = isRunning(now), done = now.state === "imported", list = busy || done ? [] : reasons();
  sentences($("#preview-reasons"), list);
  const start = $("#preview-start");
  start.hidden = busy || done;
  start.disabled = list.length > 0;
  start.textContent = say(now.result ? "previewAgain" : "previewStart");
  $("#replace-tick").hidden = busy || done || Boolean(asked().supplement);
  $("#supplement-field").hidden = busy || done || !now.completes?.length;
  $("#step-preview").classList.toggle("done", done);
}

async function startPreview() {
  const now = layer();
  $("#preview-start").disabled = true;
  board.notice("refused", null);
  try {
    const answer = await send("POST", `${told.base}preview.json`, { layer: now.number, ...settings() });
    Object.assign(now, answer);
    now.state = answer.state ?? "previewing";
    now.asked = settings();
    shownResult = "";
    looks = 1;
    showLayer(now);
    $("#step-preview [data-job] button")?.focus();
    timer = setTimeout(look, SOON);
  } catch (trouble) {
    tellPreview(now);
    await outdated(trouble);
  }
}

// What was refused as out of date was perhaps done in another window: how things stand now says more than the refusal.
async function outdated(trouble) {
  unreached(trouble);
  if (trouble.status !== 409) return;
  await look();
  if (isRunning(layer()) || layer()?.state === "imported") board.notice("refused", null);
}

async function stop() {
  try { await send("POST", `${told.base}stop.json`, { layer: chosen }); looks = 1; timer = setTimeout(look, SOON); } catch (trouble) { unreached(trouble); }
}

const same = (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));

// Keys in one order and nothing for nothing, so that what the server stored equals what was sent.
function plain(value) {
  if (value === undefined || value === "" || value === false) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.keys(value).sort().map((key) => [key, plain(value[key])]).filter(([key, each]) => each !== null && key !== "name" && key !== "sha256");
  return kept.length ? Object.fromEntries(kept) : null;
}

// The settings are others than those of the dry run: what it said no longer holds.
const stale = (now) => Boolean(now.result) && !same(settings(), { ...now.asked, profile: now.asked?.profile || now.profile?.name });

function settingsChanged(what) {
  const now = layer();
  if (what === "profile") mapping.show(now, asked(), intake);
  tellPreview(now);
  tellConfirm();
}

let appeared = 0;
function tellConfirm() {
  const now = layer(), part = $("#step-confirm"), done = now?.state === "imported";
  const hidden = !now?.result || !(now.may_confirm || now.state === "importing" || done) || now.state === "undone";
  if (part.hidden && !hidden) appeared = performance.now();
  part.hidden = hidden;
  if (hidden) return;
  const busy = now.state === "importing", sum = now.result, old = stale(now);
  for (const part of [$("#result"), $("#rows-part")]) part.classList.toggle("stale", old);
  const gone = sum.gone ?? 0;
  const parts = [["taken", sum.taken], ["changed", sum.changed], ["gone", gone], ["refused", sum.refused]].filter(([, number]) => number);
  $("#confirm-told").textContent = done ? "" : say("confirmTold", { layer: now.name, district: intake.district.name, year: intake.survey, parts: parts.map(([name, number]) => say(`confirm-${name}`, { count: count(number) })).join(say("comma")) || say("confirmNothing") });
  $("#gone-tick").hidden = !gone || busy || done;
  if (gone) $("#gone-tick span").textContent = say("goneKnown", { count: count(gone) });
  const list = [];
  if (!busy && !done) {
    if (old) list.push(say("reasonStale"));
    if (sum.already) list.push(say("reasonAlready", { delivery: sum.delivery }));
    if (gone && !$("#gone-known").checked) list.push(say("reasonGone"));
    if (intake.may_change === false) list.push(say("surveyInForce", { year: intake.survey }));
  }
  sentences($("#confirm-reasons"), list);
  const press = $("#confirm");
  press.closest("p").hidden = busy || done;
  $("#confirm-told").hidden = done || Boolean(sum.already);
  press.disabled = list.length > 0;
  press.textContent = say("confirm", { layer: now.name, year: intake.survey });
  $("#imported").hidden = !done;
  if (done) tellImported(now);
}

async function confirm() {
  if (performance.now() - appeared < SETTLE) return;
  const now = layer();
  $("#confirm").disabled = true;
  board.notice("refused", null);
  try {
    const answer = await send("POST", `${told.base}confirm.json`, { layer: now.number, preview: now.preview });
    now.state = answer.state ?? "importing";
    now.progress = answer.progress ?? null;
    looks = 1;
    showLayer(now);
    layers.show(intake, chosen);
    $("#step-confirm [data-job] button")?.focus();
    timer = setTimeout(look, SOON);
  } catch (trouble) {
    tellConfirm();
    await outdated(trouble);
  }
}

function tellImported(now) {
  const place = $("#imported"), text = $("p", place), acts = $(".acts", place);
  if (place.dataset.of === String(now.delivery)) return;
  place.dataset.of = String(now.delivery);
  text.textContent = say("imported", { delivery: now.delivery });
  const report = element("a", { className: "button button-main", href: `${told.deliveries}${now.delivery}/`, textContent: say("toReport") });
  const next = intake.layers.find((one) => one.number !== now.number && !one.unreadable && one.rows && one.state !== "imported");
  acts.replaceChildren(report, " ", next ? button(say("nextLayer", { layer: next.name }), () => { choose(next.number); $("#column").scrollTop = 0; $("#step-file-title").closest("section").querySelector("input:checked")?.focus(); }) : "");
  $("#heard").textContent = text.textContent;
  if (looks > 0) { text.focus({ preventScroll: true }); place.scrollIntoView({ block: "nearest" }); }
}
