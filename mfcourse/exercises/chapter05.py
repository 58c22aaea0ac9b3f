"""Checks for chapter 5, the Wasserstein flow."""

import numpy as np
from scipy.stats import norm

from mfcourse import problems
from mfcourse.exercises import as_array, as_number, exercise
from mfcourse.experiments import spike_steps
from mfcourse.flows import flow, forward_backward, velocity
from mfcourse.measures import Measure
from mfcourse.starts import grid_start
from mfcourse.transport import wasserstein


def _cloud(x):
    return Measure(np.full(len(x), 1 / len(x)), np.asarray(x)[:, None])


@exercise("5.1")
def check_gaussian_w2(gaussian_w2):
    """`gaussian_w2(mean1, width1, mean2, width2)` agrees with W_2 of 4000 quantiles of each normal density."""
    levels = norm.ppf((np.arange(4000) + 0.5) / 4000)
    for first, second in (((0, 1), (3, 1)), ((0, 1), (0, 2.5)), ((-1, 0.5), (1, 2)), ((2, 1), (2, 1))):
        answer = as_number(gaussian_w2(*first, *second), "gaussian_w2 returns a number")
        measured = wasserstein(*(_cloud(mean + width * levels) for mean, width in (first, second)))
        assert abs(answer - measured) < 5e-3, (
            f"Means {first[0]}, {second[0]} and widths {first[1]}, {second[1]}: yours is {answer:.4f}, the quantiles "
            f"say {measured:.4f}. Take the mean of the squared distance travelled, then the root."
        )


@exercise("5.2")
def check_geodesic(geodesic):
    """`geodesic(x, y, t)` joins the two clouds at constant speed: W_2 to the start is t times the whole."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 50):
        x, y = rng.normal(size=n), 2 + 2 * rng.normal(size=n)
        whole = wasserstein(_cloud(x), _cloud(y))
        for t in (0, 0.3, 0.5, 1):
            at = as_array(geodesic(x.copy(), y.copy(), t), "geodesic returns the positions, an array", (n,))
            gone, left = (wasserstein(_cloud(end), _cloud(at)) for end in (x, y))
            assert abs(gone - t * whole) < 1e-6, (
                f"n = {n}, t = {t}: a geodesic has gone {t * whole:.4f} from the start, yours {gone:.4f}. Which atom "
                "goes to which? The best plan keeps the order."
            )
            assert abs(left - (1 - t) * whole) < 1e-6, (
                f"n = {n}, t = {t}: {(1 - t) * whole:.4f} should be left to the end, and {left:.4f} is. At t = 1 you "
                "should be at y."
            )


@exercise("5.3")
def check_rate(rate):
    """`rate(problem, w, theta)` agrees with a finite difference of the mean of w^2, where that shrinks or grows."""
    rng = np.random.default_rng(0)
    cases = [(problems.spikes(seed), rng.normal(size=m), rng.uniform(size=(m, 1))) for seed, m in enumerate((1, 6, 25))]
    growing = problems.spikes(3)
    early = flow(growing, forward_backward(growing, *spike_steps(growing)), grid_start(12), 3, record=()).state
    cases.append((growing, *early))
    for problem, w, theta in cases:
        answer = as_number(rate(problem, w.copy(), theta.copy()), "rate returns a number")
        speed, h = velocity(problem, w, theta)[0], 1e-5
        measured = (np.mean((w + h * speed) ** 2) - np.mean((w - h * speed) ** 2)) / (2 * h)
        assert np.isclose(answer, measured, rtol=1e-6), (
            f"{len(w)} particles: the mean of w^2 changes at the rate {measured:.4f}, yours is {answer:.4f}. The rate "
            "is the integral of grad psi . v against mu_t, a mean over particles; here psi = w^2."
        )


@exercise("5.4")
def check_jko_ornstein(jko_ornstein):
    """`jko_ornstein(s, tau)` > 0 and the derivative of (sigma - s)^2 / (2 tau) - log sigma + sigma^2 / 2 vanishes.

    What is minimised is strictly convex, so this is the one minimum.
    """
    for s in (0.2, 1.0, 4.0):
        for tau in (1e-3, 0.1, 2.0):
            sigma = as_number(jko_ornstein(s, tau), "jko_ornstein returns a number")
            assert sigma > 0, f"A width is positive; yours is {sigma:.4f}."
            slope = (sigma - s) / tau - 1 / sigma + sigma
            assert abs(slope) < 1e-6 * (1 / tau + 1 / sigma**2 + 1), (
                f"s = {s:g}, tau = {tau:g}: at your width {sigma:.4f} the derivative of what is minimised is "
                f"{slope:.3g}, and at the best width it is 0. The spring adds sigma^2 / 2; differentiate the sum, and "
                "solve for sigma exactly."
            )
