"""The labs of the course, and the copies of them that a class gets: thin layers over nbgrader's preprocessors.

Each lab has one source, notebooks/labs/lab_x.ipynb, with solutions, hidden tests and model answers. Two notebooks
come from it: the release, which students get, and the official one, which grading goes by.
"""

import copy
import json
import uuid
from pathlib import Path
from typing import NamedTuple

from mfcourse.files import notebooks_folder, writable_folder, write_whole

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
    paths = sorted((notebooks_folder() / "labs").glob("lab_?.ipynb"))
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

    Returns the ids of the cells that were missing. Where a cell was split or copied, the last part of an answer in code
    is marked, and the others run before it as they are; all parts of a text count, and what was written below it too.
    """
    notebook.metadata = copy.deepcopy(official_notebook.metadata)  # the kernel may have another name with a student
    given = {cell.source for cell in official_notebook.cells}
    missing, place = [], 0
    for name, cell in cells_by_id(official_notebook).items():
        parts = [k for k, theirs in enumerate(notebook.cells) if grade_id(theirs) == name]
        place = parts[-1] if parts else place
        restored = copy.deepcopy(cell)
        restored.id = notebook.cells[place].id if parts else uuid.uuid4().hex  # theirs may have taken the cell's own
        if not parts:
            missing.append(name)
        elif cell.cell_type == "markdown":
            written = [notebook.cells[k].source for k in parts] + list(_below(notebook.cells[place + 1 :], given))
            restored.source = "\n\n".join(text for text in written if text.strip() not in ("", NO_ANSWER)) or NO_ANSWER
        elif not cell.metadata.nbgrader.locked:
            restored.source = notebook.cells[place].source
        for k in parts:
            notebook.cells[k].metadata.nbgrader = {}
        notebook.cells[place : place + bool(parts)] = [restored]
        place += 1
    for cell in notebook.cells:
        if grade_id(cell) not in cells_by_id(official_notebook):
            cell.metadata.pop("nbgrader", None)
    return missing


def _below(cells, given):
    """Texts that somebody wrote into new cells right below their place."""
    for cell in cells:
        if cell.cell_type != "markdown" or grade_id(cell) or cell.source in given:
            return
        yield cell.source


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
    paid = [mark for mark in marks if mark["grade"]]
    checked = sum(mark["points"] for mark in paid if not mark["solution"])
    read = sum(mark["points"] for mark in paid if mark["solution"])
    return Lab(about["lab"], title, path, about["after"], about["minutes"], checked, read)
