"""Making the emoji's files, from made-up packages on a server of our own."""

import csv
import hashlib
import http.server
import io
import json
import sys
import threading

import numpy as np
import pytest
import small_emoji
from needed import data_folder
from PIL import Image

from mmgan.cli import main
from mmgan.data.emoji import building, choosing, drawing, files, sources
from mmgan.data.emoji.dataset import Emoji
from mmgan.errors import DataError
from mmgan.system import download

GROUPS = {
    "groups": {"1": "people-body", "3": "animals-nature"},
    "subgroups": {"0": "animal", "1": "person", "2": "arrow"},
}


def entry(code, label, subgroup=0, **more):
    known = {"hexcode": code, "label": label, "tags": ["tag"], "emoji": "x", "type": 1, "version": 1.0}
    return known | {"group": 3, "subgroup": subgroup} | more


ENTRIES = [
    entry("1F436", "dog face"),
    entry("2618", "shamrock", type=0),  # shown as text unless -fe0f follows
    entry("1F449", "backhand index pointing right"),
    entry("1FABE", "leafless tree", version=16),
    entry("1F1E6", "regional indicator A", group=None),
    entry("27A1", "right arrow", 2),
    entry("1F468-200D-1F393", "man student", 1),
    entry("1F64D-200D-2640-FE0F", "woman frowning", 1, gender=0),
    entry("1F6B6-200D-27A1-FE0F", "person walking: facing right", 1),
    entry("1F930", "pregnant woman", 1),
    entry("25AA", "black small square"),
    entry("1F468", "man", 1),
]
KEPT = ["1F436", "2618", "1F449", "1FABE", "1F468"]
CHARACTERS = {"1f436": "dog", "2618": "clover", "1f468": "man"}
ICONS = {
    "width": 32, "height": 32,
    "icons": {name: {"body": f"<!-- {name} -->"} for name in ("dog", "clover", "man", "left")},
    "aliases": {"backhand-index-pointing-right": {"parent": "left", "hFlip": True}},
}  # fmt: skip


