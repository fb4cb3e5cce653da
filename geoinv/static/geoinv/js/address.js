// The part of the address after #: where the map looks and which parcel's card is open.
//   #15/39.12345/117.12345/120104001001GB00001

export function read() {
  const [zoom, lat, lng, code] = location.hash.slice(1).split("/");
  const place = [zoom, lat, lng].map((part) => (part?.trim() ? Number(part) : NaN));
  const good = place.every(Number.isFinite) && Math.abs(place[1]) <= 85;
  return { zoom: good ? place[0] : null, lat: place[1], lng: place[2], code: decoded(code) };
}

// `push` makes a step that the browser's Back undoes; moving the map makes none.
export function write(map, code, push = false) {
  const centre = map.getCenter();
  const parts = [map.getZoom(), centre.lat.toFixed(5), centre.lng.toFixed(5)];
  if (code) parts.push(encodeURIComponent(code));
  history[push ? "pushState" : "replaceState"](null, "", `#${parts.join("/")}`);
}

function decoded(code) {
  try {
    return code ? decodeURIComponent(code) : null;
  } catch {
    return null;  // cut off in the middle of a letter
  }
}
