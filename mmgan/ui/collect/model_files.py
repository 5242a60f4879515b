"""Models as zips: downloaded from a page, and dropped on another one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
import threading
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ...data.folder.sources import shown_name
from ...data.limits import mebibytes
from ...errors import DataGivenError
from ...language import say
from ...models.cost import check_model
from ...models.model_folder import ModelFolder
from ...runs.checks import check_name
from ...sharing.adoption import adopt
from ...sharing.hub import push_to_hub
from ...sharing.zips import MODEL_LIMITS, export_model
from ...system.files import own_prefix, saving
from ..language import language
from ..server.access import Access
from ..server.owner import owner_of
from ..server.routes import Answer, address_of, download, read_question, text_of
from ..server.seeing import Sight
from ..server.sentences import PageError
from ..server.turns import Busy, Turns, Visitor, visitor_of

RUNS = "runs/"
KEPT_ZIPS = 8  # zips kept for the next person who downloads the same model


def model_source(name: str, shipped: tuple[str, ...], sight: Sight, owner: str) -> str:
    """The folder or shipped name behind a model's ``name`` on the page. Raises PageError where it is not offered."""
    if name in shipped:
        return name
    found = sight.models(owner)
    for run, folder in found:
        if RUNS + run == name:
            return str(folder)
    known = ", ".join([*shipped, *(RUNS + run for run, _ in found)][:20])
    raise PageError("bad_model", model=name[:40], models=known)


class ModelFiles:
    """Zips of what can be sampled from: ``shipped`` names, and ``runs/NAME``."""

    def __init__(self, sight: Sight, access: Access, shipped: tuple[str, ...], max_upload: int):
        self.sight, self.manager, self.access, self.shipped = sight, sight.manager, access, shipped
        self.max_upload = max_upload
        self._making = Turns("mmgan-models", at_once=2, asked=4)  # each loads a model
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[object, Future]] = {}  # zip by model, with the checkpoint that it was made of

    def source(self, name: str, owner: str) -> str:
        """See :func:`model_source`."""
        return model_source(name, self.shipped, self.sight, owner)

    async def list(self, request: Request):
        """What can be started from, and whether this page (its key in ``?code=``) may."""
        found = await run_in_threadpool(self.sight.models, owner_of(request.cookies))
        address = address_of(request)
        may = self.access.may(request.query_params.get("code", ""), address)
        return {
            "models": [*self.shipped, *(RUNS + name for name, _ in found)],
            "access": {"may": may, "code": self.access.needs_code},
        }

    async def free_name(self, request: Request):
        """A name that no run has yet, made from ``?stem=``."""
        return {"name": self.manager.free_name(request.query_params.get("stem", "")[:60])}

    async def send(self, request: Request):
        """A model as a zip, made for the first who asks, and kept for the others while the model stays the same."""
        name = request.path_params["name"]
        source = await run_in_threadpool(self.source, name, owner_of(request.cookies))
        made = await asyncio.wrap_future(self._zip(source, visitor_of(request)))
        path = made.with_name(f"{secrets.token_hex(8)}.zip")
        await run_in_threadpool(_lend, made, path)
        return download(path, f"{name.removeprefix(RUNS)}.zip")

    def _zip(self, source: str, visitor: Visitor) -> Future:
        """The path of a model's zip, which may be on its way."""
        stamp = _stamp(source)
        with self._lock:
            before, found = self._kept.get(source, (None, None))
            if found is None or before != stamp or (found.done() and found.exception() is not None):
                found = self._making.submit(visitor, self._make, source, self._folder / f"{secrets.token_hex(8)}.zip")
                self._forget(source)
                self._kept[source] = stamp, found
                while len(self._kept) > KEPT_ZIPS:
                    self._forget(next(iter(self._kept)))
            return found

    def _forget(self, source: str) -> None:
        _, made = self._kept.pop(source, (None, None))
        if made is not None:
            made.add_done_callback(_remove)

    @cached_property
    def _folder(self) -> Path:
        """Where zips are kept, until this process ends."""
        self._kept_in = tempfile.TemporaryDirectory(prefix=own_prefix())
        return Path(self._kept_in.name)

    @staticmethod
    def _make(source: str, path: Path) -> Path:
        check_model(source)
        return export_model(source, path)

    async def publish(self, request: Request):
        """Uploads a model to the Hugging Face Hub with the visitor's own token; whoever may start runs may.

        Without a token nothing is sent: the one that is stored on this computer is its owner's, not a visitor's.
        """
        question = await read_question(request)
        self.access.check(text_of(question, "code"), address_of(request))
        name, repo, token = (text_of(question, key).strip() for key in ("model", "repo", "token"))
        source = await run_in_threadpool(self.source, name, owner_of(request.cookies))
        if not token or not token.isascii() or not token.isprintable():
            raise PageError("collect_no_token")
        visitor = visitor_of(request)
        return {
            "address": await self._making.run(
                visitor, self._publish, source, repo, token, question.get("public") is True
            )
        }

    @staticmethod
    def _publish(source: str, repo: str, token: str, public: bool) -> str:
        check_model(source)
        return push_to_hub(source, repo, token, not public)

    async def receive(self, request: Request):
        """A model zip as the body of the request, to be a run named ``?name=``; whoever may start runs may."""
        spoken = language(request)
        self.access.check(request.query_params.get("code", ""), address_of(request))
        name = request.query_params.get("name", "")
        length = request.headers.get("content-length", "")
        most = min(self.max_upload, MODEL_LIMITS.total_bytes)
        if not length.isdecimal() or int(length) > most:
            raise PageError("collect_too_large", name=name[-80:], size=mebibytes(most))
        with tempfile.TemporaryDirectory(prefix=own_prefix()) as folder:
            path, written = Path(folder) / _zip_name(name), 0
            with saving(Path(path.name)), path.open("wb") as file:
                async for chunk in request.stream():
                    written += len(chunk)
                    if written > int(length):
                        raise PageError("collect_too_large", name=name[-80:], size=mebibytes(most))
                    file.write(chunk)
            try:
                run = await self._making.run(visitor_of(request), self._adopt, name, path)
            except DataGivenError:
                said = say("collect_data_given", spoken, name=path.name)
                return Answer({"error": said, "instead": "data"}, 400)
        return {"name": run}

    def _adopt(self, name: str, path: Path) -> str:
        stem = "".join(char for char in name if char.isalnum() or char in " .()+-_").strip(" ._-")[:50] or "model"
        chosen = check_name(stem)
        if (self.manager.folder / chosen).exists():
            chosen = self.manager.free_name(chosen)
        try:
            return adopt(path, self.manager.folder / chosen).folder.name
        except OSError as error:
            raise PageError("collect_model_unsaved") from error


def _zip_name(name: str) -> str:
    """The name on this disk, and so in sentences, of a zip that came as ``name``."""
    return shown_name(name).encode()[:200].decode(errors="ignore") + ".zip"  # most disks take names of up to 255 bytes


def _stamp(source: str) -> object:
    """A value that changes when the model is saved again."""
    status = ModelFolder.resolve(source).stat()
    return status.st_ino, status.st_mtime_ns


def _lend(made: Path, path: Path) -> None:
    """The kept zip under a second name, so that the first can be deleted during the download."""
    try:
        os.link(made, path)
    except FileNotFoundError as error:  # gone because the model has just been saved again
        raise Busy("busy") from error
    except OSError:  # a disk without links
        shutil.copyfile(made, path)


def _remove(made: Future) -> None:
    if not made.cancelled() and made.exception() is None:
        with contextlib.suppress(OSError):
            made.result().unlink()
