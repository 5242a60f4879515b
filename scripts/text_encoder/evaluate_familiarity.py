"""Measures which prompts a model takes for known: the evaluation's and misspelt ones should be, others should not.

    python scripts/text_encoder/evaluate_familiarity.py [digits shapes]

Prints, per model, the cosine to the nearest caption that the model keeps, how many prompts are taken for what they
are, and which are not.
"""

from __future__ import annotations

import argparse

from mmgan import Pipeline
from mmgan.data import load_dataset
from mmgan.data.digits import captions
from scripts.text_encoder.evaluate import TYPOS

STRANGE = (
    "a cat on a sofa", "a blue whale", "my grandmother's soup", "一只猫", "the history of Rome", "a red car",
    "a dog barking", "an old man with a hat", "天安门广场", "一辆红色的汽车", "我的奶奶在做饭", "🐶", "🚗", "asdfghjkl",
    "rain on a tin roof", "a green forest in the morning", "two people shaking hands", "quarterly tax report",
    "下雨的声音", "a large pizza on a white plate", "stock prices", "a piano concerto", "hello", "print('hello world')",
)  # fmt: skip
LIKE_DIGITS = ("could you write me a 7", "数字七", "seben", "a handwriten seven", "please make a fat 3", "写个八给我")
LIKE_SHAPES = (
    "a larg red star on blue", "a tiny gren circle", "yelow hart on black", "could you paint me a small purple ring?",
    "红色的星星", "蓝色背景上的大绿色三角形", "a squar, orange", "big bleu traingle on white",
)  # fmt: skip


def familiar_prompts(model: str) -> list[str]:
    """What people who know the model would ask of it, phrasings and slips that no training caption has among them."""
    if model == "digits":
        return [
            *(text for text, _ in captions.evaluation_prompts()),
            *(t for texts in TYPOS for t in texts), *LIKE_DIGITS,
        ]  # fmt: skip
    return [*(prompt.text for prompt in load_dataset(model).prompts()), *(LIKE_SHAPES if model == "shapes" else ())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["digits", "shapes"], help="names or folders")
    parser.add_argument("--text-encoder", help="folder or Hub id; without it the one that ships")
    args = parser.parse_args()
    for model in args.models:
        pipe = Pipeline.from_pretrained(model, device="cpu", text_encoder=args.text_encoder)
        print(f"\n{model}: {len(pipe.captions)} captions\n\n| prompts | right | least | most |")
        print("| --- | --- | --- | --- |")
        for label, prompts, known in (("familiar", familiar_prompts(model), True), ("strange", STRANGE, False)):
            found = sorted(zip(pipe.familiarity(prompts), prompts, strict=True), key=lambda item: item[0].cosine)
            right = sum(f.known == known for f, _ in found)
            least, most = (f"{found[i][0].cosine:.2f} {found[i][1]!r}" for i in (0, -1))
            print(f"| {label} | {right} of {len(found)} | {least} | {most} |")
            for f, prompt in found:
                if f.known != known:
                    print(f"  wrong: {f.cosine:.2f} {prompt!r}, nearest {f.caption!r}")


if __name__ == "__main__":
    main()
