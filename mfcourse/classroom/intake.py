"""From files to notebooks: which notebook of a student is graded, for which lab, and why others are not."""

import collections
import contextlib
import logging
import warnings
from typing import NamedTuple

from mfcourse.classroom import handout
from mfcourse.classroom.submissions import find


class Entry(NamedTuple):
    """A student, the notebook that is graded, and remarks; without a notebook the remarks say why."""

    student: str
    notebook: object
    remarks: list


def sort_out(place, letter=None):
    """(lab, entries): what was handed in at `place`, one Entry for each student.

    letter: the lab, by default the one that most notebooks come from. Raises ValueError if there is no such lab, or
    nothing of it.
    """
    with _quiet():
        read = [(submission, *_read(submission)) for submission in find(place)]
    origin = _origins()
    letters = [origin(notebook) if notebook else None for _, notebook, _ in read]
    lab = handout.chosen([letter or _most(letters)])[0]
    files = collections.defaultdict(list)
    for (submission, notebook, complaint), found in zip(read, letters, strict=True):
        files[submission.student].append((submission.name, notebook, found, complaint))
    return lab, [_entry(student, handed_in, lab) for student, handed_in in files.items()]


def _entry(student, files, lab):
    """The Entry of a student who handed in files: (name, notebook, letter of the lab it comes from, complaint)."""
    complaints = [complaint for *_, complaint in files if complaint]
    right = [(name, notebook) for name, notebook, letter, _ in files if letter == lab.letter]
    if len(right) == 1:
        return Entry(student, right[0][1], complaints)
    if right:
        return Entry(student, None, [f"handed in {', '.join(name for name, _ in right)}: which one counts?"])
    for name, notebook, letter, _ in files:
        if notebook:
            comes = f"comes from lab {letter}" if letter else "comes from no lab of this course"
            complaints.append(f"{name} {comes}, not from lab {lab.letter}")
    return Entry(student, None, complaints)


def _read(submission):
    """(notebook, complaint): one of them is empty. Of a notebook its cells count, and neither outputs nor settings."""
    import nbformat
    from nbformat import v4

    if submission.complaint:
        return None, submission.complaint
    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}
    try:
        found = nbformat.reads(submission.content.decode("utf-8-sig"), as_version=4)
        cells = [make[cell.cell_type](cell.source, metadata=cell.get("metadata", {})) for cell in found.cells]
        notebook = v4.new_notebook(cells=cells)
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
    known = {letter: set(handout.cells_by_id(handout.source(lab))) for letter, lab in handout.labs().items()}

    def origin(notebook):
        ids = set(handout.cells_by_id(notebook))
        shared = {letter: len(ids & cells) for letter, cells in known.items()}
        letter = max(shared, key=shared.get)
        return letter if shared[letter] else None

    return origin


def _most(letters):
    counts = collections.Counter(filter(None, letters)).most_common(2)
    if not counts:
        raise ValueError("SUBMISSIONS must hold notebooks of a lab, but none of the files in it can be read as one")
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        tie = " and ".join(letter for letter, _ in counts)
        raise ValueError(f"SUBMISSIONS must be of one lab, but as many are of {tie}; --lab names the one to grade")
    return counts[0][0]
