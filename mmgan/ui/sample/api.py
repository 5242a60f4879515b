"""The API: what the page does, by name, for programs. The docstrings are what callers and MCP clients read."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from ...errors import MmganError
from ..language import language
from ..server.quota import MAX_AT_ONCE, Quota
from ..server.seeing import SeenSampler
from ..server.sentences import sentence
from .sampler import LARGE_BYTES, Samples

QUEUE = {"concurrency_id": "sampling", "concurrency_limit": MAX_AT_ONCE}


def add_api(seen: Callable[[gr.Request | None], SeenSampler], quota: Quota) -> None:
    """Adds /sample, /morph, /walk and /models to the surrounding ``gr.Blocks``.

    Args:
        seen: the sampler as the visitor of a request has it.
    """
    endpoints = Endpoints(seen, quota)
    for method in (endpoints.sample, endpoints.morph, endpoints.walk):
        gr.api(method, api_name=method.__name__, **QUEUE)
    gr.api(endpoints.models, api_name="models", queue=False)


class Endpoints:
    """A method for each endpoint; gradio reads its signature and its docstring."""

    def __init__(self, seen: Callable[[gr.Request | None], SeenSampler], quota: Quota):
        self._seen, self._quota = seen, quota

    async def sample(
        self,
        prompt: str,
        num_samples: int = 4,
        seed: int = 0,
        truncation: float = 1.0,
        model: str = "",
        request: gr.Request = None,
    ) -> list[dict]:
        """Makes pictures and sounds that belong to a sentence and to each other.

        Args:
            prompt: what to make, in English or Chinese, such as "a handwritten seven"; at most 1,000 characters.
            num_samples: how many, 1 to 16.
            seed: 0 to 4294967295; the same seed gives the same samples.
            truncation: 0 to 1; lower is plainer and steadier.
            model: one of what /models lists; the first of them if left out.

        Returns:
            An object for each sample, with image and spectrogram (PNG) and audio (WAV) as data URIs.
        """
        return await self._answer(
            request, lambda mine: mine.sample(prompt, num_samples, seed, truncation, model), _plain
        )

    async def morph(
        self,
        prompt: str,
        other: str,
        seed: int = 0,
        truncation: float = 1.0,
        model: str = "",
        request: gr.Request = None,
    ) -> list[dict]:
        """Makes the way from one sentence to another: 13 pictures and sounds with the same latents.

        Args:
            prompt: where the way starts.
            other: where it ends.
            seed: 0 to 4294967295; chooses the latents.
            truncation: 0 to 1; lower is plainer and steadier.
            model: one of what /models lists; the first of them if left out.

        Returns:
            An object for each step, as from /sample.
        """
        return await self._answer(request, lambda mine: mine.morph(prompt, other, seed, truncation, model), _plain)

    async def walk(
        self, prompt: str, seed: int = 0, truncation: float = 1.0, model: str = "", request: gr.Request = None
    ) -> dict:
        """Shows what the parts of the latents do: 9 steps along each of them, with the sentence held.

        Args:
            prompt: what to make.
            seed: 0 to 4294967295; the middle step of each way is the first sample of this seed.
            truncation: 0 to 1; lower is plainer and steadier.
            model: one of what /models lists; the first of them if left out.

        Returns:
            "shared" (picture and sound change), "image" (only the picture) and "audio" (only the sound), each with
            an object for each step, as from /sample.
        """
        return await self._answer(
            request, lambda mine: mine.walk(prompt, seed, truncation, model),
            lambda ways: {code: _plain(result) for code, result in ways.items()},
        )  # fmt: skip

    def models(self, request: gr.Request = None) -> list[str]:
        """Lists the models that you can sample from: those that ship, and runs/NAME for runs with a checkpoint."""
        return self._seen(request).models

    async def _answer(self, request: gr.Request | None, ask: Callable, plain: Callable):
        """What ``plain`` makes of the result of ``ask(sampler)``, where ``sampler`` is the visitor's."""
        mine = self._seen(request)
        try:
            self._quota.check(request)
            made = await ask(mine)
            size = sum(each.size for each in made.values()) if isinstance(made, dict) else made.size
            if size > LARGE_BYTES and getattr(request, "session_hash", None):
                self._quota.large_sessions.add(request.session_hash)
            return await mine.show(size, plain, made)
        except MmganError as error:
            raise gr.Error(sentence(error, language(request)), print_exception=False) from error


def _plain(result: Samples) -> list[dict]:
    return [
        {
            "prompt": result.prompt, "model": result.model, "seed": sample.seed,
            "image": sample.image_uri, "audio": sample.audio_uri,
            "spectrogram": sample.spectrogram_uri, "sampling_rate": result.sampling_rate,
            "device": result.device, "milliseconds": result.milliseconds,
        }
        for sample in result.samples
    ]  # fmt: skip
