// Our own source of tiles: it looks at the status, knows the version of the data, and forgets.
import { askJson } from "./asking.js";
import { decode } from "./mvt.js";

const KEPT = 256;       // tiles of one layer kept in memory
const WINDOW = 24;      // of them, those that a window shows at once: they stay, however many corners they have
const CORNERS = 600_000;  // kept of one layer; a corner takes some 80 bytes
const AT_ONCE = 6;      // requests under way, all layers together
const MEDIA_TYPE = "application/vnd.mapbox-vector-tile";

const givenUp = (why) => new DOMException(why, "AbortError");  // the painter passes over it and nothing is kept

let running = 0;
const waiting = [];

function turn(job) {
  return new Promise((resolve, reject) => { waiting.push({ job, resolve, reject }); next(); });
}

function next() {
  if (running >= AT_ONCE || !waiting.length) return;
  const { job, resolve, reject } = waiting.shift();
  running++;
  job().then(resolve, reject).finally(() => { running--; next(); });
}

export class TileSource {
  // `wanted(tile)` says whether a tile is still on the screen when its turn comes; `trouble(status, asked)`
  // hears of failures, and when the tile had been asked for.
  constructor(id, tilejson, { wanted, trouble, past = true }) {
    this.id = id; this.tilejson = tilejson; this.wanted = wanted; this.trouble = trouble; this.past = past;
    this.tileSize = 256; this.address = null; this.minzoom = 0; this.maxzoom = 20;
    this.words = "";  // what is asked besides, such as the day that the map tells of
    this.message = null;  // why nothing can be shown, in the server's words
    this.kept = new Map(); this.coming = new Map(); this.dropped = new Set();
  }

  // Ask which tiles there are; true when the data behind them changed since the last time.
  async refresh() {
    const before = this.address;
    if (this.words && !this.past) {  // nothing of it is kept of an earlier day: there is nothing to ask
      this.address = null; this.kept.clear(); this.coming.clear();
      return before !== null;
    }
    let told;
    try {
      told = await askJson(this.words ? `${this.tilejson}?${this.words}` : this.tilejson);
      this.message = null;
    } catch (trouble) {
      if (trouble.status === 409) { this.message = trouble.message; this.address = null; this.kept.clear(); this.coming.clear(); }
      throw trouble;
    }
    this.address = told.tiles[0]; this.minzoom = told.minzoom; this.maxzoom = told.maxzoom;
    if (before === this.address) return false;
    this.kept.clear(); this.coming.clear();
    return true;
  }

  // The painter's interface: a promise of Map(layer name → features).
  get(tile) {
    const key = `${tile.z}/${tile.x}/${tile.y}`;
    const found = this.kept.get(key);
    if (found) {
      this.kept.delete(key); this.kept.set(key, found);  // the latest used is last
      return Promise.resolve(found);
    }
    if (!this.address || tile.z < this.minzoom || tile.z > this.maxzoom) return Promise.resolve(new Map());
    if (!this.coming.has(key)) {
      const asked = turn(() => this.fetch(tile, key)).finally(() => {
        if (this.coming.get(key) === asked) this.coming.delete(key);
      });
      this.coming.set(key, asked);
    }
    return this.coming.get(key);
  }

  // The tiles that were used longest ago go first: of a whole district some hold ten thousand shapes.
  forgetOldest() {
    let corners = 0;
    for (const tile of this.kept.values()) corners += (tile.corners ??= cornersOf(tile));
    for (const [key, tile] of this.kept) {
      if (this.kept.size <= KEPT && (corners <= CORNERS || this.kept.size <= WINDOW)) return;
      this.kept.delete(key);
      corners -= tile.corners;
    }
  }

  // Whether tiles of this zoom were passed over while another was on the screen; they have to be painted again.
  owes(zoom) { return this.dropped.delete(zoom); }

  async fetch(tile, key) {
    if (!this.wanted(tile)) {
      this.dropped.add(tile.z);
      throw givenUp("no longer on the screen");
    }
    const asked = this.address, when = performance.now();
    if (!asked) throw givenUp("another day was chosen meanwhile, of which nothing is kept");
    const address = asked.replace("{z}", tile.z).replace("{x}", tile.x).replace("{y}", tile.y);
    let answer;
    try {
      answer = await fetch(address);
    } catch {
      this.trouble(0, when);
      throw givenUp("the server does not answer");
    }
    if (answer.status !== 204 && !(answer.ok && answer.headers.get("Content-Type")?.startsWith(MEDIA_TYPE))) {
      this.trouble(answer.status, when);
      throw givenUp(`status ${answer.status}`);
    }
    let data;
    try {
      data = answer.status === 204 ? new Map() : decode(await answer.arrayBuffer(), this.tileSize);
    } catch {
      this.trouble(0, when);
      throw givenUp("no vector tile, or cut off");
    }
    if (asked === this.address) {
      this.kept.set(key, data);
      this.forgetOldest();
    }
    return data;
  }
}

function cornersOf(tile) {
  let corners = 0;
  for (const features of tile.values()) for (const feature of features) corners += feature.numVertices;
  return corners;
}
