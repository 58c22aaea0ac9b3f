"""The penalty c V of a particle u = (w, theta), eq. (3), in the form that fits the feature map phi.

What V costs a measure with masses a_i is the same formula for all of them: c sum_i |a_i||theta_i|^p, where p is the
homogeneity of phi. On particles V is |w| if phi is bounded (p = 0), and (w^2 + |theta|^2)/2 for ReLU (p = 1): |w| alone
would be vacuous there, since w can be made small at the expense of theta. For ReLU with signed squares (p = 2) the
signs w = +-1 never change, and V = |theta|^2 (App. D.4).
Shapes: w (..., m), theta (..., m, d); leading axes are independent runs. `potential` and `gradient` are those of the
risk at the particles.
"""

import numpy as np

from mfcourse import checks


def soft_threshold(x, level):
    """Proximal map of level |x|: moves every entry towards 0 by `level`, and stops there.

    Raises ValueError if an entry is not finite, or a level is negative.
    """
    x, level = checks.finite("x", x), checks.finite("level", level)
    if (level < 0).any():
        raise ValueError(f"level must be >= 0, but it is {level.min():g}")
    checks.same_runs(x=x.shape, level=level.shape)
    return _shrunk(x, level)


def _shrunk(x, level):
    return x - x.clip(-level, level)


class TotalVariation:
    """V = |w|, for bounded features."""

    @staticmethod
    def value(w, theta):
        """V of every particle, shape (..., m)."""
        return np.abs(w)

    @staticmethod
    def forces(w, potential, gradient):
        """m times the gradient of the risk in w (..., m) and in theta (..., m, d)."""
        return potential, w[..., None] * gradient

    @staticmethod
    def velocity(c, w, theta, force_w, force_theta):
        """Minus the forces and c dV; at the kink w = 0 the subgradient of least norm (Prop. 2.3)."""
        waiting = -_shrunk(force_w, c)
        return np.where(w == 0, waiting, -(force_w + c * np.sign(w))), -force_theta

    @staticmethod
    def proximal(w, theta, level_w, level_theta):
        """The implicit step of the penalty: level is step size times c."""
        return _shrunk(w, level_w), theta


class SquaredNorm:
    """V = (w^2 + |theta|^2) / 2, for ReLU: its least value among all (w, theta) of one neuron is |w||theta|."""

    @staticmethod
    def value(w, theta):
        """V of every particle, shape (..., m)."""
        return (w**2 + np.vecdot(theta, theta)) / 2

    forces = TotalVariation.forces

    @staticmethod
    def velocity(c, w, theta, force_w, force_theta):
        """Minus the forces and c dV (Prop. 2.3)."""
        return -(force_w + c * w), -(force_theta + c * theta)

    @staticmethod
    def proximal(w, theta, level_w, level_theta):
        """The implicit step of the penalty: level is step size times c."""
        return w / (1 + level_w), theta / (1 + level_theta)


class FixedSigns:
    """V = |theta|^2 with weights w = +-1 that stay, for ReLU with signed squares."""

    @staticmethod
    def value(w, theta):
        """V of every particle, shape (..., m)."""
        return np.vecdot(theta, theta)

    @staticmethod
    def forces(w, potential, gradient):
        """m times the gradient of the risk in theta (..., m, d); none in w (..., m)."""
        return np.zeros_like(w), w[..., None] * gradient

    @staticmethod
    def velocity(c, w, theta, force_w, force_theta):
        """Minus the forces and c dV (Prop. 2.3); the weights have none."""
        return -force_w, -(force_theta + 2 * c * theta)

    @staticmethod
    def proximal(w, theta, level_w, level_theta):
        """The implicit step of the penalty: level is step size times c."""
        return w, theta / (1 + 2 * level_theta)


PENALTIES = (TotalVariation, SquaredNorm, FixedSigns)  # by the homogeneity of phi
