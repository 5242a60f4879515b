"""The Collect tab in a real browser: projects on a real disk, fine-tunings that are real processes."""

import base64
import io
import sys
import wave
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from looks import contrast, unnamed
from PIL import Image
from served import serving

from mmgan.errors import MmganError
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.projects.projects import Projects
from mmgan.runs import manager as manager_module
from mmgan.runs.manager import Manager
from mmgan.ui.collect import model_files
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE

SUPPORT = Path(__file__).resolve().parents[2] / "support"


def tone(pitch, samples=16_000, loud=9_000):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1), sound.setsampwidth(2), sound.setframerate(16_000)
        sound.writeframes((loud * np.sin(np.arange(samples) * pitch)).astype("<i2").tobytes())
    return file.getvalue()


def picture(i, size=20):
    file = io.BytesIO()
    noise = np.random.default_rng(i).integers(0, 255, (size, size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


MIXED = {
    "bell/1.png": picture(1), "bell/1.wav": tone(0.1), "gong/2.png": picture(2), "gong/2.wav": tone(0.2),
    "bell/again.png": picture(1), "bell/silent.wav": tone(0.1, loud=0), "gong/long.wav": tone(0.3, 80_000),
    "gong/broken.png": b"\x89PNG and nothing more", "IMG_0412.png": picture(3), "notes.docx": b"words",
}  # fmt: skip


@pytest.fixture(scope="module")
def address(folder):
    patch = pytest.MonkeyPatch()
    patch.setattr(manager_module, "COMMAND", (sys.executable, str(SUPPORT / "finetune_cli.py")))
    patch.setenv("PYTHONPATH", f"{SUPPORT}:{SUPPORT.parents[1]}")
    with serving(Flags(runs=folder / "runs", max_upload=4 << 20)) as address:
        yield address
    manager = Manager(folder / "runs")
    for name in manager.running():
        manager.stop(name)
    patch.undo()


def open_tab(page):
    page.locator('.mm-tabs [role="tab"]').nth(2).click()
    page.wait_for_selector(".mc-collect #mc-name, .mc-head h2")


def begin(page, name):
    open_tab(page)
    if page.locator(".mc-new").count():
        page.locator(".mc-new").click()
    page.fill("#mc-name", name)
    page.press("#mc-name", "Enter")
    page.wait_for_selector(".mc-drop")


def upload(page, name, data):
    page.set_input_files("[data-pick=files]", {"name": name, "mimeType": "application/zip", "buffer": data})
    page.wait_for_selector(".mc-progress :is(.mt-ending, .mm-alert)")
    return page.locator(".mc-progress").inner_text()


def row(page, name):
    return page.locator(".mc-row", has=page.get_by_text(name, exact=True).and_(page.locator(".mc-name b")))


def refused(address, key, reading=True):
    """The status with which a visitor of another key is refused all that could be asked of a project."""
    here = f"/projects/{key}"
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "x" * 32}) as client:
        answers = [
            client.patch(here, json={"name": "mine now"}), client.post(f"{here}/uploads"), client.delete(here),
            client.post(f"{here}/items", json={"action": "delete", "ids": [1]}),
        ]  # fmt: skip
        if reading:
            paths = ("", "/export", "/thumbnails/1", "/files/1", "/lonely/sound")
            answers += [client.get(here + path) for path in paths]
    (status,) = {answer.status_code for answer in answers}
    assert all(answer.json()["error"].endswith(".") for answer in answers)
    return status


