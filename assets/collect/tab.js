// The Collect tab: a person's projects. Adding, recording, the table and fine-tuning have files of their own; this one
// holds the list, the head of a project, and the conversation with the server.
import { define, during, el, keyed, lost, released, write } from "../page/dom.js";
import { locale, sayer } from "../page/language.js";
import { keep, memory, take } from "../page/reload.js";
import { address, ask, download } from "../page/server.js";
import { add, dropped } from "./add.js";
import { record } from "./record.js";
import { table } from "./table.js";
import { tune } from "./tune.js";

const FACTS = ["pictures", "sounds", "pairs", "captions", "left_out"];
export const tabs = []; // one, unless gradio makes its component anew

class Tab {
  constructor(root) {
    this.root = root;
    this.known = JSON.parse(root.dataset.known);
    this.say = sayer("collect_");
    this.projects = null; // null until first heard of
    this.key = memory.get("project");
    this.project = null; // the one that is open
    this.unsaved = new Map(); // recordings of projects that are not open
    Object.assign(this, { uploads: {}, said: {} }); // by project: what is sent, and what became of it
    this.limits = { sentence: "", max: Infinity };
    this.before = take("collect") ?? {};
    this.unsentOf = this.before.unsent ?? {}; // captions by project that are not saved yet
    keep("collect", () => ({ ...this.before, unsent: this.unsentOf, begun: this.main.querySelector("#mc-name")?.value, tune: tune.values(this) }));
  }

  number(value) { return value.toLocaleString(locale); }

  url(path) { return address(`collect/${path}`); }

  // Asks the server; what went wrong is a sentence in the answer's ``error``.
  ask(method, path, question) {
    return ask(method, `collect/${path}`, question).catch(() => ({ error: this.say("lost"), lost: true }));
  }

  async begin() {
    this.list = el("div", { class: "mt-runs-list" });
    this.more = el("div", { class: "mc-import" });
    this.damaged = el("div", { class: "mc-damaged" });
    this.main = el("section", { class: "mt-main" });
    this.root.replaceChildren(el("div", { class: "mt-columns" }, el("aside", { class: "mt-side" }, this.list, this.damaged, this.more), this.main));
    const seen = new IntersectionObserver((entries) => { // asked only once somebody looks
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      this.load();
    });
    seen.observe(this.root);
  }

  async load() {
    const answer = await this.ask("GET", `projects?${new URLSearchParams({ code: memory.get("teacher") })}`);
    if (answer.error) {
      this.main.replaceChildren(el("p", { class: "mm-alert", role: "alert" }, answer.error));
      setTimeout(() => this.load(), 3000);
      return;
    }
    this.projects = answer.projects;
    this.limits = { sentence: answer.limits, max: answer.max_upload };
    tune.showImport(this);
    this.damaged.replaceChildren(...(answer.damaged ?? []).map((one) => this.damagedItem(one)));
    const wanted = this.projects.find((project) => project.key === this.key) ?? this.projects[0];
    if (wanted && this.before.begun === undefined) this.open(wanted.key);
    else this.welcome();
  }

  showList() {
    const rows = this.projects ?? [];
    if (!this.list.firstChild) {
      this.newButton = el("button", { type: "button", class: "mt-button mt-primary mc-new", onclick: () => this.welcome() }, this.say("new"));
      this.entries = el("ul");
      this.list.append(el("header", {}, el("h2", {}, this.say("projects"))), this.entries, el("p", { class: "mt-quiet" }, this.say("none")));
    }
    if (rows.length) this.list.firstChild.append(...(this.newButton.isConnected ? [] : [this.newButton]));
    else this.newButton.remove();
    keyed(this.entries, rows, "key", (project, old) => this.fillItem(old ?? this.item(project.key), project));
    this.entries.hidden = !rows.length;
    this.list.lastChild.hidden = rows.length > 0;
  }

  item(key) {
    return el("li", {}, el("button", { type: "button", class: "mt-run", onclick: () => this.open(key) },
      el("b", { dir: "auto" }), el("span", { class: "mt-badge" }), el("small")));
  }

  fillItem(item, project) {
    const button = item.firstChild, [name, badge, files] = button.children, here = project.key === this.key;
    item.classList.toggle("mt-here", here);
    if (here) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    write(name, project.name);
    badge.hidden = !project.shared;
    write(badge, this.say(project.mine ? "shared" : "of_others"));
    write(files, this.say("files", { count: this.number(project.pictures + project.sounds) }));
    return item;
  }

  damagedItem({ key, reason }) { // shown to who may delete it: whose it is cannot be read
    const note = el("p", { class: "mm-alert" }, this.say("damaged_note", { key, reason }));
    const remove = el("button", { type: "button", class: "mt-button mt-danger", "data-action": "damaged", onclick: async () => {
      if (!remove.dataset.sure) { // the first press asks
        remove.dataset.sure = "1";
        remove.textContent = this.say("delete_yes");
        return;
      }
      const answer = await this.ask("DELETE", `damaged/${key}?${new URLSearchParams({ code: memory.get("teacher") })}`);
      if (answer.error) note.textContent = answer.error;
      else box.remove();
    } }, this.say("delete"));
    const box = el("section", { "aria-label": this.say("damaged") }, note, remove);
    return box;
  }

