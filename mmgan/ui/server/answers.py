"""Makes sentences of gradio's own errors: about a request, or raised while it was answered.

gradio calls functions with whatever a request holds, and answers ``null`` for errors that are not its own.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import math
import typing
from concurrent.futures import CancelledError

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.components.api_component import Api
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from ...errors import MmganError
from ...language import LANGUAGES, say
from ..language import language
from .sentences import PageError, encodable, fault, plain_values, sentence

log = logging.getLogger(__name__)

API = "/gradio_api/"
GONE = b"404: Not Found"  # what gradio says in a stream of events about a request it does not know
MAX_GONE = 500  # bytes of such an event


class Page(gr.Blocks):
    """``gr.Blocks`` whose functions get arguments of the types that they name, and whose errors are sentences."""

    async def process_api(self, block_fn, inputs, *others, **more):
        request = more.get("request")
        spoken = language(request[0] if isinstance(request, list) and request else request)
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        try:
            if function.fn is None:  # done in the browser
                raise PageError("api_bad_request")
            inputs = plain_values(inputs)
            if function.inputs and all(isinstance(component, Api) for component in function.inputs):
                inputs = arguments(function.fn, function.api_name, inputs)
            return await super().process_api(block_fn, inputs, *others, **more)
        except gr.Error as error:
            error.message, error.print_exception = encodable(str(error.message)), False
            raise
        except MmganError as error:
            raise gr.Error(sentence(error, spoken), print_exception=False) from error
        except (asyncio.CancelledError, CancelledError):
            raise
        except Exception as error:
            log.exception("%s failed", function.api_name or function.name)
            raise gr.Error(fault(error, spoken), print_exception=False) from error

    async def preprocess_data(self, block_fn, inputs, *others, **more):
        try:
            return await super().preprocess_data(block_fn, inputs, *others, **more)
        except (gr.Error, MmganError):
            raise
        except Exception as error:  # components raise anything on values that no page sends
            raise PageError("api_bad_request") from error


def arguments(function, name: str, given) -> list:
    """What to call a function of the API with: ``given`` in its order, each of the type that it names.

    One that is left out, or null, is its default.

    Raises:
        PageError: too many, one missing that has no default, or one of another type.
    """
    types = typing.get_type_hints(function)
    known = [p for p in inspect.signature(function).parameters.values() if types.get(p.name) is not gr.Request]
    names = ", ".join(parameter.name for parameter in known)
    given = given if isinstance(given, list) else []
    if len(given) > len(known):
        raise PageError("api_many", function=f"/{name}", count=len(given), most=len(known), names=names)
    taken = []
    for parameter, value in zip(known, [*given, *[None] * (len(known) - len(given))], strict=True):
        if value is None:
            value = parameter.default
        if value is inspect.Parameter.empty:
            raise PageError("api_missing", function=f"/{name}", name=parameter.name, names=names)
        taken.append(_of_type(parameter.name, value, types.get(parameter.name)))
    return taken


def _of_type(name: str, value, kind):
    if kind is str and not isinstance(value, str):
        raise PageError("api_text", name=name)
    if kind in (int, float) and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise PageError("api_whole" if kind is int else "api_number", name=name)
    if kind is int and isinstance(value, float):  # 4.0, as JSON may give it, is 4
        if not value.is_integer():
            raise PageError("api_whole", name=name)
        return int(value)
    if kind is float and not (abs(value) < 1e300 and math.isfinite(value)):
        raise PageError("api_number", name=name)
    if kind == (dict | None) and not isinstance(value, (dict, type(None))):
        raise PageError("api_object", name=name)
    return value


def refused(request: HTTPConnection, status: int, key: str, **values) -> JSONResponse:
    """A refusal whose sentence is in ``error``, and in ``detail``, where gradio's clients look."""
    text = encodable(say(key, language(request), **values))
    return JSONResponse({"error": text, "detail": text}, status, {"cache-control": "no-store"})


async def _unreadable(request: Request, error: RequestValidationError) -> JSONResponse:
    return refused(request, 422, "api_bad_request")


async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 404:
        return refused(request, 404, "api_not_found")
    if error.status_code in (429, 503):  # gradio's clients recognise a full queue by the status
        return refused(request, error.status_code, getattr(error.detail, "key", "busy"))
    if error.status_code == 429:
        return refused(request, 429, "own_busy")
    if 400 <= error.status_code < 500:
        return refused(request, error.status_code, "api_bad_request")
    return refused(request, error.status_code, "internal")


HANDLERS = {RequestValidationError: _unreadable, HTTPException: _http_error}  # for FastAPI


class Sentences:
    """The outer layer of all answers: errors become sentences, and refusals by gradio get the status of one."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:
            # Our own functions catch their errors, so this one is about the request itself.
            asked = scope["path"].startswith(API)
            log.log(logging.INFO if asked else logging.ERROR, "%s failed", scope["path"], exc_info=error)
            if answer.begun:
                await send({"type": "http.response.body", "body": b""})
                return
            key, status = ("api_bad_request", 400) if asked else ("internal", 500)
            await refused(HTTPConnection(scope), status, key)(scope, receive, send)


class _Answer:
    """One answer on its way out. Without the queue gradio gives every error the status of a server fault."""

    def __init__(self, scope, send):
        self.scope, self.out = scope, send
        self.begun = False
        self.held: dict | None = None  # the start of an answer, held back until its body is known
        self.body = b""

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.begun = True
            if message["status"] == 500 and self.scope["path"].startswith(API):
                self.held = message
                return
        if self.held is None:
            if GONE in message.get("body", b"")[:MAX_GONE] and self.scope["path"].startswith(API):
                said = json.dumps(say("api_gone", language(HTTPConnection(self.scope))))[1:-1].encode()
                message = message | {"body": message["body"].replace(GONE, said)}
            await self.out(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            await self.mended()(self.scope, None, self.out)

    def mended(self) -> JSONResponse:
        try:
            said = json.loads(self.body).get("error")
        except (ValueError, AttributeError):
            said = None
        faults = [say("internal", spoken) for spoken in LANGUAGES]
        if not isinstance(said, str) or said in faults:
            return refused(HTTPConnection(self.scope), 500, "internal")
        return JSONResponse({"error": said, "detail": said}, 400, {"cache-control": "no-store"})
