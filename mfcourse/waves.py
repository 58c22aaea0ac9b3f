"""Cosines and sines of all frequencies up to a cutoff: the table beneath trigonometric features.

Positions t have any shape; the table has one more axis in front, of length 2 cutoff + 1. Its memory is kept, and the
next table of the same Waves takes its place.
"""

from math import comb, perm

import numpy as np

from mfcourse.scratch import Scratch

BLOCK = 2**14  # positions whose powers fit in the cache together
FEW = 2**10  # cosines so few that one call for all of them is faster than several calls on less
MANY = 2**12  # positions so many that polynomials beat NumPy's tan, which is scalar on processors without AVX-512

# exp(ix) = N(ix) / N(-ix), the diagonal Pade approximation: its error is below 2^-55 for |x| <= pi. Of N(2 pi i t), the
# coefficients of 1, t^2, t^4, ... and of t, t^3, t^5, ..., which are those of its real and of its imaginary part.
DEGREE = 11
PADE = [comb(DEGREE, j) / perm(2 * DEGREE, j) * (2 * np.pi) ** j * (-1) ** (j // 2) for j in range(DEGREE + 1)]
STEEPEST = 2.0**-60  # the real part at t = 1/2 is this, not 0 or a rounding error below it
REAL, IMAGINARY = np.array(PADE[::2]), np.array(PADE[1::2])


class Waves:
    """cos(2 pi k t) for k = 0..cutoff, and below them sin(2 pi k t) for k = 1..cutoff."""

    def __init__(self, cutoff):
        self.cutoff = cutoff
        self._turns = 2 * np.pi * np.arange(1, cutoff + 1)
        self._table, self._rows, self._powers = Scratch(), Scratch(), Scratch()

    def table(self, t):
        """The table (2 cutoff + 1, ...) at positions t (...), in their precision."""
        table = self._table.get((2 * self.cutoff + 1, *t.shape), t.dtype)
        table[0] = 1
        if t.size * self.cutoff <= FEW:
            self._at_once(table, t)
        else:
            for start in range(0, t.shape[-1], BLOCK):
                block = slice(start, start + BLOCK)
                self._by_doubling(table[..., block], t[..., block])
        return table

    def _at_once(self, table, t):
        """A cosine and a sine for each position and each frequency."""
        cosines, angles = table[1 : self.cutoff + 1], table[self.cutoff + 1 :]
        np.multiply.outer(self._turns.astype(t.dtype, copy=False), t - np.rint(t), out=angles)
        np.cos(angles, out=cosines)
        np.sin(angles, out=angles)

    def _by_doubling(self, table, t):
        """Powers of z = exp(2 pi i t) = (1 + ih) / (1 - ih), where h = tan(pi t)."""
        many = t.size >= MANY
        turn, half, other, *_ = rows = self._rows.get((3 + many * (DEGREE // 2), *t.shape), t.dtype)
        np.subtract(t, np.rint(t, out=turn), out=turn)
        if many:
            tangent(turn, half, other, rows[3:])
        else:
            np.tan(np.multiply(turn, np.pi, out=half), out=half)
        np.add(np.multiply(half, half, out=other), 1, out=other)
        np.divide(2, other, out=other)
        powers = self._powers.get((self.cutoff, *t.shape), np.result_type(t, np.complex64))
        np.subtract(other, 1, out=powers[0].real)
        np.multiply(other, half, out=powers[0].imag)
        fill_with_powers(powers)
        table[1 : self.cutoff + 1] = powers.real
        table[self.cutoff + 1 :] = powers.imag


def tangent(turn, out, other, powers):
    """tan(pi t) for t in [-1/2, 1/2], into `out`: the imaginary part of N over the real one, which is not negative.

    exp(2 pi i t) has twice the angle of N, and modulus 1 whatever N is. `other` is memory like `out`, and `powers` for
    as many powers of t^2 as N has.
    """
    np.multiply(turn, turn, out=powers[0])
    fill_with_powers(powers)
    powers = powers.reshape(len(powers), -1)
    for part, coefficients in ((out, IMAGINARY), (other, REAL)):
        np.matmul(coefficients[1:].astype(turn.dtype), powers, out=part.reshape(-1))
        np.add(part, coefficients[0], out=part)
    np.multiply(out, turn, out=out)
    np.divide(out, other.clip(STEEPEST, out=other), out=out)


def fill_with_powers(table):
    """x, x^2, x^3, ... in the rows of a table whose first row is x: twice as many with each product."""
    known = 1
    while known < len(table):
        new = min(known, len(table) - known)
        np.multiply(table[:new], table[known - 1], out=table[known : known + new])
        known += new
