// Bring in a shape from elsewhere: boundary points that are typed or pasted, or a file that is dropped onto the form.
import { $, count, element, metres, say } from "./page.js";
import { EMPTY, finished, fromGeoJson } from "./rings.js";
import { Refused, send, token } from "./sending.js";

const LARGEST = 20 * 1024 * 1024;  // bytes of a file

// `point(corner)` puts one corner; a whole shape is a step, and its corners that lie beside a parcel's are moved in another,
// so that one step back leaves what was surveyed.
export function bringing(work, { addresses, panel, settler, board, commit, point, bringIntoView, tell }) {
  const now = () => work.steps.now, note = $("#compose-brought");
  let busy = false;

  // --- boundary points

  const form = $("#compose-points"), field = $("#compose-boundary");
  form.hidden = !addresses.corners;
  form.closest("details").hidden = !addresses.corners;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.value.trim()) { field.focus(); return; }
    working(async () => {
      const answer = await send("POST", addresses.corners, { district: work.district, text: field.value });
      return () => {
        if (answer.point) point(answer.point); else take(nested(answer.geometry), "pointsTaken", { count: count(answer.points) });
        note.textContent = answer.told;
        field.value = "";
      };
    });
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });

  // --- a file

  const chooser = $("#compose-file"), veil = $("#compose-veil");
  $("#compose-taking").hidden = !addresses.taken;
  let over = 0;
  const wanted = (event) => work.active && addresses.taken && [...event.dataTransfer?.types ?? []].includes("Files");
  panel.addEventListener("dragenter", (event) => { if (wanted(event)) { over++; veil.hidden = false; event.preventDefault(); } });
  panel.addEventListener("dragover", (event) => { if (wanted(event)) { event.dataTransfer.dropEffect = "copy"; event.preventDefault(); } });
  panel.addEventListener("dragleave", (event) => { if (wanted(event) && --over <= 0) { over = 0; veil.hidden = true; } });
  panel.addEventListener("drop", (event) => {
    if (!wanted(event)) return;
    event.preventDefault();
    over = 0;
    veil.hidden = true;
    takeFiles([...event.dataTransfer.files]);
  });
  chooser.addEventListener("change", () => { takeFiles([...chooser.files]); chooser.value = ""; });

  function takeFiles(files, layer = "", crs = "") {
    if (!files.length) return;
    if (files.reduce((sum, one) => sum + one.size, 0) > LARGEST) { board.notice("file", "seal", say("fileTooLarge")); return; }
    working(async () => {
      const form = new FormData();
      for (const one of files) form.append("file", one);
      form.append("district", work.district);
      if (layer) form.append("layer", layer);
      if (crs) form.append("crs", crs);
      const answer = await sent(form);
      return () => {
        take(fromGeoJson(answer.geometry), "fileTaken", { name: answer.name || files[0].name, count: count(answer.rows) });
        note.textContent = [say("fileRead", { name: files[0].name, layer: answer.layer ?? "", parts: answer.parts, holes: answer.holes }), ...answer.crs?.sentences ?? [], ...answer.remarks ?? []].join(" ");
      };
    }, (trouble) => [...layersOf(trouble, files), ...systemOf(trouble, files, layer)]);
  }

  async function sent(form) {
    let answer, told = {};
    try {
      answer = await fetch(addresses.taken, { method: "POST", body: form, headers: { Accept: "application/json", "X-CSRFToken": token() } });
      told = await answer.json();
    } catch {
      if (!answer || answer.ok) throw new Refused(0, {});
    }
    if (!answer.ok) throw new Refused(answer.status, told);
    return told;
  }

  // A container of several layers: which one is meant is asked with their names.
  function layersOf(trouble, files) {
    const names = trouble.answer?.layers;
    if (!names?.length) return [];
    return [element("p", { className: "unit-doing" }, ...names.map((one) => {
      const name = one.name ?? one, made = element("button", { type: "button", className: "button", textContent: name });
      made.addEventListener("click", () => { board.notice("file", null); takeFiles(files, name); });
      return made;
    }))];
  }

  // A file that does not say in which system its numbers are: whoever has it may know.
  function systemOf(trouble, files, layer) {
    if (trouble.answer?.code !== "crs") return [];
    const input = element("input", { className: "input code", id: "compose-crs", value: "EPSG:4490", autocomplete: "off" });
    const form = element("form", { className: "field" }, element("label", { htmlFor: "compose-crs", textContent: say("whichSystem") }), input,
      element("button", { className: "button", textContent: say("again") }));
    form.addEventListener("submit", (event) => { event.preventDefault(); board.notice("file", null); takeFiles(files, layer, input.value.trim()); });
    return [form];
  }

  // --- both

  function take(shape, said, values) {
    const taken = { ...EMPTY, how: "drawn", shape, aside: now().aside };
    bringIntoView();
    commit(taken, said, values);
    const session = work.session;
    settler.whole(shape).then((found) => {
      if (!found?.corners || session !== work.session || now() !== taken) return;
      commit({ ...taken, shape: found.shape }, "takenSnapped", { count: count(found.corners), metres: metres(found.farthest) });
    }, () => { /* silent: what was brought in stays as it is */ });
  }

  // `ask` gives what is to be done with the answer; nothing is, when one has left meanwhile.
  async function working(ask, more = () => []) {
    if (busy) return;
    const session = work.session;
    busy = true;
    note.textContent = say("asking");
    board.notice("file", null);
    try {
      const act = await ask();
      if (session !== work.session) return;
      note.textContent = "";
      board.reached();
      act();
    } catch (trouble) {
      if (session !== work.session) return;
      note.textContent = "";
      if (trouble.unreachable || trouble.signedOut) board.unreached(trouble);
      else board.notice("file", "seal", trouble.message, ...more(trouble));
      tell.plain(trouble.message);
    } finally {
      busy = false;
    }
  }

  return { choose: () => chooser.click(), typed: () => { form.closest("details").open = true; field.focus(); }, begun() { note.textContent = ""; over = 0; veil.hidden = true; } };
}

// Rings that were merely listed, one after the other: one inside another is its hole, as when it is drawn.
function nested(geometry) {
  return fromGeoJson(geometry).reduce((shape, polygon) => (polygon.length > 1 ? [...shape, polygon] : finished({ ...EMPTY, shape, growing: polygon[0] }).shape), []);
}
