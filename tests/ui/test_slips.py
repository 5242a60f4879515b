"""What people do by mistake, or without having read anything, in a real browser: nothing is lost, and it is said."""

import numpy as np
import puppet
from looks import shifts, watch_shifts
from own_files import encoded, pcm
from own_files import tone as waves
from served import serving
from test_collect_tab import begin, picture, row, tone, upload, zipped
from test_train_tab import open_tab as open_train

from mmgan.projects.projects import Projects
from mmgan.runs.manager import Manager
from mmgan.ui.server.flags import Flags

DROP = """([selector, name, bytes]) => { const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name));
    const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    document.querySelector(selector).dispatchEvent(event);
    return event.defaultPrevented; }"""


def open_tab(page):
    page.locator('.mm-tabs [role="tab"]').nth(2).click()
    page.wait_for_selector(".mc-collect #mc-name, .mc-head h2")


def take_picture(page, caption):
    """With the camera, which is turned on for it."""
    page.locator("[data-way=record]").click()
    page.locator("[data-action=camera]").click()
    page.wait_for_function("() => document.querySelector('.mc-video')?.videoWidth > 0")
    page.fill("#mc-class", caption)
    page.locator("[data-action=shoot]").press("Enter")
    page.wait_for_selector(".mc-strip img")


def test_files_dropped_before_there_is_a_project_or_beside_the_place_for_them(open_page, address):
    page = open_page(address)
    assert page.evaluate(DROP, ["body", "stray.png", list(picture(1))])  # else the browser would leave the page
    open_tab(page)
    assert page.evaluate(DROP, [".mc-welcome", "red apples.zip", list(zipped({"apple/1.png": picture(1)}))])
    page.locator(".mc-head h2", has_text="red apples").wait_for()
    row(page, "apple/1.png").wait_for()
    assert "a zip up to 4 MiB" in page.locator(".mc-drop").inner_text()  # its limit, before the next one


def test_many_files_at_once(open_page, address):
    page = open_page(address)
    begin(page, "clips")
    files = {f"rain/{i}.wav": tone(0.1 + i / 10, 80_000) for i in range(2)}
    upload(page, "clips.zip", zipped(files | {"rain/short.wav": tone(0.5), "rain/1.png": picture(1)}))
    page.locator(".mc-headrow input").check()
    page.locator("[data-action=cut-pieces]").click()
    for name in files:
        row(page, name).get_by_text("in 5 pieces").wait_for()
    assert "piece" not in row(page, "rain/short.wav").inner_text()
    page.locator("[data-action=cut-loudest]").click()
    row(page, "rain/0.wav").get_by_text("in 5 pieces").wait_for(state="detached")
    page.locator(".mc-bulk summary").click()
    page.locator("[data-action=bulk-set]").click()  # with nothing written, which would empty them all
    page.get_by_text("Write the new caption first.").wait_for()
    assert row(page, "rain/0.wav").locator("[data-field=caption]").input_value() == "rain"
    if not page.locator(".mc-headrow input").is_checked():
        page.locator(".mc-headrow input").check()
    page.locator("[data-action=delete-chosen]").click()
    page.get_by_text("Delete the 4 chosen files from the disk?").wait_for()
    page.keyboard.press("Enter")  # on what keeps them, which has the focus
    assert (
        page.evaluate("document.activeElement.dataset.action") == "delete-chosen"
        and page.locator(".mc-row").count() == 4
    )
    page.keyboard.press("Enter")
    page.locator("[data-action=sure-chosen]").click()
    page.wait_for_function("() => !document.querySelector('.mc-row')")


def test_one_file_that_is_too_large_leaves_the_others_alone(open_page, address, folder):
    page = open_page(address)
    begin(page, "one too large")
    files = [("ok.png", picture(1)), ("film.wav", bytes(5 << 20)), ("fine.wav", tone(0.1))]
    page.set_input_files(
        "[data-pick=files]", [{"name": n, "mimeType": "application/octet-stream", "buffer": data} for n, data in files]
    )
    page.wait_for_selector(".mc-progress :is(.mt-ending, .mm-alert)")
    assert "1 picture and 1 sound" in page.locator(".mc-progress").inner_text()
    listed = page.locator("details", has_text="film.wav")
    listed.locator("summary").click()
    page.get_by_text("is larger than 4 MiB, so it is left out; make it smaller.").wait_for()
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "one too large"]
    assert [(p.file, p.sentence.split(",")[0]) for p in project.left_out()] == [("film.wav", "is larger than 4 MiB")]
    watch_shifts(page)
    upload(page, "more.png", picture(7))
    row(page, "more.png").wait_for()
    page.wait_for_timeout(600)
    assert shifts(page) < 0.05  # what is there stays where it is


def test_recordings_keep_the_caption_under_which_they_were_made(open_page, address, folder):
    page = open_page(address)
    begin(page, "classes")
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "classes"]
    project.add_recordings({"first.png": picture(1)}, "a snap")
    page.reload()
    open_tab(page)
    page.locator(".mt-run", has_text="classes").click()
    take_picture(page, "a clap")
    page.locator(".mc-chip", has_text="a snap").click()  # the next class, without having pressed Add
    page.wait_for_function("() => document.querySelector('#mc-class').value === 'a snap'")
    assert [item.caption for item in project.items()] == ["a snap", "a clap"]


