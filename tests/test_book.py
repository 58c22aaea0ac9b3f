"""The pages of the book: the crosswalk is complete, and what it and the others point at exists."""

import ast
import functools
import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "book").glob("*.md"))
LABELS = [
    *("Eq. (1)", "Eq. (2)", "Eq. (3)"),
    *("Assumptions 2.1", "Def. 2.2", "Prop. 2.3", "Def. 2.4", "Prop. 2.5", "Thm 2.6"),
    *("Prop. 3.1", "Separation", "Assumptions 3.2", "Thm 3.3", "Assumptions 3.4", "Thm 3.5"),
    *("Prop. 4.1", "Figure 1", "Prop. 4.2", "Prop. 4.3", "Figure 2", "Sec. 4.3", "Figure 3"),
    *("App. A", "Prop. C.1", "Prop. C.4", "App. D.4"),
]  # every labelled statement, figure and operator of the paper that the course teaches
OURS = [  # and every statement that the course adds, by a word of the chapter or a label of the course
    *("wedges", "Theorem R", "Theorem T"),
    *("Markov chain", "corrector", "Ornstein-Uhlenbeck process", "critical size", "linear neuron", "phase retrieval"),
    *("information exponent", "committee", "MF1", "MF2", "MF3", "MF4", "MF6", "independent draws", "indistinguishable"),
    *("Theorem U", "U1", "U2", "U3", "U4", "U5", "U6", "Theorem M", "cloud"),
]
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#([^)]+))?\)")


def rows():
    """Label, notebook sections as (file, anchor), functions and tests of each row of the crosswalk."""
    for line in (ROOT / "book" / "crosswalk.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| **"):
            label, _, sections, functions, tests = (cell.strip() for cell in line.strip("|").split(" | "))
            yield (
                label.strip("* "),
                LINK.findall(sections),
                re.findall("`(.+?)`", functions),
                re.findall("`(.+?)`", tests),
            )


@functools.cache
def headings(path):
    """The anchors of the headings of a notebook or of a page, and its prose."""
    prose = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        prose = "\n".join("".join(c["source"]) for c in json.loads(prose)["cells"] if c["cell_type"] == "markdown")
    titles = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub("[^a-z0-9]+", "-", title.lower()).strip("-") for title in titles}, prose


def defined_in(path):
    return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_what_a_page_imports_is_there(page):
    for block in re.findall(r"^```python\n(.+?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "mfcourse":
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")


def test_the_guide_for_teachers_knows_how_long_each_chapter_takes():
    guide = (ROOT / "book" / "teach.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        alone, with_exercises = re.search(r"Time\*\* (\d+) minutes(?:, with the exercises (\d+))?", first).groups()
        minutes = f"{alone}, {with_exercises}" if with_exercises else alone
        assert re.search(rf"notebooks/{path.name}\) \|[^|]+\| {minutes} \|", guide), path.name


def words_for(label):
    """What must stand in the prose: "C.4" of "Prop. C.4", which may be one of "Props C.1 and C.4"."""
    if label == "Separation":
        return "separates"
    return label.split()[-1] if label.startswith(("Eq.", "Prop.")) else label


def test_every_label_of_the_paper_has_one_row_in_the_order_of_the_paper_and_then_our_own():
    assert [label for label, *_ in rows()] == LABELS + OURS


@pytest.mark.parametrize(
    ("label", "sections", "functions", "tests"), list(rows()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_row_of_the_crosswalk_points_at_what_exists(label, sections, functions, tests):
    assert sections
    assert functions
    assert tests
    for file, anchor in sections:
        anchors, prose = headings((ROOT / "book" / file).resolve())
        assert anchor in anchors, f"{label}: {file} has no section {anchor}"
        assert words_for(label) in prose, f"{label} is not mentioned in {file}"
    for name in functions:
        pkgutil.resolve_name(f"mfcourse.{name}")
    sources = ""
    for name in tests:
        file, test = name.split("::")
        assert test in defined_in(ROOT / "tests" / file), f"{label}: no test {name}"
        sources += (ROOT / "tests" / file).read_text(encoding="utf-8")
    for name in functions:
        assert re.search(rf"\b{name.split('.')[-1]}\b", sources), f"{label}: no file of its tests mentions {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_links_between_pages_and_notebooks_lead_somewhere(page):
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            path = (page.parent / target).resolve()
            assert path.exists(), target
            assert not anchor or anchor in headings(path)[0], f"{target}#{anchor}"
