// What outlasts a switch of the language, which loads the page anew: it waits in this browser tab, and is gone once it
// is in its place again.
window.mmKept = (() => {
  "use strict";
  const STORE = "mmgan-kept", TABS = '.mm-tabs [role="tab"]', PATIENCE_MS = 10_000;
  const givers = {}; // of each tab what it would like to find again
  let kept = {}, again = "", leaving = false;
  try { // storage may be off; then everything starts afresh
    kept = JSON.parse(sessionStorage.getItem(STORE)) ?? {};
    sessionStorage.removeItem(STORE);
  } catch { /* see above */ }

  const keep = (name, give) => { givers[name] = give; };

  function take(name) { // once
    const value = kept[name];
    delete kept[name];
    return value;
  }

  // With the values of the Sample tab, which gradio knows, after page.js asked for them; null where it does not.
  function leave(sample) {
    if (leaving) return; // the page is about to be loaded, however long that takes
    leaving = true;
    const shown = document.querySelector("#results .mm-results h2")?.textContent ?? "";
    const tab = [...document.querySelectorAll(TABS)].findIndex((button) => button.ariaSelected === "true");
    const all = { ...kept, sample, shown, tab };
    for (const [name, give] of Object.entries(givers)) all[name] = give();
    try { sessionStorage.setItem(STORE, JSON.stringify(all)); } catch { /* see above */ }
    setTimeout(() => location.reload()); // once gradio is done with what asked for it
  }

  // What the Sample tab holds: what was kept, else a first prompt in the reader's language; what was changed since stays.
  function arrived(suggested, defaults, now) {
    const sample = take("sample"), shown = take("shown");
    const values = now.map((value, i) => (value !== defaults[i] ? value : sample ? sample[i] : i === 0 && suggested ? suggested : value));
    const [, , model, , seed, truncation] = values;
    if (sample && shown) again = JSON.stringify({ model, seed, truncation, prompt: shown, aside: true });
    return values;
  }

  // What is asked for next, so that the samples that were shown are shown again.
  const wanted = (now) => again || now;

  function openTab() {
    const place = take("tab"), until = Date.now() + PATIENCE_MS;
    if (!(place > 0)) return;
    let acted = false; // whoever goes somewhere meanwhile is left alone
    for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, (event) => { acted ||= event.isTrusted; }, { capture: true, once: true });
    const look = () => {
      const button = document.querySelectorAll(TABS)[place];
      if (acted || Date.now() > until || button?.ariaSelected === "true") return;
      button?.click();
      setTimeout(look, 50);
    };
    look();
  }
  openTab();

  return { keep, take, leave, arrived, wanted };
})();
