"""Checks for the exercises, one module for each chapter.

A check takes the learner's function and judges it by mathematics: a certificate, an identity, a closed form. It prints
one line and returns True if the answer is right, prints "not solved yet" and returns False while the stub still
raises NotImplementedError, and raises AssertionError with a hint if the answer is wrong.
"""

import functools

import numpy as np


def exercise(number):
    """Decorate a check: a function of the answer that raises AssertionError, with a hint, if the answer is wrong."""

    def decorate(check):
        @functools.wraps(check)
        def run(answer):
            if not callable(answer):
                raise AssertionError(f"Exercise {number}: hand over the function itself, not what it returns.")
            try:
                check(answer)
            except NotImplementedError:
                print(f"Exercise {number}: not solved yet")
                return False
            print(f"Exercise {number}: correct")
            return True

        return run

    return decorate


def as_array(value, expected):
    """The learner's value as an array of finite floats; AssertionError with what was expected otherwise."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    assert np.isfinite(array).all(), f"{expected}; yours is {value!r:.60}."
    return array
