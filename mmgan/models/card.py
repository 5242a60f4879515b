"""A model's card, in the Markdown of the Hugging Face Hub."""

from __future__ import annotations

import re


def card_text(info: dict, prompts: list[str]) -> str:
    """A model card in Markdown, of what the model's config says of itself; every value on one line and escaped."""
    name = _line(info.get("name")) or "my model"
    lines = [
        "---", "library_name: mmgan", "tags: [gan, text-to-image, text-to-audio, mmgan]", "---", "", f"# {name}", "",
        "A sentence gives a picture and a sound that belong together. Made with mmgan.", "",
    ]  # fmt: skip
    tuned = info.get("finetune")
    tuned = tuned if isinstance(tuned, dict) else {}
    if tuned.get("base"):
        lines += [f"Fine-tuned from {_line(tuned['base'])}.", ""]
    for key, label in (("steps", "Steps"), ("examples_seen", "Examples seen"), ("dataset", "Dataset")):
        if info.get(key) not in (None, ""):
            lines.append(f"- {label}: {_line(info[key])}")
    for sentence in tuned.get("sentences", []) if isinstance(tuned.get("sentences"), list) else []:
        lines.append(f"- {_line(sentence)}")
    lines += ["", "## Try", "", *(f"- {_line(prompt)}" for prompt in prompts), ""]
    lines += ["## Licence", "", "That of the data it learned from; whoever shares the model should say which.", ""]
    return "\n".join(lines)


def _line(value) -> str:
    """A value on one line of Markdown, without anything that it would read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", " ".join(str(value if value is not None else "").split()))[:300]
