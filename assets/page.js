// The players on the cards, and the light-or-dark button. Cards come and go, so the document listens for all of them.
(() => {
  "use strict";
  let queue = []; // cards still to be played by "Play all"

  const card = (element) => element.closest(".mm-card");
  const sound = (element) => element.querySelector("audio");

  function stopAll() {
    queue = [];
    document.querySelectorAll(".mm-all").forEach((section) => section.classList.remove("mm-all"));
    document.querySelectorAll(".mm-card audio").forEach((audio) => audio.pause());
  }

  function play(item, from = 0) {
    const audio = sound(item);
    audio.currentTime = from * (audio.duration || 0);
    const follow = () => {
      item.style.setProperty("--at", audio.duration ? audio.currentTime / audio.duration : 0);
      if (!audio.paused) requestAnimationFrame(follow);
    };
    const end = () => {
      item.classList.remove("mm-playing");
      if (!audio.ended) return;
      if (queue.length) play(queue.shift());
      else document.querySelectorAll(".mm-all").forEach((section) => section.classList.remove("mm-all"));
    };
    audio.onpause = end;
    audio.onended = end;
    audio.play().then(() => { item.classList.add("mm-playing"); follow(); }, () => item.classList.remove("mm-playing"));
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target.closest(".mm-play");
    const spectrogram = target.closest(".mm-sound");
    const all = target.closest(".mm-play-all");
    if (button) {
      const playing = card(button).classList.contains("mm-playing");
      stopAll();
      if (!playing) play(card(button));
    } else if (spectrogram) {
      const box = spectrogram.getBoundingClientRect();
      stopAll();
      play(card(spectrogram), (event.clientX - box.left) / box.width);
    } else if (all) {
      const section = all.closest(".mm-results");
      const playing = section.classList.contains("mm-all");
      stopAll();
      if (playing) return;
      section.classList.add("mm-all");
      queue = [...section.querySelectorAll(".mm-card")];
      play(queue.shift());
    } else if (target.closest(".mm-theme")) {
      choose(document.body.classList.contains("dark") ? "light" : "dark");
    }
  });

  // Light or dark: gradio follows the system whenever it sees fit; a choice made here holds against that.
  let chosen = null;
  try { chosen = localStorage.getItem("mmgan-theme"); } catch { /* storage may be off; then the choice lasts until a reload */ }

  function apply() {
    if (chosen && document.body.classList.contains("dark") !== (chosen === "dark")) document.body.classList.toggle("dark");
  }

  function choose(look) {
    chosen = look;
    try { localStorage.setItem("mmgan-theme", look); } catch { /* as above */ }
    apply();
  }

  function watch() {
    apply();
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }
  if (document.body) watch();
  else document.addEventListener("DOMContentLoaded", watch);
})();
