// Which column of the file is which field of the profile: found by name and alias, changed by hand, kept for next time.
import { askJson } from "./asking.js";
import { option } from "./import-parts.js";
import { $, count, element, say, told } from "./page.js";
import { send } from "./sending.js";

const CONSTANT = "\u0000constant";  // no column is called so
const SAMPLES = 3;

// `changed()` hears that a mapping was changed; `trouble(error)` that the server did not answer.
export function mappingStep({ changed, trouble }) {
  const templates = $("#template"), kept = $("#mapping-kept"), use = $("#template-use"), drop = $("#template-delete");
  let layer = null, profile = null, asked = null, offered = [], district = "", leading = new Set();

  use.addEventListener("click", () => {
    const one = offered.find((each) => String(each.id) === templates.value);
    if (!one) { templates.focus(); return; }
    asked.mapping = structuredClone(one.mapping);
    asked.template = one.id;
    lead();
    kept.textContent = say("templateUsed", { name: one.name });
    draw();
    changed();
  });
  drop.addEventListener("click", async () => {
    const one = offered.find((each) => String(each.id) === templates.value);
    if (!one) { templates.focus(); return; }
    try {
      await send("DELETE", told.mappings.replace(/\.json$/, `/${one.id}.json`));
      offered = offered.filter((each) => each !== one);
      tellTemplates();
      kept.textContent = say("templateGone", { name: one.name });
    } catch (error) { trouble(error); }
  });
  $("#mapping-reset").addEventListener("click", () => { asked.mapping = asked.template = null; lead(); draw(); changed(); });
  $("#mapping-save").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = $("#template-name").value.trim();
    if (!name) { $("#template-name").focus(); return; }
    try {
      const body = { name, columns: (layer.columns ?? []).map((one) => one.name), district, mapping: whole() };
      const made = await send("POST", told.mappings, body);
      offered = [{ id: made.id, name: made.name ?? name, mapping: made.mapping ?? whole() }, ...offered.filter((one) => one.id !== made.id)];
      tellTemplates();
      templates.value = String(made.id);
      kept.textContent = say("templateKept", { name });
      $("#template-name").value = "";
    } catch (error) { trouble(error); }
  });

  // What the file's own names say: field → column, as the server matches them.
  function natural() {
    if (!profile) return {};
    if (layer.profile?.name === profile.name) return { ...layer.profile.matched };
    const columns = (layer.columns ?? []).map((one) => one.name), used = new Set(), found = {};
    const upper = new Map(columns.map((name) => [name.toUpperCase(), name]));
    for (const field of profile.fields) {
      const alias = [field.name, ...(field.aliases ?? [])].find((name) => upper.has(name.toUpperCase()) && !used.has(upper.get(name.toUpperCase())));
      if (alias) { found[field.name] = upper.get(alias.toUpperCase()); used.add(found[field.name]); }
    }
    return found;
  }

  // Field → column now; a column that was given to one field by hand serves no other by its name.
  function columnsNow() {
    const given = asked.mapping?.fields ?? {}, taken = new Set(Object.values(given)), now = {};
    for (const [field, column] of Object.entries(natural())) if (!(field in given) && !taken.has(column) && !(field in constants())) now[field] = column;
    for (const [field, column] of Object.entries(given)) if (column) now[field] = column;
    return now;
  }

  const constants = () => asked.mapping?.constants ?? {};
  const whole = () => ({ profile: profile.name, kind: asked.mapping?.kind ?? "", fields: { ...columnsNow(), ...Object.fromEntries(Object.entries(asked.mapping?.fields ?? {}).filter(([, column]) => !column)) }, values: asked.mapping?.values ?? {}, constants: constants() });

  // Fields that a row cannot do without and that have neither column nor constant.
  function missing() {
    if (!profile) return [];
    const now = columnsNow();
    return profile.fields.filter((one) => one.required === "refuse" && !now[one.name] && !constants()[one.name]).map((one) => one.title || one.name);
  }

  function edit(change) {
    const before = asked.mapping ?? { fields: {}, values: {}, constants: {} };
    asked.mapping = { profile: profile.name, kind: before.kind ?? "", fields: { ...before.fields }, values: { ...before.values }, constants: { ...before.constants } };
    change(asked.mapping);
    const { fields, values, constants: fixed, kind } = asked.mapping;
    if (!Object.keys(fields).length && !Object.keys(values).length && !Object.keys(fixed).length && !kind) asked.mapping = null;
    changed();
  }

  async function show(now, words, intake) {
    const other = layer !== now;
    layer = now; asked = words; district = intake.district.code;
    const name = asked.profile || layer.profile?.name;
    profile = intake.profiles.find((one) => one.name === name) ?? null;
    if (asked.mapping && asked.mapping.profile && asked.mapping.profile !== name) asked.mapping = null;  // another profile has other fields
    if (other) { kept.textContent = ""; $("#template-name").value = ""; }
    offered = layer.profile?.name === name ? layer.templates ?? [] : [];
    tellTemplates();
    lead();
    const lacking = missing().length > 0;
    $("#mapping-all").open = lacking || !profile || offered.length > 0;  // else there is nothing to be done here
    $("#mapping-more").open = lacking;  // its columns have names of their own, so the others will too
    draw();
    if (profile && layer.profile?.name !== name) await ask(name);
  }

  // Another profile than the one that was found has other saved mappings.
  async function ask(name) {
    try {
      const answer = await askJson(`${told.mappings}?${new URLSearchParams({ profile: name, district })}`);
      if (profile?.name !== name) return;
      offered = answer.mappings;
      tellTemplates();
    } catch { /* then none are offered */ }
  }

  function tellTemplates() {
    $("#mapping-templates").hidden = !offered.length;
    templates.replaceChildren(...offered.map((one) => option(String(one.id), one.name)));
  }

  // Which fields lead the table: those that must be there and those that have a column. A row that is given one
  // afterwards stays where it is.
  function lead() {
    const now = profile ? columnsNow() : {}, touched = asked.mapping?.fields ?? {};
    leading = new Set((profile?.fields ?? []).filter((one) => one.required === "refuse" || now[one.name] || one.name in constants() || one.name in touched).map((one) => one.name));
  }

  function draw() {
    const place = $("#mapping-fields"), further = $("#mapping-further"), more = $("#mapping-more");
    if (!profile) { place.replaceChildren(element("p", { className: "faint", textContent: say("mappingNoProfile") })); more.hidden = true; $("#mapping-extra").replaceChildren(); $("#mapping-told").textContent = ""; return; }
    const focused = document.activeElement?.id, now = columnsNow();
    const first = profile.fields.filter((one) => leading.has(one.name)), rest = profile.fields.filter((one) => !leading.has(one.name));
    const open = rest.filter((one) => !now[one.name] && !(one.name in constants()));
    place.replaceChildren(...kindChoice(), table(first, now));
    further.replaceChildren(table(rest, now));
    more.hidden = !rest.length;
    $("#mapping-more-title").textContent = say("mappingMore", { count: count(open.length), wished: count(open.filter((one) => one.required).length) });
    $("#mapping-told").textContent = say("mappingTold", { found: count(Object.keys(now).length), fields: count(profile.fields.length) });
    const used = new Set(Object.values(now)), extra = (layer.columns ?? []).map((one) => one.name).filter((name) => !used.has(name));
    $("#mapping-extra").replaceChildren(...(extra.length ? [element("p", { className: "small soft", textContent: say("mappingExtra", { count: count(extra.length) }) }), element("ul", { className: "columns" }, ...extra.map((name) => element("li", { className: "code", textContent: name })))] : []));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  // What a control layer is, where its own name does not say so.
  function kindChoice() {
    if (!profile.kinds?.length) return [];
    const select = element("select", { className: "input", id: "mapping-kind" }, option("", say("kindByName")), ...profile.kinds.map((one) => option(one.kind, one.title ?? one.kind)));
    select.value = asked.mapping?.kind ?? "";
    select.addEventListener("change", () => edit((mapping) => { mapping.kind = select.value; }));
    return [element("div", { className: "field mapping-kind" }, element("label", { htmlFor: "mapping-kind", textContent: say("whatLayer") }), select)];
  }

  function table(fields, now) {
    const head = element("tr", {}, ...["field", "column", "values"].map((name) => element("th", { scope: "col", textContent: say(`mapping-${name}`) })));
    return element("table", { className: "table mapping" }, element("thead", {}, head), element("tbody", {}, ...fields.map((one) => fieldRow(one, now[one.name] ?? ""))));
  }

  function fieldRow(field, column) {
    const id = `map-${field.name}`, fixed = constants()[field.name];
    const select = element("select", { className: "input", id }, option("", say("noColumn")), ...(layer.columns ?? []).map((one) => option(one.name, one.name)), option(CONSTANT, say("oneValue")));
    select.value = fixed !== undefined ? CONSTANT : column;
    select.addEventListener("change", () => {
      const wanted = select.value, found = natural()[field.name] ?? "";
      edit((mapping) => {
        delete mapping.fields[field.name]; delete mapping.constants[field.name]; delete mapping.values[field.name];
        if (wanted === CONSTANT) mapping.constants[field.name] = "";
        else if (wanted !== found) mapping.fields[field.name] = wanted;
      });
      draw();
      if (wanted === CONSTANT) document.getElementById(`constant-${field.name}`)?.focus();
    });
    const label = element("label", { htmlFor: id }, element("b", { textContent: field.title || field.name }), element("span", { className: "code faint", textContent: ` ${field.name}` }));
    const must = field.required === "refuse" ? element("span", { className: "must", textContent: say("required") }) : field.required === "warn" ? element("span", { className: "small faint", textContent: say("wished") }) : "";
    const how = column && fixed === undefined ? element("p", { className: "small faint", textContent: by(field, column) }) : "";
    const made = element("tr", { className: field.required === "refuse" && !column && fixed === undefined ? "unmet" : "" },
      element("th", { scope: "row" }, label, must), element("td", {}, select, how), element("td", {}, fixed !== undefined ? constant(field, fixed) : column ? values(field, column) : ""));
    return made;
  }

  function by(field, column) {
    if (field.name in (asked.mapping?.fields ?? {})) return say("byHand");
    return column.toUpperCase() === field.name.toUpperCase() ? say("byName") : say("byAlias", { alias: column });
  }

  const choices = (field) => (Array.isArray(field.values) ? field.values.map((one) => (Array.isArray(one) ? one : [one, ""])) : Object.entries(field.values ?? {}));

  function chosen(field, value, label, heard) {
    const list = choices(field);
    const input = list.length && list.length <= 200
      ? element("select", { className: "input" }, option("", say("choose")), ...list.map(([code, title]) => option(code, title ? `${code} ${title}` : code)))
      : element("input", { className: "input", maxLength: 200, autocomplete: "off", spellcheck: false });
    input.value = value ?? "";
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => heard(input.value));
    return input;
  }

  function constant(field, value) {
    const input = chosen(field, value, say("constantOf", { field: field.title || field.name }), (now) => edit((mapping) => { mapping.constants[field.name] = now; }));
    input.id = `constant-${field.name}`;
    return input;
  }

  // Samples of the column; where the field is coded, foreign values may be given ours.
  function values(field, column) {
    const samples = (layer.columns ?? []).find((one) => one.name === column)?.samples ?? [];
    const made = element("div", { className: "values" }, element("span", { className: "value-samples small", textContent: samples.slice(0, SAMPLES).join(say("semicolon")) }));
    if (!choices(field).length) return made;
    const pairs = Object.entries(asked.mapping?.values?.[field.name] ?? {});
    for (const [foreign, ours] of pairs) made.append(pair(field, foreign, ours));
    const add = element("button", { type: "button", className: "button button-plain", textContent: say("valueAdd") });
    add.setAttribute("aria-label", say("valueAddTo", { field: field.title || field.name }));
    add.addEventListener("click", () => { const fresh = pair(field, "", ""); add.before(fresh); $("input", fresh).focus(); });
    made.append(add);
    return made;
  }

  function pair(field, foreign, ours) {
    let was = foreign;
    const input = element("input", { className: "input", value: foreign, maxLength: 200, autocomplete: "off", spellcheck: false, placeholder: say("valueTheirs") });
    input.setAttribute("aria-label", say("valueTheirsOf", { field: field.title || field.name }));
    const write = () => edit((mapping) => {
      const map = { ...(mapping.values[field.name] ?? {}) };
      if (was) delete map[was];
      if (input.value && select.value) { map[input.value] = select.value; was = input.value; }
      if (Object.keys(map).length) mapping.values[field.name] = map; else delete mapping.values[field.name];
    });
    const select = chosen(field, ours, say("valueOursOf", { field: field.title || field.name }), write);
    input.addEventListener("change", write);
    const off = element("button", { type: "button", className: "close", ariaLabel: say("valueRemove"), textContent: "×" });
    const row = element("div", { className: "value-pair" }, input, element("span", { ariaHidden: "true", textContent: "→" }), select, off);
    off.addEventListener("click", () => { input.value = ""; write(); const next = row.nextElementSibling; row.remove(); next?.focus?.(); });
    return row;
  }

  return { show, missing, get profile() { return profile; } };
}
