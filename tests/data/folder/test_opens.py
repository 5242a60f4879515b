"""What is exported opens where it is said to open: read by the ``datasets`` library and others, offline."""

import csv
import io
import os
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pandas
import pytest
import soundfile
from own_files import picture, sound
from PIL import Image

from mmgan.data.base import Example
from mmgan.data.folder import parquet
from mmgan.data.folder.dataset import Folder
from mmgan.data.folder.export import export_dataset
from mmgan.projects.projects import Projects

# Captions that a table, a spreadsheet or a markup could change.
CAPTIONS = [
    "a red apple",
    'a "quoted", ripe one',
    "=1+1",
    "'=a",
    "苹果，红的",
    "007",
    "NA",
    "# one - two: `three`",
    "ﬁ é",
]


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """The library, which asks no network and keeps its cache out of the home folder."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
            patch.setenv(name, "1")
        patch.setenv("HF_HOME", str(folder))
        patch.setenv("HF_DATASETS_CACHE", str(folder / "datasets"))
        library = pytest.importorskip("datasets", reason="the library is of the test extra")
        try:
            import torchcodec.encoders  # noqa: F401
        except Exception:  # not there, or without FFmpeg: it is what decodes, which these tests leave to soundfile
            # "audiofolder" asks whether it is there before it even notes a file's name.
            patch.setitem(sys.modules, "torchcodec", types.ModuleType("torchcodec"))
            patch.setitem(sys.modules, "torchcodec.encoders", types.SimpleNamespace(AudioEncoder=None))
        yield library


def opened(datasets, tmp_path, *arguments, **more):
    """All rows of the train split, sounds undecoded."""
    data = datasets.load_dataset(*arguments, split="train", cache_dir=str(tmp_path / "cache"), **more)
    for name, feature in data.features.items():
        if isinstance(feature, datasets.Audio):
            data = data.cast_column(name, datasets.Audio(decode=False))
    return data, list(data)


def heard(value):
    """(samples, rate) of what an Audio feature gives undecoded."""
    return soundfile.read(io.BytesIO(value["bytes"]) if value["bytes"] else value["path"])


def project(tmp_path, kinds=("png", "wav"), captions=CAPTIONS):
    made = Projects(tmp_path / "projects").create('Äpfel & "more"')
    for number, caption in enumerate(captions):
        if "png" in kinds:
            picture(tmp_path / "in" / f"{number}.png", (20 * number, 0, 0))
        if "wav" in kinds:
            sound(tmp_path / "in" / f"{number}.wav", 300 + 50 * number)
        made.add([tmp_path / "in" / f"{number}.{kind}" for kind in kinds], caption)
    if len(kinds) == 2:
        names = {item.name: item.id for item in made.items()}
        for number in range(len(captions)):
            made.pair(names[f"{number}.png"], names[f"{number}.wav"])
    return made


def exported(tmp_path, made):
    """The zip, and the folder that it unpacks to."""
    made.export(tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "mine.zip", tmp_path / "unpacked"


def test_pictures_alone_open_as_imagefolder(datasets, tmp_path):
    path, folder = exported(tmp_path, project(tmp_path, ["png"], CAPTIONS[:5]))
    for asked in ({"data_dir": str(folder)}, {"data_files": str(path)}):
        data, rows = opened(datasets, tmp_path, "imagefolder", **asked)
        assert isinstance(data.features["image"], datasets.Image) and len(rows) == 5
        assert [row["image"].getpixel((0, 0))[0] for row in rows] == [0, 20, 40, 60, 80]
        assert [row["text"] for row in rows][:2] == CAPTIONS[:2]
    assert opened(datasets, tmp_path, str(folder))[0].features == data.features
    assert 'load_dataset("imagefolder"' in (folder / "README.md").read_text(encoding="utf-8")


def test_sounds_alone_open_as_audiofolder(datasets, tmp_path):
    path, folder = exported(tmp_path, project(tmp_path, ["wav"], CAPTIONS[:5]))
    _, rows = opened(datasets, tmp_path, "audiofolder", data_dir=str(folder))
    assert len(rows) == 5 and [row["text"] for row in rows][:2] == CAPTIONS[:2]
    assert [heard(row["audio"])[1] for row in rows] == [16_000] * 5
    described = datasets.load_dataset("audiofolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
    assert isinstance(described["train"].features["audio"], datasets.Audio)
    assert len(opened(datasets, tmp_path, "audiofolder", data_files=str(path))[1]) == 5
    assert 'load_dataset("audiofolder"' in (folder / "README.md").read_text(encoding="utf-8")


def test_pairs_open_as_parquet_with_pictures_and_sounds(datasets, tmp_path):
    made = project(tmp_path)
    _, folder = exported(tmp_path, made)
    plain = datasets.load_dataset("parquet", data_files=str(folder / "pairs.parquet"), cache_dir=str(tmp_path / "c"))
    assert list(plain["train"].features) == ["text", "image", "audio"]
    assert isinstance(plain["train"].features["image"], datasets.Image)
    assert isinstance(plain["train"].features["audio"], datasets.Audio)
    for asked in (("parquet", {"data_files": str(folder / "pairs.parquet")}), (str(folder), {})):  # the card names it
        _, rows = opened(datasets, tmp_path, asked[0], **asked[1])
        assert [row["text"] for row in rows] == CAPTIONS  # not one character is changed
        for number, row in enumerate(rows):
            assert row["image"].getpixel((0, 0)) == (20 * number, 0, 0)
            samples, rate = heard(row["audio"])
            assert abs(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples) - 300 - 50 * number) < 10


def test_what_a_row_lacks_is_none(datasets, tmp_path):
    made = project(tmp_path, captions=CAPTIONS[:2])
    picture(tmp_path / "in" / "seen.png", "blue")
    sound(tmp_path / "in" / "heard.wav")
    made.add([tmp_path / "in" / "seen.png"], "only seen")
    made.add([tmp_path / "in" / "heard.wav"], "only heard")
    _, folder = exported(tmp_path, made)
    rows = {row["text"]: row for row in opened(datasets, tmp_path, str(folder))[1]}
    assert rows["only seen"]["audio"] is None and rows["only heard"]["image"] is None and len(rows) == 4
    rows = {row["text"]: row for row in opened(datasets, tmp_path, "imagefolder", data_dir=str(folder))[1]}
    assert rows["only heard"]["image"] is None and rows["only seen"]["image"].size == (16, 16)


def test_pairs_as_imagefolder_give_their_pictures_and_name_their_sounds(datasets, tmp_path):
    path, folder = exported(tmp_path, project(tmp_path, captions=CAPTIONS[:4]))
    for asked in ({"data_dir": str(folder)}, {"data_files": str(path)}):
        _, rows = opened(datasets, tmp_path, "imagefolder", **asked)
        assert [row["image"].size for row in rows] == [(16, 16)] * 4
        assert all((folder / row["audio_file"]).suffix == ".wav" for row in rows)
        assert all((folder / row["audio_file"]).is_file() for row in rows)


def test_without_pyarrow_an_export_says_how_to_get_pairs(datasets, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "can_write", lambda: False)
    _, folder = exported(tmp_path, project(tmp_path, captions=CAPTIONS[:2]))
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "pip install 'mmgan[parquet]'" in text and not (folder / "pairs.parquet").exists()
    assert len(opened(datasets, tmp_path, "imagefolder", data_dir=str(folder))[1]) == 2
    assert Folder(folder).num_sounds == 2


@pytest.mark.parametrize("kinds", [("png",), ("wav",), ("png", "wav")])
def test_exports_come_back_word_for_word(tmp_path, kinds):
    made = project(tmp_path, kinds)
    path, folder = exported(tmp_path, made)
    for source in (path, folder):
        data = Folder(source)
        assert set(data.concepts) == set(CAPTIONS) and not data.problems
        again = Projects(tmp_path / f"again {Path(source).suffix}").create("again")
        again.add([source])
        assert sorted(item.caption for item in again.items()) == sorted(item.caption for item in made.items())
        assert again.summary().pairs == made.summary().pairs and not again.left_out()
    # As mmgan wrote them before: another name of the sounds' column.
    table = (folder / "metadata.csv").read_text(encoding="utf-8").replace("audio_file", "audio_file_name", 1)
    (folder / "metadata.csv").write_text(table, encoding="utf-8")
    assert set(Folder(folder).concepts) == set(CAPTIONS)


def test_the_copy_for_other_programs_does_not_count_against_the_limits(tmp_path):
    from mmgan.data.folder.archive import ZipFiles
    from mmgan.data.limits import Limits

    path, _ = exported(tmp_path, project(tmp_path, captions=CAPTIONS[:3]))
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    copy = sizes.pop("pairs.parquet")
    assert copy > max(sizes.values())
    limits = Limits(file_bytes=max(sizes.values()), total_bytes=sum(sizes.values()))
    assert sorted(ZipFiles(path, limits).names) == sorted(sizes)


def test_a_large_table_is_written_in_pieces(datasets, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 3)
    picture(tmp_path / "a.png")
    parquet.write_pairs(tmp_path / "pairs.parquet", ((f"row {i}", tmp_path / "a.png", None) for i in range(8)))
    rows = opened(datasets, tmp_path, "parquet", data_files=str(tmp_path / "pairs.parquet"))[1]
    assert [row["text"] for row in rows] == [f"row {i}" for i in range(8)] and rows[7]["image"].size == (16, 16)


def test_datasets_written_from_python_open_alike(datasets, tmp_path):
    tone = (0.5 * np.sin(np.arange(4_000) / 5)).astype(np.float32)
    examples = [Example(f"{i} =x", Image.new("RGB", (8, 8), (i, 0, 0)), tone) for i in range(3)]
    export_dataset(examples, tmp_path / "pairs")
    rows = opened(datasets, tmp_path, "parquet", data_files=str(tmp_path / "pairs" / "pairs.parquet"))[1]
    assert [row["text"] for row in rows] == ["0 =x", "1 =x", "2 =x"] and heard(rows[0]["audio"])[1] == 16_000
    assert len(opened(datasets, tmp_path, "imagefolder", data_dir=str(tmp_path / "pairs"))[1]) == 3
    export_dataset([Example("b", None, tone)], tmp_path / "sounds")
    assert (
        heard(opened(datasets, tmp_path, "audiofolder", data_dir=str(tmp_path / "sounds"))[1][0]["audio"])[1] == 16_000
    )
    assert not (tmp_path / "sounds" / "pairs.parquet").exists()


def test_a_metadata_table_opens_in_spreadsheet_readers_and_computes_nothing(tmp_path):
    _, folder = exported(tmp_path, project(tmp_path))
    table = pandas.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False)
    assert list(table.columns) == ["text", "file_name", "audio_file"] and len(table) == len(CAPTIONS)
    assert not [text for text in table["text"] if text.lstrip().startswith(("=", "+", "-", "@"))]
    with open(folder / "metadata.csv", encoding="utf-8", newline="") as file:
        dialect = csv.Sniffer().sniff(file.readline())
    assert dialect.delimiter == ","
    for row in table.itertuples():
        with Image.open(folder / row.file_name) as image:
            image.verify()
        assert soundfile.info(folder / row.audio_file).samplerate == 16_000


def test_exporting_loads_no_parquet_writer_before_it_is_needed():
    code = "import sys; import mmgan.projects.projects, mmgan.data.folder.export; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
