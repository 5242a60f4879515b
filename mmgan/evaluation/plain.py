"""Comparisons that need no judge: in pixels and log-mels, averaged down so that a pixel's shift changes little."""

from __future__ import annotations

from .compare import Figures, distances, diversity, memorisation
from .samples import Generated, Items, bands, mels_of, pixels


def compare_images(figures: Figures, generated: Generated, training: Items, seed: int) -> None:
    """Distances in 8x8 pixels; diversity and nearest training pictures in 16x16."""

    def small(side: int) -> list[Items]:
        return [Items(pixels(items.values, side).numpy(), items.concepts) for items in (generated.images, training)]

    ours, theirs = small(8)
    distances(figures, "image", ours, theirs, seed, "8x8 pixels")
    ours, theirs = small(16)
    diversity(figures, "image", "pixels", ours, theirs)
    memorisation(figures, "image", ours, theirs, None, "16x16 pixels")


def compare_sounds(figures: Figures, generated: Generated, training: Items, seed: int) -> None:
    """Distances in 16x8 numbers of the log-mel; diversity and nearest training sounds in 32x32."""
    made, real = (mels_of(items.values, generated.audio) for items in (generated.sounds, training))

    def small(height: int, width: int) -> tuple[Items, Items]:
        return (
            Items(bands(made, height, width).numpy(), generated.sounds.concepts),
            Items(bands(real, height, width).numpy(), training.concepts),
        )

    ours, theirs = small(16, 8)
    distances(figures, "audio", ours, theirs, seed, "16x8 log-mel")
    ours, theirs = small(32, 32)
    diversity(figures, "audio", "log-mel", ours, theirs)
    memorisation(figures, "audio", ours, theirs, None, "32x32 log-mel")
