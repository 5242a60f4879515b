"""Hostile uploads to a project: refused in one sentence, quickly, with memory and disk bounded, and nothing changed."""

import errno
import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from test_projects import codes, files, png, wave, zipped

from mmgan.data import load_dataset
from mmgan.data.limits import Limits
from mmgan.errors import DataError
from mmgan.projects.projects import Project, Projects


@pytest.fixture
def project(tmp_path) -> Project:
    return Projects(tmp_path / "projects").create("Mine")


def tree_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def refused(project: Project, *paths: Path) -> str:
    """Adds, and checks that it is refused in a sentence and that nothing of it stays."""
    before = tree_bytes(project.folder)
    with pytest.raises(DataError) as error:
        project.add(list(paths))
    assert tree_bytes(project.folder) == before and not project.items()
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and len(text) < 250
    return text


def endless(path: Path, unpacked: int, name: str = "a.wav") -> Path:
    """A zip member of zeros, packed a thousandfold, without unpacking it here."""
    packer, crc, packed = zlib.compressobj(9, zlib.DEFLATED, -15), 0, bytearray()
    chunk = bytes(1 << 20)
    for _ in range(unpacked >> 20):
        crc, packed = zlib.crc32(chunk, crc), packed + packer.compress(chunk)
    packed += packer.flush()
    raw = name.encode()
    head = struct.pack("<HHHHHIIIHH", 20, 0x800, 8, 0, 33, crc, len(packed), unpacked, len(raw), 0)
    central = b"PK\x01\x02" + b"\x14\0" + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + raw
    local = b"PK\x03\x04" + head + raw
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local) + len(packed), 0)
    path.write_bytes(local + bytes(packed) + central + end)
    return path


def test_a_bomb_by_ratio(project, tmp_path):
    tracemalloc.start()
    sentence = refused(project, endless(tmp_path / "bomb.zip", 100 << 20))
    assert "times its size" in sentence and tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_bomb_in_a_zip_without_a_name_for_it(project, tmp_path):
    endless(tmp_path / "bomb.zip", 100 << 20).rename(tmp_path / "bomb")
    assert "times its size" in refused(project, tmp_path / "bomb")


def test_a_hundred_thousand_files(project, tmp_path):
    path = tmp_path / "many.zip"
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0x800, 0, 0, 33, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0)
    central = b"".join(entry + b"%06d.png" % i for i in range(100_000))
    path.write_bytes(central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 34_464, 34_464, len(central), 0, 0))
    assert "more than 5,000 files" in refused(project, path)


def test_many_files_in_a_folder_stop_the_walk(project, tmp_path):
    small = Project(project.folder, Limits(files=50))
    files(tmp_path / "many", {f"{i}.png": b"" for i in range(80)})
    assert "more than 50 files" in refused(small, tmp_path / "many")


def test_files_that_would_be_too_many_together(project, tmp_path):
    small = Project(project.folder, Limits(files=3))
    paths = files(tmp_path / "in", {f"fruit {c}.png": png(c) for c in ("red", "green", "blue", "white")})
    assert "make 4 files" in refused(small, *paths)
    small.add(paths[:2])
    with pytest.raises(DataError, match="make 4 files"):
        small.add(paths[2:])
    assert len(small.items()) == 2


def test_bytes_beyond_the_projects_and_the_disks(project, tmp_path):
    noise = {f"noise {i}.wav": np.random.default_rng(i).bytes(40_000) for i in range(3)}
    path = zipped(tmp_path / "noise.zip", noise)
    assert "larger than" in refused(Project(project.folder, Limits(total_bytes=100_000)), path)
    tight = Limits(total_bytes=path.stat().st_size + 5)
    assert "exceed" in refused(
        Project(project.folder, tight), *files(tmp_path / "in", {**noise, "one more.wav": bytes(900)})
    )
    assert "disk has only" in refused(Project(project.folder, Limits(free_bytes=1 << 60)), path)


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "C:\\evil.png", "\\\\host\\evil.png", "a/../../b.png"]
)
def test_names_that_point_elsewhere(project, tmp_path, name):
    refused(project, zipped(tmp_path / "evil.zip", {"good.png": png(), name: png()}))
    assert not list(tmp_path.rglob("*evil.png")) and not Path("/etc/evil.png").exists()


