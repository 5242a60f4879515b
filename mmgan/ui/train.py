"""The Train tab: start a training, watch it with the whole class, direct it, compare it with earlier ones.

The tab is one HTML component whose script (``assets/train*.js``) asks the functions here, which answer in JSON. What a
page shows is in the run folders, so a reload and another browser show the same.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import math
from dataclasses import fields
from pathlib import Path

import gradio as gr
from starlette.exceptions import HTTPException

from ..config import CHOICES, LIMIT, PRESETS, TrainingConfig
from ..data.projects import Project
from ..data.table import owner_hash
from ..errors import MmganError, TrainingError
from ..files import exists
from ..training.access import Access as RunAccess
from ..training.access import touches
from ..training.losses import LOSSES
from ..training.manager import MAX_RUNNING, NoRoom, check_name
from .access import Access, AccessError
from .cards import escape
from .model_files import model_source
from .owner import owner_of
from .problems import Problem, fault, plain_values, sentence, without_places
from .seeing import HIDDEN, Sight
from .settings import Settings
from .strings import language, say
from .strings import train as texts
from .strings.settings import ADVANCED
from .train_api import add_api
from .turns import Busy, Turns, visitor_of
from .watching import MAX_COMPARED, Watcher, spoken_run

log = logging.getLogger(__name__)

MAX_MINUTES = 24 * 60.0
MINUTES = 8.0  # of a training unless another length is asked for
DIRECTIONS = ("stop", "pause", "resume", "save", "sample", "delete")
MAX_TEXT = 500  # characters of a path that a name is made of
LOOKS = ("strip", "sound", "finetune", "settings")  # at one run
FREEING = ("stop", "delete")  # what may be done with a run that one does not see
LIMITS = {"concurrency_id": "runs", "concurrency_limit": 4}


def build(settings: Settings, sight: Sight, shipped: tuple[str, ...] = ()) -> Desk:
    """Adds the tab and its API to the surrounding ``gr.Blocks``; returns what answers them."""
    closed = (settings.projects_folder, settings.runs)
    desk = Desk(sight, Access(settings), settings.device, shipped, closed)

    turns = Turns("mmgan-runs", at_once=8, each=2, asked=16)  # a request to a run waits seconds for its answer

    async def answered(question: dict, request: gr.Request, function) -> dict:
        """What ``function`` answers to a question of the page's, an error of any kind as a sentence."""
        spoken, address = language(request), _address(request)
        try:
            question = plain_values(question) if isinstance(question, dict) else {}
            # Where a folder is that somebody may learn from, they know; where else files are here is nobody's business.
            may = desk.access.may(str(question.get("code", "")), address)
            ask = functools.partial(function, question, language=spoken, owner=_owner(request), address=address)
            answer = await turns.run(visitor_of(request), ask)
            return without_places(answer, keep=("data",) if may else ())
        except Busy as error:
            if function == desk.poll:  # the page asks again by itself
                raise HTTPException(429, str(error)) from error
            return {"error": sentence(error, spoken)}
        except MmganError as error:
            return {"error": sentence(error, spoken)}
        except Exception as error:
            log.exception("the Train tab could not be answered")
            return {"error": fault(error, spoken)}

    # Gradio shows the functions to the page by their names.
    async def poll(question: dict, request: gr.Request) -> dict:
        return await answered(question, request, desk.poll)

    async def act(question: dict, request: gr.Request) -> dict:
        return await answered(question, request, desk.act)

    async def look(question: dict, request: gr.Request) -> dict:
        return await answered(question, request, desk.look)

    known = {"texts": _texts(), "form": _form() | {"shipped": list(shipped)}}
    gr.HTML(
        f'<div class="mt-train"><p class="mm-empty">{escape(say("train_preparing"))}</p></div>',
        js_on_load=f"window.mmTrain.mount(element, server, {json.dumps(known, ensure_ascii=False)});",
        server_functions=[poll, act, look], apply_default_css=False, elem_id="train",
    )  # fmt: skip
    add_api(desk)
    return desk


