// How a layer is read: profile, encoding and reference system, each with its evidence, and what one may say instead.
import { option, sentences, severityMark, spoken, verdictBadge } from "./import-parts.js";
import { $, count, element, exact, say } from "./page.js";

const OTHER = "other";

// `changed(asked)` hears what is said instead of what was found: {profile, encoding, crs}; "" is as found.
export function verdictsStep({ changed }) {
  const profile = $("#ask-profile"), encoding = $("#ask-encoding"), crs = $("#ask-crs"), other = $("#other-crs"), otherField = $("#other-crs-field");
  let layer = null, asked = null;

  profile.addEventListener("change", () => { asked.profile = profile.value; tellGiven(); changed("profile"); });
  encoding.addEventListener("change", () => { asked.encoding = encoding.value; tellGiven(); tellSamples(); changed("encoding"); });
  crs.addEventListener("change", () => {
    otherField.hidden = crs.value !== OTHER;
    if (crs.value === OTHER) other.focus();
    asked.crs = crs.value === OTHER ? spelled() : crs.value;
    tellGiven();
    changed("crs");
  });
  other.addEventListener("change", () => { asked.crs = spelled(); tellGiven(); changed("crs"); });

  // "4548", "epsg:4548" and "EPSG:4548" are the same system; what is none of them is sent as it is, and refused with a sentence.
  function spelled() {
    const digits = other.value.trim().match(/^(?:epsg:?\s*)?(\d{4,6})$/i);
    other.setAttribute("aria-invalid", String(Boolean(other.value.trim()) && !digits));
    return digits ? `EPSG:${digits[1]}` : other.value.trim();
  }

  function show(now, words, intake) {
    layer = now; asked = words;
    tellProfile(intake);
    tellEncoding(intake);
    tellSystem(intake);
    tellGiven();
    const rows = layer.problems ?? [];
    $("#layer-problems").replaceChildren(...rows.map((one) => element("li", {}, severityMark(one.severity ?? "warning"), element("span", {}, spoken(one.message ?? one.sentence ?? one.code), one.fix ? element("span", { className: "soft", textContent: ` ${spoken(one.fix)}` }) : ""))));
    $("#layer-problems").hidden = !rows.length;
  }

  const badge = (part, verdict) => $("[data-badge]", part).replaceChildren(verdict ? verdictBadge(verdict) : "");

  // What a person said is no longer a verdict of the file.
  function tellGiven() {
    for (const [name, found] of [["profile", layer.profile], ["encoding", layer.encoding], ["crs", layer.crs]]) {
      badge($(`#verdict-${name}`), asked[name] ? "given" : found?.verdict ?? "ask");
    }
  }

  function tellProfile(intake) {
    const part = $("#verdict-profile"), found = layer.profile, told = [];
    $("[data-said]", part).textContent = found ? `${found.title ?? found.name}` : say("profileNone");
    if (found) {
      const matched = Object.keys(found.matched ?? {}).length, aliases = Object.entries(found.aliases ?? {});
      told.push(say("profileMatched", { count: count(matched) }));
      if (aliases.length) told.push(say("profileAliases", { pairs: aliases.map(([field, column]) => `${column} → ${field}`).join(say("comma")) }));
      if (found.missing?.length) told.push(say("profileMissing", { fields: found.missing.join(say("comma")) }));
      if (found.extra?.length) told.push(say("profileExtra", { count: count(found.extra.length) }));
      if (found.reason) told.push(found.reason);
    }
    sentences($("[data-evidence]", part), told);
    profile.replaceChildren(option("", found ? say("asFound", { what: found.title ?? found.name }) : say("choose")), ...intake.profiles.map((one) => option(one.name, `${one.title} · ${one.name}`)));
    profile.value = asked.profile ?? "";
  }

  function tellEncoding(intake) {
    const part = $("#verdict-encoding"), found = layer.encoding;
    part.hidden = !found;
    if (!found) return;
    $("[data-said]", part).textContent = [found.name, found.bad_fields ? say("badFields", { count: count(found.bad_fields) }) : ""].filter(Boolean).join(" · ");
    sentences($("[data-evidence]", part), found.evidence ?? []);
    const names = intake.encodings ?? ["UTF-8", "GB18030", "Big5"];
    encoding.replaceChildren(option("", found.verdict === "ask" ? say("choose") : say("asFound", { what: found.name })), ...names.map((name) => option(name, name)));
    if (asked.encoding && !names.includes(asked.encoding)) encoding.append(option(asked.encoding, asked.encoding));
    encoding.value = asked.encoding ?? "";
    tellSamples();
  }

  // The first values as they read; somebody who knows the town sees at once whether they are right.
  function tellSamples() {
    const place = $("#verdict-encoding [data-samples]"), found = layer.encoding;
    const by = found?.samples_by?.[encoding.value], list = encoding.value && encoding.value !== found?.name ? by : found?.samples;
    place.replaceChildren(...(list?.length ? [element("span", { className: "small faint", textContent: say("samples") }), ...list.map((one) => element("q", { textContent: one }))] : []));
    if (encoding.value && encoding.value !== found?.name && !by) place.replaceChildren(element("span", { className: "small faint", textContent: say("samplesLater") }));
  }

  function tellSystem(intake) {
    const part = $("#verdict-crs"), found = layer.crs;
    part.hidden = !found || !layer.geometry;
    if (part.hidden) return;
    const known = intake.systems?.find((one) => one.epsg === found.epsg);
    const name = found.name ?? (found.epsg ? `EPSG:${found.epsg}` : "");
    $("[data-said]", part).textContent = name ? [name, known?.title].filter(Boolean).join(" · ") : say("crsUnknown");
    const evidence = [...(found.evidence ?? [])];
    if (layer.extent && Math.abs(layer.extent[0]) <= 180) evidence.push(say("extent", Object.fromEntries(["west", "south", "east", "north"].map((side, i) => [side, exact(layer.extent[i], 4)]))));
    sentences($("[data-evidence]", part), evidence);
    const systems = intake.systems ?? [], frames = intake.frames ?? [];
    crs.replaceChildren(option("", found.epsg ? say("asFound", { what: `EPSG:${found.epsg}` }) : say("choose")),
      ...systems.map((one) => option(`EPSG:${one.epsg}`, `EPSG:${one.epsg} · ${one.title}`)),
      ...frames.map((one) => option(one, one)), option(OTHER, say("otherSystem")));
    const wanted = asked.crs ?? "", listed = [...crs.options].some((one) => one.value === wanted);
    crs.value = listed ? wanted : OTHER;
    otherField.hidden = crs.value !== OTHER;
    if (!listed) other.value = wanted;
  }

  return { show };
}

