"""What a teacher keeps after grading: a table for a spreadsheet, a page to read texts on, feedback for each student."""

import csv
import io
import os
from pathlib import Path

from mfcourse.classroom import handout
from mfcourse.classroom.grades import task_name
from mfcourse.classroom.submissions import Names, safe
from mfcourse.files import writable_folder, write_whole


def places(out):
    """The table, page and folder that go with the file name `out`: GRADES.csv, GRADES-texts.md, GRADES-feedback.

    Raises ValueError if one of them is there already, since points by hand may stand in it, or cannot be written.
    """
    out = Path(out)
    if not out.name:
        raise ValueError("--out must be the name of a new file, such as grades.csv")
    wanted = out, out.with_name(f"{out.stem}-texts.md"), out.with_name(f"{out.stem}-feedback")
    for path in wanted:
        if os.path.lexists(path):
            raise ValueError(f"--out must be a new name, but {path} exists, and you may have written in it")
    writable_folder("--out", out.parent)
    return wanted


def write(out, lab, grades):
    """Write the table, the page of texts and the feedback of these grades of a lab. Returns the three paths."""
    table, page, folder = places(out)
    official, names = handout.official(lab), Names()
    _write_text(table, sheet(lab, official, grades))
    _write_text(page, texts(lab, handout.source(lab), grades))
    writable_folder("--out", folder)
    for grade in grades:
        _write_text(folder / names.new(safe(grade.student), ".md"), feedback(lab, official, grade))
    return table, page, folder


def sheet(lab, official, grades):
    """The table as CSV: a row for each student, a column for each task; points of texts are left to be filled in."""
    names = _graded(official)
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["student", "lab", "points", "out_of", "texts_to_read", "remark", *map(task_name, names)])
    for grade in grades:
        paid = [_number(grade.points.get(name)) for name in names]
        total = _number(grade.total) if grade.points else ""
        remark = "; ".join(grade.remarks)
        rows.writerow([_plain(grade.student), lab.letter, total, lab.checked, grade.to_read, _plain(remark), *paid])
    return file.getvalue()


def feedback(lab, official, grade):
    """What a student is told: points by task and the words of the checks; neither tests nor solutions."""
    parts = [f"# Lab {lab.letter}. {lab.title}", f"{grade.student}: {summary(lab, grade)}."]
    parts += [f"Remark: {remark}." for remark in grade.remarks]
    parts += ["A check may try an answer on more than one instance; the least counts."] if grade.points else []
    for name, cell in _graded(official).items():
        if name not in grade.points:
            continue
        worth, points = cell.metadata.nbgrader.points, grade.points[name]
        earned = "to be read" if points is None else f"{points:g} of"
        parts.append(f"## {task_name(name)}: {earned}{', at most' if points is None else ''} {worth:g} points")
        if name in grade.texts:
            parts.append(_quoted(grade.texts[name]) or "No text was written.")
        else:
            parts.append(_each_line("    ", grade.said[name] or "The check did not come to its end."))
    return "\n\n".join(parts) + "\n"


def summary(lab, grade):
    """A grade in a few words."""
    if not grade.points:
        return "not graded"
    by_checks = f"{grade.total:g} of {lab.checked} points by checks"
    return by_checks + (f", and up to {lab.read} for texts: {grade.to_read} to read" if grade.to_read else "")


def texts(lab, source, grades):
    """The page for the reader of texts: each question with its rubric, a model answer, and what everybody wrote."""
    parts = [f"# Lab {lab.letter}. {lab.title}: texts to read", "For teachers: it holds model answers."]
    graded = _graded(source)
    for before, cell in zip(source.cells, source.cells[1:], strict=False):
        name = handout.grade_id(cell)
        if name in graded and cell.metadata.nbgrader.solution:
            parts += [f"## {task_name(name)}, {cell.metadata.nbgrader.points:g} points", before.source]
            parts += ["**A model answer**", _quoted(cell.source)]
            written = ((grade.student, _quoted(grade.texts.get(name, ""))) for grade in grades)
            parts += [f"**{student}**\n\n{text}" for student, text in written if text]
    return "\n\n".join(parts) + "\n"


def _graded(notebook):
    """{grade id: cell} of the cells that give points."""
    return {name: cell for name, cell in handout.cells_by_id(notebook).items() if cell.metadata.nbgrader.grade}


def _number(points):
    return "" if points is None else f"{points:g}"


def _plain(text):
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _quoted(text):
    return _each_line("> ", text)


def _each_line(mark, text):
    return "\n".join(f"{mark}{line}".rstrip() for line in text.strip().splitlines())


def _write_text(path, text):
    write_whole(path, lambda file: file.write(text.encode()))
