// Sends a folder, archives or loose files into a project: announced first, then in requests of at most 8 MB, three at a time.
// The server says what it already has, so an upload goes on where it was after a broken connection, and after a refresh
// once the same folder is dropped again. tlcore/http_upload.py is the other end, upload_area.js is what one sees of it.
// The page gets both as one module (pages/parts/drop.py): no build step, no packages.

const LANES = 3;
const PIECE_BYTES = 8 * 2 ** 20;
const MAX_PIECES = 500; // in one request
const ANNOUNCED_AT_ONCE = 1000;
const STALLED_MS = 60_000; // without a single byte moving
const LONGEST_WAIT_S = 30;
const DISK_WAIT_S = 10;
const uploads = new Map(); // by address; they live as long as the page, whatever Streamlit redraws

class Refused extends Error {} // the server does not take it, and says why
class Cancelled extends Error {}

// ---- files

const isLitter = (name) =>
  name.startsWith(".") || /^(thumbs\.db|ehthumbs\.db|desktop\.ini|__macosx|@eadir|\$recycle\.bin|icon\r)$/i.test(name);

async function readEntries(entries, tell) {
  const found = [];
  let waiting = entries;
  while (waiting.length) {
    const inside = await Promise.all(waiting.splice(0, 200).map((entry) => (entry.isDirectory ? listed(entry) : opened(entry))));
    for (const each of inside.flat()) (each.path === undefined ? waiting : found).push(each);
    tell(found.length);
  }
  return found;
}

async function listed(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) { // a browser hands on a hundred at a time
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    found.push(...some.filter((entry) => !isLitter(entry.name)));
  }
}

async function opened(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  try {
    return { path, file: await new Promise((done, failed) => entry.file(done, failed)) };
  } catch {
    return { path, file: null }; // announced all the same, so that it is named in the end
  }
}

const chosen = (input) =>
  [...input.files]
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => !path.split("/").some(isLitter));

// ---- requests

function request(method, address, body, signal, tell) {
  return new Promise((done, failed) => {
    const xhr = new XMLHttpRequest();
    let timer = 0;
    const stop = () => xhr.abort();
    const alive = () => { clearTimeout(timer); timer = setTimeout(stop, STALLED_MS); };
    const over = () => { clearTimeout(timer); signal.removeEventListener("abort", stop); };
    xhr.open(method, address);
    xhr.upload.onprogress = (event) => { alive(); tell?.(event.loaded); };
    xhr.onload = () => {
      over();
      let answer = {};
      try { answer = JSON.parse(xhr.responseText); } catch { answer = { problem: xhr.responseText.trim() }; }
      if (xhr.status === 200) return done(answer);
      if (xhr.status === 507) return failed(Object.assign(new Error(answer.problem), { isDisk: true }));
      const says = [answer.problem, answer.advice].filter(Boolean).join(" ");
      failed(xhr.status >= 400 && xhr.status < 500 ? new Refused(says || `The server answered ${xhr.status}.`) : new Error());
    };
    xhr.onerror = () => { over(); failed(new Error()); };
    xhr.onabort = () => { over(); failed(signal.aborted ? new Cancelled() : new Error()); };
    signal.addEventListener("abort", stop);
    if (signal.aborted) { over(); return failed(new Cancelled()); }
    alive();
    xhr.send(body);
  });
}

// ---- one upload

class Upload {
  constructor(address, data) {
    Object.assign(this, { address, data, listeners: new Set(), files: [] });
    this.reset("idle");
  }

  reset(state) {
    this.control?.abort();
    this.control = new AbortController();
    Object.assign(this, { state, problem: "", trouble: "", missing: 0, names: [], wake: new Set(), broken: null });
    Object.assign(this, { queue: [], total: 0, size: 0, here: 0, arrived: 0, moving: new Map(), read: 0, failures: 0 });
    this.changed();
  }

  changed(what = {}) {
    Object.assign(this, what);
    if (this.listeners?.size && !this.frame) {
      // A hidden page has no frames, and its title would stand still.
      const later = document.hidden ? (call) => setTimeout(call, 200) : requestAnimationFrame;
      this.frame = later(() => { this.frame = 0; for (const draw of this.listeners) draw(); });
    }
  }

  get onTheWay() { // files and bytes of the requests that are moving
    let [files, size] = [0, 0];
    for (const { batch, loaded } of this.moving.values()) {
      size += loaded;
      let end = 0;
      for (const piece of batch) if ((end += piece.size) <= loaded && piece.isLast) files += 1;
    }
    return { files, size };
  }

  get isBusy() { return ["reading", "sending", "finishing"].includes(this.state); }

  async look() { // what an upload before has left on the server
    const control = this.control;
    try {
      const found = await request("GET", this.address, null, control.signal);
      if (this.state === "idle" && found.files) this.changed({ broken: found });
    } catch (error) {
      if (error instanceof Refused && this.state === "idle") this.changed({ problem: error.message });
    }
  }

  async begin(collect) {
    if (this.isBusy) return;
    this.reset("reading");
    await this.guarded(async () => {
      this.files = await collect((read) => this.changed({ read }));
      if (!this.files.length) throw new Refused("There are no files in it.");
      const size = this.files.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
      if (this.files.length > this.data.maxFiles || size > this.data.maxBytes)
        throw new Refused(`These are ${count(this.files.length)} files with ${bytes(size)}. This server takes at most ` +
          `${count(this.data.maxFiles)} files and ${bytes(this.data.maxBytes)} at once: bring in fewer.`);
      await this.send();
    });
  }

  async sendOnlyThese() { // and drop what another upload has left
    await this.insist(() => request("POST", `${this.address}/cancel`, "", this.control.signal));
    await this.send();
  }