def webp(side=256, size=None):
    file = io.BytesIO()
    picture = Image.new("RGBA", size or (side, side), (0, 0, 0, 0))
    picture.paste((200, 40, 40, 255), (side // 4, side // 4, side // 2, side // 2))
    picture.save(file, "WEBP", lossless=True)
    return file.getvalue()


def packages():
    served = {}
    for language in sources.LANGUAGES:
        some = [e | {"label": f"{e['label']} {language}" if language != "en" else e["label"]} for e in ENTRIES]
        served[f"{sources.NAMES}/{language}/data.json"] = json.dumps(some).encode()
    served[f"{sources.NAMES}/meta/groups.json"] = json.dumps(GROUPS).encode()
    for package in sources.DRAWN.values():
        served[f"{package}/chars.json"] = json.dumps(CHARACTERS).encode()
        served[f"{package}/icons.json"] = json.dumps(ICONS).encode()
    for name in ("1f436", "2618-fe0f", "1f449", "1f468"):
        served[f"{sources.RENDERED}/assets/{name}.webp"] = webp()
    return served


def rendered_sum(served):
    names = sorted(name for name in served if "/assets/" in name)
    return hashlib.sha256(b"".join(served[name] for name in names)).hexdigest()


def drawn(svg):
    """In place of resvg: a picture whose red half says whether the drawing was mirrored."""
    assert svg.startswith("<svg") and "viewBox" in svg
    picture = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (256, 0, 512, 512) if "scale(-1 1)" in svg else (0, 0, 256, 512))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        body = self.server.served.get(path)
        if body is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def network(tmp_path, monkeypatch):
    """A machine with an empty cache, and a content network that has the made-up packages."""
    monkeypatch.delenv("MMGAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "RETRY_SECONDS", 0.0)
    served = packages()
    known = {path: (len(body), hashlib.sha256(body).hexdigest()) for path, body in served.items()}
    monkeypatch.setattr(sources, "FILES", {path: known[path] for path in sources.FILES})
    monkeypatch.setattr(sources, "RENDERED_SHA256", rendered_sum(served))
    monkeypatch.setattr(building, "renderer", lambda: drawn)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.served, server.asked = served, []
        monkeypatch.setattr(sources, "MIRRORS", (f"http://127.0.0.1:{server.server_port}/",))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def rows():
    with (files.cache_folder() / "concepts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_are_made_once(network, capsys):
    assert not files.present() and main(["data", "emoji"]) == 0 and files.present()
    out, err = capsys.readouterr()
    assert out.split() == [str(files.cache_folder() / name) for name in files.NAMES]
    assert "CC BY 4.0" in err and (files.cache_folder() / "LICENCES.txt").read_text() in err
    made = sorted(path.name for path in files.cache_folder().iterdir())
    assert made == sorted([*files.NAMES, "LICENCES.txt", "emoji.lock"])  # and no downloads
    asked = len(network.asked)
    assert files.fetch_all() and len(network.asked) == asked

    table = rows()
    assert [row["hexcode"] for row in table] == KEPT and tuple(table[0]) == choosing.COLUMNS
    assert table[0] | {"split": ""} == {
        "hexcode": "1F436", "emoji": "x", "group": "animals-nature", "subgroup": "animal", "name_en": "dog face",
        "tags_en": "tag", "name_zh": "dog face zh", "tags_zh": "tag", "name_es": "dog face es",
        "name_fr": "dog face fr", "name_de": "dog face de", "name_ja": "dog face ja",
        "styles": "fluent3d|fluentflat|noto|twemoji", "split": "", "gendered_word": "0",
    }  # fmt: skip
    styles = {row["hexcode"]: row["styles"] for row in table}
    assert styles["1FABE"] == "" and styles["1F449"] == "fluent3d|fluentflat"
    assert [row["gendered_word"] for row in table] == ["0", "0", "0", "0", "1"]


def test_pictures_lie_on_white_and_mirrored_ones_are_mirrored(network):
    files.fetch_all()
    flat = dict(files.load_pictures("fluentflat"))
    assert list(flat) == ["1F436", "1F449", "1F468", "2618"]
    left, right = np.asarray(flat["1F436"]), np.asarray(flat["1F449"])
    assert (left[:, :64] == (255, 0, 0)).all() and (left[:, 64:] == 255).all()
    assert np.array_equal(right, left[:, ::-1])
    solid = np.asarray(dict(files.load_pictures("fluent3d"))["2618"])
    assert (solid[32:64, 32:64] == (200, 40, 40)).all() and (solid[:32] == 255).all()


def test_what_was_made_before_a_failure_is_kept(network):
    noto = f"{sources.DRAWN['noto']}/icons.json"
    body = network.served.pop(noto)
    with pytest.raises(DataError, match=r"The emoji are not on this machine and .*; run this once with internet"):
        files.fetch_all()
    assert (files.cache_folder() / "fluentflat.tar").is_file() and not files.present()
    network.served[noto], network.asked = body, []
    files.fetch_all()
    assert not any("assets" in path or "fluent" in path or "emojibase" in path for path in network.asked)


def test_changed_files_are_refused(network):
    name = f"{sources.RENDERED}/assets/1f436.webp"
    network.served[name] = webp()[:-4] + b"\1\2\3\4"
    with pytest.raises(DataError, match="damaged or changed"):
        files.fetch_all()
    assert not list(files.cache_folder().rglob("*.webp"))
    network.served[name] = webp()
    files.fetch_all()
    network.served[f"{sources.NAMES}/zh/data.json"] += b" "
    (files.cache_folder() / "concepts.csv").unlink()
    with pytest.raises(DataError, match="damaged or changed"):
        files.fetch_all()


def test_without_resvg_one_sentence_says_what_to_install(network, monkeypatch):
    monkeypatch.setattr(building, "renderer", drawing.renderer)
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(DataError) as caught:
        Emoji()
    assert "pip install 'mmgan[emoji]'" in str(caught.value) and network.asked == []


def test_resvg_draws():
    pytest.importorskip("resvg_py", reason="of the extra mmgan[emoji]")
    body = '<rect width="16" height="32" fill="#00f"/>'
    icons = {
        "width": 32,
        "height": 32,
        "icons": {"half": {"body": body}},
        "aliases": {"other": {"parent": "half", "hFlip": True}},
    }
    draw = drawing.renderer()
    half, other = (np.asarray(drawing.picture(draw(drawing.svg(icons, name)))) for name in ("half", "other"))
    assert half.shape == (128, 128, 3) and (half[:, :64] == (0, 0, 255)).all() and (half[:, 64:] == 255).all()
    assert np.array_equal(other, half[:, ::-1])


@pytest.mark.parametrize("size", [(256, 264), (264, 256), (100, 100)])
def test_pictures_of_other_sizes_are_padded_to_a_square(size):
    picture = drawing.picture(webp(size=size))
    assert picture.size == (128, 128) and picture.getpixel((0, 0)) == (255, 255, 255)


def test_far_too_large_a_picture_is_refused():
    with pytest.raises(ValueError, match="too large"):
        drawing.picture(webp(2_048))


def test_held_out_are_the_lowest_sums():
    many = [entry(f"1F{n:03X}", f"thing {n}") for n in range(300)]
    table = choosing.table({"en": many, "zh": many}, GROUPS, {})
    lowest = sorted((row["hexcode"] for row in table), key=lambda code: hashlib.sha256(code.encode()).hexdigest())
    assert {row["hexcode"] for row in table if row["split"] == "val"} == set(lowest[: choosing.HELD_OUT])


def test_made_up_emoji_are_as_published_ones(tmp_path, monkeypatch):
    """What other tests use has the columns and sizes of what is made here."""
    monkeypatch.setenv("MMGAN_DATA", str(tmp_path))
    small_emoji.write(tmp_path / "emoji")
    assert len(files.load_concepts()) == 6 and len(list(files.load_pictures("noto"))) == 6


def test_the_rules_give_the_published_table():
    """Of the table that is there: whatever it holds, the rules keep."""
    data_folder("emoji")
    with files.find("concepts.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == choosing.COLUMNS and len(table) == 1_275
    assert all(choosing.is_thing(row, row["subgroup"]) for row in table)
    assert sum(row["split"] == "val" for row in table) == choosing.HELD_OUT
    assert {row["hexcode"] for row in table if row["gendered_word"] == "1"} == choosing.WORDS_OF_ONE_GENDER
