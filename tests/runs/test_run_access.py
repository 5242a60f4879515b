"""Whose a run is, and which folders no training reads by their path."""

import pytest
from small import config

from mmgan.errors import TrainingError
from mmgan.projects.projects import Projects
from mmgan.projects.table import owner_hash
from mmgan.runs.access import EVERYBODY, Access, access_of, touches, write_access
from mmgan.runs.run import Run
from mmgan.training.begin import open_run


def test_who_may_see_a_run(tmp_path):
    mine = Access(owner_hash("me"))
    assert mine.lets(owner_hash("me")) and not mine.lets(owner_hash("you")) and not mine.lets("")
    assert not Access("").lets("") and Access("", True).lets("")
    assert access_of(tmp_path) == EVERYBODY
    write_access(tmp_path, mine)
    assert access_of(tmp_path) == mine and "me" not in (tmp_path / "access.json").read_text().split('"')
    for damaged in ("", "{", '{"owner": 1, "everybody": true}', '{"everybody": true}', '["x"]'):
        (tmp_path / "access.json").write_text(damaged)
        assert access_of(tmp_path) == Access()


def test_a_claimed_run_says_first_whose_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("mmgan.runs.run.replace_file", None)  # as a kill before its status is written
    with pytest.raises(TypeError):
        Run(tmp_path / "run").claim(access=Access("x"))
    assert access_of(tmp_path / "run") == Access("x") and not (tmp_path / "run" / "status.json").exists()


@pytest.mark.parametrize(("shared", "owner", "lets"), [(False, "me", False), (True, "me", True), (False, "", True)])
def test_what_a_terminal_makes_of_a_visitors_project_is_as_private(tmp_path, shared, owner, lets):
    project = Projects(tmp_path / "projects").create("Bells", owner)
    project.share(shared)
    with open_run(config(), str(project.folder), tmp_path / "run", False, None) as run:
        access = access_of(run.folder)
    assert access.lets("") is lets and access.lets(owner_hash("me")) is (lets or owner == "me")
    with open_run(config(), "shapes", tmp_path / "other", False, None) as run:
        assert access_of(run.folder) == EVERYBODY


def test_a_name_that_is_taken_changes_nobodys_access(tmp_path):
    Run(tmp_path / "run").claim(access=Access("x"))
    with pytest.raises(TrainingError, match="there already"):
        Run(tmp_path / "run").claim(access=Access("y"))
    assert access_of(tmp_path / "run") == Access("x")


def test_what_would_be_read_of_a_closed_folder(tmp_path):
    closed, beside = tmp_path / "projects", tmp_path / "pictures"
    (closed / "one").mkdir(parents=True)
    (closed / "one" / "a.png").write_bytes(b"x")
    (beside / "deep").mkdir(parents=True)
    (beside / "loop").symlink_to(beside)
    (beside / "b.png").symlink_to(beside / "deep")
    assert not touches(beside, [closed]) and not touches(tmp_path / "nowhere", [closed])
    assert not touches(beside, [tmp_path / "not there yet"])
    for path in (closed, closed / "one", closed / "one" / "a.png", tmp_path, closed / ".." / "projects", "/"):
        assert touches(path, [closed]), path
    (tmp_path / "way").symlink_to(closed / "one")
    assert touches(tmp_path / "way", [closed]) and touches(tmp_path / "way" / "a.png", [closed])
    (beside / "deep" / "c").symlink_to(tmp_path / "way")
    assert touches(beside, [closed])
    assert touches(closed / "one", [tmp_path / "way"])  # the closed folder may itself be named by a link
