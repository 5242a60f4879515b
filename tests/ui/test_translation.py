"""What the library says, for who reads Chinese: real errors, notes and tables come out in it."""

import io
import itertools
import json
import re
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from mmgan.config import TrainingConfig, from_dict
from mmgan.data import load_dataset
from mmgan.data.folder.archive import FolderFiles, ZipFiles
from mmgan.data.folder.sources import MemoryFiles
from mmgan.data.limits import Limits
from mmgan.data.media.preview import SIGNS
from mmgan.errors import MmganError
from mmgan.evaluation import memorisation as own
from mmgan.language import Message
from mmgan.models.modalities.augment import Allowed
from mmgan.projects.importing import add_from
from mmgan.projects.projects import Projects
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.sampling.pipeline import Pipeline
from mmgan.sharing.zips import import_model
from mmgan.system.download import DownloadError
from mmgan.text.encoder import TextEncoder
from mmgan.training.finetune.caption_rules import notes as kept
from mmgan.ui.collect.rows import table
from mmgan.ui.server.sentences import sentence
from mmgan.ui.train.watching import spoken_run

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def english_words(text):
    """Words of a Chinese sentence that stayed English, as the library's never are."""
    return re.findall(r"\b(?:the|is|and|of|to|it|not|cannot|was|has|your|again)\b", text)


# What code puts together at run time ---------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", list(itertools.product([True, False], repeat=4)))
def test_what_augmentation_leaves_alone(allowed):
    said = kept(Allowed(True, *allowed))
    assert bool(said) == (not all(allowed)) and all(CHINESE.search(note.text("zh")) for note in said)
    assert not any(english_words(note.text("zh")) for note in said)


@pytest.mark.parametrize("kind", sorted({what for _, _, what in SIGNS}))
def test_what_a_file_is_inside(kind):
    said = Message("media.something_else", what=Message(f"media.is_{kind}"))
    assert "is_" not in str(said) and not english_words(said.text("zh"))


def test_what_the_held_out_files_say():
    row = {f.name: 0.5 for f in fields(own.Measures)}
    for kind, copies in itertools.product(("image", "audio"), (0.0, 0.2, 0.9)):
        now = own.Measures(**row | {"copies": copies})
        for said in own.describe(kind, now, now):
            assert not english_words(said.text("zh")) and CHINESE.search(said.text("zh")), said


# Real errors ---------------------------------------------------------------------------------------------------------


def wav(samples, rate=16_000):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV")
    return buffer.getvalue()


def png(size):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return buffer.getvalue()


def zipped(path, names, data=b"x"):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return path


def no_model(folder):
    return import_model(zipped(folder / "a.zip", ["config.json"]), folder / "new")


