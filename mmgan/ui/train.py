"""The Train tab: start a training, watch it with the whole class, direct it, compare it with earlier ones.

The tab is one HTML component whose script (``assets/train*.js``) asks the functions here, which answer in JSON. What a
page shows is in the run folders, so a reload and another browser show the same.
"""

from __future__ import annotations

import json
import logging
from dataclasses import fields
from pathlib import Path

import gradio as gr

from ..config import CHOICES, LIMIT, PRESETS, TrainingConfig
from ..data.projects import Project
from ..errors import MmganError, TrainingError
from ..files import exists
from ..training.losses import LOSSES
from ..training.manager import MAX_RUNNING, Manager, check_name
from .access import Access, AccessError
from .cards import escape
from .model_files import model_source
from .problems import sentence
from .settings import Settings
from .strings import language, say
from .strings import train as texts
from .strings.settings import ADVANCED
from .train_api import add_api
from .watching import Watcher, spoken_run

log = logging.getLogger(__name__)

MAX_MINUTES = 24 * 60.0
MINUTES = 8.0  # of a training unless another length is asked for
DIRECTIONS = ("stop", "pause", "resume", "save", "sample", "delete")
LIMITS = {"concurrency_id": "runs", "concurrency_limit": 4}


def build(settings: Settings, shipped: tuple[str, ...] = ()) -> Desk:
    """Adds the tab and its API to the surrounding ``gr.Blocks``; returns what answers them."""
    manager = Manager(settings.runs)
    desk = Desk(manager, Access(settings), settings.device, shipped)

    # Gradio shows the functions to the page by their names.
    def poll(question: dict, request: gr.Request) -> dict:
        return desk.poll(_plain(question), language(request))

    def act(question: dict, request: gr.Request) -> dict:
        return desk.act(_plain(question), _address(request), language(request))

    def look(question: dict, request: gr.Request) -> dict:
        return desk.look(_plain(question), language(request))

    known = {"texts": _texts(), "form": _form() | {"shipped": list(shipped)}}
    gr.HTML(
        f'<div class="mt-train"><p class="mm-empty">{escape(say("train_preparing"))}</p></div>',
        js_on_load=f"window.mmTrain.mount(element, server, {json.dumps(known, ensure_ascii=False)});",
        server_functions=[poll, act, look], apply_default_css=False, elem_id="train",
    )  # fmt: skip
    add_api(desk)
    return desk


