"""Sounds of every kind, with headers that lie, junk before them, and names that are not theirs."""

import importlib.util
import struct
import subprocess
import sys

import numpy as np
import pytest
from own_files import ENCODED, encoded, pcm, tone

from mmgan.data import load_dataset
from mmgan.data.folder.layout import kind_of
from mmgan.data.limits import Limits
from mmgan.data.media import sounds
from mmgan.data.media.mp3 import frame_length, with_count
from mmgan.data.media.sounds import hear
from mmgan.errors import DataError
from mmgan.projects.projects import Projects

NATIVE = [("AIFF", "PCM_16"), ("AIFF", "ALAW"), ("AU", "PCM_16"), ("CAF", "PCM_24"), ("W64", "PCM_16"),
          ("RF64", "PCM_16"), ("OGG", "OPUS"), ("WAV", "MS_ADPCM"), ("WAV", "PCM_U8"), ("FLAC", "PCM_24")]  # fmt: skip


def is_the_tone(data: bytes, seconds=1.2, pitch=440.0, **limits) -> bool:
    heard = hear(data, Limits(**limits))
    waveform = heard.waveform()
    middle = waveform[3_000:13_000]
    loudest = np.abs(np.fft.rfft(middle)).argmax() * 16_000 / len(middle)
    return abs(len(waveform) / 16_000 - seconds) < 0.2 and abs(loudest - pitch) < 4 and not heard.repaired


@pytest.fixture
def without_av(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize("kind", ENCODED)
def test_what_phones_and_films_hold(kind):
    assert is_the_tone(encoded(kind))


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "3gp"])
def test_the_sound_of_a_film(kind):
    assert is_the_tone(encoded(kind, picture=True))


@pytest.mark.parametrize(("kind", "subtype"), NATIVE)
def test_what_libsndfile_reads_needs_no_package(kind, subtype, without_av):
    assert is_the_tone(pcm(tone(48_000), 48_000, kind, subtype))


def test_a_missing_package_is_named(without_av):
    for kind in ("m4a", "amr", "webm", "aac", "alac.caf"):
        with pytest.raises(DataError, match=r"pip install 'mmgan\[media\]'"):
            hear(encoded(kind))
    for data in (b"nothing", bytes(5_000), b"\xff" * 999):
        with pytest.raises(DataError, match="cannot be read"):
            hear(data)


def test_both_roads_use_them_whatever_their_names_say(tmp_path):
    contents = {
        "a bell.mp3": encoded("m4a"), "rain.wav": encoded("webm"), "wind.m4a": pcm(tone(8_000), 8_000, "MP3"),
        "bird.MOV": encoded("mov", picture=True), "dog.amr": encoded("amr"),
        "cat.aiff": pcm(tone(8_000), 8_000, "AIFF"),
    }  # fmt: skip
    folder = tmp_path / "own"
    folder.mkdir()
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    data = load_dataset(str(folder))
    assert set(data.concepts) == {"a bell", "rain", "wind", "bird", "dog", "cat"} and not data.problems
    project = Projects(tmp_path / "projects").create("Mine")
    report = project.add([folder])
    assert report.sounds == 6 and not report.left_out and not report.with_problems
    # What a browser might not play is kept as FLAC, so the table plays it, and whoever opens the project needs no PyAV.
    assert {item.name: item.file[-4:] for item in project.items()} == {
        "a bell.mp3": "flac", "rain.wav": "flac", "wind.m4a": ".mp3", "bird.MOV": "flac", "dog.amr": "flac",
        "cat.aiff": "flac",
    }  # fmt: skip
    assert all(item.size == (project.folder / item.file).stat().st_size for item in project.items())
    assert load_dataset(str(project.folder)).num_sounds == 6


def test_a_project_is_not_filled_beyond_its_size_by_what_grows(tmp_path):
    project = Projects(tmp_path, Limits(total_bytes=100_000, free_bytes=0)).create("Mine")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 60_000)
    (tmp_path / "a.m4a").write_bytes(encoded("m4a", noise))
    project.add([tmp_path / "a.m4a"])
    (item,) = project.items()
    assert item.code == "broken" and "no more room" in item.problem and not list(project.folder.glob("originals/*"))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 10**6])
@pytest.mark.parametrize("whole", [False, True])
def test_headers_of_streams_that_do_not_say_their_length(size, whole, without_av):
    data = bytearray(pcm(tone(16_000)))
    place = data.index(b"data")
    data[place + 4 : place + 8] = struct.pack("<I", size)
    if whole:
        data[4:8] = struct.pack("<I", size)
    assert is_the_tone(bytes(data))


