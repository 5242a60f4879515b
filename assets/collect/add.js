// Adding files: chosen, dropped, a folder, a zip. Each is sent by itself, as it is, so that none is held in memory.
import { el } from "../page/dom.js";
import { memory } from "../page/reload.js";
import { record } from "./record.js";

const AT_ONCE = 3, LOOK_MS = 350, WITHIN = /(^|\/)(\.|__MACOSX|(eh)?Thumbs\.db$|desktop\.ini$|Icon[\r\uf00d]$|@eaDir)/i;

export const add = {
  show(tab) {
    const panel = tab.adding;
    tab.way ??= "upload";
    const segment = (name) => el("button", { type: "button", "aria-pressed": String(tab.way === name), "data-way": name, onclick: () => {
      tab.way = name;
      record.end(tab);
      add.show(tab);
      panel.querySelector(`[data-way=${name}]`).focus();
    } }, tab.say(name));
    tab.addNote ??= add.line();
    const body = el("div", { class: "mc-body" });
    panel.replaceChildren(el("header", {}, el("h3", {}, tab.say("add")), el("div", { class: "mt-segments" }, segment("upload"), segment("record"))),
      body, tab.addNote);
    if (tab.way === "record") record.show(tab, body);
    else add.upload(tab, body);
  },

  upload(tab, body) {
    const caption = el("input", { type: "text", id: "mc-caption-all", maxlength: 300, dir: "auto", autocomplete: "off", placeholder: tab.say("one_caption_hint") });
    const picker = (folder) => el("input", { type: "file", class: "mm-sr", multiple: true, webkitdirectory: folder, tabindex: -1, "aria-hidden": "true",
      "data-pick": folder ? "folder" : "files", onchange: (event) => {
        const files = [...event.target.files].map((file) => [file.webkitRelativePath || file.name, file]);
        event.target.value = "";
        add.send(tab, files, caption.value);
      } });
    const files = picker(false), folder = picker(true);
    const zone = el("div", { class: "mc-drop",
      ondragover: (event) => { event.preventDefault(); zone.classList.add("mc-over"); },
      ondragleave: () => zone.classList.remove("mc-over"),
      ondrop: async (event) => {
        event.preventDefault();
        zone.classList.remove("mc-over");
        add.send(tab, await dropped(event.dataTransfer), caption.value);
      } },
    el("p", {}, tab.say("drop")),
    el("div", { class: "mt-actions" },
      el("button", { type: "button", class: "mt-button mt-primary", onclick: () => files.click() }, tab.say("choose_files")),
      el("button", { type: "button", class: "mt-button", onclick: () => folder.click() }, tab.say("choose_folder"))), files, folder,
    el("p", { class: "mt-note" }, tab.limits.sentence));
    body.replaceChildren(zone,
      el("div", { class: "mc-two" },
        el("div", { class: "mt-field" }, el("label", { for: "mc-caption-all" }, tab.say("one_caption")), caption),
        el("details", { class: "mc-layouts" }, el("summary", {}, tab.say("layouts")), el("ul", {},
          ...["folder", "stem", "table", "beside", "later"].map((name) => el("li", {}, tab.say(`layout_${name}`)))))));
  },

  // [name, File or Blob] each, under one caption or "" for what their names say.
  async send(tab, files, caption = "") {
    const note = (tab.addNote ??= add.line()); // of this project, whichever is looked at when the upload ends
    files = files.filter(([name, file]) => !WITHIN.test(name) && file.size >= 0);
    if (!files.length) { add.note(note, tab.say("nothing_chosen"), true); return false; }
    const large = files.filter(([, file]) => file.size > tab.limits.max).map(([name]) => name); // known before a byte is sent
    files = files.filter(([, file]) => file.size <= tab.limits.max);
    if (!files.length) {
      add.note(note, tab.say("too_large", { name: large[0], size: `${tab.number(Math.floor(tab.limits.max / 2 ** 20))} MiB` }), true);
      return false;
    }
    const key = tab.key, begun = await tab.ask("POST", `projects/${key}/uploads`);
    if (begun.error) { add.note(note, begun.error, true); return false; }
    note.sent = new Map(files); // what turns out to belong elsewhere can be taken there
    return add.carry(tab, note, key, `uploads/${begun.upload}`, async (upload, going) => {
      let failed = "", sent = 0;
      const queue = [...files], giveUp = () => going.abort();
      const worker = async () => {
        while (queue.length && !failed && !going.signal.aborted) {
          const [name, file] = queue.shift();
          add.show_progress(tab, note, "sending", sent, files.length, name, giveUp);
          const answer = await put(tab.url(`${upload}?name=${encodeURIComponent(name.toWellFormed?.() ?? name)}`), file, tab.say("lost"), going.signal, (share) => {
            add.show_progress(tab, note, "sending", sent + (files.length === 1 ? share : 0), files.length, name, giveUp);
          });
          if (answer.error) failed ||= answer.error;
          sent++;
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, worker));
      if (going.signal.aborted) return tab.say("cancelled");
      if (failed) tab.ask("DELETE", upload);
      return failed || (await tab.ask("POST", upload, { caption, too_large: large })).error;
    });
  },

  line() { return el("div", { class: "mc-progress", "aria-live": "polite" }); },

  // An upload from what ``begin`` sends of it to its end, whichever project is looked at meanwhile; whether all of it
  // was added. What ``begin`` gives is why it could not go on.
  async carry(tab, note, key, upload, begin) {
    const going = new AbortController(), mine = { note, going };
    going.signal.addEventListener("abort", () => tab.ask("DELETE", upload));
    (tab.uploads[key] ??= []).push(mine);
    memory.set(`upload-${key}`, upload);
    const wrong = await begin(upload, going);
    if (wrong) add.note(note, wrong, !going.signal.aborted);
    const added = !wrong && await add.follow(tab, note, key, upload, going);
    memory.set(`upload-${key}`, "");
    tab.uploads[key] = tab.uploads[key]?.filter((other) => other !== mine) ?? [];
    if (tab.key !== key) tab.said[key] = note; // it is read when its project is opened again
    return added;
  },

  // The line of a project that is opened: of an upload on its way, or what became of it meanwhile.
  async recall(tab, key) {
    const going = tab.uploads[key]?.[0]?.note;
    tab.addNote = going ?? tab.said[key] ?? null;
    delete tab.said[key];
    const upload = memory.get(`upload-${key}`); // from before the page was loaded anew
    if (!upload || going) return;
    memory.set(`upload-${key}`, "");
    const now = await tab.ask("GET", upload);
    if (!["waiting", "adding"].includes(now.state) || tab.key !== key) return;
    add.carry(tab, (tab.addNote ??= add.line()), key, upload, () => "");
  },

  drop(tab, key) { // of a project that is deleted: nothing more is sent
    for (const { going } of tab.uploads[key] ?? []) going.abort();
  },

  async follow(tab, note, key, upload, going) {
    let seen = 0;
    for (;;) {
      const now = await tab.ask("GET", upload);
      const over = now.error || now.state === "done" || now.state === "failed";
      if (tab.key === key && (over || Date.now() - seen > 1500)) { await tab.refresh(); seen = Date.now(); }
      if (over) {
        add.note(note, now.error ?? now.sentence, Boolean(now.error) || now.state === "failed");
        for (const name of now.models ?? []) add.offerImport(tab, note, name);
        return now.state === "done";
      }
      add.show_progress(tab, note, now.state === "adding" ? "reading" : "reading_soon", now.done, now.total, now.name, () => going.abort());
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  },

  show_progress(tab, note, what, done, total, name, stop) {
    let bar = note.querySelector(".mt-progress");
    if (!bar) {
      bar = el("div", { class: "mt-progress", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
      note.replaceChildren(bar, el("div", { class: "mt-line" }, el("p", { class: "mt-quiet" }),
        el("button", { type: "button", class: "mt-button", "data-action": "stop-upload" }, tab.say("cancel"))));
    }
    const percent = Math.round((100 * done) / Math.max(1, total));
    bar.setAttribute("aria-valuenow", percent);
    bar.firstChild.style.width = `${percent}%`;
    note.querySelector("p").textContent = tab.say(what, { done: tab.number(Math.min(total, Math.floor(done) + 1)), total: tab.number(total), name });
    note.querySelector("button").onclick = stop;
  },

  offerImport(tab, note, name) { // of a model among what was added
    const file = note.sent?.get(name);
    if (!file || !tab.importModel) return;
    const button = el("button", { type: "button", class: "mt-button", "data-action": "import-instead", onclick: () => {
      button.remove();
      tab.importModel(file);
    } }, tab.say("model_given_go", { name }));
    note.append(button);
  },

  note(note, text, bad = false) {
    note.replaceChildren(el("p", { class: bad ? "mm-alert" : "mt-ending", role: bad ? "alert" : null }, text));
  },
};

function put(url, file, lost, signal, progress) { // fetch tells no progress of what it sends
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.loaded / Math.max(1, event.total));
    request.onload = () => resolve(request.status === 200 ? {} : { error: request.response?.error ?? lost });
    request.onerror = request.onabort = () => resolve({ error: lost });
    signal.addEventListener("abort", () => request.abort());
    request.setRequestHeader("content-type", "application/octet-stream");
    request.send(file);
  });
}

export async function dropped(transfer) { // folders too, with the paths of their files
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => [file.name, file]);
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
      if (file) found.push([path + entry.name, file]);
      return;
    }
    const reader = entry.createReader();
    for (;;) { // a hundred at a time
      const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
      if (!some.length) return;
      for (const child of some) await walk(child, `${path}${entry.name}/`);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

// A file that misses the place meant for it would take the page's place in the browser, and with it what is recorded.
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
