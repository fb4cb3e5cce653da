// What was dropped or chosen, as a list of files; and why it plainly cannot be one delivery.
import { size } from "./import-parts.js";
import { count, say } from "./page.js";

const MOST = 200;  // files that the server takes at a time; a folder of more comes as a .zip
const PASSED_OVER = /^(\.|__MACOSX|Thumbs\.db$|desktop\.ini$)/i;
const vct = (name) => say("exportVct", { name }), mdb = (name) => say("exportMdb", { name });
const rar = (name) => say("exportRar", { name }), dwg = (name) => say("exportDwg", { name });
const ELSEWHERE = { vct, cdf: vct, mdb, rar, "7z": rar, dwg };  // what is to be made of them first

// Files of a drop, those inside folders too. Entries have to be taken before the first wait: the drop is gone afterwards.
export async function collected(transfer) {
  const entries = [...transfer.items].filter((one) => one.kind === "file").map((one) => one.webkitGetAsEntry?.() ?? one.getAsFile());
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (!entry || found.length > MOST) return;
  if (entry instanceof File) { found.push(entry); return; }
  if (PASSED_OVER.test(entry.name)) return;
  if (entry.isFile) { found.push(await new Promise((resolve, reject) => { entry.file(resolve, reject); })); return; }
  if (/\.gdb$/i.test(entry.name)) { found.push(Object.assign(new File([], entry.name), { folder: true })); return; }
  const reader = entry.createReader();
  for (;;) {  // a hundred at a time, until none are left
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return;
    for (const one of some) await walk(one, found);
  }
}

const ending = (name) => name.slice(name.lastIndexOf(".") + 1).toLowerCase();

// A sentence why these files are not sent, or nothing; the server judges by their bytes.
export function refusal(files, largest = Infinity) {
  if (!files.length) return say("dropNothing");
  if (files.length > MOST) return say("dropMany", { count: count(files.length) });
  const folder = files.find((one) => one.folder);
  if (folder) return say("dropGdb", { name: folder.name });
  const names = files.map((one) => one.name.toLowerCase()), twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) return say("dropTwice", { name: twice });
  const empty = files.length === 1 && !files[0].size ? files[0] : null;
  if (empty) return say("dropEmpty", { name: empty.name });
  const other = files.length === 1 ? ELSEWHERE[ending(files[0].name)] : null;
  if (other) return other(files[0].name);
  if (files.reduce((sum, one) => sum + one.size, 0) > largest) return say("dropLarge", { most: size(largest) });
  const shp = names.find((name) => name.endsWith(".shp")), parts = shp && ["shx", "dbf"].filter((part) => !names.includes(`${shp.slice(0, -3)}${part}`));
  if (parts?.length) return say("dropParts", { name: shp, parts: parts.map((part) => `.${part}`).join(" ") });
  return "";
}

export const named = (files) => (files.length === 1 ? files[0].name : say("filesOf", { name: files[0].name, count: count(files.length) }));
