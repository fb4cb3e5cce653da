// The report of one delivery: what it did, what is wrong with it, what goes back, what may be repaired, and the way back.
import { askJson } from "./asking.js";
import { moment } from "./import-layers.js";
import { note, spoken, verdictBadge } from "./import-parts.js";
import { repairsView } from "./import-repairs.js";
import { resultView } from "./import-result.js";
import { noticeBoard } from "./notices.js";
import { $, count, element, say, told } from "./page.js";
import { send } from "./sending.js";

const ABSOLUTE = ["survey", "frozen", "delivery"];  // what stands in the way of every row
const NAMED = 200;  // rows in the way that are spelled out

const board = noticeBoard($("#notices"));
const result = resultView({ listed: "problems" });
const repairs = repairsView({ base: told.base, trouble: unreached, done: retaken });
let delivery = null, keep = false;

$("#undo").addEventListener("click", () => sure(false));
$("#undo-keep").addEventListener("click", () => sure(true));
$("#undo-no").addEventListener("click", () => { $("#undo-sure").hidden = true; $(keep ? "#undo-keep" : "#undo").focus(); });
$("#undo-yes").addEventListener("click", undo);
load();

function unreached(trouble, again = load) {
  if (trouble.signedOut || trouble.unreachable || !trouble.status) board.unreached(trouble, again);
  else board.notice("refused", "seal", spoken(trouble.message));
  $("#notices").scrollIntoView({ block: "nearest" });
}

async function load() {
  try {
    delivery = await askJson(told.json);
    board.reached();
  } catch (trouble) { unreached(trouble); return; }
  const undone = delivery.state === "undone", sum = delivery.result ?? delivery;
  $("#state").textContent = say(undone ? "layer-undone" : "layer-imported");
  $("#refused").hidden = !sum.refused;
  $("#undo-part").hidden = undone;
  board.notice("undone", undone ? "amber" : null, say("deliveryUndone"));
  tellReading();
  tellUndo(delivery.undo?.blockers ?? []);
  for (const part of [$(".groups-part"), $("#rows-part"), $("#repairs-part")]) part.hidden = undone;  // what was found went with the rows
  if (undone) { result.sum(sum); document.documentElement.dataset.ready = "yes"; return; }
  const counted = await result.fill({ ...sum, delta: delivery.delta ?? sum.delta, repairs: delivery.repairs ?? sum.repairs }, { address: told.base, done: true });
  if (counted) $("#rows-part").hidden = !counted.severities.error && !counted.severities.warning;
  await repairs.load();
  document.documentElement.dataset.ready = "yes";
}

// The shapes that were agreed to have been taken, as a delivery of their own, or why not.
function retaken({ error, delivery: made }) {
  if (error) board.notice("retaken", "seal", spoken([error.message, error.hint].filter(Boolean).join(" ")));
  else if (made) board.notice("retaken", "moss", say("retaken", { delivery: made }), element("a", { className: "button", href: told.base.replace(/\d+\/$/, `${made}/`), textContent: say("toReport") }));
  load();
}

function tellReading() {
  const part = (title, one, name) => (one ? element("article", { className: "verdict-part" },
    element("header", {}, element("h3", { textContent: title }), verdictBadge(one.verdict)), element("p", { textContent: name }),
    element("ul", { className: "evidence" }, ...(one.evidence ?? []).map((each) => element("li", { textContent: each })))) : "");
  const { encoding, crs } = delivery;
  $("#report-verdicts").replaceChildren(
    part(say("fact-encoding"), encoding, encoding?.name ?? ""),
    crs?.epsg || crs?.name ? part(say("fact-crs"), crs, crs.name ?? `EPSG:${crs.epsg}`) : "");
  const mapping = delivery.mapping, facts = [
    [say("fact-profile"), delivery.profile?.title ?? delivery.profile?.name ?? delivery.profile],
    mapping ? [say("fact-mapping"), [mapping.name, ...Object.entries(mapping.fields ?? {}).map(([field, column]) => `${column || "–"} → ${field}`), ...Object.entries(mapping.constants ?? {}).map(([field, value]) => `“${value}” → ${field}`)].filter(Boolean).join(say("semicolon"))] : null,
    [say("fact-sha"), delivery.sha256 ?? "–"],
    [say("fact-by"), [delivery.by?.name ?? delivery.by, moment(delivery.imported_at)].filter(Boolean).join(" · ")],
  ];
  $("#report-facts").replaceChildren(...facts.filter(Boolean).flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { className: "code", textContent: value })]));
}

// Who changed what since: each row is named, with the way to keep those and take back the rest.
function tellUndo(blockers) {
  const place = $("#undo-blockers");
  $("#undo-keep").hidden = !blockers.length || blockers.some((one) => ABSOLUTE.includes(one.what));
  $("#undo").disabled = blockers.length > 0;
  if (!blockers.length) { place.replaceChildren(); return; }
  const rows = blockers.slice(0, NAMED).map((one) => element("li", { textContent: one.sentence ?? one.key }));
  place.replaceChildren(note("amber", say("undoInTheWay", { count: count(blockers.length) }), element("ul", { className: "blockers", tabIndex: 0 }, ...rows)));
}

function sure(keeping) {
  keep = keeping;
  $("#undo-sure span").textContent = say(keep ? "undoSureKeep" : "undoSure");
  $("#undo-sure").hidden = false;
  $("#undo-no").focus();
}

async function undo() {
  $("#undo-yes").disabled = true;
  board.notice("refused", null);
  try {
    const answer = await send("POST", `${told.base}undo.json`, { keep_edited: keep });
    $("#undo-sure").hidden = true;
    await load();
    const kept = answer.kept ?? [];
    const made = kept.length ? element("ul", { className: "blockers", tabIndex: 0 }, ...kept.slice(0, NAMED).map((one) => element("li", { textContent: one.sentence ?? one.key ?? one }))) : "";
    board.notice("undone", "amber", say(kept.length ? "undoneKept" : "deliveryUndone", { count: count(kept.length) }), ...(made ? [made] : []));
    $("#title").focus();
  } catch (trouble) {
    $("#undo-sure").hidden = true;
    const way = trouble.answer?.in_the_way ?? trouble.answer?.blockers;
    if (way?.length) tellUndo(way); else unreached(trouble, undo);  // the list says it better than one sentence
    if (way?.length) $("#heard").textContent = say("undoInTheWay", { count: count(way.length) });
    $("#undo-title").focus();
  } finally {
    $("#undo-yes").disabled = false;
  }
}