def test_from_a_zip_with_faults_to_an_export_and_deletion(open_page, address, folder):
    page = open_page(address)
    begin(page, "Bells 铃")
    page.get_by_text("Up to 5,000 files, 4 MiB each").first.wait_for()  # before anything is uploaded
    assert "1 other thing could not be taken" in upload(page, "mixed.zip", zipped(MIXED))
    for name, sentence, act in (
        ("bell/again.png", "Is the same file as bell/1.png", "delete"), ("bell/silent.wav", "Is silent", "delete"),
        ("gong/long.wav", "its most energetic second is used", "cut"), ("IMG_0412.png", "Has no caption", "caption"),
        ("gong/broken.png", "Is left out", "delete"),
    ):  # fmt: skip
        found = row(page, name)
        assert sentence in found.locator(".mc-said").inner_text()
        assert found.locator(f"[data-act={act}]").is_visible()
    assert row(page, "bell/1.png").locator(".mc-partner").inner_text().startswith("bell/1.wav")
    page.wait_for_function("() => document.querySelector('.mc-row img').naturalWidth > 0")
    assert row(page, "bell/1.wav").locator(".mc-wave path").count() == 1
    page.locator(".mc-leftout summary").click()
    assert "notes.docx" in page.locator(".mc-leftout").inner_text()
    for _ in range(2):  # light, then dark
        page.wait_for_timeout(300)  # transitions
        assert contrast(page) == [] and unnamed(page) == []
        page.locator(".mm-theme").click()
        page.mouse.move(0, 0)

    row(page, "gong/long.wav").locator("[data-act=cut]").click()
    row(page, "gong/long.wav").get_by_text("in 5 pieces").wait_for()
    row(page, "bell/silent.wav").locator("[data-act=delete]").click()
    row(page, "bell/silent.wav").wait_for(state="detached")
    row(page, "IMG_0412.png").locator("[data-act=caption]").click()  # leads to the field
    page.keyboard.type("a red apple")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.mc-said')].some((e) => /No caption/.test(e.innerText))"
    )
    page.locator(".mc-bulk summary").click()
    page.fill("#mc-which", "gong*")
    page.fill("#mc-template", "a loud [caption]")
    page.locator("[data-action=bulk-set]").click()
    page.get_by_text("captions changed").wait_for()

    page.reload()
    open_tab(page)
    page.wait_for_selector(".mc-row")
    assert row(page, "IMG_0412.png").locator("[data-field=caption]").input_value() == "a red apple"
    assert row(page, "gong/2.wav").locator("[data-field=caption]").input_value() == "a loud gong"
    with page.expect_download() as download:
        page.locator("[data-action=export]").click()
    assert download.value.suggested_filename == "Bells 铃.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "a red apple" in archive.read("metadata.csv").decode()

    (project,) = Projects(folder / "projects").list()
    stranger = open_page(address)
    open_tab(stranger)
    assert stranger.locator(".mt-run").count() == 0
    assert refused(address, project.key) == 400
    page.locator("[data-action=share]").click()
    page.get_by_text("can see it now").wait_for()
    stranger.reload()
    open_tab(stranger)
    stranger.get_by_text("Bells 铃").first.wait_for()
    stranger.wait_for_selector(".mc-row")
    assert refused(address, project.key, reading=False) == 400
    assert stranger.locator(".mc-drop, [data-action=delete], .mc-row input, .mc-act").count() == 0

    page.locator("[data-action=delete]").click()
    page.locator("[data-action=sure]").click()
    page.wait_for_selector("#mc-name")
    assert not project.folder.exists()


def test_hostile_uploads_are_one_sentence_and_leave_nothing(open_page, address, folder):
    page = open_page(address)
    begin(page, "Hostile")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.png", bytes(300 << 20))
    for data, part in (
        (zipped({"../out.png": picture(1)}), "outside itself"),
        (bomb.getvalue(), "big.png"),
        (b"PK no", "zip"),
    ):
        sentence = upload(page, "hostile.zip", data)
        assert part in sentence and sentence.count(". ") == 0, sentence
        assert page.locator(".mc-progress [role=alert]").is_visible()
        page.evaluate("document.querySelector('.mc-progress').replaceChildren()")
    assert page.locator(".mc-row").count() == 0 and not (folder / "out.png").exists()
    assert "larger than 4 MiB" in upload(page, "large.wav", bytes(5 << 20))
    waiting = folder / "projects" / ".uploads"
    assert [path for path in waiting.glob("*/*")] == []


