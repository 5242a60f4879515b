"""Rows for the generator: samples of prompts, the way from one prompt to another, and walks along the latents.

A row does not depend on what is computed with it (:mod:`mmgan.sampling.engine`), so a server can put rows of many
visitors into one pass, and each gets what :class:`~mmgan.sampling.pipeline.Pipeline` would have made for them alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import PromptError
from ..language import Message
from ..text.encoder import check_prompt
from .arguments import MAX_TOTAL, checked_integer, checked_seed, checked_truncation

MORPH_STEPS = 13  # both ends included
WALK_STEPS = 9  # along each part of the latents; the middle is where it starts
PARTS = ("shared", "image", "audio")  # of the latents, in their order


@dataclass
class Rows:
    """The generator's inputs for n samples."""

    embeddings: Tensor  # float32 [n, 384]
    latents: Tensor  # float32 [n, latent_dim]
    prompts: list[str]  # n; "" where a row stands between prompts
    seeds: list[int | None]  # n; the seed that makes it the first sample of its prompt, if there is one


def morph(
    pipe, from_prompt: str, to_prompt: str, steps: int = MORPH_STEPS, seed: int = 0, truncation: float = 1.0
) -> Rows:
    """``steps`` rows with the same latents, on the arc from one prompt to the other; the ends are the prompts' own."""
    prompts = [check_prompt(from_prompt), check_prompt(to_prompt)]
    steps = checked_integer(Message("sampling.steps"), steps, 2, MAX_TOTAL)
    seed, truncation = checked_seed(seed), checked_truncation(truncation)
    ends, shares = pipe.embed(prompts), torch.linspace(0, 1, steps, dtype=torch.float32)[:, None]
    way = torch.nn.functional.normalize(ends[:1].lerp(ends[1:], shares), dim=1)
    way[0], way[-1] = ends  # exactly the samples that the prompts alone give
    latents = (pipe.latents(1, seed) * truncation).repeat(steps, 1)
    between = steps - 2
    return Rows(way, latents, [prompts[0], *[""] * between, prompts[1]], [seed, *[None] * between, seed])


def walk(pipe, prompt: str, steps: int = WALK_STEPS, seed: int = 0, truncation: float = 1.0) -> Rows:
    """The seed's sample of ``prompt``, and for each of ``PARTS`` the ``steps - 1`` around it, where that part moves.

    A part turns from its own values, in the middle, by up to a right angle to either side towards those of the seed's
    next sample, so that it stays as long as latents are. :func:`walked` says which row each step is.
    """
    prompt = check_prompt(prompt)
    steps = checked_integer(Message("sampling.steps"), steps, 3, MAX_TOTAL // len(PARTS))
    if steps % 2 == 0:
        raise PromptError("sampling.even_steps", value=steps)
    seed, truncation = checked_seed(seed), checked_truncation(truncation)
    here, there = (pipe.latents(2, seed) * truncation).split(1)
    angles = torch.linspace(-math.pi / 2, math.pi / 2, steps, dtype=torch.float32)[:, None]
    angles = torch.cat([angles[: steps // 2], angles[steps // 2 + 1 :]])
    config, ways, first = pipe.config, [here], 0
    for size in config.latent_sizes:
        way, part = here.repeat(len(angles), 1), slice(first, first + size)
        way[:, part] = here[:, part] * angles.cos() + there[:, part] * angles.sin()
        ways.append(way)
        first += size
    latents = torch.cat(ways)
    count = len(latents)
    return Rows(pipe.embed([prompt]).repeat(count, 1), latents, [prompt] * count, [seed, *[None] * (count - 1)])


def walked(steps: int = WALK_STEPS) -> list[list[int]]:
    """For each of ``PARTS``, the row of each step among those of :func:`walk`, whose first is the middle of all."""
    ways = torch.arange(1, 1 + len(PARTS) * (steps - 1)).view(len(PARTS), -1).tolist()
    return [[*way[: steps // 2], 0, *way[steps // 2 :]] for way in ways]
