"""A handful of made-up emoji in a folder, as the real ones lie: coloured rectangles and discs of four styles."""

import csv
import io
import tarfile

from PIL import Image, ImageDraw

from mmgan.data.emoji.building import webp
from mmgan.data.emoji.captions import STYLES
from mmgan.data.emoji.choosing import COLUMNS

FORMS = {  # hexcode: English, Chinese, colour, corners of its rectangle, held out
    "A1": ("barn", "谷仓", (200, 30, 30), (20, 20, 100, 60), False),
    "A2": ("pond", "池塘", (30, 60, 200), (10, 70, 118, 110), False),
    "A3": ("tower", "塔楼", (40, 160, 40), (50, 8, 80, 120), False),
    "A4": ("snow", "雪花", (200, 200, 200), (30, 30, 60, 60), False),
    "A5": ("gate", "大门", (150, 40, 180), (20, 40, 40, 120), True),
    "1F415": ("dog", "小狗", (160, 110, 20), (64, 30, 120, 110), False),
}
SHADES = dict(zip(STYLES, (1.0, 0.9, 0.8, 0.7), strict=True))


def draw(code, style):
    _, _, colour, corners, _ = FORMS[code]
    picture = Image.new("RGB", (128, 128), "white")
    pen = ImageDraw.Draw(picture)
    form = pen.rectangle if style in ("noto", "twemoji") else pen.ellipse
    form(corners, tuple(round(channel * SHADES[style]) for channel in colour))
    return picture


def write(folder, lacking=()):
    """concepts.csv and the tars in ``folder``; ``lacking``: (code, style) that are not in a tar."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "concepts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="x")
        writer.writeheader()
        for code, (english, chinese, _, _, held_out) in FORMS.items():
            row = {"hexcode": code, "name_en": english, "name_zh": chinese, "split": "val" if held_out else "train"}
            row |= {
                "tags_en": f"{english}|thing|place",
                "tags_zh": "东西",
                "group": "places" if code < "A3" else "others",
            }
            writer.writerow(row)
    for style in STYLES:
        with tarfile.open(folder / f"{style}.tar", "w") as tar:
            for code in FORMS:
                if (code, style) not in lacking:
                    data = webp(draw(code, style))
                    member = tarfile.TarInfo(f"{code}.webp")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
