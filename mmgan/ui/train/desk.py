"""Starting, watching and directing runs, for the Train tab and the API.

What a page shows is in the run folders, so a reload and another browser show the same.
"""

from __future__ import annotations

import contextlib
import logging
import math
from pathlib import Path

from ...data.registry import DATASETS
from ...errors import MmganError, TrainingError
from ...language import Message, say
from ...projects.projects import Project
from ...projects.table import owner_hash
from ...runs.access import Access as RunAccess
from ...runs.access import touches
from ...runs.checks import check_name
from ...runs.manager import MAX_RUNNING, NoRoom
from ...system.files import exists
from ..collect.model_files import model_source
from ..server.access import Access, AccessError
from ..server.seeing import HIDDEN, Sight
from ..server.sentences import PageError, fault, sentence
from .watching import MAX_COMPARED, Watcher, spoken_run

log = logging.getLogger(__name__)

MAX_MINUTES = 24 * 60.0
DIRECTIONS = ("stop", "pause", "resume", "save", "sample", "delete")
MAX_TEXT = 500  # characters of a path from which a name is made
LOOKS = ("strip", "sound", "finetune", "settings")  # what can be asked about one run
FREEING = ("stop", "delete")  # what may be done with a run that one may not see


class Desk:
    """Answers the tab and the API, with one rule for who may do and see what, and errors as sentences.

    Args:
        closed: folders that no training may read by path, because visitors keep their own files there.
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
                return {"key": self.access.unlock(code, address)}
            self.access.check(code, address)
            if action == "start":
                return self.start(question, owner)
            if action in DIRECTIONS:
                return self.direct(action, str(question.get("run", "")), language, owner)
            raise TrainingError("train_bad_action")
        except AccessError as error:
            return {"error": sentence(error, language), "locked": True}
        except MmganError as error:
            return {"error": sentence(error, language)}
        except Exception as error:
            log.exception("the Train tab could not %s", action)
            return {"error": fault(error, language)}
        finally:
            self.watcher.forget()

    def start(self, question: dict, owner: str = "") -> dict:
        """Starts a run; the same checks as the manager's come first, for their sentences in the page's language."""
        name, data = str(question.get("name", "")), str(question.get("data", "")).strip()
        name = self._new_name(name)
        if data not in DATASETS and not (data and exists(data)):
            raise TrainingError("runs.no_folder", path=data[:200])
        if data not in DATASETS and touches(data, self.closed):
            raise TrainingError("train_closed_data")
        settings = question.get("settings") or {}
        if not isinstance(settings, dict):
            raise PageError("api_object", name="settings")
        settings = {key: value for key, value in settings.items() if value is not None}
        for unit in ("minutes", "steps"):
            if unit in settings and not _number(settings[unit]):
                raise TrainingError("train_bad_length", unit=Message(f"train_form_{unit}"))
        start = str(question.get("start_from") or "")
        source = model_source(start, self.shipped, self.sight, owner) if start else None
        with self._room(owner):
            self.manager.start(
                name, data, str(question.get("preset", "tiny")), settings, self.device, source,
                self.sight.access_from(start, owner),
            )  # fmt: skip
        return {"name": name}

    def _new_name(self, name: str) -> str:
        """The name of a run to be, without space around it. Raises TrainingError where it cannot be one."""
        name = check_name(name)
        if (self.manager.folder / name).exists():
            raise TrainingError("runs.name_taken", name=name)
        return name

    def finetune(self, question: dict, project: Project, base: str, address: str, owner: str = "") -> dict:
        """Starts a fine-tuning on a project: ``name``, ``minutes`` and, where not None, ``batch_size`` of
        ``question``; the same may as start a run. It is the visitor's alone, unless ``everybody`` may see it.

        Raises:
            MmganError: it cannot start, in one sentence.
        """
        self.access.check(str(question.get("code", "")), address)
        name, minutes = str(question.get("name", "")), question.get("minutes")
        name = self._new_name(name)
        if not _number(minutes, MAX_MINUTES):
            raise TrainingError("train_bad_length", unit=Message("train_form_minutes"))
        if not any(item.used for item in project.items()):
            raise TrainingError("collect_nothing_to_learn")
        access = RunAccess(owner_hash(owner), question.get("everybody") is True, str(project.folder.resolve()))
        if not owner and not access.everybody:
            raise PageError("collect_tune_no_cookie")
        batch_size = question.get("batch_size")
        settings = {} if batch_size is None else {"batch_size": batch_size}
        with self._room(owner):
            self.manager.finetune(name, str(project.folder), base, minutes, settings, self.device, access)
        self.watcher.forget()
        return {"name": name}

    def direct(self, action: str, name: str, language: str = "en", owner: str = "") -> dict:
        """One of ``DIRECTIONS`` for a run; the run as it is afterwards, None where it was deleted."""
        if name.startswith(HIDDEN):
            return self._free(action, name)
        self.sight.run(name, owner)
        if action == "resume":
            with self._room(owner):
                self.manager.resume(name)
        else:
            getattr(self.manager, action)(name)
        return {"run": None if action == "delete" else spoken_run(self.manager.describe(name), language)}

    def _free(self, action: str, alias: str) -> dict:
        """Stops or deletes a run that the visitor does not see, and says nothing more of it."""
        try:
            name = self.sight.named(alias)
        except TrainingError as error:
            raise TrainingError("runs.no_such_run", name=Message("train_private_run")) from error
        if action not in FREEING:
            raise TrainingError("train_private_only")
        try:
            getattr(self.manager, action)(name)
        except MmganError as error:
            key = "train_private_alive" if self.manager.status(name)["alive"] else "train_private_failed"
            raise TrainingError(key) from error
        return {"run": None if action == "delete" else self.sight.hidden(self.manager.describe(name))}

    @contextlib.contextmanager
    def _room(self, owner: str):
        """Turns a refusal to train one more run into one without the names of others' private runs."""
        try:
            if len(running := self.manager.running()) >= MAX_RUNNING:
                raise NoRoom(running)
            yield
        except NoRoom as error:
            names = self.sight.names(error.running, owner)
            raise TrainingError("train_no_room", runs=names) from error


def _number(value, most: float = math.inf) -> bool:
    """Whether ``value`` is a number above 0, and no more than ``most``."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most
