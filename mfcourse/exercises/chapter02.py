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
    """`logistic_gradient(f, labels)` agrees with finite differences of the loss, and with its limits far out."""
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
    far, labels = np.array([1000.0, -1000.0]), np.array([1.0, 1.0])
    with np.errstate(all="ignore"):
        answer = as_array(logistic_gradient(far, labels), "At f = 1000 and -1000 the gradient is finite", (2,))
    assert np.allclose(answer, [0, -0.5]), (
        f"At f = 1000 and -1000, labels 1, yours is {answer.round(3)}. Far on the right side the loss is flat, far on "
        "the wrong side it has slope -1/n; do not divide infinity by infinity."
    )


@exercise("2.2")
def check_best_mixture(best_mixture):
    """`best_mixture(problem, mu, nu)` is in [0, 1], and no other t there gives a smaller J."""
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(6):
        problem = problems.spikes(seed)
        mu = Measure(rng.normal(size=3), rng.uniform(size=(3, 1)))
        nu = problem.truth if seed == 0 else Measure(rng.normal(size=3), rng.uniform(size=(3, 1)))
        for first, second in ((mu, nu), (nu, mu)):
            t = as_number(best_mixture(problem, first, second), "best_mixture returns t, a number")
            assert 0 <= t <= 1, f"t must lie in [0, 1]; yours is {t:.3f}. If the parabola falls all the way, stop at 1."
            grid = np.linspace(0, 1, 101)
            values = np.array([problem.objective(mixture(first, second, s)) for s in grid])
            value = problem.objective(mixture(first, second, t))
            assert value <= values.min() * (1 + 1e-12), (
                f"Seed {seed}: J is {value:.4f} at your t = {t:.3f} and {values.min():.4f} at t = "
                f"{grid[values.argmin()]:.2f}. Three values of J determine the parabola."
            )
            inside += 0 < t < 1
    assert inside, "Your answer is always an end, and it should not be."


@exercise("2.3")
def check_best_mass(best_mass):
    """`best_mass(problem, theta)`: J(a delta_theta) is convex in a, so no neighbour may be lower."""
    for seed, lam in ((0, 2.0), (1, 10.0), (2, 60.0)):
        problem = problems.spikes(seed, lam=lam)
        for theta in np.linspace(0, 0.95, 20):
            a = as_number(best_mass(problem, theta), "best_mass returns the mass, a number")
            here, left, right = (
                problem.objective(Measure([mass], [[theta]])) for mass in (a, a - 1e-4 * lam, a + 1e-4 * lam)
            )
            assert here <= min(left, right) * (1 + 1e-13), (
                f"lambda = {lam:g}, theta = {theta:.2f}: more or less mass than your {a:.4f} has a smaller J. Complete "
                "the square in a; the price |a| has a kink at 0. By how much does it shorten a?"
            )


@exercise("2.4")
def check_best_place(best_place):
    """`best_place(problem, mu)`: the rate at which J falls there, by finite differences, is max |eta| - 1."""
    expected = "best_place returns (position, sign), two numbers"
    for seed in range(4):
        problem = problems.spikes(seed)
        for mu in (Measure(np.zeros(0), np.zeros((0, 1))), 0.5 * problem.truth):
            position, sign = as_array(best_place(problem, mu), expected, (2,))
            assert sign in (-1, 1), f"The sign is 1 or -1; yours is {sign:g}."
            new = Measure([sign * 1e-6], [[position]])
            rate = (problem.objective(mu) - problem.objective(mu + new)) / 1e-6
            best = certify(problem, mu).max_potential - 1
            assert rate >= best - 0.02 * (best + 1), (
                f"Seed {seed}: mass of sign {sign:+g} at {position:.3f} lowers J at the rate {rate:.3f}, and "
                f"{best:.3f} is possible. Both signs may pay: look at |eta|, and mind that mass wants the sign of -eta."
            )
