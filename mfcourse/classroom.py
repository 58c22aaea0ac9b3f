"""The labs of the course, and the copies of them that a class gets: thin layers over nbgrader's preprocessors.

Each lab has one source, notebooks/labs/lab_x.ipynb, with solutions, hidden tests and model answers. Two notebooks
come from it: the release, which students get, and the official one, which grading goes by.
"""

import copy
import json
import uuid
from pathlib import Path
from typing import NamedTuple

from mfcourse import lab as notebooks
from mfcourse.files import writable_folder, write_whole

STUB = "raise NotImplementedError"
NO_ANSWER = "*Your answer here.*"


class Lab(NamedTuple):
    """A lab: letter, title and source, what it follows, how many minutes, and points by checks and by reading."""

    letter: str
    title: str
    path: Path
    after: str
    minutes: int
    checked: int
    read: int


def labs():
    """{letter: Lab} of all labs, in order. Needs no nbgrader."""
    paths = sorted((notebooks.notebooks_folder() / "labs").glob("lab_?.ipynb"))
    if not paths:
        raise FileNotFoundError("the labs are missing from this installation; install mfcourse again")
    found = [_described(path) for path in paths]
    return {lab.letter: lab for lab in found}


def chosen(letters=None):
    """The labs with these letters, all if there are none. Raises ValueError for a letter without a lab."""
    all_labs = labs()
    for letter in letters or ():
        if letter not in all_labs:
            raise ValueError(f"lab must be one of {', '.join(all_labs)}, but it is {letter!r:.20}")
    return [all_labs[letter] for letter in letters or all_labs]


def source(lab):
    """The notebook of the teacher: solutions, hidden tests, model answers."""
    import nbformat

    return nbformat.read(lab.path, as_version=4)


def official(lab):
    """What grading goes by: no solutions, hidden tests in place, checksums that tell whether a text was written."""
    from nbgrader import preprocessors as steps

    solutions = steps.ClearSolutions(code_stub={"python": STUB}, text_stub=NO_ANSWER)
    return _through(source(lab), steps.LockCells(), solutions, steps.ClearOutput(), steps.ComputeChecksums())


def release(lab):
    """What students get: neither solutions nor hidden tests, and locks on the cells that grading relies on."""
    from nbgrader import preprocessors as steps

    cleared = _through(official(lab), steps.ClearHiddenTests(), steps.ComputeChecksums(), steps.CheckCellMetadata())
    cleared.metadata.mfcourse.release = True
    return cleared


def write_releases(folder, letters=None):
    """Write the releases into `folder`; files that are there already are kept. Returns (written, kept): their names."""
    import nbformat

    folder = writable_folder("OUT", folder)
    written, kept = [], []
    for lab in chosen(letters):
        target = folder / lab.path.name
        if target.exists():
            kept.append(target.name)
            continue
        text = nbformat.writes(release(lab))
        write_whole(target, lambda file, text=text: file.write(text.encode()))
        written.append(target.name)
    return written, kept


def cells_by_id(notebook):
    """{grade id: cell} of the cells that nbgrader knows, in their order."""
    return {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}


def grade_id(cell):
    """The name by which nbgrader knows a cell, None if it does not."""
    mark = cell.metadata.get("nbgrader")
    name = mark.get("grade_id") if isinstance(mark, dict) else None
    return name if isinstance(name, str) else None  # students can write anything there


def restore(notebook, official_notebook):
    """Put back, in place, what students may not change: the cells of the lab, but for the sources of their answers.

    Returns the ids of the cells that were missing. Of a cell that was copied the last copy counts.
    """
    from nbgrader.preprocessors import DeduplicateIds

    cells = cells_by_id(official_notebook)
    for cell in notebook.cells:
        known = cells.get(grade_id(cell))
        cell.metadata.nbgrader = copy.deepcopy(known.metadata.nbgrader) if known else {}
    _through(notebook, DeduplicateIds())
    missing, place = [], 0
    for name, cell in cells.items():
        found = [k for k, theirs in enumerate(notebook.cells) if grade_id(theirs) == name]
        place = found[0] if found else place
        restored = copy.deepcopy(cell)
        restored.id = notebook.cells[place].id if found else uuid.uuid4().hex  # theirs may have taken the cell's own
        if not found:
            missing.append(name)
        elif not cell.metadata.nbgrader.locked:
            restored.source = notebook.cells[place].source
        notebook.cells[place : place + len(found)] = [restored]
        place += 1
    return missing


def _through(notebook, *steps):
    resources = {}
    for step in steps:
        notebook, resources = step.preprocess(notebook, resources)
    return notebook


def _described(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    about = notebook["metadata"]["mfcourse"]
    title = "".join(notebook["cells"][0]["source"]).splitlines()[0].removeprefix(f"# Lab {about['lab']}. ")
    marks = [cell["metadata"]["nbgrader"] for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    points = {by_hand: sum(m["points"] for m in marks if m["grade"] and m["solution"] == by_hand) for by_hand in (0, 1)}
    return Lab(about["lab"], title, path, about["after"], about["minutes"], points[0], points[1])
