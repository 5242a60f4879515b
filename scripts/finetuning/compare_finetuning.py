"""Measures fine-tuning on small sets against what else could be done in the same time.

    python scripts/finetuning/make_own_sets.py sets
    python scripts/finetuning/compare_finetuning.py sets/animals sets/fruit sets/percussion --out comparison --minutes 8

For each set (a folder or a zip) a fifth of the files is held out of everything, and a judge of its captions is trained
on all of it. Then `mmgan finetune` runs on the rest as it is, from random weights, and without adaptive augmentation,
and a textbook DCGAN, one after the other, each for as long. OUT/SET.md and .json hold for the base and each of them:

    distance    kernel distance (KID, unbiased, in the judge's features, times 100) to files held out, and to training
                files; held out are few and their captions even, so the best is what training files score, not 0
    right       samples whose caption the judge recognises
    copies      samples that are near-copies of a file, and the diversity, both as mmgan.evaluation.memorisation defines
    them variety     mean distance among samples of one caption over that among the files of one caption; 1 is ideal
    chequer     power of the finest chequerboard in samples over that in files; 1 is ideal, more is an artefact

and OUT/SET.png shows samples of each. --try adds a row with other settings, such as --try "slow: learning_rate=3e-4".
On a machine that does other things too, --steps is fairer than --minutes: every row of ours takes as many, and the
DCGAN as many CPU seconds as ours needed. Rows that OUT has already are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmgan.audio.spectrogram import spectrogram_image
from mmgan.config import ModelConfig, with_values
from mmgan.data.folder.archive import open_files
from mmgan.data.folder.dataset import Folder
from mmgan.data.folder.export import metadata_csv
from mmgan.data.folder.layout import kind_of
from mmgan.data.folder.reading import read_layout
from mmgan.data.loader import Loader
from mmgan.evaluation.memorisation import OwnMeasure
from mmgan.evaluation.report import sample_sheet, write_json
from mmgan.image.pictures import to_pil
from mmgan.models import Generator
from mmgan.models.checkpoint import Model
from mmgan.models.modalities import MODALITIES
from mmgan.text.encoder import TextEncoder
from scripts.finetuning.own_judge import OwnJudge, Side, cross_validated, folds_of, split_files, train_judge

SAMPLES = 200
KINDS = {"image": "pictures", "audio": "sounds"}
OURS, RANDOM, PLAIN, DCGAN = "fine-tuned", "from random weights", "no adaptive augmentation", "textbook DCGAN"
ROWS = (OURS, RANDOM, PLAIN, DCGAN)
NO_AUGMENTATION = ["augment_image=0", "augment_audio=0", "augment_target=0"]
COLUMNS = ("distance", "distance_training", "accuracy", "copies", "diversity", "variety", "chequer")
HEADS = ("distance to held-out", "to training", "right", "copies", "diversity", "variety", "chequer", "CPU s", "steps")


class OwnSet:
    """A set with a fifth of its files held out, and what judges it.

    ``training`` is a folder with the other files, as `mmgan finetune` takes them.
    """

    def __init__(self, source: Path, work: Path, size: int):
        layout = read_layout(open_files(source))
        files, entries = layout.files, layout.entries
        groups: dict[str, dict[str, list[str]]] = {kind: {} for kind in KINDS}
        for entry in entries:
            for kind, name in (("image", entry.image), ("audio", entry.sound)):
                if name:
                    groups[kind].setdefault(entry.text, []).append(name)
        held = {kind: split_files(groups[kind]) for kind in KINDS}
        self.training, self.held_out = work / "training", work / "held-out"
        self.loaders, self.sides = {}, {}
        for folder, is_held in ((self.training, False), (self.held_out, True)):
            _write(folder, files, groups, lambda kind, name, h=is_held: (name in held[kind]) == h)
            data = Folder(folder, "all")
            self.loaders[is_held] = Loader(data, with_values(ModelConfig(), {"image.size": size, "image.channels": 3}))
        self.captions = sorted({c for loader in self.loaders.values() for c in loader.dataset.concepts})
        for kind in KINDS:
            if any(_count(loader, kind) for loader in self.loaders.values()):
                self.sides[kind] = self._side(kind, work / f"judge-{kind}.safetensors")

    def _side(self, kind: str, kept: Path) -> Side:
        rows, labels, held, names = [], [], [], []
        for is_held, loader in self.loaders.items():
            count, data = _count(loader, kind), loader.dataset
            if not count:
                continue
            rows.append(MODALITIES[kind].maps(loader.rows(kind, range(count))))
            labels += [self.captions.index(MODALITIES[kind].concept(data, i)) for i in range(count)]
            names += _names(self.held_out if is_held else self.training, kind)
            held += [is_held] * count
        rows, labels, held = torch.cat(rows), torch.tensor(labels), torch.tensor(held)
        classes = len(self.captions)
        if kept.exists():
            state = load_file(kept)
            known, judge = float(state.pop("known")), OwnJudge(rows.shape[1], classes).eval().requires_grad_(False)
            judge.load_state_dict(state)
        else:
            judge = train_judge(rows, labels, classes)
            known = cross_validated(rows, labels, classes, folds_of(names))
            state = {name: value.contiguous() for name, value in judge.state_dict().items()}
            save_file(state | {"known": torch.tensor(known)}, kept)
        return Side(kind, self.captions, rows, labels, held, judge, known)


def _names(folder: Path, kind: str) -> list[str]:
    """The original names of a folder's files of one kind, in the order of the dataset's bank."""
    wanted = "image" if kind == "image" else "sound"
    return [path.name.split("--", 1)[1] for path in sorted(folder.iterdir()) if kind_of(path.name) == wanted]


def _count(loader: Loader, kind: str) -> int:
    return loader.dataset.num_images if kind == "image" else loader.dataset.num_sounds


def _write(folder: Path, files, groups, wanted) -> None:
    """A dataset of the wanted files: in each caption pictures and sounds side by side, as far as they go."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table, number = [], 0
    for caption in sorted(set(groups["image"]) | set(groups["audio"])):
        names: dict[str, list[str]] = {}
        for kind in KINDS:
            names[kind] = []
            for name in groups[kind].get(caption, []):
                if wanted(kind, name):
                    number += 1
                    kept = f"{number:03}--{Path(name).name}"
                    (folder / kept).write_bytes(files.read(name))
                    names[kind].append(kept)
        for i in range(max(map(len, names.values()))):
            table.append([caption, *(names[kind][i] if i < len(names[kind]) else "" for kind in KINDS)])
    (folder / "metadata.csv").write_bytes(metadata_csv(table))


