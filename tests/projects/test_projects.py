"""Projects on disk: collecting, editing, deleting, exporting, surviving."""

import io
import json
import multiprocessing
import os
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from mmgan.data import load_dataset
from mmgan.data.folder.dataset import Folder
from mmgan.data.limits import PROJECT_LIMITS, Limits
from mmgan.errors import DataError
from mmgan.projects.items import is_machine_name
from mmgan.projects.projects import Project, Projects, is_project

COLOURS = {"red apple": "red", "green pear": "green", "blue plum": "blue"}


def png(colour="red", size=(24, 16), kind="PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def wave(pitch=440.0, seconds=1.0, rate=16_000, level=0.5, kind="WAV", channels=1, **options) -> bytes:
    tone = level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack([tone] * channels, axis=1), rate, format=kind, **options)
    return buffer.getvalue()


def files(folder: Path, contents: dict) -> list[Path]:
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return [folder / name for name in contents]


def zipped(path: Path, contents: dict) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def project(tmp_path) -> Project:
    return Projects(tmp_path / "projects").create("My sounds")


def by_name(project) -> dict:
    return {item.name: item for item in project.items()}


def codes(project) -> dict:
    return {item.name: item.code for item in project.items()}


def pairs() -> dict:
    return {f"{name}.png": png(colour) for name, colour in COLOURS.items()} | {
        f"{name}.wav": wave(220 * (i + 1)) for i, name in enumerate(COLOURS)
    }


def test_loose_files_pair_by_stem_and_the_folder_is_a_dataset(project, tmp_path):
    calls = []
    report = project.add(files(tmp_path, pairs()), progress=lambda *call: calls.append(call))
    assert (report.pictures, report.sounds, report.with_problems, report.left_out) == (3, 3, 0, [])
    assert report.sentence == "Added 3 pictures and 3 sounds."
    assert calls[0][:2] == (0, 6) and calls[-1] == (6, 6, "") and is_project(project.folder)
    summary = project.summary()
    assert summary.pairs == 3 and summary.sentence == "3 pictures and 3 sounds, 3 pairs, under 3 captions."
    table = by_name(project)
    apple = table["red apple.png"]
    assert (apple.width, apple.height, apple.caption, apple.partner) == (24, 16, "red apple", table["red apple.wav"].id)
    assert table["red apple.wav"].partner == apple.id and max(table["red apple.wav"].peaks) == 100
    assert Image.open(io.BytesIO(project.thumbnail(apple))).size == (24, 16)
    data = load_dataset(str(project.folder))
    assert data.concepts == sorted(COLOURS) and data.num_images == data.num_sounds == 3 and not data.problems


