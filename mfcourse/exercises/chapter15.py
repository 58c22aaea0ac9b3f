"""Checks for chapter 15, forgetting."""

import math

import numpy as np

from mfcourse.beyond import forgetful_digits, unlearning
from mfcourse.exercises import as_number, as_parts, exercise


@exercise("15.1")
def check_mu(mu):
    """`mu(...)` is the distance of two means in units of their deviation, for a mean of points that sit opposite."""
    for forgotten, size, bound, strength, step, temperature, unlearn in (
        (3, 50, 1.0, 1.0, 0.25, 0.01, 4),
        (1, 200, 2.0, 0.1, 0.5, 0.002, 0),
        (20, 200, 1.0, 0.02, 3.7, 2e-4, 40),
        (5, 40, 0.5, 2.0, 0.1, 0.05, 7),
    ):
        case = f"For S = {forgotten}, n = {size}, M = {bound:g}, λ = {strength:g}, e = {step:g}, τ = {temperature:g}"
        answer = as_number(
            mu(forgotten, size, bound, strength, step, temperature, unlearn), "mu returns one number, no array"
        )
        pull, hessian = np.array([bound * forgotten / size]), np.array([[strength]])
        kept = np.zeros(1), np.zeros((1, 1))
        learned = unlearning.gaussian_law(hessian, pull, step, temperature, *kept, math.inf)
        mean, cov = unlearning.gaussian_law(hessian, -pull, step, temperature, *learned, unlearn)
        retrained, _ = unlearning.gaussian_law(hessian, -pull, step, temperature, *kept, math.inf)
        exact = abs(mean - retrained)[0] / math.sqrt(cov[0, 0])
        left = (1 - step * strength) ** unlearn
        found = f"{case}, K = {unlearn}, two exact laws are {exact:.5f} deviations apart; yours is {answer:.5f}. "
        slips = (
            (
                exact / 2,
                "Half of it: a replaced sample may pull one way before, and the opposite way after: 2 S M / n.",
            ),
            (exact / left, "You forgot to forget: K steps multiply the distance by c^K."),
            (exact * left, "The distance shrinks by c in a step, not by c^2: its square does that."),
            (exact**2, "This is mu^2: the distance is its root."),
            (exact * math.sqrt(2), "Is the variance of the noise in one step e τ, or 2 e τ?"),
            (
                exact / left * math.exp(-step * strength * unlearn),
                "exp(-e λ K) is c^K for short steps only: c is 1 - e λ.",
            ),
            (exact * size / (size - forgotten), "Samples are replaced, so n remains."),
            (exact * strength, "The difference of the gradients is g, that of the minimisers g / λ."),
            (exact / math.sqrt(step * strength * (2 - step * strength)), "Noise of earlier steps hides too: sum c^2k."),
        )
        hints = [hint for value, hint in slips if value != exact and math.isclose(answer, value, rel_tol=1e-6)]
        hint = hints[0] if hints else "Which c belongs to e and λ, and which g to S, n and M?"
        assert math.isclose(answer, exact, rel_tol=1e-9), found + hint


@exercise("15.2")
def check_exponent(exponent):
    """`exponent(private, public)` is the slope of log D in log n_pub, here measured on certificates a little apart."""
    for private, public in ((100, 50), (200, 200), (40, 10240), (1000, 1), (3, 9)):
        answer = as_number(exponent(private, public), "exponent returns a number")
        more, less = (
            unlearning.certificate(1 / (private + public * math.exp(e)), 0.25, 0.01, 0.75, 3) ** 2
            for e in (1e-4, -1e-4)
        )
        slope = math.log(more / less) / 2e-4
        found = f"At n_priv = {private}, n_pub = {public} the measured slope is {slope:.4f}, yours is {answer:.4f}. "
        hint = "Differentiate log (n_priv + n_pub)^-2 in log n_pub: the chain rule leaves a factor."
        if math.isclose(answer, -2):
            hint = "-2 is the slope against n = n_priv + n_pub; against n_pub it is reached only in the limit."
        elif math.isclose(answer, -slope, rel_tol=1e-4):
            hint = "The divergence falls: the sign."
        elif math.isclose(answer, slope / 2, rel_tol=1e-4):
            hint = "That is the slope of mu; the divergence is alpha mu^2 / 2."
        elif math.isclose(answer, -2 - slope, rel_tol=1e-4):
            hint = "With few public samples, one more changes almost nothing: is yours 0 at n_pub = 0?"
        elif math.isclose(answer, slope, rel_tol=0.01):
            hint = "A slope is the limit of small changes, and one per cent is not small enough."
        assert abs(answer - slope) < 1e-6, found + hint


