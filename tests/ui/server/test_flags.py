"""The flags of `mmgan app`."""

import argparse
import dataclasses

import pytest

from mmgan import cli
from mmgan.data.limits import PROJECT_LIMITS
from mmgan.errors import MmganError
from mmgan.ui.server.flags import AUTH, TEACHER_CODE, Flags, from_options


def options(*arguments) -> argparse.Namespace:
    return cli._parser().parse_args(["app", *arguments])


@pytest.fixture(autouse=True)
def no_secrets_in_the_environment(monkeypatch):
    for name in (AUTH, TEACHER_CODE):
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_those_of_the_record():
    flags = from_options(options())
    assert flags == Flags() and not flags.public


def test_every_flag():
    flags = from_options(
        options(
            "--share", "--host", "0.0.0.0", "--port", "80", "--auth", "class:a:b", "--max-upload", "1.5",
            "--teacher-code", "oak", "--runs", "here", "--limit", "files=100", "--limit", "total_bytes=2G",
            "--limit", "seconds=30",
        )
    )  # fmt: skip
    assert (flags.share, flags.host, flags.port, flags.auth) == (True, "0.0.0.0", 80, ("class", "a:b"))
    assert (flags.max_upload, flags.teacher_code, flags.runs.name) == (3 << 19, "oak", "here")
    assert flags.public
    assert flags == dataclasses.replace(flags, proxy=(), root_path="", allow_host=(), allow_frames=False)
    assert flags.limits == dataclasses.replace(PROJECT_LIMITS, files=100, total_bytes=2 << 30, seconds=30.0)


@pytest.mark.parametrize(
    "flags",
    [
        ("--auth", "class"), ("--auth", ":"), ("--auth", "class:"), ("--max-upload", "big"), ("--max-upload", "0"),
        ("--max-upload", "nan"), ("--teacher-code", " "), ("--limit", "files"), ("--limit", "files=many"),
        ("--limit", "files=0"), ("--limit", "files=nan"), ("--limit", "cups=3"), ("--limit", "files=9Z"),
        ("--limit", "seconds=3600"), ("--limit", "total_bytes=9G"), ("--proxy", "nginx"), ("--proxy", "127.0.0.1,"),
        ("--proxy", "10.0.0.1/8"), ("--proxy", "*"), ("--root-path", "mmgan"), ("--root-path", "https://school.example/x"),
        ("--root-path", "/a//b"), ("--root-path", "/a?b"), ("--allow-host", "https://school.example"),
        ("--allow-host", "school.example:80"), ("--allow-host", "*"), ("--allow-host", ""), ("--auth-file", "nowhere"),
        ("--teacher-code-file", "."),
    ],
)  # fmt: skip
def test_bad_flags_are_one_sentence(flags):
    with pytest.raises(MmganError) as info:
        from_options(options(*flags))
    assert str(info.value).endswith(".") and flags[0][2:].split("-")[0] in str(info.value).lower()


def test_flags_of_a_page_behind_another_server():
    flags = from_options(
        options(
            "--proxy", "127.0.0.1, ::1", "--proxy", "10.0.0.0/8", "--root-path", "/school/mmgan/",
            "--allow-host", "MMGAN.school.example., studio", "--allow-host", "[2001:db8::1]", "--allow-frames",
        )
    )  # fmt: skip
    assert flags.proxy == ("127.0.0.1", "::1", "10.0.0.0/8") and flags.root_path == "/school/mmgan"
    assert flags.allow_host == ("mmgan.school.example", "studio", "[2001:db8::1]") and flags.allow_frames
    assert flags.public


def test_secrets_need_not_stand_in_the_process_list(monkeypatch, tmp_path):
    monkeypatch.setenv(AUTH, "class:rose")
    monkeypatch.setenv(TEACHER_CODE, "elm")
    flags = from_options(options())
    assert (flags.auth, flags.teacher_code) == (("class", "rose"), "elm")
    auth, code = tmp_path / "auth", tmp_path / "code"
    auth.write_bytes("\ufeffclass:向日葵 \r\nnot this\n".encode())
    code.write_text("oak")
    flags = from_options(options("--auth-file", str(auth), "--teacher-code-file", str(code)))
    assert (flags.auth, flags.teacher_code) == (("class", "向日葵 "), "oak")
    flags = from_options(options("--auth", "a:b", "--teacher-code", "ash"))  # what is written there counts
    assert (flags.auth, flags.teacher_code) == (("a", "b"), "ash")
    monkeypatch.setenv(TEACHER_CODE, "")
    assert from_options(options()).teacher_code is None


@pytest.mark.parametrize("content", [b"", b"\n", b"  \nlater", b"\xff\xfe\x00", None])
def test_a_secret_that_is_not_in_its_file(content, tmp_path):
    file = tmp_path / "code"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(MmganError, match=r"--teacher-code-file .*code (cannot be read|is empty); .*\."):
        from_options(options("--teacher-code-file", str(file)))


@pytest.mark.parametrize("flag", ["--auth", "--teacher-code"])
def test_one_secret_is_said_once(flag):
    with pytest.raises(MmganError, match=f"either {flag} or {flag}-file"):
        from_options(options(flag, "a:b", f"{flag}-file", "somewhere"))
