// What a fine-tuning shows beyond a training: before and after on the same codes, and whether it copies.
(() => {
  "use strict";
  const { parts, el, language } = window.mmTrain;
  const ROWS = ["before", "after", "nearest"], GAUGES = ["copying", "close", "far", "own"];

  function gauge(sentence) { // which of the four it is, and its share; null of one that is not known here
    for (const name of GAUGES) {
      const [before, after] = window.mmganTexts[`collect_gauge_${name}`][0].split("{share}");
      if (!sentence.startsWith(before) || !sentence.endsWith(after ?? "")) continue;
      return { name, share: after === undefined ? "" : sentence.slice(before.length, -after.length) };
    }
    return null;
  }

  const finetune = {
    say(tab, key, values = {}) { // these texts are with those of the Collect tab
      return window.mmgan.filled(window.mmganTexts[`collect_${key}`]?.[language() === "zh" ? 1 : 0] ?? key, values);
    },

    show(tab) {
      tab.tuned = null;
      tab.tunedAt = "";
      if (!tab.run.finetune) return null;
      tab.tunedSheet = el("div", { class: "mt-tuned" });
      tab.tunedSaid = el("div", { class: "mt-tuned-said", "aria-live": "polite" });
      tab.tuned = el("section", { class: "mt-panel mt-growing", "aria-label": finetune.say(tab, "tuned_title") },
        el("h3", {}, finetune.say(tab, "tuned_title")),
        el("p", { class: "mt-note" }, finetune.say(tab, "tuned_note", { base: tab.run.finetune.base })), tab.tunedSheet, tab.tunedSaid);
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
        if (!tab.tunedSheet.firstChild) tab.tunedSheet.replaceChildren(el("p", { class: "mt-quiet" }, finetune.say(tab, "tuned_soon")));
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
        "aria-label": finetune.say(tab, "tuned_alt", { captions: captions.join(", ") }) },
      ...captions.map((caption, i) => el("span", { class: "mt-piece-caption", dir: "auto", style: `grid-column: ${i + 2}` }, caption)),
      ...ROWS.flatMap((name, row) => [el("b", { style: `grid-row: ${row + 2}` }, finetune.say(tab, `tuned_${name}`)), ...Array.from({ length: count }, (_, i) => piece(row, i))])));
    },

    showSaid(tab, said) {
      const gauges = Object.entries(said.gauges ?? {});
      const shown = (sentence) => {
        const known = gauge(sentence), bad = ["copying", "close"].includes(known?.name);
        return el("dd", { class: bad ? "mt-copies" : null }, known ? finetune.say(tab, `gauge_${known.name}`, known) : sentence);
      };
      tab.tunedSaid.replaceChildren(...[
        gauges.length > 0 && el("div", { class: "mt-gauges" }, el("h4", {}, finetune.say(tab, "tuned_gauge")),
          el("dl", {}, ...gauges.flatMap(([kind, sentence]) => [el("dt", {}, finetune.say(tab, kind)), shown(sentence)]))),
        (said.sentences?.length > 0 || said.notes?.length > 0) && el("details", {}, el("summary", {}, finetune.say(tab, "tuned_said")),
          el("ul", {}, ...[...(said.sentences ?? []), ...(said.notes ?? [])].map((sentence) => el("li", {}, sentence))))].filter(Boolean));
    },

    // Downloads the model of the run that is watched, made for it by the server.
    async download(tab, event) {
      const address = window.mmCollect.address(`models/runs/${encodeURIComponent(tab.run.name)}`);
      tab.note = await window.mmSteady.during(event.currentTarget, () => window.mmCollect.download(address));
      tab.update();
    },
  };
  parts.finetune = finetune;
})();
