"""Every text of the page, in English and Simplified Chinese: one module for the frame and one for each tab.

A component's property takes :func:`label`, which the browser turns into its language; HTML written once for everybody
takes :func:`mmgan.ui.cards.said`, which ``assets/page.js`` turns; answers to one person take :func:`say` in the
:func:`language` of their request.
"""

from __future__ import annotations

import re

import gradio as gr
from gradio.i18n import I18nData

from . import collect, page, sample, train

LANGUAGES = ("en", "zh")  # the order of the two texts of a key
COOKIE = "mmgan-language"  # what the switch in the header remembers; without it the browser's own language counts
TEXTS: dict[str, tuple[str, str]] = {**page.TEXTS, **sample.TEXTS, **train.TEXTS, **collect.TEXTS}
_PLURAL = re.compile(r"\{(\w+)\|([^|{}]*)\|([^|{}]*)\}")
_MARK = "mm_"  # gradio's own texts have plain names such as "audio", which ours must not replace


def say(key: str, language: str = "en", **values) -> str:
    """The text of ``key`` with its ``{places}`` filled in; plain text, so escape it before it becomes HTML."""
    return filled(TEXTS[key][LANGUAGES.index(language)], **values)


def filled(text: str, **values) -> str:
    """``text`` with its places filled in; of ``{count|file|files}`` the first for a count of 1, else the second.

    Scripts of the page have the same as ``mmgan.filled`` of ``assets/page.js``.
    """
    text = _PLURAL.sub(lambda m: m[2] if str(values[m[1]]) == "1" else m[3], text)
    return text.format(**values) if values else text


def label(key: str) -> I18nData:
    """The text of ``key`` for a component's label, info, placeholder, title or value, in each browser's language."""
    if key not in TEXTS:
        raise KeyError(key)
    return I18nData(_MARK + key)


def language(request: gr.Request | None) -> str:
    """``"zh"`` for a visitor who chose Chinese, or whose browser prefers it; ``"en"`` for everybody else."""
    if request is None:  # called from Python
        return "en"
    chosen = (getattr(request, "cookies", None) or {}).get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    preferred = (getattr(request, "headers", None) or {}).get("accept-language", "")
    return "zh" if preferred.split(",")[0].strip().lower().startswith("zh") else "en"


def i18n() -> gr.I18n:
    """All texts for ``launch(i18n=...)``. Traditional Chinese falls back to Simplified, other languages to English."""
    english, chinese = ({_MARK + key: texts[i] for key, texts in TEXTS.items()} for i in range(len(LANGUAGES)))
    return gr.I18n(en=english, zh=chinese, **{"zh-CN": chinese, "zh-TW": chinese})