def test_recording_and_a_large_project_on_a_chinese_phone(open_page, address, folder):
    page = open_page(address, width=390, height=844, locale="zh-CN")
    begin(page, "手机")
    page.locator("[data-way=record]").click()
    page.locator("[data-action=camera]").click()
    page.wait_for_function("() => document.querySelector('.mc-video')?.videoWidth > 0")
    page.locator("[data-action=both]").click()
    page.get_by_text("请先写说明").wait_for()
    page.fill("#mc-class", "拍手")
    page.locator("[data-action=both]").click()
    page.wait_for_function("() => document.querySelectorAll('.mc-strip > *').length === 2")
    page.locator("[data-action=keep]").click()
    page.wait_for_selector(".mc-row")
    assert page.locator("[data-field=caption]").first.input_value() == "拍手"
    assert page.locator("[data-fact=pairs]").inner_text() == "1"
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "手机"]
    project.add_recordings({f"{i:03d}.png": picture(i, 9) for i in range(498)}, "noise")
    page.reload()
    open_tab(page)
    page.wait_for_selector(".mc-row")
    assert page.locator(".mc-row").count() == 20  # a page at a time
    page.locator(".mc-pager button").last.click()
    page.get_by_text("第 21 到 40 个，共 500 个").wait_for()
    said = upload(page, "坏的.zip", zipped({"broken.png": b"\x89PNG and nothing more", "notes.docx": b"words"}))
    assert "已添加 1 张图片和 0 段声音；其中 1 个需要看一看；另有 1 项无法采用。" in said
    page.locator(".mc-leftout summary").click()
    assert "既不是图片也不是声音，因此未采用。" in page.locator(".mc-leftout").inner_text()
    page.fill(".mc-collect input[type=search]", "broken.png")
    page.get_by_text("未采用：图片无法读取；请重新存为 PNG 或 JPEG。").wait_for()
    upload(page, "none.zip", b"PK and no zip")
    page.get_by_text("none.zip 无法作为 zip 打开；请把文件夹重新打包成 .zip。").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    texts = page.locator(".mc-collect").inner_text()
    assert "undefined" not in texts and "null" not in texts and "collect_" not in texts


def publish(page):
    """To a Hub that is not there: the form, what is missing, and the token on its way and nowhere else."""
    pushed = []

    def push(source, repo, token, private):
        pushed.append((Path(source).name, repo, token, private))
        if len(pushed) == 1:
            raise MmganError("The Hub cannot be reached; check the connection and try again.")
        return "https://huggingface.co/ada/my-bells"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_files, "push_to_hub", push)
        page.locator("[data-action=publish]").click()
        dialog = page.get_by_role("dialog")
        page.fill("#mt-repo", "ada/my-bells")
        dialog.locator("[type=submit]").click()
        dialog.get_by_text("Paste your token").wait_for()
        page.fill("#mt-token", "hf_secret")
        dialog.locator("[type=submit]").click()
        dialog.get_by_text("The Hub cannot be reached").wait_for()
        dialog.locator("[type=submit]").click()
        dialog.get_by_role("link", name="https://huggingface.co/ada/my-bells").wait_for()
        assert page.input_value("#mt-token") == ""
        dialog.get_by_role("button", name="Close").click()
    assert pushed == [("my bells", "ada/my-bells", "hf_secret", True)] * 2


