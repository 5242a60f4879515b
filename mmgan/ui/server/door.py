"""Settles for every request, before anything else sees it, who calls, under which host name, and from which page."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from ...language import say
from ..language import language
from .access import is_local
from .flags import LOOPBACK, Flags

# Headers in which proxies name the caller. gradio believes some of them from anybody, so none of them gets in.
FORWARDING = re.compile(
    r"forwarded|x-forwarded(-.*)?|x-original-(for|host|proto)|x-(real|client|cluster-client)-ip|true-client-ip|cf-.*|via"
    r"|x-proxycontextpath|x-gradio-server"
)
TOOLS = "/gradio_api/mcp"
CALLER = "x-mmgan-caller"  # a note to ourselves, see Door._settle_caller
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")  # they change nothing; what gradio has others do is closed
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# Only Hugging Face's proxies reach a Space, and they have private addresses.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1")
NO_FRAMES = {"x-frame-options": "DENY", "content-security-policy": "frame-ancestors 'none'"}
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[\w.-]{1,253})(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)


class Door:
    """The outermost layer, around gradio's own too.

    Inside, ``scope["client"]`` is the caller, ``scope["scheme"]`` and the header ``Host`` are those of the
    caller's address bar, ``scope["path"]`` is without ``--root-path``, and no header that proxies write is left.

    Args:
        app: what is inside.
        shared: gives the address of the public link; None where there is none.
    """

    def __init__(self, app, flags: Flags, shared: Callable[[], str | None] = lambda: None):
        self.app, self.flags, self.shared = app, flags, shared
        self.on_spaces = bool(os.environ.get("SPACE_ID"))
        # A Space is shown in a frame of Hugging Face's page, and only Hugging Face's own proxies reach it.
        self.frames = flags.allow_frames or self.on_spaces
        proxies = flags.proxy or (PRIVATE if self.on_spaces else ())
        self.proxies = [ipaddress.ip_network(address) for address in proxies]
        self.names = own_names(flags)
        self.secret = secrets.token_hex(16)

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        root = urlsplit(scope.get("root_path", "")).path.rstrip("/")
        path = scope["path"]
        if root and (path + "/").startswith(root + "/"):  # some proxies do not remove it
            path = path[len(root) :] or "/"
        scope = {**scope, "headers": list(scope["headers"]), "path": path, "root_path": ""}
        headers, send = MutableHeaders(raw=scope["headers"]), self._without_frames(send)
        refused = self._refused(scope, headers)
        if refused is not None:
            await refuse(scope, receive, send, *refused)
            return
        # Another site's page may request what anybody may read, but gradio would also let it read the visitor's answer.
        del headers["origin"]
        if scope["path"].startswith(TOOLS):
            headers[CALLER] = f"{self.secret} {(scope.get('client') or ('',))[0]}"
        await self.app(scope, receive, send)

    def _refused(self, scope, headers: MutableHeaders) -> tuple[int, str, dict] | None:
        """Corrects the request's host name and caller; returns why it is refused, if it is."""
        if len(headers.getlist("host")) != 1:
            return 400, "door_no_host", {}
        asked = [headers["host"], self._settle_caller(scope, headers) or headers["host"]]
        for host in asked:
            name = host_of(host)[0]
            if not name:
                return 400, "door_no_host", {}
            if not self._answers_to(name):
                return 403, "door_host", {"host": name}
        headers["host"] = asked[-1]
        if host_of(asked[-1])[0] == self._public_name():  # the far end of the tunnel speaks https
            scope["scheme"] = "wss" if scope["type"] == "websocket" else "https"
        return None if self._is_from_here(scope, headers) else (403, "door_origin", {})

    def _settle_caller(self, scope, headers: MutableHeaders) -> str:
        """Corrects the caller and the scheme; returns the host name that a trusted proxy reports, or ""."""
        peer, note = (scope.get("client") or ("",))[0], headers.get(CALLER, "")
        said = {name: ", ".join(headers.getlist(name)) for name in headers if FORWARDING.fullmatch(name)}
        for name in (*said, CALLER):
            del headers[name]
        secret, _, address = note.partition(" ")
        if hmac.compare_digest(secret.encode(), self.secret.encode()):
            # We ask ourselves: to run an MCP tool gradio calls its own server, with the headers of the tool's caller.
            scope["client"] = address, 0
        elif _among(peer, self.proxies):
            scope["client"] = self._caller_of(peer, said.get("x-forwarded-for", "")), 0
            scheme = said.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
            if scheme in ("http", "https"):
                scope["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme
            return said.get("x-forwarded-host", "").partition(",")[0].strip()
        elif is_local(peer) and (said or _passed_on(scope, headers["host"])):
            scope["client"] = f"behind {peer}", 0
        return ""

    def _caller_of(self, peer: str, forwarded: str) -> str:
        """The nearest caller that is not a trusted proxy.

        Each proxy appends its caller, so whatever a caller wrote there itself comes before that. A proxy named by its
        address counts once: a caller on the same machine is not another proxy.
        """
        left, caller = list(self.proxies), peer
        for caller in (peer, *reversed([part.strip() for part in forwarded.split(",") if part.strip()])):
            proxy = _among(caller, left)
            if proxy is None:
                break
            if proxy.num_addresses == 1:
                left.remove(proxy)
        return _number(caller) or caller[:64]

    def _answers_to(self, name: str) -> bool:
        """Whether ``name`` is one of this server's. Anybody can make a name of their own point here."""
        if self.on_spaces or name in self.names or name == self._public_name():
            return True
        try:
            number = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return is_local(str(number)) or self.flags.host not in LOOPBACK or bool(self.flags.proxy)

    def _public_name(self) -> str | None:
        link = self.shared() if self.flags.share else None
        return urlsplit(link).hostname if link else None

    def _is_from_here(self, scope, headers: Headers) -> bool:
        """Whether a request that may change something comes from a page of ours, or from no page."""
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return True
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        scheme, _, place = origin.partition("://")
        name, port = host_of(place)
        if scheme not in PORTS or not name:
            return False
        if name in self.flags.allow_host or name == self._public_name():
            return True
        here, here_port = host_of(headers["host"])
        return (name, port or PORTS[scheme]) == (here, here_port or PORTS[scheme])

    def _without_frames(self, send):
        async def sending(message):
            if message["type"] == "http.response.start" and not self.frames:
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in NO_FRAMES.items():
                    headers.append(name, value)
            await send(message)

        return sending


def host_of(host: str) -> tuple[str, int]:
    """Name, in lower case, and port of a ``Host`` header; "" if it is invalid, and 0 if it names no port."""
    found = _HOST.fullmatch(host)
    return (found[1].lower().rstrip("."), int(found[2] or 0)) if found else ("", 0)


def _passed_on(scope, host: str) -> bool:
    """Whether a request from this machine comes through another server that does not say so.

    Its ``Host`` may name that server, or it may use HTTP/1.0, as nginx does and browsers do not.
    """
    name, port = host_of(host)
    here = (scope.get("server") or ("", 0))[1]
    own = name == "localhost" or is_local(name.strip("[]"))
    return not own or (port or PORTS.get(scope.get("scheme", ""), 0)) != here or scope.get("http_version") == "1.0"


def _number(address: str) -> str:
    """An address without the port that some proxies write with it; "" where it is none."""
    for text in (address, host_of(address)[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            pass
    return ""


def _among(address: str, networks: list):
    number = _number(address)
    return next((network for network in networks if number and ipaddress.ip_address(number) in network), None)


def own_names(flags: Flags) -> set[str]:
    """The host names, beside numeric addresses, that this server answers to."""
    names = {"localhost", flags.host.lower(), *flags.allow_host}
    if flags.host not in LOOPBACK:
        machine = socket.gethostname().lower()
        short = machine.partition(".")[0]
        names |= {machine, short, f"{short}.local"}  # phones and tablets find a machine by the last of these
    return names - {""}


async def refuse(scope, receive, send, status: int, key: str, values: dict) -> None:
    """Answers with one sentence of the page's texts, in the caller's language."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    text = say(key, language(HTTPConnection(scope)), **values)
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    await PlainTextResponse(text, status, headers)(scope, receive, send)
