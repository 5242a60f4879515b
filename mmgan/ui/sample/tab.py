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
from ..server.quota import MAX_SAMPLES
from ..server.sentences import sentence, unexpected
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
    examples = studio.sampler.examples(studio.sampler.shipped[0])
    openings = {spoken: _opening(studio.sampler, _first(examples, spoken)) for spoken in LANGUAGES}
    ask = Ask(list(studio.sampler.shipped), examples, openings["en"])
    ways = Ways(examples)
    gr.HTML(favourites.box(), elem_id="favourites", **PLAIN)
    signals = Signals()
    _answer_clicks(ask, ways, signals)
    _greet(studio, ask, ways, signals, examples, openings)
    add_api(studio.seen, studio.quota)


class Ask:
    """Lays out what is asked for, a prompt with its settings, and under it the place of the results."""

    def __init__(self, models: list[str], examples: list[str], opening: Samples | MmganError | None):
        alert_html, results_html = _opened(opening, "en")
        with gr.Column(elem_classes="mm-ask"):
            with gr.Row(elem_classes="mm-prompt-row"):
                self.prompt = gr.Textbox(
                    value=_first(examples, "en"), label=label("prompt"), placeholder=label("prompt_placeholder"),
                    lines=1, max_lines=1, autofocus=True, elem_id="prompt", scale=1, container=True,
                )  # fmt: skip
                self.button = gr.Button(
                    label("generate"), variant="primary", elem_id="generate", scale=0, min_width=132
                )
            self.alert = gr.HTML(alert_html, elem_id="alert", **PLAIN)
            gr.HTML(said("examples", "p", 'class="mm-hint"'), **PLAIN)
            with gr.Row(elem_classes="mm-chips"):
                self.chips = [
                    gr.Button(**_chip(examples, index), size="sm", scale=0, min_width=0) for index in range(CHIPS)
                ]
            self._lay_out_controls(models)
        self.results = gr.HTML(results_html, elem_id="results", **PLAIN)

    def _lay_out_controls(self, models: list[str]) -> None:
        with gr.Row(elem_classes="mm-settings"):
            self.model = gr.Dropdown(
                choices(models), value=models[0], label=label("model"), elem_id="model", filterable=False, scale=0,
                min_width=200,
            )  # fmt: skip
            self.count = gr.Slider(
                1, MAX_SAMPLES, value=FIRST, step=1, label=label("num_samples"), elem_id="count", scale=1,
                min_width=220, buttons=[],
            )  # fmt: skip
            with gr.Row(elem_classes="mm-seed", scale=1):
                self.seed = gr.Number(value=0, label=label("seed"), precision=0, elem_id="seed", scale=1, min_width=120)
                self.dice = gr.Button(label("seed_dice"), size="sm", elem_id="dice", scale=0, min_width=96)
        with gr.Accordion(label("more"), open=False, elem_classes="mm-more"):
            self.truncation = gr.Slider(
                0, 1, value=1, step=0.05, label=label("truncation"), info=label("truncation_info"),
                elem_id="truncation", buttons=[],
            )  # fmt: skip

    @property
    def controls(self) -> list[gr.Component]:
        """What a request says beside its prompt."""
        return [self.model, self.count, self.seed, self.truncation]


class Ways:
    """Lays out the two ways through the model: from one sentence to another, and along the latents."""

    def __init__(self, examples: list[str]):
        with gr.Row(elem_classes="mm-explore"):
            with gr.Column(elem_classes="mm-panel", elem_id="morph", min_width=300):
                gr.HTML(_heading("morph"), **PLAIN)
                with gr.Row(elem_classes="mm-go"):
                    self.other = gr.Textbox(
                        value=examples[1] if len(examples) > 1 else "", label=label("morph_other"), lines=1,
                        max_lines=1, elem_id="other", scale=1,
                    )  # fmt: skip
                    self.morph_button = gr.Button(label("morph_go"), elem_id="morph-go", scale=0, min_width=110)
                self.morph = _places("morph_empty")
            with gr.Column(elem_classes="mm-panel", elem_id="walk", min_width=300):
                gr.HTML(_heading("walk"), **PLAIN)
                with gr.Row(elem_classes="mm-go"):
                    self.walk_button = gr.Button(label("walk_go"), elem_id="walk-go", scale=0, min_width=160)
                self.walk = _places("walk_empty")


