"""Signed atomic measures mu = sum_i a_i delta_{theta_i}, and how particles become measures.

A measure is known by its integrals (Sec. 1): the only question one can put to mu is the value of int f dmu.
Shapes: masses a (m,), positions theta (m, d); here the masses are a_i = w_i / m, the factor 1/m is inside.
"""

import numbers
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mfcourse import checks, results


@dataclass(frozen=True, eq=False)
class Measure:
    """The signed measure sum_i a_i delta_{theta_i}; it may have no atom at all (the zero measure).

    weights: masses a_i, shape (m,); positions: theta_i, shape (m, d). Both are copied and read-only.
    Raises ValueError if the shapes do not fit, or an entry or the sum of all |a_i| is not finite.
    """

    weights: np.ndarray
    positions: np.ndarray
    __array_ufunc__ = None  # NumPy numbers leave `number * measure` to the measure

    def __post_init__(self):
        weights = checks.finite("weights", self.weights).copy()
        positions = checks.finite("positions", self.positions).copy()
        if weights.ndim != 1:
            raise ValueError(f"weights must have shape (m,), but its shape is {weights.shape}")
        if positions.ndim != 2 or len(positions) != len(weights) or positions.shape[1] < 1:
            raise ValueError(f"positions must have shape ({len(weights)}, d), but its shape is {positions.shape}")
        with np.errstate(over="ignore"):
            if not np.isfinite(np.abs(weights).sum()):
                raise ValueError(
                    f"weights must have a finite total variation, but the largest is {np.abs(weights).max():g}"
                )
        for name, array in (("weights", weights), ("positions", positions)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self):
        return len(self.weights)

    @property
    def dimension(self):
        """Number d of coordinates of a position."""
        return self.positions.shape[1]

    def integral(self, function):
        """int f dmu = sum_i a_i f(theta_i), for f mapping positions (m, d) to values (m,) or (m, n)."""
        values = checks.function("function", function)(self.positions)
        if not (isinstance(values, np.ndarray) and values.dtype.kind == "c"):  # Fourier coefficients are complex
            values = checks.floats("what function returns", values)
        if values.shape[:1] != self.weights.shape:
            raise ValueError(f"function must return one value for each of {len(self)} positions, not {values.shape}")
        if not np.isfinite(values).all():
            wrong = values[~np.isfinite(values)][0]
            raise ValueError(f"function must be finite at every position, but one value is {wrong}")
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.tensordot(self.weights, values, 1)
        if not np.isfinite(total).all():
            raise ValueError(f"function must be so small that its integral is finite, not {np.abs(values).max():.3g}")
        return total.item() if total.ndim == 0 else total

    @property
    def mass(self):
        """mu(Theta) = sum_i a_i."""
        return float(self.weights.sum(dtype=np.float64))

    @property
    def total_variation(self):
        """|mu|(Theta) = sum_i |a_i|, for atoms at different positions."""
        return float(np.abs(self.weights).sum())

    @property
    def positive(self):
        """mu_+ of the Jordan decomposition mu = mu_+ - mu_-, for atoms at different positions."""
        return self._where(self.weights > 0)

    @property
    def negative(self):
        """mu_- of the Jordan decomposition: a non-negative measure."""
        return -self._where(self.weights < 0)

    def __reduce__(self):  # copies and pickles are checked and read-only too
        return Measure, (self.weights, self.positions)

    def __add__(self, other):
        if not isinstance(other, Measure):
            return NotImplemented
        if self.dimension != other.dimension:
            raise ValueError(f"measures must share d to be added, but d is {self.dimension} and {other.dimension}")
        return Measure(np.r_[self.weights, other.weights], np.r_[self.positions, other.positions])

    def __mul__(self, factor):
        if not isinstance(factor, numbers.Real):
            return NotImplemented
        with np.errstate(over="ignore"):
            return Measure(self.weights * float(checks.finite("factor", factor)), self.positions)

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def sample(self, size, rng):
        """The empirical measure of `size` independent draws from mu / mu(Theta), with the total mass of mu.

        Raises ValueError if mu has a negative mass or no mass: only probabilities can be drawn from.
        """
        size = checks.count("size", size)
        checks.room(size=size, dimension=self.dimension)
        if self.mass <= 0 or (self.weights < 0).any():
            raise ValueError("only a non-negative measure with mass can be sampled; take .positive or .negative")
        drawn = checks.generator("rng", rng).choice(len(self), size=size, p=self.weights / self.weights.sum())
        return Measure(np.full(size, self.mass / size), self.positions[drawn])

    def prune(self, threshold=0.0):
        """The atoms with |a_i| > threshold."""
        return self._where(np.abs(self.weights) > checks.positive("threshold", threshold, or_zero=True))

    def merge(self, radius, period=None):
        """Replace atoms of one sign, chained together by distances <= radius, by one atom at their barycentre.

        Mass and total variation stay; positions lie on the torus of side `period` if one is given (a chain should
        not reach around half of it).
        """
        radius, period = checks.positive("radius", radius, or_zero=True), checks.optional_period(period)
        return _merged(self.positive, radius, period) - _merged(self.negative, radius, period)

    def particles(self):
        """Particles w (m,), theta (m, d) that stand for mu; the zero measure is one particle of weight 0."""
        if len(self) == 0:
            return np.zeros(1), np.zeros((1, self.dimension))
        with np.errstate(over="ignore"):
            return checks.finite("the weights of the particles", self.weights * len(self)), self.positions.copy()

    def _where(self, chosen):
        return Measure(self.weights[chosen], self.positions[chosen])


