// What the server says of a shape before it is saved: how large, what lies in it, what it lies over, what is wrong.
import { $, count, element, say, squareMetres, told } from "./page.js";
import { landGroup } from "./rules.js";

const SVG = "http://www.w3.org/2000/svg";
const NEARLY_ALL = 0.98;
const KINDS = ["units", "legacy", "control-areas", "planned"];
const shares = new Intl.NumberFormat(told.language === "en" ? "en" : "zh-CN", { style: "percent", maximumFractionDigits: 1 });
const decimals = new Intl.NumberFormat(told.language === "en" ? "en" : "zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const share = (part) => (part > 0 && part < 0.001 ? `<${shares.format(0.001)}` : shares.format(part));

// 12,345 m² · 18.52 mu · 1.23 ha
export const areaInWords = (area) => [squareMetres(area), `${decimals.format(area * 0.0015)} ${say("mu")}`, `${decimals.format(area / 10_000)} ${say("hectares")}`];

export function bigArea(area) {
  const [metres, mu, hectares] = areaInWords(area);
  return element("p", { className: "verdict-area" }, element("b", { textContent: metres }), element("span", { textContent: mu }), element("span", { textContent: hectares }));
}

export function landMix(rows) {
  const bar = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["class", "mix"], ["viewBox", "0 0 100 10"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) bar.setAttribute(name, value);
  let from = 0;
  for (const row of rows) {
    const part = document.createElementNS(SVG, "rect"), wide = row.share * 100;
    for (const [name, value] of [["class", `fill-${landGroup(row.dlbm, told.landGroups)}`], ["x", from], ["y", 0], ["width", wide], ["height", 10], ["vector-effect", "non-scaling-stroke"]]) part.setAttribute(name, value);
    bar.append(part);
    from += wide;
  }
  return element("div", {}, bar, element("table", { className: "table" }, element("tbody", {}, ...rows.map((row) => element("tr", {},
    element("td", {}, element("i", { className: `swatch land-${landGroup(row.dlbm, told.landGroups)}` }), `${row.dlmc || row.dlbm} `, element("span", { className: "faint", textContent: row.dlbm })),
    element("td", { className: "end", textContent: squareMetres(row.area_m2) }),
    element("td", { className: "end", textContent: share(row.share) }))))));
}

// What the detailed plans mean for the ground: one part a level, with its edition, or that nobody delivered it.
function plannedParts(levels, row) {
  return levels.map((level) => {
    if (!level.delivered) return element("p", { className: "faint small", textContent: say("planMissing", { plan: level.title }) });
    const head = element("p", { className: "small plan-level" }, element("b", { textContent: level.title }), ` ${level.editions.join(say("comma"))}`);
    if (!level.uses.length) return element("div", {}, head, element("p", { className: "faint small", textContent: say("planNothing") }));
    const table = element("table", { className: "table" }, element("tbody", {}, ...level.uses.map((use) => element("tr", {},
      element("td", {}, `${use.title} `, element("span", { className: "faint", textContent: use.use })),
      element("td", { className: "end", textContent: use.far.length ? say("farLimit", { far: use.far.join(" / ") }) : "" }),
      element("td", { className: "end", textContent: squareMetres(use.area_m2) }),
      element("td", { className: "end", textContent: share(use.share) })))));
    const differs = level.differs_m2 ? element("p", { className: "small", textContent: say("planDiffers", { area: squareMetres(level.differs_m2), share: share(level.differs_share) }) }) : null;
    const twice = level.twice_m2 ? element("p", { className: "notice notice-amber small", textContent: say("planTwice", { area: squareMetres(level.twice_m2) }) }) : null;
    const conflicts = level.conflicts?.length ? element("ul", { className: "overlaps" }, ...level.conflicts.map((one) => row({ ...one, layer: "planned" }))) : null;
    return element("div", {}, head, table, differs, twice, conflicts);
  });
}

// Floor area today, what the plan allows on the net ground, and what the record wants of it.
function budgetTable(budget) {
  const rows = [], tell = (name, value, note) => rows.push(element("tr", {}, element("td", {}, say(name), note ? element("small", { className: "faint budget-note", textContent: note }) : null), element("td", { className: "end", textContent: value })));
  const far = (value) => (value === null || value === undefined ? "" : say("farIs", { far: decimals.format(value) }));
  const { now, allowed, record, change } = budget;
  tell("budgetNet", budget.net_m2 === null ? "–" : squareMetres(budget.net_m2), budget.net_m2 === null ? say("netUnknown") : "");
  tell("budgetNow", now.floor_m2 === null ? "–" : squareMetres(now.floor_m2), now.floor_m2 === null ? say("buildingsUnknown") : [far(now.far), now.estimated_m2 ? say("floorEstimated", { area: squareMetres(now.estimated_m2) }) : "", now.unknown ? say("floorUnknown", { count: now.unknown }) : ""].filter(Boolean).join(say("comma")));
  tell("budgetAllowed", allowed ? squareMetres(allowed.floor_m2) : "–", !allowed ? say("limitUnknown") : allowed.unlimited_m2 > 1 ? say("limitMissing", { area: squareMetres(allowed.unlimited_m2) }) : "");
  if (record) {
    tell("budgetCap", record.cap_m2 === null ? "–" : squareMetres(record.cap_m2), budget.beyond_m2 ? say("budgetBeyond", { area: squareMetres(budget.beyond_m2) }) : "");
    tell("budgetPlots", record.plots ? squareMetres(record.floor_m2) : "–", record.left_m2 === null ? "" : say("budgetLeft", { area: squareMetres(record.left_m2) }));
    if (change?.difference_m2 !== null && change?.difference_m2 !== undefined) tell("budgetChange", `${change.difference_m2 > 0 ? "+" : ""}${squareMetres(change.difference_m2)}`, `${far(change.before_far)} → ${far(change.after_far)}`);
    tell("budgetFacilities", squareMetres(record.facilities_m2));
  }
  return element("table", { className: "table" }, element("tbody", {}, ...rows));
}

// A parcel that counts is in wholly, or cut by the edge; the server says which only touch.
const WHOLE = 0.9999;
export const isWhole = (member) => member.state !== "touched" && !isCut(member);
export const isCut = (member) => member.cut ?? (member.state !== "touched" && member.share < WHOLE);
const standing = (member) => (isWhole(member) ? "in" : isCut(member) ? "split" : "touched");

export function memberTable(members) {
  return element("table", { className: "table" }, element("tbody", {}, ...members.map((one) => element("tr", {},
    element("td", { className: "code", textContent: one.code }),
    element("td", {}, element("span", { className: `member member-${standing(one)}`, textContent: say(`member-${standing(one)}`) })),
    element("td", { className: "end", textContent: standing(one) === "touched" ? "" : share(one.share) })))));
}

// `confirmed` is a Set of problem codes; `changed` hears when a box is ticked.
export function verdict(map, renderer, { confirmed, changed }) {
  const place = $("#compose-verdict"), total = $("#compose-area"), layers = L.layerGroup(), mark = L.layerGroup();

  // The patterns live in the drawing itself, which is there as soon as the renderer is on the map.
  function hatches() {
    const svg = renderer.addTo(map)._container;
    if (svg.querySelector("defs.compose-hatches")) return;
    const defs = document.createElementNS(SVG, "defs");
    defs.setAttribute("class", "compose-hatches");
    for (const kind of KINDS) {
      const pattern = document.createElementNS(SVG, "pattern"), line = document.createElementNS(SVG, "path"), ground = document.createElementNS(SVG, "rect");
      for (const [name, value] of [["id", `hatch-${kind}`], ["width", 8], ["height", 8], ["patternUnits", "userSpaceOnUse"], ["class", `hatch hatch-${kind}`]]) pattern.setAttribute(name, value);
      ground.setAttribute("width", 8); ground.setAttribute("height", 8);
      line.setAttribute("d", { units: "M-1 1l2-2M0 8l8-8M7 9l2-2", legacy: "M-1 7l2 2M0 0l8 8M7-1l2 2", "control-areas": "M0 8l8-8M0 0l8 8", planned: "M0 2h8M0 6h8" }[kind]);
      pattern.append(ground, line);
      defs.append(pattern);
    }
    svg.prepend(defs);
  }

  function shape(overlap) {
    const kind = KINDS.includes(overlap.layer) ? overlap.layer : "control-areas";
    const drawn = L.geoJSON(overlap.geometry, {
      renderer, pane: "compose", interactive: false,
      // What covers all of the unit is told, and marked when asked for: hatched, it would hide everything else.
      style: { className: `conflict conflict-${kind}`, fillColor: `url(#hatch-${kind})`, fillOpacity: 1, fill: overlap.share < NEARLY_ALL, weight: 2 },
    });
    return drawn;
  }

  function overlapRow(overlap) {
    const kind = KINDS.includes(overlap.layer) ? overlap.layer : "control-areas";
    const text = [element("i", { className: `hatched hatched-${kind}` }), element("span", {},
      element("b", { textContent: say(`overlap-${kind}`) }), element("span", { textContent: overlap.sentence }))];
    if (!overlap.geometry) return element("li", {}, element("div", { className: "overlap" }, ...text));
    const row = element("button", { type: "button", className: "overlap", title: say("showOnMap") }, ...text);
    const show = () => { mark.clearLayers(); L.geoJSON(overlap.geometry, { renderer, pane: "compose", interactive: false, style: { className: "conflict-mark", fill: false } }).addTo(mark); };
    row.addEventListener("click", () => { show(); map.fitBounds(L.geoJSON(overlap.geometry).getBounds(), { maxZoom: Math.max(map.getZoom(), 17), padding: [60, 60], animate: false }); });
    row.addEventListener("mouseenter", show);
    row.addEventListener("focus", show);
    row.addEventListener("mouseleave", () => mark.clearLayers());
    row.addEventListener("blur", () => mark.clearLayers());
    return element("li", {}, row);
  }

  function problemRow(problem) {
    const words = [element("b", { textContent: problem.sentence }), problem.fix ? element("span", { className: "soft", textContent: problem.fix }) : null];
    const where = problem.at ? element("button", { type: "button", className: "button button-plain", textContent: say("showOnMap") }) : null;
    where?.addEventListener("click", () => map.setView([problem.at[1], problem.at[0]], Math.max(map.getZoom(), 18), { animate: false }));
    if (!problem.confirm || !problem.blocks) {
      return element("li", { className: `problem ${problem.blocks ? "blocks" : "warns"}` },
        element("span", { className: "problem-kind", textContent: say(problem.blocks ? "problemBlocks" : "problemWarns") }), ...words, where);
    }
    const box = element("input", { type: "checkbox", checked: confirmed.has(problem.code) });
    box.dataset.confirm = problem.code;
    box.addEventListener("change", () => { if (box.checked) confirmed.add(problem.code); else confirmed.delete(problem.code); changed(); });
    return element("li", { className: "problem confirms" },
      element("span", { className: "problem-kind", textContent: say("problemConfirms") }), ...words, where,
      element("label", {}, box, element("span", { textContent: say("confirmThis") })));
  }

  function section(title, note, ...inside) {
    return element("section", {}, element("h3", {}, title, note ? element("small", { textContent: note }) : null), ...inside);
  }

  function fill(answer) {
    layers.clearLayers();
    mark.clearLayers();
    const problems = answer.problems ?? [], overlaps = answer.overlaps ?? [], members = answer.members ?? [];
    for (const code of [...confirmed]) if (!problems.some((one) => one.code === code)) confirmed.delete(code);
    // The largest first, so that a small one lies above it.
    const planned = answer.planned ?? [], conflicts = planned.flatMap((level) => (level.conflicts ?? []).map((one) => ({ ...one, layer: "planned", share: 0 })));
    for (const one of [...conflicts, ...overlaps.filter((two) => two.geometry)].sort((a, b) => b.area_m2 - a.area_m2)) shape(one).addTo(layers);
    const inside = members.filter(isWhole).length, split = members.filter(isCut).length;
    const focused = document.activeElement?.dataset?.confirm, parts = [];
    total.replaceChildren(...(answer.geometry ? [bigArea(answer.area_m2), element("dl", { className: "facts verdict-facts" },
      ...[["partsName", answer.parts], ["holesName", answer.holes], ["parcelsWhole", inside], ["parcelsSplit", split]].flatMap(([name, value]) => [
        element("dt", { textContent: say(name) }), element("dd", { textContent: count(value), className: name === "parcelsSplit" && value ? "told" : "" })]))] : []));
    const tell = (some, title) => { if (some.length) parts.push(section(say(title), "", element("ul", { className: "problems" }, ...some.map(problemRow)))); };
    tell(problems.filter((one) => one.blocks), "problemsTitle");
    if (answer.geometry) {
      parts.push(section(say("overlapsTitle"), say("beforeSaving"), overlaps.length
        ? element("ul", { className: "overlaps" }, ...overlaps.map(overlapRow))
        : element("p", { className: "faint small", textContent: say("overlapsNone") }),
        answer.unchecked?.length ? element("p", { className: "notice notice-amber small", textContent: say("unchecked", { layers: answer.unchecked.map((one) => one.title).join(say("comma")) }) }) : null));
    }
    tell(problems.filter((one) => !one.blocks), "remarksTitle");
    if (answer.geometry) {
      const showing = members.filter((one) => !isWhole(one));
      if (showing.length) parts.push(section(say("splitTitle"), "", memberTable(showing)));
      if (answer.land_use?.length) parts.push(section(say("landUseTitle"), "", landMix(answer.land_use)));
      if (planned.length) parts.push(section(say("plannedTitle"), "", ...plannedParts(planned, overlapRow)));
      if (answer.reservations?.length) parts.push(section(say("reservationsTitle"), "", element("ul", { className: "plain-list small" }, ...answer.reservations.map((one) => element("li", { textContent: one.sentence })))));
      if (answer.budget?.now) parts.push(section(say("budgetTitle"), "", budgetTable(answer.budget)));
    }
    if (answer.hidden) parts.push(element("p", { className: "faint small", textContent: say("hiddenParcels", { count: answer.hidden }) }));
    place.replaceChildren(...parts);
    wait(false);
    if (focused) $(`[data-confirm="${CSS.escape(focused)}"]`, place)?.focus();
  }

  function wait(yes) {
    for (const one of [total, place]) one.classList.toggle("stale", yes);
    place.setAttribute("aria-busy", String(yes));
  }

  function clear(...instead) {
    for (const one of [layers, mark]) one.clearLayers();
    total.replaceChildren();
    place.replaceChildren(...instead);
    wait(false);
  }

  return {
    fill, clear,
    show() { layers.addTo(map); mark.addTo(map); hatches(); },
    hide() { clear(); layers.remove(); mark.remove(); },
    waiting() { wait(true); },
    trouble(sentence) { clear(element("p", { className: "notice notice-seal", textContent: sentence })); },
    // A sentence for those who do not see the panel.
    inWords(answer) {
      const split = answer.members.filter(isCut).length, parts = [];
      if (answer.geometry) parts.push(say("verdictWords", { area: areaInWords(answer.area_m2).slice(0, 2).join(say("comma")), count: answer.members.filter(isWhole).length, split }));
      if (answer.overlaps.length) parts.push(answer.overlaps.map((one) => one.sentence).join(" "));
      if (answer.problems.length) parts.push(answer.problems.map((one) => one.sentence).join(" "));
      return parts.join(" ");
    },
  };
}
