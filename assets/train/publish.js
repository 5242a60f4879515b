// Uploads the model of the run that is watched to the Hugging Face Hub, with the person's own token.
import { closable, during, el } from "../page/dom.js";
import { sayer } from "../page/language.js";
import { ask } from "../page/server.js";

const say = sayer("collect_"); // its texts are with those of the Collect tab

export function publish(tab) {
  const run = tab.run.name;
  const note = el("div", { class: "mc-note-line", "aria-live": "polite" });
  const repo = el("input", { type: "text", id: "mt-repo", placeholder: "ada/my-bells", autocomplete: "off", spellcheck: "false", maxlength: 120 });
  const token = el("input", { type: "password", id: "mt-token", autocomplete: "off", maxlength: 200 });
  const everybody = el("input", { type: "checkbox", id: "mt-public" });
  const go = el("button", { type: "submit", class: "mt-button mt-primary" }, say("publish_go"));
  const send = async (event) => {
    event.preventDefault();
    note.replaceChildren(el("p", { class: "mt-quiet" }, say("publishing")));
    const question = { model: `runs/${run}`, repo: repo.value.trim(), token: token.value.trim(), public: everybody.checked, code: tab.code };
    const answer = await during(go, () => ask("POST", "collect/publish", question).catch(() => ({ error: say("lost") })));
    if (answer.error) return note.replaceChildren(el("p", { class: "mm-alert", role: "alert" }, answer.error));
    token.value = "";
    note.replaceChildren(el("p", {}, say("published"), " ", el("a", { href: answer.address, target: "_blank", rel: "noopener noreferrer" }, answer.address)));
  };
  const field = (input, key) => el("div", { class: "mt-field" }, el("label", { for: input.id }, say(key)), input);
  const dialog = el("dialog", { class: "mc-dialog mc-publish", "aria-label": say("publish_title") },
  el("div", {}, el("h3", {}, say("publish_title")), el("p", { class: "mt-note" }, say("publish_note")),
    el("form", { class: "mt-form", novalidate: true, onsubmit: send }, field(repo, "publish_repo"), field(token, "publish_token"),
      el("label", { class: "mt-check" }, everybody, say("publish_public")), note,
      el("div", { class: "mt-line" }, go, el("button", { type: "button", class: "mt-button", onclick: () => dialog.close() }, say("close"))))));
  tab.root.append(closable(dialog));
  dialog.showModal();
}
