// The page's language, which first.js settled before gradio began, and its texts.
import { TEXTS } from "./texts.js"; // written by the server: language -> key -> text

export const languages = Object.keys(TEXTS);
export const language = [navigator.language, navigator.language.split("-")[0]].find((name) => languages.includes(name)) ?? "en";
export const locale = language === "zh" ? "zh-CN" : language;

// "{count} {count|file|files}" with its places filled in, as ``say`` of the server does it.
function filled(text, values) {
  return text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*)|[^}]*)\}/g, (all, name, one, many) =>
    one === undefined ? values[name] ?? all : `${values[name]}` === "1" ? one : many);
}

// Says texts, those first whose keys begin with ``prefix``; a key without a text is shown as it is.
export const sayer = (prefix) => (key, values = {}) =>
  filled(TEXTS[language][prefix + key] ?? TEXTS[language][key] ?? key, values);
export const say = sayer("");

// HTML that is written once for everybody (data-say) is in English.
function translate(root) {
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

// gradio sets the language of the document whenever it sees fit.
function mark() {
  if (document.documentElement.lang !== locale) document.documentElement.lang = locale;
}

mark();
new MutationObserver(mark).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
if (language !== "en") {
  translate(document.body);
  new MutationObserver((changes) => {
    for (const change of changes) change.addedNodes.forEach(translate);
  }).observe(document.body, { childList: true, subtree: true });
}
