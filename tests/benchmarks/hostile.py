"""What one hostile visitor can do to another: waits and memory while fifty requests of one kind are in flight."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from PIL import Image

from mmgan.config import ModelConfig, to_dict, with_values
from mmgan.language import Message
from mmgan.models import Generator
from mmgan.models.checkpoint import Model
from mmgan.runs.run import Run
from mmgan.sharing.adoption import adopt
from mmgan.ui.server.owner import COOKIE

from .measure import Part, percentile95
from .page import _command, _wait_for, ask, free_port
from .subjects import Setup, fresh_prompts

KINDS = {
    "nobody": "nobody",
    "patterns": "caption patterns of 250,000 brackets",
    "zips": "downloads of models as zips",
    "models": "samples of the costliest model that is let in, and models that are not",
    "pictures": "uploads of pictures of 60 million pixels",
    "tables": "uploads of a metadata.csv of 3 million rows",
    "queue": "sample requests that nobody fetches, 300 at a time",
}
AIMS = {"digits_p95_ms": 1_000.0, "page_p95_ms": 2_000.0, "projects_p95_ms": 2_000.0, "growth_mib": 300.0}
SECONDS = 12, 1  # of each kind; quick
PAUSE_SECONDS = 0.1  # between two requests of the visitor who is measured
ALLOWED = with_values(ModelConfig(), {  # close to every limit of mmgan.models.cost
    "image.size": 128, "image.patch": 1, "image.widths": (256, 256, 192, 64),
    "audio.num_samples": 163_840, "audio.griffin_lim_iterations": 8,
})  # fmt: skip
ABSURD = with_values(ModelConfig(), {
    "image.size": 16, "image.widths": (4,), "image.latent": 1,
    "audio.widths": (4, 4), "audio.patch": 8, "audio.latent": 1, "audio.num_samples": 1_048_576, "audio.hop": 64,
    "audio.griffin_lim_iterations": 8, "style_dim": 16, "latent_shared": 1, "critic_features": 16,
})  # fmt: skip


def hostile(setup: Setup) -> Part:
    """The waits of a visitor beside one who sends each kind of hostile request, and the memory that the page takes.

    The page, the hostile visitor and the other one are processes of their own, all on loopback.
    """
    rows, values = [], {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        prepare(folder, ALLOWED, setup.count(3_000_000, 300_000))
        with served(folder) as (url, process):
            for kind, what in KINDS.items():
                found = beside(kind, folder, url, process, setup.count(*SECONDS))
                values[kind] = found
                met = [f"{found[name]:,.0f}{'' if found[name] < aim else ' !'}" for name, aim in AIMS.items()]
                rows.append([what, found["sent"], found["refused"], *met])
    columns = ["beside", "sent", "refused", "digits p95 ms", "/ p95 ms", "projects p95 ms", "growth MiB"]
    notes = [
        "One visitor with fifty requests in flight; another one asks for a new digit, / and /collect/projects.",
        f"Aims: {', '.join(f'{name} < {aim:,.0f}' for name, aim in AIMS.items())}; ! is beyond.",
        "Refused: answered with 400, 413, 429 or 503. All share this machine's cores, so other work on it counts.",
    ]
    return Part("10. Beside a hostile visitor", columns, rows, values, notes)


def prepare(folder: Path, allowed: ModelConfig, table_rows: int, side: int = 30_000) -> None:
    """Writes what the hostile visitor sends, and the runs of its models; ``side`` is the pictures' longer one."""
    (folder / "runs").mkdir()
    for name, config in (("costly", allowed), ("absurd", ABSURD)):
        Model(Generator(config), None, {"name": name}).save_pretrained(folder / name)
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (folder / name).iterdir():
                archive.write(path, path.name)
    adopt(folder / "costly.zip", folder / "runs" / "costly")
    # As if it had been there before there were limits.
    with Run.create(folder / "runs" / "absurd", {"training": {"model": to_dict(ABSURD)}, "data": ""}) as run:
        (folder / "absurd").rename(run.checkpoint)
        run.set_status("finished", step=0, reason=Message("runs.imported"), share=1.0)
    (folder / "pictures").mkdir()
    Image.new("L", (side, side * 7 // 100), 90).save(folder / "pictures" / "0.png", compress_level=1)
    Image.new("RGB", (side * 2 // 3, side * 7 // 100), "red").save(folder / "pictures" / "1.png", compress_level=1)
    for number in range(2, 6):
        (folder / "pictures" / f"{number}.png").write_bytes((folder / "pictures" / f"{number % 2}.png").read_bytes())
    (folder / "table").mkdir()
    with (folder / "table" / "metadata.csv").open("w") as file:
        file.write("file_name,text\n")
        file.writelines(f"{number}.png,x\n" for number in range(table_rows))
    Image.new("L", (32, 32)).save(folder / "table" / "0.png")


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A page in a process of its own, and a project of the hostile visitor's there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = _command("app", "--port", str(port), "--device", "cpu", "--runs", str(folder / "runs"))
    try:
        _wait_for(url, server)
        (folder / "project").write_text(begin_project(url))
        _Visitor(url).visit(0.5)  # what is loaded at the first request
        yield url, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=60)


def begin_project(url: str) -> str:
    """A project of the hostile visitor's."""
    with httpx.Client(base_url=url, cookies={COOKIE: "h" * 32}, trust_env=False, timeout=60) as client:
        return client.post("/collect/projects", json={"name": "mine"}).json()["key"]


def beside(kind: str, folder: Path, url: str, process: psutil.Process, seconds: float) -> dict:
    """Measures a page for so long, while the hostile visitor is at it; "nobody" leaves them out."""
    before, peak, over = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], process.memory_info().rss - before)

    watching = threading.Thread(target=watch)
    watching.start()
    attacker = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("attacker.py")), url, kind, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        attacker.stdout.readline()
        visitor = _Visitor(url)
        visitor.visit(seconds)
        answers = json.loads(attacker.communicate(timeout=120)[0])
    finally:
        attacker.kill()
        over.set()
        watching.join()
    return {
        "sent": answers.get("sent", 0), "refused": sum(answers.get(s, 0) for s in ("400", "413", "429", "503")),
        "answers": answers, "errors": visitor.errors,
        **{f"{name}_p95_ms": 1e3 * percentile95(waits) for name, waits in visitor.waits.items()},
        "growth_mib": peak[0] / 2**20,
    }  # fmt: skip


