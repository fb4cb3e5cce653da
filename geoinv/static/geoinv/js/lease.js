// Tell others that one has a record open to edit it, and hear who else has: a soft lease, which never stops anybody.
// A page says `data-lease` itself (templates/units/_lease.html); the map uses `leasing` (leases.js).
const BEAT = 30_000;  // milliseconds between two signs; the server lets a lease end after ninety seconds

const token = () => document.cookie.split("; ").find((one) => one.startsWith("csrftoken="))?.slice("csrftoken=".length) ?? "";

async function ask(method, address, what, keepalive = false) {
  const answer = await fetch(address, {
    method, keepalive, body: JSON.stringify(what),
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token() },
  });
  return answer.ok && answer.status !== 204 ? answer.json() : { others: [] };
}

// `heard(names)` hears at each sign who else has it open; a silent server changes nothing.
export function leasing(address, heard) {
  let what = null, timer = 0;

  async function sign() {
    const mine = what;
    try {
      const { others } = await ask("POST", address, mine);
      if (mine === what) heard(others.map((one) => one.name));
    } catch { /* nobody is told for now; the next sign tries again */ }
  }

  // `what` = {register, code, district}
  function hold(record) {
    leave();
    what = record;
    sign();
    timer = setInterval(sign, BEAT);
  }

  function leave() {
    clearInterval(timer);
    if (!what) return;
    const left = what;
    what = null;
    heard([]);
    ask("DELETE", address, left, true).catch(() => { /* it ends by itself */ });
  }

  window.addEventListener("pagehide", () => { if (what) ask("DELETE", address, what, true).catch(() => { /* it ends by itself */ }); });
  window.addEventListener("pageshow", (event) => { if (event.persisted && what) sign(); });
  document.addEventListener("visibilitychange", () => { if (what && document.visibilityState === "visible") sign(); });
  return { hold, leave };
}

for (const place of document.querySelectorAll("[data-lease]")) {
  const { lease, leaseCode, leaseDistrict, leaseAddress, leaseSentence, leaseComma } = place.dataset;
  leasing(leaseAddress, (names) => {
    place.hidden = !names.length;
    place.textContent = names.length ? leaseSentence.replace("{who}", names.join(leaseComma)) : "";
  }).hold({ register: lease, code: leaseCode, district: leaseDistrict });
}
