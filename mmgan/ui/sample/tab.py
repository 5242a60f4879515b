"""The Sample tab: a prompt in, pictures and sounds out; ways through the model; favourites."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import gradio as gr

from ...errors import MmganError
from ...language import LANGUAGES
from ..language import label, language
from ..server.limits import MAX_SAMPLES
from ..server.problems import sentence, unexpected
from ..tab import Studio, Tab
from . import cards, favourites
from .api import add_api
from .cards import PLAIN, said
from .routes import choices, ordered, routes
from .sampler import Sampler, Samples

log = logging.getLogger(__name__)

CHIPS = 8  # examples shown
FIRST = 4  # samples on the page when it opens


def build(studio: Studio) -> None:
    """Adds the tab's components, events and API to the surrounding ``gr.Blocks``."""
    demo, sampler, seen = studio.demo, studio.sampler, studio.seen
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
                choices(list(sampler.shipped)), value=model_name, label=label("model"), elem_id="model",
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

    def on(triggers, name, inputs, outputs, *first):  # gradio's own events would go through its queue
        gr.on(triggers, None, inputs, outputs, js=_script(name, *first), api_visibility="private")

    on([prompt.submit, button.click], "generate", [prompt, *settings], [alert, results])
    for chip in chips:
        chip.click(None, chip, prompt, js="(text) => text", api_visibility="private")
        on(chip.click, "generate", [chip, *settings], [alert, results])
    on(model.input, "toModel", kept, [alert, results, prompt, other, *chips], str(CHIPS))
    fields = [prompt, model, seed, truncation]
    on(again.change, "recall", [again, count], [alert, results, *fields, *chips], str(CHIPS))
    on([other.submit, morph_button.click], "morph", [prompt, other, *plain], [morph_alert, morph_stage])
    on(walk_button.click, "walk", [prompt, *plain], [walk_alert, walk_stage])
    dice.click(None, None, seed, js="() => Math.floor(Math.random() * 1e6)", api_visibility="private")

    def arrive(request: gr.Request):
        """What differs from visitor to visitor: the language of what the page opens with, and the runs of by now."""
        spoken, models = language(request), gr.update(choices=choices(seen(request).models))
        if spoken == "en":
            return *[gr.skip()] * 3, models, *[gr.skip()] * CHIPS
        known = ordered(examples, spoken)
        chips = (gr.update(**_chip(known, index)) for index in range(CHIPS))
        return *_opened(openings[spoken], spoken), _first(examples, spoken), models, *chips

    demo.load(
        arrive,
        None,
        [alert, results, suggestion, model, *chips],
        show_progress="hidden",
        api_visibility="private",
        queue=False,
    ).then(
        None, [suggestion, *kept], kept, api_visibility="private",
        js=_script("arrived", json.dumps(untouched)),
    ).then(None, again, again, js=_script("wanted"), api_visibility="private")  # fmt: skip
    leaving.change(None, kept, None, js=_script("held"), api_visibility="private")
    add_api(seen, studio.limits)


def _script(name: str, *first: str) -> str:
    """What has gradio call a function of ``assets/sample/tab.js`` with values of components, behind JSON ones."""
    given = ", ".join([*first, "...values"])
    return f"(...values) => import('mmgan/sample/tab.js').then((tab) => tab.{name}({given}))"


def _heading(key: str) -> str:
    return said(key, "h2", 'class="mm-panel-title"') + said(f"{key}_about", "p", 'class="mm-about"')


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
        return MmganError(unexpected(error))


def _opened(opening: Samples | MmganError | None, spoken: str) -> tuple[str, str]:
    if isinstance(opening, Samples):
        return "", cards.results(opening, spoken)
    return cards.alert(sentence(opening, spoken)) if opening else "", cards.empty()


def _first(examples: list[str], spoken: str) -> str:
    return next(iter(ordered(examples, spoken)), "")


def _chip(examples: list[str], index: int) -> dict:
    return {"value": examples[index] if index < len(examples) else "", "visible": index < len(examples)}


TAB = Tab("sample", build, routes)
