"""Memory that is kept between calls, so that a step allocates nothing large."""

import math
import threading

import numpy as np


class Scratch(threading.local):
    """One piece of kept memory for each thread.

    A copy or a pickle starts empty: a buffer belongs to one process and one thread.
    """

    memory = np.empty(0)

    def get(self, shape, dtype):
        """An array of this shape and dtype; it holds leftovers, and the next call hands out the same memory again.

        Raises ValueError if there is not so much memory.
        """
        size = math.prod(shape)
        if self.memory.dtype != dtype or self.memory.size < size:
            try:
                self.memory = np.empty(size, dtype)
            except (MemoryError, ValueError):
                table = " x ".join(map(str, shape))
                raise ValueError(
                    f"w and theta must have fewer particles, or come in parts: a table of {table} numbers is needed, "
                    "and there is no memory for it"
                ) from None
        return self.memory[:size].reshape(shape)

    def __reduce__(self):
        return Scratch, ()
