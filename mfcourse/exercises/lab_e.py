"""Checks for lab E, how much must we forget: a certificate, what it costs, and an attack that stays below it."""

import contextlib
import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from mfcourse.beyond import forgetful_digits as digits
from mfcourse.beyond import unlearning
from mfcourse.exercises import as_array, as_number, as_parts, has_nan
from mfcourse.exercises.grading import as_dictionary, complete, task

QUESTIONS = ("one, K = 0", "one, K = 20", "hundred, K = 20", "accuracy", "factor")
SETTLED = 10_000  # steps that stand for infinitely many
RUNS = 1000


def two_means(pull, unlearn, seed=0, number=1500):
    """(unlearned, retrained), each (len(unlearn), number): `digits.runs` for means, which learning pulls by `pull`.

    f is a parabola, as steep as the digits' penalty, and `pull` is the gap of the gradients: here the best attack
    reaches the bound of Theorem U.
    """

    def rest(w):
        return digits.STRENGTH * w

    settings = np.zeros(number), digits.STEP, digits.TEMPERATURE, digits.LEARN
    return unlearning.two_worlds(lambda w: rest(w) - pull, rest, *settings, unlearn, (2 * seed, 2 * seed + 1))


@task("E1", 2)
def check_predictions(predictions):
    """`predictions()`: three AUCs, an accuracy and a factor, complete and possible; none is right or wrong."""
    told = as_dictionary(predictions(), "predictions returns a dictionary")
    yield 1, *complete(told, QUESTIONS)
    values = {key: as_number(told[key], f"A number is asked for {key!r}") for key in QUESTIONS if key in told}
    if values:
        right = all(value > 0 if key == "factor" else 0 <= value <= 1 for key, value in values.items())
        yield 1, right, "AUCs and the accuracy are between 0 and 1, and the factor is above 0."


@task("E2", 4)
def check_auc(auc, seed=0):
    """`auc(high, low)`: the share of pairs in order, ties by half, and its standard error, by a closed variance."""
    rng = np.random.default_rng([seed, 2])
    samples = [(rng.normal(shift, 1, 23), rng.normal(0, 2, 40)) for shift in (2, 0.3, -2)]
    above = _shares(auc, samples[:1])
    hint = "The AUC is the share of pairs, one of `high` and one of `low`, in which the first is greater"
    side = "An AUC below one half is an answer, too." if above else "Which of the two should score higher?"
    yield 1, above and _shares(auc, samples), f"{hint}. {side}"
    tied = [(rng.integers(1, 5, 30) * 1.0, rng.integers(0, 4, 12) * 1.0) for _ in range(3)]
    yield 1, _shares(auc, [*tied, (np.ones(9), np.ones(4))]), f"{hint}; of two that are equal, count half."
    hint = "Over many draws AUCs spread by more, or by less, than your standard error says."
    yield 1, _spread(auc, rng, (40, 40)), f"{hint} It is the root of a sum of two variances, each over its number."
    yield 1, _spread(auc, rng, (20, 120), (120, 20)), f"{hint} Here one sample is much larger than the other."


@task("E3", 5)
def check_certificate(certificate, seed=0):
    """`certificate(gap, step, temperature, factor, unlearn, learn)`: mu, as two means drift apart and come together."""
    rng = np.random.default_rng([seed, 3])
    gap, step, tau, c = rng.uniform(0.1, 0.5), rng.uniform(0.5, 3), 10 ** rng.uniform(-4, -2), rng.uniform(0.8, 0.96)

    def right(*cases, factor=c):
        setting, told = (gap, step, tau, factor), []
        with contextlib.suppress(ZeroDivisionError):
            told = [certificate(*setting, *one) for one in cases]
        if not told or any(map(has_nan, told)):
            return False
        told = [as_number(mu, "certificate returns mu, a number") for mu in told]
        return np.allclose(told, [_pulled_apart(*setting, *one) for one in cases], rtol=1e-8, atol=0)

    yield 1, right((0, math.inf)), "For K = 0 and T infinite it is off. It is mu, not its square; mind the 2 below tau."
    hint = "For K = 0 and T finite it is off: after one step mu^2 must be e g^2 / (2 tau)."
    yield 1, right((0, 1), (0, 4), (0, 50)), hint
    hint = "For K > 0 it is off: c^K brings the two together, and the noise of all T + K steps stays below."
    yield 1, right((5, math.inf), (17, math.inf), (1, 1), (7, 3), (3, 20)), hint
    hint = "For c = 1 the formula is 0 / 0. Take its limit, or add up what T equal pulls and T + K noises do."
    yield 1, right((0, 1), (0, 6), (5, 6), (40, 6), factor=1.0), hint
    refused = False
    try:
        certificate(gap, step, tau, 1.01, 3, 5)
    except ValueError:
        refused = True
    yield 1, refused, "For c > 1 the theorem is silent, so say nothing: raise ValueError."


