"""app.py itself with the models that ship, as a person starts it, from start to sound."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from served import free_port

import mmgan

ROOT = Path(mmgan.__file__).resolve().parents[1]
NEEDED = [ROOT / "pretrained" / name for name in ("digits", "text-encoder")]
if absent := [folder.name for folder in NEEDED if not folder.is_dir()]:
    pytest.skip(f"pretrained/{absent[0]} is not here", allow_module_level=True)


@pytest.fixture(scope="module")
def real():
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # A proxy that nobody answers: whatever is asked of the network fails at once.
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}
    process = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=os.environ | nowhere)
    try:
        for _ in range(1_200):
            assert process.poll() is None, "app.py ended before it served the page"
            try:
                httpx.get(address, trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()  # not SIGINT, which a test run in the background of a shell passes on as ignored
        process.wait(timeout=60)


def test_type_a_sentence_see_and_hear(open_page, real):
    page = open_page(real)
    page.wait_for_selector(".mm-card")
    for prompt in ("a handwritten seven", "a thick zero"):
        page.fill("#prompt textarea, #prompt input", prompt)
        page.press("#prompt textarea, #prompt input", "Enter")
        page.wait_for_function("t => document.querySelector('.mm-results h2').textContent === t", arg=prompt)
    assert page.locator(".mm-card").count() == 4
    for card in page.locator(".mm-card").all():
        shades = card.locator(".mm-picture").evaluate(
            """async (e) => {
                await e.decode();
                const canvas = new OffscreenCanvas(e.naturalWidth, e.naturalHeight).getContext("2d");
                canvas.drawImage(e, 0, 0);
                return new Set(canvas.getImageData(0, 0, e.naturalWidth, e.naturalHeight).data).size;
            }"""
        )
        assert shades > 10
        loudest = card.locator("audio").evaluate(
            """async (e) => {
                const bytes = Uint8Array.from(atob(e.src.split(",")[1]), (c) => c.charCodeAt(0));
                const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes.buffer);
                return sound.duration > 1 ? Math.max(...sound.getChannelData(0)) : 0;
            }"""
        )
        assert loudest > 0.02
    page.locator(".mm-play").first.click()
    page.wait_for_selector(".mm-card:nth-child(1).mm-playing")


def test_every_model_that_is_offered_works(open_page, real):
    page = open_page(real)
    for name in ("shapes", "digits"):
        page.locator("#model input").click()
        page.get_by_role("option", name=name).click()
        page.wait_for_function("t => document.querySelector('.mm-ran').textContent.includes(t)", arg=f"from {name} ")
        assert page.get_by_role("alert").count() == 0
