"""What the library says, for who reads Chinese: all of it has Chinese, and real errors come out in it."""

import io
import itertools
import re
import string
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile
from library_sentences import read_texts
from PIL import Image

import mmgan
from mmgan.config import TrainingConfig, from_dict
from mmgan.data import load_dataset
from mmgan.data.adding import add_from
from mmgan.data.archive import FolderFiles, ZipFiles
from mmgan.data.download import DownloadError
from mmgan.data.examine import SIGNS
from mmgan.data.limits import Limits
from mmgan.data.projects import Projects
from mmgan.data.sources import MemoryFiles
from mmgan.errors import MmganError
from mmgan.evaluation import own
from mmgan.pipeline import Pipeline
from mmgan.sharing import import_model
from mmgan.text import TextEncoder
from mmgan.training.augment import Allowed
from mmgan.training.caption_rules import sentence as allowed_sentence
from mmgan.training.manager import Manager
from mmgan.training.runs import Run
from mmgan.ui.collect_rows import table
from mmgan.ui.problems import Problem, sentence
from mmgan.ui.strings.catalogue import SAID, TEXTS
from mmgan.ui.translation import in_chinese, is_whole
from mmgan.ui.watching import spoken_run

ROOT = Path(mmgan.__file__).parent
# Modules whose sentences no page shows, each with the reason.
NEVER_SHOWN = {
    "cli.py": "speaks to the terminal",
    "data/captions.py": "makes captions, which are data",
    "data/cedict.py": "is read when the text encoder is trained",
    "data/text_corpus.py": "is read when the text encoder is trained",
    "data/export.py": "is called from Python only",
    "data/items.py": "its problems have codes, for which the page has sentences of its own",
    "data/shapes.py": "refuses only what Python callers ask",
    "data/shapes_measure.py": "measures for `mmgan evaluate`",
    "evaluation/evaluate.py": "is `mmgan evaluate`",
}
# Sentences elsewhere that no page shows.
NOT_SHOWN = {
    "stopped: Stopped before it trained, so nothing was lost.": "a line of the log",
    "A sentence gives a picture and a sound that belong together. Made with mmgan.": "of a model's card",
    "Fine-tuned from {}.": "of a model's card",
    "{} is a project, and its table says how each long sound is cut; cut them there, or leave --long-sounds out.": (
        "answers a flag"
    ),
    "A run goes on with the {} that it began with; leave that out, or start a new run in another folder.": (
        "answers flags"
    ),
    "{} is at step {} after {} minutes, so nothing of that is left to do; say how far it should go on, counted from "
    "its beginning, such as --steps {}.": "answers flags",
    "There is a dataset called {} and a folder or zip called that here; write ./{} for what is here, or dataset:{} for "
    "the dataset.": "answers a flag",
    "That of the data it learned from; whoever shares the model should say which.": "of a model's card",
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("ui/") and name not in NEVER_SHOWN:
            yield name, path


def template(english):
    """As the code's are written: "{}" for each place."""
    return "".join(literal + "{}" * (name is not None) for literal, name, _, _ in string.Formatter().parse(english))


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def english_words(text):
    """Words of a Chinese sentence that stayed English, as the library's never are."""
    return re.findall(r"\b(?:the|is|and|of|to|it|not|cannot|was|has|your|again)\b", text)


SPOKEN = {name: read_texts(path) for name, path in modules()}
KNOWN = {template(english) for english in TEXTS}


@pytest.mark.parametrize("name", SPOKEN)
def test_every_sentence_of_the_library_has_chinese(name):
    missing = [
        f"{name}:{line} {said}" for said, line in SPOKEN[name].sentences.items() if said not in KNOWN | set(NOT_SHOWN)
    ]
    assert not missing


def test_every_entry_is_said_by_code():
    said = set().union(*(texts.sentences.keys() | texts.parts.keys() for texts in SPOKEN.values()))
    assert not [english for english in TEXTS if template(english) not in said]
    assert not [english for english in NOT_SHOWN if english not in said]


def test_every_module_that_is_left_out_is_there():
    assert not [name for name in NEVER_SHOWN if not (ROOT / name).is_file()]


@pytest.mark.parametrize("english", TEXTS)
def test_both_languages_have_the_same_places(english):
    assert places(english) == places(TEXTS[english]) and len(set(places(english))) == len(places(english))
    assert CHINESE.search(TEXTS[english]) or english.startswith(("a ", "an ")) or english == "{name} in {where}"
    assert not is_whole(english) or TEXTS[english].endswith(("。", "}"))


@pytest.mark.parametrize("english", [english for english in TEXTS if is_whole(english)])
def test_every_sentence_is_known_again_with_its_values(english):
    values = {name: f"«{name}»" for name in places(english)}
    inner = {name: "the settings" if name == "where" else "update mmgan" for name in SAID & values.keys()}
    found = in_chinese(english.format(**values | inner))
    assert not english_words(found)
    assert all(value in found for name, value in values.items() if name not in inner)
    assert all(TEXTS[value].rstrip() in found for value in inner.values())


def test_templates_have_no_place_right_after_another():
    assert not [english for english in TEXTS if "}{" in english]
    assert sum(template(english).count("{} {}") for english in TEXTS) <= 1  # names with spaces are tried one by one


# What code puts together at run time ---------------------------------------------------------------------------------


def test_a_text_of_nobodys_stays_as_it_is():
    for text in ("", "Something else went wrong.", "It is in there.", "项目里已经没有这个文件。", "x" * 5_000):
        assert in_chinese(text) == text
    assert sentence("Saved at step 3.", "en") == "Saved at step 3."
    assert sentence(Problem("no_prompt"), "zh").startswith("请输入")


def test_several_sentences_in_a_row():
    text = "Saved at step 1,500. It is copying your files: 45% of its samples are nearly the same as one of them."
    assert in_chinese(text) == "已保存在第 1,500 步。它在照抄你的文件：45% 的样本几乎和其中某个文件一样。"
    assert in_chinese("Nobody knows this. Saved at step 3.") == "Nobody knows this. 已保存在第 3 步。"


@pytest.mark.parametrize("allowed", list(itertools.product([True, False], repeat=4)))
def test_what_augmentation_leaves_alone(allowed):
    said = allowed_sentence(Allowed(True, *allowed))
    assert not english_words(in_chinese(said)) and bool(said) == bool(CHINESE.search(in_chinese(said)))


@pytest.mark.parametrize("kind", dict(SIGNS).values())
def test_what_a_file_is_inside(kind):
    text = f"the file is {kind} inside, not what its name says; save it anew as PNG, JPEG, WAV or MP3."
    assert kind not in in_chinese(text) and kind in TEXTS


def test_what_the_held_out_files_say():
    row = {f.name: 0.5 for f in fields(own.Measures)}
    for kind, copies in itertools.product(("image", "audio"), (0.0, 0.2, 0.9)):
        now = own.Measures(**row | {"copies": copies})
        for said in own.describe(kind, now, now):
            assert not english_words(in_chinese(said)) and CHINESE.search(in_chinese(said)), said


def test_hostile_text_takes_no_time():
    """The number of readings is bounded, so these come back; without the bounds they would not."""
    for text in ("{} in " * 300, " (first of them: " + "a " * 900 + ")", ". A" * 600, "a is " * 390):
        assert isinstance(in_chinese(text), str)


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
    said = sentence(DownloadError("mirror.example has no digits.gz any more", "update mmgan"), "zh")
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
    note = "Your pictures are grey, so the base's colours are left out."
    run = {"reason": "Imported from a zip.", "finetune": {"notes": [note], "gauges": {"image": "kept"}}}
    assert spoken_run(run, "en")["finetune"]["notes"] == [note]
    spoken = spoken_run(run, "zh")
    assert spoken["reason"] == "从 zip 导入。" and CHINESE.search(spoken["finetune"]["notes"][0])
    assert spoken["finetune"]["gauges"] == {"image": "kept"} and run["reason"] == "Imported from a zip."


def test_a_run_that_never_started(tmp_path):
    assert sentence(Run(tmp_path / "x").status()["reason"], "zh") == "训练没有启动；请重新开始。"
