"""What came in from outside, in words: a value on one line, a masked place, a column that holds no numbers."""

import numbers

import numpy as np


def shown(value):
    """What came in, on one line of at most 80 characters."""
    try:
        return f"{' '.join(repr(value).split()):.80}"
    except ValueError:  # Python does not print whole numbers of more than some thousand digits
        return f"too long a {type(value).__name__} to be printed"


def is_real(value):
    """True for whole numbers, fractions and floats, not for True and False."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def masked_at(values):
    """The first masked place of an array, or of lists of arrays; None if there is none."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        return tuple(int(i) for i in np.argwhere(np.ma.getmaskarray(values))[0])
    if isinstance(values, list | tuple):
        for k, part in enumerate(values):
            if isinstance(part, list | tuple | np.ma.MaskedArray) and (where := masked_at(part)) is not None:
                return k, *where
    return None


def no_number(values, array):
    """What is wrong with an array or a table whose entries are no numbers: its type, and the first place of it."""
    if hasattr(values, "columns"):  # a table of pandas or polars
        kinds = {column: np.asarray(values[column]).dtype.kind for column in values.columns}
        column = next((column for column, kind in kinds.items() if kind not in "iufb"), values.columns[0])
        place = f"its column {column!r} is of dtype {values[column].dtype}"
    elif hasattr(values, "dtype"):
        place = f"it is of dtype {values.dtype}"
        wrong = next((where for where in np.ndindex(array.shape) if not is_real(array[where])), ())
        if wrong:
            column = f"column {wrong[-1]}" if array.ndim > 1 else f"entry {wrong[0]}"
            place += f", and its {column} holds {shown(array[wrong])}"
    else:
        return f"it is {shown(values)}"
    return f"{place}: make numbers of it, and leave out what is missing; then astype(float) does the rest"
