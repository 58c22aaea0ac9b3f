"""Handing out, collecting and grading, on two small labs: what goes right, and everything that goes wrong."""

import copy
import csv
import io
import json
import os
import stat
import threading
import time
import zipfile

import nbformat
import psutil
import pytest
import small_labs

from mfcourse.classroom import gradebook, grades, handout, sandbox, submissions

LIMITS = sandbox.Limits(cell=5, seconds=60, memory=10**9)
LOOP = "def square(x):\n    while True:\n        pass"
MEMORY = "import time\n\n\ndef square(x):\n    hoard = bytearray(3 * 10**9)\n    time.sleep(3)\n    return x * x"
CRASH = "def square(x):\n    import os\n    os._exit(1)"
SLEEPLESS = (
    "def square(x):\n    while True:\n        try:\n            while True:\n                pass\n"
    "        except BaseException:\n            pass"
)


@pytest.fixture(autouse=True)
def _small_labs(tmp_path, monkeypatch):
    small_labs.write_small_labs(tmp_path / "notebooks")
    monkeypatch.setattr(handout, "notebooks_folder", lambda: tmp_path / "notebooks")


@pytest.fixture
def hand_in(tmp_path):
    """A function (path below the folder of submissions, notebook or text)."""

    def write(name, content):
        path = tmp_path / "handed-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else nbformat.writes(content), encoding="utf-8")
        return tmp_path / "handed-in"

    return write


@pytest.fixture
def unrun(monkeypatch):
    """Nothing is run, and no check says a word: for what happens around that."""
    monkeypatch.setattr(grades, "run_apart", lambda notebook, limits, stop: notebook)


def released(letter="A", **answers):
    """The release of a small lab, with these answers, a1="def square...", written into it."""
    notebook = handout.release(handout.labs()[letter])
    cells = handout.cells_by_id(notebook)
    for name, text in answers.items():
        cells[name.replace("_", "-")].source = text
    return notebook


def solved(*tasks, letter="A"):
    """The release with right answers to some of the tasks 1, 2 and 3-text."""
    return released(letter, **{letter.lower() + task: small_labs.ANSWERS[task] for task in tasks})


def graded(place, **options):
    """{student: Grade}."""
    _, found = grades.grade(place, limits=LIMITS, jobs=2, **options)
    return {grade.student: grade for grade in found}


def test_labs_are_described_by_their_sources():
    lab = handout.labs()["A"]
    assert (lab.title, lab.after, lab.minutes, lab.checked, lab.read) == ("Powers of numbers", "chapter 0", 5, 7, 2)
    with pytest.raises(ValueError, match="lab must be one of A, B, but it is 'C'"):
        handout.chosen(["C"])