def test_another_caption_typed_between_recordings_is_that_of_the_later_ones(open_page, address, folder):
    page = open_page(address)
    begin(page, "typed")
    take_picture(page, "a clap")
    assert "a clap" in page.locator("[data-action=keep]").inner_text()
    page.fill("#mc-class", "a snap")
    assert "a snap" in page.locator("[data-action=keep]").inner_text()  # a caption that was mended is seen to be
    first = page.locator(".mc-strip img").get_attribute("src")
    page.locator("[data-action=shoot]").press("Enter")
    page.locator(".mc-row").wait_for()  # the first was added under its own
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "typed"]
    assert [item.caption for item in project.items()] == ["a clap"]
    page.wait_for_function(
        "(src) => ![src, undefined].includes(document.querySelector('.mc-strip img')?.src)", arg=first
    )
    assert page.input_value("#mc-class") == "a snap" and page.locator(".mc-strip img").count() == 1
    page.locator("[data-action=keep]").click()
    page.locator(".mc-row").nth(1).wait_for()
    assert sorted(item.caption for item in project.items()) == ["a clap", "a snap"]


def test_a_row_deleted_by_a_slip_comes_back_as_it_was(open_page, address, folder):
    page = open_page(address)
    begin(page, "slip")
    files = {f"apple/{number:02}.png": picture(number) for number in range(12)}
    upload(page, "one.zip", zipped(files | {"pear/sung.wav": tone(0.1, 80_000)}))
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "slip"]
    row(page, "pear/sung.wav").wait_for()
    first, *_, sound = project.items()
    project.cut([sound.id], "pieces")
    project.pair(first.id, sound.id)
    before = next(item for item in project.items() if item.id == sound.id)
    page.reload()
    open_tab(page)
    sound_row = row(page, "pear/sung.wav")
    sound_row.locator("[data-field=unpair]").wait_for()
    sound_row.locator("[data-field=delete]").click()
    sound_row.wait_for(state="detached")
    assert {item.kind for item in project.items()} == {"image"}
    undo = page.locator("[data-action=undo]")
    top, height = undo.bounding_box()["y"], page.viewport_size["height"]
    assert 0 <= top < height - 30  # in sight, though the table begins far above
    assert "pear/sung.wav" in page.locator("[role=status]", has=undo).inner_text()
    undo.click()
    sound_row.locator("[data-field=unpair]").wait_for()
    undo.wait_for(state="detached")
    (sound,) = [item for item in project.items() if item.kind == "sound"]
    assert (sound.caption, sound.cut, sound.partner) == (before.caption, "pieces", first.id)


def test_recordings_stay_with_their_project_while_another_is_looked_at(open_page, address):
    page = open_page(address)
    begin(page, "other")
    page.locator(".mc-new").click()
    begin(page, "mine")
    take_picture(page, "a clap")
    for name in ("mine", "other", "mine"):
        page.locator(".mt-run", has_text=name).click()
        page.locator(".mc-head h2", has_text=name).wait_for()
    page.wait_for_selector(".mc-strip img")


def test_a_caption_written_while_the_connection_is_lost_is_saved_later(open_page, address, folder):
    page = open_page(address)
    begin(page, "lost")
    upload(page, "one.zip", zipped({"apple/1.png": picture(1), "apple/2.png": picture(2)}))
    field = row(page, "apple/1.png").locator("[data-field=caption]")
    page.route("**/items", lambda route: route.fulfill(body="a proxy page"))
    field.fill("a red apple")
    field.press("Enter")
    page.locator(".mc-line .mm-alert").wait_for()
    page.unroute("**/items")
    row(page, "apple/2.png").locator("[data-field=caption]").fill("a green apple")
    page.keyboard.press("Tab")
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "lost"]
    page.wait_for_function("() => !document.querySelector('.mc-line .mm-alert')")
    assert field.input_value() == "a red apple"  # still what was written
    field.focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)
    assert sorted(item.caption for item in project.items()) == ["a green apple", "a red apple"]


def test_a_batch_size_that_fits_can_be_asked_of_a_fine_tuning(open_page, address, monkeypatch):
    asked = []
    monkeypatch.setattr(Manager, "finetune", lambda self, *given: asked.append(given))
    page = open_page(address)
    begin(page, "large")
    upload(page, "one.zip", zipped({"apple/1.png": picture(1)}))
    page.locator(".mc-tune summary").click()
    page.fill("#mc-minutes", "3000")
    page.locator(".mc-tune [type=submit]").click()
    page.locator(".mt-field:has(#mc-minutes) .mm-alert", has_text="Minutes: enter 0.1 to 1,440 minutes.").wait_for()
    page.fill("#mc-minutes", "8")
    page.fill("#mc-batch", "8")
    page.fill("#mc-model", "smaller")
    page.locator(".mc-tune [type=submit]").click()
    page.wait_for_selector("#train")  # where the run is watched
    assert asked[0][0] == "smaller" and asked[0][4] == {"batch_size": 8}


