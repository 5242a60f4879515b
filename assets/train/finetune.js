// What a fine-tuning shows beyond a training: before and after on the same codes, and whether it copies.
import { during, el } from "../page/dom.js";
import { sayer } from "../page/language.js";
import { download } from "../page/server.js";

export const say = sayer("collect_"); // its texts are with those of the Collect tab
const ROWS = ["before", "after", "nearest"];

export const finetune = {
  show(tab) {
    tab.tuned = null;
    tab.tunedAt = "";
    if (!tab.run.finetune) return null;
    tab.tunedSheet = el("div", { class: "mt-tuned" });
    tab.tunedSaid = el("div", { class: "mt-tuned-said", "aria-live": "polite" });
    tab.tuned = el("section", { class: "mt-panel mt-growing", "aria-label": say("tuned_title") },
      el("h3", {}, say("tuned_title")),
      el("p", { class: "mt-note" }, say("tuned_note", { base: tab.run.finetune.base })), tab.tunedSheet, tab.tunedSaid);
    return tab.tuned;
  },

  async update(tab) {
    const said = tab.run.finetune;
    if (!tab.tuned || !said) return;
    const now = JSON.stringify([said, tab.visits.at(-1) ?? ""]);
    if (now === tab.tunedAt) return;
    tab.tunedAt = now;
    finetune.showSaid(tab, said);
    const name = tab.watched, answer = await tab.server.look({ what: "finetune", run: name }).catch(() => ({}));
    if (tab.watched !== name || !tab.tuned?.isConnected) return;
    if (!answer.sheet) {
      if (!tab.tunedSheet.firstChild) tab.tunedSheet.replaceChildren(el("p", { class: "mt-quiet" }, say("tuned_soon")));
      return;
    }
    const image = new Image();
    image.src = answer.sheet;
    await image.decode().catch(() => {});
    if (tab.tuned?.isConnected) finetune.showSheet(tab, image, answer.grid, said.captions ?? []);
  },

  showSheet(tab, image, grid, captions) { // a piece of the sheet for each row and column
    const count = captions.length || grid.columns, width = image.naturalWidth, height = image.naturalHeight;
    const piece = (row, column) => {
      const box = el("i", { class: "mt-piece" }), x = grid.left + column * grid.across, y = grid.top + row * grid.down;
      Object.assign(box.style, { gridRow: row + 2, gridColumn: column + 2, backgroundImage: `url("${image.src}")`, aspectRatio: `${grid.width} / ${grid.height}`,
        backgroundSize: `${(100 * width) / grid.width}% ${(100 * height) / grid.height}%`,
        backgroundPosition: `${(100 * x) / (width - grid.width)}% ${(100 * y) / (height - grid.height)}%` });
      return box;
    };
    tab.tunedSheet.replaceChildren(el("div", { class: "mt-pieces", role: "img", style: `--columns: ${count}`,
      "aria-label": say("tuned_alt", { captions: captions.join(", ") }) },
    ...captions.map((caption, i) => el("span", { class: "mt-piece-caption", dir: "auto", style: `grid-column: ${i + 2}` }, caption)),
    ...ROWS.flatMap((name, row) => [el("b", { style: `grid-row: ${row + 2}` }, say(`tuned_${name}`)), ...Array.from({ length: count }, (_, i) => piece(row, i))])));
  },

  showSaid(tab, said) {
    const gauges = Object.entries(said.gauges ?? {});
    const copies = (kind) => ["copying", "close"].includes(said.codes[kind]);
    tab.tunedSaid.replaceChildren(...[
      gauges.length > 0 && el("div", { class: "mt-gauges" }, el("h4", {}, say("tuned_gauge")),
        el("dl", {}, ...gauges.flatMap(([kind, sentence]) => [el("dt", {}, say(kind)), el("dd", { class: copies(kind) ? "mt-copies" : null }, sentence)]))),
      (said.sentences?.length > 0 || said.notes?.length > 0) && el("details", {}, el("summary", {}, say("tuned_said")),
        el("ul", {}, ...[...(said.sentences ?? []), ...(said.notes ?? [])].map((sentence) => el("li", {}, sentence))))].filter(Boolean));
  },

  // Downloads the model of the run that is watched, made for it by the server.
  async download(tab, event) {
    const path = `collect/models/runs/${encodeURIComponent(tab.run.name)}`;
    tab.note = await during(event.currentTarget, () => download(path, say("lost")));
    tab.update();
  },
};
