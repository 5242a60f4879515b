"""What somebody is doing on the page outlasts the news that come meanwhile: focus, clicks, open forms and lists."""

import puppet
from test_collect_tab import begin, picture, row, tone, upload, zipped
from test_slips import open_tab
from test_train_tab import open_tab as open_train

from mmgan.projects.projects import Projects
from mmgan.runs.manager import Manager


def news_of(page, name):
    """Waits until the list of runs tells another step of a run."""
    step = f".mt-runs-list li:has(b:text-is('{name}')) small"
    before = page.locator(step).inner_text()
    page.wait_for_function(
        "([n, b]) => [...document.querySelectorAll('.mt-runs-list li')].some((e) => "
        "e.querySelector('b').textContent === n && e.querySelector('small').textContent !== b)",
        arg=[name, before],
    )


def test_the_list_of_runs_keeps_focus_and_clicks_while_a_run_trains(open_page, address, folder):
    runs = folder / "runs"
    puppet.finished(runs / "old")
    with puppet.trained(runs / "busy"):
        page = open_page(address)
        open_train(page)
        other = page.locator(".mt-run", has_text="old")
        other.focus()
        page.evaluate("window.before = document.activeElement")
        other.hover()
        page.mouse.down()
        news_of(page, "busy")
        assert page.evaluate("document.activeElement === window.before")
        page.mouse.up()
        page.locator(".mt-head h2", has_text="old").wait_for()  # the click counts
        page.locator(".mt-runs-list input").first.focus()
        page.keyboard.press("Space")
        news_of(page, "busy")
        assert page.locator(".mt-runs-list input").first.is_checked()
        assert page.evaluate("document.activeElement.type") == "checkbox"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "mt-run"
    for name in ("busy", "old"):
        Manager(runs).delete(name)


def project_of(folder, name):
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == name]
    return project


def test_a_refresh_takes_nothing_away_from_who_is_at_a_project(open_page, address, folder):
    page = open_page(address)
    begin(page, "kept")
    upload(page, "one.zip", zipped({"apple/1.png": picture(1), "apple/2.png": picture(2), "apple/3.wav": tone(0.1)}))
    row(page, "apple/3.wav").wait_for()
    project = project_of(folder, "kept")
    page.locator("[data-action=rename]").click()
    page.keyboard.type("a better na")
    project.add_recordings({"4.png": picture(4)}, "new")
    page.evaluate("import('mmgan/collect/tab.js').then(({ tabs }) => tabs[0].refresh())")
    row(page, "4.png").wait_for()
    page.keyboard.type("me")  # the form is still there, and has the focus
    page.keyboard.press("Enter")
    page.locator(".mc-head h2", has_text="a better name").wait_for()
    assert page.evaluate("document.activeElement.dataset.action") == "rename"
    # A caption is saved as a button of another row is pressed, and the answer comes before it is let go.
    row(page, "apple/1.png").locator("[data-field=caption]").fill("a red apple")
    row(page, "apple/2.png").locator("[data-field=delete]").hover()
    with page.expect_response("**/items"), page.expect_response("**/projects/*?*"):
        page.mouse.down()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.up()
    row(page, "apple/2.png").wait_for(state="detached")
    assert next(item for item in project.items() if item.name == "apple/1.png").caption == "a red apple"


def test_a_partner_is_chosen_by_keyboard_only_once_it_is_settled(open_page, address, folder):
    page = open_page(address)
    begin(page, "partners")
    upload(page, "one.zip", zipped({"red/a.png": picture(1), "gong/b.wav": tone(0.1), "gong/c.wav": tone(0.2)}))
    row(page, "red/a.png").locator("[data-act=pair]").press("Enter")
    page.wait_for_function("() => document.activeElement.dataset.field === 'pair'")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/items") else None)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.selectedIndex") == 2 and asked == []
    page.keyboard.press("Enter")
    row(page, "red/a.png").locator("[data-field=unpair]").wait_for()
    assert row(page, "red/a.png").locator(".mc-partner small").inner_text() == "gong/c.wav" and len(asked) == 1
    page.wait_for_function("() => document.activeElement.closest('.mc-row')")  # beside what went


def test_long_sounds_are_cut_and_ticked_files_deleted_by_keyboard(open_page, address, folder):
    page = open_page(address)
    begin(page, "by keyboard")
    upload(
        page, "one.zip", zipped({"gong/long.wav": tone(0.1, 48_000), "red/a.png": picture(1), "red/b.png": picture(2)})
    )
    cut = row(page, "gong/long.wav").locator("[data-field=cut]")
    cut.focus()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/items") else None)
    page.keyboard.press("ArrowDown")
    assert cut.input_value() == "pieces" and asked == []
    page.keyboard.press("Enter")
    row(page, "gong/long.wav").get_by_text("in 3 pieces").wait_for()
    assert len(asked) == 1 and page.evaluate("document.activeElement.dataset.field") == "cut"
    page.keyboard.press("Tab")  # leaving it as it is asks for nothing
    for name in ("gong/long.wav", "red/a.png"):
        row(page, name).locator("[data-field=tick]").press("Space")
    page.locator("[data-action=delete-chosen]").press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    row(page, "red/a.png").wait_for(state="detached")
    page.wait_for_function("() => document.activeElement.closest('.mc-row')?.textContent.includes('red/b.png')")
    assert len(asked) == 2


