// Ask our own server; an answer that is not what was asked for is an error with the server's sentence.
export class Trouble extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

export async function askJson(address, options = {}) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
  if (!answer.ok) throw new Trouble(answer.status, await sentence(answer));
  return answer.json();
}

export async function askFragment(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const type = answer.headers.get("Content-Type") ?? "";
  if (!answer.ok || answer.redirected || !type.startsWith("text/html")) {
    throw new Trouble(answer.status, answer.statusText);
  }
  return answer.text();
}

async function sentence(answer) {
  try {
    const told = await answer.json();
    return [told.detail, told.hint].filter(Boolean).join(" ");
  } catch {
    return answer.statusText;
  }
}