@task("E4", 4)
def check_steps_needed(steps_needed, seed=0):
    """`steps_needed(forgotten, private, public, epsilon, delta, setting)`: the least K that keeps the demand."""
    rng = np.random.default_rng([seed, 4])
    setting = {"step": rng.uniform(1, 3), "temperature": 10 ** rng.uniform(-4, -3)}
    setting |= {"factor": rng.uniform(0.88, 0.95), "learn": int(rng.integers(40, 80))}

    def asked(forgotten, private, public, epsilon=1.0, delta=1e-3, heat=1.0):
        ours = setting | {"temperature": heat * setting["temperature"]}
        answer = as_number(steps_needed(forgotten, private, public, epsilon, delta, dict(ours)), "K is a number")
        assert answer == round(answer) >= 0, f"K is a whole number of steps, at least 0; yours is {answer:g}."
        K, gap = 0, 2 * forgotten / (private + public)
        while unlearning.delta(_pulled_apart(gap, unlearn=K, **ours), epsilon) > delta:
            K += 1
        return answer - K, K

    most = brentq(lambda mu: unlearning.delta(mu, 2.0) - 1e-4, 1e-3, 10)
    edge = (_pulled_apart(0.08, unlearn=0, **setting) / most) ** 2  # so much more heat, and no step is needed, just so
    alone = [asked(20, 200, 0), asked(7, 300, 0, 0.5, 1e-5)]
    helped = [asked(20, 200, 1000), asked(1, 50, 450, 0.1, 1e-2), asked(300, 1000, 9000), asked(3000, 10_000, 0)]
    edges = [asked(20, 500, 0, 2.0, 1e-4, heat * edge) for heat in (1.02, 0.98, 50)]
    kept = all(0 <= more <= 3 * K + 20 for more, K in alone + helped + edges)
    yield 1, kept, "With your K some demand is not kept, or K is far too large. The gap is 2 S M / n, with M = 1."
    hint = "it is not the least K: ask unlearning.delta, which is exact, at K, and at K - 1."
    alone, helped, edges = (not any(more for more, _ in group) for group in (alone, helped, edges))
    yield 1, alone, f"Without public samples {hint}"
    yield 1, helped, f"With public samples, or for a mass request, {hint} Who is in n?"
    yield 1, edges, f"Where no step is needed, or a single one, {hint} Begin at K = 0."


