// Lengths and areas on the ellipsoid of CGCS2000, for while the pointer moves; the server's numbers are the ones that count.

const A = 6378137, F = 1 / 298.257222101, B = A * (1 - F);  // metres
const E2 = F * (2 - F), E = Math.sqrt(E2);
const radians = (degrees) => (degrees * Math.PI) / 180;
const TURNS = 60;  // of the iteration; it ends after three or four

// Metres between two places {lat, lng}: the inverse problem of Vincenty (1975), good to half a millimetre.
export function distance(from, to) {
  const l = radians(to.lng - from.lng);
  const u1 = Math.atan((1 - F) * Math.tan(radians(from.lat))), u2 = Math.atan((1 - F) * Math.tan(radians(to.lat)));
  const sin1 = Math.sin(u1), cos1 = Math.cos(u1), sin2 = Math.sin(u2), cos2 = Math.cos(u2);
  let lambda = l, before, sinS, cosS, sigma, cosSquare, cosM, turn = 0;
  do {
    const sinL = Math.sin(lambda), cosL = Math.cos(lambda);
    sinS = Math.hypot(cos2 * sinL, cos1 * sin2 - sin1 * cos2 * cosL);
    if (sinS === 0) return 0;
    cosS = sin1 * sin2 + cos1 * cos2 * cosL;
    sigma = Math.atan2(sinS, cosS);
    const sinA = (cos1 * cos2 * sinL) / sinS;
    cosSquare = 1 - sinA * sinA;
    cosM = cosSquare === 0 ? 0 : cosS - (2 * sin1 * sin2) / cosSquare;
    const c = (F / 16) * cosSquare * (4 + F * (4 - 3 * cosSquare));
    before = lambda;
    lambda = l + (1 - c) * F * sinA * (sigma + c * sinS * (cosM + c * cosS * (2 * cosM * cosM - 1)));
  } while (Math.abs(lambda - before) > 1e-12 && ++turn < TURNS);
  const square = (cosSquare * (A * A - B * B)) / (B * B);
  const big = 1 + (square / 16384) * (4096 + square * (-768 + square * (320 - 175 * square)));
  const small = (square / 1024) * (256 + square * (-128 + square * (74 - 47 * square)));
  const part = cosS * (2 * cosM * cosM - 1) - (small / 6) * cosM * (4 * sinS * sinS - 3) * (4 * cosM * cosM - 3);
  return B * big * (sigma - small * sinS * (cosM + (small / 4) * part));
}

export function length(points, closed = false) {
  let sum = 0;
  for (let i = 1; i < points.length; i++) sum += distance(points[i - 1], points[i]);
  return closed && points.length > 2 ? sum + distance(points.at(-1), points[0]) : sum;
}

// Square metres inside a ring: exact on the ellipsoid between edges that are straight in (longitude, q), where q is
// the equal-area function of latitude; geodesic edges differ by a millionth part for a parcel.
export function area(points) {
  const q = (lat) => {
    const sin = Math.sin(radians(lat)), es = E * sin;
    return (1 - E2) * (sin / (1 - es * es) - Math.log((1 - es) / (1 + es)) / (2 * E));
  };
  let sum = 0;
  points.forEach((from, i) => {
    const to = points[(i + 1) % points.length];
    sum += radians(to.lng - from.lng) * (q(from.lat) + q(to.lat));
  });
  return Math.abs(sum) * A * A / 4;
}
