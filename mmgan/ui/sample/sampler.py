"""What the page asks of the library: pipelines loaded once and kept, and checked requests that share forward passes."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ...audio.spectrogram import spectrogram_image
from ...audio.waveform import write_wav
from ...errors import MmganError
from ...language import Message
from ...models.cost import check_model
from ...sampling import paths
from ...sampling.arguments import checked_count, checked_seed, checked_truncation
from ...sampling.pipeline import Pipeline, sample_seeds
from ...system.resources import MODELS  # the page opens with the first
from ...text.encoder import check_prompt
from ..server.quota import MAX_OF_VISITOR, MAX_SAMPLES
from ..server.sentences import PageError
from ..server.turns import Turns, Visitor
from .batching import Batchers, Made

RUNS = "runs/"  # before a run's name, so that it never hides a model that ships
MAX_RUNS = 3  # models of runs kept in memory
KEPT_BYTES = 24 << 20  # of samples that are remembered: a class that tries the same examples asks for the same again
LARGE_BYTES = 512 << 10  # of samples, about six; drawing and writing more would keep everybody else waiting


@dataclass(frozen=True)
class Sample:
    """One picture, its sound (float32 [n] in -1..1) and the picture of that sound; each as a data URI too, kept."""

    image: Image.Image
    waveform: np.ndarray
    spectrogram: Image.Image
    seed: int  # the seed that makes it the first sample of its prompt
    sampling_rate: int

    @functools.cached_property
    def image_uri(self) -> str:
        return png_uri(self.image)

    @functools.cached_property
    def audio_uri(self) -> str:
        return wav_uri(self.waveform, self.sampling_rate)

    @functools.cached_property
    def spectrogram_uri(self) -> str:
        return png_uri(self.spectrogram)


@dataclass(frozen=True)
class Samples:
    """What one request gave, and what ran to make it."""

    prompt: str
    model: str
    seed: int
    truncation: float
    samples: list[Sample]
    sampling_rate: int
    device: str
    milliseconds: float
    notice: Message | None = None  # tells what did not go as asked
    company: int = 1  # requests that shared the forward pass
    remembered: bool = False  # made for an earlier request

    @property
    def size(self) -> int:
        """Bytes in memory, about, without the data URIs, which are two thirds as much again."""
        pictures = [picture for sample in self.samples for picture in (sample.image, sample.spectrogram)]
        return sum(sample.waveform.nbytes for sample in self.samples) + sum(
            picture.width * picture.height * len(picture.getbands()) for picture in pictures
        )


class Sampler:
    """Pipelines by name, each loaded at its first use and kept. Its requests may come from any thread.

    Args:
        load: makes a pipeline of a model's name or folder; tests give their own.
        models: what ships.
        runs: says which runs have a checkpoint, as (name, folder); their models are called ``runs/NAME``.
    """

    def __init__(
        self,
        load: Callable | None = None,
        models: tuple[str, ...] = MODELS,
        device: str = "auto",
        runs: Callable[[], list[tuple[str, Path]]] = list,
    ):
        self.shipped = models
        self._load = load or _Loader(device)
        self._runs = runs
        self._pipelines: dict[str, object] = {}
        self._of_runs: OrderedDict[str, tuple[object, object]] = OrderedDict()  # name: (checkpoint's time, pipeline)
        self._kept: OrderedDict[tuple, Samples] = OrderedDict()
        self._kept_bytes = 0
        self._stamps: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # by pipeline; ids are reused
        self._stamp = itertools.count()
        self._lock = threading.Lock()  # guards what is remembered
        self._loading = threading.Lock()
        self._batchers = Batchers()
        self.aside = Turns("mmgan-aside", at_once=4, each=2, asked=MAX_OF_VISITOR)  # whatever else needs a thread

    # ---------------------------------------------------------------------------------------------------------- models

    @property
    def models(self) -> list[str]:
        """What can be sampled from now: what ships, then the runs that have a checkpoint, the newest first."""
        return [*self.shipped, *(RUNS + name for name, _ in self._runs())]

    def pipeline(self, model: str):
        """The pipeline of ``model``, one of ``models``: the page reaches no other folder and no Hub id."""
        if model in self._pipelines:  # before the lock, so that nobody waits while another model loads
            return self._pipelines[model]
        if model in self.shipped:
            with self._loading:
                if model not in self._pipelines:
                    self._pipelines[model] = self._load(model)
            return self._pipelines[model]
        folder = next((folder for name, folder in self._runs() if RUNS + name == model), None)
        if folder is None:
            raise PageError("bad_model", model=str(model)[:40], models=", ".join(self.models[:20]))
        return self._pipeline_of_run(model, Path(folder))

    def _pipeline_of_run(self, model: str, folder: Path):
        """A run that is being trained gets better: its pipeline is loaded again when its checkpoint is new."""
        saved = _changed(folder)
        with self._loading:
            before, pipeline = self._of_runs.get(model, (None, None))
            if pipeline is None or before != saved:
                pipeline = self._load(folder)
                self._of_runs[model] = saved, pipeline
            self._of_runs.move_to_end(model)
            while len(self._of_runs) > MAX_RUNS:
                self._of_runs.popitem(last=False)
        return pipeline

    def examples(self, model: str) -> list[str]:
        """Prompts that ``model`` understands; none where it cannot be loaded."""
        try:
            return list(self.pipeline(model).examples)
        except MmganError:
            return []

    def forget(self) -> None:
        """Forgets the samples that it remembers."""
        with self._lock:
            self._kept.clear()
            self._kept_bytes = 0

    # -------------------------------------------------------------------------------------------------------- requests

    async def sample(
        self, prompt: str, num_samples: int = 4, seed: int = 0, truncation: float = 1.0, model: str = "",
        visitor: Visitor = Visitor(),
    ) -> Samples:  # fmt: skip
        """Pictures and sounds of ``prompt``, made when it is the ``visitor``'s turn.

        Raises:
            PromptError: the prompt or a number cannot be used.
            CheckpointError: the model cannot be loaded.
        """
        num_samples, seed = checked_count(num_samples, MAX_SAMPLES), checked_seed(seed)
        truncation, prompt = checked_truncation(truncation), check_prompt(prompt)
        model, pipe = await self.choose(model, visitor)
        with self._lock:
            stamp = self._stamps.setdefault(pipe, next(self._stamp))
            key = (stamp, prompt, num_samples, seed, truncation)
            if key in self._kept:
                self._kept.move_to_end(key)
                return replace(self._kept[key], remembered=True)

        def rows():
            return pipe.embed([prompt]).repeat(num_samples, 1), pipe.latents(num_samples, seed) * truncation

        values = prompt, model, seed, truncation, pipe, sample_seeds(seed, num_samples)
        result = await self._make(visitor, pipe, rows, num_samples, (prompt,), lambda made: _written(made, *values))
        with self._lock:
            before = self._kept.pop(key, None)  # somebody may have asked for the same meanwhile
            self._kept[key] = result
            self._kept_bytes += result.size - (before.size if before else 0)
            while self._kept_bytes > KEPT_BYTES:
                self._kept_bytes -= self._kept.popitem(last=False)[1].size
        return result

    async def morph(
        self, prompt: str, other: str, seed: int = 0, truncation: float = 1.0, model: str = "",
        visitor: Visitor = Visitor(),
    ) -> Samples:  # fmt: skip
        """What :meth:`mmgan.Pipeline.morph` gives, from ``prompt`` to ``other``.

        Raises:
            See :meth:`sample`.
        """
        seed, truncation = checked_seed(seed), checked_truncation(truncation)
        prompt, other = check_prompt(prompt), check_prompt(other)
        model, pipe = await self.choose(model, visitor)
        rows = partial(_rows, paths.morph, pipe, prompt, other, paths.MORPH_STEPS, seed, truncation)
        values = prompt, model, seed, truncation, pipe, [seed] * paths.MORPH_STEPS
        return await self._make(
            visitor, pipe, rows, paths.MORPH_STEPS, (prompt, other), lambda made: _samples(made, *values)
        )

    async def walk(
        self, prompt: str, seed: int = 0, truncation: float = 1.0, model: str = "", visitor: Visitor = Visitor()
    ) -> dict[str, Samples]:
        """What :meth:`mmgan.Pipeline.walk` gives, for each part of the latents.

        Raises:
            See :meth:`sample`.
        """
        seed, truncation, prompt = checked_seed(seed), checked_truncation(truncation), check_prompt(prompt)
        model, pipe = await self.choose(model, visitor)
        count = 1 + len(paths.PARTS) * (paths.WALK_STEPS - 1)
        rows = partial(_rows, paths.walk, pipe, prompt, paths.WALK_STEPS, seed, truncation)
        values = prompt, model, seed, truncation, pipe, [seed] * count
        every = await self._make(visitor, pipe, rows, count, (prompt,), lambda made: _samples(made, *values))
        return {
            part: replace(every, samples=[every.samples[row] for row in way])
            for part, way in zip(paths.PARTS, paths.walked(), strict=True)
        }

    async def choose(self, model: str, visitor: Visitor = Visitor()):
        """The name and the pipeline of ``model``; "" is the first of what ships. Raises as :meth:`pipeline`."""
        model = model or self.shipped[0]
        if model in self._pipelines:
            return model, self._pipelines[model]
        # Loading takes a second or more, during which others should not wait.
        return model, await self.aside.run(visitor, self.pipeline, model)

    async def show(self, visitor: Visitor, size: int, function: Callable, *arguments):
        """``function(*arguments)``, which draws or writes ``size`` bytes of samples; in a thread if they are many."""
        if size > LARGE_BYTES:
            return await self.aside.run(visitor, function, *arguments)
        return function(*arguments)

    async def _make(
        self, visitor: Visitor, pipe, rows, count: int, prompts: tuple[str, ...], draw: Callable[[Made], Samples]
    ) -> Samples:
        return await asyncio.wrap_future(self._batchers.submit(pipe, rows, count, prompts, visitor, draw))


class _Loader:
    """Pipelines from folders, all with one text encoder and its memory of prompts."""

    def __init__(self, device: str):
        self._device = device
        self._encoder = None

    def __call__(self, source: str | Path):
        if isinstance(source, Path):  # a run's model may come from a stranger
            check_model(source)
        pipeline = Pipeline.from_pretrained(source, device=self._device, text_encoder=self._encoder)
        self._encoder = self._encoder or pipeline.text_encoder
        return pipeline


def png_uri(image: Image.Image) -> str:
    """The picture as a PNG in a data URI, so that the page needs no file of this machine."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)  # the sound beside it is ten times as large
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def wav_uri(waveform: np.ndarray, sampling_rate: int) -> str:
    """The sound as a 16-bit WAV in a data URI."""
    buffer = io.BytesIO()
    write_wav(buffer, waveform, sampling_rate)
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode()


def _rows(path: Callable[..., paths.Rows], *arguments) -> tuple[Tensor, Tensor]:
    """What the generator is given for ``path(*arguments)``."""
    rows = path(*arguments)
    return rows.embeddings, rows.latents


def _samples(made: Made, prompt, model, seed, truncation, pipe, seeds) -> Samples:
    spectrograms, rate = [spectrogram_image(mel, palette=True) for mel in made.mels], pipe.config.audio.sampling_rate
    return Samples(
        prompt, model, seed, truncation,
        [Sample(*parts, rate) for parts in zip(made.images, made.audio, spectrograms, seeds, strict=True)],
        rate, made.device, made.milliseconds, made.notice, made.company,
    )  # fmt: skip


def _written(made: Made, *values) -> Samples:
    """:func:`_samples` with everything written that the page and programs will be sent."""
    result = _samples(made, *values)
    for sample in result.samples:
        _ = sample.image_uri, sample.audio_uri, sample.spectrogram_uri
    return result


def _changed(folder: Path) -> object:
    """A value that changes when the run is saved again."""
    try:
        status = (folder / "checkpoint").stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
