"""The sampling path: prompt -> embedding -> picture and log-mel -> waveform, on the CPU or CUDA.

Same prompt, seed and device: the same result bit for bit, whatever else is in the batch. Matrix products and
convolutions round differently for different batch sizes, and Griffin-Lim makes an audible difference of a millionth in
a mel. So the generator runs in passes of a fixed number of rows (``ROWS``), padded if need be; prompts share a pass of
the text encoder where that has shown to change no bit; and sounds are made one by one. On a CPU a pass of four takes
twice as long as a pass of one, so that a lone sample waits little; many take passes of eight (``MANY_ROWS``) and sounds
in fours, which is less work, once a trial has shown that this processor gives each row the same bits either way. What
one call has to do is spread over the cores, each with passes and sounds of its own. On CUDA a pass computes in bfloat16
and is replayed from a graph.
"""

from __future__ import annotations

import functools
import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .audio import vocode
from .checked import MAX_SAMPLES, MAX_SEED, MAX_TOTAL, checked_integer, checked_rows, checked_truncation
from .checkpoint import Model, load_model, save_model
from .config import ModelConfig
from .cuda_graph import Recorded, card, record
from .errors import MmganError, PromptError, within_memory
from .familiarity import Familiarity, measure_familiarity
from .text import TextEncoder, check_prompt, is_prompt
from .workers import spread

ROWS = {"cpu": 4, "cuda": 32}  # samples in one forward pass; bounds the memory too
MANY_ROWS, MANY_SOUNDS = 8, 4  # in one pass and one run of the vocoder on the CPU, where each core has work
MAX_EXAMPLES, MAX_CAPTIONS = 50, 1_000


@dataclass
class Output:
    """What one call made. All lists and arrays go prompt by prompt: n = prompts x num_samples."""

    images: list[Image.Image]  # n, mode L or RGB
    audio: np.ndarray  # float32 [n, samples], -1..1
    sampling_rate: int  # Hz
    mels: np.ndarray  # float32 [n, bands, frames], see mmgan.audio
    prompts: list[str]  # n
    seeds: list[int | None]  # n; pipe(prompts[i], seed=seeds[i]) makes sample i again; None where latents were given
    milliseconds: dict[str, float] = field(default_factory=dict)  # by stage: text, generator, vocoder
    device: str = "cpu"
    notice: str | None = None  # one sentence for people, where something did not go as asked


