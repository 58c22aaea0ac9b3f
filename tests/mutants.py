"""Change a module of the mathematics in one place, and ask its tests: `python tests/mutants.py MODULE TESTS... [-n N]`.

Each mutant is one operator, number, comparison or statement that is otherwise, drawn by a seed; the module's tests run
on it in a process of their own. A mutant that they do not kill is printed, with its line: either a test is missing, or
the change means nothing. MODULE is a name such as flows; TESTS are files below tests/.
"""

import argparse
import ast
import copy
import os
import random
import signal
import sys
from importlib import abc, util
from pathlib import Path

import hypothesis  # noqa: F401  these are loaded once, and not for every mutant
import matplotlib.pyplot  # noqa: F401
import ot  # noqa: F401
import pytest
import scipy.optimize  # noqa: F401
import sklearn.linear_model  # noqa: F401

ROOT = Path(__file__).parent.parent
SECONDS = 240  # for the tests of a mutant; whoever takes longer hangs, and is noticed
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
OPERATORS |= {ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult, ast.And: ast.Or, ast.Or: ast.And}
OPERATORS |= {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {"minimum": "maximum", "min": "max", "any": "all", "sin": "cos", "floor": "ceil", "argmin": "argmax"}
NAMES |= {other: name for name, other in NAMES.items()}


def changes(tree):
    """(number of the node, its field, what it becomes) for each change of a tree; what errors say is left alone."""
    silent = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise | ast.JoinedStr) for inner in ast.walk(node)
    }
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in silent:
            continue
        for field in ("op", "ops", "value", "attr", "id", "body"):
            change = changed(node, field)
            if change is not None:
                yield number, field, change


def changed(node, field):
    """What the field of a node becomes, None if it has nothing to change."""
    old = getattr(node, field, None)
    if field == "op" and type(old) in OPERATORS:
        return OPERATORS[type(old)]()
    if field == "ops" and old and type(old[0]) in OPERATORS:
        return [OPERATORS[type(old[0])](), *old[1:]]
    if field == "value" and isinstance(node, ast.Constant) and isinstance(old, bool | int | float):
        return (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int) else 2 * old or 1.0
    if field in ("attr", "id"):
        return NAMES.get(old)
    if (
        field == "body"
        and isinstance(node, ast.FunctionDef)
        and isinstance(old[-1], ast.Expr | ast.AugAssign | ast.Assign)
    ):
        return [*old[:-1], ast.Pass()]
    return None


class Mutated(abc.MetaPathFinder, abc.Loader):
    """Imports the module `name` from a tree."""

    def __init__(self, name, tree):
        self.name, self.tree = name, tree

    def find_spec(self, name, path, target=None):
        """What Python asks for every import."""
        return util.spec_from_loader(name, self, origin=str(source(name))) if name == self.name else None

    def exec_module(self, module):
        """Run the changed code in place of the file."""
        module.__file__ = module.__spec__.origin
        exec(compile(self.tree, module.__file__, "exec"), module.__dict__)


def source(name):
    return ROOT.joinpath(*name.split(".")).with_suffix(".py")


def survives(name, tree, tests):
    """Whether the tests pass on the module changed to `tree`."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        sys.meta_path.insert(0, Mutated(name, tree))
        loaded = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis, above
        os._exit(pytest.main(["-o", "addopts=", "-W", loaded, "-x", "-q", "-p", "no:cacheprovider", *tests]) != 0)
    return os.waitpid(child, 0)[1] == 0


def main():
    """Print the survivors, and how many there are."""
    parser = argparse.ArgumentParser(description="Ask tests about mutants of a module.")
    parser.add_argument("module")
    parser.add_argument("tests", nargs="+")
    parser.add_argument("-n", type=int, default=30, help="mutants (default 30)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    name = f"mfcourse.{arguments.module}"
    tree = ast.parse(source(name).read_text(encoding="utf-8"))
    if not survives(name, tree, arguments.tests):
        sys.exit(f"{arguments.module}: the tests fail without any change")
    found = list(changes(tree))
    chosen = random.Random(arguments.seed).sample(found, min(arguments.n, len(found)))
    survivors = 0
    for number, field, change in chosen:
        other = copy.deepcopy(tree)
        node = list(ast.walk(other))[number]
        before = ast.unparse(node) if hasattr(node, "lineno") else ""
        setattr(node, field, change)
        if survives(name, ast.fix_missing_locations(other), arguments.tests):
            survivors += 1
            where = f"{arguments.module}, line {getattr(node, 'lineno', '?')}"
            print(f"{where}: {before[:90]!r} -> {ast.unparse(node)[:90]!r}", flush=True)
    print(f"{arguments.module}: {survivors} of {len(chosen)} mutants survive, of {len(found)} there are")


if __name__ == "__main__":
    main()
