"""The Train tab in a real browser, over trainings that are real processes with small networks."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import puppet
import pytest
from looks import contrast, shifts, unnamed, watch_shifts
from served import free_port, serving

from mmgan.language import Message
from mmgan.runs import manager as manager_module
from mmgan.runs.manager import Manager
from mmgan.ui.server.flags import Flags

SUPPORT = Path(__file__).resolve().parents[2] / "support"
COMMAND = (sys.executable, str(SUPPORT / "small_cli.py"))


BROKEN = Message("training.diverged", step=7)  # what mmgan.training.trainer says

MANY_VISITS = """async () => {  // asked for one after the other: how many strips are kept, and whether the real one is
    const { tabs: [tab] } = await import("mmgan/train/tab.js"), { film } = await import("mmgan/train/film.js");
    const look = tab.server.look, answer = { pictures: "data:image/png;base64,AAAA" };
    tab.server.look = async () => answer;
    for (let step = 1; step <= 60; step += 1) await film.strip(tab, step);
    tab.server.look = look;
    return [tab.strips.size, tab.strips.has("real")];
}"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder of runs whose trainings are small; all of them are stopped in the end."""
    patch = pytest.MonkeyPatch()
    patch.setattr(manager_module, "COMMAND", COMMAND)
    patch.setattr(manager_module, "MAX_RUNNING", 3)
    patch.setenv("PYTHONPATH", f"{SUPPORT}:{SUPPORT.parents[1]}")
    folder = tmp_path_factory.mktemp("page") / "runs"
    yield folder
    manager = Manager(folder)
    for name in manager.names():
        if manager.status(name)["alive"]:
            manager.stop(name)
    patch.undo()


@pytest.fixture(scope="module")
def address(runs):
    with serving(Flags(runs=runs)) as address:
        yield address


def open_tab(page):
    page.locator('.mm-tabs [role="tab"]').nth(1).click()
    page.wait_for_selector(".mt-runs-list h2")


def state(page, name):
    page.wait_for_selector(f".mt-head .mt-state.mt-{name}")


def step(page):
    return int(page.locator(".mt-facts dd").first.inner_text().split()[0].replace(",", ""))


def grows(page):
    before = step(page)
    page.wait_for_function(
        "b => parseInt(document.querySelector('.mt-facts dd').textContent.replace(/,/g, '')) > b", arg=before
    )


def test_a_run_from_start_to_deletion(open_page, address, runs):
    teacher = open_page(address)
    open_tab(teacher)
    teacher.locator(".mt-form").get_by_text("No training has run here yet").wait_for()
    teacher.locator(".mt-options input[value=shapes]").check()
    teacher.fill("#mt-name", "课堂 one")
    teacher.locator(".mt-more-settings summary").click()
    teacher.fill("#mt-set-learning_rate", "0.002")
    teacher.get_by_text("It will learn faster and may fall apart.").wait_for()  # a change says what it will do
    teacher.fill("#mt-set-batch_size", "18")
    teacher.locator(".mt-start").click()
    teacher.locator(".mt-form .mm-alert", has_text="Batch size").wait_for()  # and a wrong one what is right
    teacher.fill("#mt-set-batch_size", "16")
    started = time.monotonic()
    teacher.locator(".mt-start").click()
    teacher.wait_for_selector(".mt-stage .mt-now")
    # The button that started it is gone, so the focus is at the run's name.
    teacher.wait_for_function("() => document.activeElement.matches('.mt-head h2')")
    assert time.monotonic() - started < 5  # 2 s on an idle machine: something moves
    teacher.wait_for_selector(".mt-code .mt-cell")  # the first samples, before the first step
    state(teacher, "running")
    assert teacher.evaluate("document.activeElement.matches('.mt-head h2')")
    grows(teacher)
    assert Manager(runs).settings("课堂 one")["learning_rate"] == 0.002

    teacher.reload()  # nothing is lost
    open_tab(teacher)
    assert teacher.locator(".mt-head h2").inner_text() == "课堂 one"
    grows(teacher)
    drawn = """() => { const c = document.querySelector('.mt-chart canvas');
        return new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size; }"""
    teacher.wait_for_function(f"() => ({drawn})() > 20")
    teacher.locator(".mt-hear").first.click()
    teacher.wait_for_selector(".mt-hear.mt-playing")

    student = open_page(address)  # another browser: another context, without anything remembered
    open_tab(student)
    grows(student)
    student.locator("[data-action=pause]").click()
    state(student, "paused")
    state(teacher, "paused")
    teacher.locator("[data-action=resume]").click()
    state(student, "running")
    student.locator("[data-action=save]").click()
    student.get_by_text("Saved at step").wait_for()
    started = time.monotonic()
    student.locator("[data-action=stop]").click()
    state(student, "stopped")
    assert time.monotonic() - started < 6  # 3 s on an idle machine
    state(teacher, "stopped")
    teacher.get_by_text("Stopped and saved at step").wait_for()
    saved = Manager(runs).run("课堂 one").checkpoint_step()
    assert f"step {saved:,}." in teacher.locator(".mt-ending").inner_text()

    teacher.locator("[data-action=go-on]").click()  # a new run from where this one ended
    assert teacher.input_value("#mt-start-from") == "runs/课堂 one" and teacher.locator("#mt-preset").is_hidden()
    teacher.wait_for_function("() => document.querySelector('#mt-name').value")
    teacher.fill("#mt-name", "课堂 two")
    teacher.locator(".mt-start").click()
    state(teacher, "running")
    assert Manager(runs).settings("课堂 two")["start_from"] == "课堂 one"
    teacher.locator("[data-action=stop]").click()
    state(teacher, "stopped")
    for name in ("课堂 two", "课堂 one"):
        teacher.locator(".mt-runs-list").get_by_text(name, exact=True).click()
        teacher.locator(".mt-head h2", has_text=name).wait_for()
        teacher.locator("[data-action=delete]").click()
        teacher.get_by_text("This cannot be undone").wait_for()
        teacher.locator("[data-action=sure]").click()
        teacher.wait_for_function("name => !document.querySelector('.mt-runs-list').innerText.includes(name)", arg=name)
    student.wait_for_function("() => !document.querySelector('.mt-run')")
    assert Manager(runs).names() == [] and list(runs.iterdir()) == []


