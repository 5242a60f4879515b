"""``mmgan evaluate`` and ``mmgan data``."""

from __future__ import annotations

import argparse
import sys

from ..data.registry import DATASETS


def add_commands(command) -> None:
    add = command("evaluate", evaluate, "Measure a model beside real data.")
    add("model", metavar="MODEL", help="a name that ships, a folder or a Hub id")
    add("--data", required=True, metavar="NAME|FOLDER|ZIP", help="the dataset to compare with; see train")
    add("--json", metavar="FILE", help="write the figures here")
    add("--sheet", metavar="FILE", help="write a contact sheet (PNG) here")
    add("--samples", type=int, help="samples of each prompt")
    add("--seed", type=int, default=0, help="of the samples (default 0)")

    add = command("data", data, "Fetch a dataset ahead, and say where it is.")
    downloaded = [name for name, dataset in DATASETS.items() if dataset.files]
    add("name", choices=downloaded, help="the dataset; shapes are made on the fly")


def evaluate(options: argparse.Namespace) -> None:
    from ..data import chosen
    from ..evaluation.evaluate import run

    run(options.model, chosen(options.data), options.json, options.sheet, options.samples, options.seed, options.device)


def data(options: argparse.Namespace) -> None:
    dataset = DATASETS[options.name]
    print(*dataset.fetch(), sep="\n")
    print(dataset.attribution(), end="", file=sys.stderr)
