// The head of the run that is watched: its state, what can be done with it, and how it ended.
import { el, keyed, lost, write } from "../page/dom.js";
import { sampleAgain } from "../sample/again.js";
import { charts } from "./charts.js";
import { film } from "./film.js";
import { finetune, say as ofFinetuning } from "./finetune.js";
import { form } from "./form.js";
import { publish } from "./publish.js";

const STAGES = ["process", "libraries", "data", "model", "samples", "steps"];
const NEXT = { pause: "resume", stop: "resume", resume: "pause" }; // where the focus goes once the one is done

// Methods of the tab (tab.js).
export const head = {
  showRun() {
    const { run } = this, named = this.arriving || document.activeElement === this.title;
    this.title = el("h2", { dir: "auto", tabindex: -1 }, this.named(run));
    this.noteFocus();
    this.facts = el("dl", { class: "mt-facts" });
    this.bar = el("div", { class: "mt-progress", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
    this.buttons = el("div", { class: "mt-actions" });
    this.message = el("div", { class: "mt-message", "aria-live": "polite" });
    this.stage = el("div", { class: "mt-stage" });
    this.film = el("section", { class: "mt-panel mt-growing", "aria-label": this.say("samples") });
    this.charts = el("div", { class: "mt-charts" });
    this.strip = el("section", { class: "mt-panel mt-growing", "aria-label": this.say("film") });
    this.more = el("details", { class: "mt-panel mt-details", ontoggle: (event) => { if (event.target.open) this.showSettings(); } },
      el("summary", {}, this.say("settings_of")), el("div"));
    this.main.replaceChildren(
      el("section", { class: "mt-panel mt-head" },
        el("header", {}, this.title,
          el("span", { class: `mt-state mt-${run.state}` }, this.say(`state_${run.state}`))),
        run.private && el("p", { class: "mt-quiet" }, this.say(run.hidden ? "private_hidden" : "private_note")),
        this.bar, this.facts, this.buttons, this.message, this.stage),
      ...(run.hidden ? [] : [finetune.show(this), this.film, this.charts, this.strip, this.more].filter(Boolean)));
    if (!run.hidden) {
      charts.show(this);
      film.show(this);
    }
    if (named && lost()) this.title.focus({ preventScroll: true });
    this.arriving = false;
  },

  update() { // what changes from second to second
    if (this.view !== "watch" || !this.run || !this.buttons?.isConnected) return;
    this.updateFacts();
    this.updateButtons();
    this.updateMessage();
    this.updateStage();
    if (this.run.hidden) return;
    if (this.run.finetune && !this.tuned) { this.showRun(); film.update(this); return this.update(); } // it says so only now
    finetune.update(this);
    charts.update(this);
  },

  updateFacts() {
    const { run } = this;
    const fact = (key, value) => value && el("div", {}, el("dt", {}, this.say(key)), el("dd", {}, value));
    const steps = this.number(run.step) + (run.minutes || !run.steps ? "" : ` ${this.say("of_steps", { steps: this.number(run.steps) })}`);
    const speed = this.curves.pairs_per_second?.y.at(-1);
    this.facts.replaceChildren(...[
      fact("step", steps), fact("time", this.span(run.seconds)),
      fact("left", run.alive && run.seconds_left !== null && run.step > 0 ? this.span(run.seconds_left) : ""),
      fact("speed", run.state === "running" && speed ? this.number(speed, speed < 10 ? 1 : 0) : ""),
      fact("data", [run.finetune?.data ?? this.dataName(run.data), run.preset, run.loss].filter(Boolean).join(" · ")),
    ].filter(Boolean));
    const percent = Math.round(100 * run.share);
    this.bar.setAttribute("aria-valuenow", percent);
    this.bar.firstChild.style.width = `${percent}%`;
  },

  // What rests meanwhile is not disabled, which would take the focus of whoever pressed it by keyboard.
  updateButtons() {
    const { run } = this, may = this.access.may, done = run.checkpoint !== null;
    const resting = !["starting", "running"].includes(run.state), waiting = run.waiting ?? [];
    const again = may && resting && !run.finetune && run.data;
    const button = (name, text, does, kind = "", rests = false) => ({ name, text, does, kind, rests });
    const action = (name, key, kind) => button(name, this.say(key), () => this.act(name), kind, this.busy !== "" || waiting.includes(name) || waiting.includes("stop"));
    const offered = this.sure ? [{ name: "ask" }] : [
      may && run.state === "running" && !run.hidden && action("pause", "pause"),
      may && run.resumable && action("resume", "resume", "mt-primary"),
      may && run.alive && action("stop", "stop", "mt-strong"),
      may && run.state === "running" && !run.hidden && action("save", "save"),
      may && run.state === "running" && !run.hidden && action("sample", "sample_now"),
      done && button("use", this.say("use"), () => this.use()),
      done && button("download", ofFinetuning("download_model"), (event) => finetune.download(this, event)),
      may && done && button("publish", ofFinetuning("publish"), () => publish(this)),
      again && button("again", this.say("again"), () => form.again(this)),
      again && done && button("go-on", this.say("go_on"), () => form.again(this, `runs/${run.name}`)),
      may && !run.alive && button("delete", this.say("delete"), () => { this.sure = true; this.update(); this.buttons.querySelector("[data-action=keep]").focus(); }, "mt-danger"),
    ].filter(Boolean);
    this.noteFocus();
    keyed(this.buttons, offered, "name", ({ name, text, does, kind, rests }, old) => {
      if (name === "ask") return old ?? this.askSure();
      const one = old ?? el("button", { type: "button", class: `mt-button ${kind}`, "data-action": name,
        onclick: (event) => { if (one.ariaDisabled !== "true") does(event); } });
      if (one.ariaDisabled !== String(rests)) one.ariaDisabled = String(rests);
      write(one, text);
      return one;
    });
    this.giveFocus();
  },

  noteFocus() { // which button has it, and where that stands
    if (!this.buttons?.contains(document.activeElement)) return;
    this.focused = { name: document.activeElement.dataset.action, place: [...this.buttons.children].indexOf(document.activeElement) };
  },

  giveFocus() { // to the same button, or to what stands in its place
    const { name, place } = this.focused ?? {};
    this.focused = null;
    if (!name || !lost()) return;
    const find = (wanted) => this.buttons.querySelector(`[data-action="${wanted}"]`);
    (find(name) ?? find(NEXT[name]) ?? this.buttons.children[Math.min(place, this.buttons.children.length - 1)])?.focus({ preventScroll: true });
  },

  askSure() {
    const name = this.run.name;
    const remove = async () => {
      const answer = await this.act("delete");
      this.sure = false;
      if (answer.error) return this.update();
      this.runs = this.runs.filter((run) => run.name !== name);
      this.watch("", true);
      this.choose();
    };
    return el("div", { class: "mt-sure", role: "alertdialog", "aria-label": this.say("delete") },
      el("p", {}, this.say("delete_sure", { name: this.named(this.run) })),
      el("button", { type: "button", class: "mt-button mt-danger", "data-action": "sure", onclick: remove }, this.say("delete_yes")),
      el("button", { type: "button", class: "mt-button", "data-action": "keep", onclick: () => { this.sure = false; this.update(); this.buttons.querySelector("[data-action=delete]")?.focus(); } }, this.say("delete_no")));
  },

  updateMessage() {
    const { run } = this;
    const step = this.number(run.checkpoint ?? run.step), nothing = run.state === "stopped" && run.checkpoint === null;
    const end = {
      finished: () => this.say("end_finished", { step }),
      stopped: () => this.say(nothing ? "end_stopped_early" : "end_stopped", { step }),
      paused: () => this.say("end_paused", { step }),
      failed: () => this.say("end_failed", { reason: run.reason }),
      damaged: () => run.reason,
      out_of_memory: () => this.say(run.batch_size ? "end_out_of_memory" : "end_out_of_memory_least", { batch_size: run.batch_size }),
    }[run.hidden ? "" : run.state];
    const bad = ["failed", "out_of_memory", "damaged"].includes(run.state);
    const waiting = (run.waiting ?? [])[0] ?? (["stop", "pause", "save", "sample"].includes(this.busy) ? this.busy : "");
    const lines = [
      this.note && el("p", { class: "mm-alert", role: "alert" }, this.note),
      end && el("p", { class: bad ? "mm-alert" : "mt-ending", role: bad ? "alert" : null }, end(),
        bad && run.checkpoint !== null ? ` ${this.say("kept", { step })}` : ""),
      bad && this.log && el("details", { class: "mt-log" }, el("summary", {}, this.say("log")), el("pre", {}, this.log)),
      !end && waiting && el("p", { class: "mt-ending" }, this.say(`waiting_${waiting}`)),
      !end && !waiting && this.done && el("p", { class: "mt-ending" }, this.done),
    ].filter(Boolean);
    const state = lines.map((line) => line.textContent).join("|");
    if (this.message.dataset.state === state) return;
    this.message.dataset.state = state;
    this.message.replaceChildren(...lines);
  },

  updateStage() { // what happens before the first step, so that nobody looks at a blank page
    const { run } = this;
    const first = run.state === "running" && run.step === 0;
    if (run.state !== "starting" && !first) { this.stage.replaceChildren(); return; }
    const here = first ? STAGES.length - 1 : Math.max(0, STAGES.indexOf(run.stage));
    if (this.stage.dataset.here === String(here) && this.stage.firstChild) return;
    this.stage.dataset.here = here;
    this.stage.replaceChildren(el("p", { class: "mt-quiet", role: "status" }, this.say("preparing")),
      el("ol", {}, ...STAGES.map((stage, i) => el("li", { class: i < here ? "mt-past" : i === here ? "mt-now" : "",
        "aria-current": i === here ? "step" : null }, this.say(`stage_${stage}`)))));
  },

  settingName(key) { // as the form calls it
    const name = this.say(`set_${key}`);
    return name === `set_${key}` ? key : name;
  },

  use() { // page.js brings up the Sample tab with the run's model and a prompt that it understands
    sampleAgain({ model: `runs/${this.run.name}` });
    window.scrollTo({ top: 0 });
  },

  async showSettings() {
    const place = this.more.lastChild;
    const answer = await this.server.look({ what: "settings", run: this.watched }).catch(() => ({}));
    const rows = Object.entries(answer.settings ?? {}).filter(([, value]) => value !== "");
    place.replaceChildren(el("table", { class: "mt-table" }, el("tbody", {},
      ...rows.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, this.settingName(name)), el("td", {}, String(value)))))));
  },
};