@task("E5", 4)
def check_forget(forget, seed=0):
    """`forget(gradient, rest, start, mu, gap, setting, seed)`: the temperature, and the law of the ends, exactly."""
    rng = np.random.default_rng([seed, 5])
    mu, gap, start = rng.uniform(0.8, 2), rng.uniform(0.3, 1), np.array([20.0, 10.0])
    setting = {"step": 0.5, "factor": rng.uniform(0.93, 0.96), "learn": 9, "unlearn": 5}
    slopes = (1 - np.array([setting["factor"], 0.8])) / setting["step"]
    gradient, rest = (lambda w, at=at: slopes * (w - at) for at in ([30.0, -40.0], [-50.0, 20.0]))
    answer = forget(gradient, rest, np.tile(start, (RUNS, 1)), mu, gap, dict(setting), int(rng.integers(1000)))
    tau, ends = as_parts(answer, 2, "forget returns two things, the temperature and the ends of the runs")
    tau, ends = as_number(tau, "The temperature is a number"), as_array(ends, "The ends are an array", (RUNS, 2))
    assert tau > 0, "The temperature is above 0: without noise nothing is certified."
    needed = (_pulled_apart(gap, temperature=1.0, **setting) / mu) ** 2
    yield (
        1,
        needed * (1 - 1e-6) < tau < 10 * needed,
        "At your temperature the certificate is above mu, or far below it.",
    )
    yield 1, 0 < tau < needed * (1 + 1e-4), "Less noise would do: the certificate should be mu, no less."
    mean, variance = start, 0.0
    for side in [gradient] * setting["learn"] + [rest] * setting["unlearn"]:
        mean = mean - setting["step"] * side(mean)
        variance = (1 - setting["step"] * slopes) ** 2 * variance + 2 * setting["step"] * tau
    away, wide = np.abs(ends.mean(axis=0) - mean), np.abs(ends.var(axis=0) / variance - 1)
    hint = "The mean of the ends is off: T steps on all data, from the start, then K steps on what stays."
    yield 1, (away < 6 * np.sqrt(variance / RUNS)).all(), hint
    hint = "The spread of the ends is off: each step has noise of your temperature, and no noise comes twice;"
    yield 1, (wide < 6 * math.sqrt(2 / RUNS)).all(), f"{hint} noisy_descent(..., first=T) goes on after T steps."


@task("E6", 3)
def check_exponent(exponent, seed=0):
    """`exponent(divergence, n)`: the slope of log D in log n at n, for powers, for bends, and in any unit."""
    rng = np.random.default_rng([seed, 6])

    def close(cases):
        told = [as_number(exponent(law, n), "exponent returns a number") for law, n, _ in cases]
        return np.allclose(told, [slope for *_, slope in cases], rtol=0, atol=0.01)

    powers = [(rng.uniform(-3, -0.2), 10 ** rng.uniform(-9, 9)) for _ in range(4)] + [(0, 0.5)]
    powers = [(lambda n, p=p, scale=scale: scale * n**p, 300.0, p) for p, scale in powers]
    yield 1, close(powers), "For D = C n^p, whatever C is, the exponent is p: a slope between two logarithms."
    bent = [(lambda n: (1 + n / 200) ** -2.0, n, -2 * n / (n + 200)) for n in (20.0, 200.0, 5000.0)]
    bent += [(lambda n, k=k: (n / 7) ** -2.0 + (n / 7) ** -k, 7.0, -1 - k / 2) for k in (0.5, 1, 4)]
    hint = "Where the curve bends, the slope at n itself is asked for: stay close to n, best on both sides of it."
    yield 1, close(bent), hint
    units = [(lambda n, unit=unit: (1 + n / unit) ** -2.0, 3 * unit, -1.5) for unit in (1e-6, 1.0, 1e9)]
    yield 1, close(units), "Whether n counts heads or millions: take a neighbour at a small share of n away."


