"""What one would do instead of moving particles: convex optimisation over measures.

`fixed_positions` keeps a given set of positions and optimises the masses, a Lasso. `certified_optimum` adds positions
where the certificate is violated, lets all of them slide, and ends at the global minimum of J up to a relative duality
gap of 1e-13 or so: sliding Frank-Wolfe (Denoyelle, Duval, Peyre, Soubies 2019) with Newton steps.
"""

import warnings

import numpy as np
from scipy.optimize import minimize, nnls
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LogisticRegression
from tqdm.auto import tqdm

from mfcourse import checks, sliding
from mfcourse.certificates import TOLERANCE, certify
from mfcourse.flows import BLAS
from mfcourse.losses import Logistic, Squared
from mfcourse.measures import Measure
from mfcourse.risks import PopulationRisk

GAP = 1e-12  # relative gap at which the search ends
PROMISED = 1e-10  # relative gap at which it ends if nobody joins, or it does not fall any more
ROUNDS = 60
NEEDED = ("matrix", "gram", "hessian", "peaks", "norm_squared", "slope_squared")  # of features whose atoms can slide
ROUNDING = 1e-11  # violations that may be none, in units of c
NOTABLE = 0.01  # share of the largest violation from which on an atom joins
SWEEPS = 200  # of coordinate descent, in each round
ALMOST = 1e-4  # relative rise of J when atoms are merged above which they are not one
MERGED = (0.1, 0.03, 0.01, 0.001)  # distances of atoms that may be one, in units of `sliding.width` times 2 pi


def fixed_positions(problem, positions):
    """The Measure on the given positions (m, d) with the least J: what a fixed grid, or random features, achieve.

    Squared and population risks: least squares, the Lasso with a penalty. Logistic loss: scikit-learn's logistic
    regression, without penalty or with its l1 form. Masses of a non-negative problem are >= 0. Raises ValueError for
    other positions than a finite (m, d) array.
    """
    risk = problem.risk
    positions = checks.finite("positions", checks.points("positions", positions, risk.dimension))
    if positions.ndim != 2 or len(positions) < 1:
        raise ValueError(f"positions must have shape (m, d) with m >= 1, but its shape is {positions.shape}")
    if isinstance(getattr(risk, "loss", None), Logistic):
        return Measure(_logistic(problem, positions), positions)
    if problem.penalty:
        return _lasso(problem, positions, np.zeros(len(positions)), tol=1e-10, max_iter=1_000_000)
    basis, target = _least_squares(risk, positions)
    return Measure(nnls(basis, target)[0] if problem.positive else np.linalg.lstsq(basis, target)[0], positions)


def _least_squares(risk, positions):
    """A matrix A (k, m) and a vector b (k,) with R(sum_i a_i phi(theta_i)) = |A a - b|^2 / 2 + a constant."""
    if not isinstance(risk, PopulationRisk):
        loss = _one_squared(risk)
        return risk.features.matrix(positions) / loss.scale**0.5, loss.target / loss.scale**0.5
    kernel, taught = risk.matrix(positions)
    level, frame = np.linalg.eigh(kernel)
    kept = level > len(level) * np.finfo(level.dtype).eps * level[-1]
    if not kept.any():  # all of them are the zero function
        return np.zeros((1, len(level))), np.zeros(1)
    root, frame = np.sqrt(level[kept]), frame[:, kept]
    return root[:, None] * frame.T, frame.T @ taught / root


def _lasso(problem, positions, masses, **precision):
    """Coordinate descent from these masses; scikit-learn divides the squares by the number of rows."""
    basis, target = _least_squares(problem.risk, positions)
    cost = _cost(problem, positions)
    level = problem.penalty / len(basis)
    lasso = Lasso(level, fit_intercept=False, positive=problem.positive, warm_start=True, **precision)
    lasso.coef_ = masses * cost
    return Measure(lasso.fit(basis / cost, target).coef_ / cost, positions)


def _cost(problem, positions):
    """What a unit of mass costs at each position, in units of c."""
    cost = np.linalg.norm(positions, axis=1) ** problem.risk.homogeneity
    return np.where(cost > 0, cost, 1)  # a homogeneous neuron at 0 is the zero function


