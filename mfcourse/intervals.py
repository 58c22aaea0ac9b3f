"""Features on an interval with walls, Theta = [0, 1]: the second kind of domain in Assumptions 3.4.

With whole frequencies every <f, phi> has slope 0 at both walls, the Neumann condition: the interval is then a circle
of length 2, folded at 0 and at 1. With other frequencies the condition is broken at the wall t = 1.
Shapes: w (..., m), theta (..., m, 1), prediction and residual (..., n); leading axes are independent runs.
"""

import numpy as np

from mfcourse import checks, results, search

DENSITY = 64  # grid points for each oscillation of the highest cosine, where peaks are looked for
HIGHEST = 2**20  # frequency
ROUNDING = 1e-9  # so far a position may be beyond a wall


class Cosines:
    """Cosines on Theta = [0, 1]: phi(t) = [sqrt2 cos(pi f t) for f in frequencies], where f = 0 gives 1.

    frequencies: n different numbers from 0 to 2^20. The Neumann condition <f, phi>'(0) = <f, phi>'(1) = 0 holds for
    every f if and only if all of them are whole. Raises ValueError for no frequencies, other ones, or one named twice,
    and for positions beyond the walls.
    """

    dimension, period, homogeneity = 1, None, 0

    def __init__(self, frequencies):
        if hasattr(frequencies, "__len__"):
            checks.room(frequencies=len(frequencies))
        frequencies = checks.finite("frequencies", frequencies).astype(np.float64)
        if frequencies.ndim != 1 or len(frequencies) < 1:
            raise ValueError(f"frequencies must be a list of n >= 1 numbers, but its shape is {frequencies.shape}")
        if (frequencies < 0).any():
            raise ValueError(f"frequencies must be >= 0, as cos(-x) = cos(x), but one is {frequencies.min():g}")
        if frequencies.max() > HIGHEST:
            raise ValueError(f"frequencies must be at most {HIGHEST}, but one is {frequencies.max():g}")
        if len(np.unique(frequencies)) < len(frequencies):
            raise ValueError(f"frequencies must be different from each other, but they are {checks.shown(frequencies)}")
        self.frequencies, self.size = frequencies, len(frequencies)
        self._amplitude = np.where(frequencies > 0, 2**0.5, 1.0)

    @results.quietly
    def push(self, w, theta):
        """Prediction (1/m) sum_i w_i phi(theta_i), shape (..., n)."""
        w, theta = checks.particles(w, theta, 1)
        return self._push(w, theta, self._angles(theta))

    @results.quietly
    def pull(self, residual, theta):
        """Potential <residual, phi(theta_i)> (..., m) and its gradient in theta_i (..., m, 1)."""
        theta = checks.points("theta", theta, 1)
        return self._pull(residual, theta, self._angles(theta))

    @results.quietly
    def push_pull(self, w, theta, respond):
        """Push, turn the prediction f into a residual `respond(f)`, pull it back.

        Returns prediction (..., n), potential (..., m), gradient (..., m, 1).
        """
        w, theta = checks.particles(w, theta, 1)
        angles = self._angles(theta)
        prediction = self._push(w, theta, angles)
        return prediction, *self._pull(respond(prediction), theta, angles)

    @property
    def norm_squared(self):
        """|phi(0)|^2, the largest |phi(t)|^2."""
        return float((self._amplitude**2).sum())

    @property
    def slope_squared(self):
        """A bound on |phi'(t)|^2."""
        return float(((np.pi * self.frequencies * self._amplitude) ** 2).sum())

    def peaks(self, residual):
        """Peaks of the potential: values (..., k), positions (..., k, 1), and True: nothing is beyond the largest."""
        residual = results.with_norm(checks.residual(residual, self.size))
        bend = (np.abs(residual) * self._amplitude * (np.pi * self.frequencies) ** 2).sum(axis=-1)
        side = int(np.ceil(DENSITY * max(self.frequencies.max() / 2, 1))) + 1
        checks.room(frequencies=residual.size, grid=side)
        t = np.linspace(0, 1, side)

        def along(t):
            values, slopes = self.pull(residual, t[..., None])
            return values, slopes[..., 0]

        return *search.on_curve(along, t, bend, lambda t: t[..., None]), True

    def matrix(self, theta):
        """phi(theta_i) as columns, shape (n, m), for theta (m, 1)."""
        theta = checks.columns(theta, 1)
        return (np.cos(self._angles(theta)) * self._amplitude.astype(theta.dtype)).mT

    @staticmethod
    def _demand_inside(theta):
        low, high = theta.min(initial=np.inf), theta.max(initial=-np.inf)
        if theta.size and not (low >= -ROUNDING and high <= 1 + ROUNDING):
            results.finite((low, high), theta=theta)
            raise ValueError(f"theta must lie on the interval [0, 1], but it runs from {low:g} to {high:g}")

    def _angles(self, theta):
        """pi f t for every position and frequency, shape (..., m, n)."""
        self._demand_inside(theta)
        return theta * (np.pi * self.frequencies).astype(theta.dtype, copy=False)

    def _push(self, w, theta, angles):
        total = (w[..., None, :] @ np.cos(angles))[..., 0, :]
        total = total * (self._amplitude / w.shape[-1]).astype(total.dtype, copy=False)
        return results.finite(total, w=w, theta=theta)

    def _pull(self, residual, theta, angles):
        residual = checks.residual(residual, self.size)
        if residual.ndim > 1:
            checks.same_runs(residual=residual.shape[:-1], theta=theta.shape[:-2])
        values = (residual * self._amplitude.astype(residual.dtype, copy=False))[..., None]
        slopes = values * (-np.pi * self.frequencies).astype(residual.dtype, copy=False)[:, None]
        potential, gradient = (np.cos(angles) @ values)[..., 0], np.sin(angles) @ slopes
        return results.finite((potential, gradient), residual=residual, theta=theta)


def kept_inside(step):
    """The step (w, theta) -> (w, theta) with walls at 0 and 1: a position that leaves goes to the closest point."""
    checks.function("step", step)

    def walled(w, theta):
        w, theta = step(w, theta)
        return w, np.clip(theta, 0, 1)

    return walled