def test_links_in_zips_and_folders(project, tmp_path):
    info = zipfile.ZipInfo("link.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "link" in refused(project, tmp_path / "link.zip")
    files(tmp_path, {"secret.png": png("gold"), "mine/apple.png": png()})
    os.symlink(tmp_path / "secret.png", tmp_path / "mine" / "stolen.png")
    os.symlink(tmp_path / "mine" / "apple.png", tmp_path / "mine" / "same.png")
    report = project.add([tmp_path / "mine"])
    assert set(codes(project)) == {"apple.png", "same.png"}
    assert [(p.file, "somewhere else" in p.sentence) for p in report.left_out] == [("stolen.png", True)]


def test_archives_within_are_listed_and_not_opened(project, tmp_path):
    inner = endless(tmp_path / "inner.zip", 64 << 20).read_bytes()
    report = project.add([zipped(tmp_path / "outer.zip", {"apple.png": png(), "inner.zip": inner, "inner.png": inner})])
    assert [problem.file for problem in report.left_out] == ["inner.zip"]
    assert codes(project) == {"apple.png": "", "inner.png": "broken"} and tree_bytes(project.folder) < 100_000


def picture_bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def promised(frames: int, data: bytes = b"\0" * 64) -> bytes:
    """A WAV whose header promises more than it holds."""
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    sizes = [struct.pack("<I", min(size, 2**32 - 1)) for size in (36 + 2 * frames, 2 * frames)]
    return b"RIFF" + sizes[0] + head + b"data" + sizes[1] + data


def test_pictures_and_sounds_that_promise_gigabytes(project, tmp_path):
    flac = wave(kind="FLAC")
    contents = {
        "bomb.png": picture_bomb(60_000), "wide.png": picture_bomb(33_000), "cut.flac": flac[: len(flac) // 2],
        "promise.wav": promised(2**31), "cut.mp3": wave(kind="MP3")[:300],
        "cut.jpg": png("red", (400, 400), "JPEG")[:500],
        "odd.wav": wave().replace(struct.pack("<I", 16_000), struct.pack("<I", 4_000_000_000), 1), "good.png": png(),
        "long.flac": wave(level=0, seconds=700, rate=2_000, kind="FLAC"),
    }  # fmt: skip
    tracemalloc.start()
    project.add([zipped(tmp_path / "z.zip", contents)])
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
    found = {item.name: item for item in project.items()}
    assert str(found["good.png"].error) == "" and "million pixels" in found["bomb.png"].problem
    assert "10 minutes" in found["long.flac"].problem
    for name in set(contents) - {"good.png"}:
        item = found[name]
        assert item.code in ("broken", "silent", "too_short") and not item.used, name
        assert item.problem.startswith("is ") or item.problem.startswith("lasts"), name
    assert tree_bytes(project.folder) < 100_000


def test_a_file_too_large_is_left_out_and_the_rest_stays(project, tmp_path):
    small = Project(project.folder, Limits(file_bytes=10_000))
    small.add(files(tmp_path, {"apple.png": png(), "big.wav": wave()}))
    assert codes(small) == {"apple.png": "", "big.wav": "broken"}
    assert "larger than" in small.items()[1].problem and "big.wav" not in small.items()[1].problem


def test_names_from_windows_and_macos_zips(project, tmp_path):
    path = tmp_path / "windows.zip"
    zipped(path, {"QQQQ.png": png(), "x.png": png("blue")})
    path.write_bytes(path.read_bytes().replace(b"QQQQ", "苹果".encode("gbk")))
    project.add([path])
    mac = zipped(
        tmp_path / "mac.zip",
        {"ca\u0301fe\u0301.png": png("tan"), "__MACOSX/._ca\u0301fe\u0301.png": b"x", ".DS_Store": b"x"},
    )
    project.add([mac])
    assert {item.name for item in project.items()} == {"苹果.png", "x.png", "cáfé.png"}
    assert {item.caption for item in project.items()} == {"苹果", "x", "cáfé"} and not project.left_out()


def test_a_name_that_begins_as_utf16_would(project, tmp_path):
    path = zipped(tmp_path / "odd.zip", {"QQ.png": png(), "x.png": png("blue")})
    path.write_bytes(path.read_bytes().replace(b"QQ", b"\xff\xfe"))
    project.add([path])
    assert len(project.items()) == 2 and "x.png" in {item.name for item in project.items()}


def test_files_at_which_a_decoder_stumbles_cost_no_other(project, tmp_path, monkeypatch):
    tags = struct.pack("<HHHIIHHI4sI", 2, 0x0112, 3, 1, 6, 0x011A, 2, 4, b"72", 0)  # turned; a resolution in letters
    exif = b"Exif\0\0II*\0\x08\0\0\0" + tags
    empty = io.BytesIO()
    soundfile.write(empty, np.zeros(0), 44_100, format="WAV")
    turned = png(kind="JPEG", exif=exif)
    given = files(tmp_path, {"a.jpg": turned, "b.wav": empty.getvalue(), "c.png": png("blue"), "d.wav": wave()})
    project.add(given, "thing")
    names = {item.name: item for item in project.items()}
    assert len(names) == 4 and names["a.jpg"].used and names["c.png"].used and names["d.wav"].used
    assert names["b.wav"].problem and not names["b.wav"].used
    assert load_dataset(project.folder).num_images == 2
    monkeypatch.setattr("mmgan.projects.importing.examine_picture", lambda *a: 1 / 0)
    project.add(files(tmp_path, {"e.png": png("tan"), "f.wav": wave(300)}), "thing")
    names = {item.name: item for item in project.items()}
    assert "cannot be read" in names["e.png"].problem and names["f.wav"].used


def test_a_disk_that_fills_between_the_table_and_what_follows_from_it(project, tmp_path, monkeypatch):
    project.add(files(tmp_path, {"a.png": png()}), "thing")
    before = (project.folder / "metadata.csv").read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Project, "_write_metadata", full)
    project.set_caption([1], "another")
    projects = Projects(project.folder.parent)
    assert [each.items()[0].caption for each in projects.list()] == ["another"]
    assert (project.folder / "metadata.csv").read_bytes() == before
    monkeypatch.undo()
    assert b"another" in (projects.list()[0].folder / "metadata.csv").read_bytes()


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(17), os.urandom(500)])
def test_broken_zips(project, tmp_path, broken):
    (tmp_path / "a.zip").write_bytes(broken)
    refused(project, tmp_path / "a.zip")


