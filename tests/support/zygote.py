"""Forks the real server and real trainers of small networks, so that gradio and torch are imported once for all.

``python zygote.py SOCKET RUNS`` listens; a line of JSON is ["serve"], answered with the number of the process and the
port of the page, or the arguments of a ``mmgan`` command, answered with the number of its process.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import small_cli
from fakes import FakePipeline
from served import serving

from mmgan.cli import main
from mmgan.runs import manager, process
from mmgan.system.files import process_lives
from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags


def ask(path: str, question: list) -> tuple[int, ...]:
    """The answer of the zygote at that socket, in numbers."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(120)
        asked.connect(path)
        asked.sendall(json.dumps(question).encode() + b"\n")
        with asked.makefile() as answer:
            return tuple(map(int, answer.readline().split()))


class Forked:
    """What the manager asks of the process that it started."""

    def __init__(self, command, **_):
        (self.pid,) = ask(*command[:1], command[1:])

    def poll(self):
        return None if process_lives(self.pid) else 1

    def wait(self):
        while self.poll() is None:
            time.sleep(0.05)


def work(question: list, answer: socket.socket, path: str, runs: Path) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    if question != ["serve"]:
        answer.sendall(f"{os.getpid()}\n".encode())
        log = os.open(Path(question[question.index("--out") + 1], "log.txt"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(log, 1), os.dup2(log, 2)
        return main(question) or 0
    manager.COMMAND, manager.MAX_RUNNING = (path,), 50
    process.subprocess = type("", (), {"Popen": Forked, "DEVNULL": subprocess.DEVNULL})
    with serving(Flags(runs=runs)) as address:
        answer.sendall(f"{os.getpid()} {address.rpartition(':')[2]}\n".encode())
        while True:
            signal.pause()


def listen(path: str, runs: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    small_cli.patch()
    app.build(Sampler(load=FakePipeline), Flags(runs=runs.with_name("none")))  # imports what a page needs
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while True:
            answer, _ = listening.accept()
            question = json.loads(answer.makefile().readline())
            if os.fork() == 0:
                listening.close()
                os._exit(work(question, answer, path, runs))
            answer.close()


if __name__ == "__main__":
    listen(sys.argv[1], Path(sys.argv[2]))
