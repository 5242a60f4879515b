"""What the page is made of besides gradio: a folder of scripts (ES modules) and styles for the frame and for each tab.

Scripts import each other by paths under one address that contains the version of them all, so a browser keeps them
until one changes. Scripts that gradio evaluates have no path of their own: they import ``mmgan/sample/tab.js``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from ...errors import MmganError
from ...system.resources import ASSETS, incomplete

SCRIPTS = "/scripts/"
FRAME = "page"  # the folder of what surrounds the tabs
CLASSIC = ("first.js", "login.js")  # of the frame: they run before gradio, and are in the page itself
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


def asset(place: str) -> str:
    """The text of a file under ``assets/``. Raises MmganError where it is missing."""
    return _text(ASSETS / place)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MmganError(incomplete(f"assets/{path.parent.name}/{path.name}")) from error


class Assets:
    """The scripts and styles of a page.

    Args:
        folders: by the key of a tab its folder; the script there that begins it is ``tab.js``.
        texts: for ``page/texts.js``.

    Raises:
        MmganError: a script is missing.
    """

    def __init__(self, folders: Mapping[str, Path], texts: Mapping):
        folders = {FRAME: ASSETS / FRAME, **folders}
        self.entries = [f"{FRAME}/page.js", *(f"{key}/tab.js" for key in folders if key != FRAME)]
        self.scripts = {f"{FRAME}/texts.js": f"export const TEXTS = {json.dumps(texts, ensure_ascii=False)};"}
        for key, folder in folders.items():
            modules = (path for path in sorted(folder.glob("*.js")) if key != FRAME or path.name not in CLASSIC)
            self.scripts |= {f"{key}/{path.name}": _text(path) for path in modules}
        for missing in set(self.entries) - set(self.scripts):
            raise MmganError(incomplete(f"assets/{missing}"))
        self.styles = "\n".join(_text(path) for folder in folders.values() for path in sorted(folder.glob("*.css")))
        self.version = hashlib.sha256(json.dumps(self.scripts).encode()).hexdigest()[:16]

    def head(self) -> str:
        """The head of the page; its scripts run before gradio's own."""
        base = f".{SCRIPTS}{self.version}/"
        lines = [f'<script type="importmap">{json.dumps({"imports": {"mmgan/": base}})}</script>']
        lines += [f'<link rel="modulepreload" href="{base}{place}">' for place in self.scripts]
        lines += [f'<script type="module" src="{base}{place}"></script>' for place in self.entries]
        return "".join(lines)

    async def send(self, request: Request) -> Response:
        """Answers a request for a script; a page loaded before a change gets the script as it is now."""
        script = self.scripts.get(request.path_params["place"])
        if script is None:
            return Response(status_code=404)
        same = request.path_params["version"] == self.version
        headers = (FOREVER if same else {"cache-control": "no-store"}) | {"x-content-type-options": "nosniff"}
        return Response(script, media_type="text/javascript", headers=headers)
