"""The Collect tab: a person's own pictures and sounds, and the model that is fine-tuned on them.

As the Train tab it is one HTML component with a script (``assets/collect*.js``); what the script asks is answered by
:mod:`mmgan.ui.collect_api`. A fine-tuning is a run as any other, so the Train tab shows it.
"""

from __future__ import annotations

import json
from dataclasses import fields

import gradio as gr
from starlette.applications import Starlette

from ..config import LIMIT, TrainingConfig
from ..data.projects import Projects
from .cards import escape
from .collect_api import Collection
from .model_files import ModelFiles
from .sampling import Sampler
from .settings import Settings
from .strings import collect as texts
from .strings import say
from .train import MAX_MINUTES, Desk
from .uploads import Uploads

MINUTES = 8.0  # of a fine-tuning unless another length is asked for


def build(settings: Settings, sampler: Sampler, desk: Desk) -> Starlette:
    """Adds the tab to the surrounding ``gr.Blocks``; returns the routes that its script asks."""
    projects = Projects(settings.projects_folder, settings.limits)
    uploads = Uploads(settings.projects_folder / ".uploads", settings.limits, settings.max_upload)
    models = ModelFiles(desk.manager, desk.access, sampler.shipped, settings.max_upload)

    def finetune(question: dict, project, address: str, language: str) -> dict:
        return desk.finetune(question, project, models.source(str(question.get("base", ""))), address, language)

    batch = next(field for field in fields(TrainingConfig) if field.name == "batch_size")
    defaults = {"minutes": MINUTES, "batch_size": batch.default}
    defaults["most"] = {"minutes": MAX_MINUTES, "batch_size": batch.metadata[LIMIT][1]}
    known = {"texts": _texts(), "models": list(sampler.shipped)} | defaults
    gr.HTML(
        f'<div class="mt-train mc-collect"><p class="mm-empty">{escape(say("train_preparing"))}</p></div>',
        js_on_load=f"window.mmCollect.mount(element, {json.dumps(known, ensure_ascii=False)});",
        apply_default_css=False, elem_id="collect",
    )  # fmt: skip
    return Collection(projects, uploads, models, finetune).routes()


def _texts() -> dict:
    """Both languages' texts for the script, without the tab's prefix."""
    return {
        name: {key.removeprefix("collect_"): both[place] for key, both in texts.TEXTS.items()}
        for place, name in enumerate(("en", "zh"))
    }
