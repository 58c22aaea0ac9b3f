"""Two labs of a few cells, for tests of the machinery: quick to run, with every kind of cell that a lab may have."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

IMPORTS = """\
from mfcourse.exercises.grading import task


@task("{0}1", 3)
def check_square(square, at=3):
    yield 1, square(at) >= 0, "A square is not negative."
    yield 2, square(at) == at**2, "Multiply x by itself."


@task("{0}2", 4)
def check_cube(cube):
    yield 4, cube(-2) == -8, "Keep the sign."
"""
SQUARE = """\
def square(x):
    # BEGIN SOLUTION
    return x * x
    # END SOLUTION"""
SQUARE_CHECK = """\
points = check_square(square)
# BEGIN HIDDEN TESTS
points = min(points, check_square(square, 5))
# END HIDDEN TESTS
points"""
CUBE = """\
def cube(x):
    # BEGIN SOLUTION
    return x**3
    # END SOLUTION"""
ANSWERS = {"1": "def square(x):\n    return x * x", "2": "def cube(x):\n    return x**3", "3-text": "It grows faster."}


def mark(name, grade=False, locked=False, solution=False, points=None):
    """What nbgrader wants to know about a cell."""
    about = {"grade_id": name, "grade": grade, "locked": locked, "solution": solution, "task": False}
    return {"nbgrader": about | {"schema_version": 3} | ({"points": points} if grade else {})}


def small_lab(letter):
    """The source of lab `letter`: two tasks of 3 and 4 points, and a text of 2."""
    low = letter.lower()
    cells = [
        new_markdown_cell(f"# Lab {letter}. Powers of numbers"),
        new_code_cell(IMPORTS.format(letter), metadata=mark(f"{low}-imports", locked=True)),
        new_code_cell(SQUARE, metadata=mark(f"{low}1", solution=True)),
        new_code_cell(SQUARE_CHECK, metadata=mark(f"{low}1-check", grade=True, locked=True, points=3)),
        new_code_cell(CUBE, metadata=mark(f"{low}2", solution=True)),
        new_code_cell("check_cube(cube)", metadata=mark(f"{low}2-check", grade=True, locked=True, points=4)),
        new_markdown_cell("Which grows faster, and why? Two points: which, and the reason."),
        new_markdown_cell("The cube.", metadata=mark(f"{low}3-text", grade=True, solution=True, points=2)),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"lab-{low}-{number:02d}"
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    about = {"lab": letter, "after": "chapter 0", "minutes": 5}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "mfcourse": about})


def write_small_labs(folder):
    """Write labs A and B below `folder`, as the course has them below notebooks/."""
    (folder / "labs").mkdir(parents=True)
    for letter in "AB":
        nbformat.write(small_lab(letter), folder / "labs" / f"lab_{letter.lower()}.ipynb")
