"""Grade a class: read every notebook, restore it, run it apart, and pay it by its checks; a mishap is a remark.

nbgrader decides what a cell is worth: the number that a check returned, nothing if it failed. Texts that somebody wrote
have no points yet: a person reads them.
"""

import collections
import contextlib
import logging
import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

from joblib import cpu_count
from tqdm.auto import tqdm

from mfcourse import classroom
from mfcourse.sandbox import Limits, Stopped, run_apart
from mfcourse.submissions import find

LONGEST = 2000  # characters kept of what a check printed
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


def grade(place, letter=None, limits=None, jobs=None, progress=False):
    """(lab, grades): one Grade for each student who handed in something at `place`, sorted by name.

    letter: the lab, by default the one that most notebooks come from. limits: seconds and memory for each notebook.
    jobs: notebooks at a time, by default one for each core. Raises ValueError if there is nothing to grade.
    """
    limits = limits or Limits()
    with _quiet():
        found = [(submission, *_read(submission)) for submission in find(place)]
    origin = _origins()
    origins = [origin(notebook) if notebook else None for _, notebook, _ in found]
    lab = classroom.chosen([letter or _most(origins)])[0]
    official = classroom.official(lab)
    handed_in = collections.defaultdict(list)
    for (submission, notebook, complaint), letter_of in zip(found, origins, strict=True):
        if not complaint and letter_of != lab.letter:
            comes = f"comes from lab {letter_of}" if letter_of else "comes from no lab of this course"
            complaint = f"{submission.name} {comes}, not from lab {lab.letter}"
        handed_in[submission.student].append((submission.name, notebook, complaint))
    stop = threading.Event()
    with ThreadPoolExecutor(jobs or cpu_count()) as pool:  # threads that wait for processes
        try:
            futures = [pool.submit(_grade_one, *handed, official, limits, stop) for handed in handed_in.items()]
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


def _read(submission):
    """(notebook, complaint): one of them is empty."""
    import nbformat

    if submission.complaint:
        return None, submission.complaint
    try:
        notebook = nbformat.reads(submission.content.decode(), as_version=4)
        notebook.nbformat_minor = 5  # other programs, Colab for one, write older ones, whose cells have no ids
        _, notebook = nbformat.validator.normalize(notebook)
        nbformat.validate(notebook)
        return notebook, ""
    except Exception:  # whatever is wrong with the file of one student, the others are graded
        return None, f"{submission.name} cannot be read as a notebook"


@contextlib.contextmanager
def _quiet():
    """Keep nbformat from telling the whole world about a damaged file, or about ids that older programs leave out."""
    log = logging.getLogger("traitlets")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _origins():
    """A function: notebook -> the letter of the lab that it shares most cells with, None if it shares none."""
    known = {letter: set(classroom.cells_by_id(classroom.source(lab))) for letter, lab in classroom.labs().items()}

    def origin(notebook):
        ids = set(filter(None, (classroom.grade_id(cell) for cell in notebook.cells)))
        shared = {letter: len(ids & cells) for letter, cells in known.items()}
        letter = max(shared, key=shared.get)
        return letter if shared[letter] else None

    return origin


def _most(origins):
    counts = collections.Counter(filter(None, origins)).most_common(2)
    if not counts:
        raise ValueError("SUBMISSIONS must hold notebooks of a lab, but none of the files is one; --lab names the lab")
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        tie = " and ".join(letter for letter, _ in counts)
        raise ValueError(f"SUBMISSIONS must be of one lab, but as many are of {tie}; --lab names the one to grade")
    return counts[0][0]


def _grade_one(student, files, official, limits, stop):
    """The Grade of a student who handed in these files (name, notebook, complaint)."""
    right = [(name, notebook) for name, notebook, complaint in files if not complaint]
    if len(right) > 1:
        return _refused(student, f"handed in {', '.join(name for name, _ in right)}: which one counts?")
    if not right:
        return _refused(student, files[0][2])
    notebook, remarks = right[0][1], []
    try:
        missing = classroom.restore(notebook, official)
        if missing:
            remarks.append(f"deleted cells were put back: {', '.join(missing)}")
        executed = run_apart(notebook, limits, stop)
        return _paid(student, executed, official, remarks, limits)
    except Stopped as stopped:
        return _refused(student, *remarks, str(stopped))
    except Exception as error:  # whatever is wrong with the notebook of one student, the others are graded
        return _refused(student, *remarks, f"it cannot be graded: {type(error).__name__}: {_line(str(error))}")


def _paid(student, executed, official, remarks, limits):
    from nbgrader.utils import determine_grade, is_solution

    points, said, texts = {}, {}, {}
    cells = classroom.cells_by_id(executed)
    for name in classroom.cells_by_id(official):
        cell = cells[name]
        if not cell.metadata.nbgrader.grade:
            continue
        points[name], _ = determine_grade(cell)
        if is_solution(cell):
            texts[name] = cell.source if points[name] is None else ""
        else:
            if not any(output.output_type == "execute_result" for output in cell.outputs):
                points[name] = 0  # a check that returned nothing has not come to its end
            said[name] = _words(cell)
    return Grade(student, points, said, texts, remarks + _mishaps(executed, limits))


def _words(cell):
    """What a check printed, and how it failed if it did; no traceback, which would show hidden tests."""
    words = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
    words += [
        "It took too long and was stopped." if error.ename == TIMEOUT else f"{error.ename}: {_line(error.evalue)}"
        for error in _errors(cell)
    ]
    before, *said = re.split(r"^(?=Task )", "".join(words)[:LONGEST].strip() + "\n", flags=re.MULTILINE)
    return before + "On another instance:\n".join(dict.fromkeys(said))  # hidden tests speak where they differ


def _mishaps(executed, limits):
    """A remark for each cell that took too long, and one for the first that failed in another way."""
    late, failed = [], []
    for number, cell in enumerate(executed.cells, 1):
        where = task_name(classroom.grade_id(cell)) if classroom.grade_id(cell) else f"cell {number}"
        for error in _errors(cell):
            if error.ename == TIMEOUT:
                late.append(f"{where} took longer than {limits.cell} s and was stopped")
            elif error.ename != "NotImplementedError":
                failed.append(f"{where} raised {error.ename}: {_line(error.evalue)}")
    return late + failed[:1]


def _errors(cell):
    """The errors of a cell; where it was stopped, that alone, and not how it took it."""
    errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
    return [error for error in errors if error.ename == TIMEOUT] or errors


def _line(text):
    """The first line of a text, not too long."""
    return f"{(text.strip().splitlines() or [''])[0]:.120}"


def _refused(student, *remarks):
    return Grade(student, {}, {}, {}, list(remarks))
