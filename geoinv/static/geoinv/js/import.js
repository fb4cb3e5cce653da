// The first page of an import: drop a delivery, and watch it come over.
import { size } from "./import-parts.js";
import { collected, named, refusal } from "./import-files.js";
import { noticeBoard } from "./notices.js";
import { $, count, say, told } from "./page.js";
import { Refused, token } from "./sending.js";

const form = $("#drop"), zone = $("#drop-zone"), picker = $("#files"), going = $("#going"), bar = $("#going-bar");
const district = $("#district"), survey = $("#survey"), surveyTold = $("#survey-told");
const districts = JSON.parse($("#districts").textContent);
const board = noticeBoard($("#drop-notices"));
let running = null, waiting = null, inside = 0;  // waiting: files that could not be sent yet

district.addEventListener("change", () => { propose(); remember(); });
survey.addEventListener("input", () => { tellSurvey(); remember(); });
picker.addEventListener("change", () => { if (picker.files.length) begin([...picker.files]); });
form.addEventListener("submit", (event) => { event.preventDefault(); picker.click(); });
for (const name of ["dragenter", "dragover"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    if (name === "dragenter") inside += 1;
    event.dataTransfer.dropEffect = running ? "none" : "copy";
    zone.classList.add("over");
  });
}
form.addEventListener("dragleave", () => { inside = Math.max(0, inside - 1); if (!inside) zone.classList.remove("over"); });
form.addEventListener("drop", async (event) => {
  event.preventDefault();
  inside = 0;
  zone.classList.remove("over");
  if (running) return;
  try {
    begin(await collected(event.dataTransfer));
  } catch {
    board.notice("refused", "seal", say("dropUnreadable"));  // taken away between the drop and the reading
  }
});
// A file that misses the zone must not replace the page.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
$("#going-stop").addEventListener("click", () => running?.abort());
window.addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });

const chosen = () => districts.find((one) => one.code === district.value);

// The year of the open round, else the one after the round in force.
function propose() {
  const surveys = chosen()?.surveys ?? [], open = surveys.filter((one) => one.state === "loaded").map((one) => one.year);
  const all = surveys.map((one) => one.year);
  survey.value = open.length ? Math.max(...open) : all.length ? Math.max(...all) + 1 : new Date().getFullYear();
  tellSurvey();
}

function tellSurvey() {
  const year = Number(survey.value), found = chosen()?.surveys.find((one) => one.year === year);
  const closed = found && found.state !== "loaded";
  surveyTold.classList.toggle("bad", Boolean(closed));
  surveyTold.textContent = !survey.value ? "" : !survey.checkValidity() ? say("yearWrong")
    : closed ? say(found.state === "in_force" ? "surveyInForce" : "surveyRetired", { year })
      : say(found ? "surveyOpen" : "surveyNew", { year });
  return !closed && survey.value !== "" && survey.checkValidity();
}

function remember() {
  try { sessionStorage.setItem("geoinv.import", JSON.stringify([district.value, survey.value])); } catch { /* the next time one chooses again */ }
}

function recall() {
  try {
    const [code, year] = JSON.parse(sessionStorage.getItem("geoinv.import"));
    if (!districts.some((one) => one.code === code)) return false;
    district.value = code;
    survey.value = year;
    return true;
  } catch { return false; }
}

// Send what was chosen, unless it plainly cannot be read; the picker is emptied so that the same file can be taken again.
function begin(files) {
  picker.value = "";
  board.clear();
  const why = refusal(files, told.largest);
  if (why) { board.notice("refused", "seal", why); return; }
  if (!tellSurvey()) { board.notice("refused", "seal", surveyTold.textContent || say("yearWrong")); survey.focus(); return; }
  waiting = files;
  transfer();
}

async function transfer() {
  const files = waiting, whole = files.reduce((sum, one) => sum + one.size, 0);
  $("#going-what").textContent = say("sending", { name: named(files) });
  progress(0, whole);
  shown(true);
  try {
    const { url } = await sent(files, (done) => progress(done, whole));
    waiting = running = null;  // nothing is lost by leaving now
    location.assign(url);
  } catch (trouble) {
    shown(false);
    if (trouble.name === "AbortError") { board.notice("refused", "amber", say("uploadStopped")); picker.focus(); return; }
    if (trouble.signedOut || trouble.unreachable) board.unreached(trouble, transfer);
    else { board.notice("refused", "seal", trouble.message); picker.focus(); }
  } finally {
    running = null;
  }
}

// XMLHttpRequest, as fetch does not tell how much has been sent.
function sent(files, told_) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(), body = new FormData();
    body.append("district", district.value);
    body.append("survey", survey.value);
    for (const one of files) body.append("files", one, one.name);
    running = request;
    request.open("POST", told.upload);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token());
    request.responseType = "text";
    request.upload.addEventListener("progress", (event) => told_(event.loaded));
    request.upload.addEventListener("load", () => received());
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* told by its status */ }
      if (request.status >= 200 && request.status < 300 && answer.url) resolve(answer);
      else reject(new Refused(request.status === 200 ? 0 : request.status, answer));
    });
    request.addEventListener("error", () => reject(new Refused(0, {})));
    request.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
    request.send(body);
  });
}

let tenth = -1;
function progress(done, whole) {
  bar.max = Math.max(whole, 1);
  bar.value = Math.min(done, whole);
  $("#going-told").textContent = say("sentOf", { done: size(Math.min(done, whole)), whole: size(whole) });
  const reached = whole ? Math.floor((done / whole) * 10) : 0;
  if (reached > tenth) $("#going-heard").textContent = `${count(Math.min(reached, 10) * 10)}%`;
  tenth = reached;
}

function received() {
  bar.removeAttribute("value");
  $("#going-told").textContent = say("receiving");
}

function shown(yes) {
  going.hidden = !yes;
  zone.hidden = yes;
  tenth = -1;
  district.disabled = survey.disabled = yes;
  if (yes) $("#going-stop").focus();
}

if (recall()) tellSurvey(); else propose();
document.documentElement.dataset.ready = "yes";
