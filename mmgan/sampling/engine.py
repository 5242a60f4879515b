"""Where and how samples are computed: passes, threads, exactness, CUDA graphs, devices and precision.

On the same device a row gives the same result bit for bit, whatever else is computed with it. But matrix products and
convolutions round differently for different batch sizes, and Griffin-Lim turns a millionth in a mel into an audible
difference. So the generator runs in passes of a fixed number of rows (``ROWS``), padded if need be, and sounds are made
one by one. On a CPU a pass of four takes twice as long as a pass of one, so a lone sample waits little. Many samples
are made in passes of eight (``MANY_ROWS``) and sounds in fours, which is less work, once a trial has shown that this
processor gives each row the same bits either way. The work of a call is spread over the cores, each with passes and
sounds of its own. On CUDA a pass computes in bfloat16 and is replayed from a graph.
"""

from __future__ import annotations

import functools
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..audio.griffin_lim import vocode
from ..config import EMBEDDING_DIM
from ..errors import MmganError
from ..language import Message
from ..models import Generator
from ..system.workers import spread
from .cuda_graph import Recorded, card, record

ROWS = {"cpu": 4, "cuda": 32}  # samples in one forward pass; bounds the memory too
MANY_ROWS, MANY_SOUNDS = 8, 4  # in one pass, and in one run of the vocoder, on a CPU whose cores are all busy


@dataclass
class Made:
    """The results of n rows, and the seconds that they took."""

    pixels: list[np.ndarray]  # n, uint8 [S, S] or [S, S, 3]
    mels: np.ndarray  # float32 [n, bands, frames]
    audio: np.ndarray  # float32 [n, samples]
    in_generator: float
    in_vocoder: float