def test_a_run_is_loaded_into_the_sample_tab(open_page, address, runs):
    puppet.finished(runs / "player")
    page = open_page(address)
    open_tab(page)
    page.locator(".mt-runs-list").get_by_text("player", exact=True).click()
    page.locator("[data-action=use]").click()
    page.wait_for_function("() => /from (runs\\/)?player/.test(document.querySelector('.mm-ran').textContent)")
    assert page.locator("#prompt").is_visible() and page.locator("#train").is_hidden()
    Manager(runs).delete("player")


def test_samples_come_when_asked_for_and_nothing_jumps(open_page, address, runs):
    Manager(runs).start("still", "shapes", settings={"sample_seconds": 1000})
    page = open_page(address)
    open_tab(page)
    page.locator(".mt-runs-list").get_by_text("still", exact=True).click()
    state(page, "running")
    page.wait_for_selector(".mt-column .mt-frame")
    grows(page)
    page.wait_for_timeout(500)  # what the first figures bring
    watch_shifts(page)
    before = page.locator(".mt-column:not(.mt-column-real)").count()
    page.locator("[data-action=sample]").click()
    page.get_by_text("Sampled at step").wait_for()
    page.wait_for_function("b => document.querySelectorAll('.mt-column:not(.mt-column-real)').length > b", arg=before)
    grows(page)
    grows(page)
    assert shifts(page) < 0.02
    page.locator("[data-action=stop]").click()
    state(page, "stopped")
    Manager(runs).delete("still")


def test_eight_tabs_of_one_browser(open_page, address, runs):
    with puppet.trained(runs / "eight"):
        first = open_page(address)
        first.context.set_default_timeout(90_000)
        pages = [first, *(first.context.new_page() for _ in range(7))]
        for page in pages[1:]:
            page.goto(address, wait_until="commit")
        for page in pages:
            page.wait_for_selector("#prompt textarea, #prompt input")
            open_tab(page)
        for page in pages:
            state(page, "running")
            grows(page)
        pages[5].locator("[data-action=stop]").click()
        for page in pages:
            state(page, "stopped")
    Manager(runs).delete("eight")


SERVER = """
import sys
from dataclasses import replace
from pathlib import Path
from fakes import FakePipeline
from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags
port, runs = sys.argv[1:]
flags = Flags(port=int(port), runs=Path(runs))
demo = app.build(Sampler(load=FakePipeline), flags)
app.serve(demo, flags)
print("up", flush=True)
demo.block_thread()
"""


