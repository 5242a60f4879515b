"""The rows of a table of captions: CSV as spreadsheets and people write it.

The ``csv`` module reads lines that follow its rules. Others are read if they can mean only one thing, such as commas in
a caption that comes last, or first before the name of an existing file; else the row says what is wrong.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...errors import DataError
from ...language import Message
from ..limits import Limits

TEXT_COLUMNS = (  # the first of these that a table has holds the captions
    "text", "texts", "caption", "captions", "prompt", "prompts", "description", "descriptions", "sentence",
    "transcription", "transcript", "label", "labels", "class", "class_name", "category", "title", "tags",
    "文字", "文本", "说明", "描述", "标签",
)  # fmt: skip
FILE_COLUMNS = {  # whatever the name says, the suffix of the file tells whether it is a picture or a sound
    "file_name", "filename", "file", "files", "file_path", "filepath", "path",
    "image_file_name", "image", "images", "image_name", "image_file", "image_path", "img", "img_name", "img_path",
    "picture", "photo",
    "audio_file_name", "audio", "audios", "audio_name", "audio_file", "audio_path", "audio_filepath", "wav", "wav_path",
    "wav_filename", "sound", "sound_file", "clip",
    "文件", "文件名", "图片", "图像", "声音", "音频",
}  # fmt: skip
DELIMITERS = (",", ";", "\t", "|")  # which of the first three Excel writes depends on country and menu
LOOK = 20  # rows that are looked at where the first line names no columns
MOST_LINES, MOST_MORE = 50, 5_000  # lines and characters that one quoted cell may span
LINE, CELL, COLUMNS = 40_000, 10_000, 50  # characters of one line and one cell; columns of one table
TOO_LONG = Message("data.long_cell", count=CELL)
TOO_MANY_CELLS = Message("data.too_many_cells")
EMPTY_CELLS = Message("data.empty_cells")
BACKSLASHES = Message("data.backslashes")


@dataclass(frozen=True)
class Row:
    """Where it is ("line 3"), its values by column (None if it cannot be used), and a message about it."""

    where: str
    values: dict[str, object] | None
    message: Message | None = None


def column(name: object) -> str:
    """A column's name as tables are compared: " File-Name " -> "file_name"."""
    return re.sub(r"[\s\-]+", "_", str(name).strip().strip("\"'").strip().lower())


def texts_of(values: dict[str, object]) -> list[str]:
    """The captions of a row: one, none, or several where it holds a list."""
    found = next((values[name] for name in TEXT_COLUMNS if name in values), None)
    if isinstance(found, str) and re.match(r'\s*\["', found):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return [found]
    listed = found if isinstance(found, list) else [found]
    return [str(text) for text in listed if isinstance(text, (str, int, float)) and not isinstance(text, bool)]


def files_of(values: dict[str, object]) -> list[str]:
    """The files that a row names, as they are written there."""
    found = []
    for name, value in values.items():
        for written in value if isinstance(value, list) else [value]:
            if isinstance(written, dict):  # an Image or Audio of the ``datasets`` library
                written = written.get("path") or written.get("file_name")
            if name in FILE_COLUMNS and isinstance(written, str) and written.strip():
                found.append(written)
    return found


def too_many_rows(name: str, limits: Limits) -> DataError:
    return DataError("data.too_many_rows", name=name, count=limits.rows)


