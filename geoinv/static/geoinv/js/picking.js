// Choose parcels for a unit: by a click, by a box, by codes pasted, from the list of the window.
import { box } from "./box.js";
import { chosenList, inView } from "./choosing.js";
import { $, say } from "./page.js";
import { ofParcels, toggled } from "./rings.js";
import { send } from "./sending.js";
import { isWhole } from "./verdict.js";

const FARTHEST = 13;  // the zoom from which on a box may be drawn
const NAMED = 12;     // unknown codes that a notice spells out

export function picking(map, work, { address, painted, board, commit, tell, bringIntoView }) {
  const chosen = chosenList({ remove: toggle, look: (codes) => ask({ codes }) });
  const seen = inView(map, { look: (bounds) => inBox(bounds, true), toggle, chosen: () => work.steps.now.parcels });
  const boxed = box(map, {
    wanted: (event) => work.active && (work.tool === "box" || (event.shiftKey && work.tool !== "draw")),
    drawn: addBox,
  });

  function toggle(code) {
    const base = basis(), gone = base.parcels.includes(code);
    commit(toggled(base, code), gone ? "parcelOut" : "parcelIn", { code, count: base.parcels.length + (gone ? -1 : 1) });
  }

  function add(found, more = false) {
    const base = basis(), fresh = found.filter((one) => !base.parcels.includes(one.code));
    chosen.learn(found);
    if (fresh.length) commit(ofParcels([...base.parcels, ...fresh.map((one) => one.code)]));
    tell(more ? "boxMore" : found.length ? "parcelsIn" : "noParcelThere", { count: fresh.length, limit: found.length });
  }

  // Parcels are picked on top of parcels; of a drawing, those that lie wholly in it are kept.
  function basis() {
    const now = work.steps.now;
    if (now.how === "parcels") return now;
    return ofParcels(work.answered?.about === now ? work.answered.answer.members.filter(isWhole).map((one) => one.code) : []);
  }

  async function pickAt(latlng) {
    const code = await parcelAt(latlng);
    if (code && work.active) toggle(code); else if (work.active && code === "") tell("noParcelThere");
  }

  // The code of the parcel there; "" where there is none, null when nobody answered.
  async function parcelAt(latlng) {
    const found = painted.at(map, latlng).find((one) => one.layer === "candidates" || one.layer === "parcels");
    const code = found?.feature.props.kind === "building" ? null : found?.feature.props.code;
    if (code) return code;
    const answer = await inBox(latlng.toBounds(0.02), true);  // two centimetres: the layer may be switched off
    if (!answer) return null;
    chosen.learn(answer.parcels);
    return answer.parcels[0]?.code ?? "";
  }

  // What the server knows; null when it did not answer, which the board tells.
  async function ask(body) {
    try {
      const answer = await send("POST", address, { district: work.district, ...body });
      board.reached();
      return answer;
    } catch (trouble) {
      if (trouble.unreachable || trouble.signedOut) board.unreached(trouble); else board.notice("refused", "seal", trouble.message);
      return null;
    }
  }

  const inBox = (bounds, touching = false) => ask({ box: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()], touching });

  async function addBox(bounds) {
    if (map.getZoom() < FARTHEST) { tell("closerForBox"); return; }
    tell("asking");
    const answer = await inBox(bounds);
    if (work.active && answer) add(answer.parcels, answer.more);
  }

  $("#compose-paste").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = $("#compose-codes");
    if (!field.value.trim()) { field.focus(); return; }
    const answer = await ask({ codes: field.value });
    if (!work.active || !answer) return;
    const { parcels, unknown } = answer;
    if (parcels.length) bringIntoView();
    add(parcels);
    const missing = unknown?.slice(0, NAMED).join(say("comma"));
    board.notice("unknown", missing ? "amber" : null, missing && say("unknownCodes", { codes: missing }));
    if (parcels.length) field.value = (unknown ?? []).join("\n");
    field.focus();
  });

  return {
    pickAt, parcelAt, addBox,
    fill() { chosen.fill(work.steps.now.parcels); seen.mark(); },
    judged: chosen.judged, start: seen.start, stop: seen.stop,
    get boxed() { return boxed.made; },
  };
}
