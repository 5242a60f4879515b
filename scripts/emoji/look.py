"""How well a model of the emoji's first stretch says what it is asked, by eyes that it was not trained with.

    python -m scripts.emoji.look emoji64.npz eyes/lite2 RUN

Prints one line of JSON and writes RUN/sheet.png. A sample's concept is that whose real pictures, over all styles, lie
nearest in the features of an EfficientNet-Lite2; its style that of the real picture that lies nearest.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from torch import Tensor

from mmgan.data.emoji.colours import COLOURS, distance, main_hue
from mmgan.data.emoji.showing import together
from mmgan.image.pictures import to_pil
from mmgan.models import Generator
from mmgan.models.image_features import ImageFeatures
from mmgan.models.layers import unit

from .remember import Pictures, model_config

PER_KIND, COLUMNS = 400, 16
NEAR_HUE = 20  # of 256


class Judge:
    """Descriptions of pictures by frozen eyes, beside those of the real ones."""

    def __init__(self, pictures: Pictures, eyes: ImageFeatures):
        self.see, self.mean = eyes.describe, torch.zeros(())
        real = torch.from_numpy(pictures.data["images"]).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        described = self.describe(real)
        self.mean = described.mean(0)
        self.real = unit(described - self.mean)
        concepts = torch.from_numpy(pictures.data["concept"]).long()
        self.styles = torch.from_numpy(pictures.data["style"]).long()
        sums = torch.zeros(int(concepts.max()) + 1, self.real.shape[1]).index_add_(0, concepts, self.real)
        self.concepts = unit(sums)

    @torch.no_grad()
    def describe(self, images: Tensor) -> Tensor:
        return unit(torch.cat([self.see(some) for some in images.split(64)]) - self.mean)

    def ranks(self, images: Tensor) -> Tensor:
        """Concepts from the likeliest to the least, [B, concepts]."""
        return (self.describe(images) @ self.concepts.T).argsort(1, descending=True)

    def style(self, images: Tensor) -> Tensor:
        likeness = self.describe(images) @ self.real.T
        return torch.stack([likeness[:, self.styles == style].amax(1) for style in range(4)], 1).argmax(1)


def judged(judge: Judge, kind: str, asked: dict[str, np.ndarray], images: Tensor) -> dict[str, float]:
    first = torch.from_numpy(asked["first"]).long()
    place = (judge.ranks(images) == first[:, None]).float().argmax(1)
    found = {f"top{count}": float((place < count).float().mean()) for count in (1, 5, 20)}
    if kind == "style":
        found["style"] = float((judge.style(images) == torch.from_numpy(asked["asked_style"]).long()).float().mean())
    if kind == "colour":
        hues = [main_hue(to_pil(image)) for image in images]
        words = [list(COLOURS.values())[index] for index in asked["asked_colour"]]
        hits = [
            hue is not None and distance(hue, word.hue) <= NEAR_HUE
            for hue, word in zip(hues, words, strict=True) if word.english not in ("black", "grey")
        ]  # fmt: skip
        found["colour"] = float(np.mean(hits))
    if kind == "two":
        other = (judge.ranks(images) == torch.from_numpy(asked["second"]).long()[:, None]).float().argmax(1)
        found["both20"] = float(((place < 20) & (other < 20)).float().mean())
    return {name: round(value, 3) for name, value in found.items()}


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("eyes", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--real", action="store_true", help="judge the real pictures instead, as the most there is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pictures = Pictures(options.data)
    judge = Judge(pictures, ImageFeatures.from_pretrained(options.eyes).to(memory_format=torch.channels_last))
    generator = Generator(model_config(len(pictures.seen)))
    state = options.run / "state.safetensors"
    if not options.real:
        tensors = load_file(state)
        generator.load_state_dict(
            {name.removeprefix("average."): value for name, value in tensors.items() if name.startswith("average.")}
        )
        generator.to(memory_format=torch.channels_last)
    data, figures, sheet = pictures.data, {}, []
    random = torch.Generator().manual_seed(1)
    for kind in ("plain", "style", "colour", "two", "new"):
        rows = np.flatnonzero(data["test_kind"] == kind)
        rows = rows[np.random.default_rng(0).permutation(len(rows))[:PER_KIND]]
        asked = {
            name: data[f"test_{name}"][rows] for name in ("first", "second", "asked_style", "asked_colour", "text")
        }
        if options.real:
            images = real_pictures(pictures, asked)
        else:
            embedding = torch.from_numpy(data["test_embedding"][rows]).float()
            latents = torch.randn(len(rows), generator.config.latent_dim, generator=random)
            images = torch.cat(
                [generator(*some)["image"] for some in zip(embedding.split(50), latents.split(50), strict=True)]
            )
        figures[kind] = judged(judge, kind, asked, images.clamp(-1, 1))
        sheet += list(zip(asked["text"], images, strict=True))[: 3 * COLUMNS]
    if not options.real:
        figures["seen"] = json.loads((options.run / "state.json").read_text())["seen"]
        draw_sheet(sheet).save(options.run / "sheet.png")
        with (options.run / "look.jsonl").open("a") as log:
            log.write(json.dumps(figures) + "\n")
    print(json.dumps(figures))


def real_pictures(pictures: Pictures, asked: dict[str, np.ndarray]) -> Tensor:
    shown = []
    for first, second in zip(asked["first"], asked["second"], strict=True):
        picture = pictures.picture(pictures.by_concept[int(first)][0])
        if second >= 0:
            picture = together(picture, pictures.picture(pictures.by_concept[int(second)][0]))
        shown.append(torch.from_numpy(np.asarray(picture)).permute(2, 0, 1).float() / 127.5 - 1)
    return torch.stack(shown)


def draw_sheet(samples) -> Image.Image:
    lines = -(-len(samples) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * 100, lines * 92), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (text, image) in enumerate(samples):
        left, top = index % COLUMNS * 100, index // COLUMNS * 92
        sheet.paste(to_pil(image), (left + 18, top))
        words = str(text) if str(text).isascii() else "(zh)"
        pen.text((left + 2, top + 64), words[:16], "black")
        pen.text((left + 2, top + 76), words[16:32], "black")
    return sheet


if __name__ == "__main__":
    main()