def test_labs_that_are_missing_are_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(handout, "notebooks_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match="install mfcourse again"):
        handout.labs()


def test_an_interrupted_class_leaves_nothing_running(hand_in, monkeypatch):
    place = hand_in("sleeper.ipynb", released(a1="import time\ntime.sleep(60)"))
    hand_in("waiter.ipynb", released(a1="import time\ntime.sleep(60)"))

    def interrupted(futures, *_, **__):
        time.sleep(2)
        raise KeyboardInterrupt

    monkeypatch.setattr(grades, "tqdm", interrupted)
    before = psutil.Process().children(recursive=True)
    with pytest.raises(KeyboardInterrupt):
        grades.grade(place, jobs=1)
    assert set(psutil.Process().children(recursive=True)) <= set(before)


def test_a_release_holds_neither_solutions_nor_hidden_tests_and_keeps_what_is_there(tmp_path):
    assert handout.write_releases(tmp_path / "out", ["B"]) == (["lab_b.ipynb"], [])
    text = (tmp_path / "out" / "lab_b.ipynb").read_text(encoding="utf-8")
    for secret in ("SOLUTION", "HIDDEN", "x * x", "x**3", "square, 5", "The cube."):
        assert secret not in text
    cells = handout.cells_by_id(nbformat.reads(text, as_version=4))
    assert cells["b1"].source == "def square(x):\n    raise NotImplementedError"
    assert cells["b1-check"].source == "points = check_square(square)\npoints"
    assert not cells["b1-check"].metadata.editable
    (tmp_path / "out" / "lab_b.ipynb").write_text("my answers", encoding="utf-8")
    assert handout.write_releases(tmp_path / "out") == (["lab_a.ipynb"], ["lab_b.ipynb"])
    assert (tmp_path / "out" / "lab_b.ipynb").read_text(encoding="utf-8") == "my answers"


def test_full_marks_no_marks_and_what_is_between(hand_in):
    hand_in("full.ipynb", solved("1", "2", "3-text"))
    hand_in("half/lab_a.ipynb", solved("2"))
    hand_in("guess.ipynb", released(a1="def square(x):\n    return 9", a2="cube = 8"))
    found = graded(hand_in("blank.ipynb", released()))
    assert {student: grade.total for student, grade in found.items()} == {
        "blank": 0,
        "full": 7,
        "guess": 1,  # right on the instance in sight, and not on the hidden one
        "half": 4,
    }
    assert all(grade.remarks == [] for grade in found.values())
    assert found["full"].points["a3-text"] is None
    assert found["full"].texts["a3-text"] == "It grows faster."
    assert found["blank"].points["a3-text"] == 0
    words = "Task A1: 3 of 3 points\nOn another instance: Task A1: 1 of 3 points\n  Multiply x by itself."
    assert found["guess"].said["a1-check"] == words
    assert "Hand over the function itself" in found["guess"].said["a2-check"]


def test_whatever_is_handed_in_gets_a_line_and_the_others_are_graded(hand_in):
    deleted = solved("1", "2")
    deleted.cells = [cell for cell in deleted.cells if handout.grade_id(cell) not in ("a-imports", "a2", "a2-check")]
    forged = solved("1")
    cells = handout.cells_by_id(forged)
    cells["a2-check"].source = "4"
    cells["a1-check"].metadata.nbgrader.points = 1000
    cells["a3-text"].metadata.nbgrader.grade_id = ["a3-text"]
    forged.cells[4] = nbformat.v4.new_markdown_cell(small_labs.ANSWERS["2"], metadata=cells["a2"].metadata)
    hand_in("crash.ipynb", released(a1=CRASH, a2=small_labs.ANSWERS["2"]))
    hand_in("deleted.ipynb", deleted)
    hand_in("forged.ipynb", forged)
    hand_in("loop.ipynb", released(a1=LOOP, a2=small_labs.ANSWERS["2"]))
    hand_in("memory.ipynb", released(a1=MEMORY))
    hand_in("other.ipynb", released("B"))
    hand_in("prose.ipynb", "I was ill.")
    hand_in("list.ipynb", "[1, 2]")
    hand_in("raises.ipynb", released(a1="square = 1 / 0"))
    hand_in("chapter.ipynb", nbformat.v4.new_notebook())
    hand_in("scan/answers.pdf", "%PDF")
    hand_in("twice/lab_a.ipynb", released())
    hand_in("twice/lab_a (1).ipynb", released())
    found = graded(hand_in("well.ipynb", solved("1", "2")))
    assert {student: grade.remarks for student, grade in found.items()} == {
        "chapter": ["chapter.ipynb comes from no lab of this course, not from lab A"],
        "crash": ["it did not run to its end (nbclient.exceptions.DeadKernelError: Kernel died)"],
        "deleted": ["deleted cells were put back: a-imports, a2, a2-check"],
        "forged": ["deleted cells were put back: a3-text"],
        "list": ["list.ipynb cannot be read as a notebook"],
        "loop": ["A1 took longer than 5 s and was stopped"],
        "memory": ["it needed more than 1 GB of memory and was stopped"],
        "other": ["other.ipynb comes from lab B, not from lab A"],
        "prose": ["prose.ipynb cannot be read as a notebook"],
        "raises": ["A1 raised ZeroDivisionError: division by zero"],
        "scan": ["answers.pdf is no notebook (.ipynb)"],
        "twice": ["handed in lab_a (1).ipynb, lab_a.ipynb: which one counts?"],
        "well": [],
    }
    points = {student: grade.total for student, grade in found.items() if grade.points}
    assert points == {"deleted": 3, "forged": 7, "loop": 4, "raises": 0, "well": 7}
    assert "a2-check" not in found["loop"].said["a1-check"]


def test_notebooks_that_other_programs_have_rewritten_are_graded_too(hand_in):
    notebook = solved("1", "2", "3-text")
    notebook.nbformat_minor = 0
    notebook.metadata.colab = {"provenance": []}
    for cell in notebook.cells:
        del cell["id"]
        cell.metadata.id = "x7Yk"
    found = graded(hand_in("colab.ipynb", json.dumps(notebook)))["colab"]
    assert (found.total, found.remarks) == (7, [])


def test_what_an_honest_student_may_do_costs_no_points(hand_in):
    noise = "import logging, os\nlogging.basicConfig(level=logging.INFO)\n\n\ndef square(x):\n"
    noise += "    logging.info('squared')\n    os.write(2, b'noise')\n    print(In[-1])\n    return x * x"
    notebook = released(a1=noise, a2="%pip install nonsense\ndef half(x):\n    return x * x", a3_text="First.")
    notebook.metadata.kernelspec = {"name": "conda-env-x", "language": "python", "display_name": "x"}
    cells = notebook.cells
    split = copy.deepcopy(cells[4])  # JupyterLab gives both parts of a cell that is split the same mark
    split.source = "def cube(x):\n    return x * half(x)"
    cells.insert(5, split)
    cells.append(copy.deepcopy(cells[-1]))
    split.id, cells[-1].id = "split", "copied"
    cells[-1].source = "Second."
    cells.append(nbformat.v4.new_markdown_cell("Third, below."))
    hand_in("honest.ipynb", "\ufeff" + nbformat.writes(notebook))
    blank = released(a3_text=" ")
    found = graded(hand_in("blank.ipynb", blank))
    assert found["honest"].total == 7, found["honest"]
    assert found["honest"].said["a1-check"] == "Task A1: 3 of 3 points"  # no word of the hidden tests that In shows
    assert found["honest"].texts["a3-text"] == "First.\n\nSecond.\n\nThird, below."
    assert (found["blank"].points["a3-text"], found["blank"].to_read) == (0, 0)


def test_a_notebook_cannot_write_its_own_result_nor_leave_anything_running(hand_in):
    code = "import os, subprocess, sys, time\nfrom pathlib import Path\n"
    code += "Path('executed.ipynb').write_text('{}')\n"
    code += "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
    code += "time.sleep(1)\nprint(child.pid)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    pid = int(sandbox.run_apart(notebook, LIMITS).cells[0].outputs[0].text)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    notebook.cells[0].source = code + "\nos._exit(1)"
    with pytest.raises(sandbox.Stopped, match=r"did not run to its end .*Kernel died"):
        sandbox.run_apart(notebook, LIMITS)


@pytest.mark.usefixtures("unrun")
def test_names_that_a_file_system_takes_for_the_same_are_told_apart(hand_in, tmp_path):
    for name in ("a:x.ipynb", "a?x.ipynb", f"{'long' * 50}.ipynb", os.fsdecode(b"J\xf6rg.ipynb")):
        place = hand_in(name, released())
    lab, found = grades.grade(place, limits=LIMITS)
    table, _, folder = gradebook.write(tmp_path / "g.csv", lab, found)
    assert len(list(folder.iterdir())) == len(found) == 4
    assert len(table.read_text(encoding="utf-8").splitlines()) == 5
    written, kept, _ = submissions.collect(place, tmp_path / "sorted")
    assert (len(written), kept) == (4, [])


def test_a_notebook_that_cannot_be_interrupted_is_stopped_as_a_whole(hand_in):
    place = hand_in("sleepless.ipynb", released(a1=SLEEPLESS))
    _, (grade,) = grades.grade(place, limits=sandbox.Limits(cell=2, seconds=8))
    assert grade.remarks == ["it took longer than 8 s in all and was stopped"]
    assert grade.points == {}


@pytest.mark.parametrize(
    ("mishaps", "runs"), [([sandbox.UNBORN] * 2, True), ([sandbox.UNBORN] * 3, False), (["ill"], False)]
)
def test_a_kernel_that_was_never_there_is_started_again_and_nothing_else_is(monkeypatch, mishaps, runs):
    """Kernels that start at the same moment may take the same port; no code of the notebook has run then."""
    left = list(mishaps)

    def once(notebook, limits, stop):
        if left:
            raise sandbox.Stopped(f"it did not run to its end (RuntimeError: {left.pop()})")
        return notebook

    monkeypatch.setattr(sandbox, "_run_once", once)
    if runs:
        assert sandbox.run_apart("a notebook", LIMITS) == "a notebook"
    else:
        with pytest.raises(sandbox.Stopped, match=mishaps[0]):
            sandbox.run_apart("a notebook", LIMITS)
        assert not left


def test_an_interrupted_notebook_ends_at_once():
    stop = threading.Event()
    threading.Timer(2, stop.set).start()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import time\ntime.sleep(60)")])
    with pytest.raises(sandbox.Stopped, match="it was interrupted"):
        sandbox.run_apart(notebook, LIMITS, stop)


def test_what_is_run_sees_a_folder_of_its_own_and_nothing_of_the_teachers(hand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.chdir(tmp_path)
    spy = "import os\nfrom pathlib import Path\n\nprint(os.getcwd(), Path.home(), os.environ.get('TOKEN'))"
    spy += "\nprint(sorted(os.listdir()))\nPath('litter.txt').write_text('x')\nPath.home().joinpath('more').touch()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(spy)])
    executed = sandbox.run_apart(notebook, LIMITS)
    folder, home, token, *files = executed.cells[0].outputs[0].text.split()
    assert (folder == home, token) == (True, "None")
    assert not os.path.exists(folder)
    assert not {"notebooks", "handed-in"} & {name.strip("[',]") for name in files}
    assert sorted(os.listdir(tmp_path)) == ["notebooks"]


@pytest.mark.usefixtures("unrun")
def test_of_two_labs_the_one_that_most_hand_in_is_graded_or_the_one_that_is_named(hand_in):
    hand_in("a.ipynb", solved("1"))
    place = hand_in("b.ipynb", solved("2", letter="B"))
    with pytest.raises(ValueError, match="as many are of A and B; --lab names the one to grade"):
        graded(place)
    for found, other, right in (
        (graded(place, letter="B"), "a", "B"),
        (graded(hand_in("c.ipynb", released())), "b", "A"),
    ):
        assert found[other].remarks == [f"{other}.ipynb comes from lab {other.upper()}, not from lab {right}"]
        assert {student for student, grade in found.items() if grade.points} == set(found) - {other}


def test_the_table_the_page_of_texts_and_the_feedback(hand_in, tmp_path):
    hand_in("=HYPERLINK().ipynb", solved("2"))
    lab, found = grades.grade(hand_in("anna.ipynb", solved("1", "3-text")), limits=LIMITS)
    table, page, folder = gradebook.write(tmp_path / "new" / "grades.csv", lab, found)
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [row["student"] for row in rows] == ["'=HYPERLINK()", "anna"]
    assert rows[1] == {
        "student": "anna",
        "lab": "A",
        "points": "3",
        "out_of": "7",
        "texts_to_read": "1",
        "remark": "",
        "A1": "3",
        "A2": "0",
        "A3 (text)": "",
    }
    assert "Which grows faster" in page.read_text(encoding="utf-8")
    assert "> The cube." in page.read_text(encoding="utf-8")
    assert "**anna**\n\n> It grows faster." in page.read_text(encoding="utf-8")
    told = (folder / "anna.md").read_text(encoding="utf-8")
    assert "anna: 3 of 7 points by checks, and up to 2 for texts: 1 to read." in told
    assert "## A2: 0 of 4 points\n\n    Task A2: not solved yet" in told
    assert "> It grows faster." in told
    for secret in ("The cube.", "check_square(square, 5)", "Traceback", "HIDDEN"):
        assert secret not in told
    with pytest.raises(ValueError, match="--out must be the name of a new file"):
        gradebook.places("")
    with pytest.raises(ValueError, match=r"--out must be a new name, but .*grades\.csv exists"):
        gradebook.places(table)


def test_students_are_found_in_files_folders_moodle_exports_and_zip_files(hand_in, tmp_path):
    hand_in("lab_a_anna.ipynb", "1")
    hand_in("bert/lab_a.ipynb", "2")
    hand_in("bert/team-red.json", "{}")
    hand_in("cora/lab_a/lab_a.ipynb", "3")
    hand_in("cora/.ipynb_checkpoints/lab_a-checkpoint.ipynb", "old")
    hand_in("Dora Öz_17_assignsubmission_file_/lab_a.ipynb", "4")
    place = hand_in("emil/notes.txt", "5")
    (place / "fritz").mkdir()
    with zipfile.ZipFile(place / "gina.zip", "w") as archive:
        archive.writestr("work/lab_a.ipynb", "6")
        archive.writestr("__MACOSX/work/._lab_a.ipynb", "x")
    (place / "hans.zip").write_bytes(b"PK damaged")
    wanted = [
        ("anna", "lab_a_anna.ipynb", b"1", ""),
        ("bert", "lab_a.ipynb", b"2", ""),
        ("cora", "lab_a.ipynb", b"3", ""),
        ("Dora Öz_17", "lab_a.ipynb", b"4", ""),
        ("emil", "notes.txt", b"", "notes.txt is no notebook (.ipynb)"),
        ("fritz", "fritz", b"", "handed in nothing that can be graded"),
        ("gina", "lab_a.ipynb", b"6", ""),
        ("hans", "hans.zip", b"", "hans.zip cannot be read"),
    ]
    assert [tuple(one) for one in submissions.find(place)] == wanted
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for path in sorted(place.rglob("*")):
            archive.write(path, path.relative_to(place))
    assert [tuple(one) for one in submissions.find(tmp_path / "class.zip")] == wanted
    with zipfile.ZipFile(tmp_path / "folder.zip", "w") as archive:
        for path in sorted(place.rglob("*")):
            archive.write(path, path.relative_to(tmp_path))
    assert [tuple(one) for one in submissions.find(tmp_path / "folder.zip")] == wanted


def test_nobody_is_lost_whatever_they_hand_in(hand_in, tmp_path, link):
    hand_in("dots/.DS_Store", "")
    place = hand_in("well.ipynb", "1")
    (place / "hollow" / "work").mkdir(parents=True)
    zipfile.ZipFile(place / "void.zip", "w").close()
    link(place / "link.ipynb", "nowhere")
    with zipfile.ZipFile(place / "rotten.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lab_a.ipynb", os.urandom(1000).hex())
    data = bytearray((place / "rotten.zip").read_bytes())
    data[60:200] = bytes(140)
    (place / "rotten.zip").write_bytes(data)
    inner = io.BytesIO()
    for _ in range(4):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("nested.zip", inner.getvalue())
        inner = outer
    (place / "nested.zip").write_bytes(inner.getvalue())
    nothing = "handed in nothing that can be graded"
    assert [(one.student, one.complaint) for one in submissions.find(place)] == [
        ("dots", nothing),
        ("hollow", nothing),
        ("link", "link.ipynb cannot be read"),
        ("nested", "nested.zip is no notebook (.ipynb)"),
        ("rotten", "lab_a.ipynb cannot be read"),
        ("void", nothing),
        ("well", ""),
    ]


def test_a_damaged_zip_file_of_a_class_is_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("anna.ipynb", "{}")
    data = (tmp_path / "class.zip").read_bytes()
    (tmp_path / "class.zip").write_bytes(data.replace(b"PK\x01\x02", b"....", 1))
    with pytest.raises(ValueError, match=r"must be a whole zip file, but .*class\.zip is damaged"):
        submissions.find(tmp_path / "class.zip")


@pytest.mark.usefixtures("unrun")
def test_a_damaged_notebook_is_not_passed_over_for_an_older_one(hand_in):
    hand_in("anna/lab_a.ipynb", "{")
    (grade,) = graded(hand_in("anna/old.ipynb", solved("3-text"))).values()
    assert (grade.texts["a3-text"], grade.remarks) == ("It grows faster.", ["lab_a.ipynb cannot be read as a notebook"])


def test_a_file_that_would_fill_the_memory_is_refused_unread(hand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 10**6)
    place = hand_in("big.ipynb", " " * 10**6 + " ")
    with zipfile.ZipFile(place / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lab_a.ipynb", b"0" * 5 * 10**6)
    (place / "many").mkdir()
    for k in range(3):
        (place / "many" / f"{k}.ipynb").write_text(" " * 900_000, encoding="utf-8")
    monkeypatch.setattr(submissions, "ROOM", 2 * 10**6)
    assert [one.complaint for one in submissions.find(place)] == [
        "big.ipynb is larger than 1 MB",
        "lab_a.ipynb is larger than 1 MB",
        "",
        "",
        "handed in more than 2 MB",
    ]


def test_collect_sorts_into_folders_and_never_overwrites_or_leaves_the_folder(hand_in, tmp_path):
    place = hand_in("anna.ipynb", "1")
    hand_in("bert/notes.txt", "no")
    with zipfile.ZipFile(place / "eve.zip", "w") as archive:
        archive.writestr("../../../escaped.ipynb", "2")
    written, kept, refused = submissions.collect(place, tmp_path / "sorted")
    assert [path.relative_to(tmp_path / "sorted").parts for path in written] == [
        ("anna", "anna.ipynb"),
        ("eve", "escaped.ipynb"),
    ]
    assert (kept, [one.student for one in refused]) == ([], ["bert"])
    written[0].write_text("mine", encoding="utf-8")
    assert submissions.collect(place, tmp_path / "sorted")[:2] == ([], written)
    assert written[0].read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("place", "words"), [("nowhere", "must be a folder or a zip file"), (".", "nothing in")])
def test_nothing_to_grade_is_an_error(place, words, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=words):
        submissions.find(tmp_path / "empty" / place)


def test_a_folder_without_any_lab_is_an_error(hand_in):
    with pytest.raises(ValueError, match="none of the files in it can be read as one"):
        graded(hand_in("scan.pdf", "x"))


def test_what_was_handed_in_is_not_changed(hand_in, tmp_path):
    place = hand_in("anna.ipynb", solved("1"))
    before = (place / "anna.ipynb").read_bytes()
    os.chmod(place / "anna.ipynb", stat.S_IRUSR)
    graded(place)
    assert (place / "anna.ipynb").read_bytes() == before
    assert [path.name for path in place.iterdir()] == ["anna.ipynb"]
