"""Whatever is wrong with a request, the answer is one sentence: gradio's own answers too."""

import json

import httpx
import pytest
from served import serving
from test_collect_tab import picture, zipped

from mmgan.errors import NO_MEMORY, MmganError
from mmgan.projects.projects import Projects
from mmgan.system.files import saving
from mmgan.ui.server import sentences
from mmgan.ui.server.answers import arguments
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE
from mmgan.ui.server.sentences import PageError, fault, sentence, without_folders

JSON = {"content-type": "application/json"}


def asked(url, name, body):
    """The status of a question, and the error that came back, at once or in its stream; "" where there is a result."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = httpx.post(f"{url}/gradio_api/call/{name}", content=body, headers=JSON)
    if answer.status_code != 200:
        return answer.status_code, answer.json()["error"] if "json" in answer.headers["content-type"] else answer.text
    stream = httpx.get(f"{url}/gradio_api/call/{name}/{answer.json()['event_id']}").text
    data = json.loads(stream.partition("data: ")[2].partition("\n\n")[0])
    return 200, data["error"] if stream.startswith("event: error") else ""


@pytest.mark.parametrize(
    "name, data, part",
    [
        ("sample", [7, 1], "prompt should be text"),
        ("sample", [], "/sample needs prompt; give its arguments in this order: prompt, num_samples"),
        ("sample", ["a"] * 9, "/sample takes up to 5 arguments"),
        ("sample", ["a", 1.5], "num_samples should be a whole number"),
        ("sample", ["a", True], "num_samples should be a whole number"),
        ("sample", ["a", 1, 0, "1"], "truncation should be a number"),
        ("sample", ["a", 1, 0, 1, ["digits"]], "model should be text"),
        ("sample", ["a", 1, 0, 1, "\ud800"], "There is no model ?;"),
        ("sample", ["break", 1], "Something went wrong inside mmgan"),
        ("morph", ["a", {"b": 1}], "other should be text"),
        ("walk", [None], "/walk needs prompt"),
        ("run", [""], "Name the run"),
        ("run", [None], "/run needs name"),
        ("run", [["seven"]], "name should be text"),
        ("run", ["\ud800"], "There is no run named ?"),
        ("run", ["seven", 10**400], "There is no run named seven"),
        ("start_run", ["x", 5], "data should be text"),
        ("start_run", ["", "shapes"], "Name the run with letters"),
        (
            "start_run",
            ["x", "shapes", "tiny", "relativistic", 1, ["learning_rate"]],
            "settings should be a JSON object",
        ),
        ("start_run", ["x", "shapes", "tiny", "relativistic", True], "minutes should be a number"),
        ("stop_run", [5], "name should be text"),
        ("stop_run", [""], "There is no run named"),
    ],
)
def test_a_wrong_argument_is_a_sentence(url, name, data, part):
    status, error = asked(url, name, {"data": data})
    assert status == 200 and error.startswith(part) and error.endswith("."), error


def test_what_is_left_out_is_its_default(url):
    assert asked(url, "sample", {"data": ["seven", 1]}) == (200, "")
    assert asked(url, "sample", {"data": ["seven", 1, None, None, None]}) == (200, "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"data": "a"}', b'{"data": null}', b'{"data": {"0": 1}}'])
def test_what_is_no_question_is_told_so(url, body):
    status, error = asked(url, "sample", body)
    assert 400 <= status < 500 and error.endswith(".")


@pytest.mark.parametrize("name", ["compare", "nothing", "%00", "sample%2F.."])
def test_a_name_that_is_not_there(url, name):
    status, error = asked(url, name, {"data": []})
    assert 400 <= status < 500 and error.endswith(".")


def test_the_language_of_an_error_is_the_readers(url):
    answer = httpx.post(f"{url}/gradio_api/call/compare", content=b"{}", headers=JSON | {"accept-language": "zh-CN"})
    assert answer.json()["error"].startswith("无法读懂")


def test_a_stream_that_nobody_asked_for_ends_with_a_sentence(url):
    said = httpx.get(f"{url}/gradio_api/call/sample/nobody").text
    assert "This request is not known here" in said and "404" not in said


def test_what_the_page_does_itself_cannot_be_called(url):
    (script,) = [key for key, function in url.demo.fns.items() if function.fn is None][:1]
    body = {"data": [], "fn_index": script, "session_hash": "nobody"}
    assert httpx.post(f"{url}/gradio_api/queue/join", json=body).status_code == 200
    with httpx.stream("GET", f"{url}/gradio_api/queue/data", params={"session_hash": "nobody"}) as stream:
        said = next(line for line in stream.iter_lines() if "process_completed" in line)
    assert "This request cannot be read" in said


def test_arguments_are_of_the_types_that_are_named():
    def function(name: str, count: int = 4, share: float = 1.0, more: dict | None = None):
        pass

    assert arguments(function, "f", ["a", 4.0]) == ["a", 4, 1.0, None]
    assert arguments(function, "f", ["a", 2, 0, {"x": 1}]) == ["a", 2, 0, {"x": 1}]
    for bad in (["a", 4.5], ["a", float("nan")], ["a", 4, float("inf")], ["a", 4, 10**400], ["a", 4, 1, []], [1]):
        with pytest.raises(PageError):
            arguments(function, "f", bad)


# Routes of ours ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\0b", "😀" * 80, "\u202e", "..", "con", "/", "", "x" * 900, "𠀀" * 80])
def test_a_model_whose_name_no_disk_takes(address, name):
    answer = httpx.post(f"{address}/collect/models", params={"name": name}, content=zipped({"a.txt": b"x"}))
    assert answer.status_code == 400 and answer.json()["error"].endswith(".") and "\0" not in answer.json()["error"]


@pytest.mark.parametrize("field", ["code", "model", "repo", "token"])
@pytest.mark.parametrize("value", ["\ud800", ["a"], 5, {}])
def test_publishing_with_odd_values(tmp_path, field, value):
    with serving(Flags(runs=tmp_path / "runs", teacher_code="sunflower")) as address:
        question = {"code": "sunflower", "model": "digits", "repo": "no name", "token": "x"} | {field: value}
        body = json.dumps(question).encode("utf-8", "surrogatepass")
        answer = httpx.post(f"{address}/collect/publish", content=body, headers=JSON)
    assert answer.status_code in (400, 403) and answer.json()["error"].endswith(".")


@pytest.mark.parametrize("path", ["/collect/nothing", "/collect/projects/x/files/" + "9" * 5000, "/collect/name%00"])
def test_a_route_that_is_not_there_is_a_sentence(address, path):
    answer = httpx.get(f"{address}{path}")
    assert answer.status_code in (400, 404) and answer.json()["error"].endswith(".")


def test_no_sentence_says_where_the_server_keeps_files(tmp_path):
    flags = Flags(runs=tmp_path / "my runs")
    with serving(flags) as address:
        flags.projects_folder.write_text("a file in the way")
        with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "p" * 32}) as client:
            answer = client.post("/projects", json={"name": "Bells"})
    assert answer.status_code == 400 and "a file or folder is in its way" in answer.json()["error"]
    assert str(tmp_path) not in answer.text and "pytest" not in answer.text
    with pytest.raises(MmganError, match=str(tmp_path)):  # the terminal names all of it
        Projects(flags.projects_folder).create("Bells")


def test_a_path_becomes_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(sentences, "_kept", set())
    sentences.keep_private(tmp_path / "the runs")
    with pytest.raises(MmganError) as raised, saving(tmp_path / "the runs" / "seven" / "status.json"):
        raise OSError(5, "Input/output error")
    assert sentence(raised.value, "en").startswith("seven/status.json was not saved (Input/output error)")
    assert sentence(raised.value, "zh").startswith("seven/status.json ")
    assert without_folders(f"{tmp_path / 'the runs'} is full.") == "the runs is full."
    assert without_folders(f"({sentences.PACKAGE}/mmgan/cli.py)") == "(cli.py)"
    for text in ("a/tmp/b.png is silent.", "huggingface.co/settings/tokens", "/tmpx/y", "and/or", "1/2"):
        assert without_folders(text) == text


def test_a_lack_of_memory_is_said(monkeypatch):
    assert fault(MemoryError(), "en") == str(NO_MEMORY) and fault(MemoryError(), "zh").startswith("内存")
    assert fault(ValueError("x"), "en").startswith("Something went wrong")


# Data and models have places of their own -----------------------------------------------------------------------------

MODEL = {"config.json": b"{}", "generator.safetensors": b"x", "README.md": b"# m", "samples.png": picture(9)}
DATA = {f"bell/{number}.png": picture(number) for number in range(40)}  # more files than a model may have


@pytest.fixture
def client(address):
    with httpx.Client(base_url=f"{address}/collect", cookies={COOKIE: "q" * 32}) as client:
        yield client


def added(client, files):
    """What became of an upload of ``files`` into a new project, and its key."""
    key = client.post("/projects", json={"name": "Place"}).json()["key"]
    upload = client.post(f"/projects/{key}/uploads").json()["upload"]
    for name, data in files.items():
        client.put(f"/uploads/{upload}", params={"name": name}, content=data).raise_for_status()
    client.post(f"/uploads/{upload}", json={"caption": ""}).raise_for_status()
    while (now := client.get(f"/uploads/{upload}").json())["state"] in ("waiting", "adding"):
        pass
    return now


@pytest.mark.parametrize("files", [DATA, {"metadata.csv": b"file_name,text\na.wav,a bell\n", "a.wav": b"RIFF"}])
def test_data_given_as_a_model(client, files):
    answer = client.post("/models", params={"name": "bells"}, content=zipped(files))
    assert answer.status_code == 400 and answer.json()["instead"] == "data"
    assert (
        answer.json()["error"]
        == "bells.zip holds pictures and sounds, not a model; add it to a project to learn from it."
    )
    headers = {"accept-language": "zh"}
    assert (
        "图片和声音"
        in client.post("/models", params={"name": "x"}, content=zipped(files), headers=headers).json()["error"]
    )


def test_what_is_neither_is_told_as_before(client):
    answer = client.post("/models", params={"name": "x"}, content=zipped({"notes.txt": b"hello"}))
    assert answer.status_code == 400 and "instead" not in answer.json()


def test_a_model_given_as_data(client):
    now = added(client, {"mine.zip": zipped(MODEL)})
    assert now["state"] == "failed" and now["models"] == ["mine.zip"]
    assert now["sentence"] == "mine.zip is a model, not pictures and sounds; import it as a model."


def test_a_model_among_data_costs_the_others_nothing(client):
    now = added(client, {"mine.zip": zipped(MODEL), "bell.png": picture(1)})
    assert now["state"] == "done" and now["models"] == ["mine.zip"]
    assert now["left_out"] == [["mine.zip", "is a model, not pictures and sounds; import it instead."]]


def test_the_page_takes_each_to_its_place(open_page, address, folder):
    from test_collect_tab import begin, row

    page = open_page(address)
    begin(page, "Places")
    page.set_input_files(
        "[data-pick=model]", {"name": "bells.zip", "mimeType": "application/zip", "buffer": zipped(DATA)}
    )
    page.locator(".mc-import .mm-alert", has_text="holds pictures and sounds, not a model").wait_for()
    page.locator("[data-action=add-instead]").click()
    row(page, "bell/1.png").wait_for()
    assert page.locator(".mc-import .mm-alert").count() == 0
    page.set_input_files(
        "[data-pick=files]", {"name": "mine.zip", "mimeType": "application/zip", "buffer": zipped(MODEL)}
    )
    page.locator(".mc-progress .mm-alert", has_text="mine.zip is a model").wait_for()
    page.locator("[data-action=import-instead]").click()
    page.locator(".mc-import .mm-alert", has_text="mine.zip").wait_for()  # which was tried there, and is no whole model
