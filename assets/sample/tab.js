// The Sample tab: its questions to the server, and what outlasts a reload. gradio's events call what is exported here
// with the values of its fields, and write into its components what is returned; what is undefined stays as it is.
import { el, fill } from "../page/dom.js";
import { say } from "../page/language.js";
import { keep, take } from "../page/reload.js";
import { ask } from "../page/server.js";
import "./explore.js";
import "./favourites.js";

const RESULTS = "#results", MORPH = "#morph .mm-stage-place", WALK = "#walk .mm-stage-place"; // where answers go
const PATIENCE_MS = 2_000; // where gradio does not answer yet, and has no values of its own
let hold = null, again = "";

keep("sample", () => new Promise((resolve) => {
  hold = resolve;
  fill("#leaving", Date.now());
  setTimeout(resolve, PATIENCE_MS, null);
}));
keep("shown", () => document.querySelector("#results .mm-results h2")?.textContent ?? "");

// The values of the fields, as ``keep`` asked for them.
export const held = (...values) => hold?.(values);

// What the fields hold: what was kept, else a first prompt in the reader's language; what was changed since stays.
export function arrived(defaults, suggested, ...now) {
  const kept = take("sample"), shown = take("shown");
  const values = now.map((value, i) => (value !== defaults[i] ? value : kept ? kept[i] : i === 0 && suggested ? suggested : value));
  const [, , model, , seed, truncation] = values;
  if (kept && shown) again = JSON.stringify({ model, seed, truncation, prompt: shown, aside: true });
  return values;
}

// What is asked for next, so that the samples that were shown are shown again.
export const wanted = (now) => again || now;

// Questions ---------------------------------------------------------------------------------------------------------

const going = new Set(), waiting = new Map(); // by kind of question: what is on its way, and what waits for that
const asked = {}, shown = {}; // by place: the number of the last question, and of the one whose answer is shown

// For text in HTML that gradio takes for a template.
const escaped = (text) => text.replace(/[^\p{L}\p{N} ]/gu, (mark) => `&#${mark.codePointAt()};`);

// The alert and the HTML for a place, and all of the answer. Of questions of a kind that come while one is on its way
// the last is asked after it; no answer replaces that to a later question.
async function answer(kind, place, question) {
  const turn = (asked[place] = (asked[place] ?? 0) + 1);
  if (going.has(kind)) {
    waiting.get(kind)?.(false);
    if (!(await new Promise((go) => waiting.set(kind, go)))) return [undefined, undefined, {}];
  }
  going.add(kind);
  const box = document.querySelector(place);
  box.ariaBusy = "true";
  const found = await ask("POST", `sample/${kind}`, question).catch(() => ({ error: say("collect_lost") }));
  going.delete(kind);
  const next = waiting.get(kind);
  waiting.delete(kind);
  next?.(true);
  if (!next && turn === asked[place]) box.ariaBusy = null;
  if (turn < (shown[place] ?? 0)) return [undefined, undefined, found];
  shown[place] = turn;
  if (found.of) mark(found.of);
  return [found.error ? `<p class="mm-alert" role="alert">${escaped(found.error)}</p>` : "", found.html, found];
}

// Marks the words of the prompt that is shown by their shares, which take the server as long as the samples do.
async function mark({ prompt, model }) {
  const { shares = [] } = await ask("POST", "sample/words", { prompt, model }).catch(() => ({}));
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await new Promise((next) => setTimeout(next, 20))) {
    const section = document.querySelector(`${RESULTS} .mm-results`), words = [...section?.querySelectorAll("h2 .mm-word") ?? []];
    if (section?.querySelector("h2").textContent !== prompt) continue; // gradio is about to write it
    const strongest = Math.max(...shares);
    if (words.length !== shares.length || !(strongest > 0) || section.querySelector(".mm-why .mm-sr")) return;
    words.forEach((word, i) => word.style.setProperty("--share", (shares[i] / strongest).toFixed(2)));
    const each = words.map((word, i) => say("word_share", { word: word.textContent, share: Math.round(100 * shares[i]) }));
    section.querySelector(".mm-why").append(el("span", { class: "mm-sr" }, say("words_list", { words: each.join(", ") })));
    return;
  }
}

const only = ([alert, html]) => [alert, html];

function chipsOf(count, examples) { // updates of the buttons with examples
  return Array.from({ length: count }, (_, i) => examples && { __type__: "update", value: examples[i] ?? "", visible: i < examples.length });
}

export const generate = async (prompt, model, count, seed, truncation) =>
  only(await answer("generate", RESULTS, { prompt, model, count, seed, truncation }));

export const morph = async (prompt, other, model, seed, truncation) =>
  only(await answer("morph", MORPH, { prompt, other, model, seed, truncation }));

export const walk = async (prompt, model, seed, truncation) => only(await answer("walk", WALK, { prompt, model, seed, truncation }));

export async function toModel(chips, prompt, other, model, count, seed, truncation) {
  const [alert, html, found] = await answer("switch", RESULTS, { prompt, other, model, count, seed, truncation });
  return [alert, html, found.prompt, found.other, ...chipsOf(chips, found.examples)];
}

// What sampleAgain asked for: a favourite again, samples of a run, or those that were shown before a reload.
export async function recall(chips, text, count) {
  const { model, prompt, seed = 0, truncation = 1, aside } = JSON.parse(text);
  const question = { model, prompt, seed: Number(seed), truncation: Number(truncation), count };
  const [alert, html, found] = await answer("recall", RESULTS, question);
  if (!found.examples) return [alert, html];
  const models = { __type__: "update", choices: found.models, value: model };
  return [alert, html, aside ? undefined : found.prompt, models, question.seed, question.truncation, ...chipsOf(chips, found.examples)];
}
