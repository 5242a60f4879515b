"""The sentences that mmgan's code holds for people, read from its syntax trees as templates.

A template is the text with ``{}`` in each place that is filled at run time. Where code chooses between texts, or puts a
constant or a local text into another one, every sentence that may come of it is a template of its own.
"""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path

FAMILY = {"MmganError", "PromptError", "CheckpointError", "DataError", "TrainingError", "DownloadError"}
SPOKEN = {*FAMILY, "Problem"}  # the second argument of a Problem, and every one of an error, is text for people
SILENT = {"warning", "exception", "info", "debug", "print", "ValueError", "OSError", "KeyError", "RuntimeError"}
PLACE = None  # in a list of parts: filled at run time
MOST = 32  # templates of one expression


@dataclass
class Texts:
    """What a module says: template -> line."""

    sentences: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)  # every other text, some of which stand within sentences


def read_texts(path: Path) -> Texts:
    """Every text in the module at ``path``, but for docstrings."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), Texts()
    _Reader(tree, found).visit(tree)
    return found


class _Reader(ast.NodeVisitor):
    def __init__(self, tree: ast.Module, found: Texts):
        self.found = found
        self.resolving: list[str] = []
        self.scopes: list[dict[str, list[ast.expr]]] = [_texts(tree.body)]

    def visit_FunctionDef(self, node):
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)
        self.scopes.append({argument.arg: [] for argument in given} | _texts(node.body))
        for child in node.body:
            self.visit(child)
        self.scopes.pop()

    def visit_ClassDef(self, node):
        for child in node.body:
            self.visit(child)

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.visit(node.value)

    def visit_Call(self, node):
        name = _name(node.func)
        if name in SILENT:
            return
        for place, argument in enumerate(node.args):
            if name in SPOKEN and (name != "Problem" or place == 1):
                self._note(argument, always=True)
            else:
                self.visit(argument)
        for keyword in node.keywords:
            self.visit(keyword.value)
        self.visit(node.func)

    def visit_Constant(self, node):
        self._note(node)

    visit_JoinedStr = visit_BinOp = visit_IfExp = lambda self, node: self._note(node)

    def _note(self, node, always: bool = False) -> None:
        options = self._options(node)
        if options is None or not any(isinstance(part, str) for parts in options for part in parts):
            self.generic_visit(node)
            return
        for parts in options:
            template = re.sub(r"(\{\})+", "{}", "".join("{}" if part is PLACE else part for part in parts))
            said = template.replace("{}", "").strip(" .,:;()'")
            kind = self.found.sentences if said and (always or is_sentence(template)) else self.found.parts
            kind.setdefault(template, node.lineno)
        for child in ast.walk(node):  # texts within a value that a place is filled with
            if isinstance(child, ast.FormattedValue) and self._options(child.value) is None:
                self.visit(child.value)

    def _options(self, node) -> list[list] | None:
        """Every list of parts that the expression may be; None where it is no text at all."""
        if isinstance(node, ast.Constant):
            return [[node.value]] if isinstance(node.value, str) else None
        if isinstance(node, ast.IfExp):
            both = [self._options(side) for side in (node.body, node.orelse)]
            return None if None in both else both[0] + both[1]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            both = [self._options(side) for side in (node.left, node.right)]
            if both == [None, None]:
                return None
            return [one + other for one, other in itertools.product(*(options or [[PLACE]] for options in both))]
        if isinstance(node, ast.Name):
            scope = next((scope for scope in reversed(self.scopes) if node.id in scope), {})
            if not scope.get(node.id) or node.id in self.resolving:  # one that is made of itself
                return None
            self.resolving.append(node.id)
            options = [self._options(value) for value in scope[node.id]]
            self.resolving.pop()
            return None if None in options else list(itertools.chain(*options))[:MOST]
        if isinstance(node, ast.JoinedStr):
            parts = []
            for value in node.values:
                inner = value.value if isinstance(value, ast.FormattedValue) else value
                plain = not isinstance(value, ast.FormattedValue) or (value.conversion == -1 and not value.format_spec)
                parts.append((self._options(inner) if plain else None) or [[PLACE]])
            return [list(itertools.chain(*choice)) for choice in itertools.product(*parts)][:MOST]
        return None


def is_sentence(template: str) -> bool:
    """Whether a text reads as one for people: several words, and an end."""
    if re.fullmatch(r"[A-Z][a-z]+: \{\}", template):  # about one of several things
        return True
    return template.endswith(".") and len(re.findall(r"[A-Za-z{}]+", template)) > 2


def _texts(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """Names that are assigned texts in a function or module, and in no other way."""
    texts: dict[str, list[ast.expr]] = {}
    other = set()
    for statement in body:
        for node in _within(statement):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name) and _is_text(node.value):
                        texts.setdefault(target.id, []).append(node.value)
                    elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                        for name, value in zip(target.elts, node.value.elts, strict=False):
                            if isinstance(name, ast.Name) and _is_text(value):
                                texts.setdefault(name.id, []).append(value)
                    else:
                        other |= {name.id for name in ast.walk(target) if isinstance(name, ast.Name)}
            elif isinstance(node, (ast.For, ast.comprehension, ast.AugAssign, ast.NamedExpr)):
                other |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    return {name: values for name, values in texts.items() if name not in other}


def _within(node: ast.AST):
    """The node and all in it, but for functions and classes, whose names are their own."""
    if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _within(child)


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) and _is_text(node.orelse)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
