"""What whoever starts the page decides: the flags of ``mmgan app``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from ..errors import MmganError

HOST, PORT = "127.0.0.1", 7860
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """One value for each flag; see ``mmgan app --help``."""

    host: str = HOST  # address to listen to
    port: int = PORT
    device: str = "auto"
    share: bool = False  # whether the page is also reached through gradio's tunnel, the one thing that needs internet
    auth: tuple[str, str] | None = None  # user and password of everybody; None: whoever reaches the page is let in
    max_upload: int = 200 << 20  # bytes of one uploaded file
    teacher_code: str | None = None  # who knows it starts, stops and deletes runs
    runs: Path = Path("runs")  # where runs are
    projects: Path | None = None  # where visitors' own pictures and sounds are kept; None: beside the runs

    @property
    def projects_folder(self) -> Path:
        """Where projects are."""
        return self.projects or self.runs.parent / "projects"

    @property
    def public(self) -> bool:
        """Whether others than the people at this machine can reach the page."""
        return self.share or self.host not in LOOPBACK


def from_options(options: argparse.Namespace) -> Settings:
    """The settings of the command line.

    Raises:
        MmganError: a flag that cannot be used; the sentence says how it should look.
    """
    auth = None
    if options.auth is not None:
        user, colon, password = options.auth.partition(":")
        if not (user and colon and password):
            raise MmganError("Write --auth as user:password, such as --auth class:sunflower.")
        auth = user, password
    try:
        megabytes = float(options.max_upload)
    except ValueError:
        megabytes = -1.0
    if not 1 <= megabytes <= 100_000:
        raise MmganError("Write --max-upload as a number of megabytes from 1 to 100000, such as --max-upload 200.")
    if options.teacher_code is not None and not options.teacher_code.strip():
        raise MmganError("The teacher code is empty; choose a word that the class does not know.")
    return Settings(
        options.host, options.port, options.device, options.share, auth, int(megabytes * (1 << 20)),
        options.teacher_code, Path(options.runs), Path(options.projects) if options.projects else None,
    )  # fmt: skip
