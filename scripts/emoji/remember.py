"""The emoji model's first stretch: it learns its pictures by heart, before critics sharpen what it says.

    python -m scripts.emoji.remember emoji64.npz eyes/lite0 RUN --pictures 3e6
    python -m scripts.emoji.remember emoji64.npz eyes/lite0 RUN --cool-down 2e5     # rate falls to 0, into RUN/cooled

The generator makes each picture from a caption, and from noise whose first two numbers say by their signs in which
style, where the caption does not. The loss is the L1 distance of pixels and of an EfficientNet-Lite0's features, and
the cross-entropy of the memory's heads. Beside the pictures as they are, it sees things in other colours and two things
side by side, and a tenth of the time it has to do without the memory of what the caption names. Resumes by itself.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mmgan.config import AudioModelConfig, ImageModelConfig, MemoryConfig, ModelConfig
from mmgan.data.emoji.colours import COLOURS, has_colour, recoloured
from mmgan.data.emoji.showing import together
from mmgan.models import Generator
from mmgan.models.image_features import ImageFeatures
from mmgan.models.layers import standard, unit

STYLE_SIGNS = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])  # of the first two of the picture's own latents
KINDS = {"plain": 0.5, "style": 0.25, "colour": 0.13, "two": 0.12}  # shares of a batch
HIDDEN = 0.1  # share of rows whose own things the memory must not find
CODE_RATE = 10.0  # times the rate of everything else: a code is seen once in 1,200 rows
WARM_UP, TEXT_NOISE = 300, 0.1
MOMENTS = ("exp_avg", "exp_avg_sq")  # of Adam
SAVE_SECONDS, LOG_STEPS = 180, 200


def model_config(things: int) -> ModelConfig:
    """Five million parameters. The sounds, which few things have, are left for the training with critics."""
    image = ImageModelConfig(size=64, channels=3, patch=2, widths=(224, 192, 128, 64))
    audio = AudioModelConfig(widths=(48, 32, 32, 16))
    memory = MemoryConfig(things)
    return ModelConfig({"image": image, "audio": audio}, style_dim=192, convolutions=2, memory=memory)


@dataclass
class Rows:
    """A batch: captions [B, 384], latents [B, L], pictures [B, 3, 64, 64], and what the memory is to do with them."""

    caption: Tensor
    latents: Tensor
    pictures: Tensor
    slots: Tensor  # [B, 2], the thing that each head is to find
    hidden: Tensor  # [B, things], those that it must not find
    weight: Tensor  # [B]


class Pictures:
    """The packed data, and batches of it that are functions of (seed, step)."""

    def __init__(self, path: Path, config: ModelConfig | None = None):
        self.data = {name: values for name, values in np.load(path).items()}
        held_out = self.data["held_out"]
        self.seen = np.flatnonzero(~held_out)
        self.slot = np.full(len(held_out), -1)
        self.slot[self.seen] = np.arange(len(self.seen))
        self.by_concept: dict[int, list[int]] = {}
        for place, concept in enumerate(self.data["concept"].tolist()):
            self.by_concept.setdefault(concept, []).append(place)
        self.captions = {kind: np.flatnonzero(self.data["kind"] == kind) for kind in KINDS}
        self.colours = list(COLOURS.values())
        self.own = model_config(1).latent_shared  # where the picture's own latents begin

    @property
    def name_embeddings(self) -> Tensor:
        """[things, names, 384]"""
        return torch.from_numpy(self.data["names"][self.seen]).float()

    def picture(self, place: int) -> Image.Image:
        return Image.fromarray(self.data["images"][place])

    def batch(self, size: int, step: int, latents: int) -> Rows:
        draw, generator = np.random.default_rng((7, step)), torch.Generator().manual_seed(step)
        kinds = draw.choice(list(KINDS), size, p=list(KINDS.values()))
        captions, pictures, styles, slots = [], [], [], []
        for kind in kinds:
            caption = int(draw.choice(self.captions[kind]))
            picture, style = self.shown(caption, draw)
            captions.append(caption)
            pictures.append(np.asarray(picture))
            styles.append(-1 if self.data["asked_style"][caption] >= 0 else style)
            first, second = self.data["first"][caption], self.data["second"][caption]
            slots.append((self.slot[first], self.slot[second if second >= 0 else first]))
        embedding = torch.from_numpy(self.data["embedding"][captions]).float()
        noise = TEXT_NOISE * torch.randn(embedding.shape, generator=generator) / embedding.shape[1] ** 0.5
        places = torch.tensor(np.array(slots))
        without = torch.rand(size, generator=generator) < HIDDEN
        hidden = torch.zeros(size, len(self.seen), dtype=torch.bool)
        hidden.scatter_(1, places, without[:, None].expand(-1, 2))
        target = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        weight = torch.where(without, 0.5, 1.0)
        return Rows(unit(embedding + noise), self.latents(styles, latents, generator), target, places, hidden, weight)

    def shown(self, caption: int, draw: np.random.Generator) -> tuple[Image.Image, int]:
        """A picture that the caption describes, and its style."""
        first, second, style, colour = (
            int(self.data[name][caption]) for name in ("first", "second", "asked_style", "asked_colour")
        )
        places = self.by_concept[first]
        if style >= 0:
            places = [place for place in places if self.data["style"][place] == style] or places
        if colour >= 0:
            places = [place for place in places if self.data["hue"][place] >= 0] or places
        place = int(draw.choice(places))
        style, picture = int(self.data["style"][place]), self.picture(place)
        if colour >= 0:
            hue = int(self.data["hue"][place])
            if hue >= 0 and not has_colour(hue, self.colours[colour]):
                picture = recoloured(picture, hue, self.colours[colour])
        if second >= 0:
            others = [other for other in self.by_concept[second] if self.data["style"][other] == style]
            picture = together(picture, self.picture(int((others or self.by_concept[second])[0])))
        return picture, style

    def latents(self, styles, length: int, generator: torch.Generator) -> Tensor:
        """Noise [B, length] whose first own numbers have the signs of each style; -1 leaves them as they fall."""
        noise, styles = torch.randn(len(styles), length, generator=generator), torch.tensor(styles)
        own = noise[:, self.own : self.own + 2]
        noise[:, self.own : self.own + 2] = torch.where((styles >= 0)[:, None], own.abs() * STYLE_SIGNS[styles], own)
        return noise


class Remembering:
    """The generator, its average, and one step of learning."""

    def __init__(self, pictures: Pictures, eyes: ImageFeatures, rate: float):
        self.pictures, self.eyes, self.rate = pictures, eyes, rate
        torch.manual_seed(0)
        self.generator = Generator(model_config(len(pictures.seen))).to(memory_format=torch.channels_last)
        self._name_things()
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        codes = self.generator.mapping.memory.codes
        others = [parameter for parameter in self.generator.parameters() if parameter is not codes]
        self.optimizer = torch.optim.Adam(
            [{"params": others, "times": 1.0}, {"params": [codes], "times": CODE_RATE}],
            lr=rate,
            betas=(0.9, 0.99),
            fused=True,
        )
        self.step = self.seen = 0
        self.scales = self._scales()

    @torch.no_grad()
    def _name_things(self) -> None:
        """Every key starts as what the heads ask for when they hear the name."""
        memory = self.generator.mapping.memory
        first, *others = memory.query.weight.chunk(memory.heads)
        for other in others:
            other.copy_(first)
        memory.keys.copy_(standard(self.pictures.name_embeddings) @ first.T)

    @torch.no_grad()
    def _scales(self) -> list[float]:
        """The mean absolute value of each stage's features, so that all weigh the same."""
        maps = self.eyes(self.pictures.batch(64, 0, self.generator.config.latent_dim).pictures)
        return [float(each.abs().mean()) for each in maps]

    def learn(self, size: int, share: float) -> dict[str, float]:
        """One step at ``share`` of the rate; returns the parts of the loss."""
        rows = self.pictures.batch(size, self.step, self.generator.config.latent_dim)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * group["times"] * share * min(1.0, (self.step + 1) / WARM_UP)
        with torch.autocast("cpu", torch.bfloat16):
            made = self.generator.image(self.generator.mapping(rows.caption, rows.latents, rows.hidden)["image"])
        made = made.float()
        with torch.no_grad():
            wanted = self.eyes(rows.pictures)
        pixels = _weighted((made - rows.pictures).abs(), rows.weight)
        features = sum(
            _weighted((have - want).abs(), rows.weight) / scale
            for have, want, scale in zip(self.eyes(made), wanted, self.scales, strict=True)
        ) / len(self.scales)
        scores = self.generator.mapping.memory.scores(rows.caption)
        named = F.cross_entropy(scores.flatten(0, 1), rows.slots.flatten())
        loss = pixels + features + 0.1 * named
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.generator.parameters(), 5.0)
        self.optimizer.step()
        self.step, self.seen = self.step + 1, self.seen + size
        keep = 0.5 ** (size / min(20_000, 0.1 * self.seen))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - keep)
        return {"pixels": pixels.item(), "features": features.item(), "named": named.item()}

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"generator.{name}": value for name, value in self.generator.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for name, parameter in self.generator.named_parameters():
            kept = self.optimizer.state.get(parameter, {})
            tensors |= {f"{moment}.{name}": kept[moment] for moment in MOMENTS if moment in kept}
        stored = {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
        save_file(stored, folder / "new.safetensors", {"step": str(self.step), "seen": str(self.seen)})
        os.replace(folder / "new.safetensors", folder / "state.safetensors")
        (folder / "state.json").write_text(json.dumps({"step": self.step, "seen": self.seen}))

    def load(self, folder: Path) -> None:
        tensors, state = load_file(folder / "state.safetensors"), json.loads((folder / "state.json").read_text())
        self.step, self.seen = state["step"], state["seen"]
        for prefix, module in (("generator.", self.generator), ("average.", self.average)):
            module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        for name, parameter in self.generator.named_parameters():
            moments = {m: tensors[f"{m}.{name}"].clone() for m in MOMENTS if f"{m}.{name}" in tensors}
            if moments:  # sounds have none, since nothing here teaches them
                self.optimizer.state[parameter] = {"step": torch.tensor(float(self.step)), **moments}


def _weighted(errors: Tensor, weight: Tensor) -> Tensor:
    return (errors.mean((1, 2, 3)) * weight).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("eyes", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--pictures", type=float, default=3e6, help="ends when so many were seen")
    parser.add_argument("--cool-down", type=float, default=0, help="pictures over which the rate falls to 0")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    eyes = ImageFeatures.from_pretrained(options.eyes)
    eyes.groups = eyes.groups[:5]
    learning = Remembering(Pictures(options.data), eyes.to(memory_format=torch.channels_last), options.rate)
    folder = options.run
    if (folder / "state.json").exists():
        learning.load(folder)
    begun, end = learning.seen, options.pictures
    if options.cool_down:
        folder = folder / "cooled"
        if (folder / "state.json").exists():
            learning.load(folder)
        end = begun + options.cool_down
    folder.mkdir(parents=True, exist_ok=True)
    saved = logged = time.monotonic()
    totals: dict[str, float] = {}
    while learning.seen < end:
        share = max(0.0, 1 - (learning.seen - begun) / options.cool_down) if options.cool_down else 1.0
        for name, value in learning.learn(options.batch, share).items():
            totals[name] = totals.get(name, 0.0) + value / LOG_STEPS
        now = time.monotonic()
        if learning.step % LOG_STEPS == 0:
            line = {"seen": learning.seen, **totals, "per_second": LOG_STEPS * options.batch / (now - logged)}
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps({name: round(value, 4) for name, value in line.items()}) + "\n")
            totals, logged = {}, now
            if not all(map(math.isfinite, line.values())):
                raise SystemExit("a loss is no number")
        if now - saved > SAVE_SECONDS:
            learning.save(folder)
            saved = time.monotonic()
    learning.save(folder)


if __name__ == "__main__":
    main()
