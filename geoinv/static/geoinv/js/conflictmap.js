// Three outlines of one unit on the map: what it was, mine and theirs, told apart by line and hatch and not by colour alone.
const SVG = "http://www.w3.org/2000/svg";
const DASHES = { base: "2 5", mine: null, theirs: "10 4 2 4" };
const WAYS = { mine: "M-1 1l2-2M0 8l8-8M7 9l2-2", theirs: "M-1 7l2 2M0 0l8 8M7-1l2 2" };  // of the hatches: rising, falling

export function threeOutlines(map) {
  const renderer = L.svg({ pane: "compose", padding: 0.4 }), group = L.layerGroup();

  // The patterns live in the drawing itself, which is there as soon as the renderer is on the map.
  function hatches() {
    const svg = renderer.addTo(map)._container;
    if (svg.querySelector("defs")) return;
    const defs = document.createElementNS(SVG, "defs");
    for (const [side, way] of Object.entries(WAYS)) {
      const pattern = document.createElementNS(SVG, "pattern"), line = document.createElementNS(SVG, "path");
      for (const [name, value] of [["id", `hatch-${side}`], ["width", 8], ["height", 8], ["patternUnits", "userSpaceOnUse"], ["class", `hatch hatch-${side}`]]) pattern.setAttribute(name, value);
      line.setAttribute("d", way);
      pattern.append(line);
      defs.append(pattern);
    }
    svg.prepend(defs);
  }

  return {
    // `shapes` = {base, mine, theirs}, GeoJSON each or null.
    show(shapes) {
      this.hide();
      hatches();
      for (const side of ["base", "theirs", "mine"].filter((one) => shapes[one])) {
        L.geoJSON(shapes[side], {
          renderer, pane: "compose", interactive: false,
          style: { className: `three three-${side}`, weight: 3, dashArray: DASHES[side], fill: side in WAYS, fillColor: `url(#hatch-${side})`, fillOpacity: 1 },
        }).addTo(group);
      }
      group.addTo(map);
      const bounds = L.latLngBounds([]);
      group.eachLayer((one) => bounds.extend(one.getBounds()));
      if (bounds.isValid() && !map.getBounds().contains(bounds)) map.fitBounds(bounds, { animate: false, padding: [40, 40], maxZoom: 18 });
    },
    hide() { group.clearLayers(); group.remove(); renderer.remove(); },
  };
}

// The same line and hatch as a small sample, for the table beside the map.
export function sample(side) {
  const made = document.createElementNS(SVG, "svg"), box = document.createElementNS(SVG, "rect");
  for (const [name, value] of [["class", `three-sample three-${side}`], ["viewBox", "0 0 32 16"], ["width", 32], ["height", 16], ["aria-hidden", "true"]]) made.setAttribute(name, value);
  for (const [name, value] of [["x", 1.5], ["y", 1.5], ["width", 29], ["height", 13], ["fill", side in WAYS ? `url(#hatch-${side})` : "none"], ["stroke-width", 2]]) box.setAttribute(name, value);
  if (DASHES[side]) box.setAttribute("stroke-dasharray", DASHES[side]);
  made.append(box);
  return made;
}
