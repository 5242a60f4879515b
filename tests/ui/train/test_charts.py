"""Charts on a page that stays open: what they hold and what watches them is bounded."""

import puppet
import pytest
from test_train_tab import open_tab

from mmgan.runs.manager import Manager

COUNT_WATCHERS = """for (const kind of [ResizeObserver, MutationObserver]) {
    const { observe, disconnect } = kind.prototype;
    kind.prototype.observe = function (target, ...rest) {
        if (new Error().stack.includes("Chart")) (window.watchers ??= new Set()).add(this);
        return observe.call(this, target, ...rest);
    };
    kind.prototype.disconnect = function () { window.watchers?.delete(this); return disconnect.call(this); };
}"""


def test_charts_that_are_gone_are_watched_no_more(open_page, address, folder):
    for name in ("one", "two"):
        puppet.finished(folder / "runs" / name)
    page = open_page(address)
    page.add_init_script(COUNT_WATCHERS)
    page.reload()
    open_tab(page)
    for name in ("one", "two", "one", "two"):
        page.locator(".mt-run", has_text=name).click()
        page.locator(".mt-head h2", has_text=name).wait_for()
    charts = page.locator(".mt-chart").count()
    page.wait_for_function("n => window.watchers.size === n + 1", arg=charts)  # one of each, and one for the colours
    page.locator(".mt-new").click()
    page.wait_for_function("() => window.watchers.size === 1")
    for name in ("one", "two"):
        Manager(folder / "runs").delete(name)


@pytest.mark.parametrize("thinned", [False, True])
def test_a_curve_of_a_hundred_thousand_steps_stays_small_and_true(open_page, address, folder, thinned):
    puppet.finished(folder / "runs" / "long")
    page = open_page(address)
    open_tab(page)
    page.wait_for_function("() => import('mmgan/train/tab.js').then(({ tabs }) => tabs[0].curves.generator?.x.length)")
    found = page.evaluate(
        """async (thinned) => {
            const { tabs: [tab] } = await import("mmgan/train/tab.js");
            const all = Array.from({ length: 100_000 }, (_, i) => i + 1);
            const value = (step) => (step === 777 ? 50 : step === 888 ? -50 : step / 100_000);
            tab.take({ reset: true, cursor: 0, epoch: "days", curves: {} });
            let most = 0, begun = performance.now();
            if (thinned) { // as the server gives what there was before the page was opened
                const x = Array.from({ length: 300 }, (_, i) => (i + 1) * 200), y = x.map((step) => value(step - 100));
                const low = y.map((v, i) => (i === 4 ? -50 : v)), high = y.map((v, i) => (i === 3 ? 50 : v));
                tab.take({ cursor: 0, epoch: "days", curves: { generator: { x, y, low, high } } });
                all.splice(0, 60_000);
            }
            while (all.length) {
                const x = all.splice(0, 20);
                tab.take({ cursor: 0, epoch: "days", curves: { generator: { x, y: x.map(value) } } });
                most = Math.max(most, tab.curves.generator.x.length);
            }
            const { x, y, low, high } = tab.curves.generator, took = performance.now() - begun;
            const gaps = x.map((step, i) => step - (x[i - 1] ?? 0));
            const wrong = y.map((v, i) => Math.abs(v - (x[i] - gaps[i] / 2) / 100_000));
            return { most, count: x.length, last: x.at(-1), low: Math.min(...low), high: Math.max(...high), took,
                widest: Math.max(...gaps), wrong: Math.max(...wrong.slice(10)), ordered: gaps.every((gap) => gap > 0) };
        }""",
        thinned,
    )
    assert found["most"] <= 620 and found["count"] >= 150, found
    assert (found["last"], found["low"], found["high"]) == (100_000, -50, 50) and found["ordered"]
    assert found["widest"] <= 100_000 / 150 and found["wrong"] < 0.003, found
    assert found["took"] < 5_000  # ms for days of answers; a hundredth of it on an idle machine
    Manager(folder / "runs").delete("long")
