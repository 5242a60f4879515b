// Players: one sound at a time. A player is a card, or a stage whose sound changes. The sound is heard from an element
// of our own: gradio writes the cards of an answer twice, which would cut it off. Cards come and go, so the document
// listens.
const heard = new Audio();
let playing = null; // the player that is heard
let queue = []; // cards still to be played by "Play all"
const player = (element) => element.closest(".mm-card, .mm-stage");
const sound = (item) => item.querySelector("audio.mm-current") || item.querySelector("audio");
const endAll = () => document.querySelectorAll(".mm-all").forEach((section) => section.classList.remove("mm-all"));

function show(item) {
  playing = item;
  document.querySelectorAll(".mm-playing").forEach((other) => other.classList.remove("mm-playing"));
  item?.classList.add("mm-playing");
}

export function stopAll() {
  queue = [];
  endAll();
  heard.pause();
  show(null);
}

export function play(item, from = 0) {
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

document.addEventListener("click", ({ target, clientX }) => {
  const button = target.closest(".mm-play"), spectrogram = target.closest(".mm-sound"), all = target.closest(".mm-play-all");
  if (button && player(button)) {
    const again = player(button) === playing;
    stopAll();
    if (!again) play(player(button));
  } else if (spectrogram && player(spectrogram)) {
    const box = spectrogram.getBoundingClientRect();
    stopAll();
    play(player(spectrogram), (clientX - box.left) / box.width);
  } else if (all) {
    playAll(all.closest(".mm-results, .mm-kept"));
  }
});
