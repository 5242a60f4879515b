"""A tab may be as small as this one: a record and a script are all that the page needs to have it."""

import gradio as gr
import httpx
import pytest
from fakes import FakePipeline
from served import Address, free_port
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags
from mmgan.ui.tab import Tab

SCRIPT = """
import { define, el } from "../page/dom.js";
import { sayer } from "../page/language.js";
import { keep, take } from "../page/reload.js";
import { address } from "../page/server.js";

const say = sayer("lab_");
define("mm-lab", async (root) => {
  let pressed = take("lab") ?? 0;
  keep("lab", () => pressed);
  const show = () => { button.textContent = say("pressed", { count: pressed }); };
  const button = el("button", { onclick: () => { pressed += 1; show(); } });
  show();
  root.append(button, el("p", {}, await (await fetch(address("lab/hello"))).text()));
});
"""


def hello(request):
    return PlainTextResponse("hello from the lab")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A page whose second tab is one that it does not know of."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "tab.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "lab.css").write_text("mm-lab { display: block; outline: 7px solid teal; }", encoding="utf-8")
    record = Tab(
        "lab",
        lambda studio: gr.HTML("<mm-lab></mm-lab>", js_on_load=None),
        lambda studio: [Route("/hello", hello)],
        folder,
        {
            "en": {"tab_lab": "Lab", "lab_pressed": "pressed {count} times"},
            "zh": {"tab_lab": "实验室", "lab_pressed": "按了 {count} 次"},
        },
    )
    flags = Flags(runs=folder / "runs", port=free_port())
    demo = app.build(Sampler(load=FakePipeline), flags, (app.TABS[0], record, *app.TABS[1:]))
    app.serve(demo, flags)
    address = Address(f"http://127.0.0.1:{flags.port}")
    address.demo = demo
    yield address
    demo.close(verbose=False)


def test_another_tab_works_in_both_languages_and_after_a_reload(open_page, lab):
    page = open_page(lab)
    page.get_by_role("tab", name="Lab").click()
    button = page.locator("mm-lab button")
    button.click()
    button.click()
    assert button.inner_text() == "pressed 2 times"
    page.get_by_text("hello from the lab").wait_for()
    assert page.locator("mm-lab").evaluate("e => getComputedStyle(e).outlineWidth") == "7px"
    page.locator(".mm-language").click()
    page.get_by_role("tab", name="实验室").wait_for()
    page.get_by_text("按了 2 次").click()  # the tab that was open, with what was done in it
    assert button.inner_text() == "按了 3 次"
    page.reload()
    page.get_by_role("tab", name="实验室").click()
    page.get_by_text("按了 0 次").wait_for()
    page.get_by_role("tab", name="训练").click()  # the others are where they were told to be, not where they stood
    page.get_by_role("heading", name="训练").first.wait_for()
    page.get_by_role("tab", name="我的数据").click()
    page.locator(".mc-welcome").wait_for()


def test_scripts_are_kept_by_their_version(lab):
    version = lab.demo.assets.version
    for place in ("page/dom.js", "page/texts.js", "sample/tab.js", "lab/tab.js"):
        answer = httpx.get(f"{lab}/scripts/{version}/{place}")
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"] and place in httpx.get(lab).text
        before = httpx.get(f"{lab}/scripts/another/{place}")  # a page from before a change of the scripts
        assert before.text == answer.text and before.headers["cache-control"] == "no-store"
    for place in ("page/first.js", "page/page.css", "page/..%2f..%2fapp.py", "lab/lab.css", "", "page"):
        assert httpx.get(f"{lab}/scripts/{version}/{place}").status_code == 404


def test_a_change_of_a_script_or_a_text_is_another_version(tmp_path):
    from mmgan.ui.server.assets import Assets

    (tmp_path / "tab.js").write_text("1;")
    first = Assets({"lab": tmp_path}, {"en": {"a": "a"}}).version
    assert Assets({"lab": tmp_path}, {"en": {"a": "a"}}).version == first
    assert Assets({"lab": tmp_path}, {"en": {"a": "b"}}).version != first
    (tmp_path / "tab.js").write_text("2;")
    assert Assets({"lab": tmp_path}, {"en": {"a": "a"}}).version != first
