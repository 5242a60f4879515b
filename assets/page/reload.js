// What outlasts a reload, as a switch of the language is one: it waits in this browser tab.
import { opened, openSoon } from "./tabs.js";

const STORE = "mmgan-kept", PATIENCE_MS = 10_000;
const givers = {}; // of each tab what it would like to find again
let kept = {}, leaving = false;
try { // storage may be off; then everything starts afresh
  kept = JSON.parse(sessionStorage.getItem(STORE)) ?? {};
  sessionStorage.removeItem(STORE);
} catch { /* see above */ }

// Texts that stay until the browser tab is closed.
export const memory = {
  get(key) { try { return sessionStorage.getItem(`mmgan-${key}`) || ""; } catch { return ""; } },
  set(key, value) { try { sessionStorage.setItem(`mmgan-${key}`, value); } catch { /* then a reload forgets */ } },
};

// ``give()`` says, perhaps only after a while, what ``take(name)`` is to give after the page was loaded again.
export function keep(name, give) { givers[name] = give; }

export function take(name) { // once
  const value = kept[name];
  delete kept[name];
  return value;
}

// Loads the page again, once, with what its tabs would like to find.
export async function leave() {
  if (leaving) return; // it is about to be loaded, however long that takes
  leaving = true;
  const all = { ...kept, tab: opened() };
  await Promise.all(Object.entries(givers).map(async ([name, give]) => { all[name] = await give(); }));
  try { sessionStorage.setItem(STORE, JSON.stringify(all)); } catch { /* see above */ }
  setTimeout(() => location.reload()); // once gradio is done with what it was asked
}

const before = take("tab");
if (before) openSoon(before, PATIENCE_MS);