  welcome() { // what this tab is for, and a first project
    this.putAside();
    this.key = "";
    this.project = null;
    record.end(this);
    this.showList();
    const alert = el("p", { class: "mm-alert", role: "alert", hidden: true });
    const name = el("input", { type: "text", id: "mc-name", maxlength: 60, autocomplete: "off", dir: "auto", placeholder: this.say("name_hint") });
    const button = el("button", { type: "submit", class: "mt-button mt-primary" }, this.say("create"));
    const create = async (event) => {
      event.preventDefault();
      const answer = await during(button, () => this.ask("POST", "projects", { name: name.value }));
      alert.textContent = answer.error ?? "";
      alert.hidden = !answer.error;
      if (answer.error) { name.focus(); return false; }
      this.projects.unshift(answer);
      await this.open(answer.key);
      if (lost() && this.key === answer.key) this.adding?.querySelector("button.mt-primary")?.focus(); // what comes next
      return this.key === answer.key;
    };
    const step = (n) => el("li", {}, el("b", { "aria-hidden": "true" }, String(n)), el("span", {}, this.say(`step_${n}`)));
    const drop = async (event) => { // files before a project: it is begun for them
      event.preventDefault();
      welcome.classList.remove("mc-over");
      const files = await dropped(event.dataTransfer);
      if (!files.length) return;
      name.value ||= files[0][0].split("/")[0].replace(/\.[^.]*$/, "").slice(0, 60);
      if (await create(event)) add.send(this, files);
    };
    const welcome = el("section", { class: "mt-panel mc-welcome", ondrop: drop,
      ondragover: (event) => { event.preventDefault(); welcome.classList.add("mc-over"); }, ondragleave: () => welcome.classList.remove("mc-over") },
      el("h2", {}, this.say("welcome")), el("ol", {}, step(1), step(2), step(3)),
      el("form", { onsubmit: create, novalidate: true },
        el("div", { class: "mt-field" }, el("label", { for: "mc-name" }, this.say("name")),
          el("div", { class: "mt-line" }, name, button)), alert),
      el("p", { class: "mt-quiet" }, this.say("welcome_drop")),
      el("p", { class: "mt-quiet" }, this.say("private")));
    name.value = this.before.begun ?? "";
    delete this.before.begun;
    this.main.replaceChildren(welcome);
    if (this.projects?.length) name.focus();
  }

  putAside() { // recordings that were not added yet stay with their project
    if (this.project && this.recordings?.files.length) this.unsaved.set(this.project.key, this.recordings);
    this.recordings = null;
  }

  async open(key) {
    if (key === this.key && this.project && this.main.contains(this.table)) return; // with what is being done in it
    this.putAside();
    this.key = key;
    memory.set("project", key);
    record.end(this);
    table.forget(this);
    add.recall(this, key);
    this.recordings = this.unsaved.get(key) ?? null;
    this.unsaved.delete(key);
    this.showList();
    const answer = await table.fetch(this);
    if (this.key !== key) return;
    if (answer.error) {
      if (!answer.lost) this.projects = this.projects.filter((project) => project.key !== key);
      this.welcome();
      this.main.prepend(el("p", { class: "mm-alert", role: "alert" }, answer.error));
      return;
    }
    this.project = answer.project;
    this.head = el("section", { class: "mt-panel mc-head" });
    this.adding = el("section", { class: "mt-panel mc-add" });
    this.table = el("section", { class: "mt-panel mc-files" });
    this.tuning = el("section", { class: "mt-panel mc-tune" });
    this.main.replaceChildren(...[this.head, this.project.mine && this.adding, this.table, this.tuning].filter(Boolean));
    this.beginHead();
    if (this.project.mine) add.show(this);
    table.show(this, answer);
    tune.show(this);
  }

  async refresh() { // the table as it is now, and what is counted of it
    const key = this.key, turn = (this.turn = (this.turn ?? 0) + 1), answer = await table.fetch(this);
    if (this.table) await released(this.table); // whoever presses something there presses it to the end
    if (this.key !== key || turn < this.seen) return answer; // a later one is shown already
    this.seen = turn;
    if (answer.error) return this.tell(answer.error);
    this.hear(answer.project);
    table.fill(this, answer);
    tune.update(this);
    return answer;
  }

  hear(project) {
    const before = this.project;
    this.project = project;
    this.projects = this.projects.map((other) => (other.key === project.key ? project : other));
    if (JSON.stringify(before) === JSON.stringify(project)) return;
    this.showList();
    this.showHead();
  }

  tell(sentence) { // where the person looks: the table's own line
    table.say(this, sentence);
  }

  beginHead() {
    const { project } = this;
    this.headNote = el("p", { class: "mt-message", "aria-live": "polite" });
    this.title = el("header");
    this.facts = el("dl", { class: "mt-facts" }, ...FACTS.map((key) => el("div", {}, el("dt", {}, this.say(key)), el("dd", { "data-fact": key }))));
    this.actions = el("div", { class: "mt-actions" });
    this.head.replaceChildren(...[this.title, this.facts, this.actions, this.headNote,
      !project.mine && el("p", { class: "mt-quiet" }, this.say("shared_note"))].filter(Boolean));
    this.showHead();
  }

