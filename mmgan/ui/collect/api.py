"""What the Collect tab asks of the server: projects and their tables in JSON, files streamed in and out.

These are plain HTTP routes rather than gradio events, because files of any number come and go as streams, pictures of a
table are fetched as a browser fetches pictures, and the owner's key stays in a cookie that no script can read.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from ...data.limits import mebibytes
from ...language import say
from ...projects.items import Item
from ...projects.projects import Project, Projects
from ...projects.table import MAX_PATTERN, owner_hash
from ...runs.access import close_others
from ...runs.run import Run
from ...system.files import own_prefix
from ...training.forgetting import forget_data
from ..language import language
from ..server.owner import owner_of
from ..server.routes import SAFE, address_of, answering, download, read_question, text_of
from ..server.sentences import PageError, sentence
from ..server.turns import Turns, visitor_of
from .model_files import ModelFiles
from .rows import SHOWS, described, lonely, table
from .uploads import Uploads

log = logging.getLogger(__name__)

TYPES = {
    ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".bmp": "image/bmp",
    ".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg",
}  # fmt: skip


class Collection:
    """The projects, uploads and models of one server, behind its routes."""

    def __init__(self, projects: Projects, uploads: Uploads, models: ModelFiles, finetune: Callable):
        self.projects, self.uploads, self.models, self.finetune = projects, uploads, models, finetune
        # A browser asks for all thumbnails of a page at once; each is quick.
        self._tables = Turns("mmgan-tables", at_once=6, each=2, asked=48, most=200)
        self._long = Turns("mmgan-long", at_once=2, asked=4)  # decodes sounds, or writes a whole project

    def routes(self) -> list[BaseRoute]:
        """The routes, with paths as seen from ``/collect``."""

        def route(path: str, *methods: tuple[str, Callable]) -> list[Route]:
            return [Route(f"/{path}", answering(function), methods=[method]) for method, function in methods]

        return [
            *route("projects", ("GET", self.list), ("POST", self.create)),
            *route("damaged/{key}", ("DELETE", self.delete_damaged)),
            *route("projects/{key}", ("GET", self.table), ("PATCH", self.change), ("DELETE", self.delete)),
            *route("projects/{key}/items", ("POST", self.act)),
            *route("projects/{key}/lonely/{kind}", ("GET", self.lonely)),
            *route("projects/{key}/export", ("GET", self.export)),
            *route("projects/{key}/uploads", ("POST", self.begin)),
            *route("projects/{key}/thumbnails/{item}", ("GET", self.thumbnail)),
            *route("projects/{key}/files/{item}", ("GET", self.file)),
            *route("uploads/{upload}", ("GET", self.progress), ("PUT", self.receive), ("POST", self.add),
                   ("DELETE", self.cancel)),
            *route("finetune", ("POST", self.start)),
            *route("publish", ("POST", self.models.publish)),
            *route("name", ("GET", self.models.free_name)),
            *route("models", ("GET", self.models.list), ("POST", self.models.receive)),
            *route("models/{name:path}", ("GET", self.models.send)),
        ]  # fmt: skip

    # Projects -----------------------------------------------------------------------------------------------------

    async def list(self, request: Request):
        owner, spoken = owner_of(request.cookies), language(request)
        found = await self._do(request, self._listed, owner, spoken)
        limits = self.projects.limits
        return {
            "projects": found, "known": bool(owner),
            "damaged": await self._do(request, self._damaged, request, spoken),
            "limits": say("collect_limits", spoken, files=f"{limits.files:,}",
                          each=mebibytes(min(limits.file_bytes, self.uploads.max_upload)),
                          all=mebibytes(limits.total_bytes), upload=mebibytes(self.uploads.max_upload),
                          pixels=f"{round(limits.pixels / 1e6, 1):g}", minutes=f"{round(limits.seconds / 60, 1):g}"),
            "max_upload": self.uploads.max_upload,
        }  # fmt: skip

    def _damaged(self, request: Request, spoken: str) -> list[dict]:
        """Projects that cannot be read. Whose they are cannot be known, so they are shown to whoever may stop runs."""
        address = address_of(request)
        if not self.models.access.may(request.query_params.get("code", ""), address):
            return []
        return [{"key": key, "reason": sentence(reason, spoken)} for key, reason in self.projects.damaged()]

    async def delete_damaged(self, request: Request):
        self.models.access.check(request.query_params.get("code", ""), address_of(request))
        await self._do(request, self.projects.remove_damaged, request.path_params["key"])
        return {"deleted": True}

    def _listed(self, owner: str, spoken: str) -> list[dict]:
        return [described(project, owner, spoken) for project in self.projects.list(owner)]

    async def create(self, request: Request):
        owner = owner_of(request.cookies)
        if not owner:
            raise PageError("collect_no_cookie")
        question = await read_question(request)
        project = await self._do(request, self.projects.create, text_of(question, "name"), owner)
        return await self._do(request, described, project, owner, language(request))

    async def table(self, request: Request):
        owner, spoken, asked = owner_of(request.cookies), language(request), request.query_params
        show, page = asked.get("show", "all"), asked.get("page", "0")
        page = int(page) if page.isdecimal() and len(page) < 6 else 0

        def read() -> dict:
            project = self._open(request)
            rows = table(project, spoken, page, show if show in SHOWS else "all", asked.get("find", "")[:MAX_PATTERN])
            return {"project": described(project, owner, spoken), **rows}

        return await self._do(request, read)

    async def change(self, request: Request):
        question = await read_question(request)

        def alter() -> dict:
            project, owner = self._own(request), owner_of(request.cookies)
            if "name" in question:
                project.rename(text_of(question, "name"))
            if "shared" in question:
                self._share(project, question["shared"] is True, owner)
            return described(project, owner, language(request))

        return await self._do(request, alter)

    async def delete(self, request: Request):
        await self._do(request, lambda: self._delete(self._own(request), owner_of(request.cookies)))
        return {"deleted": True}

    def _delete(self, project: Project, owner: str) -> None:
        self.projects.delete(project.folder.name, owner)
        forget_data(self._runs(), project.folder)

    def _runs(self) -> list[Run]:
        manager = self.models.manager
        return [Run(manager.folder / name) for name in manager.names()]

    def _share(self, project: Project, shared: bool, owner: str) -> None:
        project.share(shared)
        if not shared:
            close_others(self._runs(), project.folder, owner_hash(owner))

    async def act(self, request: Request):
        """Changes items: ``action`` is one of those below, ``ids`` their numbers or a pattern of their names."""
        question = await read_question(request)
        turns = self._long if question.get("action") == "cut" else self._tables
        return {"changed": await turns.run(visitor_of(request), lambda: _act(self._own(request), question))}

    async def lonely(self, request: Request):
        kind = "image" if request.path_params["kind"] == "image" else "sound"
        return {"items": await self._do(request, lambda: lonely(self._open(request), kind))}

    async def export(self, request: Request):
        return await self._long.run(visitor_of(request), self._export, request)

    def _export(self, request: Request) -> Response:
        project = self._open(request)
        size, free = sum(item.size for item in project.items()), shutil.disk_usage(tempfile.gettempdir()).free
        if free - size < self.projects.limits.free_bytes:
            raise PageError("collect_disk_full")
        with tempfile.NamedTemporaryFile(prefix=own_prefix(), suffix=".zip", delete=False) as file:
            path = Path(file.name)
        try:
            project.export(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return download(path, f"{project.name}.zip")

    async def thumbnail(self, request: Request):
        def read() -> bytes | None:
            project = self._open(request)
            return project.thumbnail(self._item(project, request))

        data = await self._do(request, read)
        if data is None:
            return Response(status_code=404)
        return Response(data, media_type="image/jpeg", headers=SAFE | {"cache-control": "private, max-age=31536000"})

    async def file(self, request: Request):
        def find() -> tuple[Project, Item]:
            project = self._open(request)
            return project, self._item(project, request)

        project, item = await self._do(request, find)
        path = project.folder / item.file
        if not item.file or path.suffix not in TYPES or not path.is_file():
            return Response(status_code=404)
        return FileResponse(path, media_type=TYPES[path.suffix], headers=SAFE | {"cache-control": "private"})

    # Uploads ------------------------------------------------------------------------------------------------------

    async def begin(self, request: Request):
        owner, visitor = owner_of(request.cookies), visitor_of(request)
        return {"upload": await self._do(request, lambda: self.uploads.begin(self._own(request), owner, visitor))}

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
        self.uploads.add(self._upload(request), text_of(question, "caption"), large)
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
        address = address_of(request)

        def begin() -> dict:
            project = self._visible(text_of(question, "project"), request)
            return self.finetune(question, project, address, owner_of(request.cookies))

        return await self._do(request, begin)

    # How it is done -----------------------------------------------------------------------------------------------

    async def _do(self, request: Request, function: Callable, *arguments):
        return await self._tables.run(visitor_of(request), function, *arguments)

    def _visible(self, key: str, request: Request) -> Project:
        return self.projects.open(key, owner_of(request.cookies))

    def _open(self, request: Request) -> Project:
        return self._visible(request.path_params["key"], request)

    def _own(self, request: Request) -> Project:
        project, owner = self._open(request), owner_of(request.cookies)
        if not owner or not project.belongs_to(owner):
            raise PageError("collect_not_yours", name=project.name)
        return project

    @staticmethod
    def _item(project: Project, request: Request):
        for item in project.items():
            if str(item.id) == request.path_params["item"]:
                return item
        raise PageError("projects.file_gone")


def _act(project: Project, question: dict):
    action, ids = question.get("action"), question.get("ids", [])
    if not isinstance(ids, str):
        ids = [key for key in ids if type(key) is int] if isinstance(ids, list) else []
        if len(ids) > project.limits.files:
            raise PageError("collect_many_ids", limit=f"{project.limits.files:,}")
    text = {name: text_of(question, name) for name in ("caption", "template", "find", "replacement", "how")}
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
    if action == "encoding":
        return project.read_again(_number(question), str(question.get("encoding", ""))[:40])
    if action == "forget_reading":
        return project.forget_reading(_number(question))
    if action == "forget":
        return project.forget_left_out()
    raise PageError("train_bad_action")


def _number(question: dict) -> int:
    """The number of the captions that are meant; -1, which none have, if it is no number."""
    number = question.get("reading")
    return number if type(number) is int else -1
