// Colours of classes: one ramp from light to dark for numbers, hues with patterns for names. Told apart without colour, too.
import { colour } from "./inks.js";

const STOPS = [0, 1, 2, 3, 4].map((i) => rgb(colour(`ramp-${i}`)));
const HUES = 9;
// Names have no order: every other one has a pattern besides its hue.
const PATTERNS = [null, "diagonal", null, "dots", null, "back", null, "cross", "level"];

function rgb(hex) {
  const number = Number.parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

// [{fill, pattern}] of so many ordered classes; lightness falls from class to class, so it survives a grey print.
export function ordered(number) {
  return Array.from({ length: number }, (_one, i) => {
    const at = number === 1 ? 2.6 : (i / (number - 1)) * (STOPS.length - 1);
    const low = Math.min(Math.floor(at), STOPS.length - 2), part = at - low;
    const mixed = STOPS[low].map((value, j) => Math.round(value + (STOPS[low + 1][j] - value) * part));
    return { fill: `rgb(${mixed.join(" ")})`, pattern: null, dark: dark(mixed) };
  });
}

export function named(number) {
  return Array.from({ length: number }, (_one, i) => {
    const hex = colour(`hue-${i % HUES}`);
    return { fill: hex, pattern: PATTERNS[i % HUES], dark: dark(rgb(hex)) };
  });
}

// Whether white is read better on it than ink: by the relative luminance of WCAG 2.
function dark(parts) {
  const [r, g, b] = parts.map((one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.19;
}
