"""Reads size, colour, shape and background back from pictures and tones of the shapes dataset, with no trained judge.

Pictures: the background is the median colour of the border, the shape's colour the median of what differs most from it,
and the shape is the one of the dataset's own drawings, over rotations, that overlaps best (Tanimoto coefficient, which
is intersection over union for soft masks) once both have the same centre and area; the area then gives the size.
Tones: the spectrum is compared with those of every shape and pitch, the envelope with every course, both by the cosine
with the dataset's own tones; the energy, given the course, gives the loudness and so the size.

What matches nothing well enough is measured as None, which equals no attribute: noise, or half of a shape, is wrong.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...audio.mel import CENTER_DB, HALF_RANGE_DB, log_mel
from ...errors import DataError
from . import render as rule
from .captions import ATTRIBUTES
from .dataset import parse_concept

MIN_OVERLAP = 0.88  # Tanimoto coefficient below which a shape is not recognised
MAX_COLOUR_DISTANCE = 0.13  # in OKLab, from the nearest colour of the rule
MIN_CONTRAST = 25.0  # levels of 255 between shape and background; less is an empty picture
MIN_SPECTRUM, MIN_COURSE = 0.88, 0.93  # cosines below which a timbre and pitch, or a course, is not recognised
MIN_RADIUS, MAX_RADIUS = 0.6 * rule.SIZES["small"], 1.4 * rule.SIZES["large"]

_CHUNK = 128  # pictures or sounds at a time, which bounds the memory
_LARGEST_SIDE = 64  # larger pictures are averaged down to this, which is enough for the shapes
_PATCH = 24  # pixels a side of the patch in which shapes are compared
_REACH = 1.8  # half the patch's side, in radii of the disc that has the shape's area
_TEXTURE = 0.15  # coverage so close to 0 or 1 (in contrasts) is texture, not the edge of a shape
# A pixel so far (in contrasts) off the line from background to shape has another colour; this share of them may.
_OTHER_COLOUR, _MAX_OTHER = 0.35, 0.2
_ROTATIONS = range(-30, 31, 6)  # degrees; the rule turns by at most 20

Measurement = dict[str, str | None]


def measure_images(images: np.ndarray) -> list[Measurement]:
    """Pictures, uint8 [N, H, H, 3] with H at least 24, -> size, colour, shape and background of each, None if unclear.

    Raises:
        DataError: an array of another type or shape.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3:
        raise DataError("shapes.bad_pictures")
    if images.shape[1] < 24:
        raise DataError("shapes.small_pictures")
    found: list[Measurement] = []
    for chunk in np.array_split(images, math.ceil(len(images) / _CHUNK)) if len(images) else ():
        found += _measure_images(torch.from_numpy(np.ascontiguousarray(chunk)).permute(0, 3, 1, 2).float())
    return found


def _measure_images(pictures: Tensor) -> list[Measurement]:
    if pictures.shape[-1] > _LARGEST_SIDE:
        pictures = F.interpolate(pictures, size=(_LARGEST_SIDE, _LARGEST_SIDE), mode="area")
    mask, paper, ink, contrast = _separate(pictures)
    other = _other_colours(pictures, mask, paper, ink)
    templates, template_shapes, template_radii = _drawn_templates(pictures.shape[-1])
    overlap, best, radius = _match(mask, templates, template_radii)
    found = []
    for n in range(len(pictures)):
        background = _nearest_colour(paper[n], rule.BACKGROUNDS)
        if contrast[n] < MIN_CONTRAST:
            found.append({"size": None, "colour": None, "shape": None, "background": background})
            continue
        size = shape = None
        if MIN_RADIUS <= radius[n] <= MAX_RADIUS:
            size = min(rule.SIZES, key=lambda name: abs(math.log(float(radius[n]) / rule.SIZES[name])))
            shape = template_shapes[int(best[n])] if overlap[n] >= MIN_OVERLAP else None
        colour = _nearest_colour(ink[n], rule.COLOURS) if other[n] <= _MAX_OTHER else None
        found.append({"size": size, "colour": colour, "shape": shape, "background": background})
    return found


