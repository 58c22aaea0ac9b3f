"""Points for parts: what a check of a lab prints and returns, whatever it is handed."""

import sys
import warnings

import pytest

from mfcourse.exercises import as_number
from mfcourse.exercises.grading import task


@task("Z1", 4)
def check_square(square, at=3):
    """`square(x)` is x squared."""
    value = as_number(square(at), "square returns a number")
    yield 1, value >= 0, "A square is not negative."
    yield 1, value == at**2, "Multiply x by itself."
    yield 2, square(-at) == at**2, "What about negative numbers?"


def missing(x):
    raise NotImplementedError


def noisy(x):
    print("look", file=sys.stderr)
    warnings.warn("careful", stacklevel=1)
    return x * x


def late(x):
    if x < 0:
        raise NotImplementedError
    return x * x


@pytest.mark.parametrize(
    ("answer", "points", "said"),
    [
        (lambda x: x * x, 4, "Task Z1: 4 of 4 points\n"),
        (noisy, 4, "Task Z1: 4 of 4 points\n"),
        (abs, 1, "Task Z1: 1 of 4 points\n  Multiply x by itself.\n  What about negative numbers?\n"),
        (lambda x: x * abs(x), 2, "Task Z1: 2 of 4 points\n  What about negative numbers?\n"),
        (late, 2, "Task Z1: 2 of 4 points\n  A part is not written yet.\n"),
        (missing, 0, "Task Z1: not solved yet, 0 of 4 points\n"),
        (9, 0, "Task Z1: 0 of 4 points\n  Hand over the function itself, not what it returns.\n"),
        (lambda x: "nine", 0, "Task Z1: 0 of 4 points\n  square returns a number; yours is 'nine'.\n"),
        (lambda x: 1 / 0, 0, "Task Z1: 0 of 4 points\n  It raised ZeroDivisionError: division by zero\n"),
    ],
)
def test_each_part_is_paid_and_each_failure_is_a_sentence(answer, points, said, capsys):
    assert check_square(answer) == points
    printed = capsys.readouterr()
    assert printed.out == said
    assert printed.err == ""


def test_a_check_takes_other_instances():
    assert check_square(lambda x: 9, 3) == 4
    assert check_square(lambda x: 9, 4) == 1