def _logistic(problem, positions):
    """Masses (m,) of the best logistic fit; scikit-learn sums the losses where ours is their mean."""
    loss, basis = problem.risk.loss, problem.risk.features.matrix(positions)
    if loss.labels.ndim != 1 or np.ptp(loss.labels) == 0:
        raise ValueError("problem must be a single one, with labels of both signs, for a logistic fit")
    cost = _cost(problem, positions)
    if problem.positive:
        return _positive_logistic(problem, basis / cost) / cost
    if problem.penalty:
        strength = {"C": 1 / (problem.penalty * len(basis)), "l1_ratio": 1, "solver": "liblinear", "tol": 1e-8}
    else:
        strength = {"C": np.inf}
    fit = LogisticRegression(fit_intercept=False, max_iter=10_000, **strength).fit(basis / cost, loss.labels)
    return fit.coef_[0] / cost


def _positive_logistic(problem, basis):
    """Masses >= 0 (m,), which scikit-learn does not know: the penalty is then linear, and the problem smooth."""

    def energy(masses):
        prediction = basis @ masses
        slope = problem.risk.loss.gradient(prediction) @ basis + problem.penalty
        return problem.risk.loss.value(prediction) + problem.penalty * masses.sum(), slope

    bounds = [(0, None)] * basis.shape[1]
    options = {"maxiter": 100_000, "maxfun": 1_000_000, "ftol": 1e-15, "gtol": 1e-9}
    return minimize(energy, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x


@BLAS.wrap(limits=1)
def certified_optimum(problem, progress=False):
    """The global minimiser of J on the torus as a Measure, certified: relative duality gap <= 1e-10.

    Where rounding is larger than that, as for a tiny lambda, the gap is at most 1e-8, the course's word for optimal.
    Raises ValueError if the loss is not squared, the penalty is 0 or the features do not know what sliding needs (see
    `features`), RuntimeError with the gap reached if it does not close within some sixty rounds.
    """
    progress = checks.flag("progress", progress)
    _one_squared(problem.risk)
    features = problem.risk.features
    missing = [name for name in NEEDED if not hasattr(features, name)]
    if problem.penalty <= 0 or missing:
        known = f"features that know {', '.join(missing)}" if missing else "a penalty > 0"
        raise ValueError(f"problem must have {known} for a certified optimum")
    best = measure = Measure(np.zeros(0), np.zeros((0, features.dimension)))
    smallest = certify(problem, measure).gap
    rounds = tqdm(range(ROUNDS), desc="optimum", unit="round", leave=False, disable=not progress)
    for _ in rounds:
        if smallest <= GAP:
            break
        before, measure = measure, _joined(problem, measure)
        if smallest <= PROMISED and len(measure) <= len(before):
            break
        measure = _merged(problem, sliding.descend(problem, measure, smallest), smallest)
        gap = certify(problem, measure).gap
        if gap < smallest:
            best, smallest = measure, gap
        elif smallest <= PROMISED:
            break
        rounds.set_postfix_str(f"gap {smallest:.1e}")
    rounds.close()
    if smallest > TOLERANCE:
        raise RuntimeError(f"the optimum could not be certified: the relative gap stays at {smallest:.1e}")
    return best if features.period is None else Measure(best.weights, np.mod(best.positions, features.period))


def _joined(problem, measure):
    """Atoms where the certificate is violated join, and all masses are moved to about the best ones."""
    values, at, _ = problem.risk.features.peaks(problem.risk.residual(*measure.particles()))
    excess = (-values if problem.positive else np.abs(values)) - problem.penalty
    violated = excess > max(ROUNDING * problem.penalty, NOTABLE * excess.max())
    masses = np.concatenate([measure.weights, np.zeros(violated.sum())])
    positions = np.concatenate([measure.positions, at[violated]])
    with warnings.catch_warnings():  # masses close to the best ones will do: they are moved on at once
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _lasso(problem, positions, masses, tol=0, max_iter=SWEEPS).prune()


def _merged(problem, measure, gap):
    """Atoms so close that they are one, if J agrees."""
    features, energy = problem.risk.features, problem.objective(measure)
    for radius in MERGED:
        fewer = measure.merge(radius * 2 * np.pi * sliding.width(features), features.period)
        if len(fewer) < len(measure) and problem.objective(fewer) <= energy * (1 + ALMOST):
            fewer = sliding.descend(problem, fewer, gap)
            if problem.objective(fewer) <= energy * (1 + sliding.SLACK):
                return fewer
    return measure


def _one_squared(risk):
    """The loss of a risk, which must be a single squared one."""
    loss = getattr(risk, "loss", None)
    if not isinstance(loss, Squared) or loss.target.ndim != 1:
        raise ValueError("problem must be a single one, no stack, with a squared, logistic or population risk")
    return loss
