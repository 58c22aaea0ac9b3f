"""Closed forms: what two neurons share when x ~ N(0, I_d), the mean of core(a . x) core(b . x), and its gradient in a.

The arc-cosine kernel belongs to ReLU (Cho and Saul 2009), the arcsine kernel to erf (Williams 1998). Both are summed
over b against masses. Shapes: a (..., q, d), b (..., m, d), masses (..., m) -> sums (..., q), gradients (..., q, d);
leading axes are independent runs. Where `a is b`, each pair is looked at once. ValueError if a shape is wrong or a
result not finite.
"""

import numpy as np

from mfcourse import activations, checks, results

PAIRS = 2**16  # pairs of neurons worked on together, so that they stay in the cache
ALL = slice(None)
ROWS = 64  # least number of rows of such a block, for the sake of the matrix products


@results.quietly
def arc_cosine(a, b, masses):
    """sum_j masses_j |a||b_j| (sin t + (pi - t) cos t) / (2 pi), where t is the angle of a and b_j, and its gradient.

    The gradient in a is (|b| sin t a/|a| + (pi - t) b) / (2 pi), and the sum a . gradient (Euler's identity). An error
    of t near 0 or pi does no harm: the two terms change by opposite amounts. At a = 0, where there is no angle, the
    gradient is taken to be 0, as for the neurons of a sample.
    """
    a, b, masses = _pairs(a, b, masses)
    unit_a, length_a = polar = _directions(a)
    unit_b, length_b = polar if b is a else _directions(b)
    pull = (masses * length_b)[..., None]

    def tables(cosine, *_):
        np.clip(cosine, -1, 1, out=cosine)
        turn = np.negative(cosine)
        np.arccos(turn, out=turn)  # pi - t
        np.multiply(cosine, cosine, out=cosine)
        np.subtract(1, cosine, out=cosine)
        return np.sqrt(cosine, out=cosine), turn

    sines, turns = _sums(unit_a, unit_b, tables, (pull, pull * unit_b))
    gradient = (sines * unit_a + turns) / (2 * np.pi) * (length_a > 0)[..., None]
    total = np.vecdot(a, gradient)
    results.finite((total, gradient, length_a, length_b), a=a, b=b, masses=masses)
    return total, gradient


@results.quietly
def arc_sine(a, b, masses):
    """sum_j masses_j (2/pi) asin u, where u = 2 a . b_j / sqrt((1 + 2|a|^2)(1 + 2|b_j|^2)), and its gradient.

    By Cauchy and Schwarz 1 - u^2 is at least its value for parallel vectors of these lengths: the bound keeps the
    slope of asin right where 1 - u^2 drowns in rounding, for long vectors in (almost) the same direction.
    """
    a, b, masses = _pairs(a, b, masses)
    scaled_a, small_a = scaled = _compressed(a)
    scaled_b, small_b = scaled if b is a else _compressed(b)
    weights = masses[..., None]

    def tables(u, own, others):
        p, q = small_a[..., own, None], small_b[..., None, others]
        slope = np.maximum(1 - u * u, p + q - p * q)
        np.sqrt(slope, out=slope)
        np.divide(1, slope, out=slope)
        return np.arcsin(np.clip(u, -1, 1)), slope, np.multiply(u, slope, out=u)

    angles, towards, along = _sums(scaled_a, scaled_b, tables, (weights, weights * scaled_b, weights))
    gradient = (towards - along * scaled_a) * np.sqrt(2 * small_a)[..., None]
    total, gradient = angles[..., 0] * (2 / np.pi), gradient * (2 / np.pi)
    results.finite((total, gradient, 1 / small_a, 1 / small_b), a=a, b=b, masses=masses)
    return total, gradient


@results.quietly
def arc_cosine_matrix(a, b):
    """The arc-cosine kernel of every pair, shape (..., q, m)."""
    a, b, _ = _pairs(a, b)
    (unit_a, length_a), (unit_b, length_b) = _directions(a), _directions(b)
    cosine = np.clip(unit_a @ unit_b.mT, -1, 1)
    sine, turn = np.sqrt(1 - cosine**2), np.arccos(-cosine)
    kernel = length_a[..., None] * length_b[..., None, :] * (sine + turn * cosine) / (2 * np.pi)
    results.finite((kernel, length_a, length_b), a=a, b=b)
    return kernel


@results.quietly
def arc_sine_matrix(a, b):
    """The arcsine kernel of every pair, shape (..., q, m)."""
    a, b, _ = _pairs(a, b)
    (scaled_a, small_a), (scaled_b, small_b) = _compressed(a), _compressed(b)
    kernel = np.arcsin(np.clip(scaled_a @ scaled_b.mT, -1, 1)) * (2 / np.pi)
    results.finite((kernel, 1 / small_a, 1 / small_b), a=a, b=b)
    return kernel


CLOSED_FORMS = {  # sums against masses with gradients, and the matrix of all pairs
    activations.relu: (arc_cosine, arc_cosine_matrix),
    activations.erf: (arc_sine, arc_sine_matrix),
}


def _pairs(a, b, masses=None):
    """Vectors and masses as float arrays that fit each other; ValueError otherwise. What is the same stays the same."""
    same, a = b is a, checks.points("a", a)
    b = a if same else checks.points("b", b, a.shape[-1])
    if masses is not None:
        masses = checks.floats("masses", masses)
        if masses.shape[-1:] != b.shape[-2:-1]:
            raise ValueError(f"masses must have shape (..., {b.shape[-2]}), one for each b, but it is {masses.shape}")
    checks.same_runs(a=a.shape[:-2], b=b.shape[:-2], **({} if masses is None else {"masses": masses.shape[:-1]}))
    return a, b, masses


def _sums(left, right, tables, sides):
    """For u_ij = left_i . right_j and each of the symmetric tables T(u): sum_j T_ij side_j, shape (..., q, columns).

    `tables` receives a block of u and the slices of its rows and columns; it may work in place.
    """
    rows = max(ROWS, PAIRS // max(right[..., 0].size, 1))
    if rows >= left.shape[-2]:  # all of them in one block
        return [table @ side for table, side in zip(tables(left @ right.mT, ALL, ALL), sides, strict=True)]
    runs = np.broadcast_shapes(left.shape[:-2], right.shape[:-2], *(side.shape[:-2] for side in sides))
    sums = [np.zeros((*runs, left.shape[-2], side.shape[-1]), side.dtype) for side in sides]
    for start in range(0, left.shape[-2], rows):
        own, after = slice(start, start + rows), slice(start + rows, None)
        others = slice(start if left is right else 0, None)
        u = left[..., own, :] @ right[..., others, :].mT
        for table, side, total in zip(tables(u, own, others), sides, sums, strict=True):
            total[..., own, :] += table @ side[..., others, :]
            if left is right:
                total[..., after, :] += table[..., rows:].mT @ side[..., own, :]
    return sums


def _directions(vectors):
    """Unit vectors (..., m, d) and lengths (..., m); a zero vector has the direction 0."""
    length = np.sqrt(np.vecdot(vectors, vectors))
    return vectors / (length + (length == 0))[..., None], length


def _compressed(vectors):
    """sqrt2 v / sqrt(1 + 2|v|^2), shorter than 1, and 1 / (1 + 2|v|^2)."""
    small = 1 / (1 + 2 * np.vecdot(vectors, vectors))
    return vectors * np.sqrt(2 * small)[..., None], small
