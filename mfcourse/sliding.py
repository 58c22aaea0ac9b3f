"""Masses and positions of a few atoms move together to a local minimum of J: damped Newton steps.

The atoms are a vector of m (1 + d) numbers, and J is smooth as long as no mass changes its sign: an atom whose mass
would do so stops at 0 and is left out.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from mfcourse.measures import Measure

STEPS = 40
SLACK = 1e-14  # relative rise of J that is only rounding
DAMPING = (1e-13, 1e6)  # least and most, for a Hessian with ones on its diagonal


def descend(problem, measure):
    """The measure after Newton steps on masses and positions together, at rounding level near a regular minimum.

    J never rises. Levenberg-Marquardt: a step that would raise it is tried again, shorter and closer to the gradient.
    """
    damping, stalled, energy = DAMPING[0], 0, problem.objective(measure)
    for _ in range(STEPS):
        if not len(measure) or stalled == 3 or damping > DAMPING[1]:
            break
        masses, positions = _step(problem, measure, damping)
        moved = Measure(measure.weights + masses, measure.positions + positions).prune()
        new = problem.objective(moved)
        if new > energy * (1 + SLACK):
            damping = max(4 * damping, 1e-8)
            continue
        fell = energy - new > SLACK * energy or len(moved) < len(measure)
        stalled = 0 if fell else stalled + 1
        measure, energy, damping = moved, new, max(damping / 4, DAMPING[0])
    return measure


def _step(problem, measure, damping):
    """A damped Newton step for masses (m,) and positions (m, d), in units that make the diagonal of the Hessian 1.

    Atoms whose mass would change its sign go to 0 instead, and the others take the step that fits.
    """
    slope, curvature = _derivatives(problem, measure)
    unit = 1 / np.sqrt(np.maximum(np.diag(curvature), np.finfo(float).tiny))
    slope, curvature = unit * slope, curvature * unit * unit[:, None]
    (m, d), weights = measure.positions.shape, measure.weights
    step, lost = np.zeros(len(unit)), np.zeros(m, dtype=bool)
    while True:
        step[:m][lost] = -weights[lost] / unit[:m][lost]
        free = ~np.concatenate([lost, np.repeat(lost, d)])
        forced = step * ~free
        step[free] = -_solve(curvature[np.ix_(free, free)], slope[free] + curvature[free] @ forced, damping)
        more = ~lost & ((weights + (unit * step)[:m]) * weights <= 0)
        if not more.any():
            break
        lost |= more
    masses = np.where(lost, -weights, (unit * step)[:m])
    return masses, (unit * step * free)[m:].reshape(m, d)


def _solve(matrix, right, damping):
    """The solution x of (matrix + damping) x = right, with more damping where rounding needs it."""
    while True:
        try:
            return cho_solve(cho_factor(matrix + damping * np.eye(len(right))), right)
        except LinAlgError:  # two atoms at almost the same place
            damping *= 10


def _derivatives(problem, measure):
    """Gradient of J in the m masses and m d coordinates, signs kept, and its Hessian as it is where no atom feels eta.

    At a minimum the slope of eta is 0 at every atom, and its curvature has the sign that holds the atom there. So the
    terms with a slope of eta are left out, and curvatures count by their size: the matrix is never indefinite.
    """
    features, masses = problem.risk.features, measure.weights
    m, d = measure.positions.shape
    columns, slopes = features.tangent(measure.positions)
    residual = problem.risk.residual(*measure.particles())
    tangent = np.concatenate([columns, (masses[:, None] * slopes).reshape(-1, m * d)], axis=1)
    gradient = residual @ tangent
    gradient[:m] += problem.penalty * np.sign(masses)
    hessian = problem.risk.loss.smoothness * tangent.T @ tangent
    level, frame = np.linalg.eigh(features.hessian(residual, measure.positions))
    bends = np.abs(masses)[:, None, None] * (frame * np.abs(level)[:, None]) @ frame.mT
    own = m + np.arange(m * d).reshape(m, d)
    hessian[own[:, :, None], own[:, None, :]] += bends
    return gradient, hessian
