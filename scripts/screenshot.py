"""Takes assets/screenshot.png of the real page: python scripts/screenshot.py [--prompt ...] [--out ...]."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

from playwright.sync_api import sync_playwright

from mmgan.system.resources import ASSETS
from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompt", default="a handwritten seven")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    parser.add_argument("--out", type=Path, default=ASSETS / "screenshot.png")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()

    with socket.socket() as probe:
        probe.bind((app.HOST, 0))
        port = probe.getsockname()[1]
    demo = app.build(Sampler())
    app.serve(demo, Flags(port=port))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": options.width, "height": 700}, color_scheme=options.scheme)
        page.set_default_timeout(120_000)
        page.goto(f"http://{app.HOST}:{port}")
        page.locator("#count input[type=number]").fill(str(options.count))
        page.fill("#prompt textarea, #prompt input", options.prompt)
        page.click("#generate")
        page.wait_for_function(
            "([n, t]) => document.querySelectorAll('.mm-card').length === n"
            " && document.querySelector('.mm-results h2').textContent === t",
            arg=[options.count, options.prompt],
        )
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(500)
        page.screenshot(path=options.out, full_page=True)
        browser.close()
    demo.close(verbose=False)
    print(options.out)


if __name__ == "__main__":
    main()