  async send(together = false) { // everything that the server does not have
    const { control, files } = this;
    const numbers = new Set();
    Object.assign(this, { queue: [], total: files.length, size: 0, here: 0, arrived: 0, began: performance.now(), atFirst: 0 });
    this.changed({ state: "sending", missing: 0, names: [] });
    for (let at = 0; at < files.length; at += ANNOUNCED_AT_ONCE) {
      const some = files.slice(at, at + ANNOUNCED_AT_ONCE);
      const list = some.map(({ path, file }) => [path, file ? file.size : 1, file ? file.lastModified : 0]);
      const answer = await this.insist(() => request("POST", `${this.address}/announce`, JSON.stringify(list), control.signal));
      answer.files.forEach(([number, missing], index) => {
        numbers.add(number); // 0 is litter
        this.enqueue(some[index].file, number, missing);
      });
      this.free = answer.free;
      this.changed();
    }
    numbers.delete(0);
    const known = await this.insist(() => request("GET", this.address, null, control.signal));
    const others = known.files - numbers.size;
    if (others > 0 && !together) return this.changed({ state: "mixed", others });
    this.atFirst = this.arrived;
    this.began = performance.now();
    const needed = this.size - this.arrived;
    if (needed > this.free) await this.pause({ isDisk: true, message: `The server has room for ${bytes(this.free)}, and ` +
      `${bytes(needed)} are to come.` });
    await Promise.all(Array.from({ length: LANES }, () => this.lane()));
    await this.finish();
  }

  enqueue(file, number, missing) {
    if (!file) return;
    const pieces = missing.map((piece) => ({ number, piece, file, size: Math.min(PIECE_BYTES, file.size - piece * PIECE_BYTES) }));
    const left = pieces.reduce((sum, { size }) => sum + size, 0);
    if (pieces.length) pieces.at(-1).isLast = true;
    else this.here += 1;
    this.size += file.size;
    this.arrived += file.size - left;
    this.queue.push(...pieces);
  }

  async lane() {
    for (let batch; (batch = this.next()).length; ) await this.deliver(batch);
  }

  next() { // the pieces of one request
    let size = 0, length = 0;
    while (length < Math.min(MAX_PIECES, this.queue.length) && (size += this.queue[length].size) <= PIECE_BYTES) length += 1;
    return this.queue.splice(0, length);
  }

  async deliver(all) {
    let batch = all;
    const { control } = this;
    await this.insist(
      async () => {
        const head = JSON.stringify(batch.map(({ number, piece }) => [number, piece])) + "\n";
        const parts = batch.map(({ file, piece, size }) => file.slice(piece * PIECE_BYTES, piece * PIECE_BYTES + size));
        const tell = (loaded) => {
          this.moving.set(all, { batch, loaded: Math.max(0, loaded - head.length) });
          this.changed(loaded > head.length && !this.isDisk ? { trouble: "" } : {});
        };
        try {
          await request("POST", `${this.address}/pieces`, new Blob([head, ...parts]), control.signal, tell);
        } finally {
          this.moving.delete(all);
        }
        this.arrived += batch.reduce((sum, { size }) => sum + size, 0);
        this.here += batch.filter(({ isLast }) => isLast).length;
      },
      async () => { // a file that was moved or changed meanwhile would make every attempt fail
        const readable = await Promise.all(batch.map(({ file }) => file.slice(0, 1).arrayBuffer().then(() => true, () => false)));
        batch = batch.filter((_, index) => readable[index]);
        return batch.length > 0;
      },
    );
  }

  async insist(attempt, before = async () => true) { // until it works, it is refused, or somebody cancels
    for (let turn = 0; ; turn += 1) {
      try {
        const answer = await attempt();
        this.changed({ trouble: "", isDisk: false });
        return answer;
      } catch (error) {
        if (error instanceof Refused || error instanceof Cancelled) throw error;
        if (!(await before())) return undefined;
        await this.pause(error, turn);
      }
    }
  }

  async pause(error, turn = 0) {
    const seconds = error.isDisk ? DISK_WAIT_S : Math.min(LONGEST_WAIT_S, 2 ** turn) * (0.75 + Math.random() / 2);
    this.changed({ isDisk: !!error.isDisk, trouble: error.isDisk
      ? `${error.message} Free some space there. What has arrived is kept, and the upload tries again by itself.`
      : "The connection to the server broke. What has arrived is kept, and the upload tries again by itself." });
    await new Promise((done, failed) => {
      const wake = () => { clearTimeout(timer); this.wake.delete(wake); done(); };
      const timer = setTimeout(wake, seconds * 1000);
      this.wake.add(wake);
      this.control.signal.addEventListener("abort", () => { clearTimeout(timer); failed(new Cancelled()); });
    });
  }

  async finish(without = "") {
    this.changed({ state: "finishing", trouble: "" });
    const answer = await this.insist(() => request("POST", `${this.address}/finish${without}`, "", this.control.signal));
    if (answer.missing) return this.changed({ state: "missing", missing: answer.missing, names: answer.names });
    this.files = [];
    this.changed({ state: "done", broken: null });
  }

  async guarded(work) {
    try {
      await work();
    } catch (error) {
      if (error instanceof Cancelled) return;
      const problem = error instanceof Refused ? error.message : `The browser could not read this: ${error.message ?? error}`;
      this.control.abort();
      this.changed({ state: "idle", problem });
    }
  }

  async cancel() {
    this.reset("idle");
    this.files = [];
    await this.guarded(() => request("POST", `${this.address}/cancel`, "", this.control.signal));
  }
}
