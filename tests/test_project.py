"""The project around the library: its promises about layout, sizes, installation and the README's commands."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mfcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))
ORDER = [
    "checks",
    "results",
    "files",
    "scratch",
    "measures",
    "activations",
    "kernels",
    "features",
    "intervals",
    "losses",
    "risks",
    "penalties",
    "problems",
    "search",
    "certificates",
    "runs",
    "starts",
    "flows",
    "topology",
    "stochastic",
    "convex",
    "transport",
    "sweeps",
    "experiments",
    "pooling",
    "digits",
    "pictured",
    "plots",
    "figures",
    "tables",
    "animations",
    "exercises",
    "live",
    "arguments",
    "lab",
    "pages",
    "website",
    "doctor",
    "classroom",
    "sandbox",
    "submissions",
    "intake",
    "grades",
    "gradebook",
    "commands",
    "cli",
]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def imported(tree):
    """Names of the mfcourse modules that a syntax tree imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "mfcourse":
            yield from (alias.name for alias in node.names if not alias.name.startswith("__"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mfcourse."):
            yield node.module.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_documented_and_imports_only_from_those_above_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    above = ORDER[: ORDER.index(name) + (name == "exercises")] if name in ORDER else [*ORDER]
    assert set(imported(tree)) <= set(above)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_public_function_and_class_says_what_it_is(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef):
            for child in node.body:
                if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
                    assert ast.get_docstring(child), f"{path.name}: {child.name}"


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


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


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
