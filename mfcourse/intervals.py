"""Features on an interval with walls, Theta = [0, 1]: the second kind of domain in Assumptions 3.4.

With whole frequencies every <f, phi> has slope 0 at both walls, the Neumann condition: the interval is then a circle
of length 2, folded at 0 and at 1. With other frequencies the condition is broken at the wall t = 1.
Shapes: w (..., m), theta (..., m, 1), prediction and residual (..., n); leading axes are independent runs.
"""

import numpy as np

from mfcourse import checks, search

DENSITY = 64  # grid points for each oscillation of the highest cosine, where peaks are looked for


class Cosines:
    """Cosines on Theta = [0, 1]: phi(t) = [sqrt2 cos(pi f t) for f in frequencies], where f = 0 gives 1.

    frequencies: n different numbers >= 0. The Neumann condition <f, phi>'(0) = <f, phi>'(1) = 0 holds for every f if
    and only if all of them are whole. Raises ValueError for no frequencies, negative ones, or one named twice.
    """

    dimension, period, homogeneity = 1, None, 0

    def __init__(self, frequencies):
        frequencies = checks.finite("frequencies", frequencies).astype(np.float64)
        if frequencies.ndim != 1 or len(frequencies) < 1:
            raise ValueError(f"frequencies must be a list of n >= 1 numbers, but its shape is {frequencies.shape}")
        if (frequencies < 0).any():
            raise ValueError(f"frequencies must be >= 0, as cos(-x) = cos(x), but one is {frequencies.min():g}")
        if len(np.unique(frequencies)) < len(frequencies):
            raise ValueError(f"frequencies must be different from each other, but they are {frequencies.tolist()}")
        self.frequencies, self.size = frequencies, len(frequencies)
        self._amplitude = np.where(frequencies > 0, 2**0.5, 1.0)

    def push(self, w, theta):
        """Prediction (1/m) sum_i w_i phi(theta_i), shape (..., n)."""
        w, theta = checks.particles(w, theta, 1)
        return self._push(w, self._angles(theta))

    def pull(self, residual, theta):
        """Potential <residual, phi(theta_i)> (..., m) and its gradient in theta_i (..., m, 1)."""
        return self._pull(residual, self._angles(checks.points("theta", theta, 1)))

    def push_pull(self, w, theta, respond):
        """Push, turn the prediction f into a residual `respond(f)`, pull it back.

        Returns prediction (..., n), potential (..., m), gradient (..., m, 1).
        """
        w, theta = checks.particles(w, theta, 1)
        angles = self._angles(theta)
        prediction = self._push(w, angles)
        return prediction, *self._pull(respond(prediction), angles)

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
        bend = (np.abs(residual) * self._amplitude * (np.pi * self.frequencies) ** 2).sum(axis=-1)
        t = np.linspace(0, 1, int(np.ceil(DENSITY * max(self.frequencies.max() / 2, 1))) + 1)

        def along(t):
            values, slopes = self.pull(residual, t[..., None])
            return values, slopes[..., 0]

        return *search.on_curve(along, t, bend, lambda t: t[..., None]), True

    def matrix(self, theta):
        """phi(theta_i) as columns, shape (n, m), for theta (m, 1)."""
        return self.pull(np.eye(self.size), theta)[0]

    def _angles(self, theta):
        return theta * (np.pi * self.frequencies).astype(theta.dtype, copy=False)  # (..., m, n)

    def _push(self, w, angles):
        total = (w[..., None, :] @ np.cos(angles))[..., 0, :]
        return total * (self._amplitude / w.shape[-1]).astype(total.dtype, copy=False)

    def _pull(self, residual, angles):
        residual = checks.residual(residual, self.size)
        values = (residual * self._amplitude.astype(residual.dtype, copy=False))[..., None]
        slopes = values * (-np.pi * self.frequencies).astype(residual.dtype, copy=False)[:, None]
        return (np.cos(angles) @ values)[..., 0], np.sin(angles) @ slopes


def kept_inside(step):
    """The step (w, theta) -> (w, theta) with walls at 0 and 1: a position that leaves goes to the closest point."""

    def walled(w, theta):
        w, theta = step(w, theta)
        return w, np.clip(theta, 0, 1)

    return walled
