"""Trigonometric features on the torus: spikes seen through a low-pass filter (Sec. 4.1).

Shapes: w (..., m), theta (..., m, d), prediction and residual (..., n); leading axes are independent runs.
"""

import functools
import math

import numpy as np

from mfcourse import checks, results, search
from mfcourse.waves import Waves


class Fourier:
    """Trigonometric features on the torus Theta = (R/Z)^d: the ideal low-pass filter of Sec. 4.1, or a filter of yours.

    On one axis B(t) = [1, sqrt2 cos(2 pi k t) for k = 1..cutoff, sqrt2 sin(2 pi k t) for k = 1..cutoff], an orthonormal
    basis; phi(t) lists the products B_i(t_1) B_j(t_2) ..., so n = (2 cutoff + 1)^d and |phi(t)|^2 = n for every t.
    gains: the transfer function of a point-spread function, n numbers that phi's coefficients are multiplied with.
    Raises ValueError unless cutoff and dimension are whole numbers >= 1 with (dimension + 1)^2 n <= 2^27, the size of
    the tables for derivatives, and gains fit and do not vanish.
    """

    period, homogeneity = 1, 0

    def __init__(self, cutoff, dimension=1, gains=None):
        self.cutoff = checks.count("cutoff", cutoff, at_most=checks.MOST)
        self.dimension = checks.count("dimension", dimension, at_most=checks.MOST)
        self._rows = 2 * self.cutoff + 1
        if self.dimension * math.log2(self._rows) + 2 * math.log2(self.dimension + 1) > math.log2(checks.MOST):
            raise ValueError(
                "cutoff and dimension must make few enough coefficients, (dimension + 1)^2 (2 cutoff + 1)^dimension <= "
                f"{checks.MOST}, but they are {checks.shown(cutoff)} and {checks.shown(dimension)}"
            )
        self.size = self._rows**self.dimension
        self._axis = np.r_[1, np.full(2 * self.cutoff, 2**0.5)]  # B(t) over what the tables hold
        self._amplitude = functools.reduce(np.kron, [self._axis] * self.dimension)  # and phi(t), but for gains
        self.gains = None if gains is None else self._filter(gains)
        k, axes = np.arange(self.cutoff + 1), range(self.dimension)
        self._derivative = np.r_[0, k[1:] + self.cutoff, k[1:]], 2 * np.pi * np.r_[k, -k[1:]]
        self._first = self._derivatives([()] + [(i,) for i in axes])
        self._second = self._derivatives([(i, j) for i in axes for j in axes])
        self._waves = Waves(self.cutoff)

    def _filter(self, gains):
        gains = checks.finite("gains", gains).astype(np.float64)
        if gains.shape not in ((self.size,), (self._rows,) * self.dimension):
            raise ValueError(f"gains must have shape ({self.size},), one for each coefficient, but it is {gains.shape}")
        if not gains.any():
            raise ValueError("gains must not all be 0: nothing would be seen of any measure")
        self._amplitude = self._amplitude * gains.ravel()
        return gains.ravel()

    @property
    def norm_squared(self):
        """The largest |phi(t)|^2, or a bound on it where cosines and sines of one frequency have different gains."""
        return float(self._power().sum())

    @property
    def slope_squared(self):
        """The largest |d phi / d t_j|^2 over all t and all coordinates j; a bound on it as for `norm_squared`."""
        power, frequencies = self._power(), np.arange(self.cutoff + 1)
        along = [
            np.moveaxis(power, axis, 0).reshape(len(frequencies), -1).sum(axis=1) for axis in range(self.dimension)
        ]
        return max(4 * np.pi**2 * float(frequencies**2 @ sums) for sums in along)

    def _power(self):
        """Squared amplitudes for each frequency (cutoff + 1, ..., cutoff + 1): cos^2 + sin^2 = 1, times the larger."""
        power = (self._amplitude**2).reshape((self._rows,) * self.dimension)
        for axis in range(self.dimension):
            cosines, sines = np.split(power, [self.cutoff + 1], axis)
            first, others = np.split(cosines, [1], axis)
            power = np.concatenate([first, np.maximum(others, sines)], axis)
        return power

    @results.quietly
    def push(self, w, theta):
        """Prediction (1/m) sum_i w_i phi(theta_i), shape (..., n)."""
        w, theta = checks.particles(w, theta, self.dimension)
        return results.finite(self._push(w, self._evaluate(theta)), w=w, theta=theta)

    @results.quietly
    def pull(self, residual, theta):
        """Potential <residual, phi(theta_i)> (..., m) and its gradient in theta_i (..., m, d)."""
        theta = checks.points("theta", theta, self.dimension)
        values = self._combine(residual, self._first, self._evaluate(theta))
        results.finite(values, residual=residual, theta=theta)
        return values[..., 0, :], values[..., 1:, :].mT

    @results.quietly
    def push_pull(self, w, theta, respond):
        """Push, turn the prediction f into a residual `respond(f)`, pull it back: phi is evaluated only once.

        Returns prediction (..., n), potential (..., m), gradient (..., m, d).
        """
        w, theta = checks.particles(w, theta, self.dimension)
        tables = self._evaluate(theta)
        prediction = self._push(w, tables)
        residual = respond(prediction)
        values = self._combine(residual, self._first, tables)
        results.finite((prediction, values), w=w, theta=theta, residual=residual)
        return prediction, values[..., 0, :], values[..., 1:, :].mT

    @results.quietly
    def hessian(self, residual, theta):
        """Second derivatives of the potential <residual, phi(theta_i)>, shape (..., m, d, d)."""
        theta = checks.points("theta", theta, self.dimension)
        second = self._combine(residual, self._second, self._evaluate(theta))
        results.finite(second, residual=residual, theta=theta)
        return np.moveaxis(second, -2, -1).reshape(*second.shape[:-2], second.shape[-1], *[self.dimension] * 2)

    @results.quietly
    def matrix(self, theta):
        """phi(theta_i) as columns, shape (n, m), for theta (m, d)."""
        theta = checks.columns(theta, self.dimension)
        columns = functools.reduce(self._product, self._evaluate(theta)) * self._amplitude[:, None]
        return results.finite(columns, theta=theta)

    @results.quietly
    def gram(self, theta, slopes=False):
        """Inner products <phi(theta_i), phi(theta_j)>, shape (m, m), for theta (m, d).

        With slopes, shape (1 + d, m, 1 + d, m): entry k >= 1 stands for the derivative along axis k in place of phi.
        """
        theta = checks.columns(theta, self.dimension)
        kinds = np.arange(1 + self.dimension * slopes)
        swap, speed = self._derivative
        factors = []
        for axis, table in enumerate(self._evaluate(theta), start=1):
            both = np.stack([table, (table * speed[:, None])[swap]], axis=1)
            factors.append(both[:, (kinds == axis).astype(int)].reshape(len(table), -1))
        if self.gains is None:  # phi is a product over axes, and its Gram matrix the entrywise product of theirs
            square = self._axis[:, None] ** 2
            pairs = functools.reduce(np.multiply, [(factor * square).T @ factor for factor in factors])
        else:
            columns = functools.reduce(self._product, factors) * self._amplitude[:, None]
            pairs = columns.T @ columns
        results.finite(pairs, theta=theta)
        return pairs.reshape(2 * (len(kinds), len(theta))) if slopes else pairs

    @staticmethod
    def _product(left, right):
        """All products of a row of one table and a row of the other, (rows of both, m)."""
        return (left[:, None] * right).reshape(-1, left.shape[-1])

    def peaks(self, residual):
        """Peaks of the potential: values (..., k), positions (..., k, d), and True: nothing is beyond the largest."""
        return *search.on_torus(self, results.with_norm(checks.residual(residual, self.size))), True

    def survey(self, residual, side):
        """The potential on the regular grid of `side` points on each axis, shape (..., side, ..., side)."""
        residual, side = results.with_norm(checks.residual(residual, self.size)), checks.count("side", side)
        if self.dimension * math.log2(side) > math.log2(checks.MOST):
            raise ValueError(
                f"side must make a grid of at most {checks.MOST} points on the torus, but with cutoff {self.cutoff} it "
                f"makes {checks.shown(side)}^{self.dimension}"
            )
        turns = np.arange(self.cutoff + 1)[:, None] * np.arange(side) % side
        table = np.concatenate([np.cos(2 * np.pi / side * turns), np.sin(2 * np.pi / side * turns[1:])])
        values = (residual * self._amplitude).reshape(*residual.shape[:-1], *(self._rows,) * self.dimension)
        for _ in range(self.dimension):
            values = np.moveaxis(values, -self.dimension, -1) @ table
        return values

    def _evaluate(self, theta):
        """cos(2 pi k t) and sin(2 pi k t) for each axis, shape (..., rows, m), in a buffer that is kept."""
        table = self._waves.table(theta.mT)
        tables = [table[..., axis, :] for axis in range(self.dimension)]
        return tables if theta.ndim == 2 else [np.moveaxis(table, 0, -2) for table in tables]

    def _push(self, w, tables):
        products = w[..., None, :]
        for table in tables[:-1]:
            products = products[..., :, None, :] * table[..., None, :, :]
            products = products.reshape(*w.shape[:-1], -1, w.shape[-1])
        total = products @ tables[-1].mT
        scale = (self._amplitude / w.shape[-1]).astype(total.dtype, copy=False)
        return total.reshape(*w.shape[:-1], self.size) * scale

    def _combine(self, residual, derivatives, tables):
        """<residual, phi> or its derivatives, one row for each of them, at the points of the tables: (..., C, m)."""
        residual = checks.residual(residual, self.size)
        if residual.ndim > 1:
            checks.same_runs(residual=residual.shape[:-1], theta=tables[-1].shape[:-2])
        index, factor = derivatives
        values = residual.take(index, axis=-1) * factor.astype(residual.dtype, copy=False)
        values = values.reshape(*residual.shape[:-1], -1, self._rows) @ tables[-1]
        for table in tables[-2::-1]:
            values = values.reshape(*values.shape[:-2], values.shape[-2] // self._rows, self._rows, values.shape[-1])
            values = (values * table[..., None, :, :]).sum(axis=-2)
        return values

    def _derivatives(self, orders):
        """Each partial derivative of <r, phi> is <s, phi> with s = r[index] * factor; both have shape (C * n,).

        On one axis: the derivative of a cos + b sin at frequency k is 2 pi k (b cos - a sin). `orders` lists the axes
        to differentiate along, () for the potential itself.
        """
        swap, speed = self._derivative
        indices, factors = [], []
        for axes in orders:
            index = np.arange(self.size).reshape([self._rows] * self.dimension)
            factor = self._amplitude.reshape(index.shape)
            for axis in axes:
                index = index.take(swap, axis)
                factor = np.moveaxis(np.moveaxis(factor.take(swap, axis), axis, -1) * speed, -1, axis)
            indices.append(index.ravel())
            factors.append(factor.ravel())
        return np.concatenate(indices), np.concatenate(factors)
