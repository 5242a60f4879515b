"""In which language each visitor reads the page, and its texts for gradio and for the page's scripts.

A component's property takes :func:`label`, which the browser turns into its language; HTML written once for everybody
takes :func:`mmgan.ui.sample.cards.said`, which ``assets/page/language.js`` turns; answers to one person take
:func:`mmgan.language.say` in the :func:`language` of their request.
"""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr
from gradio.i18n import I18nData

from ..language import ENGLISH, LANGUAGES, PAGE, rooms, say, texts

COOKIE = "mmgan-language"  # remembers the switch in the header; without it the browser's language counts
ROOMS = tuple(room for room in rooms() if room.startswith(PAGE))
_ADDED: dict[str, dict[str, str]] = {spoken: {} for spoken in LANGUAGES}  # texts of tabs that bring their own
_MARK = "mm_"  # keeps ours from replacing gradio's own texts, whose names are plain, such as "audio"


def add_texts(more: Mapping[str, Mapping[str, str]]) -> None:
    """Adds texts to the page's: language -> key -> text, English for each key."""
    for spoken in LANGUAGES:
        _ADDED[spoken] |= {**more.get(ENGLISH, {}), **more.get(spoken, {})}


def _texts() -> dict[str, dict[str, str]]:
    """Language -> key -> text of all that the page says."""
    keys = [key for room in ROOMS for key in rooms()[room]]
    return {spoken: {key: texts(spoken)[key] for key in keys} | _ADDED[spoken] for spoken in LANGUAGES}


def page_texts() -> dict[str, dict[str, str]]:
    """Language -> key -> text of the whole page, with what the switch to the next language is called."""
    found = _texts()
    for spoken, other in zip(LANGUAGES, (*LANGUAGES[1:], LANGUAGES[0]), strict=True):
        own = found[other]["language_name"]
        called = found[spoken].get(f"language_{other}", own)
        found[spoken] |= {"other_language": own, "other_language_hint": say("show_in", spoken, language=called)}
    return found


def label(key: str) -> I18nData:
    """The text of ``key`` for a component's label, info, placeholder, title or value, in each browser's language."""
    if key not in _ADDED[ENGLISH] and not any(key in rooms()[room] for room in ROOMS):
        raise KeyError(key)
    return I18nData(_MARK + key)


def language(request: gr.Request | None) -> str:
    """The language that a visitor chose, else the one that their browser prefers, where it is one of ours."""
    if request is None:  # called from Python
        return ENGLISH
    chosen = (getattr(request, "cookies", None) or {}).get(COOKIE)
    preferred = (getattr(request, "headers", None) or {}).get("accept-language", "")
    preferred = preferred.split(",")[0].split(";")[0].split("-")[0].strip().lower()
    return next((spoken for spoken in (chosen, preferred) if spoken in LANGUAGES), ENGLISH)


def i18n() -> gr.I18n:
    """All texts for ``launch(i18n=...)``. Traditional Chinese falls back to Simplified, other languages to English."""
    tables = {spoken: {_MARK + key: text for key, text in found.items()} for spoken, found in _texts().items()}
    return gr.I18n(**tables, **{"zh-CN": tables["zh"], "zh-TW": tables["zh"]})
