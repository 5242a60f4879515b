"""The Sample tab: a prompt in, pictures and sounds out; ways through the model; favourites."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor

import gradio as gr

from ..errors import MmganError
from . import cards, explore, favourites
from .cards import PLAIN, said
from .insight import insight
from .limits import MAX_AT_ONCE, MAX_SAMPLES, Limits
from .problems import fault, sentence
from .sampling import RUNS, Sampler, Samples
from .seeing import SeenSampler
from .strings import LANGUAGES, label, language

log = logging.getLogger(__name__)

CHIPS = 8  # examples shown
FIRST = 4  # samples on the page when it opens
QUEUE = {"concurrency_id": "sampling", "concurrency_limit": MAX_AT_ONCE}  # page and API share one queue


def build(demo: gr.Blocks, sampler: Sampler, seen: Callable[[gr.Request], SeenSampler], limits: Limits) -> None:
    """Adds the tab's components and events to the surrounding ``demo``.

    Args:
        seen: the sampler as the visitor of a request has it.
    """
    model_name = sampler.shipped[0]
    examples = sampler.examples(model_name)
    first = _first(examples, "en")
    openings = {spoken: _opening(sampler, _first(examples, spoken)) for spoken in LANGUAGES}
    alert_html, results_html = _opened(openings["en"], "en")

    with gr.Column(elem_classes="mm-ask"):
        with gr.Row(elem_classes="mm-prompt-row"):
            prompt = gr.Textbox(
                value=first, label=label("prompt"), placeholder=label("prompt_placeholder"), lines=1, max_lines=1,
                autofocus=True, elem_id="prompt", scale=1, container=True,
            )  # fmt: skip
            button = gr.Button(label("generate"), variant="primary", elem_id="generate", scale=0, min_width=132)
        alert = gr.HTML(alert_html, elem_id="alert", **PLAIN)
        gr.HTML(said("examples", "p", 'class="mm-hint"'), **PLAIN)
        with gr.Row(elem_classes="mm-chips"):
            chips = [gr.Button(**_chip(examples, index), size="sm", scale=0, min_width=0) for index in range(CHIPS)]
        with gr.Row(elem_classes="mm-settings"):
            model = gr.Dropdown(
                _choices(list(sampler.shipped)), value=model_name, label=label("model"), elem_id="model",
                filterable=False, scale=0, min_width=200,
            )  # fmt: skip
            count = gr.Slider(
                1, MAX_SAMPLES, value=FIRST, step=1, label=label("num_samples"), elem_id="count", scale=1,
                min_width=220, buttons=[],
            )  # fmt: skip
            with gr.Row(elem_classes="mm-seed", scale=1):
                seed = gr.Number(value=0, label=label("seed"), precision=0, elem_id="seed", scale=1, min_width=120)
                dice = gr.Button(label("seed_dice"), size="sm", elem_id="dice", scale=0, min_width=96)
        with gr.Accordion(label("more"), open=False, elem_classes="mm-more"):
            truncation = gr.Slider(
                0, 1, value=1, step=0.05, label=label("truncation"), info=label("truncation_info"),
                elem_id="truncation", buttons=[],
            )  # fmt: skip
    results = gr.HTML(results_html, elem_id="results", **PLAIN)

    with gr.Row(elem_classes="mm-explore"):
        with gr.Column(elem_classes="mm-panel", elem_id="morph", min_width=300):
            gr.HTML(_heading("morph"), **PLAIN)
            with gr.Row(elem_classes="mm-go"):
                other = gr.Textbox(
                    value=examples[1] if len(examples) > 1 else "", label=label("morph_other"), lines=1, max_lines=1,
                    elem_id="other", scale=1,
                )  # fmt: skip
                morph_button = gr.Button(label("morph_go"), elem_id="morph-go", scale=0, min_width=110)
            morph_alert = gr.HTML("", elem_classes="mm-alert-place", **PLAIN)
            morph_stage = gr.HTML(cards.empty("morph_empty"), elem_classes="mm-stage-place", **PLAIN)
        with gr.Column(elem_classes="mm-panel", elem_id="walk", min_width=300):
            gr.HTML(_heading("walk"), **PLAIN)
            with gr.Row(elem_classes="mm-go"):
                walk_button = gr.Button(label("walk_go"), elem_id="walk-go", scale=0, min_width=160)
            walk_alert = gr.HTML("", elem_classes="mm-alert-place", **PLAIN)
            walk_stage = gr.HTML(cards.empty("walk_empty"), elem_classes="mm-stage-place", **PLAIN)
    gr.HTML(favourites.box(), elem_id="favourites", **PLAIN)
    again = gr.Textbox(elem_id="again", visible="hidden", container=False)  # what favourites.js asks for
    suggestion = gr.Textbox(visible="hidden", container=False)  # a first prompt in the reader's language
    leaving = gr.Textbox(elem_id="leaving", visible="hidden", container=False)  # when page.js switches the language

    settings = [model, count, seed, truncation]
    kept = [prompt, other, *settings]
    untouched = [component.value for component in kept]
    plain = [model, seed, truncation]

    async def answer(request, place, ask):
        """The alert, and ``place`` results of ``ask()``; on an error one sentence, and what was there stays."""
        spoken = language(request)
        try:
            limits.check(request)
            made = await ask(spoken)
            return ("", *made) if isinstance(made, tuple) else ("", made)
        except MmganError as error:
            return (cards.alert(sentence(error, spoken)), *[gr.skip()] * place)
        except (asyncio.CancelledError, CancelledError):
            raise
        except Exception as error:
            log.exception("sampling failed")
            return (cards.alert(fault(error, spoken)), *[gr.skip()] * place)

    async def shown(mine, spoken, prompt, model, num_samples, seed, truncation):
        result = await mine.sample(prompt, num_samples, seed, truncation, model)
        said = await insight(mine, result.model, result.prompt)
        return await mine.show(result.size, cards.results, result, said, spoken)

    async def generate(prompt, model, num_samples, seed, truncation, request: gr.Request):
        asked = prompt, model, num_samples, seed, truncation
        return await answer(request, 1, lambda spoken: shown(seen(request), spoken, *asked))

    offered = set(examples)  # prompts that nobody typed, which give way to another model's

    async def switch(prompt, other, model, num_samples, seed, truncation, request: gr.Request):
        async def ask(spoken):
            mine = seen(request)
            known = _ordered(await mine.aside(mine.examples, model), spoken)
            offered.update(known)
            given = (*known, "", "")[:2]
            typed = [(text or "").strip() != "" and text not in offered for text in (prompt, other)]
            asked = prompt if typed[0] else given[0]
            html = await shown(mine, spoken, asked, model, num_samples, seed, truncation) if asked else cards.empty()
            prompts = (gr.skip() if own else new for own, new in zip(typed, given, strict=True))
            return html, *prompts, *(gr.update(**_chip(known, index)) for index in range(CHIPS))

        return await answer(request, 3 + CHIPS, ask)

    async def show_way(prompt, other, model, seed, truncation, request: gr.Request):
        async def ask(spoken):
            mine = seen(request)
            way = await mine.morph(prompt, other, seed, truncation, model)
            return await mine.show(way.size, explore.morph, way, other, spoken)

        return await answer(request, 1, ask)

    async def show_codes(prompt, model, seed, truncation, request: gr.Request):
        async def ask(spoken):
            mine = seen(request)
            ways = await mine.walk(prompt, seed, truncation, model)
            return await mine.show(sum(way.size for way in ways.values()), explore.walk, ways, spoken)

        return await answer(request, 1, ask)

    async def recall(text, num_samples, request: gr.Request):
        """What ``mmgan.ask`` of page.js asks for: a favourite again, or samples of a run."""

        async def ask(spoken):
            asked = json.loads(text)
            model, seed, truncation = asked["model"], int(asked.get("seed", 0)), float(asked.get("truncation", 1))
            mine = seen(request)
            await mine.choose(model)  # it may have been deleted since
            known = _ordered(await mine.aside(mine.examples, model), spoken)
            offered.update(known)
            prompt = asked.get("prompt") or next(iter(known), "")
            html = await shown(mine, spoken, prompt, model, num_samples, seed, truncation)
            chips = (gr.update(**_chip(known, index)) for index in range(CHIPS))
            prompt = gr.skip() if asked.get("aside") else prompt  # another one is being written
            return html, prompt, gr.update(choices=_choices(mine.models), value=model), seed, truncation, *chips

        return await answer(request, 5 + CHIPS, ask)

    def private(place):
        return {"show_progress": "minimal", "show_progress_on": place, "api_visibility": "private",
                "trigger_mode": "always_last", **QUEUE}  # fmt: skip

    gr.on([prompt.submit, button.click], generate, [prompt, *settings], [alert, results], **private(results))
    for chip in chips:
        chip.click(None, chip, prompt, js="(text) => text", api_visibility="private")
        chip.click(generate, [chip, *settings], [alert, results], **private(results))
    model.input(switch, [prompt, other, *settings], [alert, results, prompt, other, *chips], **private(results))
    dice.click(None, None, seed, js="() => Math.floor(Math.random() * 1e6)", api_visibility="private")
    gr.on(
        [other.submit, morph_button.click], show_way, [prompt, other, *plain], [morph_alert, morph_stage],
        **private(morph_stage),
    )  # fmt: skip
    walk_button.click(show_codes, [prompt, *plain], [walk_alert, walk_stage], **private(walk_stage))
    again.change(recall, [again, count], [alert, results, prompt, model, seed, truncation, *chips], **private(results))

    def arrive(request: gr.Request):
        """What differs from visitor to visitor: the language of what the page opens with, and the runs of by now."""
        spoken, choices = language(request), gr.update(choices=_choices(seen(request).models))
        if spoken == "en":
            return *[gr.skip()] * 3, choices, *[gr.skip()] * CHIPS
        known = _ordered(examples, spoken)
        chips = (gr.update(**_chip(known, index)) for index in range(CHIPS))
        return *_opened(openings[spoken], spoken), _first(examples, spoken), choices, *chips

    demo.load(
        arrive,
        None,
        [alert, results, suggestion, model, *chips],
        show_progress="hidden",
        api_visibility="private",
        queue=False,
    ).then(
        None, [suggestion, *kept], kept, api_visibility="private",
        js=f"(suggested, ...now) => window.mmKept.arrived(suggested, {json.dumps(untouched)}, now)",
    ).then(None, again, again, js="(now) => window.mmKept.wanted(now)", api_visibility="private")  # fmt: skip
    leaving.change(None, kept, None, js="(...now) => { window.mmKept.leave(now); }", api_visibility="private")


def _heading(key: str) -> str:
    return said(key, "h2", 'class="mm-panel-title"') + said(f"{key}_about", "p", 'class="mm-about"')


def _choices(models: list[str]) -> list[tuple[str, str]]:
    return [(name.removeprefix(RUNS), name) for name in models]


def _opening(sampler: Sampler, prompt: str) -> Samples | MmganError | None:
    """What the page opens with: samples of ``prompt``, or why there are none."""
    try:
        sampler.pipeline(sampler.shipped[0])
        if not prompt:
            return None
        with ThreadPoolExecutor(1) as thread:  # whoever builds the page may have an event loop of their own
            return thread.submit(asyncio.run, sampler.sample(prompt, FIRST)).result()
    except MmganError as error:
        return error
    except Exception as error:
        log.exception("the first samples failed")
        return MmganError(fault(error, "en"))


def _opened(opening: Samples | MmganError | None, spoken: str) -> tuple[str, str]:
    if isinstance(opening, Samples):
        return "", cards.results(opening, language=spoken)
    return cards.alert(sentence(opening, spoken)) if opening else "", cards.empty()


def _ordered(examples: list[str], spoken: str) -> list[str]:
    """The examples with those in the reader's language first."""
    return sorted(examples, key=lambda text: any("\u4e00" <= c <= "\u9fff" for c in text) != (spoken == "zh"))


def _first(examples: list[str], spoken: str) -> str:
    return next(iter(_ordered(examples, spoken)), "")


def _chip(examples: list[str], index: int) -> dict:
    return {"value": examples[index] if index < len(examples) else "", "visible": index < len(examples)}