def test_nothing_there(project, tmp_path):
    assert "no dataset" in refused(project, tmp_path / "absent.zip")


def test_hostile_captions_stay_text(project, tmp_path):
    captions = [
        "=cmd|' /C calc'!A0",
        "+1",
        "-2",
        "@SUM(A1)",
        "<script>alert(1)</script>",
        'a,b"c',
        "'=x",
        "line\u2028break",
    ]
    table = "file_name,text\n" + "".join(
        f'{i}.png,"{c.replace(chr(34), chr(34) * 2)}"\n' for i, c in enumerate(captions)
    )
    files(
        tmp_path / "in", {"metadata.csv": table.encode()} | {f"{i}.png": png((i, 9, 9)) for i in range(len(captions))}
    )
    project.add([tmp_path / "in"])
    assert project.export(tmp_path / "out.zip") == len(captions)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        import csv

        rows = list(csv.reader(io.StringIO(archive.read("metadata.csv").decode())))
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


def test_a_huge_picture_within_the_limits_is_thumbnailed(project, tmp_path):
    buffer = io.BytesIO()
    Image.new("L", (6_000, 5_000)).save(buffer, "JPEG")
    project.add(files(tmp_path, {"black field.jpg": buffer.getvalue()}))
    item = project.items()[0]
    assert (item.width, item.height) == (6_000, 5_000) and len(project.thumbnail(item)) < 20_000
