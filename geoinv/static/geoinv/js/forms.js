// Fill a survey form: what changed is sent cell by cell, what is wrong is told beside it, and nothing typed is lost.
import { threeWay } from "./conflict.js";
import { keeping } from "./keeping.js";
import { $, $$, element, say, signInLink, told } from "./page.js";
import { send } from "./sending.js";

const page = $("#form"), number = Number(page.dataset.form);
const store = keeping(page.dataset.user, { kind: "form", server: told.kept, arrived: offer, silent });
let version = Number(page.dataset.version), leaving = false, working = false;

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
  keep();
}

// What is typed and not saved is kept in this browser and on the server, and offered when the page comes again.
function keep() {
  const cells = changed();
  if (cells.length) {
    if (!working) working = store.begin();
    store.keep({ form: number, of: version, values: Object.fromEntries(cells.map((cell) => [cell.dataset.cell, news(cell)])) });
  } else if (working) store.forget();
}

function silent(trouble) {
  if (trouble) said(say("keptHere"));
  else look();
}

function offer() {
  if (working || leaving) return;
  const kept = store.kept((work) => work.form === number), place = $("#form-kept");
  if (!place) return;
  place.hidden = !kept;
  if (!kept) return;
  const when = new Date(kept.kept).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const button = (word, look_, does) => {
    const made = element("button", { type: "button", className: `button ${look_}`, textContent: say(word) });
    made.dataset.does = word;
    made.addEventListener("click", does);
    return made;
  };
  place.replaceChildren(
    element("span", { textContent: `${say("keptForm", { count: Object.keys(kept.values).length, when })} ` }),
    button("keptResume", "button-main", () => resume(kept)), " ",
    button("keptForget", "", () => { store.forget(kept.id); offer(); }));
}

// The answers of before go back into their cells; the version is that of then, so who wrote meanwhile is heard of.
function resume(kept) {
  if (!store.begin(kept.id)) { offer(); return; }
  working = true;
  version = Math.min(version, kept.of);
  for (const cell of open()) if (cell.dataset.cell in kept.values) fill(cell, kept.values[cell.dataset.cell]);
  $("#form-kept").hidden = true;
  follow();
  look();
  changed()[0]?.scrollIntoView({ block: "center" });
}

// Write an answer into its cell: {value}, {unknown_reason}, or null for nothing.
function fill(cell, answer) {
  const place = control(cell), unknown = $("[data-unknown]", cell), reason = $("[data-reason]", cell), value = answer?.value ?? "";
  unknown.checked = Boolean(answer?.unknown_reason);
  reason.hidden = !unknown.checked;
  reason.value = answer?.unknown_reason ?? "";
  if (cell.dataset.type === "choices") for (const one of $$("input", place)) one.checked = [value].flat().includes(one.value);
  else place.value = value;
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
    store.forget();
    store.end();
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
    threeSided(theirs, trouble.message);
  } else {
    said(trouble.message);
    if (trouble.signedOut) $("#form-said").append(" ", Object.assign(signInLink(), { target: "_blank" }));
  }
}

// Who wrote meanwhile: what each answer was, mine and theirs, with a choice; what is chosen is saved upon theirs.
function threeSided(theirs, sentence) {
  const place = $("#form-conflict"), words = (cell, answer) => answer?.unknown_reason || titles(cell, answer?.value) || "–";
  const cells = Object.entries(theirs.cells).map(([key, one]) => ({ key, one, cell: $(`[data-cell="${CSS.escape(key)}"]`, page) })).filter((each) => each.cell);
  const who = [...new Set(cells.map(({ one }) => one.department || one.by_name))].join(" ");
  const view = threeWay(cells.map(({ key, one, cell }) => ({
    name: key, title: $(".cell-name", cell).textContent.trim(), base: was(cell), mine: words(cell, news(cell)), theirs: one.shown || one.unknown_reason || "–",
  })), { who });
  const take = element("button", { type: "button", className: "button button-main", textContent: say("threeSave") });
  take.addEventListener("click", () => {
    const unmade = view.open(), chosen = view.chosen();
    if (unmade) { said(say("threeChoose", { field: unmade.closest("tr").cells[0].textContent })); unmade.focus(); return; }
    version = theirs.version;
    for (const { key, one, cell } of cells) {
      if (chosen[key] !== "mine") { fill(cell, one.unknown_reason ? { unknown_reason: one.unknown_reason } : { value: one.value }); stands(cell); }
    }
    place.hidden = true;
    place.replaceChildren();
    if (changed().length) save();
    else { store.forget(); leaving = true; location.reload(); }  // all of it is theirs: the page as it stands
  });
  const heading = element("h2", { textContent: sentence, tabIndex: -1 });
  place.replaceChildren(heading, element("p", { className: "small", textContent: say("threeHow") }), view.table, element("p", {}, take));
  place.hidden = false;
  heading.focus();
  place.scrollIntoView({ block: "center" });
  keep();
}

// What a cell shows of a value: the titles of choices, the text itself otherwise.
function titles(cell, value) {
  const place = control(cell);
  if (value === undefined || value === null) return "";
  if (cell.dataset.type === "choice") return [...place.options].find((one) => one.value === value)?.textContent ?? value;
  if (cell.dataset.type === "choices") return $$("label", place).filter((one) => [value].flat().includes($("input", one).value)).map((one) => one.textContent).join("、");
  return value;
}

function was(cell) {
  const { was: before } = control(cell).dataset;
  return $("[data-reason]", cell).dataset.was || titles(cell, cell.dataset.type === "choices" ? before.split(",") : before) || "–";
}

// What a cell says now is what stands on the server.
function stands(cell) {
  const unknown = $("[data-unknown]", cell).checked, reason = $("[data-reason]", cell);
  reason.dataset.was = unknown ? reason.value.trim() : "";
  control(cell).dataset.was = unknown ? "" : given(cell);
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
offer();
if (sessionStorage.getItem("saved") === location.pathname) {
  said(say("saved"));
  scrollTo(0, Number(sessionStorage.getItem("saved-at")));
  sessionStorage.removeItem("saved");
}
