// Print what one sees: the map on a sheet with title, legend, scale bar, north arrow, date, base survey and coordinates.
import { sharpen } from "./inks.js";
import { $, $$, count, element, say, told } from "./page.js";
import { landGroup } from "./rules.js";

const PIXELS = 96 / 25.4;  // of a millimetre, as CSS counts
const MARGIN = 8, HEAD = 15, FOOT = 17, SIDE = 56;  // millimetres; the margin is that of the page (print.css)
const PAPERS = { a4: [297, 210], a3: [420, 297] };
const FINE = 3;          // dots painted for one pixel
const BAR = 45;          // millimetres that the scale bar may have
const WAIT = 15_000;     // milliseconds that tiles may take
const SMALLEST = 6;      // points of the legend's type
// By what the legend parts a layer: the facet, and its value of a feature.
const PARTED = {
  patches: ["land", (props) => landGroup(props.dlbm, told.landGroups)],
  "control-areas": ["kind", (props) => props.kind],
  legacy: ["legacy", (props) => props.state],
  units: ["unit", (props) => props.state],
  findings: ["severity", (props) => props.severity],
};

// `desk` as map.js hands it out; `names` is the layer of labels.
export function printing(desk, names) {
  const { map, painted, state } = desk;
  const workspace = $(".workspace"), stage = $(".stage"), bar = $("#print-bar"), opener = $("#tool-print");
  const paper = $("#print-paper"), way = $("#print-way"), title = $("#print-title");
  let before = null, turn = 0;

  opener.addEventListener("click", open);
  $("#print-close").addEventListener("click", close);
  $("#print-now").addEventListener("click", () => window.print());
  for (const one of [paper, way]) one.addEventListener("change", lay);
  title.addEventListener("input", () => { $("#print-heading").textContent = title.value; });
  bar.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  function open() {
    if (before) return;
    const size = map.getSize();
    before = { centre: map.getCenter(), zoom: map.getZoom(), size, bounds: map.getBounds() };
    way.value = size.x >= size.y ? "landscape" : "portrait";
    title.value = heading();
    $("#print-heading").textContent = title.value;
    for (const one of $$(".print-part")) one.hidden = false;
    document.body.classList.add("printing");
    painted.layer.devicePixelRatio = FINE;
    painted.layer.tileSize = 256 * FINE;
    names.ratio = FINE;
    sharpen(FINE);
    lay();
    $("#print-now").focus();
  }

  function close() {
    if (!before) return;
    turn += 1;
    const { centre, zoom } = before;
    before = null;
    document.body.classList.remove("printing");
    for (const one of $$(".print-part")) one.hidden = true;
    for (const one of [workspace, stage]) one.removeAttribute("style");
    const ratio = window.devicePixelRatio;
    painted.layer.devicePixelRatio = ratio;
    painted.layer.tileSize = 256 * ratio;
    names.ratio = null;
    sharpen(1);
    map.invalidateSize({ animate: false, pan: false });
    map.setView(centre, zoom, { animate: false });
    painted.repaint();
    delete document.documentElement.dataset.sheet;
    opener.focus();
  }

  // The sheet: what was in the window fills its frame as large as it fits, and no more than a frame is added around it.
  async function lay() {
    const mine = ++turn;
    delete document.documentElement.dataset.sheet;
    const [long, short] = PAPERS[paper.value], landscape = way.value === "landscape";
    const width = (landscape ? long : short) - 2 * MARGIN, height = (landscape ? short : long) - 2 * MARGIN;
    workspace.dataset.paper = `${paper.value}-${way.value}`;
    const side = landscape ? SIDE : 0, foot = landscape ? FOOT : FOOT + 52;
    const frame = { width: (width - side) * PIXELS, height: (height - HEAD - foot) * PIXELS };
    const scale = Math.min(frame.width / before.size.x, frame.height / before.size.y);
    const mm = (value) => `${value}mm`, px = (value) => `${Math.round(value * 100) / 100}px`;
    Object.assign(workspace.style, { width: mm(width), height: mm(height) });
    Object.assign(stage.style, {
      left: "0", top: mm(HEAD), width: px(frame.width / scale), height: px(frame.height / scale), transform: `scale(${scale})`,
    });
    Object.assign($("#print-frame").style, { left: "0", top: mm(HEAD), width: px(frame.width), height: px(frame.height) });
    Object.assign($("#print-legend").style, landscape
      ? { left: px(frame.width), top: mm(HEAD), width: mm(SIDE), height: mm(height - HEAD) }
      : { left: "0", top: `calc(${mm(HEAD)} + ${px(frame.height)})`, width: mm(width), height: mm(52) });
    $("#print-legend").classList.toggle("below", !landscape);
    $(".print-foot").style.right = mm(side);
    map.invalidateSize({ animate: false, pan: false });
    map.setView(before.centre, before.zoom, { animate: false });
    tellScale(scale);
    fill();
    fitLegend();
    painted.repaint();
    await still(mine);
    if (mine !== turn) return;
    names.draw();
    fill();  // now it is known what lies on the sheet
    fitLegend();
    document.documentElement.dataset.sheet = "ready";
  }

  // Every tile of the frame is painted.
  async function still(mine) {
    const until = performance.now() + WAIT;
    for (let calm = 0; calm < 4 && performance.now() < until && mine === turn;) {
      await new Promise((done) => { setTimeout(done, 120); });
      const all = Object.values(painted.layer._tiles), loading = desk.sources.some((one) => one.coming.size);
      calm = !loading && all.length && all.every((one) => one.loaded && one.el.width === 256 * FINE) ? calm + 1 : 0;
    }
  }

  // Metres on the ground of a pixel of the sheet, in the middle of the map.
  function tellScale(scale) {
    const size = map.getSize(), middle = size.y / 2;
    const ground = map.distance(map.containerPointToLatLng([size.x / 2 - 50, middle]), map.containerPointToLatLng([size.x / 2 + 50, middle])) / 100 / scale;
    const most = BAR * PIXELS * ground, power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((one) => one * power).find((one) => one <= most);
    const width = length / ground;
    for (const one of ["#print-bar-line", "#print-bar-words"]) $(one).style.width = `${width}px`;
    const write = (metres) => (length >= 2000 ? `${count(metres / 1000)} km` : `${count(metres)} m`);
    $("#print-bar-half").textContent = length >= 2000 ? `${length / 2000}` : count(length / 2);
    $("#print-bar-whole").textContent = write(length);
    const ratio = (ground * PIXELS) * 1000, digits = 10 ** Math.max(0, Math.floor(Math.log10(ratio)) - 1);
    $("#print-ratio").textContent = say("printRatio", { ratio: count(Math.round(ratio / digits) * digits) });
  }

  function heading() {
    const theme = desk.themePanel?.legend(), place = told.surveys.map((one) => one.name).join(say("comma"));
    const what = theme ? theme.title : say(told.inside ? "printTitle" : "printTitlePublic");
    return place ? `${place} ${what}` : what;
  }

  // The legend of what is painted, and what the sheet has to say of itself.
  function fill() {
    const parts = [], theme = desk.themePanel?.legend();
    if (theme) parts.push(group(theme.title, theme.rows));
    for (const layer of $$("#legend .legend-layer[data-layer]")) {
      const id = layer.dataset.layer, toggle = $("[data-layer-toggle]", layer);
      if (!toggle?.checked || layer.classList.contains("too-far")) continue;
      const source = desk.sources.find((one) => one.id === id);
      if (source?.empty) continue;
      const there = present(id);
      if (there && !there.size) continue;
      const rows = $$(".legend-rows .legend-row", layer).filter((row) => !row.hidden && $("input", row).checked && $(".count", row)?.textContent !== "0"
        && (!there || !PARTED[id] || there.has($("input", row).dataset.value)));
      const own = $(".legend-title .swatch", layer), name = $(".legend-title .legend-name", layer).textContent;
      if (id === "candidates" && theme) { parts.push(group(null, [[element("span", { className: "swatch swatch-outlined" }), say("printOutlined"), null]])); continue; }
      const told = rows.map((row) => [paled($(".swatch", row).cloneNode(true), id), $(".swatch + span", row).textContent, null]);
      if (told.length) parts.push(group(name, told));
      else if (own) parts.push(group(null, [[own.cloneNode(true), name, null]]));
    }
    if ($("[data-ground-toggle=places]")?.checked) parts.push(group(null, [[element("span", { className: "swatch swatch-place" }), say("printPlaces"), null]]));
    $("#print-legend-rows").replaceChildren(...parts);
    const now = new Date(), day = new Intl.DateTimeFormat(told.language === "en" ? "en-GB" : "zh-CN", { dateStyle: "long" }).format(now);
    const facts = [
      [say("printDate"), day],
      state.asOf ? [say("printAsOf"), state.asOf] : null,
      told.surveys.length ? [say("printSurvey"), told.surveys.map((one) => `${one.name} ${one.survey ?? "—"}`).join(say("comma"))] : null,
      state.criteria && told.inside ? [say("printCriteria"), $("#runs")?.firstChild?.textContent ?? state.criteria] : null,
      [say("printFilters"), filters() || say("printAll")],
      [say("printCrs"), say("printCrsIs")],
      told.reader ? [say("printBy"), told.reader] : null,
      desk.groundPanel.base ? [say("printGround"), desk.groundPanel.base.title] : null,
      told.approval ? [say("printApproval"), told.approval] : null,
    ].filter(Boolean);
    $("#print-facts").replaceChildren(...facts.flatMap(([name, value]) => [element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }))]));
  }

  // Below a theme the land classes are paled on the map, so they are in the legend.
  function paled(swatch, id) {
    if (state.theme && id === "patches") swatch.classList.add("paled");
    return swatch;
  }

  // What of a layer lies in the frame: the values of its facet; null as long as its tiles are not there.
  function present(id) {
    const source = desk.sources.find((one) => one.id === id), zoom = map.getZoom();
    if (!source?.address || zoom < source.minzoom) return null;
    const { min, max } = map.getPixelBounds(), found = new Set();
    for (let x = Math.floor(min.x / 256); x <= Math.floor(max.x / 256); x++) {
      for (let y = Math.floor(min.y / 256); y <= Math.floor(max.y / 256); y++) {
        const tile = source.kept.get(`${zoom}/${x}/${y}`);
        if (!tile) return null;
        for (const { props, bbox } of tile.get(id) ?? []) {
          const left = x * 256 + bbox.minX, top = y * 256 + bbox.minY;
          if (left > max.x || top > max.y || x * 256 + bbox.maxX < min.x || y * 256 + bbox.maxY < min.y) continue;
          found.add(PARTED[id] ? PARTED[id][1](props) : true);
        }
      }
    }
    return found;
  }

  function group(name, rows) {
    return element("section", { className: "print-group" }, name ? element("h3", { textContent: name }) : null,
      element("ul", {}, ...rows.map(([swatch, text, number]) => element("li", {}, swatch, element("span", { textContent: text }),
        number === null ? null : element("span", { className: "count", textContent: count(number) })))));
  }

  // What the list and the theme are narrowed to stands on the sheet, in words.
  function filters() {
    const chosen = told.inside ? $$("[data-filter]").filter((one) => one.value && one.id !== "sort" && !one.closest("label").hidden) : [];
    const words = chosen.map((one) => `${$("span", one.closest("label")).textContent}: ${one.selectedOptions[0].textContent}`);
    if (desk.themePanel?.filtered) words.push(say("themeNarrows"));
    return words.join(say("comma"));
  }

  // A legend that is longer than its place is written smaller; what does not fit even then is said to be missing.
  function fitLegend() {
    const place = $("#print-legend"), rows = $("#print-legend-rows"), rest = $("#print-legend-rest");
    rest.hidden = true;
    for (const one of $$(".print-group, .print-group li", rows)) one.hidden = false;
    for (let size = 8.5; size >= SMALLEST; size -= 0.5) {
      place.style.fontSize = `${size}pt`;
      if (place.scrollHeight <= place.clientHeight + 1 && place.scrollWidth <= place.clientWidth + 1) return;
    }
    rest.hidden = false;
    let left = 0;
    for (const one of $$(".print-group li", rows).reverse()) {
      if (place.scrollHeight <= place.clientHeight + 1 && place.scrollWidth <= place.clientWidth + 1) break;
      one.hidden = true;
      left += 1;
      const whole = one.closest(".print-group");
      if ($$("li", whole).every((row) => row.hidden)) whole.hidden = true;
      rest.textContent = say("printRest", { count: left });
    }
  }
}
