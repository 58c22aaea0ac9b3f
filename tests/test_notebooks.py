"""House rules that can be counted, for every notebook; nbval checks that they run and print what they say."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mfcourse.exercises import predict
from mfcourse.site import live

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
LABS = sorted((Path(__file__).parent.parent / "notebooks" / "labs").glob("*.ipynb"))
HOOKS = Path(__file__).parent / "hooks"
FIGURE = "image/png"
LEAST_EXERCISES = {0: 1, 11: 3, 12: 3}  # and 4 in all others
PREDICTIONS = {0: 2}
OPENINGS = ("predict.choice(", "predict.choice({", "predict.number(")
CLAIM = "# What is asserted of this result"
FOLDED = {"solution", "predict", "claim", "optional"}


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def prose(path):
    return [source(cell) for cell in cells(path, "markdown")]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


@pytest.fixture(params=NOTEBOOKS + LABS, ids=lambda path: path.stem)
def any_notebook(request):
    """A chapter, or the source of a lab."""
    return request.param


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_the_first_cell_says_what_is_learnt_needed_and_where_it_is_in_the_paper(any_notebook):
    first = prose(any_notebook)[0]
    for promise in ("**You will learn**", "**You need**", "**Time**", "**In the paper**"):
        assert promise in first


def test_the_last_prose_is_a_summary_with_references(any_notebook):
    last = prose(any_notebook)[-1]
    assert "## Summary" in last
    assert "**References.**" in last


def test_a_chapter_is_neither_a_leaflet_nor_a_book(notebook):
    """What is folded, and what stands for something else, is read by those who want it."""
    read = [c for kind in ("markdown", "code") for c in cells(notebook, kind) if not set(tags(c)) & FOLDED]
    assert 25 <= sum(not source(cell).startswith("live.") for cell in read) <= 44


def test_titles_and_files_count_in_the_same_order(notebook):
    assert prose(notebook)[0].startswith(f"# {int(notebook.stem[:2])} ")


def test_chapters_follow_each_other_without_holes():
    assert [int(path.stem[:2]) for path in NOTEBOOKS] == list(range(16))


def test_links_between_chapters_lead_somewhere(any_notebook):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", "\n".join(prose(any_notebook)))
    assert [
        path for path in targets if not path.startswith("https://") and not (any_notebook.parent / path).exists()
    ] == []


def test_a_chapter_says_where_we_are(notebook):
    first = source(cells(notebook, "code")[0])
    assert first.splitlines()[-1] == f"sketches.where_we_are({int(notebook.stem[:2])})"


def test_the_reader_predicts_and_the_result_keeps_its_secret_until_then(notebook):
    """A question, its control, and a folded result whose code asserts nothing: claims follow, folded too."""
    every = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    asked = [k for k, cell in enumerate(every) if cell["cell_type"] == "markdown" and "**Predict" in source(cell)]
    assert len(asked) >= PREDICTIONS.get(int(notebook.stem[:2]), 3)
    for k in asked:
        question, control = every[k : k + 2]
        assert "?" in source(question).partition("**Predict")[2], source(question)
        assert tags(control) == ["predict", "nbval-ignore-output", "remove-input"]
        assert control["metadata"]["jupyter"] == {"source_hidden": True}
        result = next(cell for cell in every[k + 2 :] if cell["cell_type"] == "code")
        assert "hide-output" in tags(result), source(result)
        assert result["metadata"]["jupyter"] == {"outputs_hidden": True}
        assert "assert " not in source(result)
    assert sum("predict" in tags(cell) for cell in every) == len(asked)


def test_a_control_is_stored_as_lines_that_unfold(notebook):
    for cell in cells(notebook, "code"):
        if "predict" in tags(cell):
            assert source(cell).splitlines()[0] in OPENINGS, "JupyterLab shows the first line of a folded cell"
            (output,) = cell["outputs"]
            asked = eval(source(cell), {"predict": predict})
            stored = {kind: "".join(text) for kind, text in output["data"].items()}
            assert stored == {kind: asked._repr_mimebundle_()[0][kind] for kind in ("text/plain", "text/html")}


def test_right_answers_have_no_favourite_place():
    """Neither first nor last, neither longest nor shortest: a reader who knows nothing learns nothing from that."""
    first, longest, questions = 0, 0, 0
    for path in NOTEBOOKS:
        for cell in cells(path, "code"):
            if source(cell).startswith("predict.choice("):
                question = eval(source(cell), {"predict": predict}).question
                choices = [words for words, _ in question["choices"]]
                questions += 1
                first += choices[0] == question["right"]
                longest += max(choices, key=len) == question["right"]
    assert questions / 5 < first < questions / 2
    assert longest < questions / 2


def test_claims_are_folded(notebook):
    for cell in cells(notebook, "code"):
        if "claim" in tags(cell):
            assert tags(cell) == ["claim", "hide-cell"]
            assert cell["metadata"]["jupyter"] == {"source_hidden": True}
            assert source(cell).splitlines()[0] == CLAIM, "JupyterLab shows the first line of a folded cell"
            assert "assert " in source(cell)


def test_what_is_folded_has_a_title_and_boxes_say_how_long_they_take(any_notebook):
    for cell in cells(any_notebook, "markdown"):
        text = source(cell)
        if "optional" in tags(cell):
            assert re.match(r"<details><summary><b>[^<]+</b> \(\d+ minutes?\)</summary>\n\n", text), text[:80]
            assert text.endswith("\n\n</details>")
        elif "solution" in tags(cell) and any_notebook in NOTEBOOKS:
            assert re.match(r"<details><summary><b>Solution \d+\.\d\.</b></summary>\n\n", text), text[:80]
            assert text.endswith("\n\n</details>")
        assert text.count("<details>") == text.count("</details>") <= 1


def test_a_chapter_asserts_what_it_claims(notebook):
    shown = [source(cell) for cell in cells(notebook, "code") if "solution" not in tags(cell)]
    assert sum(code.count("assert ") for code in shown) >= 4


def test_cells_are_short(any_notebook):
    for text in prose(any_notebook):
        assert len(text.split()) <= 150, text[:80]
    for cell in cells(any_notebook, "code"):
        lines = [line for line in source(cell).splitlines() if line.strip() and not line.strip().startswith("#")]
        assert len(lines) <= 15, source(cell)[:80]


def test_cells_were_run_once_from_top_to_bottom_without_errors(any_notebook):
    code = cells(any_notebook, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]


def test_no_output_names_an_object_by_its_place_in_memory(any_notebook):
    outputs = [output for cell in cells(any_notebook, "code") for output in cell["outputs"]]
    shown = ["".join(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in outputs]
    assert [text for text in shown if re.search(r" at 0x[0-9a-f]+", text)] == []


def test_every_figure_has_alt_text(any_notebook):
    drawn = [c for c in cells(any_notebook, "code") if any(FIGURE in o.get("data", {}) for o in c["outputs"])]
    assert drawn
    for cell in drawn:
        assert len(cell["metadata"]["mystnb"]["image"]["alt"]) > 40


def test_cells_with_a_control_are_left_to_a_live_kernel(notebook):
    drawn_before = False
    for cell in cells(notebook, "code"):
        drawn_before |= any(FIGURE in o.get("data", {}) for o in cell["outputs"])
        if "interact(" in source(cell):
            assert drawn_before, "a control comes after a static figure"
            assert {"nbval-ignore-output", "remove-output"} <= set(tags(cell))
            assert "continuous_update=False" in source(cell)


def test_live_demos_are_stored_as_what_stands_for_them_where_no_kernel_runs(notebook):
    for cell in cells(notebook, "code"):
        if "live." in source(cell):
            name = source(cell).removeprefix("live.").removesuffix("()")
            assert name in live.NAMES
            assert tags(cell) == ["nbval-ignore-output"]
            (output,) = cell["outputs"]
            assert "".join(output["data"]["text/html"]) == live.FALLBACK.format(name=name)
            assert "".join(output["data"]["text/plain"]) == source(cell)
            assert set(output["data"]) == {"text/html", "text/plain"}


def test_every_demo_is_in_a_chapter():
    text = "".join(source(cell) for path in NOTEBOOKS for cell in cells(path, "code"))
    assert all(f"live.{name}()" in text for name in live.NAMES)


def test_every_exercise_has_a_stub_a_check_and_a_hidden_solution(notebook):
    text = "\n".join(prose(notebook))
    exercises = [line.split()[2] for line in text.splitlines() if line.startswith("### Exercise")]
    chapter = int(notebook.stem[:2])
    assert exercises == [f"{chapter}.{k}" for k in range(1, len(exercises) + 1)]
    assert len(exercises) >= LEAST_EXERCISES.get(chapter, 4)
    code = [source(cell) for cell in cells(notebook, "code")]
    assert sum("raise NotImplementedError" in c and "check_" in c for c in code) == len(exercises)
    for number in exercises:
        assert f"<b>Solution {number}.</b>" in text
    solutions = [cell for cell in cells(notebook, "code") if "solution" in tags(cell)]
    assert len(solutions) == len(exercises)
    for cell, number in zip(solutions, exercises, strict=True):
        assert "assert check_" in source(cell), number
        assert "hide-cell" in tags(cell)
        assert cell["metadata"]["jupyter"]["source_hidden"]


def test_the_file_is_small_and_carries_no_state(any_notebook):
    assert any_notebook.stat().st_size <= 500_000
    allowed = {"kernelspec", "language_info"} | ({"mfcourse"} if any_notebook in LABS else set())
    assert set(json.loads(any_notebook.read_text(encoding="utf-8"))["metadata"]) <= allowed


def test_every_cell_has_a_name_of_its_own():
    names = [cell["id"] for path in NOTEBOOKS + LABS for kind in ("code", "markdown") for cell in cells(path, kind)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("lab", LABS, ids=lambda path: path.stem)
def test_a_lab_is_one_session_with_tasks_to_predict_to_solve_and_to_explain(lab):
    about = json.loads(lab.read_text(encoding="utf-8"))["metadata"]["mfcourse"]
    letter = about["lab"]
    assert lab.stem == f"lab_{letter.lower()}"
    assert prose(lab)[0].startswith(f"# Lab {letter}. ")
    assert 25 <= len(prose(lab)) + len(cells(lab, "code")) <= 42
    assert sum("Predict" in text for text in prose(lab)) >= 3
    text = "\n".join(prose(lab))
    tasks = re.findall(rf"^### (?:Task|Question) {letter}(\d+) \((\d+) points", text, re.M)
    assert [int(number) for number, _ in tasks] == list(range(1, len(tasks) + 1))
    marks = [cell["metadata"].get("nbgrader", {}) for kind in ("code", "markdown") for cell in cells(lab, kind)]
    paid = {int(re.search(r"\d+", mark["grade_id"])[0]): mark["points"] for mark in marks if mark.get("grade")}
    assert paid == {int(number): int(points) for number, points in tasks}
    written = [mark for mark in marks if mark.get("grade") and mark["solution"]]
    assert len(written) == 2
    assert about["minutes"] == 120


def test_notebooks_import_the_library_by_name_and_define_no_second_one(any_notebook):
    for cell in cells(any_notebook, "code"):
        tree = ast.parse(source(cell))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert all(alias.name != "*" for alias in node.names)
            assert not isinstance(node, ast.ClassDef)


def test_controls_are_shown_by_an_interact_that_the_tests_can_replace(notebook):
    """What then happens to them is in tests/hooks: a notebook fails if a callback does, at either end of a control."""
    code = [source(cell) for cell in cells(notebook, "code")]
    assert any(re.search(r"^from ipywidgets import .*\binteract\b", text, re.M) for text in code)
    assert any(re.search(r"^interact\(show, .+\);$", text, re.M) for text in code)


@pytest.mark.parametrize(("edge", "fails"), [(3, False), (7, True), (-2, True)])
def test_a_callback_that_fails_at_an_end_of_its_control_fails_out_of_sight_of_the_reader(edge, fails):
    code = f"""