class Desk:
    """What the tab and the API ask for, with one rule of who may and who sees what, and errors as sentences.

    Args:
        closed: folders that no training reads by their path: what visitors keep there is theirs.
    """

    def __init__(
        self, sight: Sight, access: Access, device: str = "auto", shipped: tuple[str, ...] = (),
        closed: tuple[Path, ...] = (),
    ):  # fmt: skip
        self.sight, self.manager, self.access, self.device = sight, sight.manager, access, device
        self.shipped, self.closed = shipped, closed
        self.watcher = Watcher(self.manager)

    def poll(self, question: dict, language: str = "en", owner: str = "", address: str = "127.0.0.1") -> dict:
        """See :meth:`Watcher.poll`; and ``access``: whether this page may act, and whether a code would help."""
        may = self.access.may(str(question.get("code", "")), address)
        answer = self.watcher.poll(question, self.runs(owner, may))
        if answer.get("run"):
            answer["run"] = spoken_run(answer["run"], language)
        return answer | {"access": {"may": may, "code": self.access.needs_code}}

    def runs(self, owner: str = "", may: bool = False) -> list[dict]:
        """Every run that the visitor sees; ``may``: with those that they may only stop and delete."""
        return self.sight.listed(self.watcher.every(), owner, may)

    def look(self, question: dict, language: str = "en", owner: str = "", address: str = "") -> dict:
        """Answers that cost more, asked for one by one: ``strip``, ``sound``, ``finetune``, ``compare``,
        ``settings``, ``name``."""
        what, run, step = question.get("what"), str(question.get("run", "")), question.get("step")
        step = step if isinstance(step, int) else None
        try:
            if what == "name":
                return {"name": self.manager.free_name(Path(str(question.get("data", ""))[:MAX_TEXT]).stem)}
            compared = question.get("runs")
            compared = [str(name) for name in compared[:MAX_COMPARED]] if isinstance(compared, list) else []
            for name in compared if what == "compare" else [run] if what in LOOKS else []:
                self.sight.run(name, owner)
            if what == "strip":
                return self.watcher.strip(run, step)
            if what == "sound":
                return self.watcher.sound(run, step)
            if what == "compare":
                return self.watcher.compare(compared)
            if what == "finetune":
                return self.watcher.before_after(run)
            if what == "settings":
                return {"settings": self.manager.settings(run)}
        except MmganError as error:
            return {"error": sentence(error, language)}
        return {"error": say("train_bad_action", language)}

    def act(self, question: dict, address: str, language: str = "en", owner: str = "") -> dict:
        """Does what only some may: ``unlock``, ``start`` and ``DIRECTIONS``; ``error`` is a sentence where it fails."""
        action, code = question.get("action"), str(question.get("code", ""))
        try:
            if action == "unlock":
                return {"key": self.access.unlock(code, address, language)}
            self.access.check(code, address, language)
            if action == "start":
                return self.start(question, language, owner)
            if action in DIRECTIONS:
                return self.direct(action, str(question.get("run", "")), language, owner)
            raise TrainingError(say("train_bad_action", language))
        except AccessError as error:
            return {"error": str(error), "locked": True}
        except MmganError as error:
            return {"error": sentence(error, language)}
        except Exception as error:
            log.exception("the Train tab could not %s", action)
            return {"error": fault(error, language)}
        finally:
            self.watcher.forget()

    def start(self, question: dict, language: str = "en", owner: str = "") -> dict:
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
        if data not in ("shapes", "digits") and touches(data, self.closed):
            raise TrainingError(say("train_closed_data", language))
        settings = question.get("settings") or {}
        if not isinstance(settings, dict):
            raise Problem("api_object", name="settings")
        settings = {key: value for key, value in settings.items() if value is not None}
        for unit in ("minutes", "steps"):
            if unit in settings and not _number(settings[unit]):
                raise TrainingError(say("train_bad_length", language, unit=say(f"train_form_{unit}", language)))
        start = str(question.get("start_from") or "")
        source = model_source(start, self.shipped, self.sight, owner) if start else None
        with self._room(language, owner):
            self.manager.start(
                name, data, str(question.get("preset", "tiny")), settings, self.device, source,
                self.sight.access_from(start, owner),
            )  # fmt: skip
        return {"name": name}

    def finetune(
        self, question: dict, project: Project, base: str, address: str, language: str = "en", owner: str = ""
    ) -> dict:
        """Starts a fine-tuning on a project: ``name``, ``minutes`` and, where not None, ``batch_size`` of
        ``question``; the same may as start a run. It is the visitor's alone, unless ``everybody`` may see it.

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
        if not _number(minutes, MAX_MINUTES):
            raise TrainingError(say("train_bad_length", language, unit=say("train_form_minutes", language)))
        if not any(item.used for item in project.items()):
            raise TrainingError(say("collect_nothing_to_learn", language))
        access = RunAccess(owner_hash(owner), question.get("everybody") is True, str(project.folder.resolve()))
        if not owner and not access.everybody:
            raise Problem("collect_tune_no_cookie")
        batch_size = question.get("batch_size")
        settings = {} if batch_size is None else {"batch_size": batch_size}
        with self._room(language, owner):
            self.manager.finetune(name, str(project.folder), base, minutes, settings, self.device, access)
        self.watcher.forget()
        return {"name": name}

    def direct(self, action: str, name: str, language: str = "en", owner: str = "") -> dict:
        """One of ``DIRECTIONS`` for a run; the run as it is afterwards, None where it was deleted."""
        if name.startswith(HIDDEN):
            return self._free(action, name, language)
        try:
            self.sight.run(name, owner)
        except TrainingError as error:
            raise TrainingError(say("train_gone", language, name=name[:60])) from error
        if action == "resume":
            with self._room(language, owner):
                self.manager.resume(name)
        else:
            getattr(self.manager, action)(name)
        return {"run": None if action == "delete" else spoken_run(self.manager.describe(name), language)}

    def _free(self, action: str, alias: str, language: str) -> dict:
        """Stops or deletes a run that the visitor does not see, and says nothing more of it."""
        try:
            name = self.sight.named(alias)
        except TrainingError as error:
            raise TrainingError(say("train_gone", language, name=say("train_private_run", language))) from error
        if action not in FREEING:
            raise TrainingError(say("train_private_only", language))
        try:
            getattr(self.manager, action)(name)
        except MmganError as error:
            key = "train_private_alive" if self.manager.status(name)["alive"] else "train_private_failed"
            raise TrainingError(say(key, language)) from error
        return {"run": None if action == "delete" else self.sight.hidden(self.manager.describe(name))}

    @contextlib.contextmanager
    def _room(self, language: str, owner: str):
        """Starts in the block fail in the visitor's language where too much is being trained."""
        try:
            if len(running := self.manager.running()) >= MAX_RUNNING:
                raise NoRoom(running)
            yield
        except NoRoom as error:
            names = self.sight.names(error.running, owner, language)
            raise TrainingError(say("train_no_room", language, runs=names)) from error


def _number(value, most: float = math.inf) -> bool:
    """Whether ``value`` is a number above 0, and no more than ``most``."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most


def _owner(request: gr.Request | None) -> str:
    return owner_of(getattr(request, "cookies", None))


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
