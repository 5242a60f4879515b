"""What the scripts of the Sample tab ask: samples and ways through the model, as HTML for their places in the page.

They go past gradio's queue, which takes longer for a request than a sample does, and are counted with it: a visitor has
one share of both. An answer is made for as long as somebody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...errors import MmganError
from ..language import language
from ..server.quota import Quota
from ..server.routes import Answer, answering, read_question, text_of
from ..server.seeing import SeenSampler
from ..server.sentences import fault
from ..tab import Studio
from . import cards, explore
from .insight import nearest_caption, word_shares
from .sampler import RUNS

log = logging.getLogger(__name__)


def routes(studio: Studio) -> list[BaseRoute]:
    """``/generate``, ``/switch`` (to another model), ``/recall`` (a favourite, or a run), ``/morph`` and ``/walk``;
    ``/words``: how much each word mattered for what was generated."""
    sampler = studio.sampler
    offered = set(sampler.examples(sampler.shipped[0]))  # not typed by anybody: replaced with another model's

    async def generate(mine: SeenSampler, spoken: str, asked: dict) -> dict:
        result = await mine.sample(*_given(asked, "prompt", "count", "seed", "truncation"), text_of(asked, "model"))
        nearest = await nearest_caption(mine, result.model, result.prompt)
        html = await mine.show(result.size, cards.results, result, spoken, nearest, True)
        return {"html": html, "of": {"prompt": result.prompt, "model": result.model}}

    async def examples(mine: SeenSampler, spoken: str, asked: dict) -> list[str]:
        known = ordered(await mine.aside(mine.examples, text_of(asked, "model")), spoken)
        offered.update(known)
        return known

    async def switch(mine: SeenSampler, spoken: str, asked: dict) -> dict:
        known = await examples(mine, spoken, asked)
        texts = {name: text_of(asked, name) for name in ("prompt", "other")}
        new = dict(zip(texts, (*known, "", ""), strict=False))
        new = {name: new[name] for name, text in texts.items() if not text.strip() or text in offered}
        asked |= new
        made = await generate(mine, spoken, asked) if asked["prompt"] else {"html": cards.empty()}
        return made | new | {"examples": known}

    async def recall(mine: SeenSampler, spoken: str, asked: dict) -> dict:
        await mine.choose(text_of(asked, "model"))  # it may have been deleted since
        known = await examples(mine, spoken, asked)
        prompt = text_of(asked, "prompt") or next(iter(known), "")
        made = await generate(mine, spoken, asked | {"prompt": prompt})
        models = await mine.aside(lambda: mine.models)
        return made | {"prompt": prompt, "examples": known, "models": choices(models)}

    async def morph(mine: SeenSampler, spoken: str, asked: dict) -> dict:
        way = await mine.morph(*_given(asked, "prompt", "other", "seed", "truncation"), text_of(asked, "model"))
        return {"html": await mine.show(way.size, explore.morph, way, asked["other"], spoken)}

    async def walk(mine: SeenSampler, spoken: str, asked: dict) -> dict:
        ways = await mine.walk(*_given(asked, "prompt", "seed", "truncation"), text_of(asked, "model"))
        return {"html": await mine.show(sum(way.size for way in ways.values()), explore.walk, ways, spoken)}

    async def words(mine: SeenSampler, spoken: str, asked: dict) -> dict:
        return {"shares": await word_shares(mine, text_of(asked, "model"), text_of(asked, "prompt"))}

    def route(function: Callable[[SeenSampler, str, dict], Awaitable[dict]], quota: Quota) -> Route:
        async def answer(request: Request) -> dict | Response:
            asked, spoken = await read_question(request), language(request)
            with studio.share.holding(request):
                quota.check(request)
                try:
                    return await _while_there(request, function(studio.seen(request), spoken, asked))
                except (MmganError, ClientDisconnect, asyncio.CancelledError, CancelledError):
                    raise
                except Exception as error:
                    log.exception("sampling failed")
                    return Answer({"error": fault(error, spoken)}, 400)  # the fault lies in the prompt

        return Route(f"/{function.__name__}", answering(answer), methods=["POST"])

    made = [route(function, studio.quota) for function in (generate, switch, recall, morph, walk)]
    return [*made, route(words, Quota())]  # with a quota of its own, of the same size


def _given(asked: dict, *names: str) -> list:
    return [asked.get(name) for name in names]


async def _while_there(request: Request, work: Awaitable[dict]) -> dict:
    """What ``work`` gives; it is cancelled, and ClientDisconnect raised, where the caller goes away before that."""
    made, gone = asyncio.ensure_future(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((made, gone), return_when=asyncio.FIRST_COMPLETED)
        if not made.done():
            raise ClientDisconnect
        return made.result()
    finally:
        made.cancel()
        gone.cancel()


def ordered(examples: list[str], spoken: str) -> list[str]:
    """The examples with those in the reader's language first."""
    return sorted(examples, key=lambda text: any("\u4e00" <= c <= "\u9fff" for c in text) != (spoken == "zh"))


def choices(models: list[str]) -> list[tuple[str, str]]:
    """(what is shown, name) of each model."""
    return [(name.removeprefix(RUNS), name) for name in models]
