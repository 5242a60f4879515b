"""The house keeps its measures: functions and files of a readable length; tests lie where their subject lies."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FUNCTION, FILE = 80, 400  # lines
BESIDE = {"fuzz", "benchmarks", "scripts", "support", "mutants"}  # tests of no single package
CODE = ("mmgan", "scripts", "tests")
SCRIPTS_OF_THE_PAGE = ROOT / "assets"


def python_files():
    return [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]


def name(path):
    return path.relative_to(ROOT).as_posix()


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def length(function):
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return function.end_lineno - first + 1


def long_functions(path):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {f"{name(path)}:{node.name}" for node in nodes if isinstance(node, kinds) and length(node) > FUNCTION}


def test_functions_are_short():
    assert set().union(*map(long_functions, python_files())) == set()


def test_files_are_short():
    texts = [path for suffix in ("*.js", "*.css") for path in SCRIPTS_OF_THE_PAGE.rglob(suffix)]
    assert {name(path) for path in [*python_files(), *texts] if lines(path) > FILE} == set()


def test_tests_mirror_the_package():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    elsewhere = {folder for folder in folders if not folder.parts or folder.parts[0] not in BESIDE}
    assert [folder.as_posix() for folder in sorted(elsewhere) if not (ROOT / "mmgan" / folder).is_dir()] == []


PAGES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/testing.md", "docs/security.md")
NAMED = re.compile(r"`((?:mmgan|tests|scripts|assets|docs|pretrained)/[\w./-]*[\w/])`")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_the_documents_name_are_there(page):
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
