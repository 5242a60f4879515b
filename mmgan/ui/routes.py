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

from ..errors import MmganError
from .access import AccessError
from .problems import Problem, sentence
from .strings import language, say

log = logging.getLogger(__name__)

MAX_QUESTION = 256 << 10  # bytes of a JSON question
# A stranger's file is shown as the picture or sound that it is, and as nothing else.
SAFE = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}


async def read_question(request: Request) -> dict:
    """The JSON of a request. One that another site's page could send without asking first is refused."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Problem("train_bad_action")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_QUESTION:
            raise Problem("train_bad_action")
    try:
        question = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Problem("train_bad_action") from error
    return question if isinstance(question, dict) else {}


def answering(function: Callable):
    """A route that answers in JSON; what went wrong is a sentence in ``error``, in the reader's language."""

    async def endpoint(request: Request):
        site = request.headers.get("sec-fetch-site", "same-origin")
        if request.method != "GET" and site not in ("same-origin", "none"):
            return JSONResponse({"error": say("train_bad_action", language(request))}, 403)
        try:
            answer = await function(request)
            return (
                answer if isinstance(answer, Response) else JSONResponse(answer, headers={"cache-control": "no-store"})
            )
        except AccessError as error:
            return JSONResponse({"error": str(error), "locked": True}, 403)
        except MmganError as error:
            return JSONResponse({"error": sentence(error, language(request))}, 400)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            log.exception("%s failed", request.url.path)
            return JSONResponse({"error": say("internal", language(request))}, 500)

    return endpoint


def download(path: Path, name: str) -> FileResponse:
    """The file at ``path`` as a download of that name; it is deleted afterwards."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in " ._-") else "_" for char in name)
    headers = SAFE | {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"}
    return FileResponse(
        path, media_type="application/zip", headers=headers,
        background=BackgroundTask(lambda: path.unlink(missing_ok=True)),
    )  # fmt: skip
