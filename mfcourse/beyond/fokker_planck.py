"""The noisy flow of the measure itself: a density on a line, moved by the Fokker-Planck equation.

d_t mu = div(mu grad F'(mu)) + tau lap mu is what noisy particles do when there are very many. It is the Wasserstein
flow (Def. 2.4) of the free energy L(mu) = F(mu) + tau int mu log mu, F(mu) = R(int phi dmu) + int V dmu, among
probability measures. A `Grid` knows L, its minimiser, and how far at most a density is from it: the duality gap.

Densities (..., q) are those of `densities`: >= 0 on q equal cells between two walls, through which nothing leaves, of
mass 1. Leading axes are independent runs.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_banded
from scipy.special import expit, exprel, logsumexp, xlogy

from mfcourse import checks, results
from mfcourse.beyond.densities import (
    cells,
    gibbs,
    kl,
    log_gibbs,
    of_mass_one,
    on_cells,
    relative_entropy,
    renyi,
    with_room,
)
from mfcourse.losses import Logistic, Squared

__all__ = ["Grid", "cells", "evolve", "gibbs", "kl", "renyi", "step"]

GAP = 1e-12  # the duality gap of an optimum, in units of its free energy, or of 1 if that is less
NEWTON = 100  # many more steps than an optimum needs at one temperature
COOLED, NEAR = 4, 1e-3  # it is sought at high temperatures first: their ratio, and how good they must be


@results.quietly
def step(density, potential, width, temperature, time):
    """The density (..., q) after an implicit step of d_t mu = div(mu grad potential) + temperature lap mu.

    The scheme of Scharfetter and Gummel: mass and sign are kept for any time > 0, and the Gibbs measure of the
    potential does not move. Raises ValueError if an argument is out of range, or the mass is not 1.
    """
    width, temperature = checks.positive("width", width), checks.positive("temperature", temperature)
    time, potential = checks.positive("time", time), on_cells("potential", potential)
    density = of_mass_one("density", density, width, potential.shape[-1:])
    checks.same_runs(density=density.shape[:-1], potential=potential.shape[:-1])
    return _step(density, potential, width, temperature, time)


@dataclass(frozen=True, eq=False)
class Grid:
    """L(mu) = R(int phi dmu) + int V dmu + tau int mu log mu for densities mu on cells.

    features: phi at the cells (q, n); loss: R, a `losses.Squared` or `losses.Logistic` of n samples; confinement: V at
    the cells (q,); width of a cell and temperature tau, both > 0. Raises ValueError otherwise; so do its methods for a
    density that is negative, or has another mass than 1.
    """

    features: np.ndarray
    loss: object
    confinement: np.ndarray
    width: float
    temperature: float

    def __post_init__(self):
        features, confinement = checks.finite("features", self.features), on_cells("confinement", self.confinement)
        if not isinstance(self.loss, Squared | Logistic):
            raise ValueError(f"loss must be losses.Squared or losses.Logistic, but it is {checks.shown(self.loss)}")
        data = self.loss.labels if isinstance(self.loss, Logistic) else self.loss.target
        if data.ndim != 1 or confinement.ndim != 1 or features.shape != (*confinement.shape, *data.shape):
            raise ValueError(
                "features must have shape (q, n), confinement (q,) and the data of the loss (n,), but their shapes are "
                f"{features.shape}, {confinement.shape} and {data.shape}"
            )
        for name, value in (("features", features.copy()), ("confinement", confinement.copy())):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "width", checks.positive("width", self.width))
        object.__setattr__(self, "temperature", checks.positive("temperature", self.temperature))

    def push(self, density):
        """The prediction int phi dmu, shape (..., n)."""
        return self.width * self._checked(density) @ self.features

    def variation(self, density):
        """F'(mu) = <R'(int phi dmu), phi> + V at the cells, shape (..., q)."""
        return self.loss.gradient(self.push(density)) @ self.features.T + self.confinement

    def energy(self, density):
        """F(mu) = R(int phi dmu) + int V dmu, shape (...)."""
        return self.loss.value(self.push(density)) + self.width * self._checked(density) @ self.confinement

    def free_energy(self, density):
        """L(mu) = F(mu) + tau int mu log mu, shape (...)."""
        density = self._checked(density)
        return self.energy(density) + self.temperature * self.width * xlogy(density, density).sum(axis=-1)

    def proximal(self, density):
        """The proximal Gibbs measure exp(-F'(mu) / tau) / Z of mu, shape (..., q): mu itself at the minimiser of L."""
        return gibbs(self.variation(density), self.width, self.temperature)

    def gap(self, density):
        """tau KL(mu | proximal Gibbs measure), shape (...): L(mu) exceeds its minimum by at most this duality gap."""
        proximal = log_gibbs(self.variation(density), self.width, self.temperature)
        return self.temperature * relative_entropy(self._checked(density), proximal, self.width)

    @results.quietly
    def dual(self, q):
        """-R*(q) - tau log int exp(-(<q, phi> + V) / tau), shape (...), for q (..., n): no mu has a smaller L."""
        q = checks.residual(checks.finite("q", q), self.features.shape[1])
        exponent = results.finite(-(q @ self.features.T + self.confinement) / self.temperature, q=q)
        return -self.loss.conjugate(q) - self.temperature * (logsumexp(exponent, axis=-1) + np.log(self.width))

    @results.quietly
    def optimum(self):
        """The density (q,) that minimises L, by Newton's method on the dual, whose points are q = R'(f).

        Its duality gap is at most 1e-12 (of |L|, if that is more than 1), or RuntimeError is raised. Raises ValueError
        if the domain is too short: the density reaches the walls.
        """
        f, tau = np.zeros(self.features.shape[1]), self.temperature
        hottest = np.ptp(self._potential(f)) / tau
        for level in range(int(np.ceil(np.log(max(hottest, 1)) / np.log(COOLED))), 0, -1):
            f = _newton(replace(self, temperature=tau * COOLED**level), f, NEAR * tau * COOLED**level)
        f = _newton(self, f)
        density, _ = self._answer(f)
        gap = self.gap(density)
        if not gap <= GAP * max(1, abs(self.free_energy(density))):
            raise RuntimeError(
                f"the optimum could not be certified: its duality gap stays at {gap:.1e}, as the potential is so much "
                "larger than the temperature that rounding hides the rest"
            )
        return with_room(density)

    def _potential(self, f):
        return self.loss.gradient(f) @ self.features.T + self.confinement

    def _answer(self, f):
        """The Gibbs measure (q,) of the dual point R'(f), and its prediction (n,): f itself at the optimum."""
        density = gibbs(self._potential(f), self.width, self.temperature)
        return density, self.width * density @ self.features

    def _checked(self, density):
        return of_mass_one("density", density, self.width, self.confinement.shape)


@results.quietly
def evolve(grid, density, time, steps, record=1):
    """The flow of L from a density (..., q), in implicit steps of length `time` with F' frozen in each.

    Returns times (T,) and densities (T, ..., q): the start, every record-th step and the last one. Raises ValueError if
    the density reaches the walls: the domain is too short.
    """
    checks.having("grid", grid, "a Grid", "variation", "confinement", "width", "temperature")
    time, steps = checks.positive("time", time), checks.count("steps", steps, at_least=0)
    record, density = (
        checks.count("record", record),
        of_mass_one("density", density, grid.width, grid.confinement.shape),
    )
    kept = [(0, density)]
    for k in range(1, steps + 1):
        density = with_room(_step(density, grid.variation(density), grid.width, grid.temperature, time))
        if k % record == 0 or k == steps:
            kept.append((k, density))
    numbers, densities = zip(*kept, strict=True)
    return time * np.array(numbers), np.stack(densities)


def _step(density, potential, width, temperature, time):
    density, potential = np.broadcast_arrays(density, potential)
    height, speed = np.diff(potential) / temperature, temperature * time / width**2
    right, left = speed / exprel(height), speed / exprel(-height)  # per unit of mass, through the wall of two cells
    bands = np.zeros((*density.shape[:-1], 3, density.shape[-1]))
    bands[..., 0, 1:], bands[..., 1, :], bands[..., 2, :-1] = -left, 1, -right
    bands[..., 1, :-1] += right
    bands[..., 1, 1:] += left
    moved = np.empty(density.shape)
    for run in np.ndindex(density.shape[:-1]):
        moved[run] = solve_banded((1, 1), bands[run], density[run], check_finite=False)
    moved *= (density.sum(axis=-1) / moved.sum(axis=-1))[..., None]  # what rounding loses, if time is very long
    return results.finite(moved, potential=potential, time=time)


def _newton(grid, f, enough=0.0):
    """Newton's method, with backtracking, for the largest dual value at R'(f), from f (n,) to about the best one."""
    for _ in range(NEWTON):
        density, mean = grid._answer(f)
        centred, bend = grid.features - mean, _curvature(grid.loss, f)
        covariance = (grid.width * density[:, None] * centred).T @ centred
        move = np.linalg.solve(np.eye(len(f)) + covariance * bend / grid.temperature, mean - f)
        value, slope = grid.dual(grid.loss.gradient(f)), (mean - f) @ (bend * move)
        length, rounding = 1.0, 1e-14 * max(1, abs(value))
        while grid.dual(grid.loss.gradient(f + length * move)) < value + length * slope / 4 - rounding:
            length /= 2
        f = f + length * move
        if slope <= max(enough, rounding):  # about twice what was missing; near the optimum this step has squared it
            break
    return f


def _curvature(loss, f):
    """The diagonal (n,) of R''(f), which has no other entries."""
    if isinstance(loss, Logistic):
        return expit(f) * expit(-f) / len(f)
    return np.full(len(f), loss.smoothness)
