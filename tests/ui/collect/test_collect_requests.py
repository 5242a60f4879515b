"""Collecting without the page: what a program may send, and what it is told."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import pytest
from served import serving
from test_collect_tab import picture

from mmgan.data.limits import PROJECT_LIMITS
from mmgan.projects.projects import Projects
from mmgan.ui.collect import uploads
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE
from mmgan.ui.server.turns import Visitor


def test_two_files_of_one_name_are_two(address, folder):
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "u" * 32}) as client:
        key = client.post("/projects", json={"name": "Twins"}).json()["key"]
        upload = client.post(f"/projects/{key}/uploads").json()["upload"]
        for number in (1, 2):
            client.put(f"/uploads/{upload}", params={"name": "1.png"}, content=picture(number)).raise_for_status()
        client.post(f"/uploads/{upload}", json={"caption": "twin"})
        while client.get(f"/uploads/{upload}").json()["state"] in ("waiting", "adding"):
            time.sleep(0.05)
        (project,) = [p for p in Projects(folder / "projects").list() if p.name == "Twins"]
        assert len({item.digest for item in project.items()}) == 2
        client.delete(f"/projects/{key}")


def test_uploads_whose_page_is_gone_are_in_nobodys_way(address, monkeypatch):
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "w" * 32}) as client:
        key = client.post("/projects", json={"name": "Left"}).json()["key"]
        begun = [client.post(f"/projects/{key}/uploads").status_code for _ in range(5)]
        assert begun == [200] * 4 + [400]
        monkeypatch.setattr(uploads, "IDLE_SECONDS", 0.0)
        assert client.post(f"/projects/{key}/uploads").status_code == 200
        client.delete(f"/projects/{key}")


def test_a_second_server_leaves_the_uploads_of_the_first_alone(tmp_path):
    waiting = tmp_path / ".uploads"
    project = Projects(tmp_path).create("Shared folder")
    first = uploads.Uploads(waiting, PROJECT_LIMITS, 1 << 20)
    first.begin(project, "a")
    second = uploads.Uploads(waiting, PROJECT_LIMITS, 1 << 20)
    second.begin(project, "b")
    other = threading.Thread(target=second.begin, args=(project, "c"), daemon=True)
    other.start()
    other.join(timeout=10)
    assert len(list(waiting.glob("*/*"))) == 3
    first._lives.release()  # as the system does when a process ends
    uploads.Uploads(waiting, PROJECT_LIMITS, 1 << 20)
    assert {path.parent for path in waiting.glob("*/*")} == {second.folder}
    assert [path.name for path in waiting.glob("*.lock")] == [f"{second.folder.name}.lock"]


@pytest.mark.parametrize("others", ["consent", "x=hello world", 'x={"a":1}', "path=/", "a=1; ü"])
def test_a_visitor_is_known_whatever_cookies_other_programs_left(address, others):
    cookie = f"{others}; {COOKIE}={'v' * 32}".encode()
    answer = httpx.get(address, headers={"cookie": cookie})
    assert not any(value.startswith(COOKIE) for value in answer.headers.get_list("set-cookie"))
    assert any(value.startswith(COOKIE) for value in httpx.get(address).headers.get_list("set-cookie"))


def test_what_a_program_sends_is_bounded(address, folder):
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "y" * 32}) as client:
        key = client.post("/projects", json={"name": "Program"}).json()["key"]
        upload = client.post(f"/projects/{key}/uploads").json()["upload"]
        for name in ("../up.png", "/etc/x.png", "a/../../b.png", "C:\\x.png", "x\x00.png", "a/" * 20 + "x.png"):
            answer = client.put(f"/uploads/{upload}", params={"name": name}, content=b"1")
            assert answer.status_code == 400 and answer.json()["error"].endswith("."), name

        # An odd name costs nobody's upload: it is made one that any disk takes.
        for name in ("CON", "n" * 300 + ".png", "n" * 300 + "m.png", f"d/{'n' * 300}.png", f"d/{'n' * 300}m.png"):
            assert client.put(f"/uploads/{upload}", params={"name": name}, content=b"1").status_code == 200
        kept = [path for path in (folder / "projects" / ".uploads").rglob("*") if path.is_file()]
        assert sum(path.name.startswith("nnn") for path in kept) == 4
        assert all(len(path.name.encode()) < 250 for path in kept)

        def endless():
            yield bytes(1 << 20)

        assert (
            client.put(f"/uploads/{upload}", params={"name": "a.png"}, content=endless()).status_code == 400
        )  # no length
        assert client.put(f"/uploads/{upload}", params={"name": "a.png"}, content=bytes(5 << 20)).status_code == 400
        assert client.post("/projects", content=b"{}").status_code == 400  # what a form of another site could send
        assert client.post("/projects", json={"name": "x"}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert client.post("/projects", json={"name": "x" * 300}).status_code == 400
        assert client.put(f"/uploads/{upload}", params={"name": "a.png"}, content=picture(1)).status_code == 200
        with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "z" * 32}) as other:
            assert other.get(f"/uploads/{upload}").status_code == 400
        client.delete(f"/uploads/{upload}")
        client.delete(f"/projects/{key}")
    assert httpx.post(f"{address}/collect/projects", json={"name": "no cookie"}).status_code == 400
    assert not (folder / "projects" / key).exists()


def test_only_the_teacher_fine_tunes_and_imports(folder):
    flags = Flags(runs=folder / "class" / "runs", teacher_code="sunflower")
    with (
        serving(flags) as address,
        httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "t" * 32}) as client,
    ):
        key = client.post("/projects", json={"name": "Lesson"}).json()["key"]
        question = {"project": key, "base": "digits", "minutes": 1, "name": "x"}
        for code, part in (("", "Only the teacher"), ("tulip", "not the teacher code")):
            answer = client.post("/finetune", json=question | {"code": code})
            assert answer.status_code == 403 and part in answer.json()["error"]
            answer = client.post("/models", params={"name": "x", "code": code}, content=b"PK")
            assert answer.status_code == 403 and part in answer.json()["error"]
            answer = client.post("/publish", json={"model": "digits", "repo": "a/b", "token": "x", "code": code})
            assert answer.status_code == 403 and part in answer.json()["error"]
        unnamed = {
            "model": "digits",
            "repo": "a/b",
            "code": "sunflower",
        }  # never with the token of this computer's owner
        assert "Paste your token" in client.post("/publish", json=unnamed).json()["error"]
        assert "learned from yet" in client.post("/finetune", json=question | {"code": "sunflower"}).json()["error"]
        answer = client.post("/models", params={"name": "x", "code": "sunflower"}, content=b"PK")
        assert answer.status_code == 400 and answer.json()["error"].endswith(".")
        for base in ("/etc", "somebody/something", "runs/../projects"):
            answer = client.post("/finetune", json=question | {"code": "sunflower", "base": base})
            assert answer.status_code == 400 and "choose one of" in answer.json()["error"]
    assert not flags.runs.exists() or list(flags.runs.iterdir()) == []


def test_lists_and_patterns_are_bounded_before_anything_is_done_with_them(address):
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "p" * 32}) as client:
        key = client.post("/projects", json={"name": "Patterns"}).json()["key"]

        def refused(**question):
            answer = client.post(f"/projects/{key}/items", json=question)
            assert answer.status_code == 400, answer.text
            return answer.json()["error"]

        assert "at most 200" in refused(action="captions", ids="[" * 250_000, template="x")
        assert "at most 200" in refused(action="replace", ids="*a" * 101, find="a", replacement="b")
        assert "at most 300" in refused(action="replace", ids="*", find="a" * 301, replacement="b")
        assert "at most 300" in refused(action="replace", ids="*", find="a", replacement="b" * 250_000)
        assert "5,000 files" in refused(action="delete", ids=list(range(5_001)))
        assert client.post(f"/projects/{key}/items", json={"action": "delete", "ids": [1, 2]}).json() == {"changed": 0}
        for find in ("[" * 10_000, "*a" * 10_000, "ß" * 199 + "*", "x" * 20_000):
            assert client.get(f"/projects/{key}", params={"find": find}).status_code in (200, 400)
        for number in ("9" * 5_000, "-1", "x", "1e9", "٣"):
            assert client.get(f"/projects/{key}/files/{number}").status_code == 400
            assert client.get(f"/projects/{key}/thumbnails/{number}").status_code == 400
            assert client.get(f"/projects/{key}", params={"page": number}).status_code == 200
        deep = client.post(
            f"/projects/{key}/items", content=b"[" * 250_000, headers={"content-type": "application/json"}
        )
        assert deep.status_code == 400 and deep.json()["error"].endswith(".")
        client.delete(f"/projects/{key}")


class Slow:
    """A project whose files take until they are let go; notes whose they are."""

    def __init__(self, name, order, files=3):
        self.name, self.order, self.files = name, order, files
        self.go, self.began = threading.Semaphore(0), threading.Semaphore(0)

    def add(self, sources, caption, progress, refused):
        for number in range(self.files):
            progress(number, self.files, f"{number}.png")
            self.order.append(self.name)
            self.began.release()
            assert self.go.acquire(timeout=20)
        return uploads.Added()


def test_one_visitor_never_has_all_threads_that_add(tmp_path):
    """And who adds large files lets the others go first after each."""
    adding, order = uploads.Uploads(tmp_path / ".uploads", PROJECT_LIMITS, 1 << 20), []
    hasty, other = Visitor("10.0.0.1", "hasty"), Visitor("10.0.0.1", "other")
    first, second, third = (Slow(name, order) for name in ("hasty", "hasty again", "other"))
    begun = []
    for project, who in ((first, hasty), (second, hasty), (third, other)):
        begun.append(adding._uploads[adding.begin(project, who.name, who)])
        adding.add(begun[-1], "")
    assert first.began.acquire(timeout=20) and third.began.acquire(timeout=20)  # at the same time, and not the second
    assert "hasty again" not in order
    for project in (first, second, third):
        for _ in range(3):
            project.go.release()
    for _ in range(3):
        assert second.began.acquire(timeout=20)
    while any(upload.state != "done" for upload in begun):
        time.sleep(0.01)
    assert sorted(order) == ["hasty"] * 3 + ["hasty again"] * 3 + ["other"] * 3


def test_too_many_requests_at_once_are_told_to_wait(address, monkeypatch):
    held, go = threading.Semaphore(0), threading.Event()

    def slow(*_):
        held.release()
        assert go.wait(60)
        return []

    monkeypatch.setattr(Projects, "list", slow)
    with ThreadPoolExecutor(60) as pool, httpx.Client(timeout=60) as client:
        cookies = {"cookie": f"{COOKIE}={'q' * 32}"}
        asked = [pool.submit(client.get, f"{address}/collect/projects", headers=cookies) for _ in range(60)]
        assert held.acquire(timeout=20) and held.acquire(timeout=20)
        refused = next(future for future in as_completed(asked, timeout=60)).result()
        assert refused.status_code == 429 and "what you asked for" in refused.json()["error"]
        assert client.get(address).status_code == 200  # everything else answers
        assert not held.acquire(blocking=False)  # of the visitor two at a time
        go.set()
        assert {future.result().status_code for future in asked} == {200, 429}


def test_captions_are_read_again_by_their_owner_alone(address, folder):
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "r" * 32}) as client:
        key = client.post("/projects", json={"name": "Old"}).json()["key"]
        upload = client.post(f"/projects/{key}/uploads").json()["upload"]
        table = "file_name,text\n1.png,une pomme très mûre\n".encode("cp1252")
        for name, data in {"1.png": picture(21), "metadata.csv": table}.items():
            client.put(f"/uploads/{upload}", params={"name": name}, content=data).raise_for_status()
        client.post(f"/uploads/{upload}", json={})
        while (now := client.get(f"/uploads/{upload}").json())["state"] in ("waiting", "adding"):
            time.sleep(0.05)
        assert "Western European (cp1252)" in now["sentence"]
        (reading,) = client.get(f"/projects/{key}").json()["readings"]
        assert (reading["name"], reading["encoding"]) == ("metadata.csv", "cp1252") and "très" in reading["example"]
        act = {"action": "encoding", "reading": reading["id"], "encoding": "cp1251"}
        client.patch(f"/projects/{key}", json={"shared": True})
        with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "s" * 32}) as other:
            assert other.post(f"/projects/{key}/items", json=act).status_code == 400
        assert client.post(f"/projects/{key}/items", json=act).json() == {"changed": 1}
        for wrong in ({"encoding": "rot13"}, {"encoding": ["utf-8"]}, {"encoding": None}, {"reading": 99},
                      {"reading": "1"}, {"reading": True}, {"reading": [1]}):  # fmt: skip
            answer = client.post(f"/projects/{key}/items", json=act | wrong)
            assert answer.status_code == 400 and answer.json()["error"].endswith("."), wrong
        client.post(f"/projects/{key}/items", json={"action": "forget_reading", "reading": reading["id"]})
        assert not client.get(f"/projects/{key}").json()["readings"]
        client.delete(f"/projects/{key}")
