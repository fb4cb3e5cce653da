// Fill a survey form: what changed is sent cell by cell, what is wrong is told beside it, and nothing typed is lost.
import { $, $$, say, signInLink } from "./page.js";
import { send } from "./sending.js";

const page = $("#form");
let version = Number(page.dataset.version), leaving = false;

const control = (cell) => document.getElementById(`in-${cell.dataset.cell}`);
const said = (text) => { const place = $("#form-said"); if (place) place.replaceChildren(text); };

function given(cell) {
  const place = control(cell);
  if (cell.dataset.type !== "choices") return place.value.trim();
  return $$("input:checked", place).map((one) => one.value).join(",");
}

// What a cell says now, or undefined where it says what it said when the page came.
function news(cell) {
  const place = control(cell), unknown = $("[data-unknown]", cell), reason = $("[data-reason]", cell);
  if (unknown.checked) return reason.value.trim() === reason.dataset.was ? undefined : { unknown_reason: reason.value.trim() };
  const value = given(cell);
  if (value === place.dataset.was && !reason.dataset.was) return undefined;
  if (!value) return null;
  return { value: cell.dataset.type === "choices" ? value.split(",") : value };
}

const open = () => $$(".cell-open", page).filter((cell) => control(cell));
const changed = () => open().filter((cell) => news(cell) !== undefined);

function look() {
  for (const cell of open()) cell.classList.toggle("cell-changed", news(cell) !== undefined);
  const count = changed().length;
  said(count ? say("unsaved", { count }) : "");
}

// Since when land is idle is asked of idle land alone.
function follow() {
  for (const cell of $$("[data-when]", page)) {
    const suffix = cell.dataset.cell.slice(cell.dataset.field.length);
    const shown = Object.entries(JSON.parse(cell.dataset.when)).every(([name, values]) => {
      const other = $(`[data-cell="${name}${suffix}"]`, page) ?? $(`[data-cell="${name}"]`, page);
      return !other || !control(other) || values.includes(given(other));
    });
    if (control(cell)) cell.hidden = !shown;
  }
}

function tell(key, text) {
  const cell = $(`[data-cell="${CSS.escape(key)}"]`, page);
  if (!cell) return null;
  cell.classList.add("cell-bad");
  const place = $(".cell-wrong", cell);
  place.textContent = text; place.hidden = false;
  control(cell)?.setAttribute("aria-invalid", "true");
  return cell;
}

function quiet() {
  for (const cell of $$(".cell-bad", page)) {
    cell.classList.remove("cell-bad");
    $(".cell-wrong", cell).hidden = true;
    control(cell)?.removeAttribute("aria-invalid");
  }
}

async function save() {
  const cells = changed();
  quiet();
  if (!cells.length) { said(say("nothing")); return; }
  said(say("saving"));
  $("#save").disabled = true;
  try {
    await send("POST", location.pathname, { version, values: Object.fromEntries(cells.map((cell) => [cell.dataset.cell, news(cell)])) });
    leaving = true;
    sessionStorage.setItem("saved", location.pathname);
    sessionStorage.setItem("saved-at", String(scrollY));
    location.replace(location.pathname);  // the page anew: what is missing, who wrote what, what may be done next
  } catch (trouble) {
    refused(trouble);
    $("#save").disabled = false;
  }
}

function refused(trouble) {
  const problems = trouble.answer?.problems, theirs = trouble.answer?.theirs;
  if (problems) {
    const cells = problems.map((one) => tell(one.cell, [one.message, one.hint].join(" ")));
    said(say("wrong", { count: problems.length }));
    const first = cells.find(Boolean);
    if (first) { first.scrollIntoView({ block: "center" }); control(first)?.focus({ preventScroll: true }); }
  } else if (theirs?.cells) {
    version = theirs.version;  // who saves again has seen what stands there
    for (const [key, one] of Object.entries(theirs.cells)) {
      tell(key, say("theirs", { who: one.department || one.by_name, what: one.shown || one.unknown_reason || "–" }))?.scrollIntoView({ block: "center" });
    }
    said(trouble.message);
  } else {
    said(trouble.message);
    if (trouble.signedOut) $("#form-said").append(" ", Object.assign(signInLink(), { target: "_blank" }));
  }
}

page.addEventListener("input", (event) => {
  const cell = event.target.closest(".cell-open");
  if (!cell) return;
  if (event.target.matches("[data-unknown]")) {
    const reason = $("[data-reason]", cell);
    reason.hidden = !event.target.checked;
    if (event.target.checked) reason.focus();
  } else if (event.target.matches("[type=checkbox]") && cell.dataset.type === "choices" && event.target.checked) {
    // “None” and anything else exclude each other.
    for (const one of $$("input:checked", control(cell))) if ((one.value === "none") !== (event.target.value === "none")) one.checked = false;
  }
  follow();
  look();
});
page.addEventListener("click", (event) => {
  const take = event.target.closest("[data-take]");
  if (!take) return;
  const place = control(take.closest(".cell"));
  place.value = take.dataset.take;
  place.dispatchEvent(new Event("input", { bubbles: true }));
  place.focus();
});
$("#save")?.addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s" && $("#save")) { event.preventDefault(); save(); }
});
addEventListener("beforeunload", (event) => { if (!leaving && changed().length) event.preventDefault(); });

follow();
if (sessionStorage.getItem("saved") === location.pathname) {
  said(say("saved"));
  scrollTo(0, Number(sessionStorage.getItem("saved-at")));
  sessionStorage.removeItem("saved");
}
