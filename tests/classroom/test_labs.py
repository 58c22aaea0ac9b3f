"""The labs of the course, as a teacher meets them: released, solved, handed in and graded by the commands."""

import csv
import json
import re
from pathlib import Path

import nbformat
import pytest

from mfcourse.classroom import handout
from mfcourse.classroom.sandbox import Limits, run_apart
from tests.commands.test_commands import run

LABS = handout.labs()
REGION = re.compile(r"# BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)# END", re.DOTALL)


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """A folder with all releases, as the command writes them."""
    folder = tmp_path_factory.mktemp("handout")
    handout.write_releases(folder)
    return folder


def solve(notebook, lab, tasks=None):
    """Put the teacher's answers into a release, to all tasks or to these."""
    answers = handout.cells_by_id(handout.source(lab))
    for name, cell in handout.cells_by_id(notebook).items():
        if cell.metadata.nbgrader.solution and (tasks is None or name in tasks):
            cell.source = answers[name].source
    return notebook


def worth(lab, *tasks):
    """The points of these tasks."""
    cells = handout.cells_by_id(handout.source(lab))
    return sum(cells[f"{name}-check"].metadata.nbgrader.points for name in tasks)


def grade(capsys, place, *options):
    """The rows of the table, by student."""
    out = place.parent / "grades.csv"
    code, printed, errors = run(capsys, "labs", "grade", str(place), "--out", str(out), "--jobs", "2", *options)
    assert code == 0, errors
    assert "100%" in errors  # the progress bar
    with open(out, encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert all(f"{student}: " in printed for student in rows)
    return rows


@pytest.mark.parametrize("letter", LABS)
def test_solved_is_full_marks_and_half_is_the_sum_of_its_tasks(letter, releases, capsys, tmp_path):
    """Half of the tasks are enough to be seen in one lab: what is not solved pays nothing, its check says so."""
    lab = LABS[letter]
    cells = handout.cells_by_id(handout.source(lab))
    tasks = [name.removesuffix("-check") for name in cells if name.endswith("-check")]
    half = tasks[1::2]
    for student, solved in (("anna", None), ("cora", half)) if letter == "D" else (("anna", None),):
        notebook = solve(nbformat.read(releases / lab.path.name, as_version=4), lab, solved)
        (tmp_path / "handed-in" / student).mkdir(parents=True)
        nbformat.write(notebook, tmp_path / "handed-in" / student / lab.path.name)
    rows = grade(capsys, tmp_path / "handed-in")
    got = {student: (float(row["points"]), int(row["texts_to_read"]), row["remark"]) for student, row in rows.items()}
    assert lab.checked == worth(lab, *tasks)
    assert got["anna"] == (lab.checked, sum(name.endswith("-text") for name in cells), "")
    if letter == "D":
        assert got["cora"] == (worth(lab, *half), 0, "")
        assert 0 < got["cora"][0] < lab.checked


@pytest.mark.parametrize("letter", LABS)
def test_a_release_holds_no_solution_no_hidden_test_and_no_model_answer(letter, releases):
    lab = LABS[letter]
    release = (releases / lab.path.name).read_text(encoding="utf-8")
    given = "\n".join(cell["source"] for cell in nbformat.reads(release, as_version=4).cells)
    secrets = []
    for cell in handout.source(lab).cells:
        regions = [region.strip() for _, region in REGION.findall(cell.source)]
        if cell.cell_type == "markdown" and handout.grade_id(cell):
            regions.append(cell.source)
        secrets += regions
        secrets += [line.strip() for region in regions for line in region.splitlines() if len(line.strip()) > 40]
    assert len(secrets) > 10
    assert [secret for secret in secrets if secret in given] == []
    assert "SOLUTION" not in release
    assert "HIDDEN" not in release
    cells = json.loads(release)["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
    assert given.count("raise NotImplementedError") >= 5


@pytest.mark.parametrize("letter", LABS)
def test_a_release_runs_up_to_its_first_task(letter, releases):
    notebook = nbformat.read(releases / LABS[letter].path.name, as_version=4)
    first = next(k for k, cell in enumerate(notebook.cells) if handout.grade_id(cell) and cell.metadata.nbgrader.grade)
    notebook.cells = notebook.cells[: first + 1]
    executed = run_apart(notebook, Limits())
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
    assert f"Task {letter}1: not solved yet, 0 of" in executed.cells[-1].outputs[0].text


def test_the_commands_say_what_they_did(releases, capsys, tmp_path):
    code, printed, _ = run(capsys, "labs", "list")
    assert code == 0
    assert [line[:1] for line in printed.splitlines()[1:]] == list(LABS)
    assert run(capsys, "labs", "release", str(tmp_path / "out"), "--lab", "a,C")[1].endswith(
        "lab_a.ipynb, lab_c.ipynb\n"
    )
    assert "kept as they were: lab_a.ipynb" in run(capsys, "labs", "release", str(tmp_path / "out"), "--lab", "A")[1]
    place = tmp_path / "handed-in"
    place.mkdir()
    (place / "anna.ipynb").write_bytes((releases / "lab_a.ipynb").read_bytes())
    (place / "bert.pdf").write_bytes(b"%PDF")
    code, printed, _ = run(capsys, "labs", "collect", str(place), "--out", str(tmp_path / "sorted"))
    assert code == 0
    assert printed.splitlines()[0] == "bert: bert.pdf is no notebook (.ipynb)"
    assert (tmp_path / "sorted" / "anna" / "anna.ipynb").exists()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["labs"], "the following arguments are required: ACTION"),
        (["labs", "grade", "here"], "the following arguments are required: --out"),
        (
            ["labs", "grade", "nowhere", "--out", "new.csv"],
            "SUBMISSIONS must be a folder or a zip file, but nowhere is",
        ),
        (["labs", "grade", "in", "--out", "old.csv"], "--out must be a new name, but old.csv exists"),
        (["labs", "grade", ".", "--out", "new.csv"], "--out must lie outside of SUBMISSIONS, but new.csv is in ."),
        (["labs", "release", "out", "--lab", "F"], "lab must be one of A, B, C, D, E, but it is 'F'"),
        (["labs", "release", "out", "--lab", "first"], "'first' must be the letter of a lab, such as A"),
        (["labs", "pool", "nothing.json"], "there is nothing to pool: every file was rejected"),
    ],
)
def test_a_teachers_slips_are_one_line_and_exit_code_2(argv, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("old.csv").write_text("points by hand", encoding="utf-8")
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]
    assert Path("old.csv").read_text(encoding="utf-8") == "points by hand"
