// The part of the address after #: where the map looks, which card is open, and everything that is set beside it.
//   #15/39.12345/117.12345/120104001001GB00001&show=legacy&street=120104002&unit=NK-01

const parts = new Map();  // name → what it is now, as text; "" for what is as at first

// A part of the page keeps a word of its own in the address.
export function keep(name, told) { parts.set(name, told); }

export function read() {
  const [way, ...words] = location.hash.slice(1).split("&");
  const [zoom, lat, lng, code] = way.split("/");
  const place = [zoom, lat, lng].map((part) => (part?.trim() ? Number(part) : NaN));
  const good = place.every(Number.isFinite) && Math.abs(place[1]) <= 85;
  const params = new URLSearchParams(words.join("&"));
  return { zoom: good ? place[0] : null, lat: place[1], lng: place[2], code: decoded(code), unit: params.get("unit"), params };
}

// `push` makes a step that the browser's Back undoes; moving the map makes none. A `unit` of undefined stays, null goes.
export function write(map, code, push = false, unit = undefined) {
  const centre = map.getCenter();
  const way = [map.getZoom(), centre.lat.toFixed(5), centre.lng.toFixed(5)];
  if (code) way.push(encodeURIComponent(code));
  const words = [...parts].map(([name, told]) => [name, told()]).filter(([, text]) => text);
  const kept = parts.has("unit") ? null : unit === undefined ? read().unit : unit;  // or another says it
  if (kept) words.push(["unit", kept]);
  const written = words.map(([name, text]) => `&${name}=${legible(encodeURIComponent(text))}`);
  history[push ? "pushState" : "replaceState"](null, "", `#${way.join("/")}${written.join("")}`);
}

// What may stand in an address after # as it is: a link is read by people, too.
const legible = (text) => text.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3F", "?");

function decoded(code) {
  try {
    return code ? decodeURIComponent(code) : null;
  } catch {
    return null;  // cut off in the middle of a letter
  }
}
