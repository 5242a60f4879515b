// The frame of the page: the buttons in its header, and light or dark.
import { leave } from "./reload.js";
import { language, languages } from "./language.js";
import "./player.js";

// gradio follows the system's light or dark whenever it sees fit; a choice made here holds against that.
const LOOK = "mmgan-theme";
let chosen = null;
try { chosen = localStorage.getItem(LOOK); } catch { /* storage may be off (private windows); then it lasts until a reload */ }

function apply() {
  if (chosen && document.body.classList.contains("dark") !== (chosen === "dark")) document.body.classList.toggle("dark");
}

function choose(look) {
  chosen = look;
  try { localStorage.setItem(LOOK, look); } catch { /* see above */ }
  apply();
}

apply();
new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });

document.addEventListener("click", (event) => {
  if (event.target.closest(".mm-theme")) choose(document.body.classList.contains("dark") ? "light" : "dark");
  if (!event.target.closest(".mm-language")) return;
  const next = languages[(languages.indexOf(language) + 1) % languages.length];
  document.cookie = `mmgan-language=${next}; path=/; max-age=31536000; SameSite=Lax`;
  leave();
});