def _separate(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """[N, 3, S, S] in 0..255 -> soft mask [N, S, S] in 0..1, background [N, 3], shape's colour [N, 3], contrast [N]."""
    edge = max(1, pictures.shape[-1] // 32)
    border = torch.ones(pictures.shape[-2:], dtype=torch.bool)
    border[edge:-edge, edge:-edge] = False
    paper = pictures[:, :, border].median(dim=-1).values
    distance = (pictures - paper[:, :, None, None]).norm(dim=1)
    peak = distance.flatten(1).quantile(0.99, dim=1)  # even the smallest shape covers 4 % of the picture
    core = distance >= 0.85 * peak[:, None, None]
    ink = torch.where(core[:, None], pictures, torch.nan).flatten(2).nanmedian(dim=-1).values
    contrast = (ink - paper).norm(dim=1)
    coverage = distance / contrast.clamp(min=1.0)[:, None, None]
    texture = 2 * distance[:, border].quantile(0.8, dim=1) / contrast.clamp(min=1.0)
    return _steepen(coverage, texture.clamp(_TEXTURE, 0.4)[:, None, None]), paper, ink, contrast


def _steepen(coverage: Tensor, texture: Tensor | float) -> Tensor:
    """Soft mask without what lies within ``texture`` of 0 or of 1."""
    return ((coverage - texture) / (1 - 2 * texture)).clamp(0, 1)


def _other_colours(pictures: Tensor, mask: Tensor, paper: Tensor, ink: Tensor) -> Tensor:
    """The share [N] of each mask that is neither of the shape's colour nor of a mixture of it with the background."""
    line = ink - paper
    length = line.norm(dim=1).clamp(min=1.0)[:, None, None]
    offset = pictures - paper[:, :, None, None]
    along = (offset * line[:, :, None, None]).sum(dim=1) / length
    beside = (offset.square().sum(dim=1) - along.square()).clamp(min=0).sqrt()
    weight = mask.sum(dim=(1, 2)).clamp(min=1e-3)
    return (mask * (beside > _OTHER_COLOUR * length)).sum(dim=(1, 2)) / weight


def _patches(mask: Tensor, shifts: Sequence[tuple[float, float, float]]) -> tuple[Tensor, Tensor]:
    """Masks [N, S, S] -> patches [N, K, P * P] round their centres, and the radius [N] of a disc of the same area.

    Each of the K ``shifts`` moves the centre (across, down, in those radii) and scales the patch.
    """
    side = mask.shape[-1]
    grid = (torch.arange(side) + 0.5) / side
    area = mask.sum(dim=(1, 2)).clamp(min=1e-3)
    x, y = (mask.sum(dim=1) * grid).sum(dim=1) / area, (mask.sum(dim=2) * grid).sum(dim=1) / area
    radius = (area / math.pi).sqrt() / side
    steps = ((torch.arange(_PATCH) + 0.5) / _PATCH * 2 - 1) * _REACH
    patches = []
    for across, down, zoom in shifts:
        u = x[:, None] + radius[:, None] * (across + steps * zoom)
        v = y[:, None] + radius[:, None] * (down + steps * zoom)
        points = torch.stack(
            [u[:, None, :].expand(-1, _PATCH, -1), v[:, :, None].expand(-1, -1, _PATCH)], dim=-1
        )  # [N, P, P, 2] in 0..1
        patches.append(F.grid_sample(mask[:, None], points * 2 - 1, align_corners=False).flatten(1))
    return torch.stack(patches, dim=1), radius


_SHIFTS = tuple((a, b, z) for z in (0.93, 1.0, 1.07) for a in (-0.08, 0.0, 0.08) for b in (-0.08, 0.0, 0.08))


def _match(mask: Tensor, templates: Tensor, template_radii: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Masks [N, S, S] -> best overlap with any template, that template's number, and the shape's radius, each [N]."""
    patches, disc_radius = _patches(mask, _SHIFTS)
    common = patches @ templates.T  # [N, K, T]
    overlap = common / (patches.square().sum(-1)[..., None] + templates.square().sum(-1) - common).clamp(min=1e-6)
    value, place = overlap.flatten(1).max(dim=1)
    best = place % len(templates)
    zoom = torch.tensor([shift[2] for shift in _SHIFTS])[place // len(templates)]
    return value, best, disc_radius * zoom * template_radii[best]


@functools.lru_cache(maxsize=8)
def _drawn_templates(side: int) -> tuple[Tensor, list[str], Tensor]:
    """The dataset's own drawings, seen through ``side`` pixels: patches [T, P * P], shapes, and radii [T].

    A radius is the rule's, over that of the disc of equal area. Each patch is the mean over a few positions between
    pixels, so that none of them is preferred.
    """
    patches, names, radii = [], [], []
    for shape in rule.SHAPES:
        for degrees in _ROTATIONS if shape in rule.OUTLINES else (0,):
            for size in rule.SIZES.values():
                masks = []
                for across, down in ((0.0, 0.0), (0.25, 0.5), (0.5, 0.75), (0.75, 0.25)):
                    mask = rule.draw_mask(shape, size, 0.5 + across / side, 0.5 + down / side, degrees, 4 * side)
                    masks.append(np.asarray(mask.reduce(4), dtype=np.float32) / 255)
                coverage = torch.from_numpy(np.stack(masks))
                patch, disc_radius = _patches(_steepen(coverage, _TEXTURE), [(0.0, 0.0, 1.0)])
                patches.append(patch.mean(dim=0)[0])
                names.append(shape)
                radii.append(size / float(disc_radius.mean()))
    return torch.stack(patches), names, torch.tensor(radii)


def _oklab(colour: Sequence[float] | Tensor) -> np.ndarray:
    """sRGB [3] in 0..255 -> OKLab [3], in which distance follows seen difference (Ottosson 2020)."""
    value = np.asarray(colour, dtype=np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    cones = _CONES @ linear
    return _OPPONENT @ np.cbrt(cones)


_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_OPPONENT = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def _nearest_colour(colour: Tensor, references: dict[str, tuple[int, int, int]]) -> str | None:
    seen = _oklab(colour)
    distances = {name: float(np.linalg.norm(seen - _oklab(reference))) for name, reference in references.items()}
    name = min(distances, key=lambda name: distances[name])
    return name if distances[name] <= MAX_COLOUR_DISTANCE else None


def measure_sounds(waveforms: np.ndarray) -> list[Measurement]:
    """Tones, float [N, 16384] in -1..1 at 16 kHz, -> size, colour, shape and background of each, None if unclear.

    Raises:
        DataError: an array of another type or shape.
    """
    waveforms = np.asarray(waveforms)
    if waveforms.ndim != 2 or waveforms.shape[1] != rule.NUM_SAMPLES or waveforms.dtype.kind != "f":
        raise DataError("shapes.bad_sounds", samples=rule.NUM_SAMPLES)
    found: list[Measurement] = []
    for chunk in np.array_split(waveforms, math.ceil(len(waveforms) / _CHUNK)) if len(waveforms) else ():
        found += _measure_sounds(torch.from_numpy(np.nan_to_num(chunk.astype(np.float32))))
    return found


def _measure_sounds(waveforms: Tensor) -> list[Measurement]:
    spectra, names, courses, course_names, course_energies = _sounding_templates()
    spectrum, envelope = _spectrum_and_envelope(waveforms)
    spectrum_cosine, spectrum_best = (spectrum @ spectra.T).max(dim=1)
    course_cosine, course_best = (envelope @ courses.T).max(dim=1)
    energy = waveforms.square().mean(dim=1)
    found = []
    for n in range(len(waveforms)):
        shape, colour = names[int(spectrum_best[n])] if spectrum_cosine[n] >= MIN_SPECTRUM else (None, None)
        background = course_names[int(course_best[n])] if course_cosine[n] >= MIN_COURSE else None
        loudness = 10 * math.log10(max(float(energy[n]), 1e-12) / course_energies[int(course_best[n])])
        found.append({"size": _size_of(loudness), "colour": colour, "shape": shape, "background": background})
    return found


def _size_of(loudness: float) -> str | None:
    """The size whose loudness is within half the step between the two, in dB; None when it is too loud or too quiet."""
    half_step = abs(rule.LOUDNESS["large"] - rule.LOUDNESS["small"]) / 2
    name = min(rule.LOUDNESS, key=lambda size: abs(rule.LOUDNESS[size] - loudness))
    return name if abs(rule.LOUDNESS[name] - loudness) <= half_step else None


def _spectrum_and_envelope(waveforms: Tensor) -> tuple[Tensor, Tensor]:
    """[N, num_samples] -> spectrum [N, bands] (square roots of magnitudes) and envelope [N, T], each of unit length."""
    magnitude = 10 ** ((log_mel(waveforms) * HALF_RANGE_DB + CENTER_DB) / 20)
    spectrum = magnitude.square().mean(dim=2).pow(0.25)  # the square root lets weak partials count
    envelope = magnitude.square().sum(dim=1).sqrt()
    return F.normalize(spectrum, dim=1), F.normalize(envelope, dim=1)


@functools.lru_cache(maxsize=1)
def _sounding_templates() -> tuple[Tensor, list[tuple[str, str]], Tensor, list[str], list[float]]:
    """Spectra [S, bands] with (shape, colour) of each; envelopes [C, T] with background and mean square of each."""
    tones, names = [], []
    for shape, colour in ((shape, colour) for shape in rule.SHAPES for colour in rule.COLOURS):
        for cents in (-20.0, 0.0, 20.0):
            ratios, amplitudes = rule.TIMBRES[shape]
            tones.append(0.1 * rule.partials(rule.PITCHES[colour] * 2 ** (cents / 1200), ratios, amplitudes))
            names.append((shape, colour))
    spectra, _ = _spectrum_and_envelope(torch.from_numpy(np.stack(tones)))
    carrier = 0.3 * rule.partials(440.0, (1.0,), (1.0,))
    courses, course_names = [], []
    for background, name in rule.COURSES.items():
        for onset in np.linspace(0, rule.ONSET_JITTER, 3):
            for stretch in np.linspace(1 - rule.STRETCH_JITTER, 1 + rule.STRETCH_JITTER, 5):
                courses.append(rule.course(name, onset, stretch))
                course_names.append(background)
    _, envelopes = _spectrum_and_envelope(torch.from_numpy(np.stack(courses) * carrier))
    return spectra, names, envelopes, course_names, [float(np.square(c).mean()) for c in courses]


Reading = tuple[dict[str, str], dict[str, str | None], dict[str, str | None]]  # asked, seen, heard: attribute -> value


def read(images: np.ndarray, waveforms: np.ndarray, concepts: Sequence[str]) -> list[Reading]:
    """What was asked for, and what pictures and sounds show of it.

    Args:
        images: uint8 [N, H, H, 3].
        waveforms: float [N, 16384].
        concepts: what item n should show, like "large red star on blue".

    Raises:
        DataError: arrays of another kind or of different lengths, nothing to measure, or an unknown concept.
    """
    if not len(images) == len(waveforms) == len(concepts) or not len(concepts):
        raise DataError("shapes.uneven")
    asked = [parse_concept(concept)._asdict() for concept in concepts]
    return list(zip(asked, measure_images(images), measure_sounds(waveforms), strict=True))


def coherence(readings: Sequence[Reading]) -> dict[str, float]:
    """How often pictures and sounds show what was asked for, and the same as each other.

    Returns:
        Shares in 0..1: "image", "sound" and "both" have all four attributes of the concept right; "agree": picture and
        sound say the same, asked for or not; "image shape", "sound shape" and so on: one attribute right.
    """

    def share(test) -> float:
        return sum(test(*reading) for reading in readings) / len(readings)

    rates = {
        "image": share(lambda a, s, h: s == a),
        "sound": share(lambda a, s, h: h == a),
        "both": share(lambda a, s, h: s == a == h),
        "agree": share(lambda a, s, h: s == h and None not in s.values()),
    }
    for name in ATTRIBUTES:
        rates[f"image {name}"] = share(lambda a, s, h, name=name: s[name] == a[name])
        rates[f"sound {name}"] = share(lambda a, s, h, name=name: h[name] == a[name])
    return rates


def confusions(readings: Sequence[Reading], limit: int = 8) -> list[tuple[str, float]]:
    """The commonest mistakes: "image colour: blue as yellow", and its share of the items that were to show that value.

    "Unclear" is what no value of the rule fits.
    """
    asked_for, mistakes = Counter(), Counter()
    for asked, *shown in readings:
        for part, found in zip(("image", "sound"), shown, strict=True):
            for name, value in asked.items():
                asked_for[part, name, value] += 1
                if found[name] != value:
                    mistakes[part, name, value, found[name] or "unclear"] += 1
    return [
        (f"{part} {name}: {value} as {instead}", count / asked_for[part, name, value])
        for (part, name, value, instead), count in mistakes.most_common(limit)
    ]
