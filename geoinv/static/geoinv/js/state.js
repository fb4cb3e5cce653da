// What is painted: which layers, which parts of each, by which criteria; and how the address says it.
import { told } from "./page.js";

const layers = Object.entries(told.legend);
const facets = layers.flatMap(([, one]) => Object.entries(one.facets));

export const state = {
  selected: null,   // code of the parcel or building whose card is open
  finding: null,    // number of the finding whose note is open
  criteria: null,   // the set whose flags are shown; null until it is known which ran
  shown: Object.fromEntries(layers.map(([name, one]) => [name, one.shown])),
  on: Object.fromEntries(facets.map(([name, values]) => [name, new Set(Object.keys(values).filter((value) => values[value]))])),
  landGroups: told.landGroups,
  theme: null,     // the classes of a measure that are painted (choropleth.js), or none
  based: false,    // whether a base map lies below
  asOf: null,      // the day of which the map tells, or null for today
  tried: null,     // number of a flag → the outcome that other values give it, as long as some are tried
};

// What differs from the beginning: {show: "legacy,outcome.not_low", hide: "patches,land.water"}.
export function differences() {
  const show = [], hide = [];
  for (const [name, one] of layers) if (state.shown[name] !== one.shown) (one.shown ? hide : show).push(name);
  for (const [facet, values] of facets) {
    for (const [value, on] of Object.entries(values)) {
      if (state.on[facet].has(value) !== on) (on ? hide : show).push(`${facet}.${value}`);
    }
  }
  return { show: show.join(), hide: hide.join() };
}

// Begin as at first, then as the address says; names that are none are passed over.
export function follow(params) {
  for (const [name, one] of layers) state.shown[name] = one.shown;
  for (const [facet, values] of facets) state.on[facet] = new Set(Object.keys(values).filter((value) => values[value]));
  for (const [word, on] of [["show", true], ["hide", false]]) {
    for (const name of (params.get(word) ?? "").split(",").filter(Boolean)) {
      const [facet, value] = name.split(".");
      if (value === undefined && facet in state.shown) state.shown[facet] = on;
      const known = facets.find(([one]) => one === facet)?.[1];
      if (known && value in known) state.on[facet][on ? "add" : "delete"](value);
    }
  }
}
