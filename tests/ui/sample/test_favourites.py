"""Favourites and downloads in a real browser."""

import csv
import io
import zipfile

import numpy as np
import pytest
import soundfile
from PIL import Image

from mmgan.data import load_dataset

KEPT = "#favourites .mm-card"


def ask(page, prompt):
    page.fill("#prompt :is(textarea, input)", prompt)
    page.press("#prompt :is(textarea, input)", "Enter")
    page.wait_for_function("t => document.querySelector('.mm-results h2').textContent === t", arg=prompt)


def keep(page, *places):
    for place in places:
        page.locator("#results .mm-keep").nth(place).click()


def test_kept_across_a_reload_and_compared(page):
    assert "Press the heart" in page.locator("#favourites .mm-empty").inner_text()
    keep(page, 1)
    ask(page, 'a "thick" zero, quick')
    keep(page, 0, 3)
    assert page.locator(KEPT).count() == 3
    pictures = [image.get_attribute("src") for image in page.locator(f"{KEPT} .mm-picture").all()]
    page.reload()
    page.wait_for_selector(KEPT)
    page.wait_for_selector("#results .mm-card")
    assert [image.get_attribute("src") for image in page.locator(f"{KEPT} .mm-picture").all()] == pictures
    pressed = [button.get_attribute("aria-pressed") for button in page.locator("#results .mm-keep").all()]
    assert pressed == ["false", "true", "false", "false"]
    page.locator(f"{KEPT} .mm-play").nth(2).click()
    page.wait_for_selector(f"{KEPT}:nth-child(3)[data-played]")


def test_removed_here_or_on_the_card(page):
    keep(page, 0, 1)
    page.get_by_role("button", name="Remove from favourites").first.click()
    keep(page, 1)
    assert page.locator(KEPT).count() == 0 and page.locator("#favourites .mm-empty").is_visible()
    page.reload()
    page.wait_for_selector("#results .mm-card")
    assert page.locator(KEPT).count() == 0


def test_asked_for_again(page):
    ask(page, "a thick zero")
    keep(page, 2)
    picture = page.locator(f"{KEPT} .mm-picture").get_attribute("src")
    ask(page, "the digit four")
    page.get_by_role("button", name="Ask for this again").click()
    page.wait_for_function("document.querySelector('.mm-results h2').textContent === 'a thick zero'")
    page.wait_for_function("s => document.querySelector('#results .mm-picture').src === s", arg=picture)


def download(page, button):
    with page.expect_download() as waited:
        button.click()
    return waited.value


def test_a_zip_of_favourites_loads_as_a_dataset(page, tmp_path):
    prompt = 'seven, "=1+1"\t数字'
    ask(page, " ".join(prompt.split()))
    keep(page, 0, 2)
    page.get_by_role("button", name="the digit four").click()
    page.wait_for_function("document.querySelector('.mm-results h2').textContent === 'the digit four'")
    keep(page, 1)
    saved = download(page, page.get_by_role("button", name="Download as a zip"))
    assert saved.suggested_filename == "mmgan-favourites.zip"
    path = tmp_path / "kept.zip"
    saved.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.StringIO(archive.read("metadata.csv").decode("utf-8"))))
        assert [row["text"] for row in rows] == [" ".join(prompt.split())] * 2 + ["the digit four"]
        for row in rows:
            assert int(row["seed"]) >= 0 and float(row["truncation"]) == 1
            assert Image.open(io.BytesIO(archive.read(row["file_name"]))).size == (28, 28)
            waveform, rate = soundfile.read(io.BytesIO(archive.read(row["audio_file"])))
            assert rate == 16_000 and np.abs(waveform).max() > 0.1
    dataset = load_dataset(str(path))
    assert (dataset.num_images, dataset.num_sounds) == (3, 3)
    library = pytest.importorskip("datasets", reason="the library is of the test extra")
    data = library.load_dataset("imagefolder", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert list(data["text"]) == [row["text"] for row in rows] and data[2]["image"].size == (28, 28)


def test_a_prompt_that_a_spreadsheet_would_compute_comes_back_as_it_was(page, tmp_path):
    for prompt in ("=1+1 seven", "'=a", "＝七"):
        ask(page, prompt)
        saved = download(page, page.get_by_role("button", name="Download these as a zip"))
        saved.save_as(tmp_path / "results.zip")
        with zipfile.ZipFile(tmp_path / "results.zip") as archive:
            assert f",'{prompt}," in archive.read("metadata.csv").decode("utf-8")
        assert load_dataset(str(tmp_path / "results.zip")).concepts == [prompt]


def test_a_zip_of_results(page, tmp_path):
    saved = download(page, page.get_by_role("button", name="Download these as a zip"))
    saved.save_as(tmp_path / "results.zip")
    with zipfile.ZipFile(tmp_path / "results.zip") as archive:
        assert len(archive.namelist()) == 9
