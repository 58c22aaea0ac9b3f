"""Feature maps phi: Theta -> F. Push a measure to a prediction, pull a residual back to a potential on Theta.

Push and pull are adjoint: <push(w, theta), r> = (1/m) sum_i w_i pull(r, theta)_i. A feature map also knows `size` n,
`dimension` d, the `period` of its positions (None: they live in R^d), and its `homogeneity` p: phi(r theta) =
r^p phi(theta) for r > 0, or 0 if phi is bounded.
Shapes: w (..., m), theta (..., m, d), prediction and residual (..., n); leading axes are independent runs.
"""

import copy
import functools

import numpy as np

from mfcourse import checks
from mfcourse.activations import activation_named
from mfcourse.scratch import Scratch

BLOCK = 2**14  # particles whose powers fit in the cache together


class Fourier:
    """Trigonometric features on the torus Theta = (R/Z)^d: the ideal low-pass filter of Sec. 4.1.

    On one axis B(t) = [1, sqrt2 cos(2 pi k t) for k = 1..cutoff, sqrt2 sin(2 pi k t) for k = 1..cutoff], an orthonormal
    basis; phi(t) lists the products B_i(t_1) B_j(t_2) ..., so n = (2 cutoff + 1)^d and |phi(t)|^2 = n for every t.
    Raises ValueError unless cutoff and dimension are whole numbers >= 1.
    """

    period, homogeneity = 1, 0

    def __init__(self, cutoff, dimension=1):
        self.cutoff = checks.count("cutoff", cutoff)
        self.dimension = checks.count("dimension", dimension)
        self._rows = 2 * self.cutoff + 1
        self.size = self._rows**self.dimension
        self._amplitude = np.ones(1)  # B(t) over what the tables hold: 1 in row 0, sqrt2 in all others
        for _ in range(self.dimension):
            self._amplitude = np.kron(self._amplitude, np.r_[1, np.full(2 * self.cutoff, 2**0.5)])
        axes = range(self.dimension)
        self._first = self._derivatives([()] + [(i,) for i in axes])
        self._second = self._derivatives([(i, j) for i in axes for j in axes])
        self._angles, self._powers = Scratch(), Scratch()
        self._tables = [Scratch() for _ in axes]

    @property
    def slope_squared(self):
        """|d phi / d t_j|^2, the same at every t and for every coordinate j."""
        frequencies = np.arange(1, self.cutoff + 1)
        return 8 * np.pi**2 * float((frequencies**2).sum()) * self._rows ** (self.dimension - 1)

    def push(self, w, theta):
        """Prediction (1/m) sum_i w_i phi(theta_i), shape (..., n)."""
        w, theta = checks.particles(w, theta, self.dimension)
        return self._push(w, self._evaluate(theta))

    def pull(self, residual, theta):
        """Potential <residual, phi(theta_i)> (..., m) and its gradient in theta_i (..., m, d)."""
        theta = checks.points("theta", theta, self.dimension)
        return self._pull(residual, self._evaluate(theta))

    def push_pull(self, w, theta, respond):
        """Push, turn the prediction f into a residual `respond(f)`, pull it back: phi is evaluated only once.

        Returns prediction (..., n), potential (..., m), gradient (..., m, d).
        """
        w, theta = checks.particles(w, theta, self.dimension)
        tables = self._evaluate(theta)
        prediction = self._push(w, tables)
        return prediction, *self._pull(respond(prediction), tables)

    def hessian(self, residual, theta):
        """Second derivatives of the potential <residual, phi(theta_i)>, shape (..., m, d, d)."""
        theta = checks.points("theta", theta, self.dimension)
        second = self._combine(residual, self._second, self._evaluate(theta))
        return np.moveaxis(second, -2, -1).reshape(*second.shape[:-2], second.shape[-1], *[self.dimension] * 2)

    def matrix(self, theta):
        """phi(theta_i) as columns, shape (n, m), for theta (m, d)."""
        return self.pull(np.eye(self.size), theta)[0]

    def _evaluate(self, theta):
        """cos(2 pi k t) and sin(2 pi k t) for each axis, shape (..., rows, m), in buffers that are kept."""
        runs, m = theta.shape[:-2], theta.shape[-2]
        tables = [scratch.get((self._rows, *runs, m), theta.dtype) for scratch in self._tables]
        for start in range(0, m, BLOCK):
            block = slice(start, start + BLOCK)
            self._fill([table[..., block] for table in tables], theta[..., block, :])
        return [np.moveaxis(table, 0, -2) for table in tables] if runs else tables

    def _fill(self, tables, theta):
        """Powers of z = exp(2 pi i t) = (1 + i tan pi t) / (1 - i tan pi t) by doubling, on one block of particles."""
        half, twice = self._angles.get((2, *theta.shape), theta.dtype)
        np.subtract(theta, np.rint(theta, out=half), out=half)
        np.tan(np.multiply(half, np.pi, out=half), out=half)
        np.add(np.multiply(half, half, out=twice), 1, out=twice)
        np.divide(2, twice, out=twice)
        powers = self._powers.get((self.cutoff, *theta.shape[:-1]), np.result_type(theta, np.complex64))
        for axis, table in enumerate(tables):
            np.subtract(twice[..., axis], 1, out=powers[0].real)
            np.multiply(twice[..., axis], half[..., axis], out=powers[0].imag)
            known = 1
            while known < self.cutoff:
                new = min(known, self.cutoff - known)
                np.multiply(powers[:new], powers[known - 1], out=powers[known : known + new])
                known += new
            table[0] = 1
            table[1 : self.cutoff + 1] = powers.real
            table[self.cutoff + 1 :] = powers.imag

    def _push(self, w, tables):
        products = w[..., None, :]
        for table in tables[:-1]:
            products = products[..., :, None, :] * table[..., None, :, :]
            products = products.reshape(*w.shape[:-1], -1, w.shape[-1])
        total = products @ np.swapaxes(tables[-1], -1, -2)
        scale = (self._amplitude / w.shape[-1]).astype(total.dtype, copy=False)
        return total.reshape(*w.shape[:-1], self.size) * scale

    def _pull(self, residual, tables):
        values = self._combine(residual, self._first, tables)
        return values[..., 0, :], values[..., 1:, :].swapaxes(-2, -1)

    def _combine(self, residual, derivatives, tables):
        """<residual, phi> or its derivatives, one row for each of them, at the points of the tables: (..., C, m)."""
        residual = _fitting(residual, self.size)
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
        k = np.arange(self.cutoff + 1)
        swap = np.r_[0, k[1:] + self.cutoff, k[1:]]
        speed = 2 * np.pi * np.r_[k, -k[1:]]
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


