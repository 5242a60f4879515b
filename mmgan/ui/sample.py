"""The Sample tab: a prompt in, pictures and sounds out."""

from __future__ import annotations

import logging

import gradio as gr

from ..errors import MmganError
from . import cards
from .cards import PLAIN
from .sampling import MAX_AT_ONCE, MAX_SAMPLES, Sampler, png_uri, wav_uri
from .strings import say

log = logging.getLogger(__name__)

CHIPS = 8  # examples shown
FIRST = 4  # samples on the page when it opens
LIMITS = {"concurrency_id": "sampling", "concurrency_limit": MAX_AT_ONCE}  # page and API share one queue


def build(sampler: Sampler) -> None:
    """Adds the tab's components, events and API to the surrounding ``gr.Blocks``."""
    model_name = sampler.models[0]
    examples = sampler.examples(model_name)
    first = examples[0] if examples else ""
    first_alert, first_results = _opening(sampler, first)

    with gr.Column(elem_classes="mm-ask"):
        with gr.Row(elem_classes="mm-prompt-row"):
            prompt = gr.Textbox(
                value=first, label=say("prompt"), placeholder=say("prompt_placeholder"), lines=1, max_lines=1,
                autofocus=True, elem_id="prompt", scale=1, container=True,
            )  # fmt: skip
            button = gr.Button(say("generate"), variant="primary", elem_id="generate", scale=0, min_width=132)
        alert = gr.HTML(first_alert, elem_id="alert", **PLAIN)
        gr.HTML(f'<p class="mm-hint">{cards.escape(say("examples"))}</p>', **PLAIN)
        with gr.Row(elem_classes="mm-chips"):
            chips = [gr.Button(**_chip(examples, index), size="sm", scale=0, min_width=0) for index in range(CHIPS)]
        with gr.Row(elem_classes="mm-settings"):
            model = gr.Radio(
                list(sampler.models), value=model_name, label=say("model"), elem_id="model", scale=0, min_width=200
            )
            count = gr.Slider(
                1,
                MAX_SAMPLES,
                value=FIRST,
                step=1,
                label=say("num_samples"),
                elem_id="count",
                scale=1,
                min_width=220,
                buttons=[],
            )
            with gr.Row(elem_classes="mm-seed", scale=1):
                seed = gr.Number(value=0, label=say("seed"), precision=0, elem_id="seed", scale=1, min_width=120)
                dice = gr.Button(say("seed_dice"), size="sm", elem_id="dice", scale=0, min_width=96)
        with gr.Accordion(say("more"), open=False, elem_classes="mm-more"):
            truncation = gr.Slider(
                0, 1, value=1, step=0.05, label=say("truncation"), info=say("truncation_info"), elem_id="truncation",
                buttons=[],
            )  # fmt: skip
    results = gr.HTML(first_results, elem_id="results", **PLAIN)

    settings = [model, count, seed, truncation]

    def generate(*values):
        return _generate(sampler, *values)

    def switch(model, *values):
        shown = sampler.examples(model)
        prompt = shown[0] if shown else ""
        return (
            prompt,
            *_generate(sampler, prompt, model, *values),
            *(gr.update(**_chip(shown, index)) for index in range(CHIPS)),
        )

    shown = {"show_progress": "minimal", "show_progress_on": results, "api_visibility": "private", **LIMITS}
    gr.on(
        [prompt.submit, button.click],
        generate,
        [prompt, *settings],
        [alert, results],
        trigger_mode="always_last",
        **shown,
    )
    for chip in chips:
        chip.click(None, chip, prompt, js="(text) => text", api_visibility="private")
        chip.click(generate, [chip, *settings], [alert, results], trigger_mode="always_last", **shown)
    model.input(switch, settings, [prompt, alert, results, *chips], **shown)
    dice.click(None, None, seed, js="() => Math.floor(Math.random() * 1e6)", api_visibility="private")
    gr.api(_endpoint(sampler), api_name="sample", **LIMITS)


def _generate(sampler: Sampler, prompt, model, num_samples, seed, truncation):
    """The alert and the results; on an error one sentence, and the results that were there stay."""
    try:
        return "", cards.results(sampler.sample(prompt, num_samples, seed, truncation, model))
    except MmganError as error:
        return cards.alert(str(error)), gr.skip()
    except Exception:
        log.exception("sampling failed")
        return cards.alert(say("internal")), gr.skip()


def _opening(sampler: Sampler, prompt: str) -> tuple[str, str]:
    """What the page opens with: samples of ``prompt``, else the empty state, and the reason where there is one."""
    try:
        sampler.pipeline(sampler.models[0])
    except MmganError as error:
        return cards.alert(str(error)), cards.empty()
    if not prompt:
        return "", cards.empty()
    alert, results = _generate(sampler, prompt, sampler.models[0], FIRST, 0, 1.0)
    return alert, results if isinstance(results, str) else cards.empty()


def _chip(examples: list[str], index: int) -> dict:
    return {"value": examples[index] if index < len(examples) else "", "visible": index < len(examples)}


def _endpoint(sampler: Sampler):
    def sample(
        prompt: str, num_samples: int = 4, seed: int = 0, truncation: float = 1.0, model: str = ""
    ) -> list[dict]:
        """Pictures and sounds of a prompt, as a list of objects with a PNG and a WAV as data URIs."""
        try:
            result = sampler.sample(prompt, num_samples, seed, truncation, model)
        except MmganError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return [
            {
                "prompt": result.prompt, "model": result.model, "seed": sample.seed,
                "image": png_uri(sample.image), "audio": wav_uri(sample.waveform, result.sampling_rate),
                "spectrogram": png_uri(sample.spectrogram), "sampling_rate": result.sampling_rate,
                "device": result.device, "milliseconds": result.milliseconds,
            }
            for sample in result.samples
        ]  # fmt: skip

    return sample
