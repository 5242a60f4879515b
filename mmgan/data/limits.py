"""What a dataset may hold, in one place, so that a person can read it before uploading and every check agrees."""

from __future__ import annotations

from dataclasses import dataclass

from ..language import Message


@dataclass(frozen=True)
class Limits:
    """Beyond these a dataset is refused as a whole; beyond a limit of one file, that file is."""

    files: int = 50_000
    total_bytes: int = 4 << 30  # all files of a zip, unpacked; all that a project keeps
    file_bytes: int = 512 << 20  # one file, unpacked (ten minutes of stereo sound is 110 MB)
    ratio: int = 200  # unpacked to packed size; photographs and recordings are near 1, plain drawings near 100
    ratio_from: int = 16 << 20  # bytes; files and zips that unpack to less are harmless at any ratio
    depth: int = 12  # folders within folders
    pixels: int = 64_000_000  # of one picture, read from its header before anything is decoded
    picture_side: int = 32_768  # of the longer side: a picture one pixel high has few pixels
    seconds: float = 600.0  # of one sound file
    samples: int = 64_000_000  # of one sound file, over all its channels
    table_bytes: int = 64 << 20  # of one table of captions, and of all captions in files of their own
    projects: int = 200  # of one person
    free_bytes: int = 256 << 20  # of the disk that an upload leaves free

    @property
    def rows(self) -> int:
        """Lines of one table of captions; a file may stand in several."""
        return 5 * self.files

    @property
    def message(self) -> Message:
        """The limits in words, to be shown before an upload."""
        return Message(
            "projects.limits", files=self.files, each=mebibytes(self.file_bytes), all=mebibytes(self.total_bytes),
            pixels=round(self.pixels / 1e6, 1), minutes=round(self.seconds / 60, 1),
        )  # fmt: skip

    @property
    def sentence(self) -> str:
        """The same in English."""
        return str(self.message)


# Visitors get less: they wait while their uploads are decoded, and share the disk.
PROJECT_LIMITS = Limits(files=5_000, total_bytes=1 << 30, file_bytes=128 << 20, table_bytes=8 << 20)


def mebibytes(size: int) -> str:
    """ "512 MiB", "0.5 MiB"."""
    return f"{size / (1 << 20):,.{0 if size >= 10 << 20 or size % (1 << 20) == 0 else 1}f} MiB"
