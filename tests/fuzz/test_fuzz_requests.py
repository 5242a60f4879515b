"""What may be sent to a running page: every endpoint of the API and every route of ours, mutated.

Whatever comes, the answer is a result or a sentence: no fault, no ``null``, no traceback, and nothing of
where this computer keeps its files.
"""

from __future__ import annotations

import io
import json
import logging
import random
import shutil
import socket
import zipfile
from urllib.parse import quote, urlencode

import httpx
import numpy as np
import pytest
from fakes import FakePipeline
from PIL import Image

from mmgan.errors import MmganError
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.ui import app
from mmgan.ui.collect import model_files
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server import access, quota
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE

from .mutate import ODD_VALUES, spoil_bytes, spoil_json, spoil_value

JSON = {"content-type": "application/json"}
OWNER = "f" * 32
CODE = "sunflower"
CALLS = {  # what a program sends when all is right
    "sample": ["a handwritten seven", 1, 0, 1.0, "digits"],
    "morph": ["a handwritten seven", "a thick zero", 0, 1.0, "digits"],
    "walk": ["a handwritten seven", 0, 1.0, "digits"],
    "models": [],
    "runs": [],
    "run": ["seven", 0, ""],
    "start_run": ["eight", "shapes", "tiny", "relativistic", 1, {"learning_rate": 0.001}, "", CODE],
    "stop_run": ["seven", CODE],
    "pause_run": ["seven", CODE],
    "resume_run": ["seven", CODE],
    "delete_run": ["gone", CODE],
}
QUESTIONS = {  # of the Train tab's script
    "poll": {"version": "", "run": "seven", "code": CODE, "cursor": 0, "epoch": ""},
    "look": {"what": "compare", "runs": ["seven"], "run": "seven", "step": 0, "data": "shapes"},
    "act": {"action": "start", "run": "seven", "code": CODE, "name": "nine", "data": "shapes", "preset": "tiny",
            "settings": {"minutes": 1, "loss": "relativistic"}, "start_from": "digits"},
}  # fmt: skip
LOOKS = ("strip", "sound", "compare", "finetune", "settings", "name")
ACTS = ("unlock", "start", "stop", "pause", "resume", "save", "sample", "delete")


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((20, 20), 99, np.uint8)).save(file, "PNG")
    return file.getvalue()


def model_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps({"format": "mmgan", "version": 1, "model": {}, "info": {}}))
        archive.writestr("generator.safetensors", b"\2\0\0\0\0\0\0\0{}")
    return file.getvalue()


class Served:
    """The page, a client of it, and what an answer must not say."""

    def __init__(self, url: str, folder, demo):
        self.client = httpx.Client(base_url=url, cookies={COOKIE: OWNER}, timeout=30)
        self.folder = folder
        self.places = [str(folder), str(app.ASSETS.parent), "/site-packages", "/lib/python"]
        self.events = sorted(key for key, function in demo.fns.items() if function.fn is not None)

    def ask(self, tally, method: str, path: str, content=None, headers=JSON) -> httpx.Response | None:
        try:
            answer = self.client.request(method, path, content=content, headers=headers)
        except (httpx.InvalidURL, httpx.RemoteProtocolError, UnicodeError, ValueError):
            tally["not sent"] += 1  # the client, or the server's reader of HTTP, refuses it
            return None
        self.check(answer, f"{method} {path} {str(content)[:300]}")
        tally["result" if answer.status_code < 400 else "sentence"] += 1
        return answer

    def check(self, answer: httpx.Response, asked: str) -> None:
        text = answer.text
        assert answer.status_code < 500, (asked, text[:500])
        assert "Traceback (most recent" not in text, asked
        assert not [place for place in self.places if place in text], (asked, text[:500])
        if answer.status_code >= 400 and text and asked.split()[0] != "HEAD":
            said = answer.json()["error"] if "json" in answer.headers["content-type"] else text
            assert_sentence(said, asked)

    def follow(self, tally, name: str, event: str, asked: str) -> None:
        """The stream of an event that was asked for without a session: complete, or an error that is a sentence."""
        text = self.client.get(f"/gradio_api/call/{name}/{event}").text
        assert not [place for place in self.places if place in text], (asked, text[:500])
        kind, data = text.partition("data: ")[0], text.partition("data: ")[2].partition("\n\n")[0]
        if "error" in kind:
            said = json.loads(data)
            assert_sentence(said["error"] if isinstance(said, dict) else said, asked)
            tally["sentence"] += 1
        else:
            assert "complete" in kind or "heartbeat" in kind, (asked, text[:300])
            tally["result"] += 1