class Engine:
    """A generator and the vocoder on a device; safe to call from several threads.

    Args:
        reload: loads the generator again, for when nothing can be fetched from a failed card.
        device: "auto" is CUDA where it works, else the CPU, with a sentence in ``notice`` if CUDA failed.

    Raises:
        MmganError: a device that is not there, or that failed and was asked for by name.
    """

    def __init__(self, generator: Generator, reload: Callable[[], Generator], device: str | torch.device = "auto"):
        self.generator = _ready(generator)
        self.config = generator.config
        self.device = torch.device("cpu")
        self.notice: Message | None = None
        self._reload = reload
        self._may_fall_back = str(device) == "auto"
        self._recorded: Recorded | None = None  # the generator's pass of ROWS rows on a CUDA device
        self._lock = threading.RLock()
        self._move(_choose_device(device))

    def run(self, embeddings: Tensor, latents: Tensor) -> Made:
        """[n, 384] and [n, latent_dim] -> n pictures, log-mels and waveforms."""
        while True:
            device = self.device
            try:
                return self._run(embeddings, latents, device)
            except RuntimeError as error:  # torch raises nothing more specific for most faults of a GPU
                if device.type == "cpu" or isinstance(error, MmganError):
                    raise
                self._gpu_failed(device, error)

    def _run(self, embeddings: Tensor, latents: Tensor, device: torch.device) -> Made:
        rows, sounds_at_once, start = ROWS.get(device.type, 1), 1, time.perf_counter()
        if device.type == "cpu" and len(latents) > rows * torch.get_num_threads() and self._many_are_exact:
            rows, sounds_at_once = MANY_ROWS, MANY_SOUNDS
        parts = list(zip(embeddings.split(rows), latents.split(rows), strict=True))
        if device.type != "cpu":
            return self._run_on_card(parts, rows, device)
        made = spread(lambda part: self._generate(part[0], part[1], rows, device), parts)
        pixels, mels = [each for some, _ in made for each in some], torch.cat([mel for _, mel in made])
        middle = time.perf_counter()
        sounds = spread(lambda mel: vocode(mel, self.config.audio), mels.split(sounds_at_once))
        return Made(pixels, mels.numpy(), torch.cat(sounds).numpy(), middle - start, time.perf_counter() - middle)

    def _run_on_card(self, parts: list[tuple[Tensor, Tensor]], rows: int, device: torch.device) -> Made:
        pixels: list[np.ndarray] = []
        mels, audio, in_generator, in_vocoder = [], [], 0.0, 0.0
        for e, z in parts:
            with card:
                start = time.perf_counter()
                some, mel = self._generate(e, z, rows, device)
                middle = time.perf_counter()
                audio.append(vocode(_padded(mel, rows), self.config.audio)[: len(mel)].cpu().numpy())
            pixels, mels = pixels + some, [*mels, mel.cpu().numpy()]
            in_generator, in_vocoder = in_generator + middle - start, in_vocoder + time.perf_counter() - middle
        return Made(pixels, np.concatenate(mels), np.concatenate(audio), in_generator, in_vocoder)

    def _generate(self, e: Tensor, z: Tensor, rows: int, device: torch.device) -> tuple[list[np.ndarray], Tensor]:
        """At most ``rows`` embeddings and latents -> as many pictures and log-mels, by a pass of ``rows`` rows."""
        count = len(e)
        e, z = (_padded(x, rows).to(device) for x in (e, z))
        recorded = self._recorded if device.type == "cuda" else None
        image, mel = (recorded or self._forward)(e, z)
        with torch.no_grad():  # not inference mode: filters that mel.py caches must stay usable in training
            return _pixels(image[:count]), mel[:count].float().clone()

    def _forward(self, e: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        # A graph must not refer to weights that autocast cached outside of it.
        bf16 = torch.autocast(e.device.type, torch.bfloat16, enabled=e.device.type == "cuda", cache_enabled=False)
        with torch.inference_mode(), bf16:
            made = self.generator(e, z)
            return made["image"], made["audio"]

    @functools.cached_property
    def _many_are_exact(self) -> bool:
        """Whether each row is bit for bit the same in the larger passes as in the smaller ones, by a trial."""
        draw, audio = torch.Generator().manual_seed(0), self.config.audio
        e = torch.nn.functional.normalize(normal(MANY_ROWS, EMBEDDING_DIM, generator=draw), dim=1)
        z = normal(MANY_ROWS, self.config.latent_dim, generator=draw)

        def trial(rows: int, sounds: int) -> tuple[Tensor, Tensor]:
            passes = [self._generate(*ez, rows, self.device) for ez in zip(e.split(rows), z.split(rows), strict=True)]
            mels = torch.cat([mel for _, mel in passes])
            return mels, torch.cat([vocode(mel, audio) for mel in mels[:MANY_SOUNDS].split(sounds)])

        many, few = spread(lambda sizes: trial(*sizes), [(MANY_ROWS, MANY_SOUNDS), (ROWS["cpu"], 1)])
        return all(map(torch.equal, many, few))

    # --------------------------------------------------------------------------------------------------------- device

    def _move(self, device: torch.device) -> None:
        if device.type == "cpu":
            return
        try:
            sizes, draw = (EMBEDDING_DIM, self.config.latent_dim), torch.Generator().manual_seed(0)
            self.generator.to(device)
            e, z = (normal(ROWS["cuda"], size, generator=draw) for size in sizes)
            self._run(e[:1], z[:1], device)
            if device.type == "cuda":
                self._recorded = record(self._forward, e.to(device), z.to(device))
            self.device = device
        except RuntimeError as error:
            self._gpu_failed(device, error)

    def _gpu_failed(self, device: torch.device, error: RuntimeError) -> None:
        """Goes on with the CPU if the device was chosen automatically, and says so once."""
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120].rstrip(".")
        if not self._may_fall_back:
            raise MmganError("sampling.device_failed", device=device, error=reason) from error
        with self._lock:
            if self.notice is None:
                self.notice = Message("sampling.card_failed", error=reason)
                warnings.warn(str(self.notice), stacklevel=4)
            self._recorded = None
            try:
                self.generator.to("cpu")
            except RuntimeError:  # after some faults nothing can be fetched from the card
                self.generator = _ready(self._reload())
            self.device = torch.device("cpu")  # last, because other threads look at this before they use the generator


def normal(*size: int, generator: torch.Generator) -> Tensor:
    """Standard normal float32, whatever the caller's default is, on the CPU."""
    return torch.randn(*size, generator=generator, dtype=torch.float32)


def _ready(generator: Generator) -> Generator:
    return generator.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _padded(x: Tensor, rows: int) -> Tensor:
    """[n, ...] -> [rows, ...] with zeros below."""
    return torch.cat([x, x.new_zeros(rows - len(x), *x.shape[1:])])


def _pixels(image: Tensor) -> list[np.ndarray]:
    """[n, 1 or 3, S, S] of about -1..1 -> n arrays uint8 [S, S] or [S, S, 3]."""
    pixels = ((image.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [np.ascontiguousarray(p[..., 0] if p.shape[-1] == 1 else p) for p in pixels]


def _choose_device(device: str | torch.device) -> torch.device:
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise MmganError("sampling.no_device", device=device) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise MmganError("sampling.no_cuda")
    return chosen
