"""The page in English and Chinese, and its look on a phone."""

import re

import puppet
import pytest
from looks import contrast, shifts, watch_shifts
from test_sample_tab import ask, choose, number
from test_train_tab import open_tab as open_train

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW", "zh-HK"])
def test_a_chinese_browser_gets_chinese(open_page, url, locale):
    page = open_page(url, locale=locale)
    page.wait_for_function("document.querySelector('.mm-ran').textContent.includes('样本')")
    assert page.get_by_role("button", name="生成", exact=True).is_visible()
    assert page.get_by_role("tab", name="训练").count() == 1
    assert page.locator(".mm-header p").inner_text().startswith("一句话")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.input_value("#prompt :is(textarea, input)") == "数字五"  # an example in the reader's language
    english = page.evaluate(
        """() => [...document.querySelectorAll("#prompt label, #count label, #seed label, .mm-hint, .mm-panel h2,"
            + " .mm-about, .mm-empty, .mm-pill, [aria-label]")].filter((e) => e.offsetParent)
            .map((e) => e.ariaLabel || e.innerText).filter((t) => t && !/[\u4e00-\u9fff]/.test(t))"""
    )
    assert set(english) <= {"mmgan", "PNG", "ZIP"}, english


def test_errors_are_in_the_reader_s_language(open_page, url):
    page = open_page(url, locale="zh-CN")
    page.fill("#prompt :is(textarea, input)", "")
    page.press("#prompt :is(textarea, input)", "Enter")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert CHINESE.search(alert.inner_text())


def test_what_is_typed_before_the_first_answer_stays(browser, url):
    page = browser.new_context(locale="zh-CN").new_page()
    held = []
    page.route("**/gradio_api/run/**", lambda route: held.append(route))
    page.goto(url)
    page.wait_for_selector(".mm-card")
    page.fill("#prompt :is(textarea, input)", "我自己的话")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    page.wait_for_function("document.querySelector('.mm-ran')?.textContent.includes('样本')")
    page.wait_for_timeout(300)
    assert page.input_value("#prompt :is(textarea, input)") == "我自己的话"
    page.context.close()


def test_the_switch_holds_and_loses_no_prompt(open_page, url):
    page = open_page(url, locale="en-GB")
    page.fill("#prompt :is(textarea, input)", "my own prompt")
    page.get_by_role("button", name="Show this page in Chinese").click()
    page.wait_for_function("document.querySelector('.mm-ran')?.textContent.includes('样本')")
    page.wait_for_function("document.querySelector('#prompt :is(textarea, input)').value === 'my own prompt'")
    page.locator("#results h2", has_text="a handwritten seven").wait_for()  # what was shown, once more
    assert page.get_by_role("button", name="生成", exact=True).is_visible()
    page.reload()
    page.wait_for_function("document.querySelector('.mm-ran')?.textContent.includes('样本')")
    page.get_by_role("button", name="用英文显示本页").click()
    page.wait_for_function("document.querySelector('.mm-ran')?.textContent.includes('samples')")
    assert page.get_by_role("button", name="Generate").is_visible()


def test_the_switch_keeps_what_is_set_and_shown(open_page, address, folder):
    puppet.finished(folder / "runs" / "mine")
    puppet.finished(folder / "runs" / "newest")
    page = open_page(address, locale="en-GB")
    page.get_by_role("button", name="More").click()  # long before the field in it is used, which gradio makes only now
    choose(page, "shapes")
    page.wait_for_function("document.querySelector('.mm-ran').textContent.includes('from shapes')")
    number(page, "count", 3)
    number(page, "seed", 42)
    number(page, "truncation", 0.5)
    ask(page, "a red star")
    page.wait_for_function("document.querySelector('.mm-ran').textContent.includes('truncation 0.5')")
    page.fill("#other :is(textarea, input)", "a second of my own")
    page.fill("#prompt :is(textarea, input)", "")  # another one is about to be written
    open_train(page)
    page.locator(".mt-run", has_text="mine").click()
    page.locator(".mt-head h2", has_text="mine").wait_for()
    page.locator(".mt-new").click()
    page.fill("#mt-name", "my own name")
    page.fill("#mt-length", "3")
    page.locator(".mt-more-settings summary").click()
    page.fill("#mt-set-learning_rate", "0.002")
    page.locator(".mm-language").click()
    page.get_by_role("heading", name="开始训练").wait_for()  # the tab and the form that were open
    assert page.input_value("#mt-name") == "my own name" and page.input_value("#mt-length") == "3"
    assert page.input_value("#mt-set-learning_rate") == "0.002"
    assert page.evaluate("sessionStorage.getItem('mmgan-kept')") is None
    page.locator(".mt-run", has_text="mine").and_(page.locator("[aria-current]")).wait_for(state="detached")
    assert page.evaluate("import('mmgan/train/tab.js').then(({ tabs }) => tabs[0].watched)") == "mine"
    page.locator('.mm-tabs [role="tab"]').first.click()
    page.wait_for_function("/shapes：3 个样本.*种子 42.*截断 0.5/.test(document.querySelector('.mm-ran').textContent)")
    assert page.locator("#results h2").inner_text() == "a red star" and page.locator("#results .mm-card").count() == 3
    assert page.input_value("#prompt :is(textarea, input)") == ""
    assert page.input_value("#other :is(textarea, input)") == "a second of my own"
    assert [page.input_value(f"#{field} input[type=number]") for field in ("count", "seed")] == ["3", "42"]
    assert page.input_value("#model input") == "shapes"


