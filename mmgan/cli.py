"""The mmgan command: sample, train, finetune, evaluate, export, import, push, data, app.

Each command imports what it needs when it runs, so that ``mmgan --help`` is instant. Exit status: 0 done, 2 something
the person can put right (one sentence on stderr says how), 1 a failure, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .config import LOSS_NAMES, PRESETS
from .errors import NO_MEMORY, MmganError, lacks_memory

MAX_SHOWN = 200  # characters of a name in a sentence
ENCODING = "read captions in this encoding, such as cp949, where it is not to be guessed"
RESUME = (
    "go on with the run in RUN, exactly where it was saved; with another --steps, --minutes, --learning-rate, "
    "--batch-size, --set ... as these say, steps and minutes counted from its beginning"
)
SAMPLE_FILES = "[0-9][0-9][0-9]*"  # of an output folder: 000.png, 000.wav, ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a prompt in the wrong encoding is no reason to stop
    try:
        _check_characters(options)
        status = options.run(options) or 0
        sys.stdout.flush()
        return status
    except MmganError as error:
        return _fail(options, str(error))
    except KeyboardInterrupt:
        print("mmgan: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe left; what is still buffered has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail(options, "The disk is full; free some space and try again.")
        if error.filename is not None and error.strerror:  # of the system, which knows what is wrong with it
            return _fail(options, f"{_shown(error.filename)} cannot be used ({error.strerror}); check the name.")
        return _unexpected(options, error)
    except Exception as error:
        return _unexpected(options, error)


def _check_characters(options: argparse.Namespace) -> None:
    """Raises MmganError where something typed can be no name of a file, on which the system would stumble later."""
    for value in vars(options).values():
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str):
                continue
            try:
                bad = b"\0" in os.fsencode(text)
            except UnicodeEncodeError:
                bad = True
            if bad:
                raise MmganError(f"{ascii(text)[:MAX_SHOWN]} holds a character that cannot be used; type it again.")


def _shown(name) -> str:
    text = os.fsdecode(name) if isinstance(name, (str, bytes)) else str(name)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _fail(options: argparse.Namespace, sentence: str) -> int:
    if options.debug:
        traceback.print_exc()
    print(f"mmgan: {sentence}", file=sys.stderr)
    return 2


def _unexpected(options: argparse.Namespace, error: Exception) -> int:
    if lacks_memory(error):
        return _fail(options, NO_MEMORY)
    if options.debug:
        traceback.print_exc()
        return 1
    try:
        with tempfile.NamedTemporaryFile("w", prefix="mmgan-", suffix=".txt", delete=False, encoding="utf-8") as log:
            traceback.print_exc(file=log)
        details = f"the details are in {log.name}"
    except OSError:  # the disk may be what failed
        details = "add --debug to see the details"
    print(f"mmgan: Something went wrong inside mmgan ({type(error).__name__}); {details}.", file=sys.stderr)
    return 1


def _sample(options: argparse.Namespace) -> None:
    from .pipeline import Pipeline
    from .text import check_prompt

    prompts = [check_prompt(prompt) for prompt in options.prompts]  # all of them before anything is written
    folder = _output_folder(options.out, options.overwrite)
    pipe = Pipeline.from_pretrained(options.model, device=options.device)
    rows, milliseconds = [], 0.0
    for prompt in prompts:
        out = pipe(prompt, num_samples=options.num_samples, seed=options.seed, truncation=options.truncation)
        for image, waveform, seed in zip(out.images, out.audio, out.seeds, strict=True):
            names = _write_pair(folder, len(rows), image, waveform, out.sampling_rate)
            rows.append([*names, prompt, options.model, seed, f"{options.truncation:g}"])
        milliseconds += sum(out.milliseconds.values())
    _write_metadata(folder, rows)
    pairs = "1 picture and its sound" if len(rows) == 1 else f"{len(rows)} pictures and their sounds"
    print(f"{pairs} in {folder} ({options.model}, seed {options.seed}, {out.device}, {milliseconds:.0f} ms)")


def _output_folder(out: str, overwrite: bool) -> Path:
    """The folder to write samples to, made if need be; earlier samples in it go only if that was asked for."""
    from .files import saving

    folder = Path(out)
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
        earlier = [
            *folder.glob(SAMPLE_FILES + ".png"),
            *folder.glob(SAMPLE_FILES + ".wav"),
            *folder.glob("metadata.csv"),
        ]
        if earlier and not overwrite:
            raise MmganError(f"{folder} already holds samples; choose another folder with -o, or add --overwrite.")
        for path in earlier:
            path.unlink()
    return folder


def _write_pair(folder: Path, index: int, image, waveform, sampling_rate: int) -> tuple[str, str]:
    """Writes 000.png and 000.wav (and so on), each whole or not at all, and returns their names."""
    from .audio import write_wav
    from .files import replace_file, saving

    picture, sound = io.BytesIO(), io.BytesIO()
    image.save(picture, "PNG")
    write_wav(sound, waveform, sampling_rate)
    names = f"{index:03d}.png", f"{index:03d}.wav"
    for name, buffer in zip(names, (picture, sound), strict=True):
        with saving(folder / name):
            replace_file(folder / name, buffer.getvalue())
    return names


def _write_metadata(folder: Path, rows: list[list]) -> None:
    """metadata.csv, last, so that a folder that has it is whole; with it the folder is a dataset."""
    import csv

    from .data.layout import safe_cell
    from .files import replace_file, saving

    table = io.StringIO(newline="")
    rows = [[picture, sound, safe_cell(text), *more] for picture, sound, text, *more in rows]
    csv.writer(table).writerows([["file_name", "audio_file", "text", "model", "seed", "truncation"], *rows])
    with saving(folder / "metadata.csv"):
        replace_file(folder / "metadata.csv", table.getvalue().encode("utf-8"))


def _train(options: argparse.Namespace) -> int:
    if not options.data and not options.resume:
        raise MmganError("Say what to learn from with --data: shapes, digits, a folder or a zip.")
    from .data import chosen
    from .training.begin import main as train

    options.data = chosen(options.data)
    return train(options)


def _finetune(options: argparse.Namespace) -> int:
    if options.resume:
        from .training.begin import main as finetune
    elif options.data:
        from .training.finetune import main as finetune
    else:
        raise MmganError("Say what to learn from: a folder or a zip of pictures and sounds.")

    return finetune(options)


def _export(options: argparse.Namespace) -> None:
    from .sharing import export_model

    print(export_model(options.model, options.out or f"{Path(options.model).name}.zip"))


def _import(options: argparse.Namespace) -> None:
    from .sharing import import_model

    folder = import_model(options.zip, options.folder or Path(options.zip).stem)
    print(f"{folder}: sample from it with mmgan sample --model {folder} ...")


def _push(options: argparse.Namespace) -> None:
    from .sharing import push_to_hub

    print(push_to_hub(options.model, options.name, private=not options.public))


def _evaluate(options: argparse.Namespace) -> None:
    from .data import chosen
    from .evaluation.evaluate import run

    run(options.model, chosen(options.data), options.json, options.sheet, options.samples, options.seed, options.device)


def _data(options: argparse.Namespace) -> None:
    from .data import digit_files

    for name in (*digit_files.IMAGE_FILES.values(), *digit_files.SOUND_FILES.values()):
        print(digit_files.find(name))


def _app(options: argparse.Namespace) -> None:
    from .ui.app import main as app
    from .ui.settings import from_options

    app(from_options(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mmgan", description="One sentence gives a picture and a sound that belong together."
    )
    parser.add_argument("--version", action="version", version=f"mmgan {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, ...")
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def command(name, run, summary):
        added = commands.add_parser(name, help=summary, description=summary, parents=[common], allow_abbrev=False)
        added.set_defaults(run=run)
        return added.add_argument

    add = command("sample", _sample, "Write pictures and sounds of prompts to a folder.")
    add("prompts", nargs="+", metavar="PROMPT", help="a sentence in quotes, or several")
    add("-n", "--num-samples", type=int, default=4, help="samples of each prompt (default 4)")
    add("--seed", type=int, default=0, help="the same seed gives the same samples (default 0)")
    add(
        "-o",
        "--out",
        default="out",
        metavar="FOLDER",
        help="000.png, 000.wav, ... and metadata.csv go here (default out)",
    )
    add("--overwrite", action="store_true", help="replace the samples that FOLDER holds already")
    add("--model", default="digits", help="a name that ships, a folder or a Hub id (default digits)")
    add("--truncation", type=float, default=1.0, help="below 1: plainer, steadier samples (default 1)")

    add = command("train", _train, "Train a model into a run folder.")
    add("--data", metavar="NAME|FOLDER|ZIP", help="shapes, digits, a folder or a zip; dataset:shapes beside ./shapes")
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
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting of mmgan/config.py, such as latent_weight=0 or model.image_patch=2; may be repeated",
    )
    add("--nice", type=int, default=0, metavar="N", help="yield to other programs, 1 (a little) to 19 (wherever asked)")
    add("--text-encoder", metavar="FOLDER|ID", help="another text encoder in the space of all-MiniLM-L6-v2")

    add = command("finetune", _finetune, "Fine-tune a model on your own pictures and sounds, into a run folder.")
    add("data", metavar="FOLDER|ZIP", nargs="?", help="your pictures and sounds, with their captions")
    add("--base", metavar="NAME", help="a model that ships, a folder, a run or a Hub id (default shapes)")
    add("--out", required=True, metavar="RUN", help="the run's folder")
    add("--resume", action="store_true", help=RESUME)
    add(
        "--long-sounds",
        choices=["loudest", "pieces"],
        help="take the loudest second of a longer sound (default), or cut it into several",
    )
    add("--encoding", metavar="NAME", help=ENCODING)
    add("--minutes", type=float, help="end after so long at the latest (default 8)")
    add("--steps", type=int, help="end after so many steps instead")
    add("--batch-size", type=int, help="rows a step (default 16)")
    add("--learning-rate", type=float, help="of both networks")
    add("--seed", type=int, help="of batches and samples")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting of training; see train")
    add("--nice", type=int, default=0, metavar="N", help="yield to other programs, 1 (a little) to 19 (wherever asked)")
    add("--text-encoder", metavar="FOLDER|ID", help="another text encoder in the space of all-MiniLM-L6-v2")

    add = command("export", _export, "Write a model with its card as a zip for others.")
    add("model", metavar="MODEL", help="a name that ships, a folder or a run")
    add("-o", "--out", metavar="ZIP", help="the zip (default MODEL.zip)")

    add = command("import", _import, "Check a model zip from elsewhere and unpack it.")
    add("zip", metavar="ZIP", help="what mmgan export wrote")
    add("folder", nargs="?", metavar="FOLDER", help="a new folder (default: the zip's name)")

    add = command("push", _push, "Upload a model to the Hugging Face Hub, with the token of hf auth login or HF_TOKEN.")
    add("model", metavar="MODEL", help="a name that ships, a folder or a run")
    add("name", metavar="OWNER/NAME", help="what it is to be called there")
    add("--public", action="store_true", help="let everybody see it")

    add = command("evaluate", _evaluate, "Measure a model beside real data.")
    add("model", metavar="MODEL", help="a name that ships, a folder or a Hub id")
    add("--data", required=True, metavar="NAME|FOLDER|ZIP", help="the dataset to compare with; see train")
    add("--json", metavar="FILE", help="write the figures here")
    add("--sheet", metavar="FILE", help="write a contact sheet (PNG) here")
    add("--samples", type=int, help="samples of each prompt")
    add("--seed", type=int, default=0, help="of the samples (default 0)")

    add = command("data", _data, "Fetch a dataset ahead, and say where it is.")
    add("name", choices=["digits"], help="the dataset; shapes are made on the fly")

    add = command("app", _app, "Serve the page until Ctrl-C.")
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen to (default 127.0.0.1, this machine only; 0.0.0.0 lets others in)",
    )
    add("--port", type=int, default=7860, help="port to listen to (default 7860)")
    add("--share", action="store_true", help="also open a public link through gradio's tunnel (needs the internet)")
    add("--auth", metavar="USER:PASSWORD", help="ask everybody for this user and password (or set MMGAN_AUTH)")
    add("--auth-file", metavar="FILE", help="take USER:PASSWORD from the first line of FILE")
    add("--max-upload", default="200", metavar="MB", help="largest file that may be uploaded (default 200)")
    add(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="another limit of what a visitor may keep: files=1000, total_bytes=2G, file_bytes=64M, seconds=120, "
        "projects=20, or any other of mmgan/data/limits.py; may be repeated",
    )
    add(
        "--teacher-code",
        metavar="CODE",
        help="only who knows CODE starts, stops or deletes runs (or set MMGAN_TEACHER_CODE)",
    )
    add("--teacher-code-file", metavar="FILE", help="take CODE from the first line of FILE")
    add(
        "--proxy",
        action="append",
        default=[],
        metavar="ADDRESS[,ADDRESS]",
        help="servers in front of this one, as addresses or networks, whose X-Forwarded headers are believed",
    )
    add("--root-path", default="", metavar="PATH", help="where a server in front has the page, such as /mmgan")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="also answer to this name; otherwise this machine's own count, and numbers where --host lets others in",
    )
    add("--allow-frames", action="store_true", help="let other sites show the page inside theirs")
    add("--runs", default="runs", metavar="FOLDER", help="where runs are (default runs)")
    add("--projects", metavar="FOLDER", help="where visitors' own files are kept (default: projects, beside the runs)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
