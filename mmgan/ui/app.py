"""The page: what surrounds the tabs, and how it is served."""

from __future__ import annotations

import gc
import importlib.util
import logging
import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import replace

import gradio as gr
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from ..errors import MmganError
from ..language import ENGLISH, say
from ..runs.manager import Manager
from ..system.resources import ASSETS
from . import theme
from .collect.tab import TAB as COLLECT
from .language import add_texts, i18n, label, page_texts
from .sample import cards
from .sample.sampler import Sampler
from .sample.tab import TAB as SAMPLE
from .server import gate, login
from .server.access import Access
from .server.answers import HANDLERS, Page
from .server.assets import SCRIPTS, Assets, asset
from .server.flags import HOST, PORT, Flags
from .server.queueing import Share
from .server.quota import MAX_WAITING, Quota
from .server.seeing import Sight
from .server.stalled import end_stalled_heads
from .tab import Studio, Tab
from .train.desk import Desk
from .train.tab import TAB as TRAIN

log = logging.getLogger(__name__)

# gradio keeps the last answer of each session, about 0.2 MB of pictures and sounds, and each request of a program is a
# session. Nothing of ours depends on a session, so a page does not notice when its own is dropped.
SESSIONS = 200

TABS = (SAMPLE, TRAIN, COLLECT)  # in the order shown; a new tab is a package, a folder under assets/, and a name here


def build(sampler: Sampler, flags: Flags = Flags(), tabs: Sequence[Tab] = TABS) -> gr.Blocks:
    """The whole page over ``sampler``."""
    for tab in tabs:
        add_texts(tab.strings)
    sight = Sight(Manager(flags.runs))
    closed = (flags.projects_folder, flags.runs)
    desk = Desk(sight, Access(flags), flags.device, sampler.shipped, closed)
    with Page(title=say("title"), analytics_enabled=False, fill_width=True) as demo:
        # Closed, so that nothing can be called past the queue.
        demo.queue(max_size=MAX_WAITING, api_open=False)
        quota = Quota()
        studio = Studio(demo, flags, sampler, sight, desk, quota, Share(demo._queue, quota))
        gr.HTML(_header(), **cards.PLAIN)
        with gr.Tabs(elem_classes="mm-tabs"):
            for tab in tabs:
                with gr.Tab(label(f"tab_{tab.key}"), id=tab.key):
                    tab.build(studio)
    demo.assets = Assets({tab.key: tab.assets for tab in tabs}, page_texts())
    mounts = [Mount(f"/{tab.key}", routes=tab.routes(studio)) for tab in tabs]
    scripts = Route(SCRIPTS + "{version}/{place:path}", demo.assets.send)
    demo.our_routes = Starlette(routes=[scripts, *mounts], exception_handlers=HANDLERS)
    return demo


def serve(demo: gr.Blocks, flags: Flags) -> None:
    """Starts to serve the page, from threads of its own; ``demo.close()`` ends it.

    No file of this machine is served: nothing is allowed, and results travel inside the page.
    """
    with gate.believing_nobody():
        demo.launch(
            server_name=flags.host, server_port=flags.port, share=flags.share, i18n=i18n(),
            auth=login.checker(flags.auth), root_path=flags.root_path or None,
            theme=theme.theme(), css=demo.assets.styles, favicon_path=ASSETS / "page" / "logo.svg",
            quiet=True, footer_links=[], run_history=False, enable_monitoring=False, ssr_mode=False,
            allowed_paths=[], blocked_paths=[str(ASSETS.parent)], max_file_size=flags.max_upload,
            state_session_capacity=SESSIONS, show_error=False, prevent_thread_lock=True,
            mcp_server=importlib.util.find_spec("mcp") is not None,
            app_kwargs=gate.app_options(demo, flags),
        )  # fmt: skip
    end_stalled_heads(demo.server)
    _keep_configurations(demo)


