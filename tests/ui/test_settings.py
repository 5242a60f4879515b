"""The flags of `mmgan app`."""

import argparse
import dataclasses

import pytest

from mmgan import cli
from mmgan.data.limits import PROJECT_LIMITS
from mmgan.errors import MmganError
from mmgan.ui.settings import Settings, from_options


def options(*arguments) -> argparse.Namespace:
    return cli._parser().parse_args(["app", *arguments])


def test_defaults_are_those_of_settings():
    settings = from_options(options())
    assert settings == Settings() and not settings.public


def test_every_flag():
    settings = from_options(
        options(
            "--share", "--host", "0.0.0.0", "--port", "80", "--auth", "class:a:b", "--max-upload", "1.5",
            "--teacher-code", "oak", "--runs", "here", "--limit", "files=100", "--limit", "total_bytes=2G",
            "--limit", "seconds=30",
        )
    )  # fmt: skip
    assert (settings.share, settings.host, settings.port, settings.auth) == (True, "0.0.0.0", 80, ("class", "a:b"))
    assert (settings.max_upload, settings.teacher_code, settings.runs.name) == (3 << 19, "oak", "here")
    assert settings.public
    assert settings.limits == dataclasses.replace(PROJECT_LIMITS, files=100, total_bytes=2 << 30, seconds=30.0)


@pytest.mark.parametrize(
    "flags",
    [
        ("--auth", "class"), ("--auth", ":"), ("--auth", "class:"), ("--max-upload", "big"), ("--max-upload", "0"),
        ("--max-upload", "nan"), ("--teacher-code", " "), ("--limit", "files"), ("--limit", "files=many"),
        ("--limit", "files=0"), ("--limit", "files=nan"), ("--limit", "cups=3"), ("--limit", "files=9Z"),
        ("--limit", "seconds=3600"), ("--limit", "total_bytes=9G"),
    ],
)  # fmt: skip
def test_bad_flags_are_one_sentence(flags):
    with pytest.raises(MmganError) as info:
        from_options(options(*flags))
    assert str(info.value).endswith(".") and flags[0][2:].split("-")[0] in str(info.value).lower()
