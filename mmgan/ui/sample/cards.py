"""Results as HTML: a card for each sample, with its picture, its spectrogram and its player.

Everything is in the page itself as data URIs: no file is written, and none is served. ``assets/page/player.js`` moves
the players, ``assets/sample/sample.css`` lays the cards out.
"""

from __future__ import annotations

import html

from ...language import say
from ...text.words import word_groups
from ..server.sentences import sentence
from .sampler import Sample, Samples

# gradio treats the value of an HTML component as a template, in which these characters mean something.
_TEMPLATE_MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "{}$`\\"})

PLAIN = {"js_on_load": None, "apply_default_css": False}  # for gr.HTML: our markup and style sheet alone

PLAY_ICON = (
    '<svg class="mm-icon-play" viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.5v13l10.5-6.5z"/></svg>'
    '<svg class="mm-icon-stop" viewBox="0 0 24 24" aria-hidden="true"><path d="M7 7h10v10H7z"/></svg>'
)
HEART_ICON = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 20.3 4.6 13a4.9 4.9 0 0 1 0-7 5 5 0 0 1 7 0l.4.4.4-.4a5 '
    '5 0 0 1 7 0 4.9 4.9 0 0 1 0 7z"/></svg>'
)
ZIP_ICON = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4v10m-4-4 4 4 4-4M5 19h14"/></svg>'


def escape(text: str) -> str:
    """``text`` for an element or an attribute of the page: shown as it was typed, and nothing else."""
    return html.escape(text, quote=True).translate(_TEMPLATE_MARKS)


def said(key: str, tag: str = "span", attributes: str = "") -> str:
    """An element with the text of ``key`` for HTML that is written once for everybody: English until the browser
    (``assets/page/language.js``) puts its own language in."""
    return f'<{tag} data-say="{key}"{attributes and " " + attributes}>{escape(say(key))}</{tag}>'


def alert(sentence: str) -> str:
    """One sentence right at the prompt, read out by screen readers."""
    return f'<p class="mm-alert" role="alert">{escape(sentence)}</p>'


def empty(key: str = "empty") -> str:
    """What stands where results will be."""
    return said(key, "p", 'class="mm-empty"')


def results(result: Samples, language: str = "en", nearest: str = "", explained: bool = False) -> str:
    """The cards of one request under its prompt, and one quiet line that says what ran.

    Args:
        nearest: the caption nearest to a prompt that the model does not know.
        explained: whether the prompt's words can be marked, as ``assets/sample/tab.js`` does once it knows which
            mattered.
    """
    words = word_groups(result.prompt) if explained else []
    words = words if len(words) > 1 else []

    def text(key):
        return escape(say(key, language))

    cards = "".join(_card(sample, index, result, language) for index, sample in enumerate(result.samples, start=1))
    buttons = (
        f'<button type="button" class="mm-pill mm-zip" title="{text("zip_hint")}" aria-label="{text("zip_results")}">'
        f"{ZIP_ICON}<span>ZIP</span></button>"
    )
    if len(result.samples) > 1:
        buttons = (
            f'<button type="button" class="mm-pill mm-play-all">{PLAY_ICON}<span>{text("play_all")}</span></button>'
            + buttons
        )
    return (
        f'<section class="mm-results" aria-label="{text("results")}">'
        f'<header><div><h2 dir="auto">{_words(result.prompt, words)}</h2>'
        f"{_explained(bool(words), nearest, language)}</div>"
        f'<div class="mm-actions">{buttons}</div></header>'
        f'<ol class="mm-grid">{cards}</ol>'
        f'<p class="mm-ran" role="status">{escape(_what_ran(result, language))}</p></section>'
    )


def _words(prompt: str, words: list[tuple[int, int]]) -> str:
    """The prompt with elements around its words; as text it stays what it was."""
    parts, place = [], 0
    for start, end in words:
        parts += [escape(prompt[place:start]), f'<span class="mm-word">{escape(prompt[start:end])}</span>']
        place = end
    return "".join(parts) + escape(prompt[place:])


def _explained(words: bool, nearest: str, language: str) -> str:
    lines = ""
    if words:
        lines += f'<p class="mm-why"><span aria-hidden="true">{escape(say("words_hint", language))}</span></p>'
    if nearest:
        lines += f'<p class="mm-unfamiliar">{escape(say("unfamiliar", language, nearest=nearest))}</p>'
    return lines


def _card(sample: Sample, index: int, result: Samples, language: str) -> str:
    def text(key):
        return escape(say(key, language, prompt=result.prompt, index=index))

    picture, sound = sample.image_uri, sample.audio_uri
    width, height = sample.image.size
    seconds = escape(say("seconds", language, seconds=len(sample.waveform) / result.sampling_rate))
    data = {"prompt": result.prompt, "model": result.model, "seed": sample.seed, "truncation": f"{result.truncation:g}"}
    attributes = "".join(f' data-{name}="{escape(str(value))}"' for name, value in data.items())
    return f"""<li class="mm-card"{attributes}>
<div class="mm-pair">
<img class="mm-picture" src="{picture}" alt="{text("picture")}" width="{width}" height="{height}">
<div class="mm-sound" title="{text("spectrogram_hint")}">
<img class="mm-spectrogram" src="{sample.spectrogram_uri}" alt="{text("spectrogram")}"><i class="mm-head"></i>
</div>
</div>
<div class="mm-bar">
<button type="button" class="mm-play" aria-label="{text("play")}">{PLAY_ICON}</button>
<audio preload="metadata" src="{sound}"></audio><span class="mm-length">{seconds}</span>
{_save(picture, "png", index, result, language)}{_save(sound, "wav", index, result, language)}
<button type="button" class="mm-keep" aria-pressed="false" aria-label="{text("keep")}">{HEART_ICON}</button>
</div>
</li>"""


def _save(uri: str, kind: str, index: int, result: Samples, language: str) -> str:
    name = escape(f"{result.model.rpartition('/')[2]}-{result.seed}-{index}.{kind}")
    label = escape(say(f"save_{kind}", language, index=index))
    return f'<a class="mm-save" download="{name}" href="{uri}" aria-label="{label}">{kind.upper()}</a>'


def _what_ran(result: Samples, language: str) -> str:
    count = len(result.samples)
    line = say(
        "ran", language, model=result.model, milliseconds=result.milliseconds, seed=result.seed,
        count=say("samples_made", language, count=count),
        device=say("cpu", language) if result.device.startswith("cpu") else result.device,
    )  # fmt: skip
    if result.truncation != 1:
        line += say("ran_truncation", language, truncation=result.truncation)
    if result.remembered:
        line += say("ran_before", language)
    elif result.company > 1:
        line += say("ran_together", language, count=result.company - 1)
    if not result.notice:
        return line
    return say("ran_notice", language, line=line, notice=sentence(result.notice, language))
