"""What every folder of ``config.json`` and safetensors has in common; needs no torch to read configs.

::

    config.json      {"format": "mmgan", "version": 1, "model": {the settings}, "info": {name, dataset, ...}}
    *.safetensors    the weights
    README.md        the card

The methods are those of huggingface_hub's ``ModelHubMixin``, which is not used itself: it builds a model from settings
that nobody checked, takes a pickle where it finds no safetensors, ignores tensors that are missing or too many, and
saves over the old files one by one. Here nothing is unpickled, every setting and every shape is checked before anything
is built, a folder is replaced as a whole (:func:`~mmgan.system.files.replace_folder`), and other people's files are
neither read nor replaced.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..config import from_dict, to_dict
from ..errors import CheckpointError
from ..language import Message
from ..system.files import present, read_folder, replace_folder, write_file
from ..system.foreign_json import tidy
from ..system.resources import PRETRAINED, incomplete
from . import remote

if TYPE_CHECKING:
    from typing_extensions import Self

CONFIG, TRAINING, CARD = "config.json", "training.json", "README.md"
MAX_JSON_BYTES = 1 << 20  # a config.json has about a thousand


class Pretrained:
    """Something that is saved as a folder and loaded by the name under ``pretrained/``, a folder or a Hub id.

    A subclass states the class variables, writes its weights in :meth:`_write` and reads them in :meth:`_read`.
    """

    format: ClassVar[str]  # what config.json says by which a folder is recognised
    version: ClassVar[int] = 1
    noun: ClassVar[Message] = Message("models.noun_model")  # in sentences
    section: ClassVar[str] = "config"  # the section of config.json that holds the settings
    config_class: ClassVar[type]  # of the settings
    ships: ClassVar[tuple[str, ...]] = ()  # names under pretrained/ that come with mmgan
    files: ClassVar[tuple[str, ...]] = ("*.json", "*.safetensors", CARD)  # patterns of files to fetch from the Hub
    cached_first: ClassVar[bool] = False  # whether the Hub is asked only for what the local cache lacks

    config: Any  # of config_class
    info: dict  # JSON values for the reader: name, dataset, examples (a list of prompts), steps, ...

    # ----------------------------------------------------------------------------------------------------------- where

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether ``folder`` says of itself that it is one of these; it may still be broken."""
        try:
            return read_json(folder / CONFIG).get("format") == cls.format
        except (CheckpointError, OSError):
            return False

    @classmethod
    def resolve(cls, source: str | Path, offline: bool = False) -> Path:
        """The folder meant by ``source``: a name under ``pretrained/``, a folder, a run's folder, or a Hub id.

        A Hub id ("owner/name") is looked up only where no such folder exists; ``offline``, in the local cache alone.

        Raises:
            CheckpointError: nothing of that name, or the Hub cannot be reached.
        """
        text = str(source)
        if re.fullmatch(r"[\w-][\w.-]*", text) and cls.is_in(PRETRAINED / text):
            return PRETRAINED / text
        folder = Path(text).expanduser()
        checkpoint = folder / "checkpoint"  # of a run
        if present(checkpoint).is_dir() and not cls.is_in(folder):
            return checkpoint
        if present(folder).is_dir():
            return folder
        if folder.exists():
            raise CheckpointError("models.is_file", path=text)
        if remote.is_id(text):
            return remote.download(text, cls.files, offline)
        if text in cls.ships:
            raise CheckpointError(incomplete(f"pretrained/{text}"))
        if folder.is_absolute():
            raise CheckpointError("models.none_at", noun=cls.noun, path=folder)
        names = sorted(entry.name for entry in PRETRAINED.glob("*") if cls.is_in(entry))
        if not names:
            raise CheckpointError("models.no_model", noun=cls.noun, name=text)
        raise CheckpointError("models.no_such_model", noun=cls.noun, name=text, known=", ".join(names))

    # ------------------------------------------------------------------------------------------------------------ load

    @classmethod
    def from_pretrained(cls, source: str | Path, *args: Any, **options: Any) -> Self:
        """Loads by name, folder or Hub id (:meth:`resolve`), in float32 whatever was stored.

        Raises:
            CheckpointError: a folder that is missing, not ours, from another version, truncated, or whose tensors are
                not those that its settings ask for.
        """

        def load(offline: bool) -> Any:
            folder = cls.resolve(source, offline)
            return read_folder(folder, lambda current: cls._read(current, folder, *args, **options))

        if cls.cached_first and remote.is_id(str(source)):
            with contextlib.suppress(CheckpointError):  # not in the cache, or only part of it
                return load(offline=True)
        return load(offline=False)

    @classmethod
    def _read(cls, folder: Path, asked: Path, *args: Any, **options: Any) -> Self:
        """Loads one from ``folder``, which now holds the last save of ``asked``."""
        raise NotImplementedError

    @classmethod
    def read_config(cls, source: str | Path) -> tuple[Any, dict]:
        """The settings and the info, checked, without the weights.

        Raises:
            CheckpointError: see :meth:`from_pretrained`.
        """
        return read_folder(cls.resolve(source), cls._read_config)

    @classmethod
    def _read_config(cls, folder: Path) -> tuple[Any, dict]:
        path = folder / CONFIG
        values = cls.migrate_config(read_json(path))
        if values.get("format") != cls.format:
            raise CheckpointError("models.not_ours", noun=cls.noun, path=folder)
        if values.get("version") != cls.version:
            raise CheckpointError(
                "models.other_version",
                noun=cls.noun, path=folder, version=values.get("version"), known=cls.version,
            )  # fmt: skip
        settings: Any = values.get(cls.section)  # of any type
        try:
            config = from_dict(cls.config_class, settings, str(path))
        except OverflowError as error:  # a whole number that no float can hold
            raise CheckpointError("models.number_outside", path=path) from error
        return config, _shown(values.get("info"))

    @classmethod
    def migrate_config(cls, values: dict) -> dict:
        """Converts the JSON object of a config.json of an earlier version to what this one writes.

        Every config passes here once before it is checked, so any value may be of any type.
        """
        return values

    # ------------------------------------------------------------------------------------------------------------ save

    def save_pretrained(self, folder: str | Path, **options: Any) -> None:
        """Saves, replacing ``folder`` at once: a kill at any moment leaves what was there before, or the new one.

        Files of the old folder that are no part of a checkpoint, such as the card, are kept.

        Args:
            half: store 16-bit floats, which halves the size; for what ships.

        Raises:
            CheckpointError: ``folder`` holds something else; nothing of it is touched.
            MmganError: the disk is full or the folder cannot be written; what was there before is kept.
        """
        folder = Path(folder)
        if folder.is_dir() and any(folder.iterdir()) and not self.is_in(folder):
            raise CheckpointError("models.other_files", noun=self.noun, path=folder)

        def kept(name: str) -> bool:
            return name not in (CONFIG, TRAINING) and not name.endswith(".safetensors")

        replace_folder(folder, lambda new: self._write(new, **options), keep=kept)

    def _write(self, folder: Path, *args: Any, **options: Any) -> None:
        """Fills the empty ``folder``: the weights, and :meth:`_write_config` last."""
        raise NotImplementedError

    def _write_config(self, folder: Path) -> None:
        values = {"format": self.format, "version": self.version, self.section: to_dict(self.config), "info": self.info}
        write_file(folder / CONFIG, to_json(values))

    def card(self) -> str:
        """The text of README.md for the Hub, in Markdown."""
        return f"---\nlibrary_name: mmgan\ntags: [mmgan]\n---\n\n# {str(self.noun).capitalize()}\n\nMade with mmgan.\n"

    def push_to_hub(self, repo_id: str, token: str | None = None, private: bool = True) -> str:
        """Uploads it with a card, in 16-bit floats; see :func:`mmgan.hub.remote.upload`."""

        def write(folder: Path) -> None:
            self.save_pretrained(folder, half=True)
            write_file(folder / CARD, self.card().encode(), flush=False)

        return remote.upload(write, repo_id, self.files, token, private)


def read_json(path: Path) -> dict:
    """The JSON object in a file of a model folder. Raises CheckpointError where there is none, or a huge one."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError("models.config_large", path=path)
        values = json.loads(path.read_bytes().decode())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError("models.no_config", path=path.parent, name=path.name) from error
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError("models.config_unreadable", path=path) from error
    if not isinstance(values, dict):
        raise CheckpointError("models.config_no_object", path=path)
    return values


def to_json(values: dict) -> bytes:
    """As config.json and training.json are written."""
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def _shown(info: Any) -> dict:
    """A folder's info, without what no page could show."""
    kept = {}
    for key, value in info.items() if isinstance(info, dict) else ():
        with contextlib.suppress(ValueError):
            kept[tidy(key)] = tidy(value)
    return kept