def random_base(source: str, folder: Path, seed: int) -> Path:
    """A model of the base's sizes that has learned nothing, without critics, so that all of new ones learn."""
    torch.manual_seed(seed)
    model = Model.from_pretrained(source)
    Model(Generator(model.config), None, {"name": "random weights"}).save_pretrained(folder)
    return folder


def run(command: list, threads: int, log: Path) -> tuple[float, float]:
    """Runs a command to its end; returns its wall-clock and CPU seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    with log.open("w") as file:
        subprocess.run([str(c) for c in command], env=environment, check=True, stdout=file, stderr=file)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, cpu


def samples_of(model: str | Path, captions: list[str], latent_seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [N, 3, S, S], log-mels [N, 1, 64, 64] and the captions asked for [N], each equally often."""
    generator, encoder = Model.from_pretrained(model).generator, TextEncoder.from_pretrained()
    asked = torch.arange(SAMPLES) % len(captions)
    latents = torch.randn(SAMPLES, generator.config.latent_dim, generator=torch.Generator().manual_seed(latent_seed))
    with torch.no_grad():
        made = generator(encoder.encode(captions)[asked], latents)
        image, mel = made["image"], made["audio"]
    if image.shape[1] == 1:
        image = image.expand(-1, 3, -1, -1)
    return image.float().clamp(-1, 1), mel.float()[:, None], asked


def measure(own: OwnSet, measures: dict, made: dict[str, Tensor], asked: Tensor | None) -> dict:
    """Figures of each modality in ``made``."""
    found = {}
    for kind, side in own.sides.items():
        if kind not in made:
            continue
        seen = measures[kind](made[kind] if kind == "image" else made[kind][:, 0])
        found[kind] = {**side.figures(made[kind], asked), "copies": seen.copies, "diversity": seen.diversity}
    return found


def table(rows: dict[str, dict], own: OwnSet) -> str:
    """Markdown, a table for each modality."""
    parts = []
    for kind, side in own.sides.items():
        counts = f"{int((~side.held).sum())} to learn from, {int(side.held.sum())} held out"
        parts += [
            f"{KINDS[kind].capitalize()} ({counts}; on files that they never saw such judges are right in "
            f"{side.known:.0%}, by chance {1 / len(own.captions):.0%})", "",
            "| | " + " | ".join(HEADS) + " |", "| --- |" + " ---: |" * len(HEADS),
        ]  # fmt: skip
        for name, row in rows.items():
            if kind in row["figures"]:
                figures = row["figures"][kind]
                cells = [_cell(column, figures[column]) for column in COLUMNS]
                cells += [f"{row[key]:.0f}" if row.get(key) else "" for key in ("cpu", "steps")]
                parts.append(f"| {name} | " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts)


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if column in ("accuracy", "copies") else f"{value * (100 if 'distance' in column else 1):.2f}"


def sheet(rows: dict[str, dict[str, Tensor]], own: OwnSet, path: Path) -> None:
    """A row of samples for each way; sounds alone show their spectrograms in the place of pictures."""
    columns = 8 if len(own.captions) > 4 else 2 * len(own.captions)
    pictures, mels, labels = [], [], []
    for name, made in rows.items():
        for i in range(columns):
            mel = made["audio"][i, 0] if "audio" in made else torch.full((64, 64), -1.0)
            shown = to_pil(made["image"][i]) if "image" in made else spectrogram_image(mel.numpy(), 2)
            pictures.append(shown if isinstance(shown, Image.Image) else Image.fromarray(shown))
            mels.append(mel)
            labels.append(f"{name}: {made['captions'][i]}" if "captions" in made else name)
    sample_sheet(pictures, torch.stack(mels), labels, path, columns)


