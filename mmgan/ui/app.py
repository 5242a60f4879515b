"""The page: what surrounds the tabs, and how it is served."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import socket
import threading
from dataclasses import replace

import gradio as gr

from ..errors import MmganError
from ..resources import ASSETS, incomplete
from ..training.manager import Manager
from . import api, cards, collect, gate, login, sample, theme, train
from .answers import Page
from .limits import MAX_WAITING, Limits
from .owner import owner_of
from .queueing import keep_shares
from .sampling import Sampler
from .seeing import SeenSampler, Sight
from .settings import HOST, PORT, Settings
from .stalled import end_stalled_heads
from .strings import TEXTS, i18n, label, say
from .turns import visitor_of

log = logging.getLogger(__name__)

# gradio keeps what each session was last given, about 0.2 MB of pictures and sounds, and each request of a program is a
# session. Nothing of ours lives in a session, so a page whose session went does not notice.
SESSIONS = 200

STYLES = (
    "style.css",
    "sample.css",
    "train.css",
    "collect.css",
)  # files under assets/, in the order in which they count
SCRIPTS = (
    "page.js", "kept.js", "explore.js", "zip.js", "favourites.js", "steady.js",
    "train.js", "train-run.js", "train-charts.js", "train-film.js", "train-form.js", "train-finetune.js",
    "train-publish.js",
    "collect.js", "collect-add.js", "collect-record.js", "collect-table.js", "collect-tune.js",
)  # fmt: skip


def build(sampler: Sampler, settings: Settings = Settings()) -> gr.Blocks:
    """The whole page over ``sampler``; each tab is a module with a ``build`` of its own."""
    limits, sight = Limits(), Sight(Manager(settings.runs))

    def seen(request: gr.Request | None) -> SeenSampler:
        return SeenSampler(sampler, sight, owner_of(getattr(request, "cookies", None)), visitor_of(request))

    with Page(title=say("title"), analytics_enabled=False, fill_width=True) as demo:
        gr.HTML(_header(), **cards.PLAIN)
        with gr.Tabs(elem_classes="mm-tabs"):
            with gr.Tab(label("tab_sample"), id="sample"):
                sample.build(demo, sampler, seen, limits)
            with gr.Tab(label("tab_train"), id="train"):
                desk = train.build(settings, sight, sampler.shipped)
            with gr.Tab(label("tab_collect"), id="collect"):
                demo.our_routes = collect.build(settings, sampler, desk)
        api.build(seen, limits)
    # Closed: nothing of what is queued can be called past the queue.
    demo.queue(max_size=MAX_WAITING, api_open=False)
    keep_shares(demo, limits)
    return demo


def serve(demo: gr.Blocks, settings: Settings) -> None:
    """Starts to serve the page, from threads of its own; ``demo.close()`` ends it.

    No file of this machine is served: nothing is allowed, and results travel inside the page.
    """
    scripts = _asset("language.js") + (_asset("login.js") if settings.auth else "")
    with gate.believing_nobody():
        demo.launch(
            server_name=settings.host, server_port=settings.port, share=settings.share, i18n=i18n(),
            auth=login.checker(settings.auth), root_path=settings.root_path or None,
            theme=theme.theme(), css="\n".join(map(_asset, STYLES)), head=_head(), favicon_path=ASSETS / "logo.svg",
            quiet=True, footer_links=[], run_history=False, enable_monitoring=False, ssr_mode=False,
            allowed_paths=[], blocked_paths=[str(ASSETS.parent)], max_file_size=settings.max_upload,
            state_session_capacity=SESSIONS, show_error=False, prevent_thread_lock=True,
            mcp_server=importlib.util.find_spec("mcp") is not None,
            app_kwargs=gate.app_options(demo, settings, scripts),
        )  # fmt: skip
    end_stalled_heads(demo.server)
    _keep_configurations(demo)


def _keep_configurations(demo: gr.Blocks) -> None:
    """Has gradio's components describe themselves once.

    gradio asks each for its description when a session starts, and each request of a program is a session: with the
    components of this page half of what a sample costs. They do not change; what an event shows one visitor does not
    touch them.
    """
    for block in demo.blocks.values():
        description = block.get_config()
        block.get_config = lambda *_, description=description: {**description}


def main(settings: Settings = Settings()) -> None:
    """Loads the first model, says where the page is, and serves it until Ctrl-C.

    On Hugging Face Spaces (``SPACE_ID`` is set) the page listens to the outside.

    Raises:
        MmganError: the address cannot be had; the sentence names a free port.
    """
    if os.environ.get("SPACE_ID") and settings.host == HOST:
        settings = replace(settings, host="0.0.0.0")
    check_port(settings.host, settings.port)
    sampler = Sampler(device=settings.device, runs=_runs(settings))
    demo = build(sampler, settings)
    where = HOST if settings.host in ("0.0.0.0", "::") else settings.host
    serve(demo, settings)
    print(f"mmgan is at http://{where}:{settings.port} (Ctrl-C ends it)", flush=True)
    if settings.share:
        link = demo.share_url or "no public link could be opened; check the internet connection"
        print(f"mmgan --share: {link}", flush=True)
    threading.Thread(target=_warm_up, args=(sampler,), daemon=True).start()
    demo.block_thread()


def _runs(settings: Settings):
    """What lists the runs to sample from."""
    return Manager(settings.runs).models


def check_port(host: str, port: int) -> None:
    """Raises an :class:`MmganError` in one sentence where ``host``:``port`` cannot be listened to."""
    if not 1 <= port <= 65_535:
        raise MmganError(f"There is no port {port}; choose one from 1024 to 65535, such as --port {PORT}.")
    problem = _refusal(host, port)
    if problem is None:
        return
    if isinstance(problem, socket.gaierror) or problem.errno in (99, 49, 10049):  # EADDRNOTAVAIL: Linux, macOS, Windows
        raise MmganError(
            f"This machine has no address {host}; leave --host out, or use --host 0.0.0.0 to let others in."
        )
    if isinstance(problem, PermissionError):
        raise MmganError(f"Port {port} is reserved by the system; choose one from 1024 up, such as --port {PORT}.")
    free = next((other for other in range(port + 1, min(port + 100, 65_536)) if _refusal(host, other) is None), None)
    advice = f"port {free} is free: add --port {free}" if free else "choose another with --port"
    raise MmganError(f"Port {port} is in use, perhaps by another mmgan; {advice}.")


def _refusal(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
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


def _asset(name: str) -> str:
    try:
        return (ASSETS / name).read_text(encoding="utf-8")
    except OSError as error:
        raise MmganError(incomplete(f"assets/{name}")) from error


def _head() -> str:
    """The texts and scripts, in the page itself."""
    texts = json.dumps(TEXTS, ensure_ascii=False).replace("</", "<\\/")
    return f"<script>window.mmganTexts = {texts};</script>" + "".join(
        f"<script>{_asset(name)}</script>" for name in SCRIPTS
    )


def _header() -> str:
    def button(name: str, key: str, inside: str) -> str:
        text = cards.escape(say(key))
        return (
            f'<button type="button" class="mm-{name}" data-say-label="{key}" aria-label="{text}" title="{text}">'
            f"{inside}</button>"
        )

    half = (
        '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8.5"/>'
        '<path d="M12 3.5a8.5 8.5 0 0 1 0 17z"/></svg>'
    )
    return (
        f'<header class="mm-header">{_asset("logo.svg")}<div><h1>{cards.escape(say("title"))}</h1>'
        f"{cards.said('tagline', 'p')}</div>"
        f"{button('language', 'other_language_hint', cards.said('other_language'))}{button('theme', 'theme', half)}"
        f"</header><noscript>{cards.escape(say('noscript'))}</noscript>"
    )
