"""Results as HTML: a card for each sample, with its picture, its spectrogram and its player.

Everything is in the page itself as data URIs: no file is written, and none is served. ``assets/page.js`` moves the
players, ``assets/style.css`` lays the cards out.
"""

from __future__ import annotations

import html

from .sampling import Sample, Samples, png_uri, wav_uri
from .strings import say

# gradio treats the value of an HTML component as a template, so these would not stay what was typed.
_TEMPLATE_MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "{}$`\\"})

PLAIN = {"js_on_load": None, "apply_default_css": False}  # for gr.HTML: our markup and our style sheet, nothing added

_PLAY_ICON = (
    '<svg class="mm-icon-play" viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.5v13l10.5-6.5z"/></svg>'
    '<svg class="mm-icon-stop" viewBox="0 0 24 24" aria-hidden="true"><path d="M7 7h10v10H7z"/></svg>'
)


def escape(text: str) -> str:
    """``text`` for an element or an attribute of the page: shown as it was typed, and nothing else."""
    return html.escape(text, quote=True).translate(_TEMPLATE_MARKS)


def alert(sentence: str) -> str:
    """One sentence right at the prompt, read out by screen readers."""
    return f'<p class="mm-alert" role="alert">{escape(sentence)}</p>'


def empty() -> str:
    """What stands where results will be."""
    return f'<p class="mm-empty">{escape(say("empty"))}</p>'


def results(result: Samples) -> str:
    """The cards of one request under its prompt, and one quiet line that says what ran."""
    cards = "".join(_card(sample, index, result) for index, sample in enumerate(result.samples, start=1))
    play_all = ""
    if len(result.samples) > 1:
        play_all = (
            f'<button type="button" class="mm-play-all">{_PLAY_ICON}<span>{escape(say("play_all"))}</span></button>'
        )
    return (
        f'<section class="mm-results" aria-label="{escape(say("results"))}">'
        f'<header><h2 dir="auto">{escape(result.prompt)}</h2>{play_all}</header>'
        f'<ol class="mm-grid">{cards}</ol>'
        f'<p class="mm-ran" role="status">{escape(_what_ran(result))}</p></section>'
    )


def _card(sample: Sample, index: int, result: Samples) -> str:
    def text(key):
        return escape(say(key, prompt=result.prompt, index=index))

    picture, sound = png_uri(sample.image), wav_uri(sample.waveform, result.sampling_rate)
    width, height = sample.image.size
    seconds = escape(say("seconds", seconds=len(sample.waveform) / result.sampling_rate))
    return f"""<li class="mm-card">
<div class="mm-pair">
<img class="mm-picture" src="{picture}" alt="{text("picture")}" width="{width}" height="{height}">
<div class="mm-sound" title="{text("spectrogram_hint")}">
<img class="mm-spectrogram" src="{png_uri(sample.spectrogram)}" alt="{text("spectrogram")}"><i class="mm-head"></i>
</div>
</div>
<div class="mm-bar">
<button type="button" class="mm-play" aria-label="{text("play")}">{_PLAY_ICON}</button>
<audio preload="metadata" src="{sound}"></audio><span class="mm-length">{seconds}</span>
{_save(picture, "png", index, result)}{_save(sound, "wav", index, result)}
</div>
</li>"""


def _save(uri: str, kind: str, index: int, result: Samples) -> str:
    name, label = f"{result.model}-{result.seed}-{index}.{kind}", escape(say(f"save_{kind}", index=index))
    return f'<a class="mm-save" download="{name}" href="{uri}" aria-label="{label}">{kind.upper()}</a>'


def _what_ran(result: Samples) -> str:
    count = len(result.samples)
    line = say(
        "ran", model=result.model, milliseconds=result.milliseconds, seed=result.seed,
        count=say("one_sample") if count == 1 else say("many_samples", count=count),
        device=say("cpu") if result.device.startswith("cpu") else result.device,
    )  # fmt: skip
    if result.truncation != 1:
        line += say("ran_truncation", truncation=result.truncation)
    return f"{line}. {result.notice}" if result.notice else line
