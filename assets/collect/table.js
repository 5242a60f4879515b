// The table of a project: one row a file, with what is wrong and one act that helps, a page at a time.
import { closable, el, keyed, lost, settled, write } from "../page/dom.js";
import { stopAll } from "../page/player.js";
import { add } from "./add.js";
import { record } from "./record.js";

const UNDO_BYTES = 16 << 20; // of a file that is fetched before it is deleted, so that it can be put back
const SHOWS = ["all", "look", "left_out", "image", "sound"];
const player = new Audio();
let playing = null;

function play(button, url) {
  const again = playing === button;
  player.pause();
  playing?.classList.remove("mc-playing");
  playing = null;
  if (again) return;
  stopAll();
  playing = button;
  button.classList.add("mc-playing");
  player.src = url;
  player.onended = () => { button.classList.remove("mc-playing"); if (playing === button) playing = null; };
  player.play().catch(player.onended);
}

function wave(peaks) {
  const path = peaks.map((p, i) => `M${i + 0.5} ${50 - Math.max(1, p / 2)}v${Math.max(2, p)}`).join("");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 64 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path || "M0 50h64");
  svg.append(line);
  return svg;
}

export const table = {
  forget(tab) {
    Object.assign(tab, { page: 0, shown: "all", find: "", chosen: new Set(), focusId: null, sure: false, headNote: null, addNote: null, unsent: (tab.unsentOf[tab.key] ??= {}) });
  },

  fetch(tab) {
    const query = new URLSearchParams({ page: tab.page, show: tab.shown, find: tab.find });
    return tab.ask("GET", `projects/${tab.key}?${query}`);
  },

  show(tab, answer) {
    const show = el("select", { "aria-label": tab.say("show"), onchange: () => { tab.shown = show.value; tab.page = 0; tab.refresh(); } },
      ...SHOWS.map((name) => el("option", { value: name, selected: name === tab.shown }, tab.say(`show_${name}`))));
    let waiting = 0;
    const find = el("input", { type: "search", "aria-label": tab.say("find"), placeholder: tab.say("find"), value: tab.find, oninput: () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { tab.find = find.value; tab.page = 0; tab.refresh(); }, 250);
    } });
    Object.assign(tab, {
      showSelect: show, tools: el("div", { class: "mc-tools" }, show, find), tableNote: el("div", { class: "mc-line", "aria-live": "polite" }),
      bar: el("div", { class: "mc-bar" }), rowsNone: el("p", { class: "mm-empty" }), grid: el("div", { class: "mc-grid", role: "table", "aria-label": tab.say("table") }),
      captionList: el("datalist", { id: "mc-captions" }), bulk: el("div"), leftOut: el("div"), guessed: el("div", { class: "mc-guessed" }),
    });
    tab.rowsBox = el("div", { class: "mc-rows" }, tab.rowsNone, tab.grid, tab.captionList);
    tab.pager = table.pager(tab);
    tab.table.replaceChildren(el("header", {}, el("h3", {}, tab.say("table")), tab.tools), tab.tableNote, tab.guessed, tab.bulk, tab.bar, tab.rowsBox, tab.pager, tab.leftOut);
    table.fill(tab, answer);
  },

  fill(tab, answer) {
    const { items } = answer, mine = tab.project.mine;
    const first = tab.items === undefined || !items !== !tab.items;
    Object.assign(tab, { items, answer, captions: answer.captions });
    record.showChips(tab);
    tab.tools.hidden = !items;
    if (!tab.bulk.firstChild || !items) tab.bulk.replaceChildren(...(mine && items ? [table.bulkForm(tab)] : []));
    write(tab.showSelect.options[1], `${tab.say("show_look")} (${tab.number(tab.project.problems)})`);
    const kept = table.focused(tab);
    tab.rowsNone.hidden = answer.rows.length > 0;
    write(tab.rowsNone, tab.say(items ? "no_match" : "empty"));
    tab.grid.hidden = !answer.rows.length;
    tab.grid.setAttribute("aria-rowcount", answer.found);
    keyed(tab.grid, [{ id: "head" }, ...answer.rows], "id", (row, old) => (row.id === "head" ? old ?? table.headRow(tab) : table.kept(tab, row, old)));
    table.refocus(tab, kept);
    table.showBar(tab);
    table.showPager(tab, answer);
    table.showLeftOut(tab, answer);
    table.showGuessed(tab, answer.readings ?? []);
    return first;
  },

  showGuessed(tab, readings) { // captions that came without saying their encoding: which one was taken, and another to choose
    keyed(tab.guessed, tab.project.mine ? readings : [], "id", (reading, old) => {
      const now = JSON.stringify(reading);
      if (old?.shown === now) return old;
      const choose = settled(el("select", { "aria-label": tab.say("guessed", { name: reading.name }), "data-field": "encoding" },
        ...tab.known.encodings.map((name) => el("option", { value: name, selected: name === reading.encoding }, tab.say(`encoding_${name}`)))),
      (encoding) => table.act(tab, { action: "encoding", reading: reading.id, encoding }));
      const line = el("div", { class: "mt-line" }, el("p", {}, el("span", { dir: "auto" }, tab.say("guessed", { name: reading.name }))), choose,
        reading.example && el("p", { dir: "auto" }, tab.say("guessed_example", { example: reading.example })),
        el("button", { type: "button", class: "mt-button", "data-action": "guessed-right", onclick: () => table.act(tab, { action: "forget_reading", reading: reading.id }) }, tab.say("guessed_right")));
      if (old?.contains(document.activeElement)) requestAnimationFrame(() => line.querySelector("select").focus({ preventScroll: true }));
      return Object.assign(line, { shown: now });
    });
  },

  kept(tab, row, old) { // a row is made anew only when something of it changes
    const now = JSON.stringify(row);
    if (old?.shown !== now) old = Object.assign(table.row(tab, row), { shown: now });
    return old;
  },

  // Whoever is at a row when it changes or goes stays there, or beside it.
  focused(tab) {
    const at = document.activeElement, row = at?.closest?.(".mc-row");
    if (!row || !tab.grid.contains(at)) return null;
    const place = [...tab.grid.querySelectorAll(".mc-row")].indexOf(row);
    return { at, place, id: row.dataset.id, field: at.dataset.field, value: at.value, start: at.selectionStart, end: at.selectionEnd, before: at.defaultValue };
  },

  refocus(tab, kept) {
    if (!kept || (kept.at.isConnected && document.activeElement === kept.at)) return;
    const rows = [...tab.grid.querySelectorAll(".mc-row")], same = rows.find((row) => row.dataset.id === kept.id);
    const row = same ?? rows[Math.min(kept.place, rows.length - 1)];
    const field = (same && row.querySelector(`[data-field="${kept.field}"]`)) ?? row?.querySelector("[data-field=tick], [data-field=look]");
    if (!field) return;
    if (same && field.dataset.field === "caption") {
      if (kept.value !== kept.before) field.value = kept.value;
      field.focus({ preventScroll: true });
      if (kept.start !== null) field.setSelectionRange(kept.start, kept.end);
    } else field.focus({ preventScroll: true });
  },

  headRow(tab) {
    const all = (tab.tickAll = el("input", { type: "checkbox", "aria-label": tab.say("tick_all"), onchange: () => {
      for (const row of tab.answer.rows) tab.chosen[all.checked ? "add" : "delete"](row.id);
      tab.rowsBox.querySelectorAll(".mc-row input[type=checkbox]").forEach((box) => { box.checked = all.checked; });
      table.showBar(tab);
    } }));
    const head = (text) => el("span", { role: "columnheader" }, text);
    return el("div", { class: "mc-headrow", role: "row" }, el("span", { role: "columnheader" }, tab.project.mine && all), head(""), head(tab.say("file")), head(tab.say("caption")), head(tab.say("partner")), head(""));
  },

  picture(tab, item, big) {
    const url = `projects/${tab.key}/files/${item.id}?v=${item.version}`;
    if (item.kind === "sound") {
      const button = el("button", { type: "button", class: "mc-look mc-wave", "aria-label": tab.say("play", { name: item.name }), "data-field": big ? "look" : null, onclick: () => play(button, tab.url(url)) }, wave(item.peaks));
      return button;
    }
    return el("button", { type: "button", class: "mc-look", "aria-label": tab.say("open", { name: item.name }), "data-field": big ? "look" : null, onclick: () => table.look(tab, item) },
      el("img", { src: tab.url(`projects/${tab.key}/thumbnails/${item.id}?v=${item.version}`), alt: "", loading: "lazy", decoding: "async" }));
  },

  row(tab, row) {
    const mine = tab.project.mine, cell = (name, ...children) => el("div", { class: `mc-cell mc-${name}`, role: "cell" }, ...children);
    const tick = el("input", { type: "checkbox", "aria-label": tab.say("tick", { name: row.name }), checked: tab.chosen.has(row.id), "data-field": "tick", onchange: () => {
      tab.chosen[tick.checked ? "add" : "delete"](row.id);
      table.showBar(tab);
    } });
    const size = row.kind === "image" ? row.width > 0 && tab.say("pixels", row) : row.seconds > 0 && [tab.say("seconds", row), row.pieces > 0 && tab.say("in_pieces", { count: row.pieces })].filter(Boolean).join(" · ");
    const cut = mine && row.long && row.readable && settled(el("select", { class: "mc-cut", "aria-label": `${tab.say("long")}: ${row.name}`, "data-field": "cut" },
      ...["loudest", "pieces"].map((how) => el("option", { value: how, selected: row.cut === how }, tab.say(`cut_${how}`)))),
    (how) => table.act(tab, { action: "cut", ids: [row.id], how }));
    return el("div", { class: `mc-row${row.code ? " mc-problem" : ""}${row.used ? "" : " mc-unused"}`, role: "row", "data-id": row.id },
      cell("tick", mine && tick),
      cell("view", row.readable ? table.picture(tab, row, true) : el("span", { class: "mc-look mc-broken", "aria-hidden": "true" }, "?")),
      cell("name", el("b", { dir: "auto", title: row.name }, row.name), size && el("small", {}, size), cut,
        row.problem && el("p", { class: "mc-said" }, el("span", { dir: "auto" }, row.problem), mine && row.act && table.actButton(tab, row))),
      cell("caption", mine ? table.caption(tab, row) : el("span", { dir: "auto" }, row.caption)),
      cell("partner", row.partner && table.picture(tab, row.partner, false),
        row.partner && el("small", { dir: "auto", title: row.partner.name }, row.partner.name),
        mine && row.partner && el("button", { type: "button", class: "mc-small", "aria-label": tab.say("unpair", { name: row.name }), title: tab.say("unpair", { name: row.name }), "data-field": "unpair", onclick: () => table.act(tab, { action: "unpair", ids: [row.id] }) }, "×")),
      cell("delete", mine && el("button", { type: "button", class: "mc-small", "aria-label": tab.say("delete_one", { name: row.name }), title: tab.say("delete_one", { name: row.name }), "data-field": "delete", onclick: () => table.removeOne(tab, row) }, "×")));
  },

  caption(tab, row) {
    const { key, unsent } = tab; // of this project, though another may be open when the answer comes
    const field = el("input", { type: "text", maxlength: 300, dir: "auto", autocomplete: "off", value: unsent[row.id] ?? row.caption, placeholder: tab.say("no_caption_yet"),
      "aria-label": tab.say("caption_of", { name: row.name }), "data-field": "caption", list: "mc-captions",
      oninput: () => { unsent[row.id] = field.value; }, // until it is saved, so that a lost connection loses nothing
      onkeydown: (event) => {
        if (event.key === "Escape") { field.value = row.caption; delete unsent[row.id]; field.blur(); }
        if (event.key !== "Enter") return;
        event.preventDefault();
        const fields = [...tab.rowsBox.querySelectorAll("[data-field=caption]")], next = fields[fields.indexOf(field) + 1];
        if (next) next.focus(); else field.blur();
      },
      onblur: async () => {
        if (!field.isConnected) return;
        const caption = field.value;
        if (caption === row.caption) { delete unsent[row.id]; return; }
        const { error } = await tab.ask("POST", `projects/${key}/items`, { action: "caption", ids: [row.id], caption });
        if (!error) {
          if (unsent[row.id] === caption) delete unsent[row.id];
          row.caption = caption;
        }
        if (tab.key !== key) return;
        table.say(tab, error ?? "");
        if (!error) await tab.refresh();
      } });
    return field;
  },

  actButton(tab, row) {
    const does = {
      delete: () => table.removeOne(tab, row),
      caption: () => tab.rowsBox.querySelector(`.mc-row[data-id="${row.id}"] [data-field=caption]`).focus(),
      cut: () => table.act(tab, { action: "cut", ids: [row.id], how: "pieces" }),
      pair: (event) => table.choosePartner(tab, row, event.currentTarget),
      look: () => table.look(tab, row),
    }[row.act];
    return el("button", { type: "button", class: "mc-act", "data-field": "act", "data-act": row.act, onclick: does }, tab.say(`act_${row.act}`));
  },

  async choosePartner(tab, row, button) {
    const { items = [], error } = await tab.ask("GET", `projects/${tab.key}/lonely/${row.kind === "image" ? "sound" : "image"}`);
    if (error) return tab.tell(error);
    const select = settled(el("select", { "aria-label": tab.say("pair_with", { name: row.name }), "data-field": "pair" },
      el("option", { value: "" }, tab.say("choose_one")), ...items.map((item) => el("option", { value: item.id }, item.caption ? `${item.name}: ${item.caption}` : item.name))),
    (id) => table.act(tab, { action: "pair", ids: [row.id, Number(id)] }));
    button.replaceWith(select);
    select.focus();
  },

  look(tab, item) { // large, or heard, with its name
    const url = tab.url(`projects/${tab.key}/files/${item.id}?v=${item.version}`);
    const shown = item.kind === "image" ? el("img", { src: url, alt: item.name }) : el("audio", { src: url, controls: true, autoplay: true });
    const dialog = el("dialog", { class: "mc-dialog", "aria-label": item.name },
      el("div", {}, shown, el("div", { class: "mt-line" }, el("p", { dir: "auto" }, item.name), el("button", { type: "button", class: "mt-button", onclick: () => dialog.close() }, tab.say("close")))));
    tab.root.append(closable(dialog));
    dialog.showModal();
  },

  remove(tab, ids) {
    ids.forEach((id) => tab.chosen.delete(id));
    return table.act(tab, { action: "delete", ids });
  },

  async removeChosen(tab) {
    await table.remove(tab, [...tab.chosen]);
    if (lost()) (tab.grid.querySelector(".mc-row [data-field=tick]") ?? tab.showSelect).focus({ preventScroll: true }); // the question is gone
  },

  async removeOne(tab, row) { // one click, so that it can be taken back: the file comes again, under its caption
    const file = await table.smallFile(tab.url(`projects/${tab.key}/files/${row.id}?v=${row.version}`));
    const key = tab.key, answer = await table.remove(tab, [row.id]);
    if (answer.error || !file || tab.key !== key) return;
    const undo = el("button", { type: "button", class: "mt-button", "data-action": "undo", onclick: async () => {
      undo.disabled = true;
      const back = await add.send(tab, [[row.name, file]], row.caption);
      if (back && tab.key === key) await table.asBefore(tab, row);
      table.say(tab, back ? "" : tab.say("undo_failed", { name: row.name }));
      if (lost()) [...tab.grid.querySelectorAll("[data-field=tick]")].at(-1)?.focus({ preventScroll: true }); // what was put back is the last
    } }, tab.say("undo"));
    tab.tableNote.replaceChildren(el("div", { class: "mt-line", role: "status" }, el("p", { dir: "auto" }, tab.say("deleted_one", { name: row.name })), undo));
  },

  async asBefore(tab, row) { // what was put back gets the partner and the way of cutting that it had
    const { rows = [] } = await tab.ask("GET", `projects/${tab.key}?${new URLSearchParams({ page: 0, show: "all", find: row.name })}`);
    const now = rows.findLast(({ name }) => name === row.name);
    if (now && row.cut !== now.cut) await table.act(tab, { action: "cut", ids: [now.id], how: row.cut });
    if (now && row.partner && !now.partner) await table.act(tab, { action: "pair", ids: [now.id, row.partner.id] });
  },

  async smallFile(url) { // null where it is too large to wait for, or cannot be had
    const fetching = new AbortController();
    try {
      const answer = await fetch(url, { signal: fetching.signal });
      if (answer.ok && Number(answer.headers.get("content-length")) <= UNDO_BYTES) return await answer.blob();
      fetching.abort();
    } catch { /* it is deleted all the same */ }
    return null;
  },

  async act(tab, question) {
    const answer = await tab.ask("POST", `projects/${tab.key}/items`, question);
    table.say(tab, answer.error ?? "", true);
    await tab.refresh();
    return answer;
  },

  say(tab, sentence, bad = true) {
    tab.tableNote?.replaceChildren(...(sentence ? [el("p", { class: bad ? "mm-alert" : "mt-ending", role: bad ? "alert" : null }, sentence)] : []));
  },

  showBar(tab) {
    const count = tab.chosen.size;
    if (tab.tickAll) tab.tickAll.checked = tab.answer.rows.every((row) => tab.chosen.has(row.id));
    if (count && tab.asking === count) return; // files that come in meanwhile do not take a question away
    tab.asking = 0;
    tab.bar.hidden = !count;
    if (!tab.bar.querySelector("[data-action=delete-chosen]")) {
      const cut = (how) => el("button", { type: "button", class: "mt-button", "data-action": `cut-${how}`, onclick: () => table.act(tab, { action: "cut", ids: [...tab.chosen], how }) }, tab.say(`cut_${how}`));
      tab.bar.replaceChildren(el("span"), el("span", { class: "mt-quiet" }, tab.say("long_chosen")), cut("loudest"), cut("pieces"),
        el("button", { type: "button", class: "mt-button mt-danger", "data-action": "delete-chosen", onclick: () => table.askFirst(tab) }, tab.say("delete_chosen")));
    }
    write(tab.bar.firstChild, tab.say("chosen", { count }));
    const which = tab.bulk.querySelector("#mc-which");
    if (which) {
      which.disabled = count > 0;
      which.value = count ? tab.say("bulk_chosen", { count }) : which.dataset.value;
    }
  },

  askFirst(tab) { // many at once is easily a slip, and the files may be nowhere else
    tab.asking = tab.chosen.size;
    const keep = el("button", { type: "button", class: "mt-button", "data-action": "keep-chosen", onclick: () => { tab.asking = 0; table.showBar(tab); tab.bar.querySelector("[data-action=delete-chosen]").focus(); } }, tab.say("delete_no"));
    tab.bar.replaceChildren(el("div", { class: "mt-sure", role: "alertdialog", "aria-label": tab.say("delete_chosen") },
      el("p", {}, tab.say("delete_chosen_sure", { count: tab.chosen.size })),
      el("button", { type: "button", class: "mt-button mt-danger", "data-action": "sure-chosen", onclick: () => table.removeChosen(tab) }, tab.say("delete_yes")), keep));
    keep.focus();
  },

  pager(tab) {
    const turn = (by, name) => el("button", { type: "button", class: "mt-button", "data-action": name,
      onclick: async () => { tab.page += by; await tab.refresh(); tab.table.scrollIntoView({ block: "start" }); } }, tab.say(name));
    return el("nav", { class: "mc-pager", "aria-label": tab.say("pages") }, turn(-1, "before"), el("span", { class: "mt-quiet", role: "status" }), turn(1, "after"));
  },

  showPager(tab, answer) {
    const first = answer.page * answer.per_page, [before, where, after] = tab.pager.children, focus = document.activeElement;
    tab.page = answer.page;
    tab.pager.hidden = answer.pages < 2;
    before.disabled = answer.page === 0;
    after.disabled = answer.page + 1 >= answer.pages;
    if (focus === before && before.disabled) after.focus({ preventScroll: true }); // who came to the end can turn back
    if (focus === after && after.disabled) before.focus({ preventScroll: true });
    write(where, tab.say("page", { first: first + 1, last: first + answer.rows.length, found: answer.found }));
    const captions = answer.captions.slice(0, 60), known = captions.join("\n");
    if (tab.captionList.dataset.known === known) return;
    tab.captionList.dataset.known = known;
    tab.captionList.replaceChildren(...captions.map((caption) => el("option", { value: caption })));
  },

  showLeftOut(tab, answer) {
    const listed = answer.left_out, known = JSON.stringify(listed);
    if (tab.leftOut.dataset.known === known) return;
    tab.leftOut.dataset.known = known;
    const open = tab.leftOut.querySelector("details")?.open;
    tab.leftOut.replaceChildren(...(listed.length ? [el("details", { class: "mc-leftout", open },
      el("summary", {}, tab.say("left_out_list", { count: tab.number(listed.length) })),
      el("ul", {}, ...listed.map(([name, sentence]) => el("li", {}, el("b", { dir: "auto" }, name), " ", sentence))),
      tab.project.mine && el("button", { type: "button", class: "mt-button", onclick: () => table.act(tab, { action: "forget" }) }, tab.say("forget")))] : []));
  },

  bulkForm(tab) {
    const field = (id, key, value = "") => {
      const input = el("input", { type: "text", id, value, maxlength: 300, dir: "auto", autocomplete: "off" });
      return [input, el("div", { class: "mt-field" }, el("label", { for: id }, tab.say(key)), input)];
    };
    const [which, whichField] = field("mc-which", "bulk_which", "*"), [template, templateField] = field("mc-template", "bulk_new");
    which.dataset.value = "*";
    which.addEventListener("input", () => { which.dataset.value = which.value; });
    const [find, findField] = field("mc-find", "bulk_find"), [by, byField] = field("mc-by", "bulk_replace");
    const ids = () => (tab.chosen.size ? [...tab.chosen] : which.value || "*");
    const change = async (event, question) => {
      event.preventDefault();
      if (question.template === "") return table.say(tab, tab.say("bulk_empty")); // else it would empty every caption
      const answer = await table.act(tab, { ids: ids(), ...question });
      if (!answer.error) table.say(tab, tab.say("changed", { count: tab.number(answer.changed) }), false);
    };
    const braces = (text) => text.replaceAll("{", "{{").replace(/\[(name|folder|number|caption)\]/g, "{$1}");
    return el("details", { class: "mc-bulk" }, el("summary", {}, tab.say("bulk")),
      el("form", { class: "mc-form", onsubmit: (event) => change(event, { action: "captions", template: braces(template.value) }) }, whichField, templateField,
        el("button", { type: "submit", class: "mt-button", "data-action": "bulk-set" }, tab.say("bulk_set"))),
      el("p", { class: "mt-note" }, tab.say("bulk_note")),
      el("form", { class: "mc-form", onsubmit: (event) => change(event, { action: "replace", find: find.value, replacement: by.value }) }, findField, byField,
        el("button", { type: "submit", class: "mt-button", "data-action": "bulk-replace" }, tab.say("bulk_go"))));
  },
};