@pytest.mark.parametrize("layout", ["metadata.csv", "metadata.jsonl", "folders", "pictures", "sounds"])
def test_layouts_from_a_zip(project, tmp_path, layout):
    contents = {
        "metadata.csv": {
            "metadata.csv": "text,file_name,audio_file_name\na dog,a.png,b.wav\nonly heard,,c.wav\n".encode("utf-16"),
            "a.png": png(), "b.wav": wave(), "c.wav": wave(300),
        },
        "metadata.jsonl": {
            "metadata.jsonl": '{"text": "一只狗", "file_name": "a.png"}\n'.encode(),
            "a.png": png(), "stray.png": png("blue"),
        },
        "folders": {
            "dog/IMG_1.jpg": png(kind="JPEG"), "dog/bark.ogg": wave(kind="OGG"), "cat/IMG_2.webp": png(kind="WEBP"),
        },
        "pictures": {"苹果.gif": png(kind="GIF"), "pêche 🍑.bmp": png("pink", kind="BMP")},
        "sounds": {"rain.mp3": wave(kind="MP3", rate=44_100, channels=2), "wind.flac": wave(kind="FLAC", rate=8_000)},
    }[layout]  # fmt: skip
    project.add([zipped(tmp_path / "upload.zip", contents)])
    table = by_name(project)
    media = {name for name in contents if not name.startswith("metadata")}
    assert set(table) == media and not project.left_out()
    expected = {
        "metadata.csv": {"a dog", "only heard"}, "metadata.jsonl": {"一只狗", ""}, "folders": {"dog", "cat"},
        "pictures": {"苹果", "pêche 🍑"}, "sounds": {"rain", "wind"},
    }[layout]  # fmt: skip
    assert {item.caption for item in table.values()} == expected
    data = Folder(project.folder)
    assert set(data.concepts) == expected - {""}
    assert all(item.file.endswith(Path(item.name).suffix) for item in table.values())
    if layout == "metadata.jsonl":
        assert table["stray.png"].code == "no_caption" and not table["stray.png"].used
    if layout == "sounds":
        assert (table["rain.mp3"].rate, table["rain.mp3"].channels) == (44_100, 2) and data.num_images == 0
    if layout == "folders":  # a dog has a sound, a cat has none
        assert codes(project) == {"dog/IMG_1.jpg": "", "dog/bark.ogg": "", "cat/IMG_2.webp": "no_partner"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_encodings_of_metadata(project, tmp_path, encoding):
    text = "file_name,text\na.png,一只红色的苹果和两只梨\n"
    project.add(files(tmp_path, {"metadata.csv": text.encode(encoding), "a.png": png()}))
    assert by_name(project)["a.png"].caption == "一只红色的苹果和两只梨"


def test_every_problem_is_one_sentence_and_nothing_is_dropped(project, tmp_path):
    clipped = io.BytesIO()
    soundfile.write(clipped, np.clip(3 * np.sin(np.arange(16_000) / 20), -1, 1), 16_000, format="WAV")
    contents = {
        "good.png": png("white"), "good.wav": wave(500), "twin.png": png("white"), "broken.png": png()[:40],
        "empty.wav": b"", "silent.wav": wave(level=0), "click.wav": wave(seconds=0.02), "loud.wav": clipped.getvalue(),
        "faint.wav": wave(level=0.001), "long.wav": wave(seconds=7), "dot.png": png(size=(2, 2)),
        "IMG_0042.png": png("navy"),
        "notes.txt": b"x", "film.avi": b"x", "inner.zip": b"PK\x03\x04", "liar.png": wave(), "liar.wav": png("gold"),
        "Thumbs.db": b"x", ".DS_Store": b"x", "__MACOSX/._good.png": b"x",
    }  # fmt: skip
    report = project.add([zipped(tmp_path / "all.zip", contents)])
    found = codes(project)
    assert found == {
        "good.png": "", "good.wav": "", "twin.png": "duplicate", "broken.png": "broken", "empty.wav": "broken",
        "silent.wav": "silent", "click.wav": "too_short", "loud.wav": "clipped", "faint.wav": "faint",
        "long.wav": "too_long", "dot.png": "too_small", "IMG_0042.png": "no_caption", "liar.png": "broken",
        "liar.wav": "broken",
    }  # fmt: skip
    assert {problem.file for problem in report.left_out} == {"notes.txt", "film.avi", "inner.zip"}
    assert project.left_out() == report.left_out
    for item in project.items():
        assert not item.problem or (item.problem.endswith(".") and item.act and "\n" not in item.problem)
        assert "see any" in item.problem or not item.problem or item.problem[0].islower()
    table = by_name(project)
    assert "good.png" in table["twin.png"].problem
    assert "WAV sound" in table["liar.png"].problem and "PNG picture" in table["liar.wav"].problem
    assert "7.0 s" in table["long.wav"].problem and table["long.wav"].used
    left_out = [item for item in project.items() if not item.used]
    assert project.summary().left_out == len(left_out) + 3
    # A caption written, a duplicate deleted: their problems are gone.
    project.set_caption([table["IMG_0042.png"].id], "a dark sea")
    project.delete_items([table["good.png"].id])
    assert codes(project)["IMG_0042.png"] == "no_partner" and codes(project)["twin.png"] == "no_partner"
    assert (project.folder / table["twin.png"].file).exists()  # the same file as the one deleted


def test_camera_names_are_no_captions():
    for name in (
        "IMG_0042", "DSC01234", "PXL_20240101_120000", "recording (3)", "20240101_120000", "New Recording 12", "1",
        "Screenshot 2024-01-01 at 10.00", "微信图片_20240101", "WhatsApp Image 2024-01-01", "1" * 200,
        "a3f0c2d4e5b6a7980123456789abcdef",
    ):  # fmt: skip
        assert is_machine_name(name), name
    for name in ("red apple", "image of a dog", "rain 2", "soundscape", "犬", "record player", "7 dwarfs"):
        assert not is_machine_name(name), name


def test_recordings_under_a_caption_one_class_after_another(project):
    for caption, colour in (("clap", "red"), ("snap", "blue")):
        project.add_recordings({"webcam.png": png(colour), "clip.wav": wave(300 + len(colour))}, caption)
        project.add_recordings({"webcam.png": png(colour, (30, 30))}, caption)
    data = Folder(project.folder)
    assert data.concepts == ["clap", "snap"] and data.num_images == 4 and data.num_sounds == 2
    assert project.summary().problems == {}


def test_captions_one_and_in_bulk(project, tmp_path):
    project.add(files(tmp_path, pairs()))
    table = by_name(project)
    assert project.set_caption([table["red apple.wav"].id], "an {apple} \t bites") == 2  # its picture too
    assert {by_name(project)[f"red apple.{s}"].caption for s in ("png", "wav")} == {"an {apple} bites"}
    assert project.caption_by("*PEAR*", "a photo of {caption}, {number}") == 2
    assert by_name(project)["green pear.png"].caption.startswith("a photo of green pear")
    assert project.replace_in_captions("PLUM", r"\1 fruit") == 2
    assert by_name(project)["blue plum.png"].caption == r"blue \1 fruit"
    assert project.caption_by("*", "{name}") == 6 and project.caption_by("*", "{name}") == 0
    assert Folder(project.folder).concepts == sorted(COLOURS)
    with pytest.raises(DataError, match="shorten"):
        project.set_caption([1], "x" * 2_000)
    with pytest.raises(DataError, match="text to look for"):
        project.replace_in_captions("", "x")
    assert project.caption_by("(a+)+$*[", "x") == 0  # no pattern of a visitor's is a regular expression
    project.set_caption([table["red apple.png"].id], "\u200b")
    assert by_name(project)["red apple.png"].code == "no_caption"


def test_pairing_by_hand(project, tmp_path):
    project.add(files(tmp_path, {"a.png": png(), "b.wav": wave(), "c.png": png("blue")}))
    table = by_name(project)
    a, b, c = (table[name].id for name in ("a.png", "b.wav", "c.png"))
    assert codes(project) == {"a.png": "no_partner", "b.wav": "no_partner", "c.png": "no_partner"}
    project.pair(a, b)
    assert by_name(project)["b.wav"].caption == "a" and by_name(project)["b.wav"].partner == a
    assert codes(project)["a.png"] == "" and project.summary().pairs == 1
    project.unpair(b)
    assert by_name(project)["a.png"].partner is None and by_name(project)["b.wav"].partner is None
    with pytest.raises(DataError, match="one picture and one sound"):
        project.pair(a, c)


def test_exif_turned_pictures(project, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    project.add(files(tmp_path, {"tall.jpg": png(size=(400, 300), kind="JPEG", exif=exif)}))
    item = by_name(project)["tall.jpg"]
    assert (item.width, item.height) == (300, 400)
    small = Image.open(io.BytesIO(project.thumbnail(item)))
    assert small.height > small.width


def test_a_project_can_be_added_to_and_is_there_after_a_restart(project, tmp_path):
    project.add(files(tmp_path / "one", pairs()))
    before = project.items()
    again = Projects(tmp_path / "projects").open(project.key)
    assert again.items() == before and again.name == "My sounds"
    report = again.add(files(tmp_path / "two", {"red apple.png": png(), "yellow lemon.png": png("yellow")}))
    assert report.with_problems == 2  # a duplicate, and one without a sound
    assert project.items() == again.items() and len(project.items()) == 8  # the first sees what the second did


def test_visitors_see_their_own_projects_and_shared_ones(tmp_path):
    projects = Projects(tmp_path / "p", Limits(projects=2))
    mine, theirs = projects.create("mine", "me"), projects.create("theirs", "them")
    assert [p.name for p in projects.list("me")] == ["mine"] and len(projects.list()) == 2
    assert "me" not in json.loads((mine.folder / "project.json").read_text()).values()
    for act in (projects.open, projects.delete):
        with pytest.raises(DataError, match="no such project"):
            act(theirs.key, "me")
    theirs.share()
    assert {p.name for p in projects.list("me")} == {"mine", "theirs"}
    with pytest.raises(DataError, match="not yours"):
        projects.delete(theirs.key, "me")
    projects.create("second", "me")
    with pytest.raises(DataError, match="already have 2"):
        projects.create("third", "me")
    for key in ("../p", "", "x" * 12, None, theirs.key + "/"):
        with pytest.raises(DataError, match="no such project"):
            projects.open(key)
    for name in ("", "  ", "x" * 61):
        with pytest.raises(DataError, match="name"):
            mine.rename(name)


def test_delete_deletes(project, tmp_path):
    root = project.folder.parent
    project.add(files(tmp_path, pairs()))
    item = by_name(project)["red apple.png"]
    assert project.delete_items([item.id]) == 1 and not (project.folder / item.file).exists()
    assert project.thumbnail(item) is None and by_name(project)["red apple.wav"].partner is None
    Projects(root).delete(project.key)
    assert list(root.iterdir()) == []
    with pytest.raises(DataError, match="was deleted"):
        project.set_caption([1], "x")
    with pytest.raises(DataError, match="was deleted"):
        project.items()


def test_a_deletion_cut_short_is_finished(project):
    project.folder.rename(project.folder.parent / f".{project.key}.deleted")
    projects = Projects(project.folder.parent)
    assert projects.list() == [] and not list(projects.root.glob(".*deleted"))


def _add_slowly(folder: str, source: str) -> None:
    from mmgan.projects import importing as adding

    adding.BATCH_SECONDS = 0.0
    Project(Path(folder)).add([source], progress=lambda *_: time.sleep(0.05))


def test_a_kill_while_adding_keeps_what_was_added(project, tmp_path):
    source = zipped(tmp_path / "many.zip", {f"fruit {i}.png": png((i, 0, 0)) for i in range(60)})
    process = multiprocessing.get_context("spawn").Process(target=_add_slowly, args=(str(project.folder), str(source)))
    process.start()
    deadline = time.monotonic() + 60
    while len(project.items()) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    after = Project(project.folder)
    count = len(after.items())
    assert 5 <= count < 60 and all((after.folder / item.file).exists() for item in after.items())
    assert Folder(after.folder, "all").num_images == count
    after.add([source])  # the same upload again: the rest comes, and nothing twice
    used = [item for item in after.items() if item.used]
    assert len(used) == 60 and Folder(after.folder, "all").num_images == 60


def test_metadata_follows_the_table_after_a_kill_between_them(project, tmp_path):
    project.add(files(tmp_path, pairs()))
    (project.folder / "metadata.csv").unlink()
    Project(project.folder)
    assert Folder(project.folder).num_images == 3


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": "mmgan-project"}', "table", "path", "twice"])
def test_a_damaged_table_is_said_and_hides_no_other(project, tmp_path, damage):
    project.add(files(tmp_path, {"a.png": png(), "b.png": png("blue")}))
    path = project.folder / "project.json"
    values = json.loads(path.read_text())
    if damage == "table":
        values["items"][0]["seconds"] = "long"
    if damage == "path":
        values["items"][0]["file"] = "originals/../../../etc/passwd"
    if damage == "twice":
        values["items"][1]["id"] = values["items"][0]["id"]
    path.write_text(json.dumps(values) if damage in ("table", "path", "twice") else damage)
    with pytest.raises(DataError, match=r"^The project.*\.$"):
        Project(project.folder).items()
    projects = Projects(project.folder.parent)
    other = projects.create("other")
    assert [p.key for p in projects.list()] == [other.key]


def test_export_loads_again_and_holds_no_formula(project, tmp_path):
    contents = pairs() | {"only seen.jpg": png("grey", kind="JPEG")}
    project.add(files(tmp_path, contents))
    project.set_caption([by_name(project)["only seen.jpg"].id], '=HYPERLINK("http://x","y")')
    assert project.export(tmp_path / "out" / "mine.zip") == 4
    with zipfile.ZipFile(tmp_path / "out" / "mine.zip") as archive:
        metadata = archive.read("metadata.csv").decode()
        assert len(archive.namelist()) == 8 + len(("README.md", "pairs.parquet"))
    assert "'=HYPERLINK" in metadata and ",=" not in metadata and "\n=" not in metadata
    data = Folder(tmp_path / "out" / "mine.zip")
    assert set(data.concepts) == {*COLOURS, '=HYPERLINK("http://x","y")'} and not data.problems
    again = Projects(tmp_path / "again").create("again")
    again.add([tmp_path / "out" / "mine.zip"])
    assert {item.caption for item in again.items()} == {item.caption for item in project.items()}
    assert again.summary().pairs == 3
    project.delete_items([item.id for item in project.items()])
    with pytest.raises(DataError, match="no file that can be used"):
        project.export(tmp_path / "none.zip")
    assert not list(tmp_path.glob("*none*"))


def test_limits_are_one_sentence_shown_before():
    assert "5,000 files" in PROJECT_LIMITS.sentence and "1,024 MiB" in PROJECT_LIMITS.sentence
    assert Limits(files=7).sentence.startswith("Up to 7 files") and Limits().sentence.count(".") == 1


def test_who_has_no_key_owns_nothing(tmp_path):
    projects = Projects(tmp_path / "p", Limits(projects=1))
    alone = projects.create("from Python")
    assert projects.list("") == [] and not alone.belongs_to("")
    assert [p.key for p in projects.list()] == [alone.key] and projects.open(alone.key).name == "from Python"
    with pytest.raises(DataError, match="no such project"):
        projects.open(alone.key, "")
    with pytest.raises(DataError, match="already have 1"):
        projects.create("another")
    projects.create("a visitor's", "me")


def test_a_damaged_project_is_listed_with_its_reason_and_can_be_deleted(project):
    projects = Projects(project.folder.parent)
    other = projects.create("other")
    assert projects.damaged() == []
    (project.folder / "project.json").write_text('{"format": "mmgan-project", "version": 1, "created": 1e999}')
    ((key, reason),) = projects.damaged()
    assert key == project.key and str(reason).startswith("The project's table is damaged")
    for wrong in (other.key, "..", "", project.key + "/"):
        with pytest.raises(DataError, match="no such project"):
            projects.remove_damaged(wrong)
    projects.remove_damaged(key)
    assert [entry.name for entry in projects.root.iterdir()] == [other.key]
