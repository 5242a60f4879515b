// Fine-tuning: what starts it, and models that come as zips. The run itself is watched in the Train tab.
import { during, el } from "../page/dom.js";
import { memory } from "../page/reload.js";
import { say } from "../page/language.js";
import { open } from "../page/tabs.js";
import { sampleAgain } from "../sample/again.js";
import { form } from "../train/form.js";
import { tabs as trainTabs } from "../train/tab.js";
import { add } from "./add.js";

const FEW = 20;
const code = () => memory.get("teacher"); // the key that the Train tab got for the teacher code

export const tune = {
  async show(tab) {
    const key = tab.key, { models = tab.known.models, access = { may: false, code: false } } = await tab.ask("GET", `models?${new URLSearchParams({ code: code() })}`);
    if (tab.key !== key || !tab.tuning.isConnected) return;
    const base = (tab.base = el("select", { id: "mc-base" }));
    const minutes = el("input", { type: "number", id: "mc-minutes", min: 0.1, max: tab.known.most.minutes, step: "any", value: tab.known.minutes, required: true, "data-unit": "minutes" });
    const batch = el("input", { type: "number", id: "mc-batch", min: 4, max: tab.known.most.batch_size, step: 4, "data-unit": "files", placeholder: String(tab.known.batch_size) });
    const everybody = el("input", { type: "checkbox", id: "mc-everybody", "aria-describedby": "mc-everybody-note" });
    const name = el("input", { type: "text", id: "mc-model", maxlength: 60, dir: "auto", autocomplete: "off" });
    const start = (tab.start = el("button", { type: "submit", class: "mt-button mt-primary mt-start" }, tab.say("tune_start")));
    tab.tuneNote = el("p", { class: "mt-note" });
    const alert = el("p", { class: "mm-alert", role: "alert", hidden: true });
    const submit = async (event) => {
      event.preventDefault();
      if (!form.check(event.target)) return;
      const question = { project: tab.key, base: base.value, minutes: Number(minutes.value), name: name.value, everybody: everybody.checked, code: code(), batch_size: batch.value ? Number(batch.value) : null };
      const answer = await during(start, () => tab.ask("POST", "finetune", question));
      alert.textContent = answer.error ?? "";
      alert.hidden = !answer.error;
      tune.update(tab);
      if (answer.error) return;
      tune.watch(answer.name);
      name.value = "";
      tune.suggest(tab, name);
    };
    tab.tuning.replaceChildren(el("h3", {}, tab.say("tune")), el("p", { class: "mt-note" }, tab.say("tune_note")), tab.tuneNote,
      access.may ? el("form", { class: "mt-form", novalidate: true, onsubmit: submit },
        el("div", { class: "mc-three" },
          el("div", { class: "mt-field" }, el("label", { for: "mc-base" }, tab.say("tune_base")), base),
          el("div", { class: "mt-field" }, el("label", { for: "mc-minutes" }, tab.say("tune_minutes")), minutes),
          el("div", { class: "mt-field" }, el("label", { for: "mc-model" }, tab.say("tune_name")), name)),
        el("details", { class: "mt-more-settings" }, el("summary", {}, say("train_form_more")),
          el("div", { class: "mt-field" }, el("label", { for: "mc-batch" }, say("set_batch_size")), batch,
            el("p", { class: "mt-note" }, tab.say("tune_batch_note")))),
        el("div", { class: "mt-field" }, el("label", { class: "mt-check" }, everybody, tab.say("tune_everybody")),
          el("p", { class: "mt-note", id: "mc-everybody-note" }, tab.say("tune_everybody_note"))),
        alert, el("div", { class: "mt-line" }, start))
        : el("div", { class: "mt-line" }, el("p", { class: "mt-quiet" }, say(access.code ? "train_code_needed" : "train_code_closed")),
          access.code && el("button", { type: "button", class: "mt-button", onclick: () => open("train") }, say("train_code"))));
    const known = code();
    clearInterval(tab.accessTimer);
    tab.accessTimer = setInterval(() => { // unlocked meanwhile, in the Train tab
      if (!tab.tuning.isConnected) clearInterval(tab.accessTimer);
      else if (code() !== known) tune.show(tab);
    }, 1000);
    tune.update(tab);
    const first = [...tab.known.models].find((model) => model === "shapes");
    base.replaceChildren(...models.map((model) => el("option", { value: model, selected: model === first }, model)));
    tab.tuneFields = [base, minutes, batch, name, everybody];
    const { tune: { key: kept, values = [] } = {} } = tab.before; // from before the language was switched
    if (kept === tab.key) tab.tuneFields.forEach((field, i) => { field[field.type === "checkbox" ? "checked" : "value"] = values[i]; });
    delete tab.before.tune;
    tune.suggest(tab, name);
  },

  values(tab) {
    return tab.tuneFields?.[0].isConnected ? { key: tab.key, values: tab.tuneFields.map((field) => (field.type === "checkbox" ? field.checked : field.value)) } : tab.before.tune;
  },

  async suggest(tab, field) {
    const answer = await tab.ask("GET", `name?${new URLSearchParams({ stem: tab.project?.name ?? "" })}`);
    const typing = document.activeElement === field; // what is suggested must not come between
    if (answer.name && !field.value && !typing) field.value = answer.name;
  },

  update(tab) {
    if (!tab.start) return;
    const count = tab.project.pictures + tab.project.sounds;
    tab.start.disabled = !count;
    tab.tuneNote.textContent = count === 0 ? tab.say("nothing_to_learn") : count < FEW ? tab.say("tune_few", { count }) : "";
  },

  go(tab) { // from the head of a project down to what starts it
    tab.tuning.scrollIntoView({ block: "start" });
    tab.tuning.querySelector("#mc-base, button")?.focus({ preventScroll: true });
  },

  watch(name) {
    memory.set("run", name);
    open("train");
    trainTabs.at(-1)?.arrive(name); // else the tab is made only now, and opens with it
    window.scrollTo({ top: 0 });
  },

  showImport(tab) {
    const note = el("div", { class: "mc-note-line", "aria-live": "polite" });
    const take = async (file) => {
      if (!file) return;
      note.replaceChildren(el("p", { class: "mt-quiet" }, tab.say("importing", { name: file.name })));
      const query = new URLSearchParams({ name: file.name.replace(/\.zip$/i, ""), code: code() });
      let answer;
      try {
        answer = await (await fetch(tab.url(`models?${query}`), { method: "POST", body: file, headers: { "content-type": "application/zip" } })).json();
      } catch (error) {
        answer = { error: tab.say("lost") };
      }
      note.replaceChildren(...(answer.error ? [el("p", { class: "mm-alert", role: "alert" }, answer.error),
        answer.instead === "data" && el("button", { type: "button", class: "mt-button", "data-action": "add-instead", onclick: () => tune.addInstead(tab, note, file) }, tab.say("data_given_go", { name: file.name }))].filter(Boolean) : [
        el("p", {}, tab.say("imported", { name: answer.name })),
        el("button", { type: "button", class: "mt-button mt-primary", "data-action": "try", onclick: () => { sampleAgain({ model: `runs/${answer.name}` }); window.scrollTo({ top: 0 }); } }, tab.say("try"))]));
      if (tab.project) tune.show(tab);
    };
    tab.importModel = (file) => {
      tab.more.scrollIntoView({ block: "center" });
      take(file);
    };
    const input = el("input", { type: "file", accept: ".zip", class: "mm-sr", tabindex: -1, "aria-hidden": "true", "data-pick": "model", onchange: () => {
      const [file] = input.files;
      input.value = "";
      take(file);
    } });
    Object.assign(tab.more, {
      ondragover: (event) => { event.preventDefault(); tab.more.classList.add("mc-over"); },
      ondragleave: () => tab.more.classList.remove("mc-over"),
      ondrop: (event) => {
        event.preventDefault();
        tab.more.classList.remove("mc-over");
        take(event.dataTransfer.files[0]);
      },
    });
    tab.more.replaceChildren(el("h3", {}, tab.say("import")), el("p", { class: "mt-note" }, tab.say("import_note")),
      el("button", { type: "button", class: "mt-button", "data-action": "import", onclick: () => input.click() }, tab.say("import_choose")), input, note);
  },

  // Pictures and sounds that were dropped as a model: into the project that is open, or into a new one of their name.
  async addInstead(tab, note, file) {
    note.replaceChildren();
    if (!tab.project?.mine) {
      const answer = await tab.ask("POST", "projects", { name: file.name.replace(/\.zip$/i, "").slice(0, 60) });
      if (answer.error) { note.replaceChildren(el("p", { class: "mm-alert", role: "alert" }, answer.error)); return; }
      tab.projects.unshift(answer);
      await tab.open(answer.key);
    }
    if (!tab.project?.mine) return;
    tab.way = "upload";
    add.show(tab);
    tab.adding.scrollIntoView({ block: "start" });
    add.send(tab, [[file.name, file]]);
  },
};
