"""Cosines and sines of all frequencies up to a cutoff: the table beneath trigonometric features.

Positions t have shape (..., m); the table has shape (..., 2 cutoff + 1, m). Its memory is kept, and the next table of
the same Waves takes its place.
"""

import numpy as np

from mfcourse.scratch import Scratch

BLOCK = 2**14  # positions whose powers fit in the cache together
FEW = 2**9  # cosines so few that one call for all of them is faster than several calls on less


class Waves:
    """cos(2 pi k t) for k = 0..cutoff, and below them sin(2 pi k t) for k = 1..cutoff."""

    def __init__(self, cutoff):
        self.cutoff = cutoff
        self._turns = 2 * np.pi * np.arange(1, cutoff + 1)
        self._table, self._angles, self._powers = Scratch(), Scratch(), Scratch()

    def table(self, t):
        """The table (..., 2 cutoff + 1, m) at positions t (..., m), in their precision."""
        table = self._table.get((2 * self.cutoff + 1, *t.shape), t.dtype)
        table[0] = 1
        if t.size * self.cutoff <= FEW:
            self._at_once(table, t)
        else:
            for start in range(0, t.shape[-1], BLOCK):
                block = slice(start, start + BLOCK)
                self._by_doubling(table[..., block], t[..., block])
        return np.moveaxis(table, 0, -2) if t.ndim > 1 else table

    def _at_once(self, table, t):
        """A cosine and a sine for each position and each frequency."""
        angles = np.multiply.outer(self._turns.astype(t.dtype, copy=False), t - np.rint(t))
        np.cos(angles, out=table[1 : self.cutoff + 1])
        np.sin(angles, out=table[self.cutoff + 1 :])

    def _by_doubling(self, table, t):
        """Powers of z = exp(2 pi i t) = (1 + i tan pi t) / (1 - i tan pi t): twice as many with each product."""
        half, twice = self._angles.get((2, *t.shape), t.dtype)
        np.subtract(t, np.rint(t, out=half), out=half)
        np.tan(np.multiply(half, np.pi, out=half), out=half)
        np.add(np.multiply(half, half, out=twice), 1, out=twice)
        np.divide(2, twice, out=twice)
        powers = self._powers.get((self.cutoff, *t.shape), np.result_type(t, np.complex64))
        np.subtract(twice, 1, out=powers[0].real)
        np.multiply(twice, half, out=powers[0].imag)
        known = 1
        while known < self.cutoff:
            new = min(known, self.cutoff - known)
            np.multiply(powers[:new], powers[known - 1], out=powers[known : known + new])
            known += new
        table[1 : self.cutoff + 1] = powers.real
        table[self.cutoff + 1 :] = powers.imag
