// Keep what is not saved yet in this browser, so that a closed window or a silent server loses nothing.
// Each piece of work has a place of its own; the window that works at it says so again and again, and no other takes it.
const DAYS = 14;         // afterwards it is nobody's any more
const BEAT = 5_000;      // milliseconds between two signs of life
const SILENT = 90_000;   // a window in the background may sign no oftener than once a minute

export function keeping(user) {
  const prefix = `geoinv.unsaved.${user}.`;
  let id = null, timer = 0;

  function read(place) {
    try { return JSON.parse(localStorage.getItem(place)); } catch { return null; }
  }

  function write(place, work) {
    try { localStorage.setItem(place, JSON.stringify(work)); } catch { /* full, or forbidden: the page still has it */ }
  }

  function remove(place) {
    try { localStorage.removeItem(place); } catch { /* then there is nothing to take away */ }
  }

  // `alive` of nought: whoever worked at it has left it.
  function sign(alive = Date.now()) {
    const work = id && read(prefix + id);
    if (work) write(prefix + id, { ...work, alive });
  }

  const taken = (work) => Date.now() - (work.alive ?? 0) < SILENT;
  window.addEventListener("pagehide", () => sign(0));
  window.addEventListener("pageshow", (event) => { if (event.persisted) sign(); });

  return {
    // A new piece of work, or one that is taken up again; false when another window has taken it meanwhile.
    begin(of = null) {
      const work = of && read(prefix + of);
      if (of && (!work || taken(work))) return false;
      id = of ?? `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
      sign();
      clearInterval(timer);
      timer = setInterval(() => sign(), BEAT);
      return true;
    },
    end() { clearInterval(timer); sign(0); id = null; },
    keep(work) { if (id) write(prefix + id, { ...work, kept: Date.now(), alive: Date.now() }); },
    forget(of = id) { if (of) remove(prefix + of); },
    // The latest work that nobody is at: {id, …} or null.
    kept() {
      const found = [];
      try {
        for (const place of Object.keys(localStorage).filter((one) => one.startsWith(prefix))) {
          const work = read(place);
          if (!work || Date.now() - work.kept > DAYS * 86_400_000) remove(place);
          else if (!taken(work)) found.push({ ...work, id: place.slice(prefix.length) });
        }
      } catch { /* forbidden: nothing is kept here */ }
      return found.sort((a, b) => b.kept - a.kept)[0] ?? null;
    },
  };
}
