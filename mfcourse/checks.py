"""Checks of what comes in: each returns the value it accepts, or raises a ValueError that says what is allowed."""

import math
import numbers

import numpy as np

from mfcourse.foreign import is_real, masked_at, no_number, shown

MOST = 2**27  # numbers in an array that a computer can hold a few of
FLOATS = np.dtype(np.float32), np.dtype(np.float64)


def finite(name, values):
    """`values` as an array of finite floats (float32 stays float32, everything else becomes float64).

    Raises ValueError if an entry is not a real number, or is NaN, infinite or masked.
    """
    values = floats(name, values)
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"{name} must be finite, but its entry {where} is {values[where]}")
    return values


def floats(name, values):
    """The same without a look at NaN and infinity: an array of floats costs nothing."""
    if type(values) is np.ndarray and values.dtype in FLOATS:
        return values
    _demand_unmasked(name, values)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of real numbers, but it is {shown(values)}") from None
    if array.dtype in FLOATS:
        return array
    listed = array.dtype == object and not hasattr(values, "dtype")  # fractions, or more than 64 bits, in a list
    if array.dtype.kind not in "iufb" and not (listed and all(map(is_real, array.flat))):
        raise ValueError(f"{name} must be an array of real numbers, but {no_number(values, array)}")
    try:
        with np.errstate(over="ignore"):
            return array.astype(np.float64)
    except OverflowError:
        raise ValueError(f"{name} must be finite, but it is too large for a float: {shown(values)}") from None


def _demand_unmasked(name, values):
    """What lies under a mask is no data; nothing masked is fine."""
    where = masked_at(values)
    if where is not None:
        raise ValueError(
            f"{name} must not be masked, but it is masked at {where}: leave out what is missing, or fill it in, "
            f"as {name}.filled(0) does"
        )


def positive(name, value, or_zero=False):
    """`value` as a float > 0 (or >= 0); ValueError otherwise."""
    allowed = "a finite number >= 0" if or_zero else "a finite number > 0"
    try:
        number = float(value) if is_real(value) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0 or (number == 0 and not or_zero):
        raise ValueError(f"{name} must be {allowed}, but it is {shown(value)}")
    return number


def optional_period(period):
    """`period` as a float > 0, or None for the line or the plane; ValueError otherwise."""
    return None if period is None else positive("period", period)


def count(name, value, at_least=1, at_most=math.inf):
    """`value` as an int from `at_least` to `at_most`; ValueError otherwise."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or not at_least <= value <= at_most:
        upper = "" if at_most == math.inf else f" and <= {at_most}"
        raise ValueError(f"{name} must be a whole number >= {at_least}{upper}, but it is {shown(value)}")
    return int(value)


def counts(name, values, at_least=1):
    """`values` as a list of ints >= `at_least`, each once; ValueError if one is wrong, or if there is none."""
    if isinstance(values, numbers.Number | str) or values is None:
        raise ValueError(f"{name} must be a list of whole numbers >= {at_least}, but it is {values!r:.80}")
    found = list(dict.fromkeys([count(name, value, at_least) for value in values]))
    if not found:
        raise ValueError(f"{name} must hold at least one whole number >= {at_least}, but there is none")
    return found


def indices(name, values, size):
    """Numbers (k,) of some of `size` things, counted from 0, as an array of ints; ValueError otherwise."""
    _demand_unmasked(name, values)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be a list of one or more whole numbers, but it is {shown(values)}")
    wrong = array[(array < 0) | (array >= size)]
    if len(wrong):
        raise ValueError(f"{name} must be whole numbers from 0 to {size - 1}, but one is {wrong[0]}")
    return array


def room(**sizes):
    """The sizes of an array that is about to be made; ValueError if it would not fit into a computer."""
    if math.prod(sizes.values()) > MOST:
        made = " x ".join(map(shown, sizes.values()))
        raise ValueError(f"{' and '.join(sizes)} must make an array of at most {MOST} numbers, but they make {made}")


def flag(name, value):
    """`value`, which must be True or False, as a bool; ValueError otherwise."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, but it is {shown(value)}")
    return bool(value)


def generator(name, rng):
    """`rng`, which must be a random generator of NumPy; ValueError otherwise."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"{name} must be a random generator, np.random.default_rng(0) is one, but it is {shown(rng)}")
    return rng


def one_of(name, value, allowed):
    """`value`, which must be one of the names or numbers in `allowed`; ValueError otherwise."""
    if not (isinstance(value, str) or is_real(value)) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, but it is {shown(value)}")
    return value


def function(name, value):
    """`value`, which must be a function; ValueError otherwise."""
    if not callable(value):
        raise ValueError(f"{name} must be a function, but it is {shown(value)}")
    return value


def having(name, value, what, *members):
    """`value`, which must have these members; ValueError, which says that it should be `what`, otherwise."""
    if not all(hasattr(value, member) for member in members):
        raise ValueError(f"{name} must be {what}, but it is {shown(value)}")
    return value


def signs(name, values):
    """Labels -1 and 1 as an array of floats; ValueError, which says how to get them, otherwise."""
    listed = values.tolist() if hasattr(values, "tolist") else values
    word = next((v for v in listed if isinstance(v, str)), None) if isinstance(listed, list | tuple) else None
    if word is not None:
        raise ValueError(
            f"{name} must be the numbers -1 and 1, but it holds words such as {shown(word)}: "
            f"np.where({name} == {shown(word)}, 1, -1) makes them"
        )
    array = finite(name, values)
    wrong = array[~np.isin(array, (-1, 1))]
    if wrong.size:
        remedy = f"2 * {name} - 1" if np.isin(array, (0, 1)).all() else f"np.where({name} == {array.max():g}, 1, -1)"
        raise ValueError(f"{name} must be -1 or 1, but one is {wrong.flat[0]:g}: {remedy} makes them")
    return array


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


def columns(theta, dimension):
    """Positions theta (m, d) of one run as a float array, for a table with a column for each; ValueError otherwise."""
    theta = points("theta", theta, dimension)
    if theta.ndim != 2:
        raise ValueError(f"theta must have shape (m, {dimension}), of one run, but its shape is {theta.shape}")
    return theta


def residual(values, size):
    """A residual (..., size) as a float array; ValueError if its last axis has another length."""
    values = floats("residual", values)
    if values.shape[-1:] != (size,):
        raise ValueError(f"residual must have shape (..., {size}), but its shape is {values.shape}")
    return values


def same_runs(**shapes):
    """The leading axes that these shapes have in common; ValueError if they do not fit each other."""
    try:
        first, *others = shapes.values()
        return first if all(shape == first for shape in others) else np.broadcast_shapes(first, *others)
    except ValueError:
        found = " and ".join(f"{name} of {shape}" for name, shape in shapes.items())
        raise ValueError(
            f"{' and '.join(shapes)} must be of the same runs, but their leading axes are {found}"
        ) from None
