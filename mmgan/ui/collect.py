"""The Collect tab: a person's own pictures and sounds, and the model that is fine-tuned on them.

As the Train tab it is one HTML component with a script (``assets/collect*.js``); what the script asks is answered by
:mod:`mmgan.ui.collect_api`. A fine-tuning is a run as any other, so the Train tab shows it.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import fields
from pathlib import Path

import gradio as gr
from starlette.applications import Starlette

from ..config import LIMIT, TrainingConfig
from ..data.encodings import CHOICES
from ..data.projects import Projects
from ..files import remove_left
from .cards import escape
from .collect_api import Collection
from .model_files import ModelFiles
from .problems import keep_private
from .routes import text_of
from .sampling import Sampler
from .settings import Settings
from .strings import collect as texts
from .strings import say
from .train import MAX_MINUTES, Desk
from .uploads import Uploads

MINUTES = 8.0  # of a fine-tuning unless another length is asked for


def build(settings: Settings, sampler: Sampler, desk: Desk) -> Starlette:
    """Adds the tab to the surrounding ``gr.Blocks``; returns the routes that its script asks."""
    keep_private(settings.runs, settings.projects_folder)
    projects = Projects(settings.projects_folder, settings.limits)
    sweep(projects)
    uploads = Uploads(settings.projects_folder / ".uploads", settings.limits, settings.max_upload)
    models = ModelFiles(desk.sight, desk.access, sampler.shipped, settings.max_upload)

    def finetune(question: dict, project, address: str, language: str, owner: str) -> dict:
        base = models.source(text_of(question, "base"), owner)
        return desk.finetune(question, project, base, address, language, owner)

    batch = next(field for field in fields(TrainingConfig) if field.name == "batch_size")
    defaults = {"minutes": MINUTES, "batch_size": batch.default}
    defaults["most"] = {"minutes": MAX_MINUTES, "batch_size": batch.metadata[LIMIT][1]}
    known = {"texts": _texts(), "models": list(sampler.shipped), "encodings": CHOICES} | defaults
    gr.HTML(
        f'<div class="mt-train mc-collect"><p class="mm-empty">{escape(say("train_preparing"))}</p></div>',
        js_on_load=f"window.mmCollect.mount(element, {json.dumps(known, ensure_ascii=False)});",
        apply_default_css=False, elem_id="collect",
    )  # fmt: skip
    return Collection(projects, uploads, models, finetune).routes()


def sweep(projects: Projects) -> None:
    """Removes what servers that were killed left among the projects and the temporary files."""
    with contextlib.suppress(OSError):  # a folder that cannot be read is told where somebody opens a project
        projects.sweep()
        remove_left(Path(tempfile.gettempdir()))


def _texts() -> dict:
    """Both languages' texts for the script, without the tab's prefix."""
    return {
        name: {key.removeprefix("collect_"): both[place] for key, both in texts.TEXTS.items()}
        for place, name in enumerate(("en", "zh"))
    }
