"""Pictures as phones, scanners and drawing programs write them: their size, their colours, their first frame."""

import io

import numpy as np
import pytest
from own_files import pcm, tone
from PIL import Image

from mmgan.data import load_dataset
from mmgan.data.media.preview import decode_picture, examine_picture, examine_sound
from mmgan.errors import DataError
from mmgan.projects.projects import Projects

RED, GREEN = (200, 30, 40), (20, 160, 60)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(size=(400, 300), mode="RGB") -> Image.Image:
    """Red above, green below."""
    image = Image.new("RGB", size, RED)
    image.paste(GREEN, (0, size[1] // 2, *size))
    return image.convert(mode)


def turned(tag: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = tag
    return encode(halves(), "JPEG", exif=exif)


def several() -> bytes:
    """A JPEG of several pictures, as phones write portraits and cameras 3-D."""
    return encode(halves((1_600, 1_200)), "MPO", save_all=True, append_images=[Image.new("RGB", (80, 60), "blue")])


def palette() -> bytes:
    image = halves().quantize(8)
    return encode(image, "PNG", transparency=image.getpixel((0, 299)))


KINDS = {  # bytes, size, colour above, colour below
    "several JPEGs": (several(), (1_600, 1_200), RED, GREEN),
    "CMYK": (encode(halves(mode="CMYK"), "JPEG"), (400, 300), RED, GREEN),
    "turned by 180": (turned(3), (400, 300), GREEN, RED), "mirrored": (turned(4), (400, 300), GREEN, RED),
    "palette with transparency": (palette(), (400, 300), RED, (255, 255, 255)),
    "animated GIF": (encode(halves(), "GIF", save_all=True, append_images=[Image.new("RGB", (400, 300))]),
                     (400, 300), RED, GREEN),
    "animated WebP": (encode(halves(), "WEBP", save_all=True, append_images=[Image.new("RGB", (400, 300))],
                             lossless=True), (400, 300), RED, GREEN),
    "animated PNG": (encode(halves(), "PNG", save_all=True, append_images=[Image.new("RGB", (400, 300))]),
                     (400, 300), RED, GREEN),
    "transparent": (encode(Image.new("RGBA", (40, 30), (9, 9, 9, 0)), "PNG"), (40, 30), (255,) * 3, (255,) * 3),
    "grey and transparent": (encode(Image.new("LA", (40, 30), (60, 255)), "PNG"), (40, 30), (60,) * 3, (60,) * 3),
    "one bit": (encode(Image.new("1", (40, 30), 1), "PNG"), (40, 30), (255,) * 3, (255,) * 3),
    "16 bits": (encode(Image.fromarray(np.full((30, 40), 257 * 99, np.uint16)), "PNG"), (40, 30), (99,) * 3, (99,) * 3),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_as_they_look(kind, tmp_path):
    data, size, above, below = KINDS[kind]
    found = examine_picture(data)
    assert (found.width, found.height) == size
    small = Image.open(io.BytesIO(found.thumbnail))
    assert (small.width > small.height) == (size[0] > size[1])
    image = decode_picture(data).convert("RGB")
    for row, colour in ((0.1, above), (0.9, below)):
        seen = image.getpixel((image.width // 2, int(row * image.height)))
        assert np.abs(np.subtract(seen, colour)).max() < 14
    (tmp_path / "thing.png").write_bytes(data)
    assert load_dataset(str(tmp_path)).num_images == 1


@pytest.mark.parametrize("tag", [5, 6, 7, 8])
def test_the_size_of_a_picture_that_lies_on_its_side(tag):
    found = examine_picture(turned(tag))
    assert (found.width, found.height) == (300, 400)


WRONG = {  # what is said, as the rest of a sentence, of a picture and of a sound
    "empty": (b"", "is empty", "is empty"),
    "a HEIC": (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC.*JPEG", "cannot be read"),
    "an AVIF": (b"\0\0\0\x18ftypavif" + bytes(99), "HEIC or AVIF", "cannot be read"),
    "a PDF": (b"%PDF-1.7" + bytes(99), "a PDF", "a PDF"),
    "a PNG": (encode(halves(), "PNG"), "", "a PNG picture"),
    "a WAV": (pcm(tone(16_000)), "a WAV sound", ""),
    "an MP3": (b"ID3" + bytes(99), "an MP3 sound", "cannot be read"),
    "a film": (b"\x1aE\xdf\xa3" + bytes(99), "a film", "cannot be read"),
    "noise": (np.random.default_rng(0).bytes(5_000), "cannot be read", "cannot be read"),
    "a mail": (b"\0\5\x16\7" + bytes(99), "cannot be read", "cannot be read"),  # what macOS keeps in ._ files
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_used_says_what_it_is_in_both_roads(what, tmp_path):
    data, *said = WRONG[what]
    for name, sentence, examine in zip(("a.png", "a.wav"), said, (examine_picture, examine_sound), strict=True):
        if not sentence:
            examine(data)
            continue
        with pytest.raises(DataError, match=sentence):
            examine(data)
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_bytes(data)
        with pytest.raises(DataError, match=sentence):
            load_dataset(str(folder))
        project = Projects(tmp_path / "projects").create("Mine")
        project.add([folder])
        (item,) = project.items()
        assert item.code == "broken" and item.problem.endswith(".") and "\n" not in item.problem
