// The drop area: what is seen of an upload (upload_sending.js comes before this in the same module).

// ---- words

const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const rounded = (number) => (number < 10 ? number.toFixed(1).replace(".0", "") : number.toFixed(0));
const bytes = (size) =>
  size >= 1e9 ? `${rounded(size / 1e9)} GB` : size >= 1e6 ? `${rounded(size / 1e6)} MB` : `${Math.ceil(size / 1e3)} kB`;
const files = (number) => `${count(number)} ${number === 1 ? "file" : "files"}`;

function timeLeft(upload, done) {
  const seconds = (performance.now() - upload.began) / 1000;
  const rest = ((upload.size - done) * seconds) / (done - upload.atFirst);
  if (seconds < 3 || !Number.isFinite(rest) || upload.trouble) return "";
  return rest < 90 ? ` · about ${Math.ceil(rest)} s left` : ` · about ${Math.ceil(rest / 60)} min left`;
}

// What the area shows in each state: title, line below the bar, small print, buttons (the first one stands out).
function view(upload, ask) {
  const cancel = ["Cancel", () => upload.cancel()];
  const choose = [["Choose a folder", ask.folder], ["Choose a zip or pictures", ask.files]];
  const afresh = ["Start afresh", () => upload.cancel()];
  const moving = upload.onTheWay;
  const done = Math.min(upload.size, upload.arrived + moving.size);
  const limits = `Up to ${count(upload.data.maxFiles)} files and ${bytes(upload.data.maxBytes)}. They go to this Thaw server only.`;
  switch (upload.state) {
    case "reading":
      return { title: "Reading the folder …", line: upload.read ? files(upload.read) : "", buttons: [cancel] };
    case "sending":
      return {
        title: upload.total === 1 ? upload.files[0].path : `${count(Math.min(upload.total, upload.here + moving.files))} of ${files(upload.total)}`,
        share: upload.size ? done / upload.size : 0,
        line: `${bytes(done)} of ${bytes(upload.size)}${timeLeft(upload, done)}`, look: upload.trouble ? "trouble" : "",
        small: "Keep this page open. Should it be closed or reloaded, drop the same folder again: the upload goes on where it was.",
        buttons: upload.trouble ? [["Try now", () => upload.wake.forEach((wake) => wake())], cancel] : [cancel],
      };
    case "finishing":
      return { title: "Everything is here", share: 1, look: upload.trouble ? "trouble" : "", buttons: upload.trouble ? [cancel] : [] };
    case "done":
      return { title: "Everything is here", line: "Thaw begins to look at the pictures." };
    case "missing":
      return {
        title: `${files(upload.missing)} did not arrive`, look: "trouble",
        line: "The browser could not read them (were they moved or changed?), or they belong to an upload that broke off.",
        buttons: [
          ["Go on without them", () => upload.guarded(() => upload.finish("?without=missing"))],
          ...(upload.files.length ? [["Send them again", () => upload.guarded(() => upload.send(true))]] : choose), afresh,
        ],
      };
    case "mixed":
      return {
        title: `${files(upload.others)} of another upload`, look: "trouble",
        line: "What was announced before is not among what you brought now. Should it come into the data set too?",
        buttons: [
          ["Only the new ones", () => upload.guarded(() => upload.sendOnlyThese())],
          ["All together", () => upload.guarded(() => upload.send(true))], afresh,
        ],
      };
    default:
      if (upload.problem) return { title: "That did not work", trouble: upload.problem, look: "problem", buttons: [...choose, afresh] };
      if (upload.broken)
        return {
          title: "An upload broke off", look: "trouble",
          line: `${count(upload.broken.filesHere)} of ${files(upload.broken.files)} (${bytes(upload.broken.bytesHere)} of ` +
            `${bytes(upload.broken.bytes)}) are here. Drop the same folder or zip again, and it goes on where it was.`,
          buttons: [...choose, ["Go on with what is here", () => upload.guarded(() => upload.finish())], afresh],
        };
      return {
        title: "Drop a folder or a zip here", line: "One folder per class, or many files at once.",
        small: limits, buttons: choose,
      };
  }
}

