"""Feature maps phi: Theta -> F. Push a measure to a prediction, pull a residual back to a potential on Theta.

Push and pull are adjoint: <push(w, theta), r> = (1/m) sum_i w_i pull(r, theta)_i. What a map of your own must have:
`push(w, theta)`, `pull(residual, theta)`, `push_pull(w, theta, respond)`, the `size` n, the `dimension` d, the `period`
of its positions (None: they live in R^d), and its `homogeneity` p: phi(r theta) = r^p phi(theta) for r > 0, or 0 if phi
is bounded. What it may have:

- `peaks(residual)` -> values (..., k), positions (..., k, d), proof: peaks of the potential, its largest value and its
  least among them; proof says that nothing is beyond them. Without it certificates climb from many places: no proof;
- `matrix(theta)` -> (n, m), phi at m positions, for the best weights on them (`convex.fixed_positions`);
- `norm_squared` and `slope_squared`, bounds on |phi|^2 and |d phi / d theta_j|^2, for `experiments.spike_steps`;
- with all of these, `hessian(residual, theta)` -> (..., m, d, d) and `gram(theta, slopes=False)` -> the inner products
  of phi at m positions, (m, m), or of phi and its slopes, (1 + d, m, 1 + d, m), for `convex.certified_optimum`.

Shapes: w (..., m), theta (..., m, d), prediction and residual (..., n); leading axes are independent runs.
"""

import copy
import functools

import numpy as np

from mfcourse import checks, results, search
from mfcourse.activations import activation_named
from mfcourse.fourier import Fourier
from mfcourse.scratch import Scratch

__all__ = ["Fourier", "Neurons"]  # the two feature maps of the paper; `intervals` has a third one


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
        self._bias, self._table = checks.flag("bias", bias), Scratch()
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
        """The same neurons on the samples with these numbers (k,), 0 to n - 1, sharing kept memory with these."""
        chosen = checks.indices("chosen", chosen, self.size)
        other = copy.copy(self)
        other.x, other.size = self.x[..., chosen, :], len(chosen)
        return other

    @results.quietly
    def push(self, w, theta):
        """Prediction (1/m) sum_i w_i phi(theta_i), shape (..., n)."""
        w, theta = checks.particles(w, theta, self.dimension)
        return self._push(w, theta, self._evaluate(theta))

    @results.quietly
    def pull(self, residual, theta):
        """Potential <residual, phi(theta_i)> (..., m) and its gradient in theta_i (..., m, d)."""
        theta = checks.points("theta", theta, self.dimension)
        return self._pull(residual, theta, self._evaluate(theta))

    @results.quietly
    def push_pull(self, w, theta, respond):
        """Push, turn the prediction f into a residual `respond(f)`, pull it back: phi is evaluated only once.

        Returns prediction (..., n), potential (..., m), gradient (..., m, d).
        """
        w, theta = checks.particles(w, theta, self.dimension)
        values = self._evaluate(theta)
        prediction = self._push(w, theta, values)
        return prediction, *self._pull(respond(prediction), theta, values)

    def peaks(self, residual):
        """Peaks of the potential: values (..., k), positions (..., k, d), and whether nothing can be beyond them.

        For ReLU in the plane all of them on the unit circle; else where climbing ends, on the unit sphere if phi is
        homogeneous.
        """
        field = functools.partial(self.pull, results.with_norm(checks.residual(residual, self.size)))
        if self.activation.homogeneity == 1 and self.dimension == 2 and self.x.ndim == 2:
            return *search.between_kinks(field, self.x), True
        return *search.by_climbing(field, self), False

    @results.quietly
    def matrix(self, theta):
        """phi(theta_i) as columns, shape (n, m), for theta (m, d)."""
        theta = checks.columns(theta, self.dimension)
        rows = self.activation.offset + self.activation.amplitude * self._evaluate(theta)
        results.finite((rows, theta), theta=theta)
        return rows.mT

    def _evaluate(self, theta):
        """The activation's core at every theta_i . x_b, shape (..., m, n), in a table that is kept."""
        runs = checks.same_runs(theta=theta.shape[:-2], x=self.x.shape[:-2])
        table = self._table.get((*runs, theta.shape[-2], self.size), theta.dtype)
        self._fill(table, theta)
        self.activation.core(table)
        return table

    def _fill(self, table, theta):
        np.matmul(self.activation.direction(theta), self.x.astype(theta.dtype, copy=False).mT, out=table)

    def _push(self, w, theta, values):
        sigma, m = self.activation, w.shape[-1]
        prediction = (w[..., None, :] @ values)[..., 0, :] * (sigma.amplitude / m)
        if sigma.offset:
            prediction += sigma.offset / m * w.sum(axis=-1, keepdims=True)
        results.finite((prediction, theta), w=w, theta=theta)  # a sigmoid has limits, a particle has not
        return prediction

    def _pull(self, residual, theta, table):
        """Potential and gradient from the table of values, which is used up."""
        residual = checks.residual(residual, self.size)
        if residual.ndim > 1:
            checks.same_runs(residual=residual.shape[:-1], theta=table.shape[:-2])
        scaled = (residual * self.activation.amplitude)[..., None]
        if not self.homogeneity:
            potential = (table @ scaled)[..., 0] + self.activation.offset * residual.sum(axis=-1, keepdims=True)
        self.activation.slope(table, functools.partial(self._fill, table, theta))
        gradient = self.activation.chain(theta, table @ (scaled * self.x.astype(residual.dtype, copy=False)))
        if self.homogeneity:  # Euler's identity, which spares a look at the table
            potential = np.vecdot(theta, gradient) / self.homogeneity
        results.finite((potential, gradient, theta), residual=residual, theta=theta)
        return potential, gradient
