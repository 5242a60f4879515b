"""``mmgan train`` and ``mmgan finetune``."""

from __future__ import annotations

import argparse

from ..config import LOSS_NAMES, PRESETS
from ..errors import MmganError

ENCODING = "read captions in this encoding, such as cp949, where it is not to be guessed"
RESUME = (
    "go on with the run in RUN, exactly where it was saved; with another --steps, --minutes, --learning-rate, "
    "--batch-size, --set ... as these say, steps and minutes counted from its beginning"
)
NICE = "yield to other programs, 1 (a little) to 19 (wherever asked)"
TEXT_ENCODER = "another text encoder in the space of all-MiniLM-L6-v2"


def add_commands(command) -> None:
    add = command("train", train, "Train a model into a run folder.")
    add(
        "--data",
        metavar="NAME|FOLDER|ZIP",
        help="shapes, digits, emoji, a folder or a zip; dataset:shapes beside ./shapes",
    )
    add("--encoding", metavar="NAME", help=ENCODING)
    add("--preset", choices=PRESETS, help="the model's size (default tiny)")
    add("--start-from", metavar="MODEL", help="go on from this model's weights, and with its sizes, as a new run")
    add("--out", required=True, metavar="RUN", help="the run's folder")
    add("--minutes", type=float, help="end after so long")
    add("--steps", type=int, help="end after so many steps")
    add("--resume", action="store_true", help=RESUME)
    add("--loss", choices=LOSS_NAMES, help="the adversarial loss")
    add("--batch-size", type=int, help="rows a step, over all processes")
    add("--accumulate", type=int, help="slices a step is cut into, to save memory")
    add("--learning-rate", type=float, help="of both networks")
    add("--gamma", type=float, help="weight of the gradient penalties R1 and R2")
    add("--seed", type=int, help="of weights and batches")
    add(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="any other setting of mmgan/config, such as latent_weight=0 or model.image.patch=2; may be repeated",
    )  # fmt: skip
    add("--nice", type=int, default=0, metavar="N", help=NICE)
    add("--text-encoder", metavar="FOLDER|ID", help=TEXT_ENCODER)

    add = command("finetune", finetune, "Fine-tune a model on your own pictures and sounds, into a run folder.")
    add("data", metavar="FOLDER|ZIP", nargs="?", help="your pictures and sounds, with their captions")
    add("--base", metavar="NAME", help="a model that ships, a folder, a run or a Hub id (default shapes)")
    add("--out", required=True, metavar="RUN", help="the run's folder")
    add("--resume", action="store_true", help=RESUME)
    add(
        "--long-sounds", choices=["loudest", "pieces"],
        help="take the loudest second of a longer sound (default), or cut it into several",
    )  # fmt: skip
    add("--encoding", metavar="NAME", help=ENCODING)
    add("--minutes", type=float, help="end after so long at the latest (default 8)")
    add("--steps", type=int, help="end after so many steps instead")
    add("--batch-size", type=int, help="rows a step (default 16)")
    add("--learning-rate", type=float, help="of both networks")
    add("--seed", type=int, help="of batches and samples")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting of training; see train")
    add("--nice", type=int, default=0, metavar="N", help=NICE)
    add("--text-encoder", metavar="FOLDER|ID", help=TEXT_ENCODER)


def train(options: argparse.Namespace) -> int:
    from ..data import chosen
    from ..training import start

    if not options.data and not options.resume:
        raise MmganError("cli.no_data")
    options.data = chosen(options.data)
    return start.main(options)


def finetune(options: argparse.Namespace) -> int:
    if options.resume:
        from ..training import start

        return start.main(options)
    if not options.data:
        raise MmganError("cli.no_files")
    from ..training.finetune import command

    return command.main(options)