def test_more_runs_than_fit_beside_each_other(open_page, address, folder):
    for number in range(8):
        puppet.finished(folder / "runs" / f"run {number}", learning_rate=0.001 * (number + 1))
    page = open_page(address)
    open_train(page)
    page.locator(".mt-run", has_text="run 3").click()
    page.locator("[data-action=delete]").press("Enter")  # by keyboard, there and back
    assert page.evaluate("document.activeElement.dataset.action") == "keep"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.action") == "delete"
    for box in page.locator(".mt-runs-list input").all():
        box.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("The first 6 of the ticked runs are compared.").wait_for()
    assert page.locator(".mt-differs th").inner_text().startswith("Learning rate")  # as the form calls it
    assert page.locator(".mt-differs td").count() == 6
    page.locator(".mt-new").click()
    page.locator(".mt-more-settings summary").click()
    page.fill("#mt-set-batch_size", "30")
    page.locator(".mt-start").click()
    wrong = page.locator(".mt-field:has(#mt-set-batch_size) .mm-alert")  # beside the field, with what would be right
    assert wrong.inner_text() == "Batch size: enter a multiple of 4 from 4 to 4,096 pairs."
    page.fill("#mt-set-batch_size", "32")
    wrong.wait_for(state="detached")
    page.fill("#mt-length", "0")
    page.locator(".mt-start").click()
    page.locator(
        ".mt-field:has(#mt-length) .mm-alert", has_text="Train for: enter 0.1 to 1,000,000 minutes."
    ).wait_for()
    assert page.evaluate("document.activeElement.id") == "mt-length"


def test_whoever_waits_sees_the_first_run_that_begins(open_page, tmp_path):
    with serving(Flags(runs=tmp_path / "runs", teacher_code="sunflower")) as address:
        page = open_page(address)
        open_train(page)
        page.locator(".mt-main .mm-empty").wait_for()
        puppet.finished(tmp_path / "runs" / "the first")
        page.locator(".mt-main h2", has_text="the first").wait_for()
        page.goto("about:blank")  # before the server ends, so that it asks nothing of nobody


def test_a_favourite_whose_model_is_gone(open_page, address, folder):
    puppet.finished(folder / "runs" / "gone")
    page = open_page(address)
    open_train(page)
    page.locator(".mt-run", has_text="gone").click()
    page.locator("[data-action=use]").click()
    page.wait_for_function("() => /from (runs\\/)?gone/.test(document.querySelector('.mm-ran').textContent)")
    page.locator("#results .mm-keep").first.click()
    Manager(folder / "runs").delete("gone")
    page.get_by_role("button", name="Ask for this again").click()
    page.locator("#alert .mm-alert", has_text="There is no model runs/gone").wait_for()


RECORDED = [  # what a phone's own recorder and camera give: name, type, bytes, and what becomes of the name
    ("New Recording 3.m4a", "audio/x-m4a", lambda: encoded("m4a")),
    ("IMG_0007.MOV", "video/quicktime", lambda: encoded("mov", picture=True)),
    ("REC001.amr", "audio/amr", lambda: encoded("amr")),  # which no browser reads
    ("1000004321", "audio/mp4", lambda: encoded("m4a")),  # of a phone that gives no suffix
]


def test_a_phones_own_recorder_over_plain_http_ends_in_used_sounds(open_page, address, folder):
    page = open_page(address)
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    begin(page, "plain http")
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "plain http"]
    page.locator("[data-way=record]").click()
    page.locator(".mc-native").first.wait_for()
    page.fill("#mc-class", "a clap")
    for number, (name, kind, data) in enumerate(RECORDED, start=1):
        page.locator('.mc-native input[accept="audio/*"]').set_input_files(
            {"name": name, "mimeType": kind, "buffer": data()}
        )
        page.wait_for_function("(n) => document.querySelectorAll('.mc-row').length === n", arg=number)
    items = project.items()
    assert [item.kind for item in items] == ["sound"] * 4 and all(item.seconds > 1 for item in items)
    assert {item.caption for item in items} == {"a clap"}
    assert all(item.used or item.code == "duplicate" for item in items)
    assert not project.left_out()


HEARD = """async (data) => {
    const file = new File([new Uint8Array(data)], "a.wav"), tab = {};
    const { record } = await import("mmgan/collect/record.js");
    const [name, blob] = await record.taken(tab, file, true);
    const heard = await tab.sound.decodeAudioData(await blob.arrayBuffer());
    return Math.max(...heard.getChannelData(0).slice(0, 9_000)); }"""


def test_a_sound_whose_channels_cancel_is_heard_in_the_page_too(open_page, address):
    page = open_page(address)
    page.locator('.mm-tabs [role="tab"]').nth(2).click()
    data = list(pcm(np.stack([waves(16_000), -waves(16_000)], axis=1)))
    peak = page.evaluate(HEARD, data)
    assert peak > 0.4
