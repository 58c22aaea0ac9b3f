"""What one would do instead of moving particles: convex optimisation over measures.

`fixed_positions` keeps a given set of positions and optimises the masses, a Lasso. `certified_optimum` adds positions
where the certificate is violated, lets all of them slide, and ends at the global minimum of J up to a relative duality
gap of 1e-13 or so: sliding Frank-Wolfe (Denoyelle, Duval, Peyre, Soubies 2019) with Newton steps.
"""

import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LogisticRegression

from mfcourse import checks
from mfcourse.certificates import certify, extremes
from mfcourse.flows import BLAS
from mfcourse.losses import Logistic, Squared
from mfcourse.measures import Measure
from mfcourse.risks import PopulationRisk

GAP = 1e-13  # relative gap at which the search ends
PROMISED = 1e-10  # relative gap it must reach
ROUNDS = 60
MERGED = (0.01, 0.1)  # over the cutoff: distances of atoms that are one; in turn, as two that are close slide slowly
PRECISE = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-10}  # of L-BFGS, when atoms slide


def fixed_positions(problem, positions):
    """The Measure on the given positions (m, d) with the least J: what a fixed grid, or random features, achieve.

    Squared and population risks: least squares, the Lasso with a penalty. Logistic loss: scikit-learn's logistic
    regression, without penalty or with its l1 form. Raises ValueError for other positions than a finite (m, d) array.
    """
    risk = problem.risk
    positions = checks.finite("positions", checks.points("positions", positions, risk.dimension))
    if positions.ndim != 2 or len(positions) < 1:
        raise ValueError(f"positions must have shape (m, d) with m >= 1, but its shape is {positions.shape}")
    if isinstance(getattr(risk, "loss", None), Logistic):
        return Measure(_logistic(problem, positions), positions)
    if problem.penalty:
        return _lasso(problem, positions, tol=1e-10, max_iter=1_000_000)
    return Measure(np.linalg.lstsq(*_least_squares(risk, positions))[0], positions)


def _least_squares(risk, positions):
    """A matrix A (k, m) and a vector b (k,) with R(sum_i a_i phi(theta_i)) = |A a - b|^2 / 2 + a constant."""
    if not isinstance(risk, PopulationRisk):
        loss = _one_squared(risk)
        return risk.features.matrix(positions) / loss.scale**0.5, loss.target / loss.scale**0.5
    kernel, taught = risk.matrix(positions)
    level, frame = np.linalg.eigh(kernel)
    kept = level > len(level) * np.finfo(level.dtype).eps * level[-1]
    root, frame = np.sqrt(level[kept]), frame[:, kept]
    return root[:, None] * frame.T, frame.T @ taught / root


def _lasso(problem, positions, **precision):
    """Coordinate descent on the masses; scikit-learn divides the squares by the number of rows."""
    basis, target = _least_squares(problem.risk, positions)
    cost = np.linalg.norm(positions, axis=1) ** problem.risk.homogeneity  # of a unit of mass there
    cost = np.where(cost > 0, cost, 1)  # a homogeneous neuron at 0 is the zero function
    lasso = Lasso(problem.penalty / len(basis), fit_intercept=False, **precision)
    return Measure(lasso.fit(basis / cost, target).coef_ / cost, positions)


def _logistic(problem, positions):
    """Masses (m,) of the best logistic fit; scikit-learn sums the losses where ours is their mean."""
    loss, basis = problem.risk.loss, problem.risk.features.matrix(positions)
    if loss.labels.ndim != 1 or np.ptp(loss.labels) == 0:
        raise ValueError("problem must be a single one, with labels of both signs, for a logistic fit")
    cost = np.linalg.norm(positions, axis=1) ** problem.risk.homogeneity
    cost = np.where(cost > 0, cost, 1)
    if problem.penalty:
        strength = {"C": 1 / (problem.penalty * len(basis)), "l1_ratio": 1, "solver": "liblinear", "tol": 1e-8}
    else:
        strength = {"C": np.inf}
    fit = LogisticRegression(fit_intercept=False, max_iter=10_000, **strength).fit(basis / cost, loss.labels)
    return fit.coef_[0] / cost