class _Visitor:
    """Somebody who samples digits and opens the page, again and again; what fails counts as a wait of a minute."""

    def __init__(self, url: str):
        self.url, self.errors = url, []
        self.waits: dict[str, list[float]] = {"digits": [], "page": [], "projects": []}

    def visit(self, seconds: float) -> None:
        prompts, end = fresh_prompts(int(time.time())), time.monotonic() + seconds
        ways = {
            "digits": lambda client: ask(client, self.url, "a-visitor", next(prompts)),
            "page": lambda client: client.get("/").raise_for_status(),
            "projects": lambda client: client.get("/collect/projects").raise_for_status(),
        }

        def again(name: str) -> None:
            with httpx.Client(base_url=self.url, cookies={COOKIE: "v" * 32}, trust_env=False, timeout=60) as client:
                while not self.waits[name] or time.monotonic() < end:
                    start = time.monotonic()
                    try:
                        ways[name](client)
                        self.waits[name].append(time.monotonic() - start)
                    except (httpx.HTTPError, RuntimeError) as error:
                        self.errors.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
                        self.waits[name].append(60.0)
                    time.sleep(PAUSE_SECONDS if name != "digits" else 4 * PAUSE_SECONDS)  # else it is told to wait

        threads = [threading.Thread(target=again, args=(name,)) for name in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
