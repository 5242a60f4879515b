// The same latent codes at every visit: one visit large, with sound and real examples, and all of them as a film strip.
import { el, keyed, lost } from "../page/dom.js";

const COLUMNS_SHOWN = 10, REPLAY_MS = 350, STRIPS_KEPT = 40, SOUNDS_KEPT = 8;
let context = null, playing = null; // one sound at a time on the page

function blobUrl(uri) { // short names instead of long data URIs in every cell
  const [head, body] = uri.split(","), bytes = Uint8Array.from(atob(body), (c) => c.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: head.slice(5).split(";")[0] }));
}

function cell(url, i, count) { // column i of a strip
  const box = el("i", { class: "mt-cell" });
  if (url) Object.assign(box.style, { backgroundImage: `url("${url}")`, backgroundSize: `${count * 100}% 100%`,
    backgroundPosition: `${count > 1 ? (100 * i) / (count - 1) : 0}% 0` });
  return box;
}

export const film = {
  release(strips) { // a minute later, for cells on the page may still be loading them
    setTimeout(() => strips.forEach((strip) => strip.then(
      (s) => s && [s.pictures, s.mels].forEach((url) => url && URL.revokeObjectURL(url)))), 60_000);
  },

  forget(tab) {
    film.release([...(tab.strips?.values() ?? [])]);
    film.stop();
    clearInterval(tab.replaying);
    Object.assign(tab, { strips: new Map(), sounds: new Map(), real: null, at: null, replaying: 0 });
  },

  // A strip by step ("real" for the real examples), its pictures ready to be shown. The last ones that were wanted are
  // kept, the film strip's among them: it wants its own at each visit.
  strip(tab, step) {
    const kept = tab.strips.get(step);
    if (kept) {
      tab.strips.delete(step);
      tab.strips.set(step, kept);
    } else {
      const question = { what: "strip", run: tab.watched, step: step === "real" ? null : step };
      tab.strips.set(step, tab.server.look(question).then(async (answer) => {
        if (!answer.pictures) throw new Error("not there");
        const found = { ...answer, pictures: blobUrl(answer.pictures), mels: answer.mels && blobUrl(answer.mels) };
        await Promise.all([found.pictures, found.mels].filter(Boolean).map((url) => { const image = new Image(); image.src = url; return image.decode().catch(() => {}); }));
        return found;
      }).catch(() => { tab.strips.delete(step); return null; }));
      if (tab.strips.size > STRIPS_KEPT) {
        const oldest = [...tab.strips.keys()].find((key) => key !== "real");
        film.release([tab.strips.get(oldest)]);
        tab.strips.delete(oldest);
      }
    }
    return tab.strips.get(step);
  },

  show(tab) {
    const say = (...args) => tab.say(...args);
    tab.slider = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": say("visit_slider"),
      oninput: () => { film.still(tab); film.choose(tab, tab.visits[tab.slider.value]); } });
    tab.stepShown = el("output", {});
    tab.travel = el("div", { class: "mt-line mt-travel" });
    tab.replayButton = el("button", { type: "button", class: "mt-button mt-replay", onclick: () => film.replay(tab) }, say("replay"));
    tab.travel.append(tab.replayButton, tab.slider, tab.stepShown);
    tab.grow = el("div", { class: "mt-grow" });
    tab.stripBox = el("div", { class: "mt-strip" });
    tab.stripKind ??= "pictures";
    const kind = (name) => el("button", { type: "button", "aria-pressed": String(tab.stripKind === name), onclick: (event) => {
      tab.stripKind = name;
      for (const b of event.currentTarget.parentElement.children) b.setAttribute("aria-pressed", String(b === event.currentTarget));
      film.showStrip(tab);
    } }, say(`film_${name}`));
    tab.film.replaceChildren(
      el("header", {}, el("h3", {}, say("samples")), tab.travel),
      el("p", { class: "mt-note" }, say("samples_note", { count: 8 })),
      tab.grow);
    tab.strip.replaceChildren(
      el("header", {}, el("h3", {}, say("film")), el("div", { class: "mt-segments" }, kind("pictures"), kind("sounds"))),
      el("p", { class: "mt-note" }, say("film_note")),
      tab.stripBox);
  },

  async update(tab) {
    if (tab.view !== "watch" || !tab.film?.isConnected) return;
    if (!tab.visits.length) {
      tab.grow.replaceChildren(el("p", { class: "mt-quiet" }, tab.say("no_samples")));
      return;
    }
    const watched = tab.watched, newest = tab.visits.at(-1);
    const follows = tab.at === null || tab.at === tab.newest;
    tab.newest = newest;
    if (!tab.real) {
      const real = await film.strip(tab, "real");
      if (watched !== tab.watched) return;
      tab.real = real;
    }
    tab.slider.max = tab.visits.length - 1;
    tab.slider.hidden = tab.replayButton.hidden = tab.visits.length < 2;
    if (!tab.replaying) await film.choose(tab, follows || !tab.visits.includes(tab.at) ? newest : tab.at);
    film.showStrip(tab);
  },

  async choose(tab, step) {
    if (step === undefined) return;
    tab.at = step;
    tab.slider.value = tab.visits.indexOf(step);
    tab.stepShown.textContent = tab.say("visit", { step: tab.number(step) });
    tab.slider.setAttribute("aria-valuetext", tab.stepShown.textContent);
    const strip = await film.strip(tab, step);
    if (strip && tab.at === step && tab.grow.isConnected) film.fill(tab, step, strip);
  },

  fill(tab, step, strip) {
    const prompts = tab.real?.prompts ?? [], count = prompts.length || 8;
    if (tab.grow.dataset.run !== tab.watched || !tab.grow.querySelector(".mt-code")) {
      tab.grow.dataset.run = tab.watched;
      tab.grow.replaceChildren(...Array.from({ length: count }, (_, i) => {
        const real = tab.real && (tab.real.has_image[i] || tab.real.has_sound[i]);
        return el("div", { class: "mt-code" }, el("p", { dir: "auto", title: prompts[i] ?? "" }, prompts[i] ?? ""),
          el("button", { type: "button", class: "mt-hear", onclick: (event) => film.play(tab, tab.at, i, event.currentTarget) },
            cell("", i, count), cell("", i, count)),
          real ? el("button", { type: "button", class: "mt-hear mt-real", "aria-label": tab.say("listen_real", { prompt: prompts[i] }),
            onclick: (event) => film.play(tab, "real", i, event.currentTarget) },
          cell(tab.real.has_image[i] && tab.real.pictures, i, count), cell(tab.real.has_sound[i] && tab.real.mels, i, count))
            : el("p", { class: "mt-quiet" }, tab.say("no_real")),
          el("small", {}, tab.say("real")));
      }));
    }
    [...tab.grow.querySelectorAll(".mt-hear:not(.mt-real)")].forEach((button, i) => {
      button.setAttribute("aria-label", tab.say("listen", { prompt: prompts[i] ?? "", step: tab.number(step) }));
      button.replaceChildren(cell(strip.pictures, i, count), cell(strip.mels, i, count));
    });
  },

  // Visits spread evenly over those there are, the first and the last among them.
  spread(visits, limit) {
    if (visits.length <= limit) return visits;
    return Array.from({ length: limit }, (_, i) => visits[Math.round((i * (visits.length - 1)) / (limit - 1))]);
  },

  async showStrip(tab) {
    const watched = tab.watched, kind = tab.stripKind === "sounds" ? "mels" : "pictures";
    const shown = film.spread(tab.visits, tab.stripBox.clientWidth < 560 ? 5 : COLUMNS_SHOWN);
    const strips = [];
    for (const step of shown) strips.push([step, await film.strip(tab, step)]); // one by one: others ask too
    if (watched !== tab.watched || !tab.stripBox.isConnected || (tab.stripKind === "sounds" ? "mels" : "pictures") !== kind) return;
    const count = tab.real?.prompts?.length || 8;
    const columns = strips.filter(([, strip]) => strip);
    if (tab.real) columns.push(["real", tab.real]);
    const state = `${kind} ${Boolean(tab.real)}`, at = document.activeElement, row = [...at?.parentElement?.children ?? []].indexOf(at);
    const place = [...tab.stripBox.children].indexOf(at?.parentElement);
    keyed(tab.stripBox, columns.map(([step, strip]) => ({ step, strip })), "step", ({ step, strip }, old) => (
      old?.state === state ? old : Object.assign(film.column(tab, step, strip[kind], count), { state })));
    if (place >= 0 && lost()) [...tab.stripBox.children].at(Math.min(place, columns.length - 1))?.children[row]?.focus({ preventScroll: true });
    if (!tab.stripBox.querySelector('[tabindex="0"]')) tab.stripBox.querySelector("button")?.setAttribute("tabindex", 0);
  },

  column(tab, step, strip, count) {
    const real = step === "real";
    return el("div", { class: real ? "mt-column mt-column-real" : "mt-column" }, el("span", {}, real ? tab.say("real") : tab.number(step)),
      ...Array.from({ length: count }, (_, i) => {
        const prompt = tab.real?.prompts?.[i] ?? "";
        const button = el("button", { type: "button", class: "mt-frame", tabindex: -1, onkeydown: film.walk, onfocus: () => film.stay(tab, button),
          "aria-label": tab.say(real ? "listen_real" : "listen", { prompt, step: real ? "" : tab.number(step) }),
          onclick: () => film.play(tab, step, i, button) });
        button.append(cell(strip, i, count));
        return button;
      }));
  },

  stay(tab, button) { // the one frame that Tab comes to: the last one that had the focus
    tab.stripBox.querySelectorAll('[tabindex="0"]').forEach((other) => other.setAttribute("tabindex", -1));
    button.setAttribute("tabindex", 0);
  },

  walk(event) { // arrows move through the strip, so that Tab need not pass every frame
    const column = event.currentTarget.parentElement, row = [...column.children].indexOf(event.currentTarget);
    const to = { ArrowUp: event.currentTarget.previousElementSibling, ArrowDown: event.currentTarget.nextElementSibling,
      ArrowLeft: column.previousElementSibling?.children[row], ArrowRight: column.nextElementSibling?.children[row] }[event.key];
    if (to?.matches?.("button")) { event.preventDefault(); to.focus(); }
  },

  still(tab) {
    clearInterval(tab.replaying);
    tab.replaying = 0;
  },

  replay(tab) {
    if (tab.replaying || tab.visits.length < 2) return film.still(tab);
    let place = 0;
    film.choose(tab, tab.visits[0]);
    tab.replaying = setInterval(async () => {
      place += 1;
      if (place >= tab.visits.length || !tab.grow.isConnected) return film.still(tab);
      film.strip(tab, tab.visits[place + 1] ?? tab.visits[place]); // the next one ahead
      film.choose(tab, tab.visits[place]);
    }, REPLAY_MS);
  },

  stop() {
    playing?.source.stop();
    playing?.button.classList.remove("mt-playing");
    playing = null;
  },

  async play(tab, step, i, button) {
    const again = playing?.button === button;
    film.stop();
    if (again) return;
    context ??= new AudioContext();
    context.resume();
    if (!tab.sounds.has(step)) {
      if (tab.sounds.size >= SOUNDS_KEPT) tab.sounds.delete(tab.sounds.keys().next().value);
      tab.sounds.set(step, tab.server.look({ what: "sound", run: tab.watched, step: step === "real" ? null : step }).then((answer) => {
        const bytes = Uint8Array.from(atob(answer.sound.split(",")[1]), (c) => c.charCodeAt(0));
        return context.decodeAudioData(bytes.buffer);
      }).catch(() => { tab.sounds.delete(step); return null; }));
    }
    const sound = await tab.sounds.get(step), seconds = tab.real?.clip_seconds ?? 1.024;
    if (!sound || !button.isConnected) return;
    film.stop();
    const source = new AudioBufferSourceNode(context, { buffer: sound });
    source.connect(context.destination);
    source.onended = () => { if (playing?.source === source) { button.classList.remove("mt-playing"); playing = null; } };
    button.style.setProperty("--clip", `${seconds}s`);
    button.classList.add("mt-playing");
    playing = { source, button };
    source.start(0, i * seconds, seconds);
  },
};
