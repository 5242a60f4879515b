"""Private is private: what two visitors, and one without a cookie, are told of each other's runs and projects."""

import base64
import json

import httpx
import pytest
import torch
from served import serving

from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.projects.projects import Projects
from mmgan.projects.table import owner_hash
from mmgan.runs import manager as manager_module
from mmgan.runs.access import EVERYBODY, Access, access_of, touches, write_access
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.training.forgetting import SHEET
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE

ADA, BOB, NOBODY = "a" * 32, "b" * 32, ""
SECRETS = ("my bells", "Bells of Ada", "left-out-name", "a golden bell", base64.b64encode(b"ADAS PICTURE" * 3).decode())


@pytest.fixture(scope="module")
def model():
    from small import MODEL

    torch.manual_seed(0)
    return Generator(MODEL), Discriminators(MODEL)


def make(folder, model, access):
    """A run as a fine-tuning on Ada's files leaves it."""
    asked = {"training": {"steps": 2}, "data": "/somewhere", "finetune": {"base": "shapes", "pieces": False}}
    with Run.create(folder, asked, access) as run:
        Model(*model, {"name": "Bells of Ada", "examples": ["a golden bell"]}).save_pretrained(
            run.checkpoint, state={"step": 2}
        )
        run.strips.mkdir()
        described = {"prompts": ["a golden bell"], "has_image": [True], "has_sound": [False], "clip_seconds": 1.0}
        (run.strips / "strips.json").write_text(json.dumps(described))
        for name in ("real.png", "real-mel.png", "real.flac", "0000001.png", "0000001-mel.png", "0000001.flac"):
            (run.strips / name).write_bytes(b"ADAS PICTURE" * 3)
        (run.folder / SHEET).write_bytes(b"ADAS PICTURE" * 3)
        run.log("left-out-name.png is silent; record it again.")
        said = {"base": "shapes", "data": "Bells of Ada", "notes": [], "captions": ["a golden bell"]}
        run.set_status("failed", step=2, reason="left-out-name.png broke it.", finetune=said)
    return run