@exercise("15.3")
def check_best(best):
    """`best(a, b)`: no weight of a grid costs less, and only beyond the last one are public data worse than none."""
    weights = np.linspace(0, 1, 10_001)
    for a, b in ((0.0455, 0.0205), (1.0, 1.0), (0.02, 3.0), (2.0, 0.001)):
        parts = as_parts(
            best(a, b),
            3,
            "best returns three numbers, in this order: the weight, its price, and the largest harmless one",
        )
        names = ("the weight", "the price", "the largest harmless weight")
        weight, price, most = (as_number(x, f"{n} is a number") for x, n in zip(parts, names, strict=True))
        prices = weights**2 * a + (1 - weights) ** 2 * b
        lowest, cost = prices.argmin(), weight**2 * a + (1 - weight) ** 2 * b
        hint = "Set the derivative to 0: ω A = (1 - ω) B."
        if math.isclose(weight, a / (a + b)):
            hint = "The dearer the private samples (B), the more weight the public ones should have: swapped?"
        elif math.isclose(weight, 0.5):
            hint = "Equal weights are best only if A = B."
        assert abs(weight - weights[lowest]) < 1e-3, (
            f"For A = {a:g}, B = {b:g} a grid finds the best weight near {weights[lowest]:.3f}, yours is {weight:.3f}. "
            + hint
        )
        assert abs(cost - price) < 1e-9, (
            f"For A = {a:g}, B = {b:g} your weight costs {cost:.5f}, and you say {price:.5f}. The harmonic mean of A "
            "and B is twice too much."
        )
        slope = 2 * weight * a - 2 * (1 - weight) * b
        assert abs(slope) <= 1e-9 * (a + b), (
            f"For A = {a:g}, B = {b:g} the price still has the slope {slope:.1e} at your weight {weight:.6f}: no "
            "search, be exact. Where is the derivative 0?"
        )
        harmless = weights[prices <= b * (1 + 1e-12)].max()
        back = most**2 * a + (1 - most) ** 2 * b - b  # 0 at the far side of the parabola, unless that is beyond 1
        exact = most == 1 if b >= a else abs(back) <= 1e-9 * b
        right = exact and abs(most - harmless) < 1e-3
        assert right, (
            f"For A = {a:g}, B = {b:g} the weight {harmless:.3f} still costs no more than no public data, B, and none "
            f"much larger does; yours is {most:.6f}. The price is a parabola: it is back at B on the other side of "
            "its minimum, and no weight exceeds 1."
        )


@exercise("15.4")
def check_steps(steps):
    """`steps(target, public)`: so many unlearning steps bring the certificate of the digits down to the target."""
    factor = forgetful_digits.FACTOR

    def mu(public, unlearn, learn=math.inf):
        gap = unlearning.gradient_gap(20, 200 + public)
        return unlearning.certificate(gap, forgetful_digits.STEP, forgetful_digits.TEMPERATURE, factor, unlearn, learn)

    targets = [(0.3884, 1000), (0.3884, 200), (1.0, 400), (0.05, 0), (20.0, 1000)]
    targets += [(mu(0, 30) * 1.0005, 0), (mu(400, 25) * 0.9995, 400), (mu(1000, 0) * 1.01, 1000)]  # just, and just not
    for target, public in targets:
        answer = as_number(steps(target, public), "steps returns a number of steps")
        case = f"For the target {target:g} with n_pub = {public}"
        assert answer in range(10_000), f"{case}: a number of steps is whole, >= 0, and not that large: {answer:g}."
        alone, share = (math.log(mu(0, 0) / target) / -math.log(factor), 1 + public / 200)
        slips = (
            (alone if public else -1, "Public samples make the gap smaller: which n belongs to it?"),
            (alone / share if public else -1, "Public samples divide mu, and not the number of steps."),
            (math.ceil(alone) / share**2 if public else -1, "Public samples divide mu, and not the number of steps."),
            (
                2 * math.log(mu(public, 0) / target) / -math.log(factor),
                "mu shrinks by c in a step, and not by its root.",
            ),
        )
        hints = [hint for value, hint in slips if answer in (math.floor(value), math.ceil(value))]
        hint = hints[0] if hints else "Take logarithms of c^K mu_0 <= mu, with mu_0 for K = 0, and round up."
        if answer == math.ceil(math.log(mu(public, 0, 60) / target) / -math.log(factor)):
            hint = "Learning went on for very long: T is infinite, and not 60."
        after = mu(public, int(answer))
        assert after <= target, f"{case}: after {answer:.0f} steps mu is {after:.4f}, still too much. {hint}"
        before = mu(public, max(int(answer) - 1, 0))
        assert answer == 0 or before > target, f"{case}: {answer - 1:.0f} steps do, with mu = {before:.4f}. {hint}"