def _keep_configurations(demo: gr.Blocks) -> None:
    """Has gradio's components describe themselves once.

    gradio asks each for its description when a session starts, and each request of a program is a session: with the
    components of this page that costs half as much as a sample. They do not change: what an event shows a visitor does
    not touch them.
    """
    for block in demo.blocks.values():
        description = block.get_config()
        block.get_config = lambda *_, description=description: {**description}


def main(flags: Flags = Flags()) -> None:
    """Loads the first model, says where the page is, and serves it until Ctrl-C.

    On Hugging Face Spaces (``SPACE_ID`` is set) the page listens to the outside.

    Raises:
        MmganError: the address cannot be listened to; the sentence names a free port.
    """
    if os.environ.get("SPACE_ID") and flags.host == HOST:
        flags = replace(flags, host="0.0.0.0")
    check_port(flags.host, flags.port)
    sampler = Sampler(device=flags.device, runs=_runs(flags))
    demo = build(sampler, flags)
    where = HOST if flags.host in ("0.0.0.0", "::") else flags.host
    serve(demo, flags)
    print(f"mmgan is at http://{where}:{flags.port} (Ctrl-C ends it)", flush=True)
    if flags.share:
        link = demo.share_url or "no public link could be opened; check the internet connection"
        print(f"mmgan --share: {link}", flush=True)
    threading.Thread(target=_warm_up, args=(sampler,), daemon=True).start()
    demo.block_thread()


def _runs(flags: Flags):
    """What lists the runs to sample from."""
    return Manager(flags.runs).models


def check_port(host: str, port: int) -> None:
    """Raises an :class:`MmganError` in one sentence where ``host``:``port`` cannot be listened to."""
    if not 1 <= port <= 65_535:
        raise MmganError("server.no_port", port=port, free=PORT)
    problem = _refusal(host, port)
    if problem is None:
        return
    if isinstance(problem, socket.gaierror) or problem.errno in (99, 49, 10049):  # EADDRNOTAVAIL: Linux, macOS, Windows
        raise MmganError("server.no_address", host=host)
    if isinstance(problem, PermissionError):
        raise MmganError("server.reserved_port", port=port, free=PORT)
    free = next((other for other in range(port + 1, min(port + 100, 65_536)) if _refusal(host, other) is None), None)
    if not free:
        raise MmganError("server.ports_taken", port=port)
    raise MmganError("server.port_taken", port=port, free=free)


def _refusal(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just closed counts as free
            probe.bind(address)
    except OSError as error:
        return error
    except UnicodeError as error:  # a name that no machine can have
        return socket.gaierror(str(error))
    return None


def _warm_up(sampler: Sampler) -> None:
    """Loads the other models in the background, so that the first look at each is as fast as the next."""
    for model in sampler.shipped[1:]:
        try:
            sampler.pipeline(model).warm_up()
        except MmganError as error:
            log.warning("%s", error)
    gc.collect()
    gc.freeze()  # libraries and models stay, and to look through them again holds everybody up for half a second


def _header() -> str:
    texts = page_texts()[ENGLISH]
    other = f'<span data-say="other_language">{cards.escape(texts["other_language"])}</span>'

    def button(name: str, key: str, inside: str) -> str:
        text = cards.escape(texts[key])
        return (
            f'<button type="button" class="mm-{name}" data-say-label="{key}" aria-label="{text}" title="{text}">'
            f"{inside}</button>"
        )

    half = (
        '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8.5"/>'
        '<path d="M12 3.5a8.5 8.5 0 0 1 0 17z"/></svg>'
    )
    return (
        f'<header class="mm-header">{asset("page/logo.svg")}<div><h1>{cards.escape(say("title"))}</h1>'
        f"{cards.said('tagline', 'p')}</div>"
        f"{button('language', 'other_language_hint', other)}{button('theme', 'theme', half)}"
        f"</header><noscript>{cards.escape(say('noscript'))}</noscript>"
    )