@pytest.fixture
def served(tmp_path, model, monkeypatch):
    """A page with a teacher code, and in it a private run of Ada's; nothing is really trained."""
    monkeypatch.setattr(Manager, "_spawn", lambda *_: None)
    monkeypatch.setattr(manager_module, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr("mmgan.ui.train.watching.FRESH_SECONDS", 0.0)
    flags = Flags(runs=tmp_path / "runs", teacher_code="sunflower")
    make(flags.runs / "my bells", model, Access(owner_hash(ADA)))
    with serving(flags) as address:
        yield address, flags


def client(address, owner):
    return httpx.Client(base_url=address, cookies={COOKIE: owner} if owner else {}, timeout=60)


def call(address, owner, name, *data):
    """What the API answers, as text."""
    with client(address, owner) as http:
        event = http.post(f"/gradio_api/call/{name}", json={"data": list(data)}).json()["event_id"]
        return http.get(f"/gradio_api/call/{name}/{event}").text


def page(address, owner, name, question):
    """What the Train tab's route of that name answers, as text."""
    with client(address, owner) as http:
        return http.post(f"/train/{name}", json=question).text


def every_door(address, owner, run):
    """Everything that a visitor can ask of a run, each answer as text."""
    with client(address, owner) as http:
        yield from (
            http.get(path).text
            for path in ("/", "/config", "/collect/models", "/collect/projects", f"/collect/models/runs/{run}")
        )
        question = {"model": f"runs/{run}", "repo": "a/b", "token": "t", "code": "sunflower"}
        yield http.post("/collect/publish", json=question | {"repo": "no name"}).text
    for what in ("strip", "sound", "finetune", "settings"):
        for step in (None, 1):
            yield page(address, owner, "look", {"what": what, "run": run, "step": step})
    yield page(address, owner, "look", {"what": "compare", "runs": [run]})
    yield page(address, owner, "poll", {"version": "", "run": run})
    key = json.loads(page(address, owner, "act", {"action": "unlock", "code": "sunflower"}))["key"]
    yield page(address, owner, "poll", {"version": "", "run": run, "code": key})
    for action in ("pause", "resume", "save", "sample", "stop"):
        yield page(address, owner, "act", {"action": action, "run": run, "code": "sunflower"})
    yield call(address, owner, "runs")
    yield call(address, owner, "hidden_runs", "sunflower")
    yield call(address, owner, "models")
    for name in ("run", "stop_run", "pause_run", "resume_run"):
        yield call(address, owner, name, run, *([0, ""] if name == "run" else ["sunflower"]))
    yield call(address, owner, "sample", "a bell", 1, 0, 1.0, f"runs/{run}")
    yield call(address, owner, "morph", "a bell", "a gong", 0, 1.0, f"runs/{run}")
    yield call(address, owner, "walk", "a bell", 0, 1.0, f"runs/{run}")
    with client(address, owner) as http:
        model = {"prompt": "a bell", "other": "a gong", "model": f"runs/{run}", "count": 1, "seed": 0, "truncation": 1}
        for name in ("generate", "switch", "recall", "morph", "walk", "words"):
            yield http.post(f"/sample/{name}", json=model).text
    asked = [f"runs/{run}", "shapes", "tiny", "relativistic", 1, {}, f"runs/{run}", "sunflower"]
    yield call(address, owner, "start_run", "mine", *asked[1:])


@pytest.mark.parametrize("owner", [BOB, NOBODY])
def test_no_door_shows_a_private_run_to_others(served, owner):
    address, flags = served
    for answer in every_door(address, owner, "my bells"):
        told = answer.replace("named my bells", "").replace("runs/my bells'", "")  # what the question said itself
        told = told.replace("There is no model runs/my bells", "").replace("no model 'runs/my bells", "")
        assert not [secret for secret in SECRETS if secret in told], answer[:2_000]
    assert Manager(flags.runs).names() == ["my bells"]


def test_its_owner_sees_all_of_it(served):
    address, _ = served
    answers = list(every_door(address, ADA, "my bells"))
    assert all(any(secret in answer for answer in answers) for secret in SECRETS)
    assert "runs/my bells" in call(address, ADA, "models")
    assert '"private": true' in call(address, ADA, "runs")
    with client(address, ADA) as http:
        assert http.get("/collect/models/runs/my bells").content[:2] == b"PK"
    with client(address, BOB) as http:
        refused = http.get("/collect/models/runs/my bells")
        assert refused.status_code == 400 and "choose one of digits, shapes" in refused.json()["error"]


def test_by_choice_everybody_sees_it(served):
    address, flags = served
    write_access(flags.runs / "my bells", Access(owner_hash(ADA), True))
    assert "my bells" in call(address, NOBODY, "runs") and "runs/my bells" in call(address, BOB, "models")
    assert "a golden bell" in page(address, BOB, "look", {"what": "strip", "run": "my bells", "step": None})
    (flags.runs / "my bells" / "access.json").write_text("{")  # whose it is cannot be known: nobody's
    assert "my bells" not in call(address, ADA, "runs")
    (flags.runs / "my bells" / "access.json").unlink()  # a run of before, or from a terminal
    assert access_of(flags.runs / "my bells") == EVERYBODY and "my bells" in call(address, NOBODY, "runs")


def test_a_teacher_frees_the_machine_and_learns_nothing(served):
    address, flags = served
    key = json.loads(page(address, BOB, "act", {"action": "unlock", "code": "sunflower"}))["key"]
    assert json.loads(page(address, BOB, "poll", {"version": ""}))["runs"] == []
    (run,) = json.loads(page(address, BOB, "poll", {"version": "", "code": key}))["runs"]
    assert run["name"].startswith("private:") and run["hidden"] and run["state"] == "failed"
    for action in ("pause", "resume", "save", "sample"):
        answer = page(address, BOB, "act", {"action": action, "run": run["name"], "code": key})
        assert "you can stop or delete it" in answer and "my bells" not in answer
    with Run.resume(flags.runs / "my bells") as living:  # so that it cannot be deleted
        living.set_status("running", step=3)
        answer = page(address, BOB, "act", {"action": "delete", "run": run["name"], "code": key})
        assert "stop it first" in answer and "my bells" not in answer
    locked = page(address, BOB, "act", {"action": "delete", "run": run["name"]})
    assert "teacher" in locked and "private:" in call(address, BOB, "hidden_runs", "sunflower")
    assert Manager(flags.runs).names() == ["my bells"]
    assert json.loads(page(address, BOB, "act", {"action": "delete", "run": run["name"], "code": key})) == {"run": None}
    assert Manager(flags.runs).names() == []


def test_a_limit_that_private_runs_use_up_names_none(served, monkeypatch):
    address, flags = served
    monkeypatch.setattr(manager_module, "MAX_RUNNING", 1)
    monkeypatch.setattr("mmgan.ui.train.desk.MAX_RUNNING", 1)
    with Run.resume(flags.runs / "my bells") as living:
        living.set_status("running", step=3)
        question = ["second", "shapes", "tiny", "relativistic", 1, {}, "", "sunflower"]
        answer = call(address, BOB, "start_run", *question)
        assert "a private run" in answer and "my bells" not in answer
        assert "my bells" in call(address, ADA, "start_run", *question)


def test_no_training_reads_what_visitors_keep(served, tmp_path):
    address, flags = served
    project = Projects(flags.projects_folder).create("Bells of Ada", ADA)
    (tmp_path / "link").symlink_to(flags.projects_folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "hidden").symlink_to(project.folder)
    closed = [
        flags.projects_folder, project.folder, project.folder / "project.json", tmp_path, tmp_path / "link",
        tmp_path / "link" / project.key, tmp_path / "mine", flags.runs, flags.runs / "my bells" / "samples",
        f"{tmp_path}/mine/../projects", "/",
    ]  # fmt: skip
    for path in closed:
        answer = call(address, BOB, "start_run", "x", str(path), "tiny", "relativistic", 1, {}, "", "sunflower")
        assert "visitors keep here" in answer, path
        answer = page(address, ADA, "act", {"action": "start", "name": "x", "data": str(path), "code": "sunflower"})
        assert "visitors keep here" in answer, path
    assert Manager(flags.runs).names() == ["my bells"]
    (tmp_path / "own").mkdir()
    assert not touches(tmp_path / "own", (flags.projects_folder, flags.runs))


def test_a_fine_tuning_is_its_owners_until_they_say_otherwise(served, monkeypatch):
    address, flags = served
    monkeypatch.setattr("mmgan.ui.train.desk.MAX_RUNNING", 99)
    monkeypatch.setattr(manager_module, "MAX_RUNNING", 99)
    project = Projects(flags.projects_folder).create("Bells of Ada", ADA)
    project.add_recordings({"bell.png": picture()}, "a golden bell")
    question = {"project": project.key, "base": "runs/my bells", "minutes": 1, "code": "sunflower"}
    with client(address, ADA) as ada, client(address, BOB) as bob, client(address, NOBODY) as nobody:
        assert ada.post("/collect/finetune", json=question | {"name": "alone"}).json() == {"name": "alone"}
        assert ada.post("/collect/finetune", json=question | {"name": "seen", "everybody": True}).status_code == 200
        assert access_of(flags.runs / "alone") == Access(owner_hash(ADA))
        assert access_of(flags.runs / "seen") == Access(owner_hash(ADA), True)
        assert bob.post("/collect/finetune", json=question | {"name": "x"}).status_code == 400
        project.share()
        refused = bob.post("/collect/finetune", json=question | {"name": "x"})  # the base is Ada's alone
        assert refused.status_code == 400 and "choose one of" in refused.json()["error"]
        question |= {"base": "digits"}
        assert bob.post("/collect/finetune", json=question | {"name": "bobs", "everybody": True}).status_code == 200
        assert "cookie" in nobody.post("/collect/finetune", json=question | {"name": "x"}).json()["error"]
        shown = call(address, NOBODY, "runs")
        assert "bobs" in shown and "seen" in shown and "alone" not in shown
        # What was shared with Bob is taken back, and with it what he let everybody see of it.
        ada.patch(f"/collect/projects/{project.key}", json={"shared": False}).raise_for_status()
        shown = call(address, NOBODY, "runs")
        assert "bobs" not in shown and "seen" in shown and "bobs" in call(address, BOB, "runs")
    # What starts from a private model is as private.
    started = ["further", "shapes", "tiny", "relativistic", 1, {}, "runs/my bells", "sunflower"]
    assert "further" in call(address, ADA, "start_run", *started)
    assert access_of(flags.runs / "further") == Access(owner_hash(ADA))


def test_a_project_without_an_owner_is_no_visitors(served):
    address, flags = served
    project = Projects(flags.projects_folder).create("My bells")
    project.add_recordings({"bell.png": picture()}, "a golden bell")
    for owner in (NOBODY, BOB):
        with client(address, owner) as http:
            assert http.get("/collect/projects").json()["projects"] == []
            for path in ("", "/export", "/lonely/image", "/thumbnails/1", "/files/1"):
                assert http.get(f"/collect/projects/{project.key}{path}").status_code == 400
            assert http.delete(f"/collect/projects/{project.key}").status_code == 400
    assert [one.name for one in Projects(flags.projects_folder).list()] == ["My bells"]


def test_damaged_runs_and_projects_are_shown_with_a_way_to_delete_them(served):
    address, flags = served
    write_access(flags.runs / "my bells", EVERYBODY)
    status = flags.runs / "my bells" / "status.json"
    status.write_text(json.dumps(json.loads(status.read_text()) | {"started": "yesterday"}))
    project = Projects(flags.projects_folder).create("Bells of Ada", ADA)
    (project.folder / "project.json").write_text("{")
    (run,) = json.loads(call(address, BOB, "runs").split("data: ", 1)[1])[0]
    assert (run["state"], run["reason"]) == ("damaged", "The run's status.json is damaged; delete the run.")
    assert "event: complete" in call(address, BOB, "sample", "a seven", 1, 0, 1.0, "digits")
    deleted = page(address, BOB, "act", {"action": "delete", "run": "my bells", "code": "sunflower"})
    assert json.loads(deleted) == {"run": None} and Manager(flags.runs).names() == []
    key = json.loads(page(address, BOB, "act", {"action": "unlock", "code": "sunflower"}))["key"]
    with client(address, BOB) as http:
        assert http.get("/collect/projects").json()["damaged"] == []
        (damaged,) = http.get("/collect/projects", params={"code": key}).json()["damaged"]
        assert damaged["key"] == project.key and "damaged" in damaged["reason"]
        assert http.delete(f"/collect/damaged/{project.key}").status_code == 403
        assert http.delete("/collect/damaged/..", params={"code": key}).status_code in (400, 404, 405)
        assert http.delete(f"/collect/damaged/{project.key}", params={"code": key}).json() == {"deleted": True}
    assert not project.folder.exists()


def test_the_page_shows_others_that_there_is_one_and_its_owner_all(open_page, tmp_path, model):
    flags = Flags(runs=tmp_path / "runs")
    make(flags.runs / "my bells", model, Access(owner_hash(ADA)))

    def arrived(address, owner):
        cookie = {"name": COOKIE, "value": owner, "domain": "127.0.0.1", "path": "/"}
        page = open_page(address, storage_state={"cookies": [cookie], "origins": []})
        page.locator('.mm-tabs [role="tab"]').nth(1).click()
        page.wait_for_selector(".mt-run")
        return page

    with serving(flags) as address:
        bob, ada = arrived(address, BOB), arrived(address, ADA)
        assert ada.locator(".mt-run b").inner_text() == "my bells"
        ada.get_by_text("Only you see this run.").wait_for()
        assert bob.locator(".mt-run b").inner_text() == "a private run"
        bob.locator(".mt-run").click()
        bob.get_by_text("nothing of it is shown here").wait_for()
        assert bob.locator(".mt-actions button").all_inner_texts() == ["Delete"]
        assert bob.locator(".mt-charts, .mt-pieces, .mt-log").count() == 0 and "my bells" not in bob.content()
        ada.locator('.mm-tabs [role="tab"]').nth(2).click()
        bob.locator("[data-action=delete]").click()
        bob.locator("[data-action=sure]").click()
        bob.wait_for_function("() => !document.querySelector('.mt-run')")
        for page in (ada, bob):  # a page that goes on asking a server that is gone logs an error
            page.goto("about:blank")
    assert Manager(flags.runs).names() == []


def test_the_page_lists_damaged_projects_with_a_way_to_delete_them(open_page, tmp_path):
    flags = Flags(runs=tmp_path / "runs")
    project = Projects(flags.projects_folder).create("Bells of Ada", ADA)
    (project.folder / "project.json").write_text("{")
    with serving(flags) as address:
        page = open_page(address)
        page.locator('.mm-tabs [role="tab"]').nth(2).click()
        page.get_by_text(f"A project in the folder {project.key} cannot be read").wait_for()
        page.locator("[data-action=damaged]").click()
        page.get_by_text("Delete for good").click()
        page.wait_for_function("() => !document.querySelector('[data-action=damaged]')")
        page.goto("about:blank")
    assert not project.folder.exists()


def picture() -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (16, 16), "gold").save(file, "PNG")
    return file.getvalue()
