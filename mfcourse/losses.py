"""Convex losses R: F -> R_+ on predictions: value, gradient, and convex conjugate for duality gaps (eq. (1)).

Shapes: predictions f and dual points q (..., n), values (...); leading axes are independent runs. All raise ValueError
if a shape is wrong or an entry not finite.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy

from mfcourse import checks, results


@dataclass(frozen=True, eq=False)
class Squared:
    """R(f) = |f - target|^2 / (2 scale). For spikes the scale is the regularisation lambda (Sec. 4.1).

    target: (n,), or (..., n) for a stack of problems; scale > 0. Raises ValueError otherwise.
    """

    target: np.ndarray
    scale: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "target", _numbers("target", self.target))
        object.__setattr__(self, "scale", checks.positive("scale", self.scale))

    @property
    def smoothness(self):
        """Lipschitz constant of R'; here R'' is this number times the identity."""
        return 1 / self.scale

    @results.quietly
    def value(self, f):
        """R(f), shape (...)."""
        f, target = _fitting("predictions", f, self.target)
        difference = f - target
        value = np.vecdot(difference, difference) / (2 * self.scale)
        return results.finite(value, predictions=f, target=target)

    @results.quietly
    def gradient(self, f):
        """R'(f), shape (..., n)."""
        f, target = _fitting("predictions", f, self.target)
        return results.finite((f - target) / self.scale, predictions=f, target=target)

    @results.quietly
    def conjugate(self, q):
        """R*(q) = sup_f <f, q> - R(f) = <target, q> + scale |q|^2 / 2."""
        q, target = _fitting("q", q, self.target)
        value = np.vecdot(target, q) + self.scale * np.vecdot(q, q) / 2
        return results.finite(value, q=q, target=target)


@dataclass(frozen=True, eq=False)
class Logistic:
    """R(f) = (1/n) sum_i log(1 + exp(-y_i f_i)) for labels y_i in {-1, 1}.

    labels: (n,), or (..., n) for a stack of problems. Raises ValueError if an entry is neither -1 nor 1.
    """

    labels: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "labels", _numbers("labels", checks.signs("labels", self.labels)))

    @property
    def smoothness(self):
        """Lipschitz constant of R'."""
        return 1 / (4 * self.labels.shape[-1])

    @results.quietly
    def value(self, f):
        """R(f), shape (...)."""
        f, labels = _fitting("predictions", f, self.labels)
        value = np.logaddexp(0, -labels * f).mean(axis=-1)
        return results.finite((f, value), predictions=f)[1]

    @results.quietly
    def gradient(self, f):
        """R'(f), shape (..., n)."""
        f, labels = _fitting("predictions", f, self.labels)
        results.finite(f, predictions=f)
        return -labels * expit(-labels * f) / labels.shape[-1]

    @results.quietly
    def conjugate(self, q):
        """R*(q) = (1/n) sum_i p_i log p_i + (1 - p_i) log(1 - p_i) with p = -n y q in [0, 1]; infinite outside."""
        q, labels = _fitting("q", checks.finite("q", q), self.labels)
        p = -labels.shape[-1] * labels * q
        inside = np.clip(p, 0, 1)
        entropy = (xlogy(inside, inside) + xlogy(1 - inside, 1 - inside)).mean(axis=-1)
        return np.where(((p >= 0) & (p <= 1)).all(axis=-1), entropy, np.inf)


def _numbers(name, values):
    values = checks.finite(name, values).copy()
    if values.ndim < 1 or values.shape[-1] < 1:
        raise ValueError(f"{name} must have shape (..., n) with n >= 1, but its shape is {values.shape}")
    values.setflags(write=False)
    return values


def _fitting(name, f, data):
    """Predictions as floats, and the data in their precision; ValueError if there is not one target for each entry."""
    f = checks.floats(name, f)
    if f.shape[-1:] != data.shape[-1:] or (data.ndim > 1 and f.shape[:-1] != data.shape[:-1]):
        stack = f"; a stack of {data.shape[0]} problems needs as many starts: w of shape ({data.shape[0]}, m)"
        raise ValueError(
            f"{name} must have shape (..., n) = {data.shape} like the data, but it is {f.shape}"
            f"{stack if data.ndim > f.ndim else ''}"
        )
    return f, data.astype(f.dtype, copy=False)
