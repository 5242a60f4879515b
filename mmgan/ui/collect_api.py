"""What the Collect tab asks of the server: projects and their tables in JSON, files streamed in and out.

These are plain HTTP routes rather than gradio events, because files of any number come and go as streams, pictures of a
table are fetched as a browser fetches pictures, and the owner's key stays in a cookie that no script can read.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ..data.limits import mebibytes
from ..data.projects import Project, Projects
from ..errors import MmganError
from ..training.examples import forget_data
from .collect_rows import SHOWS, described, lonely, table
from .model_files import ModelFiles
from .owner import owner_of
from .problems import Problem
from .routes import SAFE, answering, download, read_question
from .strings import language, say
from .uploads import Uploads

log = logging.getLogger(__name__)

PREFIX = "/collect/"
MAX_IDS = 5_000
TYPES = {
    ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".bmp": "image/bmp",
    ".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg",
}  # fmt: skip


class Serve:
    """Lets requests under ``PREFIX`` go to ``routes``, all others on."""

    def __init__(self, app, routes):
        self.app, self.routes = app, routes

    async def __call__(self, scope, receive, send):
        ours = scope["type"] == "http" and scope.get("path", "").startswith(PREFIX)
        await (self.routes if ours else self.app)(scope, receive, send)


class Collection:
    """The projects, uploads and models of one server, behind its routes."""

    def __init__(self, projects: Projects, uploads: Uploads, models: ModelFiles, finetune: Callable):
        self.projects, self.uploads, self.models, self.finetune = projects, uploads, models, finetune

    def routes(self) -> Starlette:
        def route(path: str, *methods: tuple[str, Callable]) -> list[Route]:
            return [Route(PREFIX + path, answering(function), methods=[method]) for method, function in methods]

        return Starlette(
            routes=[
                *route("projects", ("GET", self.list), ("POST", self.create)),
                *route("projects/{key}", ("GET", self.table), ("PATCH", self.change), ("DELETE", self.delete)),
                *route("projects/{key}/items", ("POST", self.act)),
                *route("projects/{key}/lonely/{kind}", ("GET", self.lonely)),
                *route("projects/{key}/export", ("GET", self.export)),
                *route("projects/{key}/uploads", ("POST", self.begin)),
                *route("projects/{key}/thumbnails/{item:int}", ("GET", self.thumbnail)),
                *route("projects/{key}/files/{item:int}", ("GET", self.file)),
                *route("uploads/{upload}", ("GET", self.progress), ("PUT", self.receive), ("POST", self.add),
                       ("DELETE", self.cancel)),
                *route("finetune", ("POST", self.start)),
                *route("publish", ("POST", self.models.publish)),
                *route("name", ("GET", self.models.free_name)),
                *route("models", ("GET", self.models.list), ("POST", self.models.receive)),
                *route("models/{name:path}", ("GET", self.models.send)),
            ]
        )  # fmt: skip

    # Projects -----------------------------------------------------------------------------------------------------

    async def list(self, request: Request):
        owner, spoken = owner_of(request.cookies), language(request)
        found = await run_in_threadpool(self._listed, owner, spoken)
        limits = self.projects.limits
        return {
            "projects": found, "known": bool(owner),
            "limits": say("collect_limits", spoken, files=f"{limits.files:,}",
                          each=mebibytes(min(limits.file_bytes, self.uploads.max_upload)),
                          all=mebibytes(limits.total_bytes), upload=mebibytes(self.uploads.max_upload),
                          pixels=f"{round(limits.pixels / 1e6, 1):g}", minutes=f"{round(limits.seconds / 60, 1):g}"),
            "max_upload": self.uploads.max_upload,
        }  # fmt: skip

    def _listed(self, owner: str, spoken: str) -> list[dict]:
        return [described(project, owner, spoken) for project in self.projects.list(owner)]

    async def create(self, request: Request):
        owner = owner_of(request.cookies)
        if not owner:
            raise Problem("collect_no_cookie")
        question = await read_question(request)
        project = await run_in_threadpool(self.projects.create, str(question.get("name", "")), owner)
        return described(project, owner, language(request))

    async def table(self, request: Request):
        project, owner = self._open(request), owner_of(request.cookies)
        asked = request.query_params
        show = asked.get("show", "all")
        page = asked.get("page", "0")
        rows = await run_in_threadpool(
            table, project, language(request), int(page) if page.isdecimal() and len(page) < 6 else 0,
            show if show in SHOWS else "all", asked.get("find", "")[:200],
        )  # fmt: skip
        return {"project": described(project, owner, language(request)), **rows}

    async def change(self, request: Request):
        project, question = self._own(request), await read_question(request)
        if "name" in question:
            await run_in_threadpool(project.rename, str(question["name"]))
        if "shared" in question:
            await run_in_threadpool(project.share, question["shared"] is True)
        return described(project, owner_of(request.cookies), language(request))

    async def delete(self, request: Request):
        await run_in_threadpool(self._delete, self._own(request), owner_of(request.cookies))
        return {"deleted": True}

    def _delete(self, project: Project, owner: str) -> None:
        manager = self.models.manager
        self.projects.delete(project.folder.name, owner)
        forget_data(map(manager.run, manager.names()), project.folder)

    async def act(self, request: Request):
        """Changes items: ``action`` is one of those below, ``ids`` their numbers or a pattern of their names."""
        project, question = self._own(request), await read_question(request)
        return {"changed": await run_in_threadpool(_act, project, question)}

    async def lonely(self, request: Request):
        kind = request.path_params["kind"]
        return {"items": await run_in_threadpool(lonely, self._open(request), kind if kind == "image" else "sound")}

    async def export(self, request: Request):
        project = self._open(request)
        with tempfile.NamedTemporaryFile(prefix="mmgan-", suffix=".zip", delete=False) as file:
            path = Path(file.name)
        try:
            await run_in_threadpool(project.export, path)
        except MmganError:
            path.unlink(missing_ok=True)
            raise
        return download(path, f"{project.name}.zip")

    async def thumbnail(self, request: Request):
        project = self._open(request)
        data = await run_in_threadpool(lambda: project.thumbnail(self._item(project, request)))
        if data is None:
            return Response(status_code=404)
        return Response(data, media_type="image/jpeg", headers=SAFE | {"cache-control": "private, max-age=31536000"})

    async def file(self, request: Request):
        project = self._open(request)
        item = await run_in_threadpool(self._item, project, request)
        path = project.folder / item.file
        if not item.file or path.suffix not in TYPES or not path.is_file():
            return Response(status_code=404)
        return FileResponse(path, media_type=TYPES[path.suffix], headers=SAFE | {"cache-control": "private"})

    # Uploads ------------------------------------------------------------------------------------------------------

    async def begin(self, request: Request):
        return {"upload": self.uploads.begin(self._own(request), owner_of(request.cookies))}

    async def receive(self, request: Request):
        """One file of an upload, as the body of the request; its name stands in ``?name=``."""
        length = request.headers.get("content-length", "")
        await self.uploads.receive(
            self._upload(request), request.query_params.get("name", ""), int(length) if length.isdecimal() else -1,
            request.stream(),
        )  # fmt: skip
        return {}

    async def add(self, request: Request):
        question = await read_question(request)
        large = question.get("too_large")
        large = [name for name in large if isinstance(name, str) and name] if isinstance(large, list) else []
        self.uploads.add(self._upload(request), str(question.get("caption", "")), language(request), large)
        return {}

    async def progress(self, request: Request):
        return self._upload(request).as_dict(language(request))

    async def cancel(self, request: Request):
        self.uploads.cancel(self._upload(request))
        return {}

    def _upload(self, request: Request):
        return self.uploads.find(request.path_params["upload"], owner_of(request.cookies))

    # Fine-tuning --------------------------------------------------------------------------------------------------

    async def start(self, request: Request):
        """Starts a fine-tuning from a project that the visitor may see; whoever may start runs may."""
        question = await read_question(request)
        project = self._visible(str(question.get("project", "")), request)
        address = request.client.host if request.client else ""
        return await run_in_threadpool(self.finetune, question, project, address, language(request))

    # How it is done -----------------------------------------------------------------------------------------------

    def _visible(self, key: str, request: Request) -> Project:
        return self.projects.open(key, owner_of(request.cookies))

    def _open(self, request: Request) -> Project:
        return self._visible(request.path_params["key"], request)

    def _own(self, request: Request) -> Project:
        project, owner = self._open(request), owner_of(request.cookies)
        if not owner or not project.belongs_to(owner):
            raise Problem("collect_not_yours", name=project.name)
        return project

    @staticmethod
    def _item(project: Project, request: Request):
        for item in project.items():
            if item.id == request.path_params["item"]:
                return item
        raise Problem("collect_no_item")


def _act(project: Project, question: dict):
    action, ids = question.get("action"), question.get("ids", [])
    if not isinstance(ids, str):
        ids = [key for key in ids[:MAX_IDS] if isinstance(key, int)] if isinstance(ids, list) else []
    text = {name: str(question.get(name, "")) for name in ("caption", "template", "find", "replacement", "how")}
    if action == "caption" and not isinstance(ids, str):
        return project.set_caption(ids, text["caption"])
    if action == "captions":
        return project.caption_by(ids, text["template"])
    if action == "replace":
        return project.replace_in_captions(text["find"], text["replacement"], ids)
    if action == "cut" and not isinstance(ids, str):
        return project.cut(ids, text["how"])
    if action == "delete" and not isinstance(ids, str):
        return project.delete_items(ids)
    if action == "pair" and len(ids) == 2 and not isinstance(ids, str):
        return project.pair(*ids)
    if action == "unpair" and len(ids) == 1:
        return project.unpair(ids[0])
    if action == "forget":
        return project.forget_left_out()
    raise Problem("train_bad_action")
