// What the page was told by the server, and small ways to build its elements.
export const told = JSON.parse(document.getElementById("told").textContent);

// A sentence in the reader's language, with its blanks filled: say("zoomIn", {layer: "…"}).
export function say(name, values = {}) {
  return told.words[name].replace(/\{(\w+)\}/g, (_all, key) => values[key]);
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value; else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// The way to the sign-in and back to this very place.
export const signInAddress = (page) => `${page}?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`;
export const signInLink = () => element("a", { className: "button", href: signInAddress(told.signIn), textContent: say("signIn") });

const numbers = new Intl.NumberFormat(told.language === "en" ? "en" : "zh-CN");
const areas = new Intl.NumberFormat(told.language === "en" ? "en" : "zh-CN", { maximumFractionDigits: 0 });
export const count = (number) => numbers.format(number ?? 0);
export const squareMetres = (area) => `${areas.format(area)} m²`;
const language = told.language === "en" ? "en" : "zh-CN";
export const exact = (number, decimals) => number.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
export const metres = (length) => exact(length, 2);
