"""What each visitor sees of the runs: everybody's and their own, but no private ones of others.

Whoever may stop runs sees that a private run exists, so that they can free the machine, but not its name or anything
else that tells whose or what it is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path

from ...errors import MmganError, TrainingError
from ...language import Message
from ...projects.table import owner_hash
from ...runs.access import EVERYBODY, Access, access_of
from ...runs.checks import NAME
from ...runs.manager import Manager
from ...runs.run import Run
from ..sample.sampler import RUNS, Sampler, Samples
from .sentences import PageError
from .turns import Visitor

HIDDEN = "private:"  # begins the stand-in for a private run's name; no name of a run has a colon
SHOWN = ("state", "stage", "step", "share", "seconds", "seconds_left", "started", "updated", "alive", "waiting")
NOTHING = {
    "reason": "", "data": "", "preset": "", "loss": "", "steps": None, "minutes": None, "resumable": False,
    "batch_size": None, "checkpoint": None, "answered": {}, "finetune": None,
}  # fmt: skip


class Sight:
    """Who sees which run of ``manager``. An ``owner`` is a visitor's key, or ""."""

    def __init__(self, manager: Manager):
        self.manager = manager
        self._secret = secrets.token_bytes(16)

    def sees(self, name: str, owner: str) -> bool:
        """Whether the visitor may know of the run at all."""
        possible = NAME.fullmatch(str(name)) and len(str(name).encode("utf-8", "replace")) <= 255  # as disks allow
        return bool(possible) and self._access(name).lets(owner_hash(owner))

    def run(self, name: str, owner: str) -> Run:
        """The run of that name.

        Raises:
            TrainingError: there is none that the visitor sees; whether another's exists cannot be told from it.
        """
        if not self.sees(name, owner):
            raise TrainingError("runs.no_such_run", name=str(name)[:60])
        return self.manager.run(name)

    def models(self, owner: str) -> list[tuple[str, Path]]:
        """(name, folder) of every run that the visitor sees and can sample from, the newest first."""
        return [(name, folder) for name, folder in self.manager.models() if self.sees(name, owner)]

    def listed(self, runs: list[tuple[Access, dict]], owner: str, may: bool) -> list[dict]:
        """What the visitor's list shows of runs and their owners; ``may``: whether they may stop runs."""
        key, shown = owner_hash(owner), []
        for access, run in runs:
            if access.lets(key):
                shown.append(run | {"private": not access.everybody})
            elif may:
                shown.append(self.hidden(run))
        return shown

    def hidden(self, run: dict) -> dict:
        """A description reduced to the fact that a run exists, and what it costs."""
        name = self.alias(run["name"])
        return NOTHING | {key: run[key] for key in SHOWN} | {"name": name, "private": True, "hidden": True}

    def alias(self, name: str) -> str:
        """A stand-in for a run's name, the same as long as this server lives."""
        return HIDDEN + hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:16]

    def named(self, alias: str) -> str:
        """The name of the run of that alias. Raises TrainingError where there is none."""
        for name in self.manager.names():
            if hmac.compare_digest(self.alias(name).encode(), alias.encode("utf-8", "replace")):
                return name
        raise TrainingError("runs.no_such_run", name=alias[:60])

    def names(self, runs: list[str], owner: str) -> list[str | Message]:
        """The runs' names for a message; those of others' private runs are left out."""
        return [name if self.sees(name, owner) else Message("train_private_run") for name in runs]

    def access_from(self, source: str, owner: str) -> Access | None:
        """Whose a run is that starts from the model ``source``: what comes of a private run is as private."""
        name = source.removeprefix(RUNS)
        if source.startswith(RUNS) and not self._access(name).everybody:
            return Access(owner_hash(owner))
        return None

    def _access(self, name: str) -> Access:
        folder = self.manager.folder / name
        return access_of(folder) if folder.is_dir() else EVERYBODY


class SeenSampler:
    """The sampler for one visitor: without other people's private models; work waits for the visitor's turn.

    Args:
        owner: the visitor's key, "" of one who has none.
        visitor: whose turn it is.
    """

    def __init__(self, sampler: Sampler, sight: Sight, owner: str, visitor: Visitor = Visitor()):
        self.sampler, self.sight, self.owner, self.visitor = sampler, sight, owner, visitor
        self.shipped = sampler.shipped

    @property
    def models(self) -> list[str]:
        """See :attr:`Sampler.models`."""
        seen = self.sight.sees
        return [
            name
            for name in self.sampler.models
            if not name.startswith(RUNS) or seen(name.removeprefix(RUNS), self.owner)
        ]

    def pipeline(self, model: str):
        """See :meth:`Sampler.pipeline`. Raises PageError where the visitor has no such model."""
        self._check(model)
        return self.sampler.pipeline(model)

    def examples(self, model: str) -> list[str]:
        """See :meth:`Sampler.examples`."""
        try:
            self._check(model)
        except MmganError:
            return []
        return self.sampler.examples(model)

    async def sample(self, prompt: str, num_samples=4, seed=0, truncation=1.0, model: str = "") -> Samples:
        """See :meth:`Sampler.sample`."""
        await self._checked(model)
        return await self.sampler.sample(prompt, num_samples, seed, truncation, model, self.visitor)

    async def morph(self, prompt: str, other: str, seed=0, truncation=1.0, model: str = "") -> Samples:
        """See :meth:`Sampler.morph`."""
        await self._checked(model)
        return await self.sampler.morph(prompt, other, seed, truncation, model, self.visitor)

    async def walk(self, prompt: str, seed=0, truncation=1.0, model: str = "") -> dict[str, Samples]:
        """See :meth:`Sampler.walk`."""
        await self._checked(model)
        return await self.sampler.walk(prompt, seed, truncation, model, self.visitor)

    async def choose(self, model: str):
        """See :meth:`Sampler.choose`."""
        await self._checked(model)
        return await self.sampler.choose(model, self.visitor)

    async def show(self, size: int, function: Callable, *arguments):
        """See :meth:`Sampler.show`."""
        return await self.sampler.show(self.visitor, size, function, *arguments)

    async def aside(self, function: Callable, *arguments):
        """``function(*arguments)`` in a thread, when it is the visitor's turn."""
        return await self.sampler.aside.run(self.visitor, function, *arguments)

    async def _checked(self, model: str) -> None:
        if model and model not in self.shipped:
            await self.aside(self._check, model)  # looks at the disk

    def _check(self, model: str) -> None:
        if not model or model in self.shipped:
            return
        name = str(model).removeprefix(RUNS)
        if str(model).startswith(RUNS) and self.sight.sees(name, self.owner):
            run = Run(self.sight.manager.folder / name)
            if run.there() and run.model_step() is not None:
                return
        raise PageError("bad_model", model=str(model)[:40], models=", ".join(self.models[:20]))