CALLS = {
    "nothing there": lambda folder: load_dataset(str(folder / "nowhere")),
    "no zip": lambda folder: ZipFiles(Path(__file__)),
    "a zip that leads outside": lambda folder: ZipFiles(zipped(folder / "b.zip", ["../x.png"])),
    "too many files": lambda folder: FolderFiles(Path(__file__).parent, Limits(files=1)),
    "nothing to use": lambda folder: load_dataset(str(zipped(folder / "my own.zip", ["my notes.txt"]))),
    "a model zip that is none": no_model,
    "no such model": lambda folder: Pipeline.from_pretrained("no-such-model"),
    "no such device": lambda folder: Pipeline.from_pretrained("shapes", device="quantum"),
    "no encoder": lambda folder: TextEncoder.from_pretrained(folder / "none"),
    "no such run": lambda folder: Manager(folder).run("gone"),
    "a folder that is no run": lambda folder: Run.open(folder),
    "a bad name": lambda folder: Manager(folder).start("../x", "shapes"),
    "no such data": lambda folder: Manager(folder).start("x", "/no/such/folder"),
    "a setting outside": lambda folder: Manager(folder).start("x", "shapes", settings={"learning_rate": 7}),
    "an unknown setting": lambda folder: Manager(folder).start("x", "shapes", settings={"colour": 7}),
    "a setting within": lambda folder: Manager(folder).start("x", "shapes", settings={"model.image_size": "big"}),
    "a config that is none": lambda folder: from_dict(TrainingConfig, []),
    "no such project": lambda folder: Projects(folder).open("abc"),
    "a project without a name": lambda folder: Projects(folder).create(" "),
    "a caption that is too long": lambda folder: Projects(folder).create("a").set_caption([0], "long " * 100),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_real_error_is_chinese(call, tmp_path):
    with pytest.raises(MmganError) as raised:
        CALLS[call](tmp_path)
    found = sentence(raised.value, "zh")
    assert CHINESE.search(found) and not english_words(found.replace(str(tmp_path), "")), found


def test_a_download_that_failed():
    said = sentence(DownloadError("gone", "update", host="mirror.example", name="digits.gz"), "zh")
    assert said == "下载失败：mirror.example 上已经没有 digits.gz；请更新 mmgan。"


def test_a_table_is_chinese(tmp_path):
    project = Projects(tmp_path).create("test", "me")
    files = {
        "broken.png": b"not a picture", "empty.wav": b"", "huge.png": b"\x89PNG" + b"x" * 2_000, "notes.txt": b"hello",
        "fine.png": png((32, 32)), "silent.wav": wav(np.zeros(16_000)), "pdf.png": b"%PDF-1.7 and more of it",
    }  # fmt: skip
    project.limits = Limits(file_bytes=1_500)
    add_from(project, [MemoryFiles({k: v for k, v in files.items() if k != "silent.wav"}, Limits())], "")
    shown = table(project, "zh")
    said = [row["problem"] for row in shown["rows"] if row["problem"]] + [why for _, why in shown["left_out"]]
    assert len(said) >= 5 and not any(english_words(why) or not CHINESE.search(why) for why in said), said
    assert "PDF" in "".join(said)
    english = table(project, "en")
    assert english["left_out"][0][1].startswith("is neither")


def test_a_run_speaks_the_readers_language(tmp_path):
    note, imported = Message("finetune.data_grey"), Message("runs.imported")
    run = {"reason": imported, "finetune": {"notes": [note], "gauges": {"image": Message.plain("kept")}}}
    assert spoken_run(run, "en")["finetune"]["notes"] == ["Your pictures are grey, so the base's colours are left out."]
    spoken = spoken_run(run, "zh")
    assert spoken["reason"] == "从 zip 导入。" and CHINESE.search(spoken["finetune"]["notes"][0])
    assert spoken["finetune"]["gauges"] == {"image": "kept"} and run["reason"] == imported


def test_an_old_run_s_plain_text_is_shown_as_it_stands(tmp_path):
    run = Run.create(tmp_path / "old", {"training": {}, "data": ""})
    old = {"base": "digits", "notes": ["A note."], "sentences": ["A figure."], "gauges": {"image": "It copies."}}
    run.set_status("failed", reason="The disk is full.", finetune=old)
    run.close()
    spoken = spoken_run(Manager(tmp_path).describe("old"), "zh")
    assert spoken["reason"] == "The disk is full." and spoken["finetune"] == old | {"codes": {"image": "plain"}}


def test_a_run_keeps_keys_and_values(tmp_path):
    with Run.create(tmp_path / "new", {"training": {}, "data": ""}) as run:
        run.set_status("stopped", step=7, reason=Message("runs.saved", step=7))
    kept = json.loads((tmp_path / "new" / "status.json").read_text(encoding="utf-8"))
    assert kept["reason"] == {"key": "runs.saved", "values": {"step": 7}}
    assert Run(tmp_path / "new").status()["reason"].text("zh") == "已保存在第 7 步。"


def test_a_project_s_table_keeps_keys_and_values(tmp_path):
    project = Projects(tmp_path).create("test")
    add_from(project, [MemoryFiles({"pdf.png": b"%PDF-1.7", "notes.txt": b"hello"}, Limits())], "")
    kept = json.loads((project.folder / "project.json").read_text(encoding="utf-8"))
    assert kept["items"][0]["error"]["key"] == "media.something_else"
    assert kept["left_out"] == [["notes.txt", {"key": "data.unknown_kind", "values": {}}]]
    kept["items"][0]["error"], kept["left_out"] = "It is broken.", [["notes.txt", "is no sound."]]
    (project.folder / "project.json").write_text(json.dumps(kept), encoding="utf-8")  # as earlier versions wrote it
    shown = table(Projects(tmp_path).open(project.key), "zh")
    assert shown["rows"][0]["problem"] == "未采用：It is broken." and shown["left_out"] == [
        ["notes.txt", "is no sound."]
    ]


def test_a_run_that_never_started(tmp_path):
    assert sentence(Run(tmp_path / "x").status()["reason"], "zh") == "训练没有启动；请重新开始。"
