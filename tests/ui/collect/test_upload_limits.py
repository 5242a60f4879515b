"""Every limit of an upload: of a file, of all together, of their number, of the disk; and files that break off."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from starlette.requests import ClientDisconnect

from mmgan.data.limits import Limits
from mmgan.projects.projects import Projects
from mmgan.ui.collect.uploads import Uploads
from mmgan.ui.server.sentences import PageError

LARGEST = 80


@pytest.fixture
def begun(tmp_path):
    """Begins an upload under limits; gives a function that sends a file into it, and the upload."""

    def begin(**limits):
        uploads = Uploads(tmp_path / ".uploads", Limits(**{"free_bytes": 0, **limits}), LARGEST)
        upload = uploads.find(uploads.begin(Projects(tmp_path).create("Mine"), "me"), "me")

        def send(name, *parts, promised=None):
            async def chunks():
                for part in parts:
                    if isinstance(part, BaseException):
                        raise part
                    yield part

            length = sum(map(len, parts)) if promised is None else promised
            with ThreadPoolExecutor(1) as pool:  # Playwright keeps a loop going in this thread
                pool.submit(asyncio.run, uploads.receive(upload, name, length, chunks())).result()

        return send, upload

    return begin


def refused(send, *file, **options):
    with pytest.raises(PageError) as caught:
        send(*file, **options)
    return caught.value.message.key


def there(upload):
    return sorted(path.name for path in upload.folder.rglob("*") if path.is_file())


def test_all_files_together(begun):
    send, upload = begun(total_bytes=100)
    send("a.png", bytes(60))
    assert refused(send, "b.png", bytes(41)) == "projects.too_large"
    send("c.png", bytes(40))
    assert refused(send, "d.png", b"1") == "projects.too_large"
    assert there(upload) == ["a.png", "c.png"] and upload.size == 100


def test_one_file(begun):
    send, upload = begun()
    send("a.png", bytes(LARGEST))
    assert refused(send, "b.png", bytes(LARGEST + 1)) == "collect_too_large"
    assert refused(send, "c.png", b"", promised=-1) == "collect_too_large"
    assert there(upload) == ["a.png"]


def test_how_many(begun):
    send, upload = begun(files=2)
    send("a.png", b"1"), send("folder/a.png", b"1")
    assert refused(send, "c.png", b"1") == "collect_over_count"
    assert there(upload) == ["a.png", "a.png"]


def test_the_disk(begun, monkeypatch):
    send, upload = begun(free_bytes=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_050))
    assert refused(send, "a.png", bytes(51)) == "collect_disk_full" and there(upload) == []
    send("a.png", bytes(50))
    assert there(upload) == ["a.png"]


def test_more_than_was_promised_is_not_written(begun):
    send, upload = begun()
    assert refused(send, "a.png", bytes(10), bytes(10), promised=10) == "collect_too_large"
    assert there(upload) == [] and upload.size == 0 and not upload.files


@pytest.mark.parametrize("end", ["early", "gone"])
def test_a_file_that_breaks_off_leaves_nothing_and_counts_for_nothing(begun, end):
    send, upload = begun(total_bytes=100, files=1)
    if end == "early":
        assert refused(send, "a.png", bytes(30), promised=60) == "collect_broken_off"
    else:
        with pytest.raises(ClientDisconnect):
            send("a.png", bytes(30), ClientDisconnect(), promised=60)
    assert there(upload) == [] and upload.size == 0 and not upload.files
    send("a.png", bytes(80))
    assert there(upload) == ["a.png"]  # by its own name, with which it finds its partner