def _merged(measure, radius, period):
    if len(measure) == 0:
        return measure
    points = measure.positions if period is None else np.mod(measure.positions, period) % period
    cluster = (
        _chains_on_a_line(points[:, 0], radius, period) if points.shape[1] == 1 else _chains(points, radius, period)
    )
    number = cluster.max() + 1
    _, first = np.unique(cluster, return_index=True)
    with np.errstate(over="ignore"):
        offset = points - points[first][cluster]
    if period is not None:
        offset -= period * np.round(offset / period)
    mass = np.bincount(cluster, measure.weights, minlength=number)
    share = measure.weights / mass[cluster]  # no product of a large mass and a large way
    way = np.stack([np.bincount(cluster, share * x, minlength=number) for x in offset.T], axis=-1)
    return Measure(mass, measure.positions[first] + way)


def _chains_on_a_line(x, radius, period):
    """Label of each point; sorted neighbours at most `radius` apart share one, around the circle too."""
    order = np.argsort(x)
    with np.errstate(over="ignore"):
        far = np.diff(x[order]) > radius
    label = np.concatenate([[0], np.cumsum(far)])
    if period is not None and x[order[0]] + period - x[order[-1]] <= radius:
        label[label == label[-1]] = 0
    labels = np.empty(len(x), dtype=int)
    labels[order] = label
    return labels


def _chains(points, radius, period):
    """The same in d >= 2, from all pairs at most `radius` apart: memory grows with their number."""
    _, power = np.frexp(max(np.abs(points).max(), period or 0))  # a power of 2 as the unit: no square overflows
    tree = cKDTree(np.ldexp(points, -power), boxsize=None if period is None else np.ldexp(period, -power))
    with np.errstate(over="ignore"):
        radius = min(np.ldexp(radius, -power), 3.0 * points.shape[1])  # no two points are farther apart
    pairs = tree.query_pairs(radius, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(points), len(points)))
    return connected_components(graph, directed=False)[1]


def h1(w, theta):
    """h1 of the lifted measure (1/m) sum_i delta_{(w_i, theta_i)}: the signed measure its weights carry (App. A).

    w (m,), theta (m, d) -> Measure with masses w_i / m.
    """
    w, theta = _one_run(w, theta)
    return Measure(w / len(w), theta)


def h2(w, theta):
    """h2 of the lifted measure: |u|^2 carried to the unit sphere of u = (w, theta) in R^{1+d} (App. A).

    int psi dh2 = (1/m) sum_i |u_i|^2 psi(u_i / |u_i|); particles at u = 0 carry nothing and are left out.
    """
    w, theta = _one_run(w, theta)
    u = np.concatenate([w[:, None], theta], axis=1)
    with np.errstate(over="ignore"):
        squared = results.finite((u**2).sum(axis=1), w=w, theta=theta)
    moving = squared > 0
    u = u[moving] / np.abs(u[moving]).max(axis=1, keepdims=True)  # squares of small numbers are inexact
    return Measure(squared[moving] / len(w), u / np.linalg.norm(u, axis=1, keepdims=True))


def _one_run(w, theta):
    w, theta = checks.particles(checks.finite("w", w), checks.finite("theta", theta))
    if w.ndim != 1:
        raise ValueError(f"w must have shape (m,): a measure comes from one run, not from a stack of shape {w.shape}")
    return w, theta