function draw(area, upload, ask) {
  const shown = view(upload, ask);
  const put = (selector, text = "") => {
    const element = area.querySelector(selector);
    if (element.textContent !== text) element.textContent = text;
  };
  area.dataset.state = upload.problem || upload.broken ? "told" : upload.state;
  if (upload.isBusy) area.dataset.state = upload.state;
  area.dataset.look = shown.look ?? "";
  put(".title", shown.title);
  put(".line", shown.line);
  put(".small", shown.small);
  put(".trouble", shown.trouble ?? upload.trouble);
  // Not every file is worth a word to those who listen instead of looking.
  put(".said", upload.state === "sending" ? `${Math.floor((shown.share ?? 0) * 10) * 10} percent have arrived` : shown.title);
  area.querySelector("progress").value = shown.share ?? 0;
  const names = area.querySelector(".names");
  const more = upload.missing - upload.names.length;
  const listed = upload.state === "missing" ? [...upload.names, ...(more > 0 ? [`… and ${count(more)} more`] : [])] : [];
  if (names.dataset.shown !== listed.join("\n")) {
    names.dataset.shown = listed.join("\n");
    names.replaceChildren(...listed.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
  const buttons = area.querySelector(".buttons");
  const labels = (shown.buttons ?? []).map(([label]) => label).join("\n");
  if (buttons.dataset.shown !== labels) { // kept as they are otherwise, so that the focus stays
    buttons.dataset.shown = labels;
    buttons.replaceChildren(...(shown.buttons ?? []).map(([label, act], index) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label, onclick: act });
      button.className = index === 0 && label !== "Cancel" ? "first" : "";
      return button;
    }));
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const area = parentElement.querySelector(".area");
  if (!uploads.has(data.address) || uploads.get(data.address).state === "done") uploads.set(data.address, new Upload(data.address, data));
  const upload = uploads.get(data.address);
  const [folder, loose] = [area.querySelector(".folder"), area.querySelector(".files")];
  const ask = { folder: () => folder.click(), files: () => loose.click() };
  for (const input of [folder, loose])
    input.onchange = () => { const found = chosen(input); input.value = ""; upload.begin(async () => found); };

  // Told again and again until the page takes this area away: after a restart of the server the files may all be there
  // before the page is connected again, and what is told then is lost.
  let telling = 0;
  const tell = () => setTriggerValue("done", true);
  const redraw = () => {
    draw(area, upload, ask);
    if (upload.state === "done" && !telling) { tell(); telling = setInterval(tell, 2000); }
  };
  // The whole page is the target: what is dropped beside the area would make the browser leave the page.
  const on = {
    dragover: (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = upload.isBusy ? "none" : "copy";
      area.classList.toggle("over", !upload.isBusy);
    },
    dragleave: (event) => { if (!event.relatedTarget) area.classList.remove("over"); },
    drop: (event) => {
      if (!event.dataTransfer?.files.length && !event.dataTransfer?.items.length) return;
      event.preventDefault();
      area.classList.remove("over");
      // Both are gone once this function returns.
      const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
      const plain = [...event.dataTransfer.files].map((file) => ({ path: file.name, file }));
      if (entries.length || plain.length) upload.begin((tell) => (entries.length ? readEntries(entries, tell) : plain));
    },
  };
  const warn = (event) => { if (upload.isBusy) event.preventDefault(); };
  for (const [name, react] of Object.entries(on)) document.addEventListener(name, react);
  window.addEventListener("beforeunload", warn);
  upload.listeners.add(redraw);
  redraw();
  if (upload.state === "idle") upload.look();
  return () => {
    clearInterval(telling);
    upload.listeners.delete(redraw);
    for (const [name, react] of Object.entries(on)) document.removeEventListener(name, react);
    window.removeEventListener("beforeunload", warn);
  };
}
