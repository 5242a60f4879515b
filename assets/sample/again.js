import { fill } from "../page/dom.js";
import { open } from "../page/tabs.js";

// Samples of a model ({model}, and any of prompt, seed, truncation) in the Sample tab, from wherever one is.
export function sampleAgain(wanted) {
  open("sample");
  fill("#again", JSON.stringify({ ...wanted, when: Date.now() })); // twice the same is no change
  document.querySelector("#prompt :is(textarea, input)").focus();
}