def assert_sentence(said, asked) -> None:
    assert isinstance(said, str) and said.rstrip().endswith((".", "。")) and len(said) > 5, (asked, said)
    assert said.count("\n") == 0 and "Error(" not in said, (asked, said)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("requests")
    patch = pytest.MonkeyPatch()
    patch.setattr(Manager, "_spawn", lambda self, run, arguments, command="train": shutil.rmtree(run.folder))
    patch.setattr(Manager, "running", lambda self: [])  # nothing is, so that each start gets as far as it can
    patch.setattr(access.Guesses, "claim", lambda self, address: 0.0)
    patch.setattr(model_files, "push_to_hub", _no_hub)
    patch.setattr(model_files, "export_model", _no_export)
    for place, name in ((quota, "VISITOR"), (quota, "ADDRESS")):
        patch.setattr(place, name, (10**9, 1e9))
    patch.setattr(quota.Quota.__init__, "__defaults__", ((10**9, 1e9), (10**9, 1e9)))
    for name in ("seven", "gone"):
        training = {"loss": "relativistic", "steps": 100, "minutes": 0.0, "batch_size": 16}
        with Run.create(
            folder / "runs" / name, {"training": training, "data": str(folder), "text_encoder": None}
        ) as run:
            run.log_metrics({"step": 1, "generator": 1.0})
            run.log(f"$ mmgan train --out {run.folder}")
            run.set_status("failed", step=1, reason=f"{run.folder} cannot be written; choose another folder.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = Flags(runs=folder / "runs", teacher_code=CODE, max_upload=1 << 20, port=port)
    demo = app.build(Sampler(load=FakePipeline, runs=Manager(flags.runs).models), flags)
    app.serve(demo, flags)
    logging.getLogger("mmgan.ui").setLevel(logging.ERROR)
    yield Served(f"http://127.0.0.1:{port}", folder, demo)
    logging.getLogger("mmgan.ui").setLevel(logging.NOTSET)
    demo.close(verbose=False)
    patch.undo()


def _no_hub(source, repo, token, private):
    raise MmganError("The Hub cannot be reached; check the connection and try again.")


def _no_export(source, path):
    path.write_bytes(model_zip())
    return path


@pytest.fixture
def faults(caplog):
    """Nothing that mmgan did not expect may be logged: the sentence that hides it is no sentence about the request."""
    caplog.set_level(logging.ERROR, logger="mmgan.ui")
    yield
    unexpected = [record for record in caplog.records if record.name.startswith("mmgan") and record.exc_info]
    assert not unexpected, caplog.text[-3000:]


@pytest.mark.parametrize("name", CALLS)
def test_the_api(served, name, count, tally, faults):
    """Through gradio's queue, as programs call it."""
    good = {"data": CALLS[name]}
    for seed in range(count):
        whole = seed % 4 == 0
        body = spoil_json(as_json(good), seed) if whole else as_json({"data": spoil_value(good["data"], seed)})
        answer = served.ask(tally, "POST", f"/gradio_api/call/{name}", body)
        if answer is not None and answer.status_code == 200:
            served.follow(tally, name, answer.json()["event_id"], f"{name} {body[:300]}")


def test_gradios_other_ways_to_ask(served, count, tally, faults):
    for seed in range(count):
        draw = random.Random(seed)
        name = draw.choice([*CALLS, "nothing", "a/b", "%00", "\ud800".encode("utf-8", "replace").decode()])
        data = CALLS.get(name, [])
        way = draw.randrange(4)
        if way == 0:
            named = dict(zip(("prompt", "num_samples", "seed", "truncation", "model"), data, strict=False))
            served.ask(tally, "POST", f"/gradio_api/call/v2/{quote(name)}", as_json(spoil_value(named, seed)))
        elif way == 1:
            served.ask(tally, "POST", f"/gradio_api/{draw.choice(('run', 'api'))}/{quote(name)}",
                       spoil_json(json.dumps({"data": data}).encode(), seed))  # fmt: skip
        elif way == 2:
            # The name of no session that an earlier question made up: gradio keeps the stream of such a one open.
            event = quote(f"none {draw.choice(ODD_VALUES)}"[:99], safe="")
            served.ask(tally, "GET", f"/gradio_api/call/{quote(name)}/{event}")
        else:
            join = {"data": data, "fn_index": draw.choice(served.events), "session_hash": f"s{seed}", "trigger_id": 1}
            body = spoil_json(json.dumps(join).encode(), seed)
            answer = served.ask(tally, "POST", "/gradio_api/queue/join", body)
            if answer is not None and answer.status_code == 200:
                events = session_events(served, session_of(body))
                assert '"error":null' not in events, (body, events[-300:])


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_train_tab(served, name, count, tally, faults):
    for seed in range(count):
        draw = random.Random(seed)
        question = dict(QUESTIONS[name])
        if name == "look":
            question["what"] = draw.choice(LOOKS)
        if name == "act":
            question["action"] = draw.choice(ACTS)
        good = json.dumps(question).encode()
        body = spoil_json(good, seed) if seed % 4 == 0 else as_json(spoil_value(question, seed))
        answer = served.ask(tally, "POST", f"/train/{name}", body)
        if answer is not None and answer.status_code == 200 and isinstance(found := answer.json(), dict):
            assert "error" not in found or isinstance(found["error"], str), (body, found)


SAMPLED = {"prompt": "a bell", "other": "a gong", "model": "digits", "count": 1, "seed": 0, "truncation": 1.0}
ROUTES = [
    *(("POST", f"/sample/{name}", SAMPLED) for name in ("generate", "switch", "recall", "morph", "walk", "words")),
    ("GET", "/collect/projects", None),
    ("POST", "/collect/projects", {"name": "Bells"}),
    ("GET", "/collect/projects/KEY?page=0&show=all&find=bell", None),
    ("PATCH", "/collect/projects/KEY", {"name": "Bells", "shared": False}),
    ("POST", "/collect/projects/KEY/items", {"action": "caption", "ids": [1], "caption": "a bell", "template": "{name}",
                                             "find": "a", "replacement": "b", "how": "pieces"}),
    ("GET", "/collect/projects/KEY/lonely/image", None),
    ("GET", "/collect/projects/KEY/export", None),
    ("GET", "/collect/projects/KEY/thumbnails/1", None),
    ("GET", "/collect/projects/KEY/files/1", None),
    ("POST", "/collect/finetune", {"project": "KEY", "base": "digits", "name": "ten", "minutes": 1, "batch_size": 8,
                                   "code": CODE}),
    ("POST", "/collect/publish", {"model": "digits", "repo": "ada/bells", "token": "x", "public": False, "code": CODE}),
    ("GET", "/collect/name?stem=bells", None),
    ("GET", f"/collect/models?code={CODE}", None),
    ("GET", "/collect/models/digits", None),
]  # fmt: skip
ACTIONS = ("caption", "captions", "replace", "cut", "delete", "pair", "unpair", "forget")


@pytest.fixture(scope="module")
def project(served):
    """The key of a project with a picture."""
    key = served.client.post("/collect/projects", json={"name": "Bells"}).json()["key"]
    upload = served.client.post(f"/collect/projects/{key}/uploads").json()["upload"]
    served.client.put(f"/collect/uploads/{upload}", params={"name": "bell.png"}, content=picture())
    served.client.post(f"/collect/uploads/{upload}", json={"caption": "a bell"})
    while served.client.get(f"/collect/uploads/{upload}").json()["state"] in ("waiting", "adding"):
        pass
    return key


@pytest.mark.parametrize("method, path, question", ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
def test_our_routes(served, project, method, path, question, count, tally, faults):
    path = path.replace("KEY", project)
    for seed in range(count):
        draw = random.Random(seed)
        if question is None:
            served.ask(tally, method, spoil_path(path, seed), None, {})
            continue
        good = json.loads(json.dumps(question).replace("KEY", project))
        if "action" in good:
            good["action"] = draw.choice(ACTIONS)
        body = spoil_json(json.dumps(good).encode(), seed)
        headers = JSON if seed % 10 else {"content-type": str(draw.choice(("", "text/plain", "multipart/form-data")))}
        served.ask(tally, method, path if seed % 5 else spoil_path(path, seed), body, headers)
    if (method, path) == ("POST", "/collect/projects"):
        for found in served.client.get("/collect/projects").json()["projects"]:
            if found["key"] != project:
                served.client.delete(f"/collect/projects/{found['key']}")


def test_uploads(served, project, count, tally, faults):
    for seed in range(count):
        draw = random.Random(seed)
        begun = served.client.post(f"/collect/projects/{project}/uploads").json()
        place = f"/collect/uploads/{begun['upload']}"
        data = draw.choice((picture, model_zip))()
        served.ask(tally, "PUT", f"{place}?{odd_query(draw)}", spoil_bytes(data, seed), {})
        served.ask(tally, "GET", spoil_path(place, seed), None, {})
        if seed % 8 == 0:
            good = {"caption": "a bell", "too_large": ["x.wav"]}
            served.ask(tally, "POST", place, spoil_json(json.dumps(good).encode(), seed))
        served.ask(tally, "DELETE", place, None, {})


def test_models_that_are_imported(served, count, tally, faults):
    for seed in range(count):
        draw = random.Random(seed)
        query = odd_query(draw) + "&" + urlencode({"code": CODE})
        served.ask(tally, "POST", f"/collect/models?{query}", spoil_bytes(model_zip(), seed), {})


PLACES = (
    "/", "/config", "/assets/a.js", "/static/a.svg", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt",
    "/gradio_api/info", "/gradio_api/openapi.json", "/gradio_api/app_id", "/gradio_api/startup-events", "/logout",
    "/gradio_api/queue/data?session_hash=a", "/gradio_api/mcp/schema", "/scripts/1/page/page.js", "/collect/nothing",
    "/nothing/at/all",
)  # fmt: skip


def test_everything_else_that_can_be_opened(served, count, tally, faults):
    for seed in range(count):
        draw = random.Random(seed)
        method = draw.choice(("GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE"))
        headers = {
            draw.choice(("cookie", "accept-language", "accept-encoding", "if-none-match", "x-forwarded-for")):
            draw.choice((b"\xff\xfe", b"=;=;,", b"a" * 5_000, b"zh-", b"mmgan-language=\xe4", b"*;q=x"))
        }  # fmt: skip
        served.ask(tally, method, spoil_path(draw.choice(PLACES), seed), None, headers)


def as_json(value) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def odd_query(draw: random.Random) -> str:
    """A name as it might be sent: odd characters, odd encodings of them, or something else in its place."""
    odd = draw.choice(("a\0b", "😀" * 80, "..", "x" * 999, "con", "\u202e", "a/b/c.png", "C:\\x.png", " ", "bell.zip"))
    raw = draw.choice((quote(odd), quote(odd) + "%ff%fe", "%ED%A0%80", "%", "%zz", "%00", quote(quote(odd))))
    return draw.choice((f"name={raw}", f"name={raw}&name=2", raw, f"&=&{raw}==", f"name[]={raw}"))


def spoil_path(path: str, seed: int) -> str:
    """A path one part of which, or one value of whose query, is odd."""
    draw = random.Random(seed)
    raw = draw.choice(("%00", "%ED%A0%80", "%ff", "..%2f..", "-1", "9" * 5_000, "9" * 20, "%F0%9F%98%80" * 80, "null",
                       "1.5", "%", "%%", "a" * 3_000, "%2e%2e", "NaN", "²", "١"))  # fmt: skip
    raw = quote(raw, safe="%")
    where, _, query = path.partition("?")
    parts = where.split("/")
    if query and draw.randrange(3):
        pairs = query.split("&")
        chosen = draw.randrange(len(pairs))
        pairs[chosen] = draw.choice(
            (f"{pairs[chosen].partition('=')[0]}={raw}", raw, f"{pairs[chosen]}&{pairs[chosen]}")
        )
        return f"{where}?{'&'.join(pairs)}"
    if len(parts) > 3:
        parts[draw.randrange(3, len(parts))] = raw
        return "/".join(parts) + (f"?{query}" if query else "")
    return f"{where}?{query}&{raw}={raw}"


def session_of(body: bytes) -> str:
    return json.loads(body)["session_hash"]


def session_events(served: Served, session) -> str:
    """All that the queue says to a session until it has no more to say."""
    if not isinstance(session, str) or not session.isascii() or not session.isprintable():
        return ""
    with served.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        said = ""
        for line in stream.iter_lines():
            said += line
            if '"close_stream"' in line or "unexpected_error" in line:
                break
    return said
