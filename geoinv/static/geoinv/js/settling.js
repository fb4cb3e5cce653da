// Where exactly a corner lies: the server says it of each that is put, by the parcels' own numbers and whatever the zoom.
// A corner waits for nobody: it stands where the screen put it, is put right when the answer comes, and stays when none does.
import * as geodesy from "./geodesy.js";
import { metres, say } from "./page.js";
import { instead, same } from "./rings.js";
import { send } from "./sending.js";

const SILENT = 6_000;  // milliseconds after which no answer is waited for

// `amend(change)` puts every state right in which the corner stands.
export function settling(map, work, { address, amend, sketch }) {
  const container = map.getContainer();
  const settled = new WeakMap();  // corner as it was put → the promise of the one that stands
  const kinds = new WeakMap();    // corner that stands → "corner", "edge" or null: what of a parcel it lies on
  let waiting = 0;

  // `place` = {at, kind, code, from: where the hand was or null, free: nothing is to snap}; `at` stands in a state already.
  // Gives a promise of the corner that stands for it then; `aloud` puts what became of it into words.
  function settle(place, aloud = () => {}) {
    const { at, free } = place;
    if (free) kinds.set(at, null);
    if (free || !address) return Promise.resolve(at);
    const promise = ask(place, aloud).catch(() => at);
    settled.set(at, promise);
    return promise;
  }

  async function ask({ at, from }, aloud) {
    const session = work.session;
    count(1);
    let found;
    try {
      const answer = await send("POST", address, { district: work.district, points: [at] }, AbortSignal.timeout(SILENT));
      found = answer.points[0];
    } catch {
      container.dataset.settled = "silent";  // the corner of the screen is the parcel's own in all but the rarest cases
      return at;
    } finally {
      count(-1);
    }
    if (session !== work.session) return at;
    container.dataset.settled = found.kind ?? "free";
    const corner = same(found.at, at) ? at : found.at;
    kinds.set(corner, found.kind);
    if (corner !== at) amend(instead(at, corner));
    const moved = geodesy.distance(from ?? latLng(at), latLng(corner));
    if (found.kind) sketch.flash(corner, say(`tag-${found.kind}`, { metres: metres(moved) }));
    aloud({ kind: found.kind, code: found.code, metres: metres(moved) });
    return corner;
  }

  function count(more) {
    waiting += more;
    container.dataset.settling = String(waiting);
  }

  // All corners of some polygons at once, which came from elsewhere: {shape, corners, farthest} with those in reach of the
  // parcels' on them; `corners` of them moved, the farthest by so many metres. null when the server is silent.
  async function whole(shape) {
    const places = shape.flat(2);
    if (!address) return null;
    const points = [];
    for (let i = 0; i < places.length; i += AT_ONCE) {
      const answer = await send("POST", address, { district: work.district, points: places.slice(i, i + AT_ONCE) });
      points.push(...answer.points);
    }
    let number = 0, corners = 0, farthest = 0;
    const put = (corner) => {
      const { at } = points[number++];
      if (same(at, corner)) return corner;
      corners++;
      farthest = Math.max(farthest, geodesy.distance(latLng(corner), latLng(at)));
      return at;
    };
    return { shape: shape.map((polygon) => polygon.map((ring) => ring.map(put))), corners, farthest };
  }

  return { settle, whole, isFree: (corner) => kinds.get(corner) === null, standing: (corner) => settled.get(corner) ?? Promise.resolve(corner) };
}

const AT_ONCE = 500;  // corners in one question
const latLng = ([lng, lat]) => ({ lat, lng });
