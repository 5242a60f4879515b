"""Hostile and odd zips, made by hand."""

import io
import os
import stat
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from mmgan.data.folder.archive import FolderFiles, Limits, ZipFiles, open_files, safe_name
from mmgan.data.folder.encodings import decode
from mmgan.data.media.decoding import open_picture
from mmgan.errors import DataError


def make_zip(path, members, **options):
    """``members``: name or ZipInfo -> bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def raw_named(path, raw: bytes, data=b"x"):
    """A zip whose only member has these bytes for a name, without the UTF-8 flag, as old tools write it."""
    placeholder = b"Q" * len(raw)
    make_zip(path, {placeholder.decode(): data})
    path.write_bytes(path.read_bytes().replace(placeholder, raw))
    return path


def one_sentence(error) -> str:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text
    return text


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "a/../../evil.png", "/etc/passwd", "\\\\host\\share", "..\\evil.png", "C:\\evil.png",
     "a\0.png", "", "./"],
)  # fmt: skip
def test_unsafe_names_are_refused(name):
    with pytest.raises(DataError) as error:
        safe_name(name)
    one_sentence(error)


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "a\\..\\..\\evil.png"])
def test_a_zip_with_an_unsafe_name_is_refused(tmp_path, name):
    with pytest.raises(DataError) as error:
        ZipFiles(make_zip(tmp_path / "z.zip", {"good.png": b"x", name: b"x"}))
    one_sentence(error)


def test_nul_in_a_name_does_not_hide_its_end(tmp_path):
    with pytest.raises(DataError):
        ZipFiles(raw_named(tmp_path / "z.zip", b"good.png\0.exe"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (kind | 0o777) << 16
    with pytest.raises(DataError, match="link or device"):
        ZipFiles(make_zip(tmp_path / "z.zip", {info: b"/etc/passwd"}))


def test_limits_on_count_size_total_and_depth(tmp_path):
    path = make_zip(tmp_path / "z.zip", {f"{i}.png": os.urandom(1000) for i in range(10)})
    assert len(ZipFiles(path).names) == 10
    for limits in (Limits(files=9), Limits(file_bytes=999), Limits(total_bytes=9_999)):
        with pytest.raises(DataError) as error:
            ZipFiles(path, limits)
        one_sentence(error)
    with pytest.raises(DataError, match="folders within each other"):
        ZipFiles(make_zip(tmp_path / "deep.zip", {"a/" * 20 + "x.png": b"x"}))


def test_many_entries_are_refused_before_the_list_is_read(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "z.zip", {f"{i}.png": b"" for i in range(50)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *a: pytest.fail("opened"))
    with pytest.raises(DataError, match="more than 40 files"):
        ZipFiles(path, Limits(files=40))


def test_bombs_are_refused_by_ratio(tmp_path):
    path = make_zip(tmp_path / "z.zip", {"a.wav": bytes(20 << 20)})
    with pytest.raises(DataError, match="times its size"):
        ZipFiles(path)
    many = make_zip(tmp_path / "many.zip", {f"{i}.wav": bytes(4 << 20) for i in range(5)})
    with pytest.raises(DataError, match="times its size"):
        ZipFiles(many)
    assert ZipFiles(make_zip(tmp_path / "small.zip", {"silence.wav": bytes(1 << 20)})).names == ["silence.wav"]


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_declares(tmp_path):
    path = make_zip(tmp_path / "z.zip", {"a.png": bytes(1 << 20), "b.png": b"fine"})
    size = struct.pack("<I", 1 << 20)
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 10)))
    files = ZipFiles(path)
    with pytest.raises(DataError, match="damaged"):
        files.read("a.png")
    assert files.read("b.png") == b"fine"


def test_damaged_members_and_archives(tmp_path):
    path = make_zip(tmp_path / "z.zip", {"a.png": os.urandom(5000), "b.png": b"fine"})
    data = bytearray(path.read_bytes())
    data[2000] ^= 255
    path.write_bytes(data)
    files = ZipFiles(path)
    with pytest.raises(DataError, match=r"a\.png is damaged"):
        files.read("a.png")
    assert files.read("b.png") == b"fine"
    for i, broken in enumerate(
        [b"", b"PK\x05\x06", b"Rar!\x1a\x07\x00", bytes(data[:3000]), bytes(data[:-3]), os.urandom(99)]
    ):
        bad = tmp_path / f"bad{i}.zip"
        bad.write_bytes(broken)
        with pytest.raises(DataError, match="cannot be opened as a zip") as error:
            ZipFiles(bad)
        one_sentence(error)


def test_passwords_and_rare_methods(tmp_path):
    path = make_zip(tmp_path / "z.zip", {"a.png": b"x"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="password"):
        ZipFiles(path)
    rare = tmp_path / "rare.zip"
    with zipfile.ZipFile(rare, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.png", bytes(1000))
    with pytest.raises(DataError, match="deflate"):
        ZipFiles(rare).read("a.png")


def test_doubled_names_are_not_dropped_silently(tmp_path):
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.png", b"1")
        archive.writestr("a.png", b"2")
    with pytest.raises(DataError, match=r"two files named a\.png"):
        ZipFiles(tmp_path / "z.zip")


def test_system_files_are_ignored(tmp_path):
    names = ["__MACOSX/._a.png", "d/.DS_Store", "Thumbs.db", "d/desktop.ini", "d/a.png"]
    assert ZipFiles(make_zip(tmp_path / "z.zip", dict.fromkeys(names, b"x"))).names == ["d/a.png"]
    for name in names:
        (tmp_path / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / name).write_bytes(b"x")
    assert FolderFiles(tmp_path / "f").names == ["d/a.png"]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("红苹果.png".encode(), "红苹果.png"),
        ("红苹果.png".encode("gb18030"), "红苹果.png"),
        ("chien aboyé.wav".encode("cp437"), "chien aboyé.wav"),
        ("forêt.png".encode("cp437"), "forêt.png"),
        (b"plain.png", "plain.png"),
    ],
)
def test_names_without_the_utf8_flag(tmp_path, raw, name):
    files = ZipFiles(raw_named(tmp_path / "z.zip", raw, b"data"))
    assert files.names == [name] and files.read(name) == b"data"


def test_names_with_the_utf8_flag(tmp_path):
    assert ZipFiles(make_zip(tmp_path / "z.zip", {"été/红.png": b"x"})).names == ["été/红.png"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_text_encodings(encoding):
    text = "text,file_name\n一只狗在叫,狗.png\n"
    assert decode(text.encode(encoding)).text == text


def test_western_text():
    assert decode("text\ncafé, fenêtre\n".encode("cp1252")).text == "text\ncafé, fenêtre\n"


def test_sources_that_are_not_there(tmp_path):
    for source in (tmp_path / "absent", "no\0name", "x" * 5000, tmp_path / "new\nline"):
        with pytest.raises(DataError, match="no dataset") as error:
            open_files(source)
        one_sentence(error)


def test_folder_files_do_not_block_on_pipes_or_read_beyond_the_limit(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "a.png").write_bytes(bytes(100))
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    files = FolderFiles(tmp_path, Limits(file_bytes=99))
    for name in files.names:
        with pytest.raises(DataError):
            files.read(name)
    with pytest.raises(DataError, match="more than 2 files"):
        FolderFiles(tmp_path, Limits(files=2))


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width, height) -> bytes:
    """A PNG of a few bytes that promises any size."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", body), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_pictures_of_every_kind_and_damaged_ones(kind):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    data = encode(image, kind)
    assert open_picture(data).size == (60, 40)
    with pytest.raises(DataError, match="save it again"):
        open_picture(data[: len(data) // 2])
    with pytest.raises(DataError, match="pixels"):
        open_picture(data, Limits(pixels=2000))


@pytest.mark.parametrize("size", [(9_000, 9_000), (100_000, 100_000), (60_000, 1), (2**31 - 1, 2**31 - 1)])
def test_picture_bombs_are_seen_in_the_header(size, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(DataError, match="pixels"):
        open_picture(png_header(*size))


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0", os.urandom(1000)])
def test_what_is_no_picture(data):
    with pytest.raises(DataError, match="cannot be read"):
        open_picture(data)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_picture(data).convert("RGB").getpixel((0, 0)) == (255, 0, 0)