class _Lines:
    """The lines of a text, one after another, without a copy of all of them; every kind of line end is one."""

    def __init__(self, text: str):
        self._source, self._ahead, self.number = iter(io.StringIO(text, newline=None)), deque(), 0

    def peek(self, ahead: int = 0) -> str | None:
        while len(self._ahead) <= ahead:
            line = next(self._source, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[ahead]

    def take(self) -> str | None:
        line = self.peek()
        if line is not None:
            self._ahead.popleft()
            self.number += 1
        return line


class CsvTable:
    """A table as CSV.

    Args:
        text: of the whole file.
        name: of the file, for sentences.
        is_file: whether a cell names a file of the dataset.

    Raises:
        DataError: no line says which column is which, and no row shows it.
    """

    def __init__(self, text: str, name: str, is_file: Callable[[str], bool], limits: Limits = Limits()):
        self.name, self.is_file, self.limits = name, is_file, limits
        if max(text.count("\n"), text.count("\r")) > limits.rows + 1:  # counting is cheaper than reading them first
            raise too_many_rows(name, limits)
        self._lines = _Lines(text)
        self._skip_blank()
        said = re.fullmatch(r'"?sep=(.)"?;*,*\s*', self._lines.peek() or "", re.IGNORECASE)
        if said:
            self._lines.take()
            self._skip_blank()
        self._literal = False  # whether quotes are ordinary characters
        self._head(said[1] if said else None)

    def __iter__(self) -> Iterator[Row]:
        """Every row that is not empty. Raises DataError where there are more than the limits allow."""
        while (line := self._lines.take()) is not None:
            where = f"line {self._lines.number}"
            if self._lines.number > self.limits.rows:
                raise too_many_rows(self.name, self.limits)
            if not line.strip():
                continue
            cells, message = self._cells(line)
            if cells is not None and max(map(len, cells), default=0) > CELL:
                cells, message = None, TOO_LONG
            if cells is None:
                yield Row(where, None, message)
            elif any(cell.strip() for cell in cells):
                values: dict[str, object] = dict(zip(self.columns, cells, strict=False))
                yield Row(where, values, message)

    def _skip_blank(self) -> None:
        while (line := self._lines.peek()) is not None and not line.strip() and self._lines.number <= self.limits.rows:
            self._lines.take()

    # The first line ----------------------------------------------------------------------------------------------

    def _head(self, delimiter: str | None) -> None:
        """Finds out delimiter and columns, from the first line or, where it is a row already, from the rows."""
        line = (self._lines.peek() or "")[:LINE]
        heads = {mark: [column(cell) for cell in _split(line, mark)] for mark in (delimiter or DELIMITERS)}
        known = {
            mark: (bool(set(cells) & set(TEXT_COLUMNS)), bool(set(cells) & FILE_COLUMNS), len(cells))
            for mark, cells in heads.items()
        }
        self.delimiter = max(known, key=known.__getitem__)
        self.columns = _unlike(heads[self.delimiter])
        if len(self.columns) > COLUMNS:
            raise DataError("data.too_many_columns", name=self.name, count=COLUMNS)
        if known[self.delimiter][0]:
            self._lines.take()
            self._text = self.columns.index(next(name for name in TEXT_COLUMNS if name in self.columns))
            if not known[self.delimiter][1]:
                self._name_files(self._ahead(self.delimiter))
        elif not any(self._headless(mark) for mark in sorted(heads, key=lambda mark: -len(heads[mark]))):
            raise DataError("data.no_text_column", name=self.name)
        self._files = [i for i, name in enumerate(self.columns) if name in FILE_COLUMNS]
        self._opening = re.compile(rf'(^|(?<!\\){re.escape(self.delimiter)})\s*"')  # a quote that begins a cell
        self._backslash = re.compile(rf'\\(?!["{re.escape(self.delimiter)}])')  # a backslash that escapes nothing

    def _headless(self, mark: str) -> bool:
        """Whether the rows themselves show which column is which: names of files, first or last, and a caption."""
        rows = [row for row in self._ahead(mark) if len(row) > 1]
        if not rows:
            return False
        first, last = self._named(rows, (0, 1)), self._named(rows, (-1, -2))
        width = (max if mark == "|" else min)(map(len, rows))
        if mark == ",":  # the rest is the caption, which may contain commas
            width = max(first, last) + 1
        if not max(first, last) or max(first, last) >= width:
            return False
        names = ["file_name", "audio_file_name"][: max(first, last)]
        others = [TEXT_COLUMNS[0], *(f"column {i}" for i in range(width - len(names) - 1))]
        self.delimiter, self.columns = mark, [*names, *others] if first else [*reversed(others), *names]
        self._literal = mark == "|"  # as LJSpeech writes: quotes are ordinary characters
        self._text = self.columns.index(TEXT_COLUMNS[0])
        return True

    def _named(self, rows: list[list[str]], places: tuple[int, ...]) -> int:
        """How many of the places in a row hold names of files, in the first row and most others."""
        for count, i in enumerate(places):
            cells = [row[i] for row in rows if len(row) >= (-i if i < 0 else i + 1)]
            if not self.is_file((cells or [""])[0]) or 2 * sum(map(self.is_file, cells)) <= len(rows):
                return count
        return len(places)

    def _ahead(self, mark: str) -> list[list[str]]:
        """The next rows, each read alone."""
        lines = [self._lines.peek(i) for i in range(LOOK)]
        return [_split(line[:LINE], mark) for line in lines if line and line.strip()]

    def _name_files(self, rows: list[list[str]]) -> None:
        """Renames columns that hold names of files, though their heading does not say so."""
        names = ["audio_file_name", "file_name"]
        for i, name in enumerate(self.columns):
            named = sum(i < len(row) and self.is_file(row[i]) for row in rows)
            if names and name not in TEXT_COLUMNS and named * 2 > len(rows):
                self.columns[i] = names.pop()

    # Rows --------------------------------------------------------------------------------------------------------

    def _cells(self, line: str) -> tuple[list[str] | None, Message | None]:
        """The cells of the row that begins with this line, and what is to be said of them."""
        if len(line) > LINE:
            return None, TOO_LONG
        width, plain = len(self.columns), line.rstrip("\n")
        if '"' not in line or self._literal:
            cells = plain.split(self.delimiter)
            if len(cells) == width and self._fits(cells):
                return cells, None
        else:
            parsed = self._by_the_rules(line)
            if parsed is not None:
                return parsed, None
        return self._repaired(plain)

    def _by_the_rules(self, line: str) -> list[str] | None:
        """The csv module's reading of the line, and of further lines that a quoted cell spans.

        None where it is not CSV, or where a quote that nothing closes would swallow the rows that follow.
        """

        following = self._lines.peek()
        if _parsed(line, self.delimiter) is None and self._is_row(following):
            return None

        def lines():
            yield line
            length = 0
            for i in range(MOST_LINES):
                more = self._lines.peek(i) or ""
                length += len(more)
                if not more or length > MOST_MORE:
                    return
                yield more

        reader = csv.reader(lines(), delimiter=self.delimiter, strict=True)
        try:
            cells = next(reader)
        except (csv.Error, StopIteration):
            return None
        more = reader.line_num - 1
        if not self._usable(cells) or any(self._is_row(self._lines.peek(i)) for i in range(more)):
            return None
        for _ in range(more):
            self._lines.take()
        return cells

    def _usable(self, cells: list[str]) -> bool:
        """Whether these are the cells of a row: no more than columns, no quotes after a space, not all of it in one."""
        width = len(self.columns)
        in_one = len(cells) == 1 < width and self.delimiter in cells[0]
        return len(cells) <= width and not in_one and not any(re.match(r"\s+\"", cell) for cell in cells)

    def _is_row(self, line: str | None) -> bool:
        return any(map(self.is_file, (line or "")[:LINE].rstrip("\n").split(self.delimiter)[:COLUMNS]))

    def _fits(self, cells: list[str]) -> bool:
        """Whether the cells right of the caption can be files rather than the rest of the caption."""
        after = [cells[i] for i in self._files if i > self._text and i < len(cells) and cells[i].strip()]
        return all(self.is_file(cell) or re.search(r"\.\w{2,5}\s*$", cell) for cell in after)

    def _repaired(self, line: str) -> tuple[list[str] | None, Message | None]:
        """Cells of a line that breaks the rules, if it can be read in only one way."""
        width = len(self.columns)
        cells = _leniently(line, self.delimiter) if '"' in line and not self._literal else None
        trimmed = _without_empty_end(cells or [], width)
        if cells and trimmed and self._usable(trimmed):
            quoted = '"{}"'.format(trimmed[-1].replace('"', '""')) in line
            return trimmed, None if quoted else self._left_off(trimmed, cells)
        if "\\" in line and not self._literal and not self._backslash.search(line.replace("\\\\", "")):
            cells = _parsed(line, self.delimiter, escapechar="\\", doublequote=False)
            if cells and self._usable(cells):
                return cells, None if self._opening.search(line) else BACKSLASHES
        whole = line.split(self.delimiter)
        parts = _without_empty_end(whole, width)
        cells, message = self._by_files(line, parts)
        return cells, message or self._left_off(parts if cells is None else cells, whole, len(parts))

    def _left_off(self, cells: list[str], whole: list[str], kept: int | None = None) -> Message | None:
        """The message where dropped empty cells may have been commas at the end of a caption."""
        if self._text != len(cells) - 1 or len(whole) == (len(cells) if kept is None else kept):
            return None
        return EMPTY_CELLS

    def _by_files(self, line: str, parts: list[str]) -> tuple[list[str] | None, Message | None]:
        """The cells of a line cut at every delimiter; the files that it names show which parts belong together."""
        width = len(self.columns)
        if len(parts) <= width and self._fits(parts):
            return self._unquoted(parts, joined=False)
        for count in range(min(width, len(parts) - 1), 0, -1):  # how many columns the row fills
            readings = self._readings(parts, count)
            if len(readings) > 1:
                return None, TOO_MANY_CELLS
            if readings:
                return self._unquoted(readings[0], joined=True)
        if self._text == width - 1 and '"' not in line:  # its file is missing, which is reported later
            return [*parts[: width - 1], self.delimiter.join(parts[width - 1 :])], None
        return (parts, None) if len(parts) <= width else (None, TOO_MANY_CELLS)

    def _readings(self, parts: list[str], count: int) -> list[list[str]]:
        """The ways to join parts into so many cells, with delimiters in only one cell and every name a file."""
        found: dict[tuple, list[str]] = {}
        extra = len(parts) - count
        # Cells are missing at the end, so the caption, and no other column, must have swallowed them.
        places = range(count) if count == len(self.columns) else [self._text]
        for i in places if self._text < count else ():
            joined = self.delimiter.join(parts[i : i + extra + 1])
            named = [joined if j == i else parts[j + extra * (j > i)] for j in self._files if j < count]
            named = [written for written in named if written.strip()]
            if named and all(map(self.is_file, named)):
                cells = [*parts[:i], joined, *parts[i + extra + 1 :]]
                found.setdefault((cells[self._text], *named), cells)
        return list(found.values())

    def _unquoted(self, cells: list[str], joined: bool) -> tuple[list[str] | None, Message | None]:
        """Adds a message about a caption that begins with a quote that is never closed."""
        caption = cells[self._text].strip() if self._text < len(cells) else ""
        if self._literal or not caption.startswith('"'):
            return cells, None
        if caption.count('"') == 1:
            caption = caption[1:]
            message = Message("data.open_quote", caption=caption[:60])
            return [*cells[: self._text], caption, *cells[self._text + 1 :]], message
        return (None, TOO_MANY_CELLS) if joined else (cells, None)


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of one line, by the rules of CSV if it follows them."""
    return _leniently(line.strip("\r\n"), delimiter) or line.strip("\r\n").split(delimiter)


def _leniently(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line by CSV's rules, but for spaces around quotes, and for quotes around the whole line."""

    def bare(match: re.Match) -> str:
        start, end = match.span()
        before, after = line[max(0, start - 1) : start], line[end : end + 1]
        return match[1] if before in ("", delimiter) and after in ("", delimiter) else match[0]

    cells = _parsed(re.sub(r' {0,20}("(?:[^"]|"")*") {0,20}', bare, line), delimiter)
    if cells and len(cells) == 1 and delimiter in cells[0]:
        cells = _parsed(cells[0], delimiter)
    return cells


def _parsed(line: str, delimiter: str, **rules) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, **rules), None)
    except csv.Error:
        return None


def _without_empty_end(cells: list[str], width: int) -> list[str]:
    """Without the empty cells that spreadsheets write beyond the last column."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _unlike(names: list[str]) -> list[str]:
    """Names of columns; repeated ones get a number."""
    return [f"{name} {i}" if name in names[:i] else name for i, name in enumerate(names)]