class Neurons:
    """One hidden layer on samples: phi(theta) lists sigma(theta . x_b) for b = 1..n (Sec. 4.2).

    x: samples (n, d), or (..., n, d) with a set for each run; activation: a name in `activations.ACTIVATIONS`; with a
    bias, theta has one more coordinate, which multiplies 1. The precision is that of the positions.
    Raises ValueError if there is no sample, a sample is not finite, or the activation is unknown.
    """

    period = None

    def __init__(self, x, activation, bias=False):
        self.activation = activation_named(activation)
        self.homogeneity = self.activation.homogeneity
        self._bias, self._table = bias, Scratch()
        self._set_samples(x)

    def _set_samples(self, x):
        x = checks.finite("x", x)
        if x.ndim < 2 or 0 in x.shape[-2:]:
            raise ValueError(f"x must have shape (..., n, d) with n >= 1 samples, but its shape is {x.shape}")
        self.x = np.concatenate([x, np.ones_like(x[..., :1])], axis=-1) if self._bias else x
        self.size, self.dimension = self.x.shape[-2:]

    def on(self, x):
        """The same neurons on other samples, sharing kept memory with these."""
        other = copy.copy(self)
        other._set_samples(x)
        return other

    def subset(self, chosen):
        """The same neurons on the samples with these numbers, sharing kept memory with these."""
        other = copy.copy(self)
        other.x, other.size = self.x[chosen], len(chosen)
        return other

    def push(self, w, theta):
        """Prediction (1/m) sum_i w_i phi(theta_i), shape (..., n)."""
        w, theta = checks.particles(w, theta, self.dimension)
        return self._push(w, self._evaluate(theta))

    def pull(self, residual, theta):
        """Potential <residual, phi(theta_i)> (..., m) and its gradient in theta_i (..., m, d)."""
        theta = checks.points("theta", theta, self.dimension)
        return self._pull(residual, theta, self._evaluate(theta))

    def push_pull(self, w, theta, respond):
        """Push, turn the prediction f into a residual `respond(f)`, pull it back: phi is evaluated only once.

        Returns prediction (..., n), potential (..., m), gradient (..., m, d).
        """
        w, theta = checks.particles(w, theta, self.dimension)
        values = self._evaluate(theta)
        prediction = self._push(w, values)
        return prediction, *self._pull(respond(prediction), theta, values)

    def matrix(self, theta):
        """phi(theta_i) as columns, shape (n, m), for theta (m, d)."""
        theta = checks.points("theta", theta, self.dimension)
        return (self.activation.offset + self.activation.amplitude * self._evaluate(theta)).mT

    def _evaluate(self, theta):
        """The activation's core at every theta_i . x_b, shape (..., m, n), in a table that is kept."""
        runs = np.broadcast_shapes(theta.shape[:-2], self.x.shape[:-2])
        table = self._table.get((*runs, theta.shape[-2], self.size), theta.dtype)
        self._fill(table, theta)
        self.activation.core(table)
        return table

    def _fill(self, table, theta):
        np.matmul(self.activation.direction(theta), self.x.astype(theta.dtype, copy=False).mT, out=table)

    def _push(self, w, values):
        prediction = (w[..., None, :] @ values)[..., 0, :] * (self.activation.amplitude / w.shape[-1])
        return prediction + self.activation.offset * w.mean(axis=-1, keepdims=True)

    def _pull(self, residual, theta, table):
        """Potential and gradient from the table of values, which is used up."""
        residual = _fitting(residual, self.size)
        scaled = (residual * self.activation.amplitude)[..., None]
        if not self.homogeneity:
            potential = (table @ scaled)[..., 0] + self.activation.offset * residual.sum(axis=-1, keepdims=True)
        self.activation.slope(table, functools.partial(self._fill, table, theta))
        gradient = self.activation.chain(theta, table @ (scaled * self.x.astype(residual.dtype, copy=False)))
        if self.homogeneity:  # Euler's identity, which spares a look at the table
            potential = np.vecdot(theta, gradient) / self.homogeneity
        return potential, gradient


def _fitting(residual, size):
    residual = checks.floats("residual", residual)
    if residual.shape[-1:] != (size,):
        raise ValueError(f"residual must have shape (..., {size}), but its shape is {residual.shape}")
    return residual
