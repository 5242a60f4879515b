"""Downloads of models: made once for all who ask, in threads of their own, while the page answers the others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from served import serving

from mmgan.errors import CheckpointError
from mmgan.ui.collect import model_files
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE


class Maker:
    """Stands in for the export; waits until it is let go."""

    def __init__(self):
        self.made, self.go, self.error = [], threading.Event(), None

    def __call__(self, source, path):
        self.made.append(source)
        assert self.go.wait(60)
        if self.error:
            raise self.error
        Path(path).write_bytes(f"zip {len(self.made)} of {source}".encode())
        return Path(path)


@pytest.fixture
def maker(monkeypatch):
    found = Maker()
    monkeypatch.setattr(model_files, "export_model", found)
    yield found
    found.go.set()


@pytest.fixture
def address(tmp_path):
    with serving(Flags(runs=tmp_path / "runs")) as address:
        yield address


def test_sixty_downloads_are_one_zip_and_keep_nobody_waiting(address, maker):
    with ThreadPoolExecutor(60) as pool:
        waiting = [pool.submit(httpx.get, f"{address}/collect/models/shapes", timeout=60) for _ in range(60)]
        while not maker.made:
            pass
        cookies = {COOKIE: "o" * 32}
        assert httpx.get(f"{address}/collect/projects", cookies=cookies, timeout=60).status_code == 200
        assert httpx.get(address, timeout=60).status_code == 200
        maker.go.set()
        answers = [future.result() for future in waiting]
    assert {answer.status_code for answer in answers} == {200} and maker.made == ["shapes"]
    assert {answer.content for answer in answers} == {b"zip 1 of shapes"}
    assert httpx.get(f"{address}/collect/models/shapes").content == b"zip 1 of shapes"


def test_a_model_that_was_saved_anew_is_made_anew_and_nothing_old_stays(address, maker, monkeypatch):
    maker.go.set()
    stamps = iter([1, 1, 2, 2])
    monkeypatch.setattr(model_files, "_stamp", lambda source: next(stamps))
    got = [httpx.get(f"{address}/collect/models/shapes").content for _ in range(4)]
    assert got == [b"zip 1 of shapes"] * 2 + [b"zip 2 of shapes"] * 2


def test_only_the_last_models_are_kept(tmp_path, maker, monkeypatch):
    maker.go.set()
    monkeypatch.setattr(model_files, "KEPT_ZIPS", 2)
    monkeypatch.setattr(model_files, "_stamp", lambda source: 1)
    monkeypatch.setattr(model_files, "check_model", lambda source: None)
    files = model_files.ModelFiles(SimpleNamespace(manager=None), None, ("a", "b", "c"), 1 << 20)
    made = [files._zip(name, model_files.Visitor()).result(20) for name in ("a", "b", "c")]
    assert [path.exists() for path in made] == [False, True, True]
    model_files._lend(made[1], made[1].with_name("lent.zip"))
    files._zip("d", model_files.Visitor()).result(20)
    assert not made[1].exists() and made[1].with_name("lent.zip").read_bytes() == b"zip 2 of b"


def test_a_zip_that_failed_is_tried_again(address, maker):
    maker.error = CheckpointError("The weights are broken; take a fresh copy.")
    maker.go.set()
    answer = httpx.get(f"{address}/collect/models/shapes")
    assert answer.status_code == 400 and answer.json()["error"].startswith("The weights are broken")
    maker.error = None
    assert httpx.get(f"{address}/collect/models/shapes").content == b"zip 2 of shapes"


def test_who_asks_for_every_model_is_told_to_wait(maker, monkeypatch):
    monkeypatch.setattr(model_files, "_stamp", lambda source: 1)
    monkeypatch.setattr(model_files, "check_model", lambda source: None)
    files = model_files.ModelFiles(SimpleNamespace(manager=None), None, (), 1 << 20)
    futures = [files._zip(f"model {i}", model_files.Visitor("10.0.0.1", "hasty")) for i in range(4)]
    with pytest.raises(model_files.Busy):
        files._zip("model 5", model_files.Visitor("10.0.0.1", "hasty"))
    futures.append(files._zip("model 0", model_files.Visitor("10.0.0.1", "hasty")))  # it is on its way anyway
    assert futures[0] is futures[-1]
    maker.go.set()
    for future in futures:
        assert future.result(20).exists()
