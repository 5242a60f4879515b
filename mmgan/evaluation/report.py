"""What an evaluation shows: a table in the terminal, a JSON file, a sheet of samples."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from ..audio.spectrogram import spectrogram_image
from ..data.media.decoding import SHEET
from ..image.pictures import to_pil
from ..system.files import saving

CELL, GAP, MARGIN, LINE = 128, 10, 24, 15  # pixels: a picture's side, between samples, around the sheet, a line of text
PAPER, INK, FAINT = (250, 249, 246), (34, 34, 40), (120, 120, 128)
WIDE_FONTS = ("NotoSansCJK-Regular.ttc", "msyh.ttc", "PingFang.ttc", "DroidSansFallbackFull.ttf", "wqy-microhei.ttc")


def format_report(result: dict) -> str:
    """The figures of :func:`mmgan.evaluation.evaluate.evaluate` as aligned text: generated, real, note."""
    rows: list[tuple[str, ...]] = [("", "generated", "real", "")]
    for name, figure in result["figures"].items():
        cells = (_number(figure["generated"], figure["unit"]), _number(figure["real"], figure["unit"]))
        rows.append((name.replace("_", " "), *cells, figure["note"]))
    head = f"{result['model']} on {result['dataset']}: {result['samples']} samples, seed {result['seed']}"
    parts = [head, _align(rows)]
    for title, table in result["tables"].items():
        columns = list(table[0])
        units = {column: "share" for column in columns[1:]}
        rows = [tuple(column.replace("_", " ") for column in columns)]
        rows += [tuple(_number(row[c], units.get(c, "")) for c in columns) for row in table]
        parts += [title.replace("_", " "), _align(rows)]
    return "\n\n".join(parts)


def _number(value, unit: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, str):
        return value
    return f"{value * 100:.1f} %" if unit == "share" else f"{value:.4g}"


def _align(rows: Sequence[tuple[str, ...]]) -> str:
    """Aligned columns: text (the first, and the last of four) to the left, figures to the right."""
    left = {0, 3} if len(rows[0]) == 4 and any(not row[0] for row in rows) else {0}
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]

    def cell(text: str, column: int) -> str:
        space = " " * (widths[column] - _width(text))
        return text + space if column in left else space + text

    return "\n".join("  " + "   ".join(cell(t, i) for i, t in enumerate(row)).rstrip() for row in rows)


def _width(text: str) -> int:
    """Columns of a terminal that the text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def write_json(result: dict, path: str | Path) -> None:
    """Writes the result; figures that could not be measured are null.

    Raises:
        MmganError: the place cannot be written.
    """

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    path = Path(path)
    with saving(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(plain(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def sheet_grid() -> dict[str, int]:
    """Pixels of a sheet without a title: its first sample (picture over spectrogram), and the way to the next."""
    return {
        "left": MARGIN, "top": MARGIN, "width": CELL, "height": CELL + 2 + CELL // 2, "across": CELL + GAP,
        "down": CELL + CELL // 2 + 2 * LINE + GAP + 8, "columns": 8,
    }  # fmt: skip


def sample_sheet(
    images: Sequence[Image.Image] | torch.Tensor,
    mels: np.ndarray | torch.Tensor,
    captions: Sequence[str],
    path: str | Path,
    columns: int = 8,
    title: str = "",
) -> Image.Image:
    """Pictures over their spectrograms with their captions beneath, as a PNG at ``path``; returns the sheet too.

    Args:
        images: PIL pictures, or float [N, C, H, W] in -1..1.
        mels: log-mels [N, bands, T].
        captions: N captions; a long one is wrapped to two lines and cut.

    Raises:
        MmganError: the place cannot be written.
    """
    if isinstance(images, torch.Tensor):
        images = [to_pil(image) for image in images]
    columns = max(1, min(columns, len(images)))
    rows = math.ceil(len(images) / columns)
    font = _font(12, "".join(captions) + title)
    head = MARGIN + (2 * LINE if title else 0)
    band = CELL // 2  # the spectrogram is half as high as the picture
    cell = (CELL + GAP, CELL + band + 2 * LINE + GAP + 8)
    sheet = Image.new("RGB", (2 * MARGIN + columns * cell[0] - GAP, head + rows * cell[1] + MARGIN // 2), PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((MARGIN, MARGIN - 6), title, fill=INK, font=_font(15, title))
    for index, (image, mel, caption) in enumerate(zip(images, mels, captions, strict=True)):
        x, y = MARGIN + index % columns * cell[0], head + index // columns * cell[1]
        crisp = Image.Resampling.NEAREST if CELL % image.width == 0 else Image.Resampling.LANCZOS
        sheet.paste(image.convert("RGB").resize((CELL, CELL), crisp), (x, y))
        mel = mel.detach().cpu().numpy() if isinstance(mel, torch.Tensor) else mel
        sheet.paste(spectrogram_image(mel, 1).resize((CELL, band), Image.Resampling.BILINEAR), (x, y + CELL + 2))
        for line, text in enumerate(_wrap(caption, font)):
            draw.text((x, y + CELL + band + 6 + line * LINE), text, fill=FAINT, font=font)
    path = Path(path)
    with saving(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        marks = PngInfo()
        marks.add_text(*SHEET)  # so that no training takes it for data
        sheet.save(path, "PNG", pnginfo=marks)
    return sheet


def _font(size: int, text: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; for Chinese and other wide scripts one of the system's, where there is one."""
    if any(ord(character) > 0x2E80 for character in text):
        for name in WIDE_FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)


def _wrap(text: str, font, lines: int = 2) -> list[str]:
    """The text broken into lines as wide as a picture, between words where it has them."""
    result, current = [], ""
    words = text.replace("\x00", " ").split(" ") if " " in text else list(text)
    joint = " " if " " in text else ""
    for word in words:
        longer = current + joint + word if current else word
        if current and font.getlength(longer) > CELL:
            result.append(current)
            current = word
        else:
            current = longer
    result.append(current)
    if len(result) > lines:
        result = [*result[: lines - 1], result[lines - 1] + "…"]
    return result