def serve(port, runs):
    command = [sys.executable, "-c", SERVER, str(port), str(runs)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert "up\n" in iter(process.stdout.readline, "")  # gradio says before it where its MCP tools are
    return process


def test_the_server_killed_and_restarted_while_a_run_goes_on(browser, runs):
    port = free_port()
    server = serve(port, runs)
    try:
        with puppet.trained(runs / "survivor"):
            page = browser.new_page()
            page.set_default_timeout(90_000)
            page.goto(f"http://127.0.0.1:{port}")
            page.wait_for_selector("#prompt textarea, #prompt input")
            open_tab(page)
            state(page, "running")
            grows(page)
            server.send_signal(signal.SIGKILL)
            server.communicate()
            page.get_by_text("The page cannot reach mmgan").wait_for()
            server = serve(port, runs)
            page.wait_for_function("() => document.querySelector('.mt-lost').hidden")
            grows(page)  # without a reload
            page.locator("[data-action=stop]").click()
            state(page, "stopped")
            page.close()
    finally:
        server.kill()
        server.communicate()
    Manager(runs).delete("survivor")


def test_only_the_teacher_directs(open_page, runs):
    from gradio_client import Client

    with puppet.trained(runs / "lesson"), serving(Flags(runs=runs, teacher_code="sunflower")) as address:
        client = Client(address, verbose=False)
        for call in ("/stop_run", "/pause_run", "/resume_run", "/delete_run"):
            with pytest.raises(Exception, match="Only the teacher"):
                client.predict("lesson", api_name=call)
        with pytest.raises(Exception, match="not the teacher code"):
            client.predict("lesson", "sunflowers", api_name="/stop_run")
        with pytest.raises(Exception, match="Only the teacher"):
            client.predict("x", "shapes", api_name="/start_run")
        page = open_page(address)
        open_tab(page)
        state(page, "running")
        assert page.locator(".mt-new, [data-action=stop], [data-action=delete]").count() == 0
        page.fill("#mt-code", "tulip")
        page.locator(".mt-gate button").click()
        page.locator(".mt-gate .mm-alert", has_text="That is not the teacher code.").wait_for()
        page.fill("#mt-code", "sunflower")
        page.locator(".mt-gate button").click()
        page.locator("[data-action=stop]").click()
        state(page, "stopped")
        # With the code the API does it too, and gives what the page shows.
        found = client.predict("lesson", api_name="/run")
        assert found["run"]["state"] == "stopped" and "generator" in found["metrics"]["curves"]
        assert client.predict(api_name="/runs")[0]["name"] == "lesson"
        client.predict("lesson", "sunflower", api_name="/delete_run")
    assert not (runs / "lesson").exists()


def test_earlier_runs_are_replayed_and_compared_on_a_chinese_phone(open_page, address, runs):
    puppet.finished(runs / "alpha", loss="hinge")
    puppet.finished(runs / "beta", rows=100_000, state="failed", reason=BROKEN)
    page = open_page(address, width=390, height=844, locale="zh-TW")
    open_tab(page)
    page.locator(".mt-run", has_text="beta").click()
    state(page, "failed")
    page.get_by_text("训练失败：第 7 步的损失变成了无穷大或不是数").wait_for()
    # A hundred thousand rows come as a few hundred points, and drawing them holds nothing up.
    answer = page.wait_for_function(
        "() => import('mmgan/train/tab.js').then(({ tabs }) => tabs[0].curves.generator?.x.length)"
    ).json_value()
    assert 100 < answer <= 700
    slow = page.evaluate(
        """() => import("mmgan/train/tab.js").then(({ tabs }) => new Promise((resolve) => { const long = [];
        new PerformanceObserver((found) => long.push(...found.getEntries())).observe({ type: "longtask" });
        for (const { chart } of tabs[0].drawn) chart.draw();
        setTimeout(() => resolve(Math.max(0, ...long.map((e) => e.duration))), 1500); }))"""
    )
    assert slow < 500  # ms; nothing near it on an idle machine
    page.locator(".mt-travel input").fill("1")  # the slider, at the second of four visits
    page.wait_for_function("() => document.querySelector('.mt-travel output').textContent === '第 25,000 步'")
    page.locator(".mt-replay").click()
    page.wait_for_function("() => document.querySelector('.mt-travel output').textContent === '第 100,000 步'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(MANY_VISITS) == [40, True]
    for _ in range(2):  # light, then dark
        page.wait_for_timeout(300)  # transitions
        assert contrast(page) == [] and unnamed(page) == []
        page.locator(".mm-theme").click()
    for box in page.locator(".mt-runs-list input").all():
        box.check()
    page.get_by_role("button", name="比较", exact=True).click()
    page.wait_for_selector(".mt-differs")
    rows = page.locator(".mt-differs").all_inner_texts()
    assert len(rows) == 1 and "hinge" in rows[0] and "relativistic" in rows[0] and "不同" in rows[0]
    assert page.locator(".mt-legend button").all_inner_texts() in (["alpha", "beta"], ["beta", "alpha"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    texts = page.locator(".mt-train").inner_text()
    assert "undefined" not in texts and "null" not in texts and "false" not in texts
    for name in ("alpha", "beta"):
        Manager(runs).delete(name)


def test_a_lack_of_memory_offers_a_batch_that_fits(open_page, address, runs):
    puppet.finished(runs / "greedy", state="out_of_memory", more={"batch_size": 8}, batch_size=16)
    page = open_page(address)
    open_tab(page)
    page.get_by_text("Start again with a batch size of 8.").wait_for()
    page.locator("[data-action=again]").click()
    assert page.locator("#mt-set-batch_size").input_value() == "8"
    Manager(runs).delete("greedy")
