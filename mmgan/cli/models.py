"""``mmgan export``, ``import`` and ``push``: models to other people and from them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_commands(command) -> None:
    add = command("export", export, "Write a model with its card as a zip for others.")
    add("model", metavar="MODEL", help="a name that ships, a folder or a run")
    add("-o", "--out", metavar="ZIP", help="the zip (default MODEL.zip)")

    add = command("import", import_model, "Check a model zip from elsewhere and unpack it.")
    add("zip", metavar="ZIP", help="what mmgan export wrote")
    add("folder", nargs="?", metavar="FOLDER", help="a new folder (default: the zip's name)")

    add = command("push", push, "Upload a model to the Hugging Face Hub, with the token of hf auth login or HF_TOKEN.")
    add("model", metavar="MODEL", help="a name that ships, a folder or a run")
    add("name", metavar="OWNER/NAME", help="what it is to be called there")
    add("--public", action="store_true", help="let everybody see it")


def export(options: argparse.Namespace) -> None:
    from ..sharing.zips import export_model

    print(export_model(options.model, options.out or f"{Path(options.model).name}.zip"))


def import_model(options: argparse.Namespace) -> None:
    from ..sharing.zips import import_model

    folder = import_model(options.zip, options.folder or Path(options.zip).stem)
    print(f"{folder}: sample from it with mmgan sample --model {folder} ...")


def push(options: argparse.Namespace) -> None:
    from ..sharing.hub import push_to_hub

    print(push_to_hub(options.model, options.name, private=not options.public))
