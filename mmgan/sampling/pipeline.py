"""From prompts to pictures and sounds, as the method has it.

::

    prompt -> text encoder -> embedding [384] --+
                                                +-> generator -> picture, log-mel -> vocoder -> waveform
    seed -> latents (shared | image | audio) ---+

:mod:`mmgan.sampling.engine` decides what runs where, and how many at a time; that changes no bit of a sample.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..config import EMBEDDING_DIM, ModelConfig
from ..errors import PromptError, within_memory
from ..language import Message
from ..models import Generator
from ..models.checkpoint import Model
from ..text.encoder import TextEncoder, is_prompt
from ..text.familiarity import Familiarity, measure_familiarity
from . import arguments, paths
from .engine import Engine, normal

MAX_CAPTIONS = 1_000


@dataclass
class Output:
    """What one call made. All lists and arrays go prompt by prompt: n = prompts x num_samples."""

    images: list[Image.Image]  # n, mode L or RGB
    audio: np.ndarray  # float32 [n, samples], -1..1
    sampling_rate: int  # Hz
    mels: np.ndarray  # float32 [n, bands, frames], see mmgan.audio.mel
    prompts: list[str]  # n
    seeds: list[int | None]  # n; pipe(prompts[i], seed=seeds[i]) makes sample i again; None where latents were given
    milliseconds: dict[str, float] = field(default_factory=dict)  # by stage: text, generator, vocoder
    device: str = "cpu"
    notice: Message | None = None  # tells people what did not go as asked

    def rows(self, places: list[int]) -> Output:
        """The samples at these places, in this order."""
        images, prompts = [self.images[i] for i in places], [self.prompts[i] for i in places]
        seeds, audio, mels = [self.seeds[i] for i in places], self.audio[places], self.mels[places]
        return replace(self, images=images, prompts=prompts, seeds=seeds, audio=audio, mels=mels)


class Pipeline:
    """A model and a text encoder, ready to sample. Safe to call from several threads.

    Build it with :meth:`from_pretrained`, or from a :class:`~mmgan.models.checkpoint.Model`.
    """

    def __init__(
        self, model: Model, device: str | torch.device = "auto", text_encoder: TextEncoder | str | Path | None = None
    ):
        self.config: ModelConfig = model.config
        self.info: dict = model.info
        self.folder: Path = model.folder
        self.name: str = model.name
        self.examples: list[str] = model.examples
        self.discriminators = model.discriminators
        self._text_encoder = text_encoder
        self._lock = threading.RLock()
        self.engine = Engine(model.generator, lambda: Model.from_pretrained(model.folder).generator, device)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path = "digits",
        device: str | torch.device = "auto",
        text_encoder: TextEncoder | str | Path | None = None,
    ) -> Pipeline:
        """Loads a model by its name under ``pretrained/``, from a model or run folder, or by Hub id.

        Args:
            device: "auto" is CUDA where it works, else the CPU, with a sentence in ``notice`` if CUDA failed.
            text_encoder: an encoder, its folder or Hub id; None is the one that ships. Loaded at first use.

        Raises:
            CheckpointError: see :meth:`mmgan.models.checkpoint.Model.from_pretrained`.
            MmganError: a device that is not there.
        """
        with within_memory():
            return cls(Model.from_pretrained(source), device, text_encoder)

    def save_pretrained(self, folder: str | Path, half: bool = False) -> None:
        """Saves the model, its discriminators too where its folder has them; ``half`` stores 16-bit floats.

        Raises:
            MmganError: see :meth:`mmgan.hub.pretrained.Pretrained.save_pretrained`.
        """
        critics = self.discriminators or Model.from_pretrained(self.folder, with_discriminators=True).discriminators
        Model(self.generator, critics, self.info).save_pretrained(folder, half=half)

    @property
    def generator(self) -> Generator:
        """Where the engine has it now."""
        return self.engine.generator

    @property
    def device(self) -> torch.device:
        """Where samples are made now."""
        return self.engine.device

    @property
    def notice(self) -> Message | None:
        """What to tell people, where CUDA failed."""
        return self.engine.notice

    @property
    def text_encoder(self) -> TextEncoder:
        """The text encoder, loaded when first asked for."""
        with self._lock:
            if self._text_encoder is None or isinstance(self._text_encoder, (str, Path)):
                self._text_encoder = TextEncoder.from_pretrained(self._text_encoder)
            return self._text_encoder

    @functools.cached_property
    def captions(self) -> list[str]:
        """A few hundred captions that stand for all it was trained on; from ``info["captions"]``, else none."""
        captions = self.info.get("captions")
        return [c for c in captions if is_prompt(c)][:MAX_CAPTIONS] if isinstance(captions, list) else []

    def familiarity(self, prompts: str | Sequence[str]) -> list[Familiarity]:
        """The training caption nearest to each prompt, how near, and whether that is near enough to be ``known``.

        Empty where the model keeps no captions.

        Raises:
            PromptError: a prompt that cannot be used.
        """
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        return measure_familiarity(prompts, self.captions, self.text_encoder) if self.captions else []

    def warm_up(self) -> None:
        """Loads the text encoder and runs one sample, so that the first person does not wait."""
        self("a", num_samples=1)

    # ------------------------------------------------------------------------------------------------------- sampling

    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        num_samples: int = 1,
        seed: int = 0,
        truncation: float = 1.0,
        latents: Tensor | np.ndarray | None = None,
        embeddings: Tensor | np.ndarray | None = None,
    ) -> Output:
        """Makes ``num_samples`` pictures with their sounds of each prompt.

        Args:
            prompt: one, or a list whose order the results keep. May be left out where ``embeddings`` are given.
            num_samples: 1 to 64 of each prompt, at most 1,024 in all.
            seed: 0 to 2**32 - 1. Sample i has the same latents for every prompt, so that one seed shows one "hand".
            truncation: 0 to 1, scales the latents: less is more typical and less varied.
            latents: float [num_samples, latent_dim], used for each prompt, or [prompts * num_samples, latent_dim].
                With one prompt the number of rows is the number of samples.
            embeddings: float [prompts, 384] in the text encoder's space, in place of what it makes of the prompts.

        Raises:
            PromptError: a prompt, number or shape that cannot be used; the sentence says what can.
            MmganError: the device that was asked for by name failed.
        """
        with within_memory():
            start = time.perf_counter()
            if embeddings is None:
                given, prompts = None, arguments.checked_prompts(prompt)
            else:
                given, prompts = arguments.checked_embeddings(embeddings, prompt, EMBEDDING_DIM)
            num_samples, seed = arguments.checked_count(num_samples), arguments.checked_seed(seed)
            truncation = arguments.checked_truncation(truncation)
            codes, seeds = self._codes(len(prompts), num_samples, seed, latents)
            repeats = len(codes) // len(prompts)
            embedded = (self.embed(prompts) if given is None else given).repeat_interleave(repeats, 0)
            prompts = [p for p in prompts for _ in range(repeats)]
            return self._make(paths.Rows(embedded, codes * truncation, prompts, seeds), start)

    def morph(
        self,
        from_prompt: str,
        to_prompt: str,
        steps: int = paths.MORPH_STEPS,
        seed: int = 0,
        truncation: float = 1.0,
    ) -> Output:
        """Makes the way from one prompt to another: ``steps`` samples with the same latents, both ends included.

        The ends are what the prompts give alone. Raises as a call does.
        """
        with within_memory():
            start = time.perf_counter()
            return self._make(paths.morph(self, from_prompt, to_prompt, steps, seed, truncation), start)

    def walk(self, prompt: str, steps: int = paths.WALK_STEPS, seed: int = 0, truncation: float = 1.0) -> Output:
        """Shows what the parts of the latents do: ``steps`` samples along each of them, with the prompt held.

        First come the steps along the shared part, in which picture and sound change, then those along the picture's
        own, then those along the sound's own. The middle step of each, of an odd number, is the seed's own sample.
        Raises as a call does.
        """
        with within_memory():
            start = time.perf_counter()
            out = self._make(paths.walk(self, prompt, steps, seed, truncation), start)
            return out.rows([row for way in paths.walked(steps) for row in way])

    def _make(self, rows: paths.Rows, start: float) -> Output:
        """The samples of ``rows``; ``start`` is when the work on their prompts began."""
        text_done = time.perf_counter()
        made = self.engine.run(rows.embeddings, rows.latents)
        return Output(
            images=[Image.fromarray(pixels) for pixels in made.pixels],
            audio=made.audio,
            sampling_rate=self.config.audio.sampling_rate,
            mels=made.mels,
            prompts=rows.prompts,
            seeds=rows.seeds,
            milliseconds={
                "text": 1e3 * (text_done - start),
                "generator": 1e3 * made.in_generator,
                "vocoder": 1e3 * made.in_vocoder,
            },
            device=str(self.device),
            notice=self.notice,
        )

    def embed(self, prompts: str | Sequence[str]) -> Tensor:
        """Prompts -> embeddings float32 [n, 384], each as if encoded alone (see :meth:`TextEncoder.encode`).

        Raises:
            PromptError: a prompt that cannot be used.
        """
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        with within_memory():
            return self.text_encoder.encode(prompts)

    def latents(self, num_samples: int, seed: int = 0) -> Tensor:
        """The latents float32 [num_samples, latent_dim] that ``seed`` stands for, to interpolate between or to edit."""
        num_samples = arguments.checked_count(num_samples, arguments.MAX_TOTAL)
        return self._draw(sample_seeds(arguments.checked_seed(seed), num_samples))

    def _draw(self, seeds: list[int]) -> Tensor:
        # Always on the CPU, each with a generator of its own: sample 3 does not depend on samples 0 to 2.
        draws = (torch.Generator().manual_seed(seed) for seed in seeds)
        return torch.stack([normal(self.config.latent_dim, generator=draw) for draw in draws])

    def _codes(self, prompts: int, num_samples: int, seed: int, latents) -> tuple[Tensor, list[int | None]]:
        """Latents and seeds of all prompts x num_samples."""
        rows = None if latents is None else arguments.checked_rows("latents", latents, self.config.latent_dim)
        if rows is not None and prompts == 1 and num_samples == 1:
            num_samples = len(rows)
        total = arguments.checked_total(prompts, num_samples)
        if rows is None:
            seeds = sample_seeds(seed, num_samples)
            return self._draw(seeds).repeat(prompts, 1), [*seeds * prompts]
        if len(rows) not in (num_samples, total):
            raise PromptError("sampling.latents_misfit", count=len(rows), results=total, one=num_samples, all=total)
        return rows.repeat(total // len(rows), 1), [None] * total


def sample_seeds(seed: int, num_samples: int) -> list[int]:
    """The seed of each sample: ``seed`` itself, then one number of 32 bits mixed from ``(seed, index)`` for each other.

    So sample i of a seed is sample 0 of its own, and the samples of neighbouring seeds do not overlap, as those of
    seed + i would. The mixing is NumPy's SeedSequence (O'Neill 2015), whose values are the same everywhere.
    """
    mixed = (np.random.SeedSequence([seed, index]).generate_state(1)[0] for index in range(1, num_samples))
    return [seed, *map(int, mixed)]
