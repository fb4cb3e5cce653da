// Keep what is not saved yet: at once in this browser, and soon after on the server, so that a closed window, another
// computer or a silent server loses nothing. Each piece of work has a place of its own; the window that works at it says
// so again and again, and no other of this browser takes it.
import { askJson } from "./asking.js";
import { send } from "./sending.js";

const DAYS = 14;         // afterwards it is nobody's any more
const BEAT = 5_000;      // milliseconds between two signs of life
const SILENT = 90_000;   // a window in the background may sign no oftener than once a minute
const SOON = 1_200;      // milliseconds after a change until the server is told
const AGAIN = [3_000, 6_000, 12_000, 30_000];  // milliseconds until a silent server is tried again

// What is kept is any object without the names id, version, kept, sent and alive, which are used here.
// `server` = {drafts, draft} are the addresses, null where the browser alone keeps it. `arrived()` hears when the drafts
// of the server are there; `silent(trouble)` when it does not take one, and `silent(null)` when it does again.
export function keeping(user, { kind = "unit", server = null, arrived = () => {}, silent = () => {} } = {}) {
  const prefix = `geoinv.unsaved.${user}.${kind === "unit" ? "" : `${kind}.`}`, thrown = `geoinv.thrown.${user}.${kind}`;
  let id = null, beat = 0;
  let remote = new Map();              // what the server keeps: key → {version, kept_at, content}
  let soon = 0, sending = false, stale = false, failed = 0;

  const read = (place) => { try { return JSON.parse(localStorage.getItem(place)); } catch { return null; } };
  const write = (place, work) => { try { localStorage.setItem(place, JSON.stringify(work)); } catch { /* full, or forbidden: the page still has it */ } };
  const remove = (place) => { try { localStorage.removeItem(place); } catch { /* then there is nothing to take away */ } };
  const places = () => { try { return Object.keys(localStorage).filter((one) => one.startsWith(prefix) && !(kind === "unit" && one.slice(prefix.length).includes("."))); } catch { return []; } };
  const fresh = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const taken = (work) => Date.now() - (work.alive ?? 0) < SILENT;
  const address = (key) => server.draft.replace("KEY", encodeURIComponent(key));

  // `alive` of nought: whoever worked at it has left it.
  function sign(alive = Date.now()) {
    const work = id && read(prefix + id);
    if (work) write(prefix + id, { ...work, alive });
  }

  // --- the server

  async function load() {
    if (!server) return;
    try {
      const { drafts } = await askJson(`${server.drafts}?kind=${kind}`);
      remote = new Map(drafts.map((one) => [one.key, one]));
    } catch {
      return;  // what the browser keeps is offered all the same
    }
    await throwAway();
    arrived();
  }

  function later(pause = SOON) {
    clearTimeout(soon);
    soon = setTimeout(push, pause);
  }

  async function push() {
    clearTimeout(soon);
    const key = id, work = key && read(prefix + key);
    if (!server || !work) return;
    if (sending) { stale = true; return; }
    sending = true;
    stale = false;
    const { alive: _alive, version = 0, sent: _sent, ...content } = work;
    let trouble = null;
    try {
      const { version: now, kept_at } = await send("PUT", address(key), { kind, version, content });
      remote.set(key, { key, version: now, kept_at, content });
      const here = read(prefix + key);
      if (here) write(prefix + key, { ...here, version: now, sent: work.kept });
      else { note(key, now); throwAway(); }  // it was saved or thrown away meanwhile
    } catch (error) {
      trouble = error;
    }
    sending = false;
    if (trouble?.status === 409 && key === id) apart();
    else if (trouble?.unreachable || trouble?.signedOut) {
      silent(trouble);
      later(AGAIN[Math.min(failed++, AGAIN.length - 1)]);
    } else if (trouble) silent(trouble);  // too large, or too many: this browser keeps it
    else {
      if (failed) silent(null);
      failed = 0;
      if (stale && id) later();
    }
  }

  // Another window of this person, elsewhere, goes on with the same piece: this one gets a place of its own.
  function apart() {
    const work = read(prefix + id);
    remove(prefix + id);
    id = fresh();
    if (work) write(prefix + id, { ...work, version: 0 });
    later(0);
  }

  const noted = () => read(thrown) ?? {};
  const note = (key, version) => write(thrown, { ...noted(), [key]: version });

  // What was saved or thrown away while the server was silent is thrown away there too, as soon as it answers.
  async function throwAway() {
    for (const [key, version] of Object.entries(noted())) {
      try {
        await send("DELETE", address(key), { kind, version });
      } catch (trouble) {
        if (trouble.unreachable || trouble.signedOut) return;  // later
      }
      const { [key]: _gone, ...rest } = noted();
      write(thrown, rest);
      remote.delete(key);
    }
  }

  window.addEventListener("pagehide", () => sign(0));
  window.addEventListener("pageshow", (event) => { if (event.persisted) sign(); });
  window.addEventListener("online", () => { if (id && failed) push(); });
  load();

  return {
    // A new piece of work, or one that is taken up again; false when another window has taken it meanwhile.
    begin(of = null) {
      const work = of && read(prefix + of), there = of && remote.get(of);
      if (of && !work && !there) return false;
      if (work && taken(work)) return false;
      id = of ?? fresh();
      if (there && (!work || ahead(there, work))) {
        // What this browser had of the same piece, and the server has not, keeps a place of its own.
        if (work && work.kept !== work.sent) write(prefix + fresh(), { ...work, version: 0, alive: 0 });
        write(prefix + id, { ...there.content, version: there.version, sent: there.content.kept });
      }
      sign();
      clearInterval(beat);
      beat = setInterval(() => sign(), BEAT);
      return true;
    },
    end() { clearInterval(beat); clearTimeout(soon); if (id && server && failed) silent(null); sign(0); id = null; failed = 0; },
    keep(work) {
      if (!id) return;
      const { version = 0, sent = null } = read(prefix + id) ?? {};
      write(prefix + id, { ...work, version, sent, kept: Date.now(), alive: Date.now() });
      if (!failed) later();
    },
    forget(of = id) {
      if (!of) return;
      const version = read(prefix + of)?.version || remote.get(of)?.version;
      remove(prefix + of);
      remote.delete(of);
      if (server && version) { note(of, version); throwAway(); }
    },
    // The latest work that nobody is at: {id, …, where: "browser" | "server" | "both", newer} or null. `newer` says which
    // of the two has the later one where both have it.
    // `of(work)` says which are meant: on the page of one record only those that are of it.
    kept(of = () => true) {
      const found = [];
      for (const place of places()) {
        const work = read(place), key = place.slice(prefix.length), there = remote.get(key);
        if (!work || Date.now() - work.kept > DAYS * 86_400_000) remove(place);
        else if (!taken(work)) found.push(there && ahead(there, work) ? { ...there.content, id: key, where: "both", newer: "server" } : { ...work, id: key, where: there ? "both" : "browser", newer: there && work.kept !== work.sent ? "browser" : null });
      }
      const gone = noted();
      for (const [key, there] of remote) {
        if (!read(prefix + key) && !(key in gone)) found.push({ ...there.content, id: key, where: "server", newer: null });
      }
      return found.filter(of).sort((a, b) => b.kept - a.kept)[0] ?? null;
    },
  };
}

// Whether the server's is a later one than what this browser last sent or kept of the same piece.
const ahead = (there, work) => there.version > (work.version ?? 0) && there.content.kept > work.kept;