from ipywidgets import IntSlider, interact
def show(k):
    print(k)
    if k == {edge}:
        raise RuntimeError("at the edge")
interact(show, k=IntSlider(0, min=-2, max=7))
"""
    environment = os.environ | {"PYTHONPATH": str(HOOKS), "MFCOURSE_HOOKS": "move"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.returncode != 0) == ("at the edge" in done.stderr) == fails
    assert not {"-2", "7"} & set(done.stdout.split())


def test_the_kernels_of_nbval_move_controls_to_their_ends(tmp_path):
    """Of two cells the one whose callback fails at an end of its control fails, and not the one with a gap inside."""
    notebook = new_notebook()
    for edge in (3, 7):
        imports = "from ipywidgets import IntSlider, interact\n\n\n"
        show = f"def show(k):\n    if k == {edge}:\n        raise RuntimeError('at {edge}')\n\n\n"
        cell = new_code_cell(f"{imports}{show}interact(show, k=IntSlider(0, min=-2, max=7));")
        cell.metadata.tags = ["nbval-ignore-output"]
        notebook.cells.append(cell)
    nbformat.write(notebook, tmp_path / "two.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-n0", "-p", "tests.conftest", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, env=environment, cwd=HOOKS.parent.parent, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "at 7" in done.stdout