class Pipeline:
    """A model and a text encoder, ready to sample. Safe to call from several threads.

    Build it with :meth:`from_pretrained`, or from a :class:`~mmgan.checkpoint.Model`.
    """

    def __init__(
        self, model: Model, device: str | torch.device = "auto", text_encoder: TextEncoder | str | Path | None = None
    ):
        self.config: ModelConfig = model.config
        self.info: dict = model.info
        self.folder: Path = model.folder
        self.generator = model.generator.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.discriminators = model.discriminators
        self.notice: str | None = None
        self._text_encoder = text_encoder
        self._lock = threading.RLock()
        self._may_fall_back = str(device) == "auto"
        self._recorded: Recorded | None = None  # the generator's pass of ROWS rows on a CUDA device
        self.device = torch.device("cpu")
        self._move(_choose_device(device))

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
            CheckpointError: see :func:`mmgan.checkpoint.load_model`.
            MmganError: a device that is not there.
        """
        with within_memory():
            return cls(load_model(source), device, text_encoder)

    def save_pretrained(self, folder: str | Path, half: bool = False) -> None:
        """Saves the model, its discriminators too where its folder has them; ``half`` stores 16-bit floats.

        Raises:
            MmganError: see :func:`mmgan.checkpoint.write_checkpoint`.
        """
        discriminators = self.discriminators or load_model(self.folder, with_discriminators=True).discriminators
        save_model(folder, self.generator, discriminators, self.info, half)

    @property
    def text_encoder(self) -> TextEncoder:
        """The text encoder, loaded when first asked for."""
        with self._lock:
            if self._text_encoder is None or isinstance(self._text_encoder, (str, Path)):
                self._text_encoder = TextEncoder.from_pretrained(self._text_encoder)
            return self._text_encoder

    @property
    def name(self) -> str:
        """What the model calls itself, else its folder's name."""
        name = self.info.get("name")
        return name if isinstance(name, str) and name else self.folder.name

    @property
    def examples(self) -> list[str]:
        """Prompts that the model was made for, to offer to people; from ``info["examples"]``."""
        examples = self.info.get("examples")
        return [e for e in examples if isinstance(e, str)][:MAX_EXAMPLES] if isinstance(examples, list) else []

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
            return self._sample(prompt, num_samples, seed, truncation, latents, embeddings)

    def _sample(self, prompt, num_samples, seed, truncation, latents, embeddings) -> Output:
        start = time.perf_counter()
        prompts, given = self._check_prompts(prompt, embeddings)
        num_samples = checked_integer("The number of samples", num_samples, 1, MAX_SAMPLES)
        seed = checked_integer("The seed", seed, 0, MAX_SEED)
        truncation = checked_truncation(truncation)
        codes, seeds = self._codes(len(prompts), num_samples, seed, latents)
        repeats = len(codes) // len(prompts)
        embedded = self.embed(prompts) if given is None else given
        text_done = time.perf_counter()
        images, mels, audio, seconds = self._run(embedded.repeat_interleave(repeats, 0), codes * truncation)
        return Output(
            images=images,
            audio=audio,
            sampling_rate=self.config.audio.sampling_rate,
            mels=mels,
            prompts=[p for p in prompts for _ in range(repeats)],
            seeds=seeds,
            milliseconds={
                "text": 1e3 * (text_done - start),
                "generator": 1e3 * seconds[0],
                "vocoder": 1e3 * seconds[1],
            },
            device=str(self.device),
            notice=self.notice,
        )

    def embed(self, prompts: str | Sequence[str]) -> Tensor:
        """Prompts -> embeddings float32 [n, 384], each what it is alone (see :meth:`TextEncoder.encode`).

        Raises:
            PromptError: a prompt that cannot be used.
        """
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        with within_memory():
            return self.text_encoder.encode(prompts)

    def latents(self, num_samples: int, seed: int = 0) -> Tensor:
        """The latents float32 [num_samples, latent_dim] that ``seed`` stands for, to interpolate between or to edit."""
        num_samples = checked_integer("The number of samples", num_samples, 1, MAX_TOTAL)
        return self._draw(sample_seeds(checked_integer("The seed", seed, 0, MAX_SEED), num_samples))

    def _draw(self, seeds: list[int]) -> Tensor:
        # On the CPU whatever the device, and each from a generator of its own: sample 3 needs no samples 0 to 2.
        size = self.config.latent_dim
        return torch.stack([self._normal(size, torch.Generator().manual_seed(s)) for s in seeds])

    @staticmethod
    def _normal(*size_and_generator) -> Tensor:
        *size, generator = size_and_generator
        return torch.randn(*size, generator=generator, dtype=torch.float32)  # whatever the caller's default is

    def _check_prompts(self, prompt, embeddings) -> tuple[list[str], Tensor | None]:
        if prompt is None and embeddings is None:
            raise PromptError('Type a sentence that says what to make, such as "a handwritten seven".')
        if prompt is not None and not isinstance(prompt, Iterable):
            check_prompt(prompt)  # says what a prompt is
        prompts = None if prompt is None else [prompt] if isinstance(prompt, str) else list(prompt)
        if embeddings is None:
            if not prompts:
                raise PromptError("The list of prompts is empty; give at least one prompt.")
            if len(prompts) > MAX_TOTAL:
                raise PromptError(f"There are {len(prompts):,} prompts; give at most {MAX_TOTAL:,} at a time.")
            for each in prompts:
                check_prompt(each)
            return prompts, None
        rows = checked_rows("embeddings", embeddings, self.config.embedding_dim)
        prompts = [""] * len(rows) if prompts is None else prompts
        if len(prompts) != len(rows):
            raise PromptError(
                f"There are {len(prompts)} prompts and {len(rows)} embeddings; give one embedding a prompt."
            )
        return prompts, rows

    def _codes(self, prompts: int, num_samples: int, seed: int, latents) -> tuple[Tensor, list[int | None]]:
        """Latents and seeds of all prompts x num_samples."""
        rows = None if latents is None else checked_rows("latents", latents, self.config.latent_dim)
        if rows is not None and prompts == 1 and num_samples == 1:
            num_samples = len(rows)
        total = prompts * num_samples
        if total > MAX_TOTAL:
            raise PromptError(
                f"{prompts} prompts of {num_samples} samples each are {total:,} in all; ask for at most {MAX_TOTAL:,}."
            )
        if rows is None:
            seeds = sample_seeds(seed, num_samples)
            return self._draw(seeds).repeat(prompts, 1), seeds * prompts
        if len(rows) not in (num_samples, total):
            raise PromptError(f"There are {len(rows)} latents for {total} results; give {num_samples} or {total} rows.")
        return rows.repeat(total // len(rows), 1), [None] * total

    # --------------------------------------------------------------------------------------------------------- device

    def _run(self, embeddings: Tensor, latents: Tensor):
        """[n, 384] and [n, latent_dim] -> images, mels, audio, (seconds in the generator, seconds in the vocoder)."""
        while True:
            device = self.device
            try:
                return self._chunks(embeddings, latents, device)
            except RuntimeError as error:  # torch raises nothing more special for most of what a GPU can do wrong
                if device.type == "cpu" or isinstance(error, MmganError):
                    raise
                self._gpu_failed(device, error)

    def _chunks(self, embeddings: Tensor, latents: Tensor, device: torch.device):
        rows, sounds_at_once, start = ROWS.get(device.type, 1), 1, time.perf_counter()
        if device.type == "cpu" and len(latents) > rows * torch.get_num_threads() and self._many_are_exact:
            rows, sounds_at_once = MANY_ROWS, MANY_SOUNDS
        parts = list(zip(embeddings.split(rows), latents.split(rows), strict=True))
        if device.type != "cpu":
            return self._on_card(parts, rows, device)
        made = spread(lambda part: self._generate(*part, rows, device), parts)
        images, mels = [image for some, _ in made for image in some], torch.cat([mel for _, mel in made])
        middle = time.perf_counter()
        sounds = spread(lambda mel: vocode(mel, self.config.audio), mels.split(sounds_at_once))
        seconds = middle - start, time.perf_counter() - middle
        return images, mels.numpy(), torch.cat(sounds).numpy(), seconds

    @functools.cached_property
    def _many_are_exact(self) -> bool:
        """Whether each row is bit for bit the same in the larger passes as in the smaller ones, by a trial."""
        draw, audio = torch.Generator().manual_seed(0), self.config.audio
        e = torch.nn.functional.normalize(self._normal(MANY_ROWS, self.config.embedding_dim, draw), dim=1)
        z = self._normal(MANY_ROWS, self.config.latent_dim, draw)

        def trial(rows: int, sounds: int) -> tuple[Tensor, Tensor]:
            passes = [self._generate(*ez, rows, self.device) for ez in zip(e.split(rows), z.split(rows), strict=True)]
            mels = torch.cat([mel for _, mel in passes])
            return mels, torch.cat([vocode(mel, audio) for mel in mels[:MANY_SOUNDS].split(sounds)])

        many, few = spread(lambda sizes: trial(*sizes), [(MANY_ROWS, MANY_SOUNDS), (ROWS["cpu"], 1)])
        return all(map(torch.equal, many, few))

    def _on_card(self, parts: list[tuple[Tensor, Tensor]], rows: int, device: torch.device):
        images: list[Image.Image] = []
        mels, audio, in_generator, in_vocoder = [], [], 0.0, 0.0
        for e, z in parts:
            with card:
                start = time.perf_counter()
                some, mel = self._generate(e, z, rows, device)
                middle = time.perf_counter()
                padded = torch.cat([mel, mel.new_zeros(rows - len(mel), *mel.shape[1:])])
                audio.append(vocode(padded, self.config.audio)[: len(mel)].cpu().numpy())
            images, mels = images + some, [*mels, mel.cpu().numpy()]
            in_generator, in_vocoder = in_generator + middle - start, in_vocoder + time.perf_counter() - middle
        return images, np.concatenate(mels), np.concatenate(audio), (in_generator, in_vocoder)

    def _generate(self, e: Tensor, z: Tensor, rows: int, device: torch.device) -> tuple[list[Image.Image], Tensor]:
        """At most ``rows`` embeddings and latents -> as many pictures and log-mels, by a pass of ``rows`` rows."""
        count = len(e)
        e, z = (torch.cat([x, x.new_zeros(rows - count, x.shape[1])]).to(device) for x in (e, z))
        recorded = self._recorded if device.type == "cuda" else None
        image, mel = (recorded or self._forward)(e, z)
        with torch.no_grad():  # not inference mode: filters that audio.py caches must stay usable in training
            return _pictures(image[:count]), mel[:count].float().clone()

    def _forward(self, e: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        # A graph must not hold weights that autocast cached outside of it.
        bf16 = torch.autocast(e.device.type, torch.bfloat16, enabled=e.device.type == "cuda", cache_enabled=False)
        with torch.inference_mode(), bf16:
            return self.generator(e, z)

    def _move(self, device: torch.device) -> None:
        if device.type == "cpu":
            return
        try:
            sizes = self.config.embedding_dim, self.config.latent_dim
            self.generator.to(device)
            self._chunks(*(torch.zeros(1, size, dtype=torch.float32) for size in sizes), device)
            if device.type == "cuda":
                e, z = (torch.randn(ROWS["cuda"], size, device=device, dtype=torch.float32) for size in sizes)
                self._recorded = record(self._forward, e, z)
            self.device = device
        except RuntimeError as error:
            self._gpu_failed(device, error)

    def _gpu_failed(self, device: torch.device, error: RuntimeError) -> None:
        """Goes on with the CPU where the device was chosen by us, and says so once."""
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120].rstrip(".")
        if not self._may_fall_back:
            raise MmganError(f"The device {device} failed ({reason}); free its memory, or use device='cpu'.") from error
        with self._lock:
            if self.notice is None:
                self.notice = f"The graphics card failed ({reason}), so samples are made on the processor, more slowly."
                warnings.warn(self.notice, stacklevel=4)
            self._recorded = None
            try:
                self.generator.to("cpu")
            except RuntimeError:  # after some failures nothing can be fetched from the card any more
                fresh = load_model(self.folder).generator.requires_grad_(False)
                self.generator = fresh.to(memory_format=torch.channels_last)
            self.device = torch.device("cpu")  # last: other threads look here before they use the generator


def sample_seeds(seed: int, num_samples: int) -> list[int]:
    """The seed of each sample: ``seed`` itself, then one number of 32 bits mixed from ``(seed, index)`` for each other.

    So sample i of a seed is sample 0 of its own, and the samples of neighbouring seeds do not overlap, as those of
    seed + i would. The mixing is NumPy's SeedSequence (O'Neill 2015), whose values are the same everywhere.
    """
    mixed = (np.random.SeedSequence([seed, index]).generate_state(1)[0] for index in range(1, num_samples))
    return [seed, *map(int, mixed)]


def _pictures(image: Tensor) -> list[Image.Image]:
    """[n, 1 or 3, S, S] of about -1..1 -> n pictures of mode L or RGB."""
    pixels = ((image.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(np.ascontiguousarray(p[..., 0] if p.shape[-1] == 1 else p)) for p in pixels]


def _choose_device(device: str | torch.device) -> torch.device:
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise MmganError(f"There is no device {device!r}; use 'auto', 'cpu' or 'cuda'.") from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise MmganError("CUDA cannot be used on this machine; use device='auto' or 'cpu'.")
    return chosen
