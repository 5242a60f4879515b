"""Sounds in a project: cut to a second or into pieces, while others work on it."""

import importlib.util
import io

import numpy as np
import pytest
import soundfile
from test_projects import by_name, codes, files, png, wave

from mmgan.data.folder.dataset import Folder
from mmgan.errors import DataError
from mmgan.projects import project as project_module
from mmgan.projects import store
from mmgan.projects.projects import Project, Projects


@pytest.fixture
def project(tmp_path) -> Project:
    return Projects(tmp_path / "projects").create("My sounds")


def test_a_long_sound_is_cut_as_the_person_chooses(project, tmp_path):
    bursts = np.zeros(6 * 16_384, np.float32)
    for start in (0, 3 * 16_384):
        bursts[start : start + 16_384] = 0.5 * np.sin(np.arange(16_384) / (5 + start / 16_384))
    buffer = io.BytesIO()
    soundfile.write(buffer, bursts, 16_000, format="FLAC")
    project.add(files(tmp_path, {"rain.flac": buffer.getvalue(), "rain.png": png()}))
    item = by_name(project)["rain.flac"]
    assert item.code == "too_long" and item.act == "cut" and Folder(project.folder).num_sounds == 1
    project.cut([item.id], "pieces")
    data = Folder(project.folder)
    assert data.num_sounds == 2 and data.num_images == 1 and codes(project)["rain.flac"] == ""
    assert all(np.abs(data.sound(i)).max() > 0.4 for i in range(2))
    project.cut([item.id], "loudest")
    assert Folder(project.folder).num_sounds == 1 and codes(project)["rain.flac"] == "too_long"
    with pytest.raises(DataError, match="pieces"):
        project.cut([item.id], "halves")


def test_others_may_work_on_a_project_while_a_sound_is_cut(project, tmp_path, monkeypatch):
    project.add(files(tmp_path, {"rain.wav": wave(seconds=4), "wind.wav": wave(300, seconds=4)}))
    rain, wind = (by_name(project)[name] for name in ("rain.wav", "wind.wav"))
    decode = project_module.decode_sound

    def meanwhile(data, limits):
        project.set_caption([rain.id], "heavy rain")
        project.delete_items([wind.id])
        return decode(data, limits)

    monkeypatch.setattr(project_module, "decode_sound", meanwhile)
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.0)
    project.cut([rain.id], "pieces")
    assert by_name(project)["rain.wav"].caption == "heavy rain" and Folder(project.folder).num_sounds == 4
    with pytest.raises(DataError, match="no longer in the project"):
        project.cut([wind.id], "pieces")


def test_pieces_of_a_sound_that_is_deleted_meanwhile_do_not_stay(project, tmp_path, monkeypatch):
    project.add(files(tmp_path, {"wind.wav": wave(seconds=4)}))
    (wind,) = project.items()
    cut = project_module.cut_pieces

    def meanwhile(waveform):
        project.delete_items([wind.id])
        return cut(waveform)

    monkeypatch.setattr(project_module, "cut_pieces", meanwhile)
    project.cut([wind.id], "pieces")
    assert project.items() == [] and list((project.folder / "pieces").iterdir()) == []


@pytest.mark.parametrize("missing", [False, True])
def test_a_sound_of_unknown_length_is_read_or_says_so(project, tmp_path, monkeypatch, missing):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.sin(np.arange(8_000) / 9).astype(np.float32), 8_000, format="FLAC")
    data = bytearray(buffer.getvalue())
    data[21] &= 0xF0  # the 36 bits of STREAMINFO that count samples, as a program leaves them that writes to a pipe
    data[22:26] = bytes(4)
    if missing:  # the package that reads it to its end
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    project.add(files(tmp_path, {"pipe.flac": bytes(data)}))
    (item,) = project.items()
    assert "does not say how long" in str(item.error) if missing else item.used and abs(item.seconds - 1) < 0.01