def test_the_page_is_left_once_however_late_gradio_answers(page):
    values = ["a thick eight", "", "digits", 4, 0, 1]
    kept = page.evaluate(
        """async (values) => {
            const { held } = await import("mmgan/sample/tab.js"), { leave } = await import("mmgan/page/reload.js");
            const left = leave();
            leave();
            held(...values);
            await left;
            return JSON.parse(sessionStorage.getItem("mmgan-kept")).sample; }""",
        values,
    )
    assert kept == values
    page.wait_for_function(f"document.querySelector('#prompt :is(textarea, input)')?.value === '{values[0]}'")


def test_another_language_falls_back_to_english(open_page, url):
    page = open_page(url, locale="de-DE")
    assert page.get_by_role("button", name="Generate").is_visible()
    assert "samples from" in page.locator(".mm-ran").inner_text()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_on_a_phone_nothing_sticks_out(open_page, url, locale):
    page = open_page(url, width=390, height=844, locale=locale)
    page.click("#morph-go")
    page.locator("#morph .mm-stage").wait_for()
    page.click("#walk-go")
    page.locator("#walk .mm-stage").wait_for()
    page.locator("#results .mm-keep").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sticking = page.evaluate(
        """() => [...document.querySelectorAll(":is(.mm-panel, .mm-ask, .mm-header, #results, #favourites) *")].filter(
            (e) => e.checkVisibility() && !e.closest(".mm-chips, .mm-sr") && e.getBoundingClientRect().right > 391)
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert sticking == []
    small = page.evaluate(
        """() => [...document.querySelectorAll(".mm-play, .mm-keep, .mm-again, .mm-remove, .mm-pill, .mm-language")]
            .filter((e) => e.offsetParent && (e.offsetHeight < 36 || e.offsetWidth < 36)).map((e) => e.outerHTML)"""
    )
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(open_page, url, scheme):
    page = open_page(url, color_scheme=scheme)
    page.locator("#results .mm-keep").first.click()
    page.click("#walk-go")
    page.locator("#walk .mm-stage").wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)  # transitions
    assert contrast(page) == []


def test_nothing_jumps_while_results_come(page):
    """Where the panels below stand does not change when the same number of samples comes anew."""
    place = "document.querySelector('#morph').getBoundingClientRect().top + scrollY"
    before = page.evaluate(place)
    watch_shifts(page)
    page.get_by_role("button", name="the digit four").click()
    page.wait_for_function("document.querySelector('.mm-results h2').textContent === 'the digit four'")
    assert page.evaluate(place) == before
    assert shifts(page) < 0.02


def test_headings_and_landmarks(page):
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.querySelectorAll('img')].every((e) => e.hasAttribute('alt'))")
    assert page.evaluate(
        "(() => { const ids = [...document.querySelectorAll('[id]:not([id=\"\"])')].map((e) => e.id);"
        " return ids.filter((id, i) => ids.indexOf(id) !== i); })()"
    ) == []  # fmt: skip
    for link in page.locator("[aria-labelledby]").all():
        for name in link.get_attribute("aria-labelledby").split():
            assert page.locator(f"[id='{name}']").count() == 1
