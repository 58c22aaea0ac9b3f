"""Checks for the exercises, one module for each chapter and for each lab.

A check takes the learner's function and judges it by mathematics: a certificate, an identity, a closed form. That of a
chapter prints one line: that the answer is right, that the stub still raises NotImplementedError, or a hint if the
answer is wrong; what it returns is true for a right answer alone. That of a lab pays part by part, see `grading`; what
several of its checks compare answers with is in `spike_runs`, `noise`, `identities`. Questions to be answered before a
cell is run are in `predict`.
"""

import functools

import numpy as np

from mfcourse import checks
from mfcourse.checks import shown
from mfcourse.measures import Measure


class Verdict(int):
    """1 if an answer is right, 0 if not. The words have been printed, so a notebook shows nothing more for it."""

    def _ipython_display_(self):
        pass


def exercise(number):
    """Decorate a check: a function of the answer that raises AssertionError, with a hint, if the answer is wrong.

    The check then prints its one line, the hint too, and returns a Verdict. Other errors of the answer are its own.
    """

    def decorate(check):
        @functools.wraps(check)
        def run(answer):
            right = False
            try:
                if not callable(answer):
                    raise AssertionError("Hand over the function itself, not what it returns.")
                check(answer)
                right, line = True, "correct"
            except NotImplementedError:
                line = "not solved yet"
            except AssertionError as hint:
                line = f"not yet. {hint}"
            print(f"Exercise {number}: {line}")
            return Verdict(right)

        return run

    return decorate


def as_array(value, expected, shape=None):
    """The learner's value as an array of finite floats, of this shape if one is given.

    Raises AssertionError with `expected`, a sentence like "f returns the masses, an array", and what came instead.
    """
    try:
        array = checks.finite("it", value).astype(float)
    except ValueError:
        raise AssertionError(f"{expected}; yours is {shown(value):.60}.") from None
    assert shape is None or array.shape == shape, f"{expected} of shape {shape}; yours has shape {array.shape}."
    return array


def as_number(value, expected):
    """The learner's value as a float; AssertionError with `expected` if it is no finite number."""
    array = as_array(value, expected)
    assert array.shape == (), f"{expected}; yours has shape {array.shape}."
    return float(array)


def as_parts(value, number, expected):
    """The learner's value as so many parts, of any kind; AssertionError with `expected` if it has no or other parts."""
    assert isinstance(value, tuple | list) or np.ndim(value) > 0, f"{expected}."
    assert len(value) == number, f"{expected}; yours are {len(value)}."
    return value


def has_nan(value):
    """Whether the learner's value holds NaN; of what kind it should be is looked at elsewhere."""
    value = np.asarray(value)
    return value.dtype.kind == "f" and np.isnan(value).any()


def as_particles(value, name):
    """What the learner's function `name` returned as particles w (m,), theta (m, d); AssertionError otherwise."""
    parts = as_parts(value, 2, f"{name} returns two arrays, w and theta")
    w, theta = (as_array(part, f"{name} returns w and theta, arrays of numbers") for part in parts)
    assert w.ndim == 1, f"Return w of shape (m,); yours has shape {w.shape}."
    assert theta.ndim == 2, f"Return theta of shape (m, d); yours has shape {theta.shape}."
    assert len(w) == len(theta) >= 1, f"Return one position for each weight: yours are {len(theta)} for {len(w)}."
    return w, theta


def as_measure(value, expected):
    """The learner's value, which must be a Measure; AssertionError with `expected` otherwise."""
    assert isinstance(value, Measure), f"{expected}; yours is {shown(value):.60}."
    return value
