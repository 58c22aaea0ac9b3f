"""A few erf neurons in high dimension: their scalar products with each other and their teachers move by themselves.

f(x) = (1/m) sum_i w_i erf(theta_i . x) learns sum_k a_k erf(v_k . x), a_k the teacher's masses, from steps of size
c / N on fresh samples x ~ N(0, I_N) with labels of noise tau. G (..., n, n), n = m + m0, holds all scalar products, of
the m students first. In the particles' own time, t = c k / N, as N grows,
w_i' = -E e sigma_i and G_ij' = -E e (w_i sigma'_i z_j + w_j sigma'_j z_i) + c w_i w_j E e^2 sigma'_i sigma'_j
(j a teacher: without what stands for it as a student), where e = f - y and z_i = theta_i . x. The slope of erf is a
Gaussian density: it tilts the law of x, and all means are arcsines again (Saad, Solla 1995).

Shapes: w (..., m), gram (..., n, n), masses (m0,); leading axes are independent runs, and c may be a number for each.
Each function raises ValueError for shapes that do not fit and for a matrix that is no Gram matrix.
"""

import numpy as np
from scipy import integrate

from mfcourse import checks, results
from mfcourse.beyond.chains import demand_times
from mfcourse.foreign import shown

K = 2.0  # erf'(z) = sqrt(2 K / pi) exp(-K z^2 / 2)


def shares(gram):
    """E erf(z_i) erf(z_j) = (2/pi) asin(2 G_ij / sqrt((1 + 2 G_ii)(1 + 2 G_jj))), shape (..., n, n)."""
    return _shares(_gram(gram))


def charges(w, masses):
    """The coefficients of f - f* in the n neurons: w_i / m and -a_k, shape (..., n)."""
    w, masses = checks.finite("w", w), checks.finite("masses", masses)
    if w.ndim < 1 or not w.shape[-1]:
        raise ValueError(f"w must have shape (..., m) with m >= 1, but its shape is {w.shape}")
    if masses.ndim != 1 or not len(masses):
        raise ValueError(f"masses must have shape (m0,) with m0 >= 1, but its shape is {masses.shape}")
    return _charges(w, masses)


@results.quietly
def risk(w, gram, masses):
    """(1/2) E (f - f*)^2, shape (...)."""
    w, gram, masses = _fitting(w, gram, masses)
    e = _charges(w, masses)
    value = np.maximum(np.einsum("...a,...ab,...b->...", e, _shares(gram), e) / 2, 0)  # all rounding near the teacher
    return results.finite(value, w=w, gram=gram, masses=masses)


@results.quietly
def rates(w, gram, masses, c, noise=0.0, learn_w=True):
    """(w', G') at these (w, G), shapes (..., m) and (..., n, n); w' = 0 with learn_w=False.

    c >= 0, where 0 is the limit of smaller steps, the gradient flow of chapter 11; noise: the deviation tau >= 0.
    """
    w, gram, masses = _fitting(w, gram, masses)
    return _rates(w, gram, masses, *_settings(w, c, noise, learn_w))


@results.quietly
def follow(w, gram, masses, c, times, noise=0.0, learn_w=True):
    """The states (T, ..., m) and (T, ..., n, n) at increasing `times` (T,) >= 0 from (w, G) at time 0; as `rates`.

    Relative errors are about 1e-8. Runs are solved together, by steps that suit them all.
    """
    (w, gram, masses), times = _fitting(w, gram, masses), demand_times(times)
    settings = _settings(w, c, noise, learn_w)

    def slope(_, state):
        parts = state[: w.size].reshape(w.shape), state[w.size :].reshape(gram.shape)
        return np.concatenate([part.ravel() for part in _rates(*parts, masses, *settings)])

    start = np.concatenate([w.ravel(), gram.ravel()])
    solved = integrate.solve_ivp(slope, (0, times[-1]), start, "DOP853", [0, *times[times > 0]], rtol=1e-9, atol=1e-12)
    if not solved.success:
        raise ValueError(f"times must end before the neurons blow up, but from there {solved.message.lower()}")
    states = solved.y.T[int(times[0] > 0) :] if times[-1] else start[None]
    return states[:, : w.size].reshape(-1, *w.shape), states[:, w.size :].reshape(-1, *gram.shape)