def test_the_pager_is_turned_by_keyboard_to_the_end_and_back(open_page, address, folder):
    page = open_page(address)
    begin(page, "pages")
    project_of(folder, "pages").add_recordings({f"{i:02}.png": picture(i, 9) for i in range(45)}, "noise")
    page.reload()
    open_tab(page)
    page.locator(".mt-run", has_text="pages").click()
    row(page, "00.png").wait_for()
    page.locator("[data-action=after]").focus()
    for said in ("21 to 40 of 45", "41 to 45 of 45"):
        page.keyboard.press("Enter")
        page.get_by_text(said).wait_for()
    page.wait_for_function("() => document.activeElement.dataset.action === 'before'")  # the other is at its end
    page.keyboard.press("Enter")
    page.get_by_text("21 to 40 of 45").wait_for()


def test_a_selection_dragged_out_of_the_publish_dialog_leaves_it_open(open_page, address, folder):
    puppet.finished(folder / "runs" / "to publish")
    page = open_page(address)
    open_train(page)
    page.locator(".mt-run", has_text="to publish").click()
    page.locator("[data-action=publish]").click()
    page.fill("#mt-repo", "ada/my-bells")
    box = page.locator("#mt-repo").bounding_box()
    inside, outside = (box["x"] + 40, box["y"] + 10), (20, 20)
    for begun, ended in ((inside, outside), (outside, inside)):
        page.mouse.move(*begun)
        page.mouse.down()
        page.mouse.move(*ended)
        page.mouse.up()
        assert page.locator(".mc-publish").is_visible() and page.input_value("#mt-repo") == "ada/my-bells"
    page.locator(".mc-publish [type=submit]").press("Enter")
    page.get_by_role("dialog").get_by_text("Paste your token").wait_for()
    page.wait_for_function("() => document.activeElement.type === 'submit'")  # which rested meanwhile
    page.mouse.click(*outside)
    page.locator(".mc-publish").wait_for(state="detached")
    Manager(folder / "runs").delete("to publish")


def test_focus_stays_with_the_run_and_its_film_strip(open_page, address, folder):
    with puppet.trained(folder / "runs" / "by keyboard"):
        page = open_page(address)
        open_train(page)
        page.locator(".mt-run", has_text="by keyboard").click()
        page.wait_for_selector(".mt-frame .mt-cell")
        page.locator('.mt-strip [tabindex="0"]').focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        named = page.evaluate("document.activeElement.ariaLabel")
        columns = page.locator(".mt-column").count()
        page.wait_for_function("n => document.querySelectorAll('.mt-column').length > n", arg=columns)
        assert page.evaluate("document.activeElement.ariaLabel") == named and "prompt 1" in named
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert page.locator('.mt-strip [tabindex="0"]').count() == 1
        page.keyboard.press("Enter")
        page.wait_for_selector(".mt-frame.mt-playing")
        page.locator("[data-action=pause]").press("Enter")
        page.wait_for_selector(".mt-head .mt-state.mt-paused")
        page.wait_for_function("() => document.activeElement.dataset.action === 'resume'")
    Manager(folder / "runs").delete("by keyboard")


def open_project(page, name):
    page.locator(".mc-collect .mt-run", has_text=name).click()
    page.locator(".mc-head h2", has_text=name).wait_for()


def test_captions_that_were_not_saved_wait_in_their_project(open_page, address, folder):
    page = open_page(address)
    begin(page, "elsewhere")
    begin(page, "unsaved")
    upload(page, "one.zip", zipped({"apple/1.png": picture(1)}))
    page.route("**/items", lambda route: route.fulfill(body="a proxy page"))
    field = row(page, "apple/1.png").locator("[data-field=caption]")
    field.fill("a red apple")
    field.press("Enter")
    page.locator(".mc-line .mm-alert").wait_for()
    open_project(page, "elsewhere")
    open_project(page, "unsaved")
    assert field.input_value() == "a red apple"
    page.locator(".mm-language").click()
    page.get_by_role("heading", name="项目内容").wait_for()
    assert field.input_value() == "a red apple"
    page.unroute("**/items")
    field.focus()
    with page.expect_response("**/items"):
        page.keyboard.press("Tab")
    assert [item.caption for item in project_of(folder, "unsaved").items()] == ["a red apple"]


def test_an_upload_is_seen_again_in_its_project_and_ends_with_it(open_page, address, folder):
    page = open_page(address)
    begin(page, "beside")
    begin(page, "sending")
    held = []
    page.route("**/uploads/*?name=*", lambda route: held.append(route))
    page.set_input_files("[data-pick=files]", {"name": "1.png", "mimeType": "image/png", "buffer": picture(1)})
    bar = page.locator(".mc-progress [role=progressbar]")
    bar.wait_for()
    open_project(page, "beside")
    assert bar.count() == 0
    open_project(page, "sending")
    bar.wait_for()
    page.wait_for_function("() => document.querySelector('.mc-progress').textContent.includes('1.png')")
    held.pop().continue_()
    page.get_by_text("Added 1 picture and 0 sounds").wait_for()
    with page.expect_request("**/uploads/*?name=*"):
        page.set_input_files("[data-pick=files]", {"name": "2.png", "mimeType": "image/png", "buffer": picture(2)})
    page.locator("[data-action=delete]").click()
    with page.expect_event("requestfailed", lambda request: "2.png" in request.url):
        page.locator("[data-action=sure]").click()
    page.locator(".mc-head h2", has_text="beside").wait_for()
