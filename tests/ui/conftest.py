"""A page over the fake pipeline, and a real browser that reports whatever it asks of the network."""

import shutil
from urllib.parse import urlsplit

import pytest
from served import absent, serving

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--mute-audio",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip
LOCAL = {"127.0.0.1", "localhost"}
# A clip is over in a second, within which a busy machine may not look: what has been shown as playing stays marked.
REMEMBER_PLAYED = """new MutationObserver((changes) => { for (const { target } of changes)
    if (target.classList?.contains("mm-playing")) target.dataset.played = ""; })
    .observe(document, { subtree: true, attributes: true, attributeFilter: ["class"] });"""


REFUSALS = ("status of 400 (Bad Request)", "status of 403 (Forbidden)")


@pytest.fixture(scope="session")
def url():
    """The address of the page, served in this process."""
    from mmgan.ui.server.flags import Flags

    with serving(Flags(max_upload=1 << 20)) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed; pip install -e '.[test]'")
    if not shutil.which(CHROMIUM):
        absent(f"{CHROMIUM} is not there; install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens pages; at the end none of them may have asked another host for anything, nor logged an error.

    A refusal, which the browser logs too, is none: the page says it in its own words.
    """
    contexts, asked, errors = [], [], []

    def opened(address, width=1400, height=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.add_init_script(REMEMBER_PLAYED)
        page = context.new_page()
        page.set_default_timeout(60_000)  # the machine may be busy with other work
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda websocket: asked.append(websocket.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("#prompt textarea, #prompt input")
        page.wait_for_selector(".mm-card")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert asked
    foreign = [address for address in asked if urlsplit(address).scheme not in ("data", "blob")]
    assert {urlsplit(address).hostname for address in foreign} <= LOCAL
    assert [error for error in errors if not error.endswith(REFUSALS)] == []


@pytest.fixture
def page(open_page, url):
    return open_page(url)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the server of ``address`` keeps runs and projects."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def address(folder):
    """A page with a small limit on uploads."""
    from mmgan.ui.server.flags import Flags

    with serving(Flags(runs=folder / "runs", max_upload=4 << 20)) as address:
        yield address