@task("E7", 5)
def check_weigh(weigh, seed=0):
    """`weigh(costs, equal)`: weights that make sum omega_j^2 A_j least, the error, and whether equal weights hurt."""
    rng = np.random.default_rng([seed, 7])

    def asked(costs, equal):
        costs, equal = np.array(costs, dtype=float), np.array(equal, dtype=float)
        answer = weigh(costs.copy(), equal.copy())
        omega, error, hurts = as_parts(answer, 3, "weigh returns three things, omega, the error, and hurts")
        assert isinstance(hurts, bool | np.bool_), "The third is True or False: do equal weights hurt?"
        assert not any(map(has_nan, (omega, error))), "There is a nan: the cost is infinite where nobody is."
        return as_array(omega, "omega is an array", costs.shape), as_number(error, "The error is a number"), bool(hurts)

    def judged(k):
        costs = 10 ** rng.uniform(-2, 2, k)
        omega, error, _ = asked(costs, np.full(k, 1 / k))
        moved = omega + 1e-4 * (np.eye(k)[:, None] - np.eye(k))  # a little of each weight, to each other
        least = (moved**2 @ costs).min() >= omega**2 @ costs * (1 - 1e-12)
        one = np.isclose(omega.sum(), 1, rtol=0, atol=1e-9)
        return least and one, np.isclose(error, 1 / (1 / costs).sum(), rtol=1e-9, atol=0)

    hint = "another split of the weight 1 costs less: what do the products omega_j A_j say?"
    two = [judged(2) for _ in range(4)]
    yield 1, all(least for least, _ in two), f"For two sources {hint}"
    more = [judged(k) for k in (3, 4, 7)]
    yield 1, all(least for least, _ in more), f"For more sources {hint}"
    yield 1, all(fits for _, fits in two + more), "The error is the sum of omega_j^2 A_j at the best omega."
    right = True
    for k in (2, 3, 3, 5):
        equal, others = rng.dirichlet(np.full(k, 4.0)), rng.uniform(0.5, 2, k - 1)
        edge = equal[1:] ** 2 @ others / (1 - equal[0] ** 2)  # of the first cost: here equal weights cost the same
        costs = rng.permutation([0.9 * edge, 1.1 * edge, 0.5 * others.max()])
        right &= all(asked([cost, *others], equal)[2] == (edge > cost) for cost in costs)
    yield 1, right, "Equal weights hurt if they cost more than the private samples alone, which cost A_0."
    cost, other = rng.uniform(0.2, 5, 2)
    alone = asked([cost, math.inf], [1.0, 0.0])
    others = asked([math.inf, other, math.inf, other], [0.0, 0.5, 0.0, 0.5])
    right = np.allclose([*alone[0], *others[0]], [1, 0, 0, 0.5, 0, 0.5]) and not (alone[2] or others[2])
    right = right and np.allclose([alone[1], others[1]], [cost, other / 2])
    yield 1, right, "A source where nobody is costs infinitely much: it has no weight, in both ways, and does no harm."


def _pulled_apart(gap, step, temperature, factor, unlearn, learn):
    """mu of two means: how far learning pulls them apart and unlearning leaves them, over the spread of the noise."""
    apart, variance, pulls = 0.0, 0.0, SETTLED if learn == math.inf else learn
    for k in range(pulls + unlearn):
        apart = factor * apart + (step * gap if k < pulls else 0.0)
        variance = factor**2 * variance + 2 * step * temperature
    return apart / math.sqrt(variance)


def _measured(auc, high, low):
    value, error = as_parts(auc(high.copy(), low.copy()), 2, "auc returns two numbers, the AUC and its standard error")
    return as_number(value, "The AUC is a number"), as_number(error, "The standard error is a number")


def _shares(auc, samples):
    """Whether the AUC of each two samples is the share of pairs in order."""
    shares = [((x[:, None] > y).mean() + (x[:, None] >= y).mean()) / 2 for x, y in samples]
    return np.allclose([_measured(auc, *one)[0] for one in samples], shares, rtol=0, atol=1e-9)


def _spread(auc, rng, *sizes):
    """Whether squared errors are in the mean the variance of the AUC, a closed form for normal scores, `low` wider."""
    t = np.linspace(-9, 9, 2001)
    weight, ratios = np.exp(-(t**2) / 2) / np.exp(-(t**2) / 2).sum(), []
    for shift, (many, few) in ((shift, pair) for shift in (0.2, 1.5) for pair in sizes):
        mean, one, other = ndtr(shift / 5**0.5), weight @ ndtr((t + shift) / 2) ** 2, weight @ ndtr(shift - 2 * t) ** 2
        exact = (mean * (1 - mean) + (few - 1) * (one - mean**2) + (many - 1) * (other - mean**2)) / (many * few)
        for _ in range(40):
            error = _measured(auc, rng.normal(shift, 1, many), rng.normal(0, 2, few))[1]
            ratios.append(error**2 / exact if error > 0 else np.nan)
    return 0.85 < np.mean(ratios) < 1.18
