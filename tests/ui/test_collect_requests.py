"""Collecting without the page: what a program may send, and what it is told."""

import threading
import time

import httpx
import pytest
from conftest import serving
from test_collect_tab import picture

from mmgan.data.limits import PROJECT_LIMITS
from mmgan.data.projects import Projects
from mmgan.ui import uploads
from mmgan.ui.owner import COOKIE
from mmgan.ui.settings import Settings


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
        for name in ("../up.png", "/etc/x.png", "a/../../b.png", "CON", "x\x00.png", "n" * 300):
            answer = client.put(f"/uploads/{upload}", params={"name": name}, content=b"1")
            assert answer.status_code == 400 and answer.json()["error"].endswith("."), name

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
    settings = Settings(runs=folder / "class" / "runs", teacher_code="sunflower")
    with (
        serving(settings) as address,
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
    assert not settings.runs.exists() or list(settings.runs.iterdir()) == []
