"""Checks of what comes out: a NaN or an infinity is noticed in a result, and blamed on what came in.

So the functions that flows call in every step look at no particle before they have to. They are decorated `quietly`,
since NumPy need not warn of what is looked at anyway.
"""

import math

import numpy as np

from mfcourse import checks

quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class NotFinite(ValueError):
    """A NaN, an infinity, or numbers so large that what is computed from them overflows."""


def finite(results, **inputs):
    """An array, or a tuple of arrays, computed from `inputs`; NotFinite if there is a NaN or an infinity in it.

    Only then the inputs are looked at: the message names the one to blame.
    """
    for result in results if type(results) is tuple else (results,):
        # A sum of squares has every NaN and every infinity in it, and is several times faster than a look at each entry
        squares = np.vdot(result, result) if result.ndim else result
        if not (math.isfinite(squares) or np.isfinite(result).all()):
            blame(**inputs)
    return results


def blame(**inputs):
    """Raise NotFinite for the input that has a NaN or an infinity, or else the largest entry."""
    try:
        largest = {name: np.abs(checks.finite(name, values)).max(initial=0) for name, values in inputs.items()}
    except ValueError as error:
        raise NotFinite(*error.args) from None
    name = max(largest, key=largest.get)
    raise NotFinite(
        f"{name} must be small enough for the result to be finite, but it has entries up to {largest[name]:.3g}"
    )


@quietly
def with_norm(residual):
    """A residual (..., n) whose norm is finite; NotFinite otherwise."""
    finite(np.vecdot(residual, residual), residual=residual)
    return residual
