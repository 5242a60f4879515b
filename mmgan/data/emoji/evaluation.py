"""The emoji's evaluation: whether the thing is there, in the style and the colour asked for, and with the other one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ...errors import MmganError
from ...evaluation.compare import FEWEST, Figures, diversity, memorisation
from ...evaluation.judges import LiveJudge
from ...evaluation.plain import compare_sounds
from ...evaluation.samples import Generated, Items, pixels, real_images, real_sounds
from ...image.pictures import to_pil
from . import asking
from .captions import STYLES
from .colours import COLOURS, distance, main_hue
from .dataset import HUE_SIDE, Emoji
from .files import present
from .judge import Judge, chosen_eyes, light_judge

FIRST, FEW = 5, 20  # places among all things that count as found
NEAR_HUE = 20  # of 256: a main hue so near to the colour's has it
REAL_OF_A_KIND = 200  # real pictures in a colour, and of two things, that are judged beside the generated ones


def evaluate(
    pipeline, generated: Generated, train: Emoji, held_out: Callable[[], Emoji], seed: int, progress: bool = True
) -> tuple[Figures, dict]:
    """Figures for each kind of prompt, and a table; see :class:`mmgan.data.registry.DatasetPackage`.

    Raises:
        CheckpointError: ``MMGAN_EYES`` names a folder without eyes.
    """
    eyes, words = chosen_eyes()
    test = held_out()
    judge, figures = Judge.of(train, test, eyes=eyes), Figures()
    meanings = {prompt: asked for prompt, asked in zip(train.prompts(), train.asked, strict=True)}
    samples = _Samples(judge, generated, [meanings[prompt] for prompt in generated.prompts])
    real = judge.real_places()
    for kind, name in ((asking.PLAIN, "seen"), (asking.NEW, "held_out")):
        of_kind = torch.tensor([train.known[place].held_out == (kind == asking.NEW) for place in judge.concept])
        theirs = real[of_kind & (real >= 0)]
        for limit in (FIRST, FEW):
            figures.share(
                f"image_{name}_in_first_{limit}", samples.found(kind, limit), _share(theirs < limit),
                f"among {len(judge.names)} things, {words}; real: each picture by the others of its thing",
            )  # fmt: skip
    _styles(figures, samples, judge, words)
    _colours(figures, samples, train, seed)
    _two(figures, samples, judge, train, seed, words)
    _variety(figures, samples, judge, train, test, words)
    _sounds(figures, generated, train, seed)
    table = [
        {"kind": kind, "first": samples.found(kind, 1)}
        | {f"first_{limit}": samples.found(kind, limit) for limit in (FIRST, FEW)}
        for kind in (*asking.COUNTS, asking.NEW)
        if samples.of(kind)
    ]
    return figures, {"found_per_kind": table}


class _Samples:
    """Generated pictures, what each was asked for, and what the judge sees."""

    def __init__(self, judge: Judge, generated: Generated, asked: Sequence[asking.Asked]):
        self.generated, self.asked = generated, asked
        self.images = _tensor(generated.images.values)
        self.seen = judge.see(self.images)
        self.first = judge.places(self.seen, torch.tensor([one.first for one in asked]))
        two = self.of(asking.TWO)
        things = torch.tensor([[asked[index].first, asked[index].second or 0] for index in two]).reshape(-1, 2)
        self.both = torch.maximum(self.first[two], judge.places(self.seen[two], things[:, 1]))

    def of(self, kind: str) -> list[int]:
        return [index for index, one in enumerate(self.asked) if one.kind == kind]

    def found(self, kind: str, limit: int) -> float | None:
        return _share(self.first[self.of(kind)] < limit)


def _styles(figures: Figures, samples: _Samples, judge: Judge, words: str) -> None:
    chosen = samples.of(asking.STYLE)
    wanted = torch.tensor([list(STYLES).index(samples.asked[index].style) for index in chosen], dtype=torch.long)
    read = judge.styles(samples.images[chosen], samples.seen[chosen]) if chosen else wanted
    figures.share(
        "image_style_as_asked", _share(read == wanted), _share(judge.real_styles()),
        f"read by a regression on the training pictures, {words}; real: pictures of the things held out",
    )  # fmt: skip


def _colours(figures: Figures, samples: _Samples, train: Emoji, seed: int) -> None:
    chosen = [index for index in samples.of(asking.COLOUR) if _has_hue(samples.asked[index].colour)]
    ours = [_obeyed(samples.images[index], samples.asked[index].colour) for index in chosen]
    draw, theirs = np.random.default_rng(seed), []
    asked = [one for one in train.asked if one.kind == asking.COLOUR and _has_hue(one.colour)]
    for one in [asked[i] for i in draw.permutation(len(asked))[:REAL_OF_A_KIND]]:
        bright = [index for index in train.of[one.first] if train.hue(index) is not None]
        picture = train.image(train.coloured(bright[0], one.colour))
        theirs.append(_obeyed(_tensor(np.array(picture).transpose(2, 0, 1)), one.colour))
    figures.share(
        "image_colour_as_asked", _share(torch.tensor(ours)), _share(torch.tensor(theirs)),
        "the hue that most coloured pixels have; black and grey left out; real: pictures with their hue changed",
    )  # fmt: skip


def _two(figures: Figures, samples: _Samples, judge: Judge, train: Emoji, seed: int, words: str) -> None:
    draw = np.random.default_rng(seed)
    pairs = draw.permutation(len(train.pairs))[:REAL_OF_A_KIND]
    pictures = [train.image(train.paired(int(pair), int(pair) % len(STYLES))) for pair in pairs]
    theirs = torch.zeros(0, dtype=torch.bool)
    if pictures:
        images = torch.stack([_tensor(np.array(picture).transpose(2, 0, 1)) for picture in pictures])
        sides = [torch.tensor([train.pairs[pair][side] for pair in pairs]) for side in (0, 1)]
        seen = judge.see(images)
        theirs = torch.maximum(judge.places(seen, sides[0]), judge.places(seen, sides[1])) < FEW
    figures.share(
        f"image_two_things_in_first_{FEW}", _share(samples.both < FEW), _share(theirs),
        f"both, {words}; real: pictures of two things",
    )  # fmt: skip


def _variety(figures: Figures, samples: _Samples, judge: Judge, train: Emoji, test: Emoji, words: str) -> None:
    """Samples of one prompt to each other, beside real pictures of one thing; and to the nearest training picture."""
    chosen = samples.of(asking.PLAIN)
    texts = [samples.generated.prompts[index].text for index in chosen]
    names = [judge.names[place] for place in judge.concept]
    ours = Items(samples.seen[chosen].numpy(), texts)
    if len(set(texts)) < len(texts):
        diversity(figures, "image", "features", ours, Items(judge.real.numpy(), names))
        figures["image_diversity_in_features"]["note"] += f", {words}"
    drawn = samples.generated.images.values
    if chosen:
        made, learned, unseen = (
            Items(pixels(values, 16).numpy(), concepts)
            for values, concepts in (
                (drawn[chosen], texts),
                _values(real_images(train, range(len(train.pictures)), drawn)),
                _values(real_images(test, range(len(test.pictures)), drawn)),
            )
        )
        memorisation(figures, "image", made, learned, unseen, "16x16 pixels; real: of held-out things")


def _sounds(figures: Figures, generated: Generated, train: Emoji, seed: int) -> None:
    """Of the prompts whose thing has sounds, where there are some with several samples each."""
    named = {train.known[place].english for place in train.sounding}
    chosen = [index for index, prompt in enumerate(generated.prompts) if prompt.concept in named]
    if len(chosen) < FEWEST or len({generated.prompts[index] for index in chosen}) == len(chosen):
        return
    heard = Generated(
        generated.images.take(chosen), generated.sounds.take(chosen), generated.mels[chosen],
        [generated.prompts[index] for index in chosen], generated.audio,
    )  # fmt: skip
    compare_sounds(figures, heard, real_sounds(train, range(train.num_sounds), generated.audio), seed)


def live_judge() -> LiveJudge | None:
    """The share whose thing is among the first five; of two things, both among the first twenty. Colours are not read.

    By colours and edges, whatever ``MMGAN_EYES`` says: it is asked while a training runs. None without the files.
    """
    try:
        judge = light_judge() if present() else None
    except MmganError:
        judge = None
    if judge is None:
        return None
    places = {name: place for place, name in enumerate(judge.names)}

    def measure(images: Tensor, mels: Tensor, concepts: Sequence[str]) -> dict[str, float]:
        images, named = images.detach().cpu(), [asking.things(concept)[0] for concept in concepts]
        two = torch.tensor([len(names) == 2 for names in named])
        first, last = (torch.tensor([places[names[side]] for names in named]) for side in (0, -1))
        seen = judge.see(images)
        hits = judge.places(seen, first) < FIRST
        both = torch.maximum(judge.places(seen, first), judge.places(seen, last)) < FEW
        hits = torch.where(two, both, hits)
        return {"image_accuracy": float(hits.float().mean())}

    return measure


def _has_hue(colour: str) -> bool:
    return colour not in ("black", "grey")


def _obeyed(image: Tensor, colour: str) -> bool:
    picture = to_pil(image).convert("RGB")
    hue = main_hue(picture.resize((HUE_SIDE, HUE_SIDE)))
    return hue is not None and bool(distance(hue, COLOURS[colour].hue) <= NEAR_HUE)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float() / 127.5 - 1


def _values(items: Items) -> tuple[np.ndarray, list[str]]:
    return items.values, items.concepts


def _share(hits: Tensor) -> float | None:
    return float(hits.float().mean()) if len(hits) else None
