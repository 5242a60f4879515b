"""The Train tab: start a training, watch it with the whole class, direct it, compare it with earlier ones.

The tab is one element that its scripts (``assets/train/``) fill; what they ask is answered by
:mod:`mmgan.ui.train.routes`.
"""

from __future__ import annotations

import json

import gradio as gr

from ...config import CHOICES, PRESETS, RANGE, SETTINGS
from ...data.registry import DATASETS
from ...training.losses import LOSSES
from ..sample.cards import PLAIN, empty, escape
from ..tab import Studio, Tab
from .api import add_api
from .routes import routes

MINUTES = 8.0  # of a training unless another length is asked for
ADVANCED = (  # in the order in which the form shows them
    "learning_rate", "batch_size", "penalty", "gamma", "optimizer", "final_rate", "joint_weight", "twin_weight",
    "wrong_caption_weight", "generator_contrastive_weight", "latent_weight", "text_noise", "augment_image",
    "augment_audio", "ema_images", "checkpoint_seconds", "seed",
)  # fmt: skip


def build(studio: Studio) -> None:
    """Adds the tab and its API to the surrounding ``gr.Blocks``."""
    known = escape(json.dumps({"form": _form() | {"shipped": list(studio.sampler.shipped)}}))
    element = f'<mm-train class="mt-train" data-known="{known}">{empty("train_preparing")}</mm-train>'
    gr.HTML(element, elem_id="train", **PLAIN)
    add_api(studio.desk)


def _form() -> dict:
    """What can be chosen, with defaults and ranges from the one place where they stand."""
    known = {name: setting for name, (_, setting) in SETTINGS.items()}
    advanced = []
    for name in ADVANCED:
        field = known[name]
        low, high = field.metadata.get(RANGE, (None, None))
        kind = "choice" if CHOICES in field.metadata else "whole" if isinstance(field.default, int) else "number"
        advanced.append(
            {"name": name, "default": field.default, "kind": kind, "low": low, "high": high,
             "choices": list(field.metadata.get(CHOICES, ()))}
        )  # fmt: skip
    return {
        "data": [name for name, dataset in DATASETS.items() if dataset.present()],
        "judged": [name for name, dataset in DATASETS.items() if dataset.judge],
        "presets": list(PRESETS),
        "losses": [{"name": name, "paper": loss.paper} for name, loss in LOSSES.items()],
        "loss": known["loss"].default,
        "minutes": MINUTES,
        "steps": known["steps"].default,
        "lengths": {"minutes": (0.1, known["minutes"].metadata[RANGE][1]), "steps": known["steps"].metadata[RANGE]},
        "advanced": advanced,
    }


TAB = Tab("train", build, routes)
