"""A few atoms move together to a local minimum of J: Newton steps for the positions, the best masses at each.

Masses are kept at their best for the positions they have, as in variable projection (Golub and Pereyra 1973): a model
that is bilinear in masses and feature vectors is then followed much further than by a joint step. J is smooth as long
as no mass changes its sign: an atom whose mass would do so stops at 0 and is left out.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from mfcourse.measures import Measure

STEPS = 40
STILL = 3  # steps in a row that gain too little, with which the descent ends:
SHARE = 1e-3  # of what is to be gained
REACH = 0.3  # longest way of an atom in a step, in units of `width`: as far as phi is about linear
LEAVING = 0.25  # share of the atoms that a step may lose, beside one: where more would go, it leads too far
SLACK = 1e-14  # relative rise of J that is only rounding
DAMPING = (1e-13, 1e6)  # least and most, for a Hessian with ones on its diagonal
FIRST, FELT = 1e-4, 1e-8  # damping at first, for a gap of 1, and the least after a step that was too long
EASED, RAISED = 16, 4  # what damping is divided by after a good step, and times after a first bad one


def descend(problem, measure, gap=0.0):
    """The measure after Newton steps, at rounding level near a regular minimum; weights and positions (m, d) of J.

    J never rises. Levenberg-Marquardt: a step that would raise it, or lose many atoms, is tried again, shorter and
    closer to the gradient. The descent ends when three steps in a row gain nothing of note. What that is, and how
    careful the first step is, depends on the relative `gap` before: what is to be gained falls as its square.
    """
    measure = balanced(problem, measure)
    energy = problem.objective(measure)
    damping, enough = max(FIRST * gap, DAMPING[0]), max(SHARE * gap**2, SLACK) * energy
    raised, still, newton = RAISED, 0, None
    for _ in range(STEPS):
        if not len(measure) or still == STILL or damping > DAMPING[1]:
            break
        newton = newton or _newton(problem, measure)
        there = Measure(measure.weights, measure.positions + newton(damping))
        moved = balanced(problem, there, 1 + LEAVING * len(measure))
        new = np.inf if moved is None else problem.objective(moved)
        if new > energy * (1 + SLACK):
            damping, raised = max(damping * raised, FELT), 2 * raised
            continue
        fell = energy - new > enough or len(moved) < len(measure)
        still = 0 if fell else still + 1
        measure, energy, newton = moved, new, None
        damping, raised = max(damping / EASED, DAMPING[0]), RAISED
    return measure


def balanced(problem, measure, leaving=np.inf):
    """The measure with the best masses of these signs at its positions: an active set, where atoms leave one by one.

    On the way from the present masses to the best ones without signs, the first to reach 0 is dropped, and so on. None
    if more than `leaving` atoms would have to go.
    """
    features, residual = problem.risk.features, problem.risk.residual(*measure.particles())
    gradient = features.pull(residual, measure.positions)[0] + problem.penalty * np.sign(measure.weights)
    curvature = problem.risk.loss.smoothness * features.gram(measure.positions)
    unit = _units(curvature)
    curvature, gradient, start = curvature * unit * unit[:, None], gradient * unit, measure.weights / unit
    masses, kept = start, start != 0
    while kept.any():
        best, gone = np.zeros(len(start)), ~kept
        if gone.sum() > leaving:
            return None
        pull = gradient[kept] - curvature[np.ix_(kept, gone)] @ start[gone]
        best[kept] = start[kept] - _solve(curvature[np.ix_(kept, kept)], pull, DAMPING[0])
        crossing = kept & (best * masses <= 0)
        if not crossing.any():
            masses = best
            break
        share = np.where(crossing, 0, np.inf)  # of the way, until a mass is 0
        share = np.divide(masses, masses - best, out=share, where=crossing & (masses != best))
        masses = np.where(share > share.min(), masses + share.min() * (best - masses), 0)
        kept = kept & (share > share.min())
    return Measure(masses * unit, measure.positions).prune()


def width(features):
    """|phi| / |phi'|: how far an atom can go before its phi is another one."""
    return np.sqrt(features.norm_squared / max(features.slope_squared, np.finfo(float).tiny))


def _newton(problem, measure):
    """How far each position goes in a Newton step of masses and positions together: damping -> (m, d)."""
    gradient, curvature = _derivatives(problem, measure)
    unit, longest = _units(curvature), REACH * width(problem.risk.features)
    curvature *= unit * unit[:, None]

    def step(damping):
        both = -unit * _solve(curvature, unit * gradient, damping)
        ways = both[len(measure) :].reshape(measure.positions.T.shape).T
        lengths = np.linalg.norm(ways, axis=1, keepdims=True)
        return ways * (longest / np.maximum(lengths, longest))

    return step


def _units(matrix):
    """Units of the unknowns in which the diagonal of the matrix is 1."""
    return 1 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))


def _solve(matrix, right, damping):
    """The solution x of (matrix + damping) x = right, with more damping where rounding needs it."""
    while True:
        damped = matrix.copy(order="F")  # in LAPACK's order, which can then work in place
        np.einsum("ii->i", damped)[:] += damping
        try:
            return cho_solve(cho_factor(damped, overwrite_a=True, check_finite=False), right, check_finite=False)
        except LinAlgError:  # two atoms at almost the same place
            damping *= 10


def _derivatives(problem, measure):
    """Gradient of J in masses and coordinates, axis by axis, signs kept, and its Hessian where no atom feels eta.

    At a minimum the slope of eta is 0 at every atom, and its curvature has the sign that holds the atom there. So the
    terms with a slope of eta are left out, and curvatures count by their size: the matrix is never indefinite.
    """
    features, masses = problem.risk.features, measure.weights
    m, d = measure.positions.shape
    residual = problem.risk.residual(*measure.particles())
    potential, slope = features.pull(residual, measure.positions)
    gradient = np.concatenate([potential + problem.penalty * np.sign(masses), (masses * slope.T).ravel()])
    lever = np.concatenate([np.ones(m), np.tile(masses, d)])  # phi, or its slope, moves the prediction by so much
    hessian = features.gram(measure.positions, slopes=True).reshape(len(lever), -1)
    hessian *= problem.risk.loss.smoothness * lever * lever[:, None]
    level, frame = np.linalg.eigh(features.hessian(residual, measure.positions))
    bends = np.abs(masses)[:, None, None] * (frame * np.abs(level)[:, None]) @ frame.mT
    own = np.arange(m, m + m * d).reshape(d, m).T
    hessian[own[:, :, None], own[:, None, :]] += bends
    return gradient, hessian
