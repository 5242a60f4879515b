"""Models as zips: downloaded from a page, and dropped on another one."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ..data.limits import mebibytes
from ..sharing import MODEL_LIMITS, export_model, push_to_hub
from ..training.manager import Manager
from .access import Access
from .problems import Problem
from .routes import download, read_question
from .strings import language

RUNS = "runs/"


def model_source(name: str, shipped: tuple[str, ...], manager: Manager) -> str:
    """What a model's ``name`` on the page means below it. Raises Problem where the page offers no such model."""
    if name in shipped:
        return name
    for run, folder in manager.models():
        if RUNS + run == name:
            return str(folder)
    known = ", ".join([*shipped, *(RUNS + run for run, _ in manager.models())][:20])
    raise Problem("bad_model", model=name[:40], models=known)


class ModelFiles:
    """Zips of what can be sampled from: ``shipped`` names, and ``runs/NAME``."""

    def __init__(self, manager: Manager, access: Access, shipped: tuple[str, ...], max_upload: int):
        self.manager, self.access, self.shipped = manager, access, shipped
        self.max_upload = max_upload
        self._making = threading.Semaphore(2)  # each loads a model

    def source(self, name: str) -> str:
        """See :func:`model_source`."""
        return model_source(name, self.shipped, self.manager)

    async def list(self, request: Request):
        """What can be started from, and whether this page (its key in ``?code=``) may."""
        found = await run_in_threadpool(self.manager.models)
        may = self.access.may(request.query_params.get("code", ""))
        return {
            "models": [*self.shipped, *(RUNS + name for name, _ in found)],
            "access": {"may": may, "code": self.access.needs_code},
        }

    async def free_name(self, request: Request):
        """A name for a run that none has yet, from ``?stem=``."""
        return {"name": self.manager.free_name(request.query_params.get("stem", "")[:60])}

    async def send(self, request: Request):
        """A model as a zip, made for this download."""
        name = request.path_params["name"]
        source = await run_in_threadpool(self.source, name)
        folder = Path(tempfile.mkdtemp(prefix="mmgan-"))
        path = folder.with_suffix(".zip")
        try:
            await run_in_threadpool(self._make, source, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return download(path, f"{name.removeprefix(RUNS)}.zip")

    def _make(self, source: str, path: Path) -> None:
        with self._making:
            export_model(source, path)

    async def publish(self, request: Request):
        """Uploads a model to the Hugging Face Hub with the visitor's own token; whoever may start runs may.

        Without a token nothing is sent: the one that is stored on this computer is its owner's, not a visitor's.
        """
        question, spoken = await read_question(request), language(request)
        address = request.client.host if request.client else ""
        self.access.check(str(question.get("code", "")), address, spoken)
        source, token = self.source(str(question.get("model", ""))), str(question.get("token", "")).strip()
        if not token or not token.isascii() or not token.isprintable():
            raise Problem("collect_no_token")
        return {"address": await run_in_threadpool(self._publish, source, question, token)}

    def _publish(self, source: str, question: dict, token: str) -> str:
        with self._making:
            return push_to_hub(source, str(question.get("repo", "")), token, question.get("public") is not True)

    async def receive(self, request: Request):
        """A model zip as the body of the request, to be a run named ``?name=``; whoever may start runs may."""
        spoken = language(request)
        address = request.client.host if request.client else ""
        self.access.check(request.query_params.get("code", ""), address, spoken)
        name = request.query_params.get("name", "")
        length = request.headers.get("content-length", "")
        most = min(self.max_upload, MODEL_LIMITS.total_bytes)
        if not length.isdecimal() or int(length) > most:
            raise Problem("collect_too_large", name=name[-80:], size=mebibytes(most))
        with tempfile.TemporaryDirectory(prefix="mmgan-") as folder:
            path, written = Path(folder) / f"{Path(name).name[:80] or 'model'}.zip", 0
            with path.open("wb") as file:
                async for chunk in request.stream():
                    written += len(chunk)
                    if written > int(length):
                        raise Problem("collect_too_large", name=name[-80:], size=mebibytes(most))
                    file.write(chunk)
            run = await run_in_threadpool(self._adopt, name, path)
        return {"name": run}

    def _adopt(self, name: str, path: Path) -> str:
        from ..training.manager import check_name

        stem = "".join(char for char in name if char.isalnum() or char in " .()+-_").strip(" ._-")[:50] or "model"
        chosen = check_name(stem)
        if (self.manager.folder / chosen).exists():
            chosen = self.manager.free_name(chosen)
        try:
            with self._making:
                return self.manager.adopt(chosen, path).folder.name
        except OSError as error:
            raise Problem("collect_model_unsaved") from error