def compare(source: Path, options: argparse.Namespace) -> None:
    work = options.out / source.stem
    work.mkdir(parents=True, exist_ok=True)
    config = Model.from_pretrained(options.base).config
    own = OwnSet(source, work, config.image.size)
    critics = Model.from_pretrained("shapes", with_discriminators=True).discriminators.eval().requires_grad_(False)
    measures = {k: OwnMeasure(k, critics, own.loaders[False], own.loaders[True]) for k in own.sides}
    found, shown = {}, {"held out": _held_rows(own)}
    real = {k: side.rows[~side.held] for k, side in own.sides.items()}
    found["(training files)"] = {"figures": _real(own, measures, real)}

    def add(name: str, made: dict, asked: Tensor | None, **more) -> None:
        found[name] = {"figures": measure(own, measures, made, asked), **more}
        captions = {} if asked is None else {"captions": [own.captions[i] for i in asked]}
        shown[name] = made | captions

    def add_model(name: str, model, **more) -> None:
        image, mel, asked = samples_of(model, own.captions)
        add(name, {k: v for k, v in (("image", image), ("audio", mel)) if k in own.sides}, asked, **more)

    add_model("base, before", options.base)
    length = ["--steps", options.steps] if options.steps else ["--minutes", options.minutes]
    for name, base, settings in _rows(options, work):
        out = work / name.replace(" ", "-").replace("/", "-")
        if not (out / "cost.json").exists():
            shutil.rmtree(out, ignore_errors=True)
            command = [sys.executable, "-m", "mmgan.cli", "finetune", own.training, "--base", base, "--out", out]
            command += [*length, "--seed", options.seed, *(x for s in settings for x in ("--set", s))]
            wall, cpu = run(command, options.threads, work / f"{out.name}.txt")
            steps = json.loads((out / "status.json").read_text())["step"]
            write_json({"wall": wall, "cpu": cpu, "steps": steps}, out / "cost.json")
        add_model(name, out, **json.loads((out / "cost.json").read_text()))
    if "image" in own.sides and DCGAN in options.rows:
        out, cost = work / "dcgan.safetensors", work / "dcgan.json"
        if not cost.exists():
            command = [sys.executable, Path(__file__).with_name("textbook_dcgan.py"), own.training, out]
            command += ["--samples", SAMPLES, "--size", config.image.size, "--seed", options.seed]
            budget = found.get(OURS, {}).get("cpu", 0.0)
            command += ["--cpu-seconds", budget] if options.steps and budget else ["--minutes", options.minutes]
            wall, cpu = run(command, options.threads, work / "dcgan.txt")
            write_json({"wall": wall, "cpu": cpu, "steps": int(load_file(out)["steps"])}, cost)
        add(DCGAN, {"image": load_file(out)["samples"]}, None, **json.loads(cost.read_text()))
    text = f"## {source.stem}\n\n{table(found, own)}"
    (options.out / f"{source.stem}.md").write_text(text, encoding="utf-8")
    write_json({"set": source.stem, "rows": found}, options.out / f"{source.stem}.json")
    sheet(shown, own, options.out / f"{source.stem}.png")
    print(text)


def _rows(options, work: Path) -> list[tuple[str, str | Path, list[str]]]:
    """Name, base and settings of each fine-tuning."""
    rows = [(OURS, options.base, [])] if OURS in options.rows else []
    if RANDOM in options.rows:
        rows.append((RANDOM, random_base(options.base, work / "random", options.seed), []))
    if PLAIN in options.rows:
        rows.append((PLAIN, options.base, NO_AUGMENTATION))
    for row in options.tried:
        name, _, settings = row.partition(":")
        words = settings.split()
        base = next((w.removeprefix("base=") for w in words if w.startswith("base=")), options.base)
        rows.append((name, base, [w for w in words if not w.startswith("base=")]))
    return rows


def _held_rows(own: OwnSet) -> dict:
    """Held-out files as a row of the sheet, one of each caption first."""
    made = {}
    for kind, side in own.sides.items():
        rows, labels = side.rows[side.held], side.labels[side.held]
        order = sorted(range(len(rows)), key=lambda i: (labels[:i].tolist().count(int(labels[i])), int(labels[i])))
        made[kind] = torch.cat([rows[order]] * (1 + 16 // len(rows)))
    return made


def _real(own: OwnSet, measures: dict, real: dict[str, Tensor]) -> dict:
    """The training files in the place of samples: what copies of all of them would score."""
    found = {}
    for kind, side in own.sides.items():
        figures = side.figures(real[kind], side.labels[~side.held])
        found[kind] = figures | {"copies": 1.0, "diversity": 1.0, "distance_training": None}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, help="folders or zips")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8.0, help="of each training")
    parser.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base", default="shapes")
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument(
        "--try", dest="tried", action="append", default=[], metavar="NAME:SETTINGS", help="a further row"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for source in options.sets:
        compare(source, options)


if __name__ == "__main__":
    main()
