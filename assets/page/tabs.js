// The tabs, by the key of their record. gradio makes the inside of one when it is first opened.
const find = (key) => document.querySelector(`.mm-tabs [role="tab"][data-tab-id="${key}"]`);

export const open = (key) => find(key)?.click();
export const opened = () => document.querySelector('.mm-tabs [role="tab"][aria-selected="true"]')?.dataset.tabId;

// Opens a tab as soon as it is there, within ``patience`` milliseconds; whoever goes somewhere meanwhile is left alone.
export function openSoon(key, patience) {
  const until = Date.now() + patience;
  let acted = false;
  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, (event) => { acted ||= event.isTrusted; }, { capture: true, once: true });
  }
  const look = () => {
    if (acted || Date.now() > until || opened() === key) return;
    open(key);
    setTimeout(look, 50);
  };
  look();
}
