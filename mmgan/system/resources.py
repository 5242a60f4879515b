"""Where the files are that ship with mmgan: ``pretrained/`` (models) and ``assets/`` (of the page).

They stand at the top of the repository. A wheel holds them inside the package (``pyproject.toml`` maps them there), so
an installed mmgan finds them beside this file, and a checkout, editable or merely on the path, one folder higher.
"""

from __future__ import annotations

from pathlib import Path

from ..language import Message

PACKAGE = Path(__file__).resolve().parents[1]  # the folder of the package mmgan
MODELS = ("digits", "shapes")  # models that ship, in the order shown


def shipped(name: str, package: Path = PACKAGE) -> Path:
    """The folder ``name`` ("pretrained" or "assets") of this installation, which lacks it if it is incomplete.

    Args:
        package: where the package ``mmgan`` is; for tests.
    """
    inside, above = package / name, package.parent / name
    # An installed package lies among others, one of which may be called "assets".
    return above if not inside.is_dir() and (package.parent / "pyproject.toml").is_file() else inside


def incomplete(missing: str) -> Message:
    """What to say where ``missing`` ("pretrained/digits") should have come with the installation."""
    return Message("files.incomplete", missing=missing)


PRETRAINED, ASSETS = shipped("pretrained"), shipped("assets")