def _places(empty: str) -> list[gr.Component]:
    """Where a way's alert and the way itself are shown."""
    alert = gr.HTML("", elem_classes="mm-alert-place", **PLAIN)
    return [alert, gr.HTML(cards.empty(empty), elem_classes="mm-stage-place", **PLAIN)]


class Signals:
    """Components that nobody sees: scripts and gradio tell each other through them what to do."""

    def __init__(self):
        self.again = gr.Textbox(elem_id="again", visible="hidden", container=False)  # what favourites.js asks for
        self.suggestion = gr.Textbox(visible="hidden", container=False)  # a first prompt in the reader's language
        self.leaving = gr.Textbox(elem_id="leaving", visible="hidden", container=False)  # page.js switches the language


def _answer_clicks(ask: Ask, ways: Ways, signals: Signals) -> None:
    """Calls ``assets/sample/tab.js`` when a visitor asks for something."""

    def on(triggers, name, inputs, outputs, *first):  # as events of gradio they would go through its queue
        gr.on(triggers, None, inputs, outputs, js=_script(name, *first), api_visibility="private")

    shown, plain = [ask.alert, ask.results], [ask.model, ask.seed, ask.truncation]
    on([ask.prompt.submit, ask.button.click], "generate", [ask.prompt, *ask.controls], shown)
    for chip in ask.chips:
        chip.click(None, chip, ask.prompt, js="(text) => text", api_visibility="private")
        on(chip.click, "generate", [chip, *ask.controls], shown)
    kept, changed = [ask.prompt, ways.other, *ask.controls], [ask.prompt, ways.other, *ask.chips]
    on(ask.model.input, "toModel", kept, [*shown, *changed], str(CHIPS))
    recalled = [*shown, ask.prompt, *plain, *ask.chips]
    on(signals.again.change, "recall", [signals.again, ask.count], recalled, str(CHIPS))
    on([ways.other.submit, ways.morph_button.click], "morph", [ask.prompt, ways.other, *plain], ways.morph)
    on(ways.walk_button.click, "walk", [ask.prompt, *plain], ways.walk)
    ask.dice.click(None, None, ask.seed, js="() => Math.floor(Math.random() * 1e6)", api_visibility="private")


def _greet(
    studio: Studio, ask: Ask, ways: Ways, signals: Signals, examples: list[str],
    openings: dict[str, Samples | MmganError | None],
) -> None:  # fmt: skip
    """Shows each visitor who arrives the page in their language, and has them keep what they typed when they leave."""
    kept = [ask.prompt, ways.other, *ask.controls]
    untouched = [component.value for component in kept]

    def arrive(request: gr.Request):
        """What differs between visitors: the language of the first results, and the runs that exist by now."""
        spoken, models = language(request), gr.update(choices=choices(studio.seen(request).models))
        if spoken == "en":
            return *[gr.skip()] * 3, models, *[gr.skip()] * CHIPS
        known = ordered(examples, spoken)
        chips = (gr.update(**_chip(known, index)) for index in range(CHIPS))
        return *_opened(openings[spoken], spoken), _first(examples, spoken), models, *chips

    studio.demo.load(
        arrive,
        None,
        [ask.alert, ask.results, signals.suggestion, ask.model, *ask.chips],
        show_progress="hidden",
        api_visibility="private",
        queue=False,
    ).then(
        None, [signals.suggestion, *kept], kept, api_visibility="private",
        js=_script("arrived", json.dumps(untouched)),
    ).then(None, signals.again, signals.again, js=_script("wanted"), api_visibility="private")  # fmt: skip
    signals.leaving.change(None, kept, None, js=_script("held"), api_visibility="private")


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
        with ThreadPoolExecutor(1) as thread:  # this thread may have an event loop already
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
