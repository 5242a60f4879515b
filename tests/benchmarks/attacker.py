"""One hostile visitor as a program of its own: ``python attacker.py URL KIND FOLDER``, until its input is closed.

Fifty threads send requests of one kind, each as soon as the last was answered. What they send lies in FOLDER, made by
hostile.py. It prints a line as soon as they begin, and at the end, as JSON, how many were sent and how many answered
with each status (0: no answer). It imports next to nothing.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

AT_ONCE = 50
COOKIE = "mmgan-owner=" + "h" * 32
JSON = {"Content-Type": "application/json"}
TIMEOUT = 60


class Attacker:
    """The requests of one thread; ``answers`` are everybody's."""

    def __init__(self, url: str, folder: Path, number: int, answers: Counter):
        self.place, self.folder, self.number, self.answers = urlsplit(url), folder, number, answers
        self.count = itertools.count()
        self.project = (folder / "project").read_text() if (folder / "project").exists() else ""

    def ask(self, method: str, path: str, body=None, headers: dict | None = None) -> bytes:
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=TIMEOUT)
        try:
            self.answers["sent"] += 1
            connection.request(method, path, body, {"Cookie": COOKIE, **(headers or {})})
            answer = connection.getresponse()
            found = answer.read()
            self.answers[answer.status] += 1
            return found
        finally:
            connection.close()

    def nobody(self) -> None:
        """What the others are compared with."""
        time.sleep(0.1)

    def patterns(self) -> None:
        question = {"action": "captions", "ids": "[" * 250_000, "template": "x"}
        self.ask("POST", f"/collect/projects/{self.project}/items", json.dumps(question), JSON)
        self.ask("GET", f"/collect/projects/{self.project}?find=" + "*a" * 5_000)

    def zips(self) -> None:
        self.ask("GET", "/collect/models/" + ("shapes", "digits")[next(self.count) % 2])

    def models(self) -> None:
        """The costliest model that is let in, one that is not, and its zip."""
        if self.number % 10 == 9:
            zipped = (self.folder / "absurd.zip").read_bytes()
            self.ask("POST", "/collect/models?name=absurd", zipped, {"Content-Type": "application/zip"})
        else:
            self.sample("runs/" + ("absurd" if self.number % 5 == 4 else "costly"), 4, f"attacker-{self.number}")

    def pictures(self) -> None:
        self.upload("pictures", "a caption")

    def tables(self) -> None:
        self.upload("table", "")

    def queue(self) -> None:
        """Three hundred at a time over all threads, each in a session of its own, and the largest there are."""
        for _ in range(6):
            self.sample("digits", 16, "", fetch=False)
        self.sample("digits", 16, "")

    def upload(self, what: str, caption: str) -> None:
        begun = json.loads(self.ask("POST", f"/collect/projects/{self.project}/uploads", "{}", JSON))
        if "upload" not in begun:
            return
        for path in sorted((self.folder / what).iterdir()):
            self.ask("PUT", f"/collect/uploads/{begun['upload']}?name=data/{path.name}", path.read_bytes())
        self.ask("POST", f"/collect/uploads/{begun['upload']}", json.dumps({"caption": caption}), JSON)

    def sample(self, model: str, count: int, session: str, fetch: bool = True) -> None:
        seed = self.number * 100_000 + next(self.count)
        session = session or f"made-up-{seed}"
        question = {"data": ["a handwritten seven", count, seed, 1.0, model], "session_hash": session}
        answer = json.loads(self.ask("POST", "/gradio_api/call/sample", json.dumps(question), JSON))
        if fetch and "event_id" in answer:
            self.ask("GET", f"/gradio_api/call/sample/{answer['event_id']}")


def main(url: str, kind: str, folder: str) -> None:
    answers, over = Counter(), threading.Event()

    def work(number: int) -> None:
        attack = getattr(Attacker(url, Path(folder), number, answers), kind)
        while not over.is_set():
            try:
                attack()
            except (OSError, ValueError, http.client.HTTPException):
                answers[0] += 1
                over.wait(0.1)

    for number in range(AT_ONCE):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    while kind != "nobody" and not answers:
        time.sleep(0.01)
    print("begun", flush=True)
    sys.stdin.read()
    over.set()
    print(json.dumps({str(status): count for status, count in answers.items()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