  showHead() { // an open form for another name stays, and so does each button that is still offered
    const { project } = this;
    if (!this.title.querySelector("form")) this.showTitle();
    for (const fact of this.facts.querySelectorAll("dd")) write(fact, this.number(project[fact.dataset.fact]));
    const offered = this.sure ? "sure" : [project.pictures + project.sounds > 0, project.mine, project.shared].join();
    if (this.actions.dataset.offered === offered) return;
    this.actions.dataset.offered = offered;
    const button = (name, onclick, kind = "") => el("button", { type: "button", class: `mt-button ${kind}`, "data-action": name, onclick }, this.say(name));
    const buttons = this.sure ? [this.askSure()] : [
      project.pictures + project.sounds > 0 && button("to_tune", () => tune.go(this), "mt-primary"),
      el("a", { class: "mt-button", "data-action": "export", href: this.url(`projects/${project.key}/export`), onclick: (event) => this.export(event) }, this.say("export")),
      project.mine && button("rename", () => this.rename()),
      project.mine && button(project.shared ? "unshare" : "share", () => this.share(!project.shared)),
      project.mine && button("delete", () => { this.sure = true; this.showHead(); this.actions.querySelector("[data-action=keep]").focus(); }, "mt-danger"),
    ];
    const focus = this.actions.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    this.actions.replaceChildren(...buttons.filter(Boolean));
    const now = { share: "unshare", unshare: "share" }[focus] ?? focus;
    if (focus) (this.actions.querySelector(`[data-action="${focus}"]`) ?? this.actions.querySelector(`[data-action="${now}"]`))?.focus();
  }

  showTitle() {
    const { project } = this;
    const state = `${project.name}\n${project.shared}`;
    if (this.title.dataset.state === state && this.title.querySelector("h2")) return;
    this.title.dataset.state = state;
    this.title.replaceChildren(...[el("h2", { dir: "auto" }, project.name), project.shared && el("span", { class: "mt-badge" }, this.say("shared"))].filter(Boolean));
  }

  async export(event) {
    event.preventDefault();
    const link = event.currentTarget;
    link.setAttribute("aria-busy", "true");
    const error = await download(link.href, this.say("lost"));
    link.removeAttribute("aria-busy");
    this.headNote.replaceChildren(...(error ? [el("span", { class: "mm-alert", role: "alert" }, error)] : []));
  }

  rename() {
    const name = el("input", { type: "text", value: this.project.name, maxlength: 60, "aria-label": this.say("name"), dir: "auto" });
    const save = async (event) => {
      event.preventDefault();
      const answer = await this.ask("PATCH", `projects/${this.key}`, { name: name.value });
      if (answer.error) return this.headNote.replaceChildren(el("span", { class: "mm-alert", role: "alert" }, answer.error));
      this.headNote.replaceChildren();
      over();
      this.hear(answer);
    };
    const over = () => { this.showTitle(); this.actions.querySelector("[data-action=rename]")?.focus(); };
    this.title.replaceChildren(el("form", { class: "mt-line mc-rename", onsubmit: save }, name,
      el("button", { type: "submit", class: "mt-button mt-primary" }, this.say("save")),
      el("button", { type: "button", class: "mt-button", onclick: over }, this.say("cancel"))));
    name.select();
  }

  async share(shared) {
    const answer = await this.ask("PATCH", `projects/${this.key}`, { shared });
    if (!answer.error) this.hear(answer);
    this.headNote.textContent = answer.error ?? (shared ? this.say("share_note") : "");
  }

  askSure() {
    const { project } = this;
    const remove = async () => {
      add.drop(this, project.key);
      const answer = await this.ask("DELETE", `projects/${project.key}`);
      this.sure = false;
      if (answer.error) { this.showHead(); this.headNote.textContent = answer.error; return; }
      this.projects = this.projects.filter((other) => other.key !== project.key);
      delete this.unsentOf[project.key];
      if (this.projects.length) await this.open(this.projects[0].key);
      else this.welcome();
      if (lost()) (this.entries.querySelector("[aria-current]") ?? this.main.querySelector("input"))?.focus();
    };
    const count = this.number(this.items ?? project.pictures + project.sounds);
    return el("div", { class: "mt-sure", role: "alertdialog", "aria-label": this.say("delete") },
      el("p", {}, this.say("delete_sure", { name: project.name, count })),
      el("button", { type: "button", class: "mt-button mt-danger", "data-action": "sure", onclick: remove }, this.say("delete_yes")),
      el("button", { type: "button", class: "mt-button", "data-action": "keep", onclick: () => { this.sure = false; this.showHead(); this.actions.querySelector("[data-action=delete]").focus(); } }, this.say("delete_no")));
  }
}

define("mm-collect", (root) => {
  const tab = new Tab(root);
  tabs.push(tab);
  tab.begin();
});
