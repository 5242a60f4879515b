"""Downloading one file: progress, resume, checksum, and a name that appears only when the file is whole and right."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from ..errors import DataError
from ..language import Message
from .locks import file_lock

TIMEOUT_SECONDS = 20.0  # without a byte
RETRY_SECONDS = 1.0  # before a dropped connection is tried again
FRUITLESS_TRIES = 3  # in a row without a new byte before a server is given up
CHUNK = 1 << 16
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR)


class DownloadError(DataError):
    """No server gave the file: offline, gone, or other than expected. ``reason`` says which, in half a sentence.

    Args:
        reason, advice: keys under "download" in :mod:`mmgan.language`.
        values: for the reason's places.
    """

    def __init__(self, reason: str, advice: str = "later", **values):
        self.reason = Message(f"download.{reason}", **values)
        super().__init__("download.failed", reason=self.reason, advice=Message(f"download.{advice}"))


def fetch(
    url: str | Iterable[str],
    target: str | Path,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    most: int | None = None,
    progress: bool = True,
) -> Path:
    """Downloads ``url``, or the first of several mirrors that has it, to ``target``; a file already there is kept.

    What has arrived waits in ``target.part`` and is continued (HTTP Range), now after a dropped connection or in a
    later call. The file takes its name only once ``size`` in bytes and the checksums (hexadecimal), as far as they are
    given, are right; of more than ``most`` bytes no more are read. Of several processes one downloads and the others
    wait. ``progress`` shows a bar.

    Raises:
        DownloadError: no connection, no such file, or a wrong size or checksum on every mirror.
        DataError: the folder of ``target`` cannot be written, or the disk is full.
    """
    urls, target = [url] if isinstance(url, str) else list(url), Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(f"{target}.lock"):
            return (
                target
                if target.is_file()
                else _fetch(urls, target, {"sha256": sha256, "md5": md5}, _Size(size, most), progress)
            )
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DataError("download.disk_full", path=target.parent) from error
        if error.errno in NOT_OURS:
            raise DataError("download.closed", path=target.parent) from error
        raise DataError("download.failed_locally", name=target.name, error=error.strerror or error) from error


@dataclass(frozen=True)
class _Size:
    """Bytes that a file must have, or may have at most."""

    exact: int | None = None
    most: int | None = None

    def exceeded(self, length: int) -> bool:
        return any(limit is not None and length > limit for limit in (self.exact, self.most))

    def fits(self, length: int) -> bool:
        return not self.exceeded(length) and self.exact in (None, length)


def _fetch(urls: list[str], target: Path, checksums: dict[str, str | None], size: _Size, progress: bool) -> Path:
    part, problem = target.with_name(f"{target.name}.part"), None
    for url in urls:
        try:
            _receive_all(url, part, size, progress)
            _verify(part, checksums, size)
        except DownloadError as error:
            problem = error
        else:
            os.replace(part, target)
            return target
    raise problem or DownloadError("no_address", "give_address", name=target.name)


def _receive_all(url: str, part: Path, size: _Size, progress: bool) -> None:
    """Takes up the download again after each drop, as long as it brings new bytes."""
    longest, fruitless = _length(part), 0
    reason: Exception
    while True:
        try:
            return _receive(url, part, size, progress)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise DownloadError("gone", "update", host=_host(url), name=part.stem) from error
            reason = error
        except urllib.error.URLError as error:  # no connection at all: asking again at once would not help
            raise DownloadError("unreachable", "check_connection", host=_host(url)) from error
        except (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException) as error:
            reason = error
        fruitless = 0 if _length(part) > longest else fruitless + 1
        longest = max(longest, _length(part))
        if fruitless >= FRUITLESS_TRIES:
            raise DownloadError("breaks_off", "later_kept", host=_host(url), name=part.stem) from reason
        time.sleep(RETRY_SECONDS)


def _receive(url: str, part: Path, size: _Size, progress: bool) -> None:
    """One connection: the rest of the file is appended to ``part``, or all of it if the server knows no ranges."""
    have = _length(part)
    if size.exact is not None and have == size.exact:
        return
    headers = {"User-Agent": "mmgan"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        if error.headers.get("Content-Range", "").endswith(f"/{have}"):
            return  # the file is complete
        part.unlink()
        raise ConnectionResetError("the kept part does not belong to this file") from error
    with answer:
        if not (answer.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(answer, have)):
            have = 0
        rest = int(answer.headers["Content-Length"]) if answer.headers.get("Content-Length", "").isdigit() else None
        total = None if rest is None else have + rest
        with (
            part.open("ab" if have else "wb") as file,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem, disable=not progress) as bar,
        ):
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
                have += len(chunk)
                if size.exceeded(have):
                    break  # another file; the check of its hash will say so
    if total is not None and have < total:
        raise ConnectionResetError("the connection broke off")


def _verify(part: Path, checksums: dict[str, str | None], size: _Size) -> None:
    """Removes ``part`` and raises if it is not the right file."""
    expected = {name: value.lower() for name, value in checksums.items() if value}
    right = size.fits(_length(part))
    for name, value in expected.items():
        digest = hashlib.new(name)
        with part.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        right = right and digest.hexdigest() == value
    if not right:
        part.unlink()
        raise DownloadError("damaged", name=part.stem)


def _starts_at(answer, position: int) -> bool:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return found is not None and int(found[1]) == position


def _length(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _host(url: str) -> str:
    return urlsplit(url).netloc
