// The form that starts a training, and the comparison of runs.
import { during, el } from "../page/dom.js";
import { say as ofPage } from "../page/language.js";
import { Chart, SHOWN } from "./charts.js";

const UNITS = { batch_size: "pairs", checkpoint_seconds: "seconds", ema_images: "examples" };

export const form = {
  values(tab) { // what is chosen; kept while the person looks at something else
    const known = tab.known.form;
    tab.chosenForm ??= { data: known.data[0], path: "", preset: known.presets[0], loss: known.loss, length: known.minutes,
      unit: "minutes", name: "", named: false, settings: {}, start: "" };
    return tab.chosenForm;
  },

  // A new run with the settings of the one that is watched, and with the batch that would fit after a lack of memory.
  // With ``start`` it goes on from that model.
  async again(tab, start = "") {
    const run = tab.run, known = tab.known.form, plain = known.data.includes(run.data);
    const { settings = {} } = await tab.server.look({ what: "settings", run: run.name }).catch(() => ({}));
    tab.chosenForm = { data: plain ? run.data : "folder", path: plain ? "" : run.data, preset: run.preset || known.presets[0],
      loss: run.loss, length: run.minutes || run.steps, unit: run.minutes ? "minutes" : "steps", name: "", named: false, settings: {}, start };
    for (const field of known.advanced) {
      const value = field.name === "batch_size" && run.batch_size ? run.batch_size : settings[field.name];
      if (value !== undefined && value !== field.default) tab.chosenForm.settings[field.name] = value;
    }
    tab.open("form");
  },

  show(tab) {
    const say = (...args) => tab.say(...args), chosen = form.values(tab), known = tab.known.form;
    if (!tab.access.may) return tab.main.replaceChildren(el("p", { class: "mm-empty" }, say(tab.access.code ? "code_needed" : "code_closed")));
    const alert = el("p", { class: "mm-alert", role: "alert", hidden: true });
    const start = el("button", { type: "submit", class: "mt-button mt-primary mt-start" }, say("start"));
    const submit = async (event) => {
      event.preventDefault();
      if (!form.check(event.target)) return;
      const answer = await during(start, () => tab.act("start", form.question(tab)));
      if (answer.error) {
        alert.textContent = answer.error;
        alert.hidden = false;
        return;
      }
      Object.assign(chosen, { name: "", named: false });
      tab.arrive(answer.name);
    };
    const name = el("input", { type: "text", id: "mt-name", maxlength: 60, value: chosen.name, autocomplete: "off", dir: "auto",
      oninput: () => Object.assign(chosen, { name: name.value, named: true }), onblur: () => suggest() });
    const suggest = async () => {
      if (chosen.named && chosen.name) return;
      const answer = await tab.server.look({ what: "name", data: chosen.data === "folder" ? chosen.path || "run" : chosen.data }).catch(() => ({}));
      const typing = document.activeElement === name; // what is suggested must not come between
      if (answer.name && !typing && !(chosen.named && chosen.name)) name.value = chosen.name = answer.name;
    };
    tab.main.replaceChildren(el("form", { class: "mt-panel mt-form", novalidate: true, onsubmit: submit },
      el("h2", {}, say("form")),
      !tab.runs?.length && el("p", { class: "mt-note" }, say("empty")),
      form.data(tab, chosen, suggest),
      el("div", { class: "mt-two" }, form.length(tab, chosen),
        el("div", { class: "mt-field" }, el("label", { for: "mt-name" }, say("form_name")), name)),
      el("div", { class: "mt-two" }, form.start(tab, chosen),
        form.choice(tab, "loss", known.losses.map((l) => [l.name, tab.say("set_loss_of", { title: tab.say(`set_loss_${l.name}_title`), paper: l.paper })]), chosen.loss, (value) => { chosen.loss = value; })),
      form.advanced(tab, chosen),
      alert,
      el("div", { class: "mt-line" }, start)));
    suggest();
  },

  // Whether the numbers of a form will do; beside the first that will not stands what would. Both tabs' forms ask.
  check(box) {
    box.querySelectorAll(".mt-wrong").forEach((line) => line.remove());
    const bad = box.querySelector("input:invalid");
    if (!bad) return true;
    const unit = bad.dataset.unit, shown = (text) => (Math.abs(text) < 1 ? text : Number(text).toLocaleString("en"));
    const kind = bad.step > 1 ? "_step" : unit ? "_unit" : bad.step === "1" ? "_whole" : "";
    const line = el("p", { class: "mm-alert mt-wrong", role: "alert", id: `${bad.id}-wrong` }, ofPage(`train_form_limits${kind}`, {
      name: box.querySelector(`label[for="${bad.id}"]`).textContent, low: shown(bad.min), high: shown(bad.max), step: bad.step, unit: unit && ofPage(`train_unit_${unit}`) }));
    const mended = () => {
      if (bad.validity.valid) line.remove();
      bad.ariaInvalid = bad.validity.valid ? null : "true";
    };
    bad.setAttribute("aria-describedby", line.id);
    bad.addEventListener("input", mended);
    mended();
    bad.closest("details")?.setAttribute("open", "");
    bad.closest(".mt-field").append(line);
    bad.focus();
    return false;
  },

  data(tab, chosen, changed) {
    const note = el("p", { class: "mt-effect" });
    const path = el("input", { type: "text", id: "mt-path", value: chosen.path, autocomplete: "off", spellcheck: "false",
      oninput: () => { chosen.path = path.value.trim(); }, onchange: changed });
    const folder = el("div", { class: "mt-field" }, el("label", { for: "mt-path" }, tab.say("form_path")), path);
    const show = () => { note.textContent = tab.say(`form_${chosen.data}_note`); folder.hidden = chosen.data !== "folder"; };
    const option = (value) => el("label", {}, el("input", { type: "radio", name: "mt-data", value, checked: chosen.data === value,
      onchange: () => { chosen.data = value; show(); changed(); } }), el("span", {}, tab.say(`form_${value}`)));
    show();
    return el("fieldset", { class: "mt-field" }, el("legend", {}, tab.say("form_data")),
      el("div", { class: "mt-options" }, ...[...tab.known.form.data, "folder"].map(option)), note, folder);
  },

  length(tab, chosen) {
    const limits = () => {
      const [min, max] = tab.known.form.lengths[chosen.unit];
      Object.assign(number, { min, max });
      number.dataset.unit = chosen.unit;
    };
    const number = el("input", { type: "number", id: "mt-length", step: "any", value: chosen.length, required: true,
      oninput: () => { chosen.length = Number(number.value); } });
    const unit = el("select", { "aria-label": tab.say("form_length"), onchange: () => {
      chosen.unit = unit.value;
      number.value = chosen.length = unit.value === "minutes" ? tab.known.form.minutes : 5000;
      limits();
      number.dispatchEvent(new Event("input"));
    } }, ...["minutes", "steps"].map((u) => el("option", { value: u, selected: chosen.unit === u }, tab.say(`form_${u}`))));
    limits();
    return el("div", { class: "mt-field" }, el("label", { for: "mt-length" }, tab.say("form_length")), el("div", { class: "mt-line" }, number, unit));
  },

  start(tab, chosen) { // random weights of some size, or a model's
    const note = el("p", { class: "mt-effect" });
    const size = form.choice(tab, "preset", tab.known.form.presets.map((n) => [n, n]), chosen.preset, (value) => { chosen.preset = value; });
    const models = [...tab.known.form.shipped, ...(tab.runs ?? []).filter((run) => run.checkpoint).map((run) => `runs/${run.name}`)];
    if (!models.includes(chosen.start)) chosen.start = "";
    const show = () => {
      note.textContent = tab.say(chosen.start ? "form_start_model_note" : "form_start_nothing_note");
      size.hidden = chosen.start !== "";
    };
    const select = el("select", { id: "mt-start-from", onchange: () => { chosen.start = select.value; show(); } },
      ...["", ...models].map((model) => el("option", { value: model, selected: model === chosen.start }, model ? model.replace(/^runs\//, "") : tab.say("form_start_nothing"))));
    show();
    return el("div", { class: "mt-start-from" },
      el("div", { class: "mt-field" }, el("label", { for: "mt-start-from" }, tab.say("form_start_from")), select, note), size);
  },

  choice(tab, name, options, value, changed) {
    const note = el("p", { class: "mt-effect" });
    const show = (chosen) => { note.textContent = tab.say(`set_${name}_${chosen}`); };
    const select = el("select", { id: `mt-${name}`, onchange: () => { changed(select.value); show(select.value); } },
      ...options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
    show(value);
    return el("div", { class: "mt-field" }, el("label", { for: `mt-${name}` }, tab.say(`set_${name}`)), select, note);
  },

  advanced(tab, chosen) {
    const fields = el("div", { class: "mt-advanced" });
    const fill = () => fields.replaceChildren(...tab.known.form.advanced.map((field) => form.setting(tab, chosen, field)));
    fill();
    const reset = el("button", { type: "button", class: "mt-button", onclick: () => { chosen.settings = {}; fill(); } }, tab.say("form_reset"));
    return el("details", { class: "mt-more-settings", open: Object.keys(chosen.settings).length > 0 },
      el("summary", {}, tab.say("form_more")), el("p", { class: "mt-note" }, tab.say("form_more_note")), fields, reset);
  },

  setting(tab, chosen, field) {
    const id = `mt-set-${field.name}`, effect = el("p", { class: "mt-effect", "aria-live": "polite" });
    const value = chosen.settings[field.name] ?? field.default;
    const box = el("div", { class: "mt-field" });
    const show = (now) => { // what the change will do
      const changed = String(now) !== String(field.default) && now !== "";
      box.classList.toggle("mt-changed", changed);
      if (field.kind === "choice") effect.textContent = tab.say(`set_${field.name}_${now}`);
      else effect.textContent = changed ? tab.say(`set_${field.name}_${Number(now) > field.default ? "more" : "less"}`) : tab.say("form_default", { value: field.default });
      if (changed) chosen.settings[field.name] = field.kind === "choice" ? now : Number(now);
      else delete chosen.settings[field.name];
    };
    const input = field.kind === "choice"
      ? el("select", { id, onchange: () => show(input.value) }, ...field.choices.map((c) => el("option", { value: c, selected: c === value }, c)))
      : el("input", { id, type: "number", min: field.name === "batch_size" ? 4 : field.low, max: field.high, step: field.name === "batch_size" ? 4 : field.kind === "whole" ? 1 : "any",
        value, "data-unit": UNITS[field.name], oninput: () => show(input.value) });
    box.append(el("label", { for: id }, tab.say(`set_${field.name}`)), el("p", { class: "mt-note" }, tab.say(`set_${field.name}_note`)), input, effect);
    show(value);
    return box;
  },

  question(tab) {
    const chosen = form.values(tab);
    return { name: chosen.name, data: chosen.data === "folder" ? chosen.path : chosen.data, preset: chosen.preset, start_from: chosen.start,
      settings: { ...chosen.settings, loss: chosen.loss, [chosen.unit]: chosen.unit === "steps" ? Math.round(chosen.length) : chosen.length } };
  },
};

export const compare = {
  async show(tab) {
    const names = tab.runs.map((run) => run.name).filter((name) => tab.ticked.has(name)), key = names.join("|");
    if (names.length < 2) return tab.main.replaceChildren(el("p", { class: "mm-empty" }, tab.say("compare_hint")));
    const answer = await tab.server.look({ what: "compare", runs: names }).catch(() => ({ error: tab.say("lost") }));
    if (tab.view !== "compare" || key !== tab.runs.map((run) => run.name).filter((name) => tab.ticked.has(name)).join("|")) return;
    if (answer.error) return tab.main.replaceChildren(el("p", { class: "mm-alert", role: "alert" }, answer.error));
    const ticked = names.length;
    names.splice(0, ticked, ...names.filter((name) => answer.settings[name])); // the server compares so many at most
    const all = SHOWN.flatMap((spec) => spec.curves.map((curve) => [curve, spec]));
    const there = all.filter(([curve]) => names.some((name) => answer.curves[name][curve]));
    tab.comparedCurve = there.some(([curve]) => curve === tab.comparedCurve) ? tab.comparedCurve : there[0]?.[0];
    const place = el("div");
    const draw = () => {
      const spec = all.find(([curve]) => curve === tab.comparedCurve)?.[1];
      if (!spec) return;
      tab.compared?.end();
      const chart = tab.compared = new Chart(tab, { ...spec, title: `${tab.say(`chart_${spec.name}`)}: ${tab.say(`curve_${tab.comparedCurve}`)}`, note: tab.say(`chart_${spec.name}_note`) });
      place.replaceChildren(chart.element);
      chart.set(names.filter((name) => answer.curves[name][tab.comparedCurve]).map((name) => ({ label: name, ...answer.curves[name][tab.comparedCurve] })));
    };
    const select = el("select", { id: "mt-compared", onchange: () => { tab.comparedCurve = select.value; draw(); } },
      ...there.map(([curve, spec]) => el("option", { value: curve, selected: curve === tab.comparedCurve }, `${tab.say(`chart_${spec.name}`)}: ${tab.say(`curve_${curve}`)}`)));
    tab.main.replaceChildren(
      el("section", { class: "mt-panel mt-head" }, el("header", {}, el("h2", {}, tab.say("compare_title")),
        el("button", { type: "button", class: "mt-button", onclick: () => tab.watch(tab.watched) }, tab.say("close"))),
      ticked > names.length && el("p", { class: "mt-note" }, tab.say("compare_most", { count: names.length })),
      el("div", { class: "mt-field mt-inline" }, el("label", { for: "mt-compared" }, tab.say("compare_curve")), select)),
      place, compare.settings(tab, names, answer.settings));
    draw();
  },

  settings(tab, names, settings) {
    const keys = [...new Set(names.flatMap((name) => Object.keys(settings[name])))];
    const text = (name, key) => { const value = settings[name][key]; return value === undefined || value === "" ? "–" : String(value); };
    const differs = (key) => new Set(names.map((name) => text(name, key))).size > 1;
    const table = el("table", { class: "mt-table" });
    const fill = (all) => {
      const rows = keys.filter((key) => all || differs(key));
      table.replaceChildren(
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, tab.say("setting")), ...names.map((name) => el("th", { scope: "col", dir: "auto" }, name)))),
        el("tbody", {}, ...rows.map((key) => el("tr", { class: differs(key) ? "mt-differs" : "" },
          el("th", { scope: "row" }, tab.settingName(key), differs(key) && el("span", { class: "mt-badge" }, tab.say("compare_differs"))),
          ...names.map((name) => el("td", {}, text(name, key)))))));
      if (!rows.length) table.replaceChildren(el("tbody", {}, el("tr", {}, el("td", {}, tab.say("compare_none")))));
    };
    fill(false);
    return el("section", { class: "mt-panel" }, el("header", {}, el("h3", {}, tab.say("compare_settings")),
      el("label", { class: "mt-check" }, el("input", { type: "checkbox", onchange: (event) => fill(event.target.checked) }), tab.say("compare_same"))),
    el("div", { class: "mt-scroll" }, table));
  },
};
