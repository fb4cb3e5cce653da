// Change the shape as a whole: part it by a line, cut a ring out of it, unite it with what is clicked.
import { say, squareMetres } from "./page.js";
import { EMPTY, fromGeoJson, geoJson, isEmpty, sameBody, toGeoJson, ungrown } from "./rings.js";
import { send } from "./sending.js";

// `saved()` gives {code, version, …} of the unit that is edited while it is what is saved, else null; `promise(state, operation)`
// keeps what would be done with saved units for the state; `parcelAt(latlng)` and `unitAt(latlng)` give codes or
// null, `beside(unit)` the drafts around it.
export function reshaping(work, { addresses, asking, board, commit, saved, promise, parcelAt, unitAt, beside, found, use, tell }) {
  const now = () => work.steps.now, line = (type, coordinates) => ({ type, coordinates });
  let busy = false;

  // What is composed, as the server takes it; null when there is nothing yet, or no outline of the parcels.
  async function body() {
    if (isEmpty(now()) || (now().how === "drawn" && !now().shape.length)) return null;
    if (now().how === "drawn") return toGeoJson(ungrown(now()));
    const about = now(), there = () => work.answered && sameBody(work.answered.about, about);
    if (!there()) await asking.now();
    return there() ? work.answered.answer.geometry : null;
  }

  // One question at a time about the state as it is; null when it was refused, or another step was taken meanwhile.
  async function asked(question) {
    if (busy) return null;
    const about = now(), session = work.session;
    busy = true;
    tell("asking");
    try {
      const answer = await send("POST", addresses.reshape, { district: work.district, ...question });
      board.reached();
      if (session !== work.session) return null;
      if (about === now()) return answer;
      tell("changedMeanwhile");
    } catch (trouble) {
      if (session !== work.session) return null;
      if (trouble.unreachable || trouble.signedOut) board.unreached(trouble);
      tell.plain(trouble.message);
    } finally {
      busy = false;
    }
    return null;
  }

  const drawn = (shape, aside = now().aside) => ({ ...EMPTY, how: "drawn", shape, aside });

  async function split(corners) {
    const geometry = await body(), unit = saved();
    if (!geometry) { tell("nothingToChange"); return; }
    const question = { op: "split", geometry, line: line("LineString", corners) }, answer = await asked(question);
    if (!answer) return;
    const [first, ...others] = answer.pieces.map((one) => fromGeoJson(one.geometry)), next = drawn(first, [...now().aside, ...others]);
    if (unit) promise(next, { op: "split", units: [unit], line: question.line, names: [], count: answer.pieces.length });
    commit(next, "splitInto", { count: answer.pieces.length, areas: answer.pieces.map((one) => squareMetres(one.area_m2)).join(say("comma")) });
  }

  async function cut(ring) {
    const geometry = await body();
    if (!geometry) { tell("nothingToChange"); return; }
    const answer = await asked({ op: "cut_out", geometry, ring: line("Polygon", [[...ring, ring[0]]]) });
    if (!answer) return;
    const [stays, gone] = answer.pieces;
    commit(drawn(fromGeoJson(stays.geometry)), "cutOut", { area: squareMetres(gone?.area_m2 ?? answer.area_m2_before - stays.area_m2) });
  }

  // A piece that was set aside, another saved draft, or a parcel: whichever lies there first.
  async function mergeAt(latlng) {
    const piece = now().aside.findIndex((shape) => holds(shape, latlng));
    if (piece >= 0) { await mergePiece(piece); return; }
    const unit = saved(), near = unit && (await beside(unit)).find((one) => holds(one.shape, latlng));  // what the map shows may be older
    const code = near?.unit.code ?? unitAt(latlng), own = work.unit?.code;
    if (code && code !== own) { await mergeUnit(code); return; }
    const parcel = await parcelAt(latlng);
    if (!parcel) { tell("nothingToMerge"); return; }
    const geometry = await body();
    const other = geometry && await outlineOf(parcel);
    if (!geometry) { use("pick"); return; }
    if (other) await unite([geometry, other], now().aside, (area) => ["mergedParcel", { code: parcel, area }]);
  }

  async function mergePiece(number) {
    const geometry = await body(), { aside } = now();
    if (geometry) await unite([geometry, geoJson(aside[number])], aside.toSpliced(number, 1), (area) => ["mergedPiece", { area }]);
  }

  async function mergeUnit(code) {
    const mine = saved(), geometry = await body();
    if (!mine) { tell("saveBeforeMerge", { code }); return; }
    const other = await found(code);
    if (!other) return;
    if (!other.may?.edit) { tell("notADraft", { code }); return; }
    const operation = { op: "merge", units: [mine, { code, version: other.version }], count: 2 };
    await unite([geometry, other.geometry], now().aside, (area) => ["mergedUnit", { code, area }], operation);
  }

  async function unite(geometries, aside, said, operation = null) {
    const answer = await asked({ op: "union", geometries });
    if (!answer) return;
    const next = drawn(fromGeoJson(answer.pieces[0].geometry), aside);
    if (operation) promise(next, operation);
    commit(next, ...said(squareMetres(answer.pieces[0].area_m2)));
  }

  async function outlineOf(parcel) {
    try {
      return (await send("POST", addresses.compose, { district: work.district, parcels: [parcel] })).geometry;
    } catch (trouble) {
      tell.plain(trouble.message);
      return null;
    }
  }

  // Work at a piece that was set aside; what was worked at is set aside for it.
  function take(number) {
    const { shape, aside } = now();
    commit(drawn(aside[number], aside.with(number, shape)), "pieceTaken");
  }

  function drop(number) { commit({ ...now(), aside: now().aside.toSpliced(number, 1) }, "pieceDropped"); }

  return { body, split, cut, mergeAt, mergePiece, take, drop };
}

// Whether a place lies in polygons: by the rule of even and odd, over all their rings.
export function holds(shape, { lng, lat }) {
  let within = false;
  for (const ring of shape.flat()) {
    ring.forEach((a, i) => {
      const b = ring[(i + 1) % ring.length];
      if (a[1] > lat !== b[1] > lat && lng < ((b[0] - a[0]) * (lat - a[1])) / (b[1] - a[1]) + a[0]) within = !within;
    });
  }
  return within;
}