def test_forty_pairs_become_a_model_that_travels(open_page, address, folder):
    torch.manual_seed(0)
    from small import MODEL

    base = folder / "runs" / "small"
    with manager_module.Run.create(base, {"training": {}, "data": "shapes"}) as run:
        Model(Generator(MODEL), Discriminators(MODEL), {"name": "small", "examples": ["a"]}).save_pretrained(
            run.checkpoint
        )
        run.set_status("finished", step=1)
    page = open_page(address)
    begin(page, "Pairs")
    pairs = {f"{('bell', 'gong')[i % 2]}/{i}.png": picture(i) for i in range(40)}
    pairs |= {f"{('bell', 'gong')[i % 2]}/{i}.wav": tone(0.05 + i / 100, 5_000) for i in range(40)}
    upload(page, "pairs.zip", zipped(pairs))
    assert page.locator("[data-fact=pairs]").inner_text() == "40"
    page.locator("[data-action=to_tune]").click()
    page.wait_for_function("() => document.activeElement.id === 'mc-base'")
    assert page.locator(".mc-tune").evaluate("box => box.getBoundingClientRect().top < innerHeight")
    page.select_option("#mc-base", "runs/small")
    page.wait_for_function("() => document.querySelector('#mc-model').value")
    page.fill("#mc-model", "my bells")
    page.fill("#mc-minutes", "0.25")
    page.locator(".mc-tune .mt-start").click()
    page.wait_for_selector("#train .mt-head h2")  # it is watched as any run is, and stopped and resumed
    assert page.locator("#train .mt-head h2").inner_text() == "my bells"
    page.wait_for_selector(".mt-head .mt-state.mt-running")
    page.locator("[data-action=stop]").click()
    page.wait_for_selector(".mt-head .mt-state.mt-stopped")
    page.locator("[data-action=resume]").click()
    page.wait_for_function("() => [6, 24].includes(document.querySelectorAll('.mt-pieces .mt-piece').length)")
    page.wait_for_selector(".mt-head .mt-state.mt-finished")
    page.get_by_text("Does it copy your files?").wait_for()
    assert "Pairs" in page.locator("#train .mt-facts").inner_text()
    with page.expect_download() as download:
        page.locator("[data-action=download]").click()
    assert download.value.suggested_filename == "my bells.zip"
    publish(page)
    page.locator("[data-action=use]").click()
    page.wait_for_function("() => /my bells/.test(document.querySelector('.mm-ran').textContent)")

    open_tab(page)
    model = Path(download.value.path()).read_bytes()
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], "brought.zip", { type: "application/zip" }));
            const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
            document.querySelector(".mc-import p").dispatchEvent(drop);
        }""",
        base64.b64encode(model).decode(),
    )
    page.locator("[data-action=try]").click()
    page.wait_for_function("() => /brought/.test(document.querySelector('.mm-ran').textContent)")
    assert next(name for name, _ in Manager(folder / "runs").models()) == "brought"


def test_captions_in_an_old_encoding_are_shown_and_read_again(open_page, address, folder):
    page = open_page(address)
    begin(page, "Fruit")
    table = "file_name,text\n1.png,красное яблоко\n2.png,синее небо\n".encode("cp1251")
    said = upload(page, "fruit.zip", zipped({"metadata.csv": table, "1.png": picture(11), "2.png": picture(12)}))
    assert "Captions of metadata.csv were read as Cyrillic (cp1251)" in said
    line, caption = page.locator(".mc-guessed .mt-line"), row(page, "1.png").locator("[data-field=caption]")
    assert "such as “красное яблоко”" in line.inner_text() and caption.input_value() == "красное яблоко"
    line.locator("select").select_option("koi8-r")
    page.wait_for_function("!document.querySelector('.mc-guessed').innerText.includes('красное яблоко')")
    assert caption.input_value() == table[21:].split(b"\n")[0].decode("koi8-r")
    line.locator("select").select_option("cp1251")
    page.wait_for_function("document.querySelector('.mc-guessed').innerText.includes('красное яблоко')")
    assert caption.input_value() == "красное яблоко" and not unnamed(page)
    line.get_by_role("button", name="That is right").click()
    line.wait_for(state="detached")
    (project,) = [p for p in Projects(folder / "projects").list() if p.name == "Fruit"]
    assert not project.readings() and project.items()[1].caption == "синее небо"
