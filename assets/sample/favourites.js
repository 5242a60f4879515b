// Favourites: kept in this browser (IndexedDB), compared side by side, downloaded with results as a dataset.
import { say } from "../page/language.js";
import { sampleAgain } from "./again.js";
import { zip } from "./zip.js";

const PLAY = '<svg class="mm-icon-play" viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.5v13l10.5-6.5z"/></svg>'
  + '<svg class="mm-icon-stop" viewBox="0 0 24 24" aria-hidden="true"><path d="M7 7h10v10H7z"/></svg>';
const CROSS = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="m7 7 10 10M17 7 7 17"/></svg>';
const AGAIN = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 12a7 7 0 1 0 2.4-5.3M5 4v4h4"/></svg>';
const kept = new Map(); // by name, in the order in which they were kept

// Storage --------------------------------------------------------------------------------------------------------

const database = new Promise((resolve, reject) => {
  const request = indexedDB.open("mmgan", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("favourites", { keyPath: "name" });
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
database.catch(() => {}); // said under the favourites instead

async function store(mode, work) {
  const transaction = (await database).transaction("favourites", mode);
  const request = work(transaction.objectStore("favourites"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

// Cards ----------------------------------------------------------------------------------------------------------

const nameOf = ({ prompt, model, seed, truncation }) => JSON.stringify([prompt, model, seed, truncation]);

function read(card) {
  const { prompt, model, seed, truncation } = card.dataset;
  return {
    name: nameOf(card.dataset), prompt, model, seed, truncation, when: Date.now(),
    picture: card.querySelector(".mm-picture").src, spectrogram: card.querySelector(".mm-spectrogram").src,
    sound: card.querySelector("audio").src,
  };
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function cardOf(item) {
  const label = say("favourite_of", item);
  const head = element("i", { className: "mm-head" });
  const button = (className, label, icon) => element("button", { type: "button", className, ariaLabel: label, title: label, innerHTML: icon });
  const card = element(
    "li", { className: "mm-card" },
    element(
      "div", { className: "mm-pair" },
      element("img", { className: "mm-picture", src: item.picture, alt: say("stage_picture", { at: label }) }),
      element(
        "div", { className: "mm-sound" },
        element("img", { className: "mm-spectrogram", src: item.spectrogram, alt: say("stage_spectrogram", { at: label }) }),
        head,
      ),
    ),
    element("p", { className: "mm-caption", dir: "auto", textContent: item.prompt }),
    element("p", { className: "mm-of", textContent: `${item.model} · ${say("seed")} ${item.seed}` }),
    element(
      "div", { className: "mm-bar" },
      button("mm-play", say("favourite_play", item), PLAY),
      element("audio", { preload: "metadata", src: item.sound }),
      element("span", { className: "mm-length" }),
      button("mm-again", say("favourite_again"), AGAIN),
      button("mm-remove", say("favourite_remove", item), CROSS),
    ),
  );
  Object.assign(card.dataset, { prompt: item.prompt, model: item.model, seed: item.seed, truncation: item.truncation });
  return card;
}

function draw() {
  const box = document.querySelector("#favourites .mm-kept");
  if (!box) return;
  const grid = box.querySelector(".mm-grid");
  const there = new Map([...grid.children].map((card) => [nameOf(card.dataset), card]));
  for (const [name, card] of there) if (!kept.has(name)) card.remove();
  for (const [name, item] of kept) if (!there.has(name)) grid.append(cardOf(item));
  box.classList.toggle("mm-none", kept.size === 0);
  box.querySelector(".mm-count").textContent = kept.size || "";
  mark();
}

function mark() {
  for (const button of document.querySelectorAll(".mm-keep")) {
    const pressed = String(kept.has(nameOf(button.closest(".mm-card").dataset)));
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
}

async function toggle(item) {
  const has = kept.has(item.name);
  if (has) kept.delete(item.name);
  else kept.set(item.name, item);
  draw();
  try {
    await store("readwrite", (s) => (has ? s.delete(item.name) : s.put(item)));
  } catch {
    document.querySelector("#favourites .mm-storage")?.removeAttribute("hidden");
  }
}

// Download -------------------------------------------------------------------------------------------------------

const bytesOf = (uri) => Uint8Array.from(atob(uri.split(",")[1]), (c) => c.charCodeAt(0));
// What a spreadsheet would compute gets an apostrophe, which mmgan takes away again (safe_cell of mmgan/data/folder/layout.py).
const FORMULA = /^(\s*[=+\-@＝＋－＠\t\r]|'+\s*[=+\-@])/;
const safe = (text) => (FORMULA.test(text) ? `'${text}` : text);
const cell = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function download(cards, title) {
  const rows = [["file_name", "audio_file", "text", "model", "seed", "truncation"]], files = [];
  cards.map(read).forEach((item, index) => {
    const name = String(index).padStart(3, "0");
    files.push([`${name}.png`, bytesOf(item.picture)], [`${name}.wav`, bytesOf(item.sound)]);
    rows.push([`${name}.png`, `${name}.wav`, safe(item.prompt), item.model, item.seed, item.truncation]);
  });
  const table = rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
  files.push(["metadata.csv", new TextEncoder().encode(table)]);
  const link = element("a", { href: URL.createObjectURL(zip(files)), download: `${title}.zip` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// What is pressed ------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest(".mm-keep, .mm-remove, .mm-again, .mm-zip");
  if (!button) return;
  const card = button.closest(".mm-card");
  if (button.matches(".mm-zip")) {
    const cards = [...button.closest(".mm-results, .mm-kept").querySelectorAll(".mm-card")];
    if (cards.length) download(cards, button.closest("#favourites") ? "mmgan-favourites" : "mmgan-samples");
  } else if (button.matches(".mm-again")) {
    sampleAgain({ ...card.dataset });
  } else {
    const next = card.nextElementSibling || card.previousElementSibling;
    toggle(button.matches(".mm-remove") ? { name: nameOf(card.dataset) } : read(card));
    if (button.matches(".mm-remove")) next?.querySelector(".mm-remove")?.focus();
  }
});

async function start() {
  try {
    const items = await store("readonly", (s) => s.getAll());
    for (const item of items.sort((a, b) => a.when - b.when)) kept.set(item.name, item);
  } catch {
    document.querySelector("#favourites .mm-storage")?.removeAttribute("hidden");
  }
  draw();
  // gradio puts the box in, and results, whenever it likes.
  new MutationObserver((changes) => {
    if (changes.some((c) => [...c.addedNodes].some((n) => n.querySelector?.(".mm-keep, .mm-grid")))) draw();
  }).observe(document.body, { childList: true, subtree: true });
}
start();
