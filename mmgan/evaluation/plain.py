"""Comparisons that need no judge: in pixels and log-mels, averaged down so that a pixel's shift changes little."""

from __future__ import annotations

from .compare import Figures, distances, diversity, memorisation
from .samples import Generated, Items, bands, mels_of, pixels


def compare_images(figures: Figures, generated: Generated, training: Items, seed: int) -> None:
    """Distances in 8x8 pixels; diversity and nearest training pictures in 16x16."""
    coarse, fine = (
        [Items(pixels(items.values, side).numpy(), items.concepts) for items in (generated.images, training)]
        for side in (8, 16)
    )
    distances(figures, "image", *coarse, seed, "8x8 pixels")
    diversity(figures, "image", "pixels", *fine)
    memorisation(figures, "image", *fine, None, "16x16 pixels")


def compare_sounds(figures: Figures, generated: Generated, training: Items, seed: int) -> None:
    """Distances in 16x8 numbers of the log-mel; diversity and nearest training sounds in 32x32."""
    mels = [(mels_of(items.values, generated.audio), items.concepts) for items in (generated.sounds, training)]
    coarse, fine = (
        [Items(bands(mel, *shape).numpy(), concepts) for mel, concepts in mels] for shape in ((16, 8), (32, 32))
    )
    distances(figures, "audio", *coarse, seed, "16x8 log-mel")
    diversity(figures, "audio", "log-mel", *fine)
    memorisation(figures, "audio", *fine, None, "32x32 log-mel")