def _rates(w, gram, masses, c, tau, learn_w):
    m, e = w.shape[-1], _charges(w, masses)
    once, long = _tilted(gram, m)
    # E e sigma'_i z_j = (2K/pi) (1 + K G_ii)^(-1/2) sum_a e_a T_ja (1 + K T_aa)^(-1/2), T the law tilted by i
    felt = e[..., None, :] / np.sqrt(1 + K * np.diagonal(once, axis1=-2, axis2=-1))
    pull = 2 * K / np.pi * (w / np.sqrt(long))[..., None] * (once @ felt[..., None])[..., 0]
    change = np.zeros_like(gram)
    change[..., :m, :] -= pull
    change[..., :, :m] -= pull.mT
    if c.any():
        twice, longer = _tilted(once, m)
        square = np.einsum("...a,...ijab,...b->...ij", e, _shares(twice), e) + np.square(tau)
        kicks = 2 * K / np.pi * w[..., :, None] * w[..., None, :] * square / np.sqrt(long[..., None] * longer)
        change[..., :m, :m] += c[..., None, None] * kicks
    speed = -(_shares(gram)[..., :m, :] @ e[..., None])[..., 0] if learn_w else np.zeros_like(w)
    return results.finite((speed, change), w=w, gram=gram, masses=masses, c=c, noise=tau)


def _tilted(gram, m):
    """For each of the first m directions i: the covariance (..., m, n, n) under exp(-K z_i^2 / 2), and 1 + K G_ii.

    T = G - K G_.i G_i. / (1 + K G_ii); the density itself has the mean (1 + K G_ii)^(-1/2).
    """
    rows = gram[..., :m, :]
    long = 1 + K * np.diagonal(gram, axis1=-2, axis2=-1)[..., :m]
    return gram[..., None, :, :] - K * rows[..., :, None] * rows[..., None, :] / long[..., None, None], long


def _shares(gram):
    length = np.sqrt(1 + K * np.diagonal(gram, axis1=-2, axis2=-1))
    return 2 / np.pi * np.arcsin(np.clip(K * gram / (length[..., None] * length[..., None, :]), -1, 1))


def _charges(w, masses):
    e = np.empty((*w.shape[:-1], w.shape[-1] + len(masses)))
    e[..., : w.shape[-1]], e[..., w.shape[-1] :] = w / w.shape[-1], -masses
    return e


def _gram(gram):
    """A matrix of scalar products (..., n, n) as floats; ValueError otherwise."""
    gram = checks.finite("gram", gram).astype(float)
    if gram.ndim < 2 or gram.shape[-1] != gram.shape[-2] or not gram.size:
        raise ValueError(f"gram must have shape (..., n, n), but its shape is {gram.shape}")
    slack = 1e-9 * np.abs(gram).max()
    skew, least = np.abs(gram - gram.mT).max(), np.linalg.eigvalsh(gram).min()
    if skew > slack or least < -slack * gram.shape[-1]:
        told = f"entries differ by {skew:.3g} from those opposite" if skew > slack else f"an eigenvalue is {least:.3g}"
        raise ValueError(f"gram must hold scalar products, as theta @ theta.T does, but {told}")
    return gram


def _fitting(w, gram, masses):
    """w, gram and masses as floats that are of the same runs; ValueError otherwise."""
    n = charges(w, masses).shape[-1]
    w, gram, masses = np.asarray(w, float), _gram(gram), np.asarray(masses, float)
    if gram.shape != (*w.shape[:-1], n, n):
        raise ValueError(f"gram must have shape {(*w.shape[:-1], n, n)}, n = m + m0, but its shape is {gram.shape}")
    return w, gram, masses


def _settings(w, c, noise, learn_w):
    """c as an array of one number or one for each run, tau, and whether weights move; ValueError otherwise."""
    sizes = checks.finite("c", c) if np.ndim(c) else np.array(checks.positive("c", c, or_zero=True))
    if sizes.shape not in ((), w.shape[:-1]) or sizes.min(initial=0) < 0:
        raise ValueError(f"c must be a number >= 0, or one for each run, shape {w.shape[:-1]}, but it is {shown(c)}")
    return sizes, checks.positive("noise", noise, or_zero=True), checks.flag("learn_w", learn_w)