@BLAS.wrap(limits=1)
def certified_optimum(problem):
    """The global minimiser of J on the torus as a Measure, certified: relative duality gap <= 1e-10.

    Raises ValueError if the loss is not squared, the penalty is 0 or the positions are not on the torus, RuntimeError
    if the gap does not close.
    """
    _one_squared(problem.risk)
    if problem.penalty <= 0 or problem.risk.period is None:
        raise ValueError("problem must live on the torus and have a penalty > 0 for a certified optimum")
    features = problem.risk.features
    best = measure = Measure(np.zeros(0), np.zeros((0, features.dimension)))
    smallest = certify(problem, measure).gap
    for number in range(ROUNDS):
        if smallest <= GAP:
            break
        values, at = extremes(features, problem.risk.residual(*measure.particles()))
        violated = np.abs(values) > problem.penalty
        with warnings.catch_warnings():  # masses close to the best ones will do: they are moved on at once
            warnings.simplefilter("ignore", ConvergenceWarning)
            positions = np.concatenate([measure.positions, at[violated]])
            measure = _lasso(problem, positions, tol=min(1e-6, smallest / 100)).prune()
        if len(measure):
            measure = _slide(problem, measure)
            measure = measure.prune(1e-9 * np.abs(measure.weights).max())
            measure = measure.merge(MERGED[number % 2] / features.cutoff, period=1)
            measure = _newton(problem, measure)
        gap = certify(problem, measure).gap
        if gap < smallest:
            best, smallest = measure, gap
        elif smallest <= PROMISED:
            break
    if smallest > PROMISED:
        raise RuntimeError(f"the optimum could not be certified: the relative gap stays at {smallest:.1e}")
    return Measure(best.weights, np.mod(best.positions, 1))


def _slide(problem, measure):
    """Masses (signs kept) and positions descend together, to a local minimum of J."""
    features, signs = problem.risk.features, np.sign(measure.weights)
    m, d = measure.positions.shape
    scale = np.sqrt(features.size / features.slope_squared)  # a unit of position moves phi as far as a unit of mass

    def split(x):
        return x[:m], x[m:].reshape(m, d) * scale

    def energy(x):
        masses, positions = split(x)
        value, potential, gradient = problem.risk(masses * m, positions)
        uphill = np.r_[potential + problem.penalty * signs, (masses[:, None] * gradient * scale).ravel()]
        return value + problem.penalty * (signs * masses).sum(), uphill

    start = np.r_[measure.weights, measure.positions.ravel() / scale]
    bounds = [(0, None) if s > 0 else (None, 0) for s in signs] + [(None, None)] * (m * d)
    found = minimize(energy, start, jac=True, bounds=bounds, method="L-BFGS-B", options=PRECISE)
    return Measure(*split(found.x))


def _newton(problem, measure):
    """A few Newton steps on masses and positions together, which end at rounding level near a regular minimum."""
    features, loss = problem.risk.features, problem.risk.loss
    signs = np.sign(measure.weights)
    m, d = measure.positions.shape
    for _ in range(6):
        masses, positions = measure.weights, measure.positions
        basis, slopes = features.pull(np.eye(features.size), positions)
        residual = problem.risk.residual(*measure.particles())
        tangent = np.concatenate([basis, (masses[:, None] * slopes).reshape(-1, m * d)], axis=1)
        uphill = residual @ tangent
        uphill[:m] += problem.penalty * signs
        curvature = loss.smoothness * tangent.T @ tangent
        mixed = (residual @ slopes.reshape(len(basis), -1)).reshape(m, d)
        bends = masses[:, None, None] * features.hessian(residual, positions)
        for i in range(m):
            own = slice(m + i * d, m + (i + 1) * d)
            curvature[i, own] += mixed[i]
            curvature[own, i] += mixed[i]
            curvature[own, own] += bends[i]
        step = np.linalg.lstsq(curvature, -uphill, rcond=1e-14)[0]
        moved = Measure(masses + step[:m], positions + step[m:].reshape(m, d))
        kept_signs = (np.sign(moved.weights) == signs).all()
        if not kept_signs or problem.objective(moved) > problem.objective(measure) * (1 + 1e-12):
            break  # far from a minimum Newton's step means nothing; near one, J changes by less than its rounding
        measure = moved
    return measure


def _one_squared(risk):
    """The loss of a risk, which must be a single squared one."""
    loss = getattr(risk, "loss", None)
    if not isinstance(loss, Squared) or loss.target.ndim != 1:
        raise ValueError("problem must be a single one, no stack, with a squared, logistic or population risk")
    return loss
