"""Grade a class: restore every notebook, run it apart, and pay it by its checks; a mishap is a remark.

nbgrader decides what a cell is worth: the number that a check returned, nothing if it failed. Texts that somebody wrote
have no points yet: a person reads them.
"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

from joblib import cpu_count
from tqdm.auto import tqdm

from mfcourse.classroom import handout
from mfcourse.classroom.intake import sort_out
from mfcourse.classroom.sandbox import Limits, Stopped, run_apart

LONGEST = 2000  # characters kept of what a check said
TIMEOUT = "CellTimeoutError"  # nbgrader's name for it


class Grade(NamedTuple):
    """What a student gets: points by cell (None: a text to be read), what checks said, texts written, and remarks.

    `points` is empty if nothing could be graded; then a remark says why.
    """

    student: str
    points: dict
    said: dict
    texts: dict
    remarks: list

    @property
    def total(self):
        """The points of all checks."""
        return sum(points or 0 for points in self.points.values())

    @property
    def to_read(self):
        """How many texts wait for a reader."""
        return sum(points is None for points in self.points.values())


def grade(place, letter=None, limits=None, jobs=None, progress=False):
    """(lab, grades): one Grade for each student who handed in something at `place`, sorted by name.

    letter: the lab, by default the one that most notebooks come from. limits: seconds and memory for each notebook.
    jobs: notebooks at a time, by default one for each core. Raises ValueError if there is nothing to grade.
    """
    lab, entries = sort_out(place, letter)
    official, stop = handout.official(lab), threading.Event()
    with ThreadPoolExecutor(jobs or cpu_count()) as pool:  # threads that wait for processes
        futures = [pool.submit(_grade_one, entry, official, limits or Limits(), stop) for entry in entries]
        try:
            bar = tqdm(as_completed(futures), f"lab {lab.letter}", len(futures), unit="student", disable=not progress)
            grades = [future.result() for future in bar]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return lab, sorted(grades, key=lambda grade: grade.student.lower())


def task_name(cell):
    """The name of a cell's task as people write it: a2-check is A2, a8-text is A8 (text)."""
    name, _, kind = cell.partition("-")
    return name.upper() + (" (text)" if kind == "text" else "")


def _grade_one(entry, official, limits, stop):
    student, notebook, remarks = entry
    if notebook is None:
        return Grade(student, {}, {}, {}, remarks)
    try:
        missing = handout.restore(notebook, official)
        remarks = remarks + ([f"deleted cells were put back: {', '.join(missing)}"] if missing else [])
        executed = run_apart(notebook, limits, stop)
        return _paid(student, executed, official, remarks, limits)
    except Stopped as stopped:
        return Grade(student, {}, {}, {}, [*remarks, str(stopped)])
    except Exception as error:  # whatever is wrong with the notebook of one student, the others are graded
        why = f"it cannot be graded: {type(error).__name__}: {_line(str(error))}"
        return Grade(student, {}, {}, {}, [*remarks, why])


def _paid(student, executed, official, remarks, limits):
    """The Grade of a notebook that has been run."""
    from nbgrader.utils import determine_grade, is_solution

    points, said, texts = {}, {}, {}
    cells = handout.cells_by_id(executed)
    for name in handout.cells_by_id(official):
        cell = cells[name]
        if not cell.metadata.nbgrader.grade:
            continue
        if is_solution(cell):
            points[name], _ = determine_grade(cell)
            texts[name] = cell.source if points[name] is None else ""
        else:
            said[name] = _words(cell)
            # nbgrader takes any word on stderr for a failure, and a cell that returned nothing for a success
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            returned = any(output.output_type == "execute_result" for output in cell.outputs)
            points[name] = determine_grade(cell)[0] if returned else 0
    return Grade(student, points, said, texts, remarks + _mishaps(executed, limits))


def _words(cell):
    """What a check said, and how it failed if it did; nothing that could show hidden tests, such as a traceback."""
    printed = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
    said, ours = [], False
    for line in "".join(printed).splitlines():
        if line.startswith("Task "):
            said.append(line)
            ours = True
        elif ours and line.startswith("  "):
            said[-1] += f"\n{line}"
        else:
            ours = False  # printed by the answer
    said = list(dict.fromkeys(said))
    said[1:] = [f"On another instance: {words}" for words in said[1:]]  # hidden tests
    late = "It took too long and was stopped."
    said += [late if error.ename == TIMEOUT else f"{error.ename}: {_line(error.evalue)}" for error in _errors(cell)]
    return "\n".join(said)[:LONGEST]


def _mishaps(executed, limits):
    """A remark for each task that took too long, and one for the first that failed in another way.

    Other cells may fail: given ones do where they need an answer that is not there.
    """
    late, failed = {}, {}
    for name, cell in handout.cells_by_id(executed).items():
        for error in _errors(cell) if re.match(r"[a-z]\d+", name) else ():
            task = task_name(name)
            if error.ename == TIMEOUT:
                late.setdefault(task, f"{task} took longer than {limits.cell} s and was stopped")
            elif error.ename != "NotImplementedError" and task not in late:
                failed.setdefault(task, f"{task} raised {error.ename}: {_line(error.evalue)}")
    return [*late.values(), *list(failed.values())[:1]]


def _errors(cell):
    """The errors of a cell; where it was stopped, that alone, and not how it took it."""
    errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
    return [error for error in errors if error.ename == TIMEOUT] or errors


def _line(text):
    """The first line of a text, not too long."""
    first = (text.strip().splitlines() or [""])[0]
    return re.sub(r"\(\d+\.py, (line \d+)\)", r"(\1)", first)[:120]  # of a cell the file's name is a mere number
