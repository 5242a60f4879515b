"""What the page asks of the library: pipelines loaded once and kept, and one checked call that samples."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..audio import write_wav
from ..errors import MmganError, PromptError
from .strings import say

MODELS = ("digits", "shapes")  # what ships, in the order shown; the first is the one the page opens with
MAX_SAMPLES = 16  # of one request: more would keep a class waiting
MAX_AT_ONCE = 2  # requests computed at the same time: more only share the same cores
MAX_WAITING = 64  # requests in the queue; beyond, the page says that it is busy


@dataclass(frozen=True)
class Sample:
    """One picture, its sound (float32 [n] in -1..1) and the picture of that sound."""

    image: Image.Image
    waveform: np.ndarray
    spectrogram: Image.Image
    seed: int  # with which it is the first sample of its prompt


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
    notice: str = ""  # where something did not go as asked


class Sampler:
    """Pipelines by name, each loaded at its first use and kept.

    ``load`` makes a pipeline of a name; tests give their own.
    """

    def __init__(self, load: Callable | None = None, models: tuple[str, ...] = MODELS, device: str = "auto"):
        self.models = models
        self._load = load or (lambda name: _from_pretrained(name, device))
        self._pipelines: dict[str, object] = {}
        self._lock = threading.Lock()

    def pipeline(self, model: str):
        """The pipeline of ``model``, one of ``models``: the page reaches no other folder and no Hub id."""
        if model not in self.models:
            raise PromptError(say("bad_model", model=str(model)[:40], models=", ".join(self.models)))
        if model not in self._pipelines:  # asked before the lock, so that nobody waits for a model of somebody else
            with self._lock:
                if model not in self._pipelines:
                    self._pipelines[model] = self._load(model)
        return self._pipelines[model]

    def examples(self, model: str) -> list[str]:
        """Prompts that ``model`` understands; none where it cannot be loaded."""
        try:
            return list(self.pipeline(model).examples)
        except MmganError:
            return []

    def sample(
        self, prompt: str, num_samples: int = 4, seed: int = 0, truncation: float = 1.0, model: str = ""
    ) -> Samples:
        """Pictures and sounds of ``prompt``.

        Raises:
            PromptError: the prompt or a setting cannot be used.
            CheckpointError: the model cannot be loaded.
        """
        from ..spectrogram import spectrogram_image

        num_samples, seed = _whole(num_samples), _whole(seed)
        if not isinstance(num_samples, int) or not 1 <= num_samples <= MAX_SAMPLES:
            raise PromptError(say("bad_count", limit=MAX_SAMPLES))
        model = model or self.models[0]
        out = self.pipeline(model)(prompt, num_samples=num_samples, seed=seed, truncation=truncation)
        spectrograms = [spectrogram_image(mel) for mel in out.mels]
        return Samples(
            prompt, model, seed, float(truncation),
            [Sample(*parts) for parts in zip(out.images, out.audio, spectrograms, out.seeds, strict=True)],
            out.sampling_rate, out.device, sum(out.milliseconds.values()), out.notice or "",
        )  # fmt: skip


def png_uri(image: Image.Image) -> str:
    """The picture as a PNG in a data URI, so that the page needs no file of this machine."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def wav_uri(waveform: np.ndarray, sampling_rate: int) -> str:
    """The sound as a 16-bit WAV in a data URI."""
    buffer = io.BytesIO()
    write_wav(buffer, waveform, sampling_rate)
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode()


def _whole(value):
    """4.0, as a page or JSON may give it, is 4; anything else is left for the pipeline to judge."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_pretrained(name: str, device: str):
    from ..pipeline import Pipeline

    return Pipeline.from_pretrained(name, device=device)
