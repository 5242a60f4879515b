"""The comparison of fine-tuning: what is held out, what the judge says, and the textbook DCGAN's shapes."""

import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from mmgan.audio.waveform import write_wav
from mmgan.data.folder.dataset import Folder
from mmgan.evaluation.metrics import kernel_distance
from scripts.finetuning import compare_finetuning as comparison
from scripts.finetuning import make_own_sets as make_own_sets
from scripts.finetuning import own_judge as own_judge
from scripts.finetuning import textbook_dcgan as textbook_dcgan


def test_a_fifth_of_each_caption_is_held_out():
    groups = {"dog": [f"dog/{i}.png" for i in range(10)], "cat": [f"cat/{i}.png" for i in range(5)], "ox": ["ox/1.png"]}
    held = own_judge.split_files(groups)
    assert [sum(name.startswith(c) for name in held) for c in groups] == [2, 1, 0]
    assert held == own_judge.split_files({c: names[::-1] for c, names in groups.items()})


def test_pieces_of_one_recording_stay_on_one_side():
    groups = {"dog": [f"dog/{i}.cut{j}.wav" for i in range(6) for j in (1, 2)]}
    held = own_judge.split_files(groups, 0.34)
    assert len(held) == 4
    assert all((f"dog/{i}.cut1.wav" in held) == (f"dog/{i}.cut2.wav" in held) for i in range(6))
    folds = own_judge.folds_of(groups["dog"])
    assert (folds[::2] == folds[1::2]).all() and len(folds.unique()) == own_judge.FOLDS


def test_the_split_loses_and_shares_no_file(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for caption in ("red", "blue"):
        (tmp_path / "set" / caption).mkdir(parents=True)
        for i in range(6):
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(tmp_path / f"set/{caption}/{i}.png")
        for i in range(5):
            write_wav(tmp_path / f"set/{caption}/s{i}.wav", rng.normal(0, 0.1, 8_000).astype(np.float32), 16_000)
    monkeypatch.setattr(comparison, "cross_validated", lambda *_: 0.5)
    monkeypatch.setattr(
        comparison, "train_judge", lambda rows, labels, n: own_judge.train_judge(rows, labels, n, steps=2)
    )
    own = comparison.OwnSet(tmp_path / "set", tmp_path / "work", 32)
    kept = [Folder(folder, "all") for folder in (own.training, own.held_out)]
    assert [d.num_images for d in kept] == [10, 2] and [d.num_sounds for d in kept] == [8, 2]
    contents = [{p.read_bytes() for p in d.iterdir() if p.suffix != ".csv"} for d in (own.training, own.held_out)]
    assert contents[0] | contents[1] == {p.read_bytes() for p in (tmp_path / "set").rglob("*.*")}
    assert not contents[0] & contents[1]
    image = own.sides["image"]
    for row, label in zip(image.rows, image.labels.tolist(), strict=True):  # each under the caption it came with
        found = [c for c in ("red", "blue") for p in (tmp_path / "set" / c).glob("*.png") if _same(p, row)]
        assert found == [own.captions[label]]
    again = comparison.OwnSet(tmp_path / "set", tmp_path / "work", 32).sides["audio"]  # the judge that was kept
    first = own.sides["audio"]
    assert torch.allclose(again.judge.features(again.rows), first.judge.features(first.rows), atol=1e-5)


def _same(path: Path, row: torch.Tensor) -> bool:
    return np.array_equal(np.asarray(Image.open(path)), ((row + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def coloured(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise on red or blue, [N, 3, 32, 32], and which."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    rows = 0.2 * torch.randn(count, 3, 32, 32, generator=rng) - 0.5
    rows[torch.arange(count), 2 * labels] += 1
    return rows, labels


def test_a_judge_knows_what_it_saw_and_new_files_of_the_kind():
    rows, labels = coloured(16, 0)
    judge = own_judge.train_judge(rows, labels, 2, steps=40)
    side = own_judge.Side("image", ["red", "blue"], rows, labels, torch.arange(16) >= 12, judge, 1.0)
    new, asked = coloured(20, 1)
    figures = side.figures(new, asked)
    assert figures["accuracy"] == 1.0 and 0.3 < figures["variety"] < 3
    assert side.figures(new, 1 - asked)["accuracy"] == 0.0
    wild = side.figures(torch.full_like(new, 30.0), asked)
    assert figures["distance"] < wild["distance"] < 8 * 4  # bounded, however wild the samples are
    assert side.figures(new, None)["accuracy"] is None
    assert own_judge.cross_validated(rows, labels, 2, own_judge.folds_of([str(i) for i in range(16)]), steps=40) > 0.8


def test_a_chequerboard_is_seen_wherever_it_begins():
    plain = torch.linspace(-1, 1, 32).expand(4, 1, 32, 32)
    board = plain + 0.1 * (-1.0) ** (torch.arange(32)[:, None] + torch.arange(32))
    assert own_judge.chequer(plain) < 1e-6
    assert own_judge.chequer(board) == pytest.approx(0.16, rel=1e-3)
    assert own_judge.chequer(board.roll(1, 3)[..., 1:]) == pytest.approx(0.16, rel=1e-3)


def test_the_distance_is_unbiased_and_grows():
    rng = torch.Generator().manual_seed(0)
    pairs = [[torch.randn(8, 4, generator=rng).tanh() for _ in range(2)] for _ in range(300)]
    values = torch.tensor([kernel_distance(x, y) for x, y in pairs])
    assert abs(float(values.mean())) < 3 * float(values.std()) / 300**0.5
    x, y = pairs[0]
    assert kernel_distance(x, y) < kernel_distance(x, y + 1) < kernel_distance(x, y + 2)


def test_a_dcgan_trains_for_as_long_as_it_is_told(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(textbook_dcgan, "time", SimpleNamespace(monotonic=lambda: 10.0 * next(clock)))
    g, steps = textbook_dcgan.train(torch.zeros(4, 3, 32, 32), 1.0)
    assert steps == 5 and not g.training and g(textbook_dcgan.noise(2)).shape == (2, 3, 32, 32)


def test_settings_of_a_further_row(tmp_path):
    options = SimpleNamespace(
        rows=[comparison.OURS], base="shapes", seed=0, tried=["slow: learning_rate=3e-4 base=digits"]
    )
    assert comparison._rows(options, tmp_path) == [
        (comparison.OURS, "shapes", []), ("slow", "digits", ["learning_rate=3e-4"]),
    ]  # fmt: skip


def test_a_resource_file_of_qt_is_read():
    names = b"".join(struct.pack(">HI", len(n), 0) + n.encode("utf-16-be") for n in ("activities", "a.txt"))
    nodes = struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", 0, 2, 1, 2, 0)
    nodes += struct.pack(">IHHHIQ", 26, 0, 0, 0, 0, 0)
    body = struct.pack(">I", 5) + b"hello"
    start = 20
    head = struct.pack(">4s4I", b"qres", 3, start + len(body) + len(names), start, start + len(body))
    assert make_own_sets.read_rcc(head + body + names + nodes) == {"a.txt": b"hello"}
    with pytest.raises(ValueError, match="resource file"):
        make_own_sets.read_rcc(b"PK\x03\x04" + bytes(40))
