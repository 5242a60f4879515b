// The Train tab: asks the server what is new, and shows it. The head of a run, charts, film strip, form and comparison
// have files of their own; this one holds the list and the conversation.
import { define, el, keyed, write } from "../page/dom.js";
import { locale, sayer } from "../page/language.js";
import { keep, memory, take } from "../page/reload.js";
import { ask } from "../page/server.js";
import { Curve } from "./charts.js";
import { film } from "./film.js";
import { compare, form } from "./form.js";
import { head } from "./run.js";

const EVERY = 1000, HIDDEN = 5000; // milliseconds between two questions, and while nobody looks
export const tabs = []; // one, unless gradio makes its component anew

class Tab {
  constructor(root) {
    this.root = root;
    this.known = JSON.parse(root.dataset.known);
    this.say = sayer("train_");
    const asking = (name) => (question) => ask("POST", `train/${name}`, question);
    this.server = { poll: asking("poll"), act: asking("act"), look: asking("look") };
    this.runs = null; // the list as last heard; null until then
    this.version = "";
    this.watched = memory.get("run");
    this.code = memory.get("teacher");
    this.access = { may: false, code: false };
    this.view = "watch"; // or "form", "compare"
    this.busy = ""; // the action that is on its way
    const { chosen, view, ticked = [] } = take("train") ?? {};
    Object.assign(this, { chosenForm: chosen, wanted: view, ticked: new Set(ticked) });
    keep("train", () => ({ chosen: this.chosenForm, view: this.view, ticked: [...this.ticked] }));
    this.forget();
  }

  named(run) { return run.hidden ? this.say("private_run") : run.name; }

  number(value, digits = 0) {
    return value.toLocaleString(locale, { maximumFractionDigits: digits });
  }

