"""A person's own pictures and sounds: what can be done with them. Where they are: :mod:`mmgan.projects.store`."""

from __future__ import annotations

import dataclasses
import io
import posixpath
import re
from collections.abc import Callable, Iterable

from ..audio.waveform import SOURCE_RATE, write_wav
from ..data.folder.layout import clean_text
from ..data.folder.sources import MemoryFiles
from ..data.media.cutting import cut_pieces
from ..data.media.preview import decode_sound
from ..errors import DataError
from ..system.files import replace_file, saving
from .export import export_project
from .importing import Added, Progress, add, add_from
from .items import CUTS, MAX_CAPTION, Item, is_long, piece_name
from .rereading import forget, read_again
from .store import Store
from .table import check_caption, check_name, select


class Project(Store):
    """One project, opened by its folder. Each change is on the disk when it returns."""

    add = add
    export = export_project
    read_again = read_again
    forget_reading = forget

    def add_recordings(self, files: dict[str, bytes], caption: str = "", progress: Progress | None = None) -> Added:
        """Adds files from memory (name -> bytes), such as webcam pictures and clips, under one caption."""
        return add_from(self, [MemoryFiles(files, self.limits)], caption, progress)

    def rename(self, name: str) -> None:
        self.change(lambda state: state.update(name=check_name(name)))

    def share(self, shared: bool = True) -> None:
        """Lets every visitor see it, or its owner alone."""
        self.change(lambda state: state.update(shared=bool(shared)))

    def set_caption(self, ids: Iterable[int], caption: str) -> int:
        """The same caption for each of the items and their partners; returns how many changed.

        Raises:
            DataError: the caption is too long.
        """
        return self.caption_by(ids, check_caption(caption).replace("{", "{{"))

    def caption_by(self, ids: Iterable[int] | str, template: str) -> int:
        """Captions in bulk.

        Args:
            ids: items, or a pattern of their names such as "dog*".
            template: the new caption, in which ``{caption}`` is the present one, ``{name}`` the file's name without its
                suffix, ``{folder}`` its folder and ``{number}`` 1, 2, ...; ``{{`` is a brace.
        """
        template = check_caption(template)
        number = 0

        def new(item: Item) -> str:
            nonlocal number
            number += 1
            folder, base = posixpath.split(item.name)
            values = {
                "caption": item.caption, "name": posixpath.splitext(base)[0].replace("_", " "),
                "folder": posixpath.basename(folder).replace("_", " "), "number": str(number), "{": "{",
            }  # fmt: skip
            return re.sub(r"\{(caption|name|folder|number)\}|\{(\{)", lambda m: values[m[1] or m[2]], template)

        return self._recaption(ids, new)

    def replace_in_captions(self, find: str, replacement: str, ids: Iterable[int] | str = "*") -> int:
        """Replaces a piece of text in captions, whatever its case; returns how many changed."""
        if not find:
            raise DataError("projects.nothing_to_find")
        if max(len(find), len(replacement)) > MAX_CAPTION:
            raise DataError("projects.long_replacement", limit=MAX_CAPTION)
        pattern = re.compile(re.escape(clean_text(find)), re.IGNORECASE)
        return self._recaption(ids, lambda item: pattern.sub(lambda _: replacement, item.caption))

    def pair(self, first: int, second: int) -> None:
        """Makes a picture and a sound belong together, under the first one's caption.

        Raises:
            DataError: they are not one picture and one sound.
        """

        def change(state: dict) -> None:
            one, two = (self._find(state["items"], i) for i in (first, second))
            if {one.kind, two.kind} != {"image", "sound"}:
                raise DataError("projects.no_pair")
            caption = one.caption or two.caption
            picture = one if one.kind == "image" else two
            for other in list(state["items"].values()):  # the picture belongs to this sound from now on
                if other.partner == picture.id and other.id not in (one.id, two.id):
                    state["items"][other.id] = dataclasses.replace(other, partner=None)
            state["items"][one.id] = dataclasses.replace(one, partner=two.id, caption=caption)
            state["items"][two.id] = dataclasses.replace(two, partner=one.id, caption=caption)

        self.change(change)

    def unpair(self, item: int) -> None:
        """Takes an item from its partner."""

        def change(state: dict) -> None:
            gone = self._find(state["items"], item)
            for other in list(state["items"].values()):
                its = other.partner == item and (gone.kind == "image" or other.id == gone.partner)
                if other.id == item or its:
                    state["items"][other.id] = dataclasses.replace(other, partner=None)

        self.change(change)

    def cut(self, ids: Iterable[int], how: str) -> None:
        """Which part of long sounds to use: "loudest", their most energetic second, or "pieces", without silent ones.
        Pictures and short sounds among the items stay as they are.

        Raises:
            DataError: no such way, or no such item.
        """
        if how not in CUTS:
            raise DataError("projects.bad_cut")

        table = {item.id: item for item in self.items()}
        chosen = [self._find(table, key) for key in ids]
        chosen = [item for item in chosen if item.kind == "sound" and item.file and is_long(item)]
        # Decoding takes a while; others may change the project meanwhile.
        counts = {item.id: self._write_pieces(item) if how == "pieces" else 0 for item in chosen}

        def change(state: dict) -> None:
            for item in chosen:
                if item.id in state["items"]:
                    now = state["items"][item.id]
                    state["items"][item.id] = dataclasses.replace(now, cut=how, pieces=counts[item.id])
                else:  # deleted meanwhile, when the pieces were not yet known
                    state.setdefault("gone", []).append(item)

        self.change(change)

    def delete_items(self, ids: Iterable[int]) -> int:
        """Takes items out of the table and their files from the disk; returns how many there were."""
        ids = set(ids)

        def change(state: dict) -> int:
            state["gone"] = [state["items"].pop(key) for key in ids if key in state["items"]]
            return len(state["gone"])

        return self.change(change)

    def forget_left_out(self) -> None:
        """Empties the list of what was left out, once it has been read."""
        self.change(lambda state: state.update(left_out=[], left_out_count=0))

    # How it is done -----------------------------------------------------------------------------------------------

    def _recaption(self, ids: Iterable[int] | str, new: Callable[[Item], str]) -> int:
        def change(state: dict) -> int:
            table = state["items"]
            before = dict(table)
            for item in select(list(table.values()), ids):
                caption = check_caption(new(item))
                table[item.id] = dataclasses.replace(table[item.id], caption=caption)
                partner = table.get(item.partner)
                if partner is not None and partner.partner == item.id:  # a pair has one caption
                    table[partner.id] = dataclasses.replace(partner, caption=caption)
            return sum(before[key].caption != item.caption for key, item in table.items())

        return self.change(change)

    def _write_pieces(self, item: Item) -> int:
        """Cuts a long sound into files named by its content; returns how many."""
        try:
            pieces = cut_pieces(decode_sound((self.folder / item.file).read_bytes(), self.limits))
        except FileNotFoundError as error:
            raise DataError("projects.file_gone") from error
        with saving(self.folder):
            (self.folder / "pieces").mkdir(exist_ok=True)
            for number, piece in enumerate(pieces, start=1):
                buffer = io.BytesIO()
                write_wav(buffer, piece, SOURCE_RATE)
                replace_file(self.folder / piece_name(item, number), buffer.getvalue())
        return len(pieces)

    @staticmethod
    def _find(items: dict[int, Item], key: int) -> Item:
        if key not in items:
            raise DataError("projects.file_gone")
        return items[key]
