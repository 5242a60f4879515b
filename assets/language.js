// The page's language: the switch's, else the browser's. In the page before everything else, because gradio reads
// navigator.language before it runs any other script of ours, and knows neither a choice nor zh-HK.
window.mmganLanguage = (() => {
  "use strict";
  const chosen = /(?:^|; )mmgan-language=(en|zh)/.exec(document.cookie)?.[1];
  const language = chosen || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  const locale = language === "zh" ? "zh-CN" : "en";
  Object.defineProperty(navigator, "language", { get: () => locale });
  Object.defineProperty(navigator, "languages", { get: () => [locale] });
  return language;
})();