class Desk:
    """What the tab and the API ask for, with one rule of who may, and errors as sentences."""

    def __init__(self, manager: Manager, access: Access, device: str = "auto", shipped: tuple[str, ...] = ()):
        self.manager, self.access, self.device, self.shipped = manager, access, device, shipped
        self.watcher = Watcher(manager)

    def poll(self, question: dict, language: str = "en") -> dict:
        """See :meth:`Watcher.poll`; and ``access``: whether this page may act, and whether a code would help."""
        may = self.access.may(str(question.get("code", "")))
        answer = self.watcher.poll(question)
        if answer.get("run"):
            answer["run"] = spoken_run(answer["run"], language)
        return answer | {"access": {"may": may, "code": self.access.needs_code}}

    def look(self, question: dict, language: str = "en") -> dict:
        """Answers that cost more, asked for one by one: ``strip``, ``sound``, ``finetune``, ``compare``,
        ``settings``, ``name``."""
        what, run, step = question.get("what"), str(question.get("run", "")), question.get("step")
        step = step if isinstance(step, int) else None
        try:
            if what == "strip":
                return self.watcher.strip(run, step)
            if what == "sound":
                return self.watcher.sound(run, step)
            if what == "compare":
                return self.watcher.compare(question.get("runs") or [])
            if what == "finetune":
                return self.watcher.before_after(run)
            if what == "settings":
                return {"settings": self.manager.settings(run)}
            if what == "name":
                return {"name": self.manager.free_name(Path(str(question.get("data", ""))).stem)}
        except MmganError as error:
            return {"error": sentence(error, language)}
        return {"error": say("train_bad_action", language)}

    def act(self, question: dict, address: str, language: str = "en") -> dict:
        """Does what only some may: ``unlock``, ``start`` and ``DIRECTIONS``; ``error`` is a sentence where it fails."""
        action, code = question.get("action"), str(question.get("code", ""))
        try:
            if action == "unlock":
                return {"key": self.access.unlock(code, address, language)}
            self.access.check(code, address, language)
            if action == "start":
                return self.start(question, language)
            if action in DIRECTIONS:
                return self.direct(action, str(question.get("run", "")), language)
            raise TrainingError(say("train_bad_action", language))
        except AccessError as error:
            return {"error": str(error), "locked": True}
        except MmganError as error:
            return {"error": sentence(error, language)}
        except Exception:
            log.exception("the Train tab could not %s", action)
            return {"error": say("internal", language)}
        finally:
            self.watcher.forget()

    def start(self, question: dict, language: str = "en") -> dict:
        """Starts a run; the same checks as the manager's come first, for their sentences in the page's language."""
        name, data = str(question.get("name", "")), str(question.get("data", "")).strip()
        try:
            name = check_name(name)
        except TrainingError as error:
            raise TrainingError(say("train_bad_name", language)) from error
        if (self.manager.folder / name).exists():
            raise TrainingError(say("train_name_taken", language, name=name))
        if data not in ("shapes", "digits") and not (data and exists(data)):
            raise TrainingError(say("train_no_data", language, data=data[:200]))
        self._check_room(language)
        settings = {key: value for key, value in dict(question.get("settings") or {}).items() if value is not None}
        for unit in ("minutes", "steps"):
            if unit in settings and not (isinstance(settings[unit], (int, float)) and settings[unit] > 0):
                raise TrainingError(say("train_bad_length", language, unit=say(f"train_form_{unit}", language)))
        start = str(question.get("start_from") or "")
        source = model_source(start, self.shipped, self.manager) if start else None
        self.manager.start(name, data, str(question.get("preset", "tiny")), settings, self.device, source)
        return {"name": name}

    def finetune(self, question: dict, project: Project, base: str, address: str, language: str = "en") -> dict:
        """Starts a fine-tuning on a project: ``name``, ``minutes`` and, where not None, ``batch_size`` of
        ``question``; the same may as start a run.

        Raises:
            MmganError: it cannot start, in one sentence.
        """
        self.access.check(str(question.get("code", "")), address, language)
        name, minutes = str(question.get("name", "")), question.get("minutes")
        try:
            name = check_name(name)
        except TrainingError as error:
            raise TrainingError(say("train_bad_name", language)) from error
        if (self.manager.folder / name).exists():
            raise TrainingError(say("train_name_taken", language, name=name))
        if not isinstance(minutes, (int, float)) or not 0 < minutes <= MAX_MINUTES:
            raise TrainingError(say("train_bad_length", language, unit=say("train_form_minutes", language)))
        if not any(item.used for item in project.items()):
            raise TrainingError(say("collect_nothing_to_learn", language))
        self._check_room(language)
        batch_size = question.get("batch_size")
        settings = {} if batch_size is None else {"batch_size": batch_size}
        self.manager.finetune(name, str(project.folder), base, minutes, settings, self.device)
        self.watcher.forget()
        return {"name": name}

    def direct(self, action: str, name: str, language: str = "en") -> dict:
        """One of ``DIRECTIONS`` for a run; the run as it is afterwards, None where it was deleted."""
        try:
            self.manager.run(name)
        except TrainingError as error:
            raise TrainingError(say("train_gone", language, name=name[:60])) from error
        if action == "resume":
            self._check_room(language)
        getattr(self.manager, action)(name)
        return {"run": None if action == "delete" else spoken_run(self.manager.describe(name), language)}

    def _check_room(self, language: str) -> None:
        running = self.manager.running()
        if len(running) >= MAX_RUNNING:
            raise TrainingError(say("train_no_room", language, runs=", ".join(running)))


def _plain(question) -> dict:
    return question if isinstance(question, dict) else {}


def _address(request: gr.Request) -> str:
    client = getattr(request, "client", None)
    return str(getattr(client, "host", "") or "")


def _texts() -> dict:
    """Both languages' texts for the script, without the tab's prefix."""
    return {
        name: {key.removeprefix("train_"): both[place] for key, both in texts.TEXTS.items()}
        for place, name in enumerate(("en", "zh"))
    }


def _form() -> dict:
    """What can be chosen, with defaults and limits from the one place where they stand."""
    from ..data import digit_files

    known = {field.name: field for field in fields(TrainingConfig)}
    advanced = []
    for name in ADVANCED:
        field = known[name]
        low, high = field.metadata.get(LIMIT, (None, None))
        kind = "choice" if CHOICES in field.metadata else "whole" if isinstance(field.default, int) else "number"
        advanced.append(
            {"name": name, "default": field.default, "kind": kind, "low": low, "high": high,
             "choices": list(field.metadata.get(CHOICES, ()))}
        )  # fmt: skip
    return {
        "data": ["digits", "shapes"] if digit_files.present() else ["shapes"],
        "presets": list(PRESETS),
        "losses": [{"name": name, "paper": loss.paper} for name, loss in LOSSES.items()],
        "loss": known["loss"].default,
        "minutes": MINUTES,
        "steps": known["steps"].default,
        "lengths": {"minutes": (0.1, known["minutes"].metadata[LIMIT][1]), "steps": known["steps"].metadata[LIMIT]},
        "advanced": advanced,
    }
