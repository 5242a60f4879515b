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

from .. import __version__
from ..errors import NO_MEMORY, MmganError, lacks_memory
from ..language import Message
from . import app, evaluation, models, sample, training

MAX_SHOWN = 200  # characters of a name in a sentence
ROOMS = (sample, training, models, evaluation, app)  # modules with commands, in the order of the help


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
        return _fail(options, error.message)
    except KeyboardInterrupt:
        print("mmgan: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe left; what is still buffered has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail(options, Message("cli.disk_full"))
        if error.filename is not None and error.strerror:  # the system says which file, and why
            return _fail(options, Message("cli.unusable_name", name=_shown(error.filename), error=error.strerror))
        return _unexpected(options, error)
    except Exception as error:
        return _unexpected(options, error)


def _check_characters(options: argparse.Namespace) -> None:
    """Raises MmganError where something typed cannot be the name of a file, before the system stumbles on it."""
    for value in vars(options).values():
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str):
                continue
            try:
                bad = b"\0" in os.fsencode(text)
            except UnicodeEncodeError:
                bad = True
            if bad:
                raise MmganError("cli.bad_character", text=ascii(text)[:MAX_SHOWN])


def _shown(name) -> str:
    text = os.fsdecode(name) if isinstance(name, (str, bytes)) else str(name)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _fail(options: argparse.Namespace, message: Message) -> int:
    if options.debug:
        traceback.print_exc()
    print(f"mmgan: {message}", file=sys.stderr)
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
    except OSError:  # perhaps it was the disk that failed
        details = "add --debug to see the details"
    print(f"mmgan: Something went wrong inside mmgan ({type(error).__name__}); {details}.", file=sys.stderr)
    return 1


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
        """Adds ``mmgan NAME``, which calls ``run(options)``; returns what adds an argument to it."""
        added = commands.add_parser(name, help=summary, description=summary, parents=[common], allow_abbrev=False)
        added.set_defaults(run=run)
        return added.add_argument

    for room in ROOMS:
        room.add_commands(command)
    return parser
