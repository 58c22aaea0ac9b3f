"""Gaussian laws: noisy gradient descent on a quadratic, followed exactly, and how different two Gaussians are.

On w'Hw/2 - b'w a Gaussian start stays Gaussian, so ridge regression is a vector and a matrix (U6).
Shapes: means (..., d), covariances (..., d, d); leading axes are independent pairs.
"""

import math

import numpy as np

from mfcourse import checks, results

LONGEST = 2**53  # steps that floats count exactly


@results.quietly
def gaussian_law(hessian, linear, step, temperature, mean, cov, steps):
    """(mean (d,), cov (d, d)) after `steps` noisy steps on w'Hw/2 - b'w from N(mean, cov); 0 as cov is a sure start.

    One step is w - step (Hw - b) + sqrt(2 step temperature) xi. hessian: H (d, d), symmetric; linear: b (d,). With
    math.inf steps it is the law at rest: mean H^-1 b, covariance tau H^-1 (I - step H/2)^-1 (U6).

    Raises ValueError if shapes or signs are wrong, and for math.inf unless 0 < step * h < 2 for all eigenvalues h.
    """
    hessian, linear = _symmetric("hessian", hessian), checks.finite("linear", linear)
    mean, cov = checks.finite("mean", mean), _symmetric("cov", cov)
    size = hessian.shape[-1]
    for name, array, shape in (("linear", linear, (size,)), ("mean", mean, (size,)), ("cov", cov, (size, size))):
        if array.shape != shape or hessian.ndim != 2:
            raise ValueError(f"{name} must have shape {shape} to fit a hessian (d, d), but its shape is {array.shape}")
    step, steps = checks.positive("step", step), duration("steps", steps)
    temperature = checks.positive("temperature", temperature, or_zero=True)
    values, frame = np.linalg.eigh(hessian)
    factors = 1 - step * values
    if steps == math.inf and np.abs(factors).max() >= 1:
        raise ValueError(
            f"steps must be finite here: with eigenvalues of the hessian from {values[0]:.3g} to {values[-1]:.3g} and "
            f"step {step:.3g} there is no law at rest, which needs 0 < step * eigenvalue < 2"
        )
    if steps == 0:
        return mean, cov
    kept = (frame * factors**steps) @ frame.T
    moved = kept @ mean + step * frame @ (geometric(factors, steps) * (frame.T @ linear))
    spread = (frame * (2 * step * temperature * geometric(factors**2, steps))) @ frame.T
    return results.finite((moved, kept @ cov @ kept + spread), hessian=hessian, linear=linear, mean=mean, cov=cov)


@results.quietly
def renyi(order, mean, cov, mean2, cov2):
    """Renyi divergence of N(mean, cov) from N(mean2, cov2), shape (...); order 1 is Kullback and Leibler's.

    Infinite where (1 - order) cov + order cov2 is not positive definite: there the tails of the first law are too heavy
    for the second. Raises ValueError unless order >= 1 and both covariances are symmetric and positive definite.
    """
    order = checks.positive("order", order)
    if order < 1:
        raise ValueError(f"order must be a finite number >= 1, but it is {order:g}")
    mean, mean2 = checks.finite("mean", mean), checks.finite("mean2", mean2)
    cov, cov2 = _positive("cov", cov), _positive("cov2", cov2)
    for name, array in (("mean", mean), ("mean2", mean2)):
        if array.ndim < 1 or array.shape[-1:] != cov.shape[-1:] or cov.shape[-1] != cov2.shape[-1]:
            raise ValueError(
                f"{name} must have shape (..., d) to fit covariances (..., d, d), but the shapes are {array.shape}, "
                f"{cov.shape} and {cov2.shape}"
            )
    checks.same_runs(mean=mean.shape[:-1], cov=cov.shape[:-2], mean2=mean2.shape[:-1], cov2=cov2.shape[:-2])
    root = np.linalg.cholesky(cov2)
    half = np.linalg.solve(root, cov2 - cov)
    narrower, frame = np.linalg.eigh(np.linalg.solve(root, half.swapaxes(-1, -2)))  # 1 minus the ratio of variances
    gap = np.linalg.solve(root, (mean - mean2)[..., None])
    gap = (frame.swapaxes(-1, -2) @ gap)[..., 0]
    mixed = 1 + (order - 1) * narrower
    heavy = (mixed <= 0).any(axis=-1)
    mixed, inside = np.where(mixed > 0, mixed, 1), np.where(mixed > 0, narrower, 0)
    slope = inside if order == 1 else np.log1p((order - 1) * inside) / (order - 1)
    parts = order * gap**2 / (2 * mixed) - (slope + np.log1p(-narrower)) / 2
    value = results.finite(np.where(heavy, 0, parts.sum(axis=-1)), mean=mean, mean2=mean2, cov=cov, cov2=cov2)
    return np.where(heavy, np.inf, value)[()]


def geometric(factor, number):
    """1 + factor + ... + factor^(number - 1), whole arrays of factors at once; `number` may be inf if |factor| < 1."""
    factor = np.asarray(factor, dtype=float)
    if number == 0:
        return np.zeros_like(factor)
    with np.errstate(divide="ignore", over="ignore"):
        rise = np.where(factor > 0, np.expm1(number * np.log(np.abs(factor))), factor**number - 1)
    return np.where(factor == 1, number, rise / np.where(factor == 1, 1, factor - 1))[()]


def duration(name, value):
    """A number of steps, whole and >= 0, or math.inf; ValueError otherwise."""
    endless = isinstance(value, float) and value == math.inf
    return math.inf if endless else checks.count(name, value, at_least=0, at_most=LONGEST)


def _symmetric(name, values):
    array = checks.finite(name, values)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or not array.shape[-1]:
        raise ValueError(f"{name} must have shape (..., d, d) with d >= 1, but its shape is {array.shape}")
    turned = array.swapaxes(-1, -2)
    if not np.allclose(array, turned, rtol=1e-9, atol=1e-9 * np.abs(array).max(initial=0)):
        raise ValueError(
            f"{name} must be symmetric, but it differs from its transpose by {np.abs(array - turned).max():.3g}"
        )
    return (array + turned) / 2


def _positive(name, values):
    array = _symmetric(name, values)
    least = np.linalg.eigvalsh(array)[..., 0].min(initial=np.inf)
    if least <= 0:
        raise ValueError(f"{name} must be positive definite, but its smallest eigenvalue is {least:.3g}")
    return array
