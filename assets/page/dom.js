// Elements, and changes to them while somebody uses the page: focus, open lists and clicks half made outlast the news.

// An element with attributes, listeners (onclick: f) and children; text is text, never markup.
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Has ``make(element)`` called once for each element <name>, whether this script or the element comes first.
export function define(name, make) {
  const made = new WeakSet();
  customElements.define(name, class extends HTMLElement {
    connectedCallback() {
      if (made.has(this)) return;
      made.add(this);
      make(this);
    }
  });
}

// Writes into one of gradio's fields as if ``value`` were typed there.
export function fill(selector, value) {
  const field = document.querySelector(`${selector} :is(textarea, input)`);
  if (!field) return;
  const prototype = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(prototype.prototype, "value").set.call(field, value);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// ``list`` gets one child for each of ``rows``, known again by ``key``. ``make(row, old)`` gives the child, the old one
// where it may stay; what stays is not moved, for a move takes the focus away.
export function keyed(list, rows, key, make) {
  const there = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(rows.map((row) => String(row[key])));
  for (const [name, child] of there) if (!wanted.has(name)) child.remove();
  rows.forEach((row, place) => {
    const name = String(row[key]), old = there.get(name), child = make(row, old);
    child.dataset.key = name;
    if (old && old !== child && old.isConnected) old.replaceWith(child);
    if (list.children[place] !== child) list.insertBefore(child, list.children[place] ?? null);
  });
}

// Text, written only where it is another: a reader's selection and a screen reader's place stay.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The button rests while ``work`` goes on; whoever pressed it by keyboard finds the focus there again.
export async function during(button, work) {
  const focused = document.activeElement === button;
  button.disabled = true;
  try {
    return await work();
  } finally {
    button.disabled = false;
    if (focused && lost() && button.isConnected) button.focus();
  }
}

// Whether nothing has the focus, as after its element went or was disabled, which browsers notice sooner or later.
export const lost = () => !document.activeElement || document.activeElement === document.body || document.activeElement.disabled;

// Resolves once no finger and no button of a mouse is down within ``element``: a click is over then.
let held = null;
document.addEventListener("pointerdown", (event) => { held = event.target; }, true);
for (const kind of ["pointerup", "pointercancel", "dragend"]) {
  document.addEventListener(kind, () => setTimeout(() => { held = null; }), true); // the click comes just after
}
export async function released(element) {
  while (held && element.contains(held)) await new Promise((resolve) => setTimeout(resolve, 30));
}

// Closes a dialog by a click beside it; not by a selection of text that was dragged out of it, or into it.
export function closable(dialog) {
  const ends = {};
  for (const kind of ["pointerdown", "pointerup"]) dialog.addEventListener(kind, (event) => { ends[kind] = event.target; });
  dialog.addEventListener("click", (event) => {
    if ([event.target, ends.pointerdown, ends.pointerup].every((target) => target === dialog)) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

// ``act`` once something else is chosen from a ``<select>``: from its open list, or by Enter or by leaving it where arrow
// keys went through a closed one, which tells of a change at each of them.
export function settled(select, act) {
  let passing = false, chosen = select.value;
  const end = () => {
    if (select.value === chosen) return;
    chosen = select.value;
    act(chosen);
  };
  select.addEventListener("keydown", (event) => { // an open list keeps its keys to itself
    const opens = event.key === " " || event.key === "F4" || (event.altKey && event.key.startsWith("Arrow"));
    if (event.key === "Enter" && select.value !== chosen) { event.preventDefault(); end(); } else passing = !opens;
  });
  select.addEventListener("pointerdown", () => { passing = false; });
  select.addEventListener("change", () => { if (!passing) end(); });
  select.addEventListener("blur", end);
  return select;
}
