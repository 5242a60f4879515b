"""``mmgan app``: the page."""

from __future__ import annotations

import argparse


def add_commands(command) -> None:
    add = command("app", app, "Serve the page until Ctrl-C.")
    add(
        "--host", default="127.0.0.1",
        help="address to listen to (default 127.0.0.1, this machine only; 0.0.0.0 lets others in)",
    )  # fmt: skip
    add("--port", type=int, default=7860, help="port to listen to (default 7860)")
    add("--share", action="store_true", help="also open a public link through gradio's tunnel (needs the internet)")
    add("--auth", metavar="USER:PASSWORD", help="ask everybody for this user and password (or set MMGAN_AUTH)")
    add("--auth-file", metavar="FILE", help="take USER:PASSWORD from the first line of FILE")
    add("--max-upload", default="200", metavar="MB", help="largest file that may be uploaded (default 200)")
    add(
        "--limit", action="append", default=[], metavar="NAME=NUMBER",
        help="another limit of what a visitor may keep: files=1000, total_bytes=2G, file_bytes=64M, seconds=120, "
        "projects=20, or any other of mmgan/data/limits.py; may be repeated",
    )  # fmt: skip
    add(
        "--teacher-code", metavar="CODE",
        help="only who knows CODE starts, stops or deletes runs (or set MMGAN_TEACHER_CODE)",
    )  # fmt: skip
    add("--teacher-code-file", metavar="FILE", help="take CODE from the first line of FILE")
    add(
        "--proxy", action="append", default=[], metavar="ADDRESS[,ADDRESS]",
        help="servers in front of this one, as addresses or networks, whose X-Forwarded headers are believed",
    )  # fmt: skip
    add("--root-path", default="", metavar="PATH", help="where a server in front has the page, such as /mmgan")
    add(
        "--allow-host", action="append", default=[], metavar="NAME[,NAME]",
        help="also answer to this name; otherwise this machine's own count, and numbers where --host lets others in",
    )  # fmt: skip
    add("--allow-frames", action="store_true", help="let other sites show the page inside theirs")
    add("--runs", default="runs", metavar="FOLDER", help="where runs are (default runs)")
    add("--projects", metavar="FOLDER", help="where visitors' own files are kept (default: projects, beside the runs)")


def app(options: argparse.Namespace) -> None:
    from ..ui.app import main
    from ..ui.server.flags import from_options

    main(from_options(options))
