"""The project around the library: its promises about layout, sizes, installation and the README's commands."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mfcourse import convex, features, intervals

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mfcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))
CHECKS = sorted(path.stem for path in (PACKAGE / "exercises").glob("*.py") if re.search(r"\d\d|lab_.", path.stem))
ORDER = [  # a module may import those before it
    *("foreign", "checks", "results", "files", "endings", "scratch"),
    *("measures", "activations", "kernels", "search", "waves", "fourier", "features", "intervals"),
    *("losses", "risks", "penalties", "problems", "certificates"),
    *("runs", "motion", "steps", "starts", "flows", "topology", "stochastic"),
    *("sliding", "convex", "plans", "transport"),
    *("pictured", "style", "svg", "proof_sketches", "sketches", "plots", "animations"),
    *("experiments.sweeps", "experiments.paper", "experiments.records", "experiments"),
    *("experiments.figures", "experiments.digits"),
    *("beyond", "beyond.plane", "beyond.neurons", "beyond.chains", "beyond.overlaps", "beyond.committee"),
    *("beyond.langevin", "beyond.densities", "beyond.fokker_planck", "beyond.tanh_line"),
    *("beyond.gaussians", "beyond.attacks", "beyond.public", "beyond.unlearning"),
    *("beyond.forgetful_digits", "beyond.forgetful_ridge", "beyond.forgetful_measure"),
    *("beyond.measurements", "beyond.drawings"),
    *("classroom", "classroom.handout", "classroom.submissions", "classroom.sandbox", "classroom.intake"),
    *("classroom.grades", "classroom.gradebook", "classroom.pooling"),
    *(
        "exercises",
        "exercises.predict",
        "exercises.grading",
        "exercises.spike_runs",
        "exercises.noise",
        "exercises.identities",
    ),
    *(f"exercises.{name}" for name in CHECKS),
    *("site", "site.live", "site.build", "site.serve", "site.extension", "site.pages"),
    *("commands.reading", "commands.reproduce", "commands.certify", "commands.lab", "commands.site", "commands.labs"),
    *("commands.doctor", "commands", "__main__"),
]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def dotted(path):
    """The name of a module below mfcourse, that of its folder for a face, "" for the package itself."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imported(tree):
    """Names of the mfcourse modules that a syntax tree imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mfcourse":
            folder = node.module.removeprefix("mfcourse").removeprefix(".")
            for alias in node.names:
                name = f"{folder}.{alias.name}".removeprefix(".")
                yield name if name in ORDER else folder


def test_every_module_has_its_place_in_the_order():
    assert {dotted(path) for path in MODULES} == {"", *ORDER}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_documented_and_imports_only_from_those_before_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    before = ORDER[: ORDER.index(dotted(path))] if dotted(path) else []
    assert set(imported(tree)) - {""} <= set(before)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_public_function_and_class_says_what_it_is(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef):
            for child in node.body:
                if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
                    assert ast.get_docstring(child), f"{path.name}: {child.name}"


TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES + TESTS, ids=lambda path: path.stem)
def test_text_has_its_encoding_said_wherever_it_comes_from_or_goes(path):
    """Windows would take its own for what is not said, and find no Greek letters in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        said = {word.arg: ast.unparse(word.value) for word in node.keywords}
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        texts = name in ("read_text", "write_text") or {"text", "universal_newlines"} & set(said)
        if isinstance(node.func, ast.Name) and name == "open":
            texts = "b" not in said.get("mode", ast.unparse(node.args[1]) if node.args[1:] else "r")
        assert not texts or "encoding" in said, f"{path.name}, line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_nothing_is_called_that_windows_does_not_have(path):
    missing = {"fork", "forkpty", "killpg", "getpgid", "setsid", "getuid", "geteuid", "SIGKILL", "SIGALRM", "SIGHUP"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not missing & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {"fcntl", "resource", "pwd", "grp", "termios", "pty"} & names


def test_the_two_commands_of_the_readme_are_one_line_each_with_a_windows_form_below():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [block for block in re.findall(r"^```\n(.*?)\n```$", text, re.M | re.S) if " venv " in block]
    assert len(lines) == 4
    for posix, windows in ((lines[0], lines[1]), (lines[2], lines[3])):
        assert "\n" not in posix
        assert posix.startswith("python3 -m venv .venv && .venv/bin/python -m pip install -e")
        same = windows.replace("py -m", "python3 -m").replace(".venv\\Scripts\\", ".venv/bin/")
        assert same == posix
    assert lines[0].endswith("mfcourse reproduce all --quick")
    assert lines[2].endswith("-m pytest")


def test_what_a_feature_map_must_have_and_may_have_is_the_same_everywhere():
    """The docstring of `features`, README and lab D name the same members, and the library's own maps have them."""
    named = re.compile(r"`(\w+)")
    told = re.search(r"must have:(.+?)What it may have:(.+?)Shapes:", features.__doc__, re.S)
    must, may = (
        {name for name in named.findall(part) if name not in ("convex", "experiments")} for part in told.groups()
    )
    assert must == {"push", "pull", "push_pull", "size", "dimension", "period", "homogeneity"}
    assert must | may >= set(convex.NEEDED)
    for own in (features.Fourier(2), features.Neurons([[1.0]], "relu"), intervals.Cosines([0, 1])):
        assert all(hasattr(own, name) for name in must)
    assert all(hasattr(features.Fourier(2), name) for name in may)
    lab = json.loads((ROOT / "notebooks" / "labs" / "lab_d.ipynb").read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in lab if cell["cell_type"] == "markdown")
    for text in ((ROOT / "README.md").read_text(encoding="utf-8"), prose):
        first, second = re.search(r"must have(.+?)may have(.+?)\n\n", text, re.S).groups()
        assert all(re.search(rf"\b{name}\b", first.replace("**", "")) for name in must)
        assert may == set(named.findall(second)) - {"experiments", "features", "mfcourse"}


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_map_of_the_readme_shows_every_module_at_the_front_door_and_every_folder():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = {name.split(".")[0] for name in ORDER} - {"__main__"}
    shown = re.findall(r"\(mfcourse/(\w+)(?:\.py)?\)", "".join(re.findall(r"^\| \[`.+", text, re.M)))
    assert sorted(shown) == sorted(rooms)


def test_conda_and_pip_install_the_same():
    """environment.yml holds Python, pip and the project with all its extras, and nothing that could drift."""
    lines = [line.strip() for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()]
    entries = [line.removeprefix("- ").strip() for line in lines[lines.index("dependencies:") + 1 :] if line]
    assert entries == [f"python{PYPROJECT['project']['requires-python']}", "pip", "pip:", "-e .[all]"]
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert extras["all"] == [f"mfcourse[{','.join(name for name in extras if name not in ('all', 'bench'))}]"]


def test_the_version_is_the_one_to_cite():
    version = re.search(r'__version__ = "(.+)"', (PACKAGE / "__init__.py").read_text(encoding="utf-8"))[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_a_flow_is_shaken_at_its_start_where_the_checks_ask_for_it_and_nowhere_else():
    """By about 1e-13 of itself, equal starts equally; the library's own Python files do not know of it."""
    code = """
import numpy as np
from mfcourse import flows, problems
w, theta = np.linspace(0, 1, 5), np.linspace(1, 2, 5)[:, None]
problem = problems.spikes(0)
runs = [flows.flow(problem, flows.gradient(problem, 0.01, 1e-4), (w, theta), 1) for _ in range(2)]
assert np.array_equal(runs[0].theta, runs[1].theta) and np.array_equal(runs[0].w, runs[1].w)
print(np.abs(runs[0].w[0] - w).max(), np.abs(runs[0].theta[0] / theta - 1).max(), runs[0].w[0, 0])
"""
    moved = []
    path = os.pathsep.join([f"{ROOT / 'tests' / 'hooks'}", f"{ROOT}"])
    for hooks in ("", "shake"):
        environment = os.environ | {"PYTHONPATH": path, "MFCOURSE_HOOKS": hooks}
        said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
        moved.append([float(number) for number in said.split()])
    assert moved[0] == [0, 0, 0]
    of_w, of_theta, at_zero = moved[1]
    assert at_zero == 0
    assert all(1e-14 < size < 1e-12 for size in (of_w, of_theta))
