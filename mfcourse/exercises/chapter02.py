"""Checks for chapter 2, convex losses."""

import numpy as np

from mfcourse import problems
from mfcourse.certificates import certify
from mfcourse.exercises import as_array, as_number, exercise
from mfcourse.losses import Logistic
from mfcourse.measures import Measure
from mfcourse.transport import mixture


@exercise("2.1")
def check_logistic_gradient(logistic_gradient):
    """`logistic_gradient(f, labels)` agrees with finite differences of the loss, and with its limits far out.

    With p = -n y f' for an entry f' of the gradient at f, log(p / (1 - p)) = -y f: this is exact, differences are not.
    """
    rng = np.random.default_rng(0)
    expected = "logistic_gradient returns one number for each sample, an array"
    for n in (1, 3, 8):
        f, labels = rng.normal(size=n), rng.choice([-1.0, 1.0], n)
        answer, loss, small = as_array(logistic_gradient(f, labels), expected, (n,)), Logistic(labels), 1e-6
        slopes = np.array([loss.value(f + d) - loss.value(f - d) for d in small * np.eye(n)]) / (2 * small)
        assert np.allclose(answer, slopes, atol=1e-8), (
            f"n = {n}: your first entry is {answer[0]:.4f}, the slope of R is {slopes[0]:.4f}. The chain rule brings a "
            "factor y_i, and R is a mean: 1/n."
        )
    for n in (1, 3, 8):
        f, labels = rng.normal(size=n), rng.choice([-1.0, 1.0], n)
        p = -n * labels * as_array(logistic_gradient(f, labels), expected, (n,))
        off = np.abs(np.log(p / (1 - p)) + labels * f).max()
        assert off <= 1e-11, (
            f"n = {n}: near, but only to {off:.0e}. Differences of the loss are close to its gradient, and never equal "
            "to it: take the derivative on paper."
        )
    for sign in (1.0, -1.0):
        far, labels = np.array([1000.0, -1000.0]), np.full(2, sign)
        with np.errstate(all="ignore"):
            answer = as_array(logistic_gradient(far, labels), "At f = 1000 and -1000 the gradient is finite", (2,))
        assert np.allclose(answer, [0, -0.5] if sign > 0 else [0.5, 0]), (
            f"At f = 1000 and -1000, labels {sign:g}, yours is {answer.round(3)}. Far on the right side the loss is "
            "flat, far on the wrong side it has slope 1/n, downhill to the right side; do not divide infinity by "
            "infinity."
        )


@exercise("2.2")
def check_best_mixture(best_mixture):
    """`best_mixture(problem, mu, nu)` is the t in [0, 1] with the least J.

    By the slope along a mixture J is J(mu) + slope t + curvature t^2 / 2, with the slope int eta d(nu - mu) + G(nu) -
    G(mu) at mu and the curvature |g - f|^2 / lambda, where f and g are the predictions.
    """
    rng = np.random.default_rng(0)
    for seed in range(6):
        problem = problems.spikes(seed)
        mu = Measure(rng.normal(size=3), rng.uniform(size=(3, 1)))
        nu = problem.truth if seed == 0 else Measure(rng.normal(size=3), rng.uniform(size=(3, 1)))
        for first, second in ((mu, nu), (nu, mu)):
            t = as_number(best_mixture(problem, first, second), "best_mixture returns t, a number")
            assert 0 <= t <= 1, f"t must lie in [0, 1]; yours is {t:.3f}. If the parabola falls all the way, stop at 1."
            here, best = problem.objective(mixture(first, second, t)), _best_share(problem, first, second)
            least = problem.objective(mixture(first, second, best))
            assert abs(t - best) <= 1e-6, (
                f"Seed {seed}: J is {here:.4f} at your t = {t:.6f}, the least along this mixture is {least:.4f}, and "
                f"your t is off by {abs(t - best):.1e}. Three values of J determine the parabola, and so its lowest "
                "point, exactly; a search only comes near."
            )


def _best_share(problem, mu, nu):
    """The lowest point in [0, 1] of the parabola J((1 - t) mu + t nu), from its slope at mu and its curvature."""
    loss, push = problem.risk.loss, problem.risk.features.push
    f, g = push(*mu.particles()), push(*nu.particles())
    prices = problem.penalty * (nu.total_variation - mu.total_variation)
    slope, curvature = loss.gradient(f) @ (g - f) + prices, (g - f) @ (g - f) / loss.scale
    return min(max(-slope / curvature, 0), 1)


@exercise("2.3")
def check_best_mass(best_mass):
    """`best_mass(problem, theta)`: J(a delta_theta) is convex in a, and least where its slope is 0 or changes sign.

    The slope is eta(theta) + sign(a), and anything from eta - 1 to eta + 1 at the kink a = 0.
    """
    for seed, lam in ((0, 2.0), (1, 10.0), (2, 60.0)):
        problem = problems.spikes(seed, lam=lam)
        for theta in np.linspace(0, 0.95, 20):
            a = as_number(best_mass(problem, theta), "best_mass returns the mass, a number")
            eta = problem.risk.potential(np.array([a]), np.array([[theta]]), np.array([[theta]]))[0]
            wrong = max(abs(eta) - 1, 0) if abs(a) < 1e-7 else abs(eta + np.sign(a))  # a search stops near 0, not at it
            assert wrong <= 1e-6, (
                f"lambda = {lam:g}, theta = {theta:.2f}: more or less mass than your {a:.4f} has a smaller J. Complete "
                "the square in a; the price |a| has a kink at 0. By how much does it shorten a?"
            )


@exercise("2.4")
def check_best_place(best_place):
    """`best_place(problem, mu)`: the rate at which J falls there, by finite differences, is max |eta| - 1.

    Between 2000 places |eta| exceeds its values there by a fraction (14 pi)^2 / 2 / 4000^2 < 1e-4 at most (Bernstein).
    """
    expected = "best_place returns (position, sign), two numbers"
    for seed in range(4):
        problem = problems.spikes(seed)
        light = int(np.argmax(np.abs(problem.truth.weights)))  # seen already, so the others are what is missing
        seen = Measure(problem.truth.weights[[light]], problem.truth.positions[[light]])
        for mu in (Measure(np.zeros(0), np.zeros((0, 1))), 0.5 * problem.truth, seen, 3 * seen):
            position, sign = as_array(best_place(problem, mu), expected, (2,))
            assert sign in (-1, 1), f"The sign is 1 or -1; yours is {sign:g}."
            new = Measure([sign * 1e-6], [[position]])
            rate = (problem.objective(mu) - problem.objective(mu + new)) / 1e-6
            best = certify(problem, mu).max_potential - 1
            assert rate >= best - 1e-4 * (best + 1), (
                f"Seed {seed}: mass of sign {sign:+g} at {position:.4f} lowers J at the rate {rate:.4f}, and "
                f"{best:.4f} is possible. Both signs may pay: look at |eta|, and mind that mass wants the sign of "
                "-eta. And look at enough places."
            )
