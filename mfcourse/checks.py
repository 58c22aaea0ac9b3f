"""Checks of what comes in: each returns the value it accepts, or raises a ValueError that says what is allowed."""

import math
import numbers

import numpy as np


def finite(name, values):
    """`values` as an array of finite floats (float32 stays float32, everything else becomes float64).

    Raises ValueError if an entry is not a real number, or is NaN or infinite.
    """
    try:
        values = np.asarray(values)
        if values.dtype not in (np.float32, np.float64):
            if values.dtype.kind not in "iufb":
                raise TypeError
            values = values.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of real numbers, but it is {values!r:.80}") from None
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"{name} must be finite, but its entry {where} is {values[where]}")
    return values


def positive(name, value, or_zero=False):
    """`value` as a float > 0 (or >= 0); ValueError otherwise."""
    allowed = "a finite number >= 0" if or_zero else "a finite number > 0"
    try:
        number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0 or (number == 0 and not or_zero):
        raise ValueError(f"{name} must be {allowed}, but it is {value!r:.80}")
    return number


def optional_period(period):
    """`period` as a float > 0, or None for the line or the plane; ValueError otherwise."""
    return None if period is None else positive("period", period)


def count(name, value, at_least=1):
    """`value` as an int >= `at_least`; ValueError otherwise."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be a whole number >= {at_least}, but it is {value!r}")
    return int(value)


def counts(name, values, at_least=1):
    """`values` as a list of ints >= `at_least`, each once; ValueError if one is wrong, or if there is none."""
    if isinstance(values, numbers.Number | str) or values is None:
        raise ValueError(f"{name} must be a list of whole numbers >= {at_least}, but it is {values!r:.80}")
    found = list(dict.fromkeys([count(name, value, at_least) for value in values]))
    if not found:
        raise ValueError(f"{name} must hold at least one whole number >= {at_least}, but there is none")
    return found


def one_of(name, value, allowed):
    """`value`, which must be one of the names in `allowed`; ValueError otherwise."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, but it is {value!r}")
    return value


def particles(w, theta, dimension=None):
    """Weights (..., m) and positions (..., m, d) as float arrays whose shapes fit, with m >= 1.

    Entries are not looked at: risks and flows notice a NaN or an infinity from their result, at no cost per particle.
    Raises ValueError if a shape is wrong or d is not `dimension`.
    """
    w, theta = floats("w", w), floats("theta", theta)
    if w.ndim < 1 or w.shape[-1] < 1:
        raise ValueError(f"w must have shape (..., m) with m >= 1 particles, but its shape is {w.shape}")
    if theta.shape[:-1] != w.shape or theta.ndim != w.ndim + 1:
        raise ValueError(
            f"theta must have shape {(*w.shape, dimension or 'd')}, one position for each entry of w, "
            f"but its shape is {theta.shape}"
        )
    points("theta", theta, dimension)
    return w, theta


def points(name, values, dimension=None):
    """Points (..., q, d) as a float array; ValueError if the shape is wrong or d is not `dimension`."""
    values = floats(name, values)
    if values.ndim < 2 or values.shape[-1] < 1 or (dimension and values.shape[-1] != dimension):
        raise ValueError(
            f"{name} must have shape (..., m, {dimension or 'd'}), coordinates on the last axis, "
            f"but its shape is {values.shape}"
        )
    return values


def floats(name, values):
    """`values` as an array of float32 or float64, looked at entry by entry only if it has to be converted."""
    values = np.asarray(values)
    return values if values.dtype in (np.float32, np.float64) else finite(name, values)


def residual(values, size):
    """A residual (..., size) as a float array; ValueError if its last axis has another length."""
    values = floats("residual", values)
    if values.shape[-1:] != (size,):
        raise ValueError(f"residual must have shape (..., {size}), but its shape is {values.shape}")
    return values
