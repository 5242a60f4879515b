"""Captions in the encodings that the world's spreadsheets write: read as they were meant, or chosen by the person."""

import pytest
from own_files import captions_in, in_table, layout_of, picture

from mmgan.data import load_dataset
from mmgan.data.folder.encodings import CHOICES, checked_encoding, decode, guess
from mmgan.errors import DataError

WRITTEN = [  # (what Excel or Notepad of a country writes, two captions)
    ("cp1251", "красное яблоко", "собака лает"), ("cp932", "赤いりんご", "犬の鳴き声"), ("cp932", "赤いりんご①",
    "髙い山"),
    ("cp949", "빨간 사과", "개가 짖는 소리"), ("big5", "紅色的蘋果", "狗叫聲"), ("gb18030", "一个红苹果", "狗叫声"),
    ("cp1250", "červené jablko", "žlutý kůň"), ("cp1250", "czerwone jabłko", "żółta gruszka"),
    ("cp1252", "une pomme très mûre", "un chien l’été"), ("cp1252", "grüner Apfel", "Äpfel und Birnen"),
    ("cp1253", "κόκκινο μήλο", "μπλε ουρανός"), ("cp1254", "kırmızı elma", "yeşil armut ağacı"),
    ("cp1255", "תפוח אדום", "שמיים כחולים"), ("cp1256", "تفاحة حمراء", "سماء زرقاء"), ("cp874", "แอปเปิ้ลสีแดง",
    "ท้องฟ้าสีฟ้า"),
    ("cp866", "красное яблоко", "синее небо"), ("koi8-r", "красное яблоко", "синее небо"),
    ("euc_jp", "赤いりんご", "青い空と雲"), ("cp1257", "raudonas obuolys ąžuolas", "žalia kriaušė"),
]  # fmt: skip
NAMES = ["1.png", "2.png"]


def table(first, second, head="file_name,text"):
    return f"{head}\r\n1.png,{first}\r\n2.png,{second}\r\n"


@pytest.mark.parametrize(("encoding", "first", "second"), WRITTEN)
def test_what_a_country_writes_is_guessed(encoding, first, second):
    raw = table(first, second).encode(encoding)
    assert in_table(raw, NAMES) == ({"1.png": first, "2.png": second}, [])
    (reading,) = layout_of({"1.png": b"", "metadata.csv": raw}).readings
    assert reading.guessed and reading.raw == raw and reading.encoding == checked_encoding(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_no_guess(encoding):
    raw = table("красное яблоко", "赤いりんご").encode(encoding)
    layout = layout_of({"1.png": b"", "2.png": b"", "metadata.csv": raw})
    assert captions_in(layout) == {"1.png": "красное яблоко", "2.png": "赤いりんご"} and not layout.readings[0].guessed


@pytest.mark.parametrize("encoding", ["cp1251", "cp932", "gb18030", "big5"])
def test_the_names_of_the_files_decide_where_the_letters_do_not(encoding):
    name = {"cp1251": "яблоко", "cp932": "犬", "gb18030": "狗", "big5": "狗"}[encoding]
    raw = f"file_name,text\n{name}.png,{name}\n".encode(encoding)
    assert in_table(raw, [f"{name}.png"]) == ({f"{name}.png": name}, [])
    assert checked_encoding(guess(raw, [f"a/{name}.png"])) == checked_encoding(encoding) or encoding == "big5"


def test_an_odd_byte_costs_its_own_row_only():
    rows = ["1.png,赤いりんご", "2.png,青い空と雲", "3.png,黒い犬が走る"]
    raw = "\n".join(["file_name,text", *rows]).encode("cp932")
    captions, said = in_table(raw[:-3] + b"\xfd\xfd" + raw[-1:])
    assert captions == {"1.png": "赤いりんご", "2.png": "青い空と雲"}
    assert said[0][0] == "metadata.csv, line 4" and "cannot be read in its encoding" in said[0][1]


def test_utf8_with_a_damaged_row_stays_utf8():
    raw = "file_name,text\n1.png,červené jablko\n2.png,".encode() + b"caf\xe9\n" + "3.png,žlutý kůň\n".encode()
    captions, said = in_table(raw)
    assert captions == {"1.png": "červené jablko", "3.png": "žlutý kůň"}
    assert said[0][0] == "metadata.csv, line 3" and "save it as UTF-8" in said[0][1]


def test_letters_that_were_lost_before_are_said():
    assert "line 2" in in_table("file_name,text\n1.png,caf\ufffd\n", ["1.png"])[1][0][0]
    _, said = in_table(r'{"file_name": "1.png", "text": "a\ud800"}', ["1.png"], "metadata.jsonl")
    assert "cannot be read" in said[0][1]


def test_another_encoding_may_be_chosen(tmp_path):
    raw = table("naïve", "café").encode("cp1252")
    assert in_table(raw, NAMES, encoding="cp1250")[0]["2.png"] == "café"
    assert in_table(raw, NAMES, encoding="cp1251")[0]["2.png"] == "cafй"
    for name in NAMES:
        picture(tmp_path / name)
    (tmp_path / "metadata.csv").write_bytes(raw)
    assert load_dataset(str(tmp_path), encoding="cp1251").concepts == ["cafй", "naпve"]
    guessed, chosen = load_dataset(str(tmp_path)), load_dataset(str(tmp_path), encoding="cp1252")
    assert guessed.concepts == ["café", "naïve"] and not chosen.notes
    assert [str(note) for note in guessed.notes] == [
        "metadata.csv was read as cp1252, such as “naïve”; if that is wrong, say --encoding, such as cp949."
    ]


@pytest.mark.parametrize(
    ("said", "found"),
    [("CP949", "cp949"), ("euc-kr", "cp949"), ("Shift_JIS", "cp932"), ("sjis", "cp932"), ("windows-1251", "cp1251"),
     ("gb2312", "gb18030"), ("GBK", "gb18030"), ("big5", "big5hkscs"), ("cp950", "big5hkscs"), ("latin-1", "cp1252"),
     ("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), *((name, name) for name in CHOICES)],
)  # fmt: skip
def test_encodings_by_the_names_that_people_know(said, found):
    assert checked_encoding(said) == found


@pytest.mark.parametrize(
    "said", ["", "klingon", "rot13", "idna", "punycode", "unicode_escape", "zip", "a\0b", "['utf-8']", "x" * 500]
)
def test_what_is_no_encoding_of_text_is_refused(said):
    with pytest.raises(DataError, match="choose one of utf-8, "):
        checked_encoding(said)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\x81", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", bytes(range(256)) * 300])
def test_any_bytes_give_a_text(raw):
    assert isinstance(decode(raw).text, str) and isinstance(decode(raw, "utf-16").text, str)
