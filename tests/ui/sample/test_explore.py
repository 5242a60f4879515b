"""The ways through the model in a real browser: the morph slider, and what is shared and what is private."""

import pytest

SHOWN = """(stage) => [
    stage.querySelector('.mm-picture.mm-shown').src,
    (stage.querySelector('audio.mm-current') || stage.querySelector('audio')).src,
    stage.querySelector('.mm-spectrogram.mm-shown').src,
]"""


def slide(slider, to):
    """Moves a slider as a hand does: input events on the way, a change event at the end."""
    slider.evaluate(
        "(e, to) => { e.value = to; for (const kind of ['input', 'change'])"
        " e.dispatchEvent(new Event(kind, {bubbles: true})); }",
        to,
    )


def test_before_anything_is_asked_it_says_what_to_do(page):
    assert "Press Morph" in page.locator("#morph .mm-empty").inner_text()
    assert "Press Walk" in page.locator("#walk .mm-empty").inner_text()


def test_the_morph_slider_changes_picture_and_sound_without_asking_the_server(page):
    page.fill("#other :is(textarea, input)", "a thick zero")
    page.click("#morph-go")
    stage = page.locator("#morph .mm-stage")
    stage.wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    slider, seen = stage.get_by_role("slider"), []
    for place in (0, 6, 12):
        slide(slider, place)
        seen.append(stage.evaluate(SHOWN))
    assert all(len(set(kind)) == 3 for kind in zip(*seen, strict=True)) and asked == []
    assert slider.get_attribute("aria-valuetext") == "100 % towards a thick zero"
    page.wait_for_selector("#morph .mm-stage[data-played]")
    page.fill("#prompt :is(textarea, input)", "a thick zero")  # the end of the way is what the prompt itself gives
    page.press("#prompt :is(textarea, input)", "Enter")
    page.wait_for_function("document.querySelector('.mm-results h2').textContent === 'a thick zero'")
    assert page.locator("#results .mm-picture").first.get_attribute("src") == seen[-1][0]


def test_the_morph_slider_moves_by_keyboard(page):
    page.click("#morph-go")
    slider = page.locator("#morph").get_by_role("slider")
    slider.wait_for()
    slider.focus()
    before = page.locator("#morph .mm-stage").evaluate(SHOWN)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "4" and page.locator("#morph .mm-stage").evaluate(SHOWN) != before


@pytest.mark.parametrize(
    "name, picture, sound", [("Shared code", True, True), ("Picture’s own", True, False), ("Sound’s own", False, True)]
)
def test_each_code_changes_what_it_should_and_nothing_else(page, name, picture, sound):
    page.click("#walk-go")
    stage = page.locator("#walk .mm-stage")
    stage.wait_for()
    start = stage.evaluate(SHOWN)
    slider = stage.get_by_role("slider", name=name)
    slide(slider, 8)
    moved = stage.evaluate(SHOWN)
    assert [a != b for a, b in zip(start, moved, strict=True)] == [picture, sound, sound]
    slide(slider, 4)
    assert stage.evaluate(SHOWN) == start


def test_moving_one_code_puts_the_others_back(page):
    page.click("#walk-go")
    sliders = page.locator("#walk").get_by_role("slider")
    sliders.first.wait_for()
    slide(sliders.nth(0), 7)
    slide(sliders.nth(1), 2)
    assert [slider.input_value() for slider in sliders.all()] == ["4", "2", "4"]


def test_an_error_is_one_sentence_there_and_keeps_what_was_shown(page):
    page.click("#morph-go")
    page.locator("#morph .mm-stage").wait_for()
    page.fill("#other :is(textarea, input)", " ")
    page.click("#morph-go")
    alert = page.locator("#morph").get_by_role("alert")
    alert.wait_for()
    assert "Type a sentence" in alert.inner_text() and page.locator("#morph .mm-stage").count() == 1
