// The frame of the page: its language, light or dark, and the players. Cards come and go, so the document listens.
window.mmgan = (() => {
  "use strict";

  // Storage may be off (private windows, policies); then a choice lasts until a reload.
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* see above */ } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  const PROMPT = "#prompt :is(textarea, input)";

  const language = window.mmganLanguage; // of language.js
  const locale = language === "zh" ? "zh-CN" : "en";
  const markLanguage = () => { if (document.documentElement.lang !== locale) document.documentElement.lang = locale; };
  markLanguage();

  // "{count} {count|file|files}" with its places filled in, as strings.filled of the server does it.
  function filled(text, values = {}) {
    return text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*)|[^}]*)\}/g, (all, name, one, many) =>
      one === undefined ? values[name] ?? all : `${values[name]}` === "1" ? one : many);
  }

  function say(key, values = {}) {
    const texts = window.mmganTexts[key];
    return filled(language === "zh" ? texts[1] : texts[0], values);
  }

  // What was written once for everybody (data-say) is in English.
  function translate(root) {
    if (language === "en") return;
    const all = root.querySelectorAll ? [root, ...root.querySelectorAll("[data-say], [data-say-label]")] : [];
    for (const element of all) {
      const { say: text, sayLabel: label } = element.dataset || {};
      if (text && element.textContent !== say(text)) element.textContent = say(text);
      if (label) {
        element.ariaLabel = say(label);
        if (element.title) element.title = say(label);
      }
    }
  }

  function switchLanguage() {
    const other = language === "zh" ? "en" : "zh";
    document.cookie = `mmgan-language=${other}; path=/; max-age=31536000; SameSite=Lax`;
    fill("#leaving :is(textarea, input)", other); // kept.js then keeps what is there and loads the page anew
    setTimeout(() => window.mmKept.leave(null), 2_000); // where gradio does not answer yet, and has no values of its own
  }

  // What gradio's own fields take for typed.
  function fill(selector, value) {
    const field = document.querySelector(selector);
    if (!field) return false;
    const prototype = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(prototype.prototype, "value").set.call(field, value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }

  // Samples of a model ({model}, and any of prompt, seed, truncation) in the Sample tab, from wherever one is.
  function ask(wanted) {
    document.querySelector("[role=tab]").click();
    fill("#again textarea, #again input", JSON.stringify({ ...wanted, when: Date.now() })); // twice the same is no change
    document.querySelector(PROMPT).focus();
  }

  // Players: one sound at a time. A player is a card, or a stage whose sound changes. The sound is heard from an element
  // of our own: gradio writes the cards of an answer twice, which would cut it off.
  const heard = new Audio();
  let playing = null; // the player that is heard
  let queue = []; // cards still to be played by "Play all"
  const PLAYER = ".mm-card, .mm-stage";
  const player = (element) => element.closest(PLAYER);
  const sound = (item) => item.querySelector("audio.mm-current") || item.querySelector("audio");
  const endAll = () => document.querySelectorAll(".mm-all").forEach((section) => section.classList.remove("mm-all"));

  function show(item) {
    playing = item;
    document.querySelectorAll(".mm-playing").forEach((other) => other.classList.remove("mm-playing"));
    item?.classList.add("mm-playing");
  }

  function stopAll() {
    queue = [];
    endAll();
    heard.pause();
    show(null);
  }

  function play(item, from = 0) {
    const follow = () => {
      if (playing !== item) return;
      item.classList.add("mm-playing"); // gradio takes it away when it writes the cards once more
      item.style.setProperty("--at", heard.duration ? heard.currentTime / heard.duration : 0);
      requestAnimationFrame(follow);
    };
    heard.src = sound(item).src;
    heard.onloadedmetadata = () => { heard.currentTime = from * heard.duration; };
    // Stopped or replaced before it began: whoever did that has shown it.
    heard.play().then(() => { if (playing === item) follow(); }, (error) => { if (error.name !== "AbortError") stopAll(); });
    show(item);
  }

  heard.onended = () => {
    const next = queue.shift();
    if (next) return play(next);
    endAll();
    show(null);
  };

  function playAll(section) {
    const again = section.classList.contains("mm-all");
    stopAll();
    if (again) return;
    section.classList.add("mm-all");
    queue = [...section.querySelectorAll(".mm-card")];
    if (queue.length) play(queue.shift());
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target.closest(".mm-play");
    const spectrogram = target.closest(".mm-sound");
    const all = target.closest(".mm-play-all");
    if (button && player(button)) {
      const again = player(button) === playing;
      stopAll();
      if (!again) play(player(button));
    } else if (spectrogram && player(spectrogram)) {
      const box = spectrogram.getBoundingClientRect();
      stopAll();
      play(player(spectrogram), (event.clientX - box.left) / box.width);
    } else if (all) {
      playAll(all.closest(".mm-results, .mm-kept"));
    } else if (target.closest(".mm-theme")) {
      choose(document.body.classList.contains("dark") ? "light" : "dark");
    } else if (target.closest(".mm-language")) {
      switchLanguage();
    }
  });

  // Light or dark: gradio follows the system whenever it sees fit; a choice made here holds against that.
  let chosen = recall("mmgan-theme");

  function apply() {
    if (chosen && document.body.classList.contains("dark") !== (chosen === "dark")) document.body.classList.toggle("dark");
  }

  function choose(look) {
    chosen = look;
    remember("mmgan-theme", look);
    apply();
  }

  function watch() {
    apply();
    markLanguage();
    translate(document.body);
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new MutationObserver((changes) => {
      for (const change of changes) change.addedNodes.forEach(translate);
    }).observe(document.body, { childList: true, subtree: true });
    new MutationObserver(markLanguage).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
  }
  if (document.body) watch();
  else document.addEventListener("DOMContentLoaded", watch);

  return { say, filled, ask, play, stopAll, language };
})();
