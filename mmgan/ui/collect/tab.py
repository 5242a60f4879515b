"""The Collect tab: a person's own pictures and sounds, and the model that is fine-tuned on them.

As the Train tab it is one element that its scripts (``assets/collect/``) fill; what they ask is answered by
:mod:`mmgan.ui.collect.api`. A fine-tuning is a run as any other, so the Train tab shows it.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import gradio as gr
from starlette.routing import BaseRoute

from ...config import RANGE, SETTINGS
from ...data.folder.encodings import CHOICES
from ...projects.projects import Projects
from ...system.files import remove_left
from ..sample.cards import PLAIN, empty, escape
from ..server.routes import text_of
from ..server.sentences import keep_private
from ..tab import Studio, Tab
from ..train.desk import MAX_MINUTES
from .api import Collection
from .model_files import ModelFiles
from .uploads import Uploads

MINUTES = 8.0  # of a fine-tuning unless another length is asked for


def build(studio: Studio) -> None:
    """Adds the tab to the surrounding ``gr.Blocks``."""
    _, batch = SETTINGS["batch_size"]
    most = {"minutes": MAX_MINUTES, "batch_size": batch.metadata[RANGE][1]}
    defaults = {"minutes": MINUTES, "batch_size": batch.default, "most": most}
    known = escape(json.dumps({"models": list(studio.sampler.shipped), "encodings": CHOICES} | defaults))
    element = f'<mm-collect class="mt-train mc-collect" data-known="{known}">{empty("train_preparing")}</mm-collect>'
    gr.HTML(element, elem_id="collect", **PLAIN)


def routes(studio: Studio) -> list[BaseRoute]:
    """What the scripts ask: projects, uploads, models as zips, and the start of a fine-tuning."""
    flags, desk = studio.flags, studio.desk
    keep_private(flags.runs, flags.projects_folder)
    projects = Projects(flags.projects_folder, flags.limits)
    sweep(projects)
    uploads = Uploads(flags.projects_folder / ".uploads", flags.limits, flags.max_upload)
    models = ModelFiles(desk.sight, desk.access, studio.sampler.shipped, flags.max_upload)

    def finetune(question: dict, project, address: str, owner: str) -> dict:
        base = models.source(text_of(question, "base"), owner)
        return desk.finetune(question, project, base, address, owner)

    return Collection(projects, uploads, models, finetune).routes()


def sweep(projects: Projects) -> None:
    """Removes what servers that were killed left among the projects and the temporary files."""
    with contextlib.suppress(OSError):  # an unreadable folder is reported when somebody opens a project
        projects.sweep()
        remove_left(Path(tempfile.gettempdir()))


TAB = Tab("collect", build, routes)
