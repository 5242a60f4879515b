// The page's language: the switch's, else the browser's. In the page before everything else, because gradio reads
// navigator.language before it runs any other script of ours, and knows neither a choice nor zh-HK.
(() => {
  "use strict";
  const chosen = /(?:^|; )mmgan-language=([\w-]+)/.exec(document.cookie)?.[1];
  const language = [chosen, navigator.language.toLowerCase().split("-")[0]].find((name) => window.mmganLanguages.includes(name)) ?? "en";
  const locale = language === "zh" ? "zh-CN" : language;
  Object.defineProperty(navigator, "language", { get: () => locale });
  Object.defineProperty(navigator, "languages", { get: () => [locale] });
})();
