// The sliders of the ways through the model: all steps are in the page, and the chosen one is shown, then played.
import { play, stopAll } from "../page/player.js";

// Marks of every kind the one for `at`, else the one that the way starts from (what does not change is there once).
function show(stage, at) {
  for (const [kind, mark] of [[".mm-picture", "mm-shown"], [".mm-spectrogram", "mm-shown"], ["audio", "mm-current"]]) {
    const all = [...stage.querySelectorAll(kind)];
    const chosen = all.find((e) => e.dataset.at === at) || all.find((e) => e.dataset.at === stage.dataset.start);
    for (const element of all) element.classList.toggle(mark, element === chosen);
  }
  stage.dataset.at = at;
}

const place = (slide) =>
  slide.dataset.code && slide.value === slide.dataset.start ? "start" : `${slide.dataset.code}${slide.value}`;

document.addEventListener("input", (event) => {
  const slide = event.target;
  if (!slide.matches?.(".mm-slide")) return;
  const stage = slide.closest(".mm-stage");
  for (const other of stage.querySelectorAll(".mm-slide")) {
    if (other !== slide) other.value = other.dataset.start; // one way at a time, so that it is clear what changes what
    other.setAttribute("aria-valuetext", other.dataset.texts.split("\u001f")[other.value]);
  }
  show(stage, place(slide));
});

document.addEventListener("change", (event) => {
  if (!event.target.matches?.(".mm-slide")) return;
  stopAll();
  play(event.target.closest(".mm-stage"));
});
