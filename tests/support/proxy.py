"""A server in front of the page, as a school has one: it shows the page under a path of its own, which it takes off."""

import contextlib
import threading

import httpx
import uvicorn
from served import free_port
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, StreamingResponse
from starlette.routing import Route

HOPS = (
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
)  # of one hop each


@contextlib.contextmanager
def in_front_of(page, path="/mmgan", announced=True, host=None):
    """Gives the address of the page behind the server.

    Args:
        announced: whether it says on whose behalf it asks.
        host: the name it asks the page by; None: the one that it was asked by itself.
    """
    limits = httpx.Limits(max_keepalive_connections=0)  # the page closes those that rest
    client = httpx.AsyncClient(timeout=None, trust_env=False, limits=limits)

    async def passed_on(request):
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in ("host", *HOPS)]
        headers.append((b"host", (host or request.headers["host"]).encode()))
        if announced:
            earlier = request.headers.get("x-forwarded-for")
            headers = [(name, value) for name, value in headers if not name.startswith(b"x-forwarded")]
            came = f"{earlier}, {request.client.host}" if earlier else request.client.host
            headers += [(b"x-forwarded-for", came.encode()), (b"x-forwarded-proto", b"http")]
            headers += [(b"x-forwarded-host", request.headers["host"].encode())]
        rest = request.url.path.removeprefix(path) or "/"
        url = httpx.URL(str(page) + rest, query=request.url.query.encode())
        answer = await client.send(
            client.build_request(request.method, url, headers=headers, content=await request.body()), stream=True
        )
        kept = [(name, value) for name, value in answer.headers.raw if name.lower().decode() not in HOPS]
        response = StreamingResponse(answer.aiter_raw(), answer.status_code)
        response.raw_headers = kept
        return response

    async def home(request):
        return RedirectResponse(f"{path}/")

    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    routes = [Route(path, home), Route(path + "/{rest:path}", passed_on, methods=every)] if path else [
        Route("/{rest:path}", passed_on, methods=every)
    ]  # fmt: skip
    port = free_port()
    config = uvicorn.Config(
        Starlette(routes=routes), host="127.0.0.1", port=port, log_level="error", proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{port}{path}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=10)
