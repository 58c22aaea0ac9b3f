"""Checks for chapter 13, SGD in high dimension."""

import numpy as np
from scipy import special

from mfcourse.beyond import plane
from mfcourse.beyond.overlaps import SQUARE, Neuron, effective
from mfcourse.exercises import as_array, as_number, exercise


@exercise("13.1")
def check_critical_step(critical_step):
    """`critical_step(beta)`: a small error of the neuron erf(beta z) shrinks just below it and grows just above."""
    for beta in (1.0, 0.5, 1.3):

        def slope(z, beta=beta):
            return 2 * beta / np.pi**0.5 * np.exp(-((beta * z) ** 2))

        neuron = Neuron(lambda z, beta=beta: special.erf(beta * z), slope)
        answer = as_number(critical_step(beta), "critical_step returns a number")
        assert answer > 0, f"A step is positive; yours is {answer:g}."
        for factor, shrinks in ((0.999, True), (1.001, False)):
            growth = effective(neuron, factor * answer)(np.array([1, 1e-7]))[1]
            assert (growth < 0) == shrinks, (
                f"beta = {beta:g}: at {factor} times your {answer:.4f} a small s {'grows' if shrinks else 'shrinks'}. "
                "It is 2 E s'^2 / E s'^4, in this order. The mean of exp(-k z^2) over a normal z is (1 + 2k)^(-1/2); "
                "what is k for the square, and for the fourth power?"
            )


@exercise("13.2")
def check_fold(fold):
    """`fold(tau)`: a radius at m = 0 where s rests exists just below it, and none just above."""
    for tau in (0.0, 0.5, 2.0):
        answer = as_number(fold(tau), "fold returns a number")
        assert answer > 0, f"A step is positive; yours is {answer:.4f}. A parabola in c has two roots."
        for factor, rests in ((1 - 1e-6, True), (1 + 1e-6, False)):
            c = factor * answer
            # s' is rho times a parabola, which is lowest at this rho: noise of labels only lifts it.
            lowest = effective(SQUARE._replace(noise=tau), c)([0, (6 * c + 3) / (30 * c)])[1]
            assert (lowest < 0) == rests, (
                f"tau = {tau:g}: just {'below' if rests else 'above'} your {answer:.7f} {'no' if rests else 'some'} "
                "radius rests. Be exact. Add the noise of labels to E g^2: g has one more term, -tau xi sigma'(a). Two "
                "radii become one where the discriminant of the parabola in rho vanishes."
            )


@exercise("13.3")
def check_floor(floor):
    """`floor(c, tau, dimension)`: one step of SGD leaves the mean of |theta - v|^2 there, in every dimension."""
    for c, tau, dimension in ((1.0, 0.5, 400), (0.5, 1.0, 10), (1.5, 0.3, 30), (0.8, 0.5, 2)):
        answer = as_number(floor(c, tau, dimension), "floor returns a number")
        assert answer > 0, f"A mean of |theta - v|^2 is positive; yours is {answer:.4f}."
        change = _mean_change(answer, c, tau, dimension)
        assert abs(change) < 1e-8 * answer, (
            f"c = {c:g}, tau = {tau:g}, N = {dimension}: from your {answer:.6f} one step changes the mean by "
            f"{change:+.2e}. E |x|^2 (x . e)^2 is (N + 2)|e|^2, and not N |e|^2; and the label's noise kicks N times."
        )
    for c, dimension in ((2.0, 50), (1.95, 20), (1.2, 2), (1.0, 2)):  # the last is just where the pole is
        try:
            answer = float(floor(c, 0.5, dimension))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            raise AssertionError(
                f"c = {c:g}, N = {dimension}: floor returns a number, np.inf where there is no floor. What if the pull "
                "just balances the kicks?"
            ) from None
        assert answer == np.inf, (
            f"c = {c:g}, N = {dimension}: there is no floor, as each step makes the mean larger. Return np.inf; yours "
            f"is {answer:.4f}."
        )


def _mean_change(square, c, tau, dimension):
    """What one step adds to the mean of |theta - v|^2 = square: theta - v at right angles to v, which means nothing."""
    _, b, h, weights = plane.points(np.array([1.0, square]))
    z, steps = h / square**0.5, c / dimension
    signal, noise = h**2, tau**2  # of g = h - tau xi
    length = b**2 + z**2 + dimension - 2
    return plane.mean(-2 * steps * signal + steps**2 * (signal + noise) * length, weights)


@exercise("13.4")
def check_corrector(corrector):
    """`corrector(value, slope, m, s)`: no push in m, and the E g^2 that closed forms and a million samples have."""
    points = ((0.3, 0.6), (-0.5, 0.2), (0.0, 1.0), (1.0, 0.0))
    for name, value, slope, exact in (
        ("z", np.positive, np.ones_like, lambda m, s: (m - 1) ** 2 + s),
        ("z^2", np.square, lambda z: 2 * z, _kicks_of_squares),
    ):
        for m, s in points:
            answer = _pair(corrector, value, slope, m, s)
            assert abs(answer[1] - exact(m, s)) < 1e-6, (
                f"sigma(z) = {name} at m = {m:g}, s = {s:g}: E g^2 is {exact(m, s):.6f}, yours is {answer[1]:.6f}. "
                "g = (sigma(a) - sigma(b)) sigma'(a), a = m b + sqrt(s) z, on a grid of b and z that is wide enough, "
                "with normal weights that add up to 1."
            )
    b, z = np.random.default_rng(0).standard_normal((2, 1_000_000))
    for m, s in points[:3]:
        a = m * b + s**0.5 * z
        squares = ((np.tanh(a) - np.tanh(b)) / np.cosh(a) ** 2) ** 2
        answer = _pair(corrector, np.tanh, lambda z: 1 / np.cosh(z) ** 2, m, s)
        assert abs(answer[1] - squares.mean()) < 5 * squares.std() / 1000, (
            f"sigma = tanh at m = {m:g}, s = {s:g}: a million samples have the mean {squares.mean():.4f}, and yours is "
            f"{answer[1]:.4f}."
        )


def _pair(corrector, value, slope, m, s):
    answer = as_array(corrector(value, slope, m, s), "corrector returns two numbers, an array", (2,))
    assert abs(answer[0]) < 1e-12, (
        f"A step adds (c/N)^2 g^2 |x|^2 to |theta|^2, and nothing of this kind to m; yours adds {answer[0]:.4f} there."
    )
    return answer


def _kicks_of_squares(m, s):
    rho = m**2 + s
    return 4 * (15 * rho**3 - 6 * rho**2 - 24 * rho * m**2 + 3 * rho + 12 * m**2)
