"""The ways through the model, as HTML: a stage that shows one step, and the sliders that choose it.

All steps are in the page already, so that dragging is instant; ``assets/sample/explore.js`` shows the chosen one.
"""

from __future__ import annotations

from ...language import say
from ...sampling.paths import PARTS
from .cards import PLAY_ICON, escape
from .sampler import Samples


def morph(result: Samples, other: str, language: str = "en") -> str:
    """A stage with one slider from ``result.prompt`` to ``other``."""
    last = len(result.samples) - 1
    pictures, sounds = [], []
    for index, sample in enumerate(result.samples):
        at = say("morph_at", language, percent=round(100 * index / last), prompt=other)
        pictures.append((f"{index}", sample, at))
        sounds.append((f"{index}", sample, at))
    slider = _slider("", 0, last, say("morph_slider", language), [at for *_, at in pictures])
    ends = "".join(f'<span dir="auto">{escape(prompt)}</span>' for prompt in (result.prompt, other))
    ends = f'<div class="mm-ends" aria-hidden="true">{ends}</div>'
    return _stage(pictures, sounds, "0", f'<div class="mm-sliders">{slider}{ends}</div>', language)


def walk(ways: dict[str, Samples], language: str = "en") -> str:
    """A stage with a slider for each part of the latents, all starting in the middle."""
    result = ways[PARTS[0]]
    steps = len(result.samples)
    middle = steps // 2
    pictures = [("start", result.samples[middle], say("walk_at", language, step=middle + 1, steps=steps))]
    sounds = [("start", result.samples[middle], pictures[0][2])]
    sliders = []
    for code in PARTS:
        name, ats = say(f"walk_{code}", language), []
        for index, sample in enumerate(ways[code].samples):
            at = say("walk_at", language, step=index + 1, steps=steps)
            ats.append(at)
            if index == middle:
                continue
            if code != "audio":  # what does not change is not sent again: the stage then shows the start's
                pictures.append((f"{code}{index}", sample, f"{name}, {at}"))
            if code != "image":
                sounds.append((f"{code}{index}", sample, f"{name}, {at}"))
        about = say(f"walk_{code}_about", language)
        sliders.append(
            f'<div class="mm-code mm-code-{code}"><span class="mm-code-name">{escape(name)}'
            f"<small>{escape(about)}</small></span>{_slider(code, middle, steps - 1, f'{name}: {about}', ats)}</div>"
        )
    return _stage(pictures, sounds, "start", f'<div class="mm-sliders">{"".join(sliders)}</div>', language)


def _slider(code: str, value: int, last: int, name: str, texts: list[str]) -> str:
    """``texts`` is what a screen reader says at each position."""
    return (
        f'<input type="range" class="mm-slide" min="0" max="{last}" step="1" value="{value}" data-code="{code}"'
        f' data-start="{value}" aria-label="{escape(name)}" aria-valuetext="{escape(texts[value])}"'
        f' data-texts="{escape(chr(31).join(texts))}">'
    )


def _stage(pictures, sounds, shown: str, sliders: str, language: str) -> str:
    def image(at, picture, uri, text, kind):
        width, height = picture.size
        alt = escape(say(f"stage_{kind}", language, at=text))
        current = " mm-shown" if at == shown else ""
        return (
            f'<img class="mm-{kind}{current}" data-at="{at}" src="{uri}" alt="{alt}" width="{width}" height="{height}">'
        )

    seen = "".join(image(at, s.image, s.image_uri, text, "picture") for at, s, text in pictures)
    drawn = "".join(image(at, s.spectrogram, s.spectrogram_uri, text, "spectrogram") for at, s, text in sounds)
    heard = "".join(f'<audio preload="none" data-at="{at}" src="{s.audio_uri}"></audio>' for at, s, _ in sounds)
    hint, play = escape(say("spectrogram_hint", language)), escape(say("stage_play", language))
    return (
        f'<div class="mm-stage" data-start="{shown}"><div class="mm-pair"><div class="mm-stack">{seen}</div>'
        f'<div class="mm-stack mm-sound" title="{hint}">{drawn}<i class="mm-head"></i></div></div>'
        f'<div class="mm-bar"><button type="button" class="mm-play" aria-label="{play}">{PLAY_ICON}</button>{sliders}'
        f"</div>{heard}</div>"
    )