  span(seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 100) return this.say("seconds", { count: s });
    if (s < 5940) return this.say("minutes", { count: Math.round(s / 60) });
    const minutes = Math.round(s / 60);
    return this.say("hours", { count: Math.floor(minutes / 60), minutes: minutes % 60 });
  }

  ago(time) {
    const minutes = (Date.now() / 1000 - time) / 60;
    if (minutes < 1) return this.say("ago_now");
    if (minutes < 60) return this.say("ago_minutes", { count: Math.floor(minutes) });
    return minutes < 1440 ? this.say("ago_hours", { count: Math.floor(minutes / 60) })
      : this.say("ago_days", { count: Math.floor(minutes / 1440) });
  }

  forget() { // what is known of the watched run
    this.run = null;
    this.visits = [];
    this.log = "";
    this.cursor = 0;
    this.epoch = "";
    this.curves = {};
    film.forget(this);
  }

  begin() {
    this.lost = el("p", { class: "mm-alert mt-lost", role: "status", hidden: true }, this.say("lost"));
    this.list = el("div", { class: "mt-runs-list" });
    this.gate = el("div", { class: "mt-gate" });
    this.side = el("aside", { class: "mt-side" }, this.list, this.gate);
    this.main = el("section", { class: "mt-main" });
    this.root.replaceChildren(this.lost, el("div", { class: "mt-columns" }, this.side, this.main));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.ask(); });
    this.ask();
  }

  looking() { return !document.hidden && this.root.offsetParent !== null; }

  // The conversation: one question at a time, the next one a while after the answer.
  async ask() {
    if (this.asking) { this.again = true; return; }
    if (!this.root.isConnected) return;
    clearTimeout(this.timer);
    this.asking = true;
    let wait = this.looking() ? EVERY : HIDDEN;
    try {
      const question = { version: this.version, run: this.watched, code: this.code, cursor: this.cursor, epoch: this.epoch };
      this.hear(await this.server.poll(question), question);
      this.lost.hidden = true;
    } catch (error) {
      this.lost.hidden = false;
      this.version = "";
      wait = 2000;
    }
    this.asking = false;
    if (this.again) { this.again = false; wait = 0; }
    this.timer = setTimeout(() => this.ask(), wait);
  }

  hear(answer, question) {
    if (!answer || typeof answer !== "object") throw new Error("no answer");
    const access = JSON.stringify(this.access) !== JSON.stringify(answer.access);
    this.access = answer.access;
    this.version = answer.version;
    const first = this.runs === null;
    if (answer.runs) this.runs = answer.runs;
    if (answer.runs || access) this.showList();
    if (access || !this.gate.dataset.shown) this.showGate(); // and not at every news, for somebody may be typing the code
    if (first) this.choose();
    if (first && (this.wanted === "compare" || (this.wanted === "form" && this.access.may))) this.open(this.wanted);
    if (this.view !== "watch") { if (access) this.show(); return; }
    // An answer about the run watched before, or about what came after curves that are forgotten now.
    if (question.run !== this.watched || question.cursor !== this.cursor || question.epoch !== this.epoch) return;
    if (!answer.run) {
      if (this.watched) { this.watch("", true); this.choose(); } else if (answer.runs?.some((run) => !run.hidden)) this.choose();
      else if (first || access || answer.runs) this.show();
      return;
    }
    const before = this.run;
    this.run = answer.run;
    this.log = answer.log || "";
    this.take(answer.metrics);
    const grown = String(this.visits) !== String(answer.visits || []);
    this.visits = answer.visits || [];
    const same = before && before.state === answer.run.state && before.name === answer.run.name && !access;
    if (!same) this.show();
    else this.update();
    if (grown || !same) film.update(this);
  }

  take(metrics) {
    if (!metrics) return;
    if (metrics.reset) this.curves = {};
    for (const [name, points] of Object.entries(metrics.curves)) (this.curves[name] ??= new Curve()).take(points);
    this.cursor = metrics.cursor;
    this.epoch = metrics.epoch;
  }

  async act(action, more = {}) {
    this.busy = action;
    this.note = "";
    this.update();
    let answer;
    try {
      answer = await this.server.act({ action, run: this.watched, code: this.code, ...more });
    } catch (error) {
      answer = { error: this.say("lost") };
    }
    this.busy = "";
    if (answer.locked && this.code && action !== "unlock") this.unlockWith(""); // the server was started anew
    if (answer.error) this.note = answer.error;
    else if (action === "save" || action === "sample") {
      this.done = this.say(`done_${action}`, { step: this.number(answer.run.answered?.[action]?.step ?? answer.run.step) });
      setTimeout(() => { this.done = ""; this.update(); }, 6000);
    }
    if (answer.run && answer.run.name === this.watched) this.hearRun(answer.run);
    this.update();
    this.ask();
    return answer;
  }

  hearRun(run) {
    const changed = !this.run || this.run.state !== run.state;
    this.run = run;
    if (changed) { this.show(); film.update(this); }
  }

  // What is looked at
  choose() { // the run to begin with: the one watched before the reload, else one that trains, else the newest
    const seen = this.runs.filter((run) => !run.hidden); // of another's private run there is nothing to watch
    if (this.runs.some((run) => run.name === this.watched)) return this.show();
    const living = seen.find((run) => run.alive) ?? seen[0];
    this.watch(living ? living.name : "", true);
    if (!living) { this.view = this.access.may ? "form" : "watch"; this.show(); }
  }

  watch(name, quiet = false) {
    this.watched = name;
    memory.set("run", name);
    this.view = "watch";
    this.note = this.done = "";
    this.sure = this.arriving = false;
    this.forget();
    this.showList();
    if (!quiet) this.show();
    this.version = "";
    this.ask();
  }

  arrive(name) { // at a run that was just started: the button that did it is gone, so its name takes the focus
    this.watch(name);
    this.arriving = true;
  }

  open(view) {
    this.view = view;
    this.showList();
    this.show();
  }

  show() {
    if (this.view === "form") return form.show(this);
    if (this.view === "compare") return compare.show(this);
    if (!this.run) {
      const empty = this.runs?.length ? "select" : this.access.may ? "empty" : "empty_guest";
      const text = this.watched || this.runs === null ? "…" : this.say(empty);
      this.main.replaceChildren(el("p", { class: "mm-empty" }, text));
      return;
    }
    this.showRun();
    this.update();
  }

  showList() { // each second while something trains, so what is there stays and only its texts change
    const rows = this.runs ?? [];
    if (!this.list.firstChild) {
      this.newButton = el("button", { type: "button", class: "mt-button mt-primary mt-new", onclick: () => this.open("form") }, this.say("new"));
      this.entries = el("ul");
      this.none = el("p", { class: "mt-quiet" });
      this.compareButton = el("button", { type: "button", class: "mt-button", onclick: () => this.open("compare") }, this.say("compare"));
      this.compareHint = el("p", { class: "mt-quiet" }, this.say("compare_hint"));
      this.list.append(el("header", {}, el("h2", {}, this.say("runs"))), this.entries, this.none, el("footer", {}, this.compareButton, this.compareHint));
    }
    if (this.access.may !== this.newButton.isConnected) this.access.may ? this.list.firstChild.append(this.newButton) : this.newButton.remove();
    this.ticked = new Set([...this.ticked].filter((name) => rows.some((run) => run.name === name)));
    keyed(this.entries, rows, "name", (run, old) => this.fillItem(old ?? this.item(run.name), run));
    this.entries.hidden = !rows.length;
    this.none.hidden = rows.length > 0;
    write(this.none, this.runs === null ? "…" : this.say("none"));
    this.list.lastChild.hidden = rows.length < 2;
    this.compareButton.hidden = this.ticked.size < 2;
    this.compareHint.hidden = this.ticked.size > 1;
  }

  item(name) {
    const tick = el("input", { type: "checkbox", "aria-label": this.say("tick", { name }), onchange: () => {
      this.ticked[tick.checked ? "add" : "delete"](name);
      this.showList();
      if (this.view === "compare") this.show();
    } });
    return el("li", {}, tick, el("button", { type: "button", class: "mt-run", onclick: () => this.watch(name) },
      el("b", { dir: "auto" }), el("span"), el("small")));
  }

  fillItem(item, run) {
    const [tick, button] = item.children, [name, state, facts] = button.children;
    const here = run.name === this.watched && this.view === "watch";
    item.classList.toggle("mt-here", here);
    tick.hidden = this.runs.length < 2 || Boolean(run.hidden);
    tick.checked = this.ticked.has(run.name);
    if (here) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    write(name, this.named(run));
    state.className = `mt-state mt-${run.state}`;
    write(state, this.say(`state_${run.state}`));
    write(facts, [this.dataName(run.data), this.number(run.step), this.ago(run.started)].filter(Boolean).join(" · "));
    return item;
  }

  dataName(data) {
    return data.split(/[\\/]/).filter(Boolean).pop() ?? "";
  }

  showGate() { // the teacher code, where one is needed
    this.gate.dataset.shown = "1";
    if (this.access.may) return this.gate.replaceChildren();
    if (!this.access.code) return this.gate.replaceChildren(el("p", { class: "mt-quiet" }, this.say("code_closed")));
    const field = el("input", { type: "password", id: "mt-code", autocomplete: "off" });
    const alert = el("p", { class: "mm-alert", role: "alert", hidden: true });
    const unlock = async (event) => {
      event.preventDefault();
      const answer = await this.server.act({ action: "unlock", code: field.value }).catch(() => ({ error: this.say("lost") }));
      alert.textContent = answer.error ?? "";
      alert.hidden = !answer.error;
      if (answer.key) this.unlockWith(answer.key);
    };
    this.gate.replaceChildren(el("form", { onsubmit: unlock },
      el("label", { for: "mt-code" }, this.say("code")),
      el("div", { class: "mt-line" }, field, el("button", { type: "submit", class: "mt-button" }, this.say("code_unlock"))),
      alert, el("p", { class: "mt-quiet" }, this.say("code_note"))));
  }

  unlockWith(key) {
    this.code = key;
    memory.set("teacher", key);
    this.version = "";
    this.ask();
  }
}

Object.assign(Tab.prototype, head);
define("mm-train", (root) => {
  const tab = new Tab(root);
  tabs.push(tab);
  tab.begin();
});
