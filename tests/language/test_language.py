"""What mmgan says: every key that code uses is in every language, every key is used, and a language is one file."""

import ast
import copy
import importlib.util
import json
import pickle
import re
import shutil
import sys
from pathlib import Path

import pytest

import mmgan
from mmgan import errors, language
from mmgan.errors import DataError, MmganError
from mmgan.language import LANGUAGES, Message, lacks, places, say, texts

PACKAGE = Path(mmgan.__file__).parent
ASSETS = PACKAGE.parent / "assets"
SPEAKERS = {"Message", "say", "label", "said"}  # functions whose first argument is a key
CHINESE = re.compile("[\u4e00-\u9fff]")
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ASSETS.rglob("*.js")))


def name_of(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def family():
    """Names of the classes of errors that are meant for people, those of a signature of their own left out."""
    kinds = {node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    found, before = {"MmganError"}, set()
    while found != before:
        before = set(found)
        found |= {kind.name for kind in kinds if {name_of(base) for base in kind.bases} & found}
    own = {kind.name for kind in kinds if any(getattr(part, "name", "") == "__init__" for part in kind.body)}
    return found - own | {"MmganError"}


FAMILY = family()


def keys_of(node):
    """The keys, as patterns, that the first argument of a call may be; None where it is no literal."""
    if isinstance(node, ast.IfExp):
        both = [keys_of(side) for side in (node.body, node.orelse)]
        return None if None in both else both[0] + both[1]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [re.escape(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = [re.escape(part.value) if isinstance(part, ast.Constant) else r"[\w-]+" for part in node.values]
        return ["".join(parts)]
    return None


def spoken():
    """(where, pattern of the key) of every call that names a key in its place."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            error = name_of(node.func) in FAMILY and len(node.args) == 1
            if error or name_of(node.func) in SPEAKERS:
                for pattern in keys_of(node.args[0]) or []:
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", pattern
    for called in re.findall(r"""\bsay\((?:\w+, )?(?:"([^"]+)"|`([^`]+)`)""", SCRIPTS):
        yield "assets", script_pattern("".join(called))


def script_pattern(text):
    parts = re.split(r"\$\{[^}]*\}", text)
    return r"(?:train_|collect_)?" + r"[\w-]+".join(map(re.escape, parts))


def known(pattern):
    return [key for key in texts() if re.fullmatch(pattern, key)]


def test_every_key_that_is_said_is_there():
    assert not [f"{where}: {pattern}" for where, pattern in spoken() if not known(pattern)]


def test_no_error_is_given_a_sentence():
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            error = isinstance(node, ast.Call) and name_of(node.func) in FAMILY and len(node.args) == 1
            if error and any(not known(pattern) for pattern in keys_of(node.args[0]) or []):
                wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {ast.unparse(node)}")
    assert not wrong


def test_every_key_is_used():
    """By a call that says it, a constant that is it, or in a script with or without the tab's prefix."""
    constants = {node.value for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    used = {key for _, pattern in spoken() for key in known(pattern)} | {key for key in texts() if key in constants}
    quoted = set(re.findall(r"[\w-]+", SCRIPTS))
    used |= {key for key in texts() if {key, re.sub("^(train|collect)_", "", key)} & quoted}
    made = [text for text in re.findall(r"`([^`\n]+)`", SCRIPTS) if re.match(r"[a-z]+_[^`]*\$\{", text)]
    used |= {key for text in made for key in known(script_pattern(text))}
    used |= {f"language_{other}" for other in LANGUAGES}  # what each calls the others
    assert not sorted(set(texts()) - used)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_no_language_lacks_anything(spoken):
    assert lacks(spoken) == []


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_text_takes_its_values(spoken):
    for key, text in texts(spoken).items():
        numbers = {name for name in places(text) if re.search(rf"\{{{name}:[^|}}]", text) or f"{{{name}|" in text}
        said = say(key, spoken, **{name: 7 if name in numbers else f"«{name}»" for name in places(text)})
        assert all(f"«{name}»" in said for name in places(text) - numbers), key


def test_chinese_is_chinese():
    english, chinese = texts("en"), texts("zh")
    library = [key for key in chinese if "." in key and not key.startswith("list.")]
    assert {key for key in library if not CHINESE.search(chinese[key])} == {"media.is_pdf", "projects.summary"}
    assert not [key for key in library if english[key].endswith(".") and not chinese[key].endswith(("。", "}"))]


# A third language -----------------------------------------------------------------------------------------------------


@pytest.fixture
def with_german(tmp_path):
    """mmgan.language with one more file, which lacks most."""
    shutil.copytree(Path(language.__file__).parent, tmp_path / "spoken")
    german = {
        "list": {"and": " und "}, "ui": {"language_name": "Deutsch", "nonsense": "Unsinn"},
        "data": {"no_zip": "{name} lässt sich nicht öffnen.", "too_many_files": "{name} hat zu viele Dateien."},
    }  # fmt: skip
    (tmp_path / "spoken" / "de.json").write_text(json.dumps(german), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("spoken", tmp_path / "spoken" / "__init__.py")
    module = sys.modules["spoken"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["spoken"]


def test_a_third_language_is_one_file(with_german):
    assert with_german.LANGUAGES == ("en", "de", "zh")
    assert with_german.say("data.no_zip", "de", name="a.zip") == "a.zip lässt sich nicht öffnen."
    assert with_german.say("tab_train", "de") == say("tab_train")  # what it lacks is English
    message = with_german.Message("training.fixed", names=["a", "b", "c"])
    assert "a, b und c" in message.text("de") and "a, b and c" in message.text("en")


def test_what_it_lacks_is_told(with_german):
    told = with_german.lacks("de")
    assert "data.cannot_open is missing" in told and "ui.tab_train is missing" in told
    assert "ui.nonsense is not in English" in told and not any("no_zip" in line for line in told)
    assert "data.too_many_files has the places ['name'], not ['count', 'name']" in told


# Messages -------------------------------------------------------------------------------------------------------------

SAVED = Message("runs.saved", step=1500)


def test_a_message_is_said_in_the_language_of_whoever_reads_it():
    assert str(SAVED) == "Saved at step 1500." and SAVED.text("zh") == "已保存在第 1500 步。"
    within = Message("projects.problem_broken", reason=Message("media.empty"))
    assert str(within) == "is left out: the file is empty; add it again."
    assert within.text("zh") == "未采用：文件是空的；请重新添加。"


def test_several_sentences_in_a_row():
    both = Message.row(SAVED, Message.plain("Nobody knows this."))
    assert str(both) == "Saved at step 1500. Nobody knows this."
    assert both.text("zh") == "已保存在第 1500 步。Nobody knows this."


def test_a_text_of_nobodys_stays_as_it_is():
    for text in ("Something else went wrong.", "{name}", "项目里已经没有这个文件。", "runs.saved"):
        assert Message.plain(text).text("zh") == Message.from_json(text).text() == text
        assert Message.plain(text).to_json() == text
    assert not Message.plain("") and Message.plain("x") and SAVED


def test_the_name_beside_a_sentence_is_left_out():
    large = Message("data.file_too_large", name="a.wav", size="4 MiB")
    assert str(large.beside("a.wav")) == "is larger than 4 MiB; make it smaller."
    assert large.beside("a.wav").text("zh") == "超过了 4 MiB；请改小一些。"
    assert large.beside("b.wav") == large


def test_texts_within_can_be_changed():
    message = Message("sharing.unusable", name="a.zip", reason=Message("models.damaged", path="/tmp/x/config.json"))
    assert str(message.map(lambda text: text.replace("/tmp/x/", ""))).startswith("a.zip cannot be used: config.json is")


@pytest.mark.parametrize(
    "message",
    [
        SAVED,
        Message.plain("x"),
        Message.row(SAVED, Message.plain("x")),
        Message("training.fixed", names=["a", Message("media.is_pdf")]),
        Message("models.costly", model=Path("a/b")),
    ],
)
def test_messages_are_kept_as_json(message):
    kept = json.loads(json.dumps(message.to_json()))
    assert Message.from_json(kept) == message and str(Message.from_json(kept)) == str(message)
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message


def test_what_a_stranger_wrote_is_no_message():
    deep = {"key": "runs.saved", "values": {"step": 1}}
    for _ in range(20):
        deep = {"key": "projects.problem_broken", "values": {"reason": deep}}
    for value in (
        None, 5, [], {}, {"key": "runs.saved"}, {"key": 5, "values": {}}, {"key": "x" * 10_000, "values": {}}, deep,
        {"key": "runs.saved", "values": []}, {"key": "runs.saved", "values": {"step": "x" * 10_000}},
        {"key": "runs.saved", "values": {"step": [1] * 10_000}},
        {"key": "runs.saved", "values": {str(number): 1 for number in range(100)}},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            Message.from_json(value)


def test_what_a_stranger_wrote_never_stops_the_reader():
    for value in (
        {"key": "of a later version", "values": {"a": 1}},
        {"key": "runs.saved", "values": {}},
        {"key": "runs.saved", "values": {"key": 1, "language": "zh", "self": 3}},
        {"key": "data.too_many_files", "values": {"name": "a", "count": "many"}},
        {"key": "finetune.few_held_out", "values": {}},
    ):
        for spoken in LANGUAGES:
            assert isinstance(Message.from_json(value).text(spoken), str)
    assert str(Message.from_json({"key": "of a later version", "values": {}})) == "of a later version"


# Errors ---------------------------------------------------------------------------------------------------------------


def test_an_error_is_a_key_with_values():
    error = DataError("data.no_zip", name="a.zip")
    assert str(error) == "a.zip cannot be opened as a zip; pack the folder again as a .zip."
    assert error.message == Message("data.no_zip", name="a.zip") and isinstance(error, ValueError)
    assert str(MmganError(error.message)) == str(error)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_is_the_same_after_a_journey(again):
    for kind in (errors.MmganError, errors.PromptError, errors.DataGivenError, errors.TrainingError):
        error = kind("sharing.unusable", name="a.zip", reason=Message("media.empty"))
        assert type(again(error)) is kind and again(error).message == error.message
        assert str(again(error)) == str(error)