def test_other_formats_without_their_length():
    data = bytearray(pcm(tone(16_000), kind="AU"))
    for size in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        data[8:12] = size
        assert is_the_tone(bytes(data))
    for length in (b"\xff" * 8, bytes(8)):
        data = bytearray(pcm(tone(16_000), kind="CAF"))
        data[data.index(b"data") + 4 : data.index(b"data") + 12] = length
        assert is_the_tone(bytes(data))
    data = bytearray(pcm(tone(16_000), kind="RF64"))
    data[data.index(b"ds64") + 8 : data.index(b"ds64") + 36] = bytes(28)
    assert is_the_tone(bytes(data))


def test_a_wav_that_is_empty_stays_so():
    assert len(hear(pcm(np.zeros(0))).samples) == 0
    empty = pcm(np.zeros(0)) + b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert len(hear(empty).samples) == 0


@pytest.mark.parametrize("junk", [bytes(700), b"ID3\x04\0\0\0\0\x7f\x7f" + b"x" * 99, b"\xff" * 50, b"\xff\xfb" * 99])
def test_mp3s_with_something_before_them(junk, without_av):
    assert is_the_tone(junk + pcm(tone(44_100), 44_100, "MP3"))


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("cut", [1, 333, 700])
def test_mp3s_that_begin_in_mid_frame(rate, cut, without_av):
    assert is_the_tone(pcm(tone(rate), rate, "MP3")[cut:])


def test_mp3s_of_variable_bit_rate_without_a_header_are_read_to_their_end(tmp_path):
    data = pcm(tone(44_100, seconds=5), 44_100, "MP3")
    data = data[frame_length(data[:4]) :]  # the first holds the count
    heard = hear(data)
    assert abs(len(heard.samples) / 44_100 - 5) < 0.1 and heard.suffix == ".mp3"
    assert with_count(pcm(tone(44_100), 44_100, "MP3"))[1] == 0 and with_count(b"\xff" * 99)[1] == 0


def test_limits_hold_for_every_reader():
    for data in (encoded("m4a"), encoded("webm"), encoded("amr"), pcm(tone(16_000)), pcm(tone(16_000), kind="CAF")):
        with pytest.raises(DataError, match="longer than"):
            hear(data, Limits(seconds=0.1))
        with pytest.raises(DataError, match="longer than"):
            hear(data, Limits(samples=5_000))
    for data in (encoded("float.mka"), pcm(tone(44_100), 44_100)):
        assert hear(data, Limits(samples=60_000)).rate == 44_100
    with pytest.raises(DataError, match="rate of"):
        hear(pcm(np.ones(500), 500, "AU"))


def test_what_has_no_sound_says_so():
    import io

    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        file.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(DataError, match="has no sound in it"):
        hear(buffer.getvalue())
    for data in (b"", bytes(9_999), encoded("m4a")[:900], b"\0\0\0\x18ftypM4A " + bytes(500)):
        with pytest.raises(DataError, match="cannot be read"):
            hear(data)


@pytest.mark.parametrize(
    "program", ["import os; os.abort()", "print('{'", "import time; time.sleep(99)", "print('{}')"]
)
def test_a_reader_that_dies_or_hangs_takes_nobody_with_it(program, tmp_path, monkeypatch):
    (tmp_path / "reader.py").write_text(program)
    monkeypatch.setattr(sounds, "READER", tmp_path / "reader.py")
    monkeypatch.setattr(sounds, "PATIENCE", 0.5)
    with pytest.raises(DataError, match="cannot be read"):
        hear(b"\0\0\0\x18ftypM4A " + bytes(500))


def test_a_reader_opens_nothing_else(tmp_path):
    """A film may name other files and addresses to be played; the reader has no way to open them."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(pcm(tone(16_000)))
    listed = [
        f"ffconcat version 1.0\nfile {secret}\n".encode(), f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode(),
        f"<?xml version='1.0'?><MPD><BaseURL>file://{secret}</BaseURL></MPD>".encode(),
    ]  # fmt: skip
    for data in listed:
        with pytest.raises(DataError, match="cannot be read"):
            hear(data)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import av_reader; av_reader.confine()\n"
        "try: open(sys.argv[2])\nexcept OSError: print('refused')"
    )
    folder = str(sounds.READER.parent)
    if sys.platform == "linux":
        done = subprocess.run([sys.executable, "-c", code, folder, str(secret)], capture_output=True, text=True)
        assert done.stdout.strip() == "refused"


@pytest.mark.parametrize("name", ["a.M4A", "b.3gp", "c.amr", "d.webm", "e.aiff", "f.caf", "g.wma", "h.mov", "i.wav ."])
def test_suffixes_of_sounds(name):
    assert kind_of(name) == "sound"
