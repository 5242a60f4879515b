"""The Sample tab in a real browser."""

import re

import pytest

PROMPT = "#prompt textarea, #prompt input"
HEADING = ".mm-results h2"


def ask(page, prompt, heading=None):
    """Types a prompt, presses Enter, and waits until its results are there."""
    page.fill(PROMPT, prompt)
    page.press(PROMPT, "Enter")
    page.wait_for_function("([s, t]) => document.querySelector(s)?.textContent === t", arg=[HEADING, heading or prompt])


def choose(page, model):
    page.locator("#model input").click()
    page.get_by_role("option", name=model).click()


def number(page, field, value):
    box = page.locator(f"#{field} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def test_first_paint_shows_samples(page):
    page.wait_for_selector(".mm-card")
    assert page.locator(".mm-card").count() == 4
    assert page.locator(HEADING).inner_text() == page.input_value(PROMPT) == "a handwritten seven"


def test_a_sentence_gives_pictures_sounds_and_spectrograms(page):
    ask(page, "the digit nine, written slowly")
    assert page.locator(".mm-card").count() == 4
    for index, card in enumerate(page.locator(".mm-card").all(), start=1):
        picture, spectrogram = card.locator("img").all()
        assert picture.get_attribute("alt") == f"picture of: the digit nine, written slowly, sample {index}"
        assert spectrogram.get_attribute("alt") == f"spectrogram of: the digit nine, written slowly, sample {index}"
        assert picture.evaluate("e => e.decode().then(() => e.naturalWidth)") == 28
        assert spectrogram.evaluate("e => e.decode().then(() => e.naturalWidth)") >= 64
        assert picture.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
        seconds, loudest = card.locator("audio").evaluate(
            """async (e) => {
                const bytes = Uint8Array.from(atob(e.src.split(",")[1]), (c) => c.charCodeAt(0));
                const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes.buffer);
                return [sound.duration, Math.max(...sound.getChannelData(0))];
            }"""
        )
        assert 1.0 < seconds < 1.1 and loudest > 0.1
    assert "4 samples from digits" in page.locator(".mm-ran").inner_text()


def test_count_and_seed_are_used(page):
    number(page, "count", 7)
    number(page, "seed", 11)
    ask(page, "a thick zero")
    assert page.locator(".mm-card").count() == 7
    assert "seed 11" in page.locator(".mm-ran").inner_text()
    first = page.locator(".mm-picture").first.get_attribute("src")
    ask(page, "the digit four")
    ask(page, "a thick zero")
    assert page.locator(".mm-picture").first.get_attribute("src") == first


def test_the_dice_give_another_seed(page):
    page.click("#dice")
    page.wait_for_function("document.querySelector('#seed input').value !== '0'")
    seed = page.input_value("#seed input")
    ask(page, "a thick zero")
    assert f"seed {seed}" in page.locator(".mm-ran").inner_text()


def test_an_example_is_one_click(page):
    page.get_by_role("button", name="a thin three leaning left").click()
    page.wait_for_function("document.querySelector('.mm-results h2').textContent === 'a thin three leaning left'")
    assert page.input_value(PROMPT) == "a thin three leaning left"


def test_another_model(page):
    page.fill(PROMPT, "")
    choose(page, "shapes")
    page.wait_for_function("document.querySelector('.mm-ran').textContent.includes('from shapes')")
    assert page.input_value(PROMPT) == "a handwritten seven"  # its example, where nothing was typed
    page.fill(PROMPT, "a seven of my own")
    choose(page, "digits")
    page.wait_for_function("document.querySelector('.mm-ran').textContent.includes('from digits')")
    assert page.locator(HEADING).inner_text() == page.input_value(PROMPT) == "a seven of my own"
    choose(page, "shapes")
    page.wait_for_function("document.querySelector('.mm-ran').textContent.includes('from shapes')")
    page.fill(PROMPT, "")


@pytest.mark.parametrize(
    "prompt, seed, part",
    [
        ("", 0, "Type a sentence"),
        ("   ", 0, "Type a sentence"),
        ("x" * 10_000, 0, "shorten it"),
        ("a thick zero", -1, "seed"),
        ("a thick zero", 2**32, "seed"),
        ("break", 0, "Something went wrong"),
    ],
)
def test_bad_input_is_one_sentence_at_the_prompt_and_loses_nothing(page, prompt, seed, part):
    ask(page, "the digit four")
    kept = page.locator(".mm-picture").first.get_attribute("src")
    number(page, "seed", seed)
    page.fill(PROMPT, prompt)
    page.click("#generate")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.count() == 1 and part in alert.inner_text() and "secret" not in alert.inner_text()
    assert page.locator(HEADING).inner_text() == "the digit four"
    assert page.locator(".mm-picture").first.get_attribute("src") == kept
    number(page, "seed", 0)
    ask(page, "a thick zero")
    assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize(
    "prompt",
    [
        "<img src=x onerror=window.hacked=1>",
        "\"'><script>window.hacked=1</script>",
        "${window.hacked=1}",
        "`${window.hacked=1}`",
        "{{constructor}} {{#if value}}gone{{/if}}",
        "\\u003cimg src=x onerror=window.hacked=1\\u003e",
    ],
)
def test_a_prompt_is_only_ever_text(page, prompt):
    ask(page, prompt)
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator(HEADING).evaluate("e => [...e.children].every((c) => c.matches('span.mm-word'))")
    assert page.locator(".mm-picture").first.get_attribute("alt") == f"picture of: {prompt}, sample 1"


@pytest.mark.parametrize("prompt", ["🎲🎲", "שבע בכתב יד", "手写的七", "\u202eseven"])
def test_other_scripts_are_shown_as_typed(page, prompt):
    ask(page, prompt)


def test_the_words_are_marked_by_what_they_did(page):
    ask(page, "a thick zero")
    words = page.locator(f"{HEADING} .mm-word")
    assert words.all_inner_texts() == ["a", "thick", "zero"]
    shares = page.locator(".mm-why .mm-sr").inner_text()
    assert "thick" in shares and sum(int(number) for number in re.findall(r"(\d+) %", shares)) in range(98, 103)
    assert page.locator(".mm-unfamiliar").count() == 0


def test_what_the_model_never_saw_is_said_gently(page):
    ask(page, "a pink unicorn")
    assert "never seen" in page.locator(".mm-unfamiliar").inner_text()
    assert "a thick zero" in page.locator(".mm-unfamiliar").inner_text() and page.locator(".mm-card").count() == 4


def test_everything_by_keyboard(page):
    page.wait_for_selector(".mm-card")
    assert page.evaluate("document.activeElement.closest('#prompt') !== null")
    page.keyboard.press("Control+A")
    page.keyboard.type("the digit four")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "generate"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.mm-results h2').textContent === 'the digit four'")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('mm-play')"):
            break
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Play sample 1"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(".mm-card[data-played]")


def test_one_sound_at_a_time(page):
    page.locator(".mm-play").nth(0).click()
    page.wait_for_selector(".mm-card:nth-child(1)[data-played]")
    page.locator(".mm-sound").nth(1).click()
    page.wait_for_selector(".mm-card:nth-child(2)[data-played]")
    assert page.locator(".mm-playing").count() <= 1  # never two at once


def test_play_all_plays_one_after_the_other(page):
    page.click(".mm-play-all")
    page.wait_for_selector(".mm-card:nth-child(1)[data-played]")
    page.wait_for_selector(".mm-card:nth-child(2)[data-played]")
    page.click(".mm-play-all")
    page.wait_for_function("!document.querySelector('.mm-playing, .mm-all')")


def test_every_control_has_a_name(page):
    page.wait_for_selector(".mm-card")
    page.get_by_role("button", name="More").click()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, a[href]")].filter((e) => e.offsetParent
            && !(e.ariaLabel || e.textContent.trim() || e.title || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_no_sideways_scroll(open_page, url, scheme):
    page = open_page(url, width=390, height=844, color_scheme=scheme)
    number(page, "count", 16)
    ask(page, "a very" + "y" * 200 + " thin three")
    assert page.locator(".mm-card").count() == 16
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")


def test_the_chosen_look_survives_a_reload(open_page, url):
    page = open_page(url, color_scheme="light")
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    page.wait_for_selector(".mm-card")
    page.wait_for_function("document.body.classList.contains('dark')")


def test_two_browsers_do_not_disturb_each_other(open_page, url):
    slow, quick = open_page(url), open_page(url)
    slow.fill(PROMPT, "slow")
    slow.press(PROMPT, "Enter")
    ask(quick, "the digit four")
    slow.wait_for_function("document.querySelector('.mm-results h2').textContent === 'slow'")
    assert quick.locator(HEADING).inner_text() == "the digit four"
