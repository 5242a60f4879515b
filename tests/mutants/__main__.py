"""``python -m tests.mutants [AREA ...] [--count N] [--seed S]``: how many small mistakes the tests notice.

Makes one mistake at a time in a copy of the tree and runs the tests that cover the file until the first failure, those
of the same name first. What noticed it is said, since on a busy machine a test may fail without any mistake.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AREAS = {  # files of each, and the tests that cover them
    "training": ("mmgan/training/*.py", ["tests/training"]),
    "models": ("mmgan/models/*.py", ["tests/models", "tests/training/test_terms.py"]),
    "checkpoint": ("mmgan/models/checkpoint.py", ["tests/models/test_checkpoint.py", "tests/system/test_flushing.py"]),
    "evaluation": ("mmgan/evaluation/*.py", ["tests/evaluation"]),
    "files": ("mmgan/system/files.py", ["tests/system", "tests/models/test_checkpoint.py"]),
    "access": ("mmgan/ui/server/access.py", ["tests/ui/server/test_access.py", "tests/ui/server/test_quota.py"]),
    "gate": ("mmgan/ui/server/gate.py", [f"tests/ui/server/test_{n}.py" for n in ("gate", "login", "behind_a_proxy")]),
}
PAIRS = [(ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn),
         (ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr), (ast.And, ast.Or)]  # fmt: skip
OTHER = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}


def mistaken(node):
    """The node with a mistake in it; None where no kind of mistake fits."""
    match node:
        case ast.Compare(ops=[op, *ops]) if type(op) in OTHER:
            return ast.Compare(node.left, [OTHER[type(op)](), *ops], node.comparators)
        case ast.BinOp() if type(node.op) in OTHER:
            return ast.BinOp(node.left, OTHER[type(node.op)](), node.right)
        case ast.BoolOp():
            return ast.BoolOp(OTHER[type(node.op)](), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return node.operand
        case ast.Constant(value=bool() as value):
            return ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            return ast.Constant(value + 1)
        case ast.IfExp():
            return ast.IfExp(node.test, node.orelse, node.body)
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            return ast.Pass()
        case ast.Return(value=ast.expr()):
            return ast.Return()


def places(path):
    """For every place within the functions of a file: its line, the source with a mistake there, and what it is."""
    source = path.read_bytes()
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    nodes = {node: None for function in functions for statement in function.body for node in ast.walk(statement)}
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in nodes:
        if (changed := mistaken(node)) is None:
            continue
        first, last = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        text = ast.unparse(ast.fix_missing_locations(changed))
        text = f"({text})" if isinstance(node, ast.expr) else text
        before, after = (" ".join(part.split())[:70] for part in (source[first:last].decode(), text))
        yield node.lineno, source[:first] + text.encode() + source[last:], f"{before} -> {after}"


def failing(tree, tests, limit, first=""):
    """The first test that fails, "" where all pass within the limit, in seconds; those called ``first`` begin."""
    found = [path for test in tests for path in sorted(tree.glob(test))]
    beside = [path for test in found for path in sorted(test.rglob(f"test_{first}*.py")) if first]
    command = ["timeout", str(limit), sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    settings = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command += map(str, beside + found)
    done = subprocess.run(command, cwd=tree, env=os.environ | settings, capture_output=True, text=True)
    named = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return "" if done.returncode == 0 else named[1] if named else f"pytest ended with {done.returncode}"


def tried(tree, area, count, seed):
    """Prints every mistake that is made in the area, and gives (what it was, whether it survived)."""
    pattern, tests = AREAS[area]
    every = [(path, *place) for path in sorted(tree.glob(pattern)) for place in places(path)]
    chosen, start = random.Random(seed).sample(every, min(count, len(every))), time.monotonic()
    if why := failing(tree, tests, 3_600):
        sys.exit(f"The tests of {area} fail before anything is changed: {why}")
    limit = 30 + 3 * (time.monotonic() - start)
    for path, line, new, change in chosen:
        right, text = path.read_bytes(), f"{path.relative_to(tree)}:{line}: {change}"
        path.write_bytes(new)
        why = failing(tree, tests, limit, path.stem)
        path.write_bytes(right)
        print(f"noticed  {text}, by {why}" if why else f"survived {text}", flush=True)
        yield text, not why


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="How many mistakes the tests notice.")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; all unless told")
    parser.add_argument("--count", type=int, default=10, help="mistakes in each area")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(lambda name: (ROOT / name).is_file(), names):
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, Path(folder, name))
        settings = arguments.count, arguments.seed
        results = [one for area in arguments.areas or AREAS for one in tried(Path(folder), area, *settings)]
    survivors = [text for text, survived in results if survived]
    print(f"{len(results) - len(survivors)} of {len(results)} noticed", *survivors, sep="\nsurvived ")


if __name__ == "__main__":
    main()
