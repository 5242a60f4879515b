"""What whoever starts the page decides: the flags of ``mmgan app``."""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ...data.limits import PROJECT_LIMITS, Limits
from ...errors import MmganError

HOST, PORT = "127.0.0.1", 7860
AUTH, TEACHER_CODE = "MMGAN_AUTH", "MMGAN_TEACHER_CODE"  # environment variables, for those flags
LOOPBACK = ("127.0.0.1", "localhost", "::1")
UPLOADING = ("ratio_from", "projects", "free_bytes")  # limits that do not concern training
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True)
class Flags:
    """One value for each flag; see ``mmgan app --help``."""

    host: str = HOST  # address to listen to
    port: int = PORT
    device: str = "auto"
    share: bool = False  # whether the page is also reached through gradio's tunnel, which alone needs the internet
    auth: tuple[str, str] | None = None  # one user and password for everybody; None: no login
    max_upload: int = 200 << 20  # bytes of one uploaded file
    teacher_code: str | None = None  # who knows it starts, stops and deletes runs
    runs: Path = Path("runs")  # where runs are
    projects: Path | None = None  # where visitors' own pictures and sounds are kept; None: beside the runs
    limits: Limits = PROJECT_LIMITS  # of what a visitor's project may hold
    proxy: tuple[str, ...] = ()  # addresses of proxies that are believed about who calls
    root_path: str = ""  # the path of the page behind such a proxy, such as "/mmgan"
    allow_host: tuple[str, ...] = ()  # names that this server answers to, besides its own
    allow_frames: bool = False  # whether pages elsewhere may show this one inside them

    @property
    def projects_folder(self) -> Path:
        """Where projects are."""
        return self.projects or self.runs.parent / "projects"

    @property
    def public(self) -> bool:
        """Whether others than the people at this machine can reach the page."""
        return self.share or self.host not in LOOPBACK or bool(self.proxy)


def from_options(options: argparse.Namespace) -> Flags:
    """The flags of a command line.

    Raises:
        MmganError: a flag that cannot be used; the sentence says how it should look.
    """
    auth, given = None, _secret(options, "auth", AUTH)
    if given is not None:
        user, colon, password = given.partition(":")
        if not (user and colon and password):
            raise MmganError("server.bad_auth")
        auth = user, password
    try:
        megabytes = float(options.max_upload)
    except ValueError:
        megabytes = -1.0
    if not 1 <= megabytes <= 100_000:
        raise MmganError("server.bad_upload")
    teacher_code = _secret(options, "teacher_code", TEACHER_CODE)
    if teacher_code is not None and not teacher_code.strip():
        raise MmganError("server.empty_code")
    return Flags(
        options.host, options.port, options.device, options.share, auth, int(megabytes * (1 << 20)),
        teacher_code, Path(options.runs), Path(options.projects) if options.projects else None,
        _limits(options.limit), _proxies(options.proxy), _root_path(options.root_path), _names(options.allow_host),
        options.allow_frames,
    )  # fmt: skip


def _secret(options: argparse.Namespace, name: str, variable: str) -> str | None:
    """The value of a flag, of the file that its ``-file`` flag names, or of the environment; None without any.

    Flags can be seen by everybody who lists the processes of this machine.
    """
    flag, file = "--" + name.replace("_", "-"), getattr(options, f"{name}_file")
    given = getattr(options, name)
    if given is not None and file is not None:
        raise MmganError("server.both_flags", flag=flag)
    if file is None:
        return os.environ.get(variable) or None if given is None else given
    try:
        with open(file, encoding="utf-8-sig") as lines:
            line = lines.readline(1 << 12).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise MmganError("server.unreadable_file", flag=flag, file=file) from error
    if not line.strip():
        raise MmganError("server.empty_file", flag=flag, file=file)
    return line


def _proxies(given: list[str]) -> tuple[str, ...]:
    addresses = [address.strip() for text in given for address in text.split(",")]
    for address in addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            raise MmganError("server.bad_proxy", address=address) from error
    return tuple(addresses)


def _root_path(given: str) -> str:
    path = given.rstrip("/")
    if path and not re.fullmatch(r"(/[\w.~-]+)+", path, re.ASCII):
        raise MmganError("server.bad_root_path", path=given)
    return path


def _names(given: list[str]) -> tuple[str, ...]:
    names = [name.strip().lower().rstrip(".") for text in given for name in text.split(",")]
    for name in names:
        if not re.fullmatch(r"[\w.-]+|\[[0-9a-f:.]+\]", name, re.ASCII):
            raise MmganError("server.bad_host", name=name)
    return tuple(names)


def _limits(changes: list[str]) -> Limits:
    """The limits of projects, with changes written as "name=value".

    Raises:
        MmganError: no such limit, no number, or more than training reads of a dataset.
    """
    values, most = dataclasses.asdict(PROJECT_LIMITS), dataclasses.asdict(Limits())
    for change in changes:
        name, _, text = change.partition("=")
        number, unit = (text[:-1], UNITS[text[-1]]) if text[-1:] in UNITS else (text, 1)
        try:
            value = float(number) * unit
        except ValueError:
            value = math.nan
        if name not in values or not 1 <= value <= 1 << 50:
            raise MmganError("server.bad_limit", given=change, names=", ".join(values))
        if name not in UPLOADING and value > most[name]:
            raise MmganError("server.limit_too_high", name=name, most=int(most[name]))
        values[name] = value if isinstance(values[name], float) else int(value)
    return Limits(**values)
