"""What plain HTTP routes have in common: questions and answers in JSON, errors as sentences, files to download."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from ...errors import MmganError
from ...language import say
from ..language import language
from .access import AccessError
from .sentences import PageError, encodable, fault, plain_values, sentence
from .turns import Busy

log = logging.getLogger(__name__)

MAX_QUESTION = 256 << 10  # bytes of a JSON question
# Has browsers show a stranger's file as a picture or sound and as nothing else.
SAFE = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}


class Answer(JSONResponse):
    """JSON in UTF-8, whatever texts it holds."""

    def render(self, content) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


async def read_question(request: Request) -> dict:
    """The JSON object of a request. One that another site's page could send without asking first is refused."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise PageError("train_bad_action")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_QUESTION:
            raise PageError("train_bad_action")
    try:
        question = json.loads(body or b"{}", parse_constant=_refuse)
        question = plain_values(question)
    except (ValueError, RecursionError) as error:
        raise PageError("train_bad_action") from error
    if not isinstance(question, dict):
        raise PageError("train_bad_action")
    return question


def _refuse(constant: str):
    raise ValueError(constant)  # NaN and Infinity, which JSON does not have


def text_of(question: dict, name: str) -> str:
    """The text ``name`` of a question, "" where there is none. Raises PageError where it is another value."""
    value = question.get(name)
    if not isinstance(value, (str, type(None))):
        raise PageError("api_text", name=name)
    return value or ""


def address_of(request) -> str:
    """The address that a request of starlette's or gradio's came from, as the door found it; "" where it has none."""
    return str(getattr(getattr(request, "client", None), "host", "") or "")


def answering(function: Callable):
    """A route that answers in JSON; an error is a sentence in ``error``, in the reader's language."""

    async def endpoint(request: Request):
        site = request.headers.get("sec-fetch-site", "same-origin")
        if request.method != "GET" and site not in ("same-origin", "none"):
            return Answer({"error": say("train_bad_action", language(request))}, 403)
        try:
            answer = await function(request)
            return answer if isinstance(answer, Response) else Answer(answer, headers={"cache-control": "no-store"})
        except AccessError as error:
            return Answer({"error": sentence(error, language(request)), "locked": True}, 403)
        except MmganError as error:
            status = 429 if isinstance(error, Busy) else 400
            return Answer({"error": sentence(error, language(request))}, status)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            log.exception("%s failed", request.url.path)
            return Answer({"error": fault(error, language(request))}, 500)

    return endpoint


def download(path: Path, name: str) -> FileResponse:
    """The file at ``path`` as a download of that name; it is deleted afterwards."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in " ._-") else "_" for char in name)
    whole = quote(encodable(name))
    headers = SAFE | {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"}
    return FileResponse(
        path, media_type="application/zip", headers=headers,
        background=BackgroundTask(lambda: path.unlink(missing_ok=True)),
    )  # fmt: skip
