// The part of the address after #: where the map looks and which parcel's card is open.
//   #15/39.12345/117.12345/120104001001GB00001

export function read() {
  const [zoom, lat, lng, code] = location.hash.slice(1).split("/");
  const place = [zoom, lat, lng].map(Number);
  const good = place.every(Number.isFinite) && zoom !== "" && lat !== undefined && Math.abs(place[1]) <= 85;
  return { zoom: good ? place[0] : null, lat: place[1], lng: place[2], code: code ? decodeURIComponent(code) : null };
}

export function write(map, code) {
  const centre = map.getCenter();
  const parts = [map.getZoom(), centre.lat.toFixed(5), centre.lng.toFixed(5)];
  if (code) parts.push(encodeURIComponent(code));
  history.replaceState(null, "", `#${parts.join("/")}`);
}
