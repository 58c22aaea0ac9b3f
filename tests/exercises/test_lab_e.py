"""Lab E: right answers, however written, earn all points; each usual mistake loses its part, and is told why."""

import math
import re

import numpy as np
import pytest
from judging import judge
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu

from mfcourse.beyond import forgetful_digits as digits
from mfcourse.beyond import unlearning
from mfcourse.beyond.langevin import noisy_descent
from mfcourse.exercises import lab_e

POINTS = {"predictions": 2, "auc": 4, "certificate": 5, "steps_needed": 4, "forget": 4, "exponent": 3, "weigh": 5}
TOLD = dict.fromkeys(lab_e.QUESTIONS[:4], 0.5) | {"factor": 2}


def auc(high, low, ties=0.5, sizes=None, root=0.5):
    """By all pairs, with DeLong's standard error."""
    wins = (high[:, None] > low) + ties * (high[:, None] == low)
    n, m = sizes or wins.shape
    return wins.mean(), (wins.mean(axis=1).var(ddof=1) / n + wins.mean(axis=0).var(ddof=1) / m) ** root


def resampled(high, low):
    """By ranks, with a standard error from samples that are drawn again."""
    rng = np.random.default_rng(0)
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    ours, theirs = (rng.multinomial(len(x), np.ones(len(x)) / len(x), 100) for x in (high, low))
    value = mannwhitneyu(high, low).statistic / len(high) / len(low)
    return value, np.std(((ours @ wins) * theirs).sum(axis=1)) / wins.size


def certificate(gap, step, temperature, factor, unlearn, learn, square=1, steps=1, two=2, noise=1, limit=True):
    """By geometric series, term after term."""
    if factor > 1:
        raise ValueError("factor must be at most 1")
    if factor == 1 and not limit:
        return np.nan
    many = 4000 if np.isinf(learn) else learn
    pulls, noises = factor ** np.arange(many), factor ** (2.0 * np.arange(many + noise * unlearn))
    mu = factor ** (steps * unlearn) * step * gap * pulls.sum() / np.sqrt(two * step * temperature * noises.sum())
    return mu**square


def anyway(*u):
    return certificate(*u[:3], min(u[3], 1), *u[4:])


def as_it_stands(gap, step, temperature, factor, unlearn, learn):
    """The formula, and nothing else."""
    if factor > 1:
        raise ValueError("factor must be at most 1")
    pulled = factor**unlearn * step * gap * (1 - factor**learn) / (1 - factor)
    return pulled * math.sqrt((1 - factor**2) / (2 * step * temperature * (1 - factor ** (2 * (learn + unlearn)))))


def steps_needed(forgotten, private, public, epsilon, delta, setting, count=True, pull=2, exact=True, first=0, later=0):
    mu = brentq(lambda mu: unlearning.delta(mu, epsilon) - delta, 1e-6, 50)
    if not exact:
        mu = brentq(lambda mu: mu**2 / 2 + mu * math.sqrt(2 * math.log(1 / delta)) - epsilon, 1e-6, 50)
    gap = pull * forgotten / (private + count * public)
    return max(first, unlearning.steps_needed(mu, gap, **setting)) + later


def forget(gradient, rest, start, mu, gap, setting, seed, heat=1.0, cold=False, again=False, swap=False, own=None):
    """Both phases by hand, but for the noise."""
    c, step, learn, unlearn = (setting[name] for name in ("factor", "step", "learn", "unlearn"))
    reach = c**unlearn * step * gap * (1 - c**learn) / (1 - c)
    tau = heat * reach**2 * (1 - c**2) / (2 * step * mu**2 * (1 - c ** (2 * (learn + unlearn))))
    sides = (rest, gradient) if swap else (gradient, rest)
    w = noisy_descent(sides[0], step, 0.0 if cold else tau, start, learn, seed)
    return own or tau, noisy_descent(sides[1], step, tau, w, unlearn, seed, first=0 if again else learn)


def once(*u):
    """Learning is left out."""
    tau, _ = forget(*u)
    return tau, noisy_descent(u[1], u[5]["step"], tau, u[2], u[5]["learn"] + u[5]["unlearn"], u[6])


def other_noise(gradient, rest, start, mu, gap, setting, seed):
    rng, (tau, _) = np.random.default_rng(seed), forget(gradient, rest, start, mu, gap, setting, seed)
    for side in [gradient] * setting["learn"] + [rest] * setting["unlearn"]:
        start = (
            start - setting["step"] * side(start) + np.sqrt(2 * setting["step"] * tau) * rng.normal(size=start.shape)
        )
    return [tau, start]


def exponent(divergence, n, share=1e-3, step=0.0, back=True):
    low, high = (n * (1 - share) - step if back else n), n * (1 + share) + step
    return math.log(divergence(high) / divergence(low)) / math.log(high / low)


def weigh(costs, equal, kind="best", careless=False):
    """By the stationary point: omega_j A_j is the same for all."""
    weights = {"best": 1 / costs, "root": costs**-0.5, "swap": costs, "least": costs == costs.min(), "equal": equal}[
        kind
    ]
    omega = weights / weights.sum()
    used = slice(None) if careless else omega > 0
    price = sum(equal[j] ** 2 * costs[j] for j in range(len(costs)) if equal[j] > 0 or careless)
    return omega, (omega[used] ** 2 @ costs[used]), bool(price > costs[0])


def two_only(costs, equal):
    a, b = costs
    omega = b / (a + b) if np.isfinite(a + b) else 1.0
    price = equal[1] ** 2 * b if equal[1] else 0.0
    return [omega, 1 - omega], omega * a, equal[0] ** 2 * a + price > a


def eliminated(costs, equal):
    """By the linear equations of a constrained minimum, among the sources that have samples."""
    there = np.isfinite(costs)
    k = there.sum()
    matrix = np.block([[np.diag(2 * costs[there]), np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    omega = np.zeros(len(costs))
    omega[there] = np.linalg.solve(matrix, np.append(np.zeros(k), 1))[:k]
    error = omega[there] ** 2 @ costs[there]
    return omega.tolist(), np.array(error), np.bool_(equal[there] ** 2 @ costs[there] > costs[0])


RIGHT = {
    "predictions": lambda: TOLD,
    "auc": auc,
    "certificate": certificate,
    "steps_needed": steps_needed,
    "forget": forget,
    "exponent": exponent,
    "weigh": weigh,
}
ALSO_RIGHT = [
    ("auc", resampled),
    ("certificate", unlearning.certificate),
    ("forget", other_noise),
    ("weigh", eliminated),
    ("exponent", lambda law, n: (np.log(law(n * 1.001)) - np.log(law(n))) / np.log(1.001)),
    ("exponent", lambda law, n: (law(1.0001 * n) - law(0.9999 * n)) / 2e-4 / law(n)),
]
WRONG = [  # task, answer, points, and what is said of it
    ("predictions", dict, 0, "hundred, K = 20, accuracy, factor.\n"),
    ("predictions", lambda: TOLD | {"accuracy": 84}, 1, "AUCs and the accuracy are between 0 and 1"),
    ("predictions", lambda: TOLD | {"factor": -2}, 1, "the factor is above 0"),
    ("predictions", lambda: {"factor": 3}, 1, "Yours lacks one, K = 0"),
    ("predictions", lambda: TOLD | {"accuracy": "good"}, 1, "A number is asked for 'accuracy'; yours is 'good'"),
    ("auc", lambda x, y: auc(y, x), 2, "Which of the two should score higher?"),
    ("auc", lambda x, y: (max(auc(x, y)[0], auc(y, x)[0]), auc(x, y)[1]), 3, "below one half is an answer, too"),
    ("auc", lambda *u: auc(*u, ties=0), 3, "of two that are equal, count half"),
    ("auc", lambda *u: auc(*u, ties=1), 3, "of two that are equal, count half"),
    ("auc", lambda *u: auc(*u, root=1), 2, "more, or by less, than your standard error"),
    ("auc", lambda *u: auc(*u, sizes=(1, 1)), 2, "two variances, each over its number"),
    ("auc", lambda x, y: auc(x, y, sizes=(len(y), len(x))), 3, "one sample is much larger"),
    ("auc", lambda x, y: (auc(x, y)[0], auc(x, y, sizes=(len(x), 1e9))[1]), 2, "two variances"),
    ("auc", lambda x, y: (auc(x, y)[0], 0.0), 2, "two variances"),
    ("auc", lambda x, y: (auc(x, y)[0], math.nan), 0, "The standard error is a number; yours is nan"),
    ("auc", lambda x, y: auc(x, y)[0], 0, "auc returns two numbers"),
    ("certificate", lambda *u: certificate(*u, square=2), 1, "not its square"),
    ("certificate", lambda *u: certificate(*u, two=1), 1, "mind the 2 below tau"),
    ("certificate", lambda *u: certificate(*u, steps=0), 4, "c^K brings the two together"),
    ("certificate", lambda *u: certificate(*u, steps=2), 4, "For K > 0 it is off"),
    ("certificate", lambda *u: certificate(*u, noise=0), 3, "the noise of all T + K steps"),
    ("certificate", lambda *u: certificate(*u[:5], np.inf) if u[3] < 1 else anyway(*u), 2, "after one step mu"),
    ("certificate", lambda *u: certificate(*u, limit=False), 4, "Take its limit"),
    ("certificate", as_it_stands, 4, "Take its limit"),
    ("certificate", anyway, 4, "For c > 1 the theorem is silent"),
    ("certificate", lambda *u: None, 0, "certificate returns mu, a number; yours is None"),
    ("steps_needed", lambda *u: steps_needed(*u, count=False), 3, "Who is in n?"),
    ("steps_needed", lambda *u: steps_needed(*u, pull=1), 0, "The gap is 2 S M / n"),
    ("steps_needed", lambda *u: steps_needed(*u, exact=False), 1, "ask unlearning.delta, which is exact"),
    ("steps_needed", lambda *u: steps_needed(*u, later=1), 1, "and at K - 1"),
    ("steps_needed", lambda *u: steps_needed(*u, first=1), 3, "Begin at K = 0"),
    ("steps_needed", lambda *u: 10**6, 0, "some demand is not kept, or K is far too large"),
    ("steps_needed", lambda *u: 0, 0, "some demand is not kept"),
    ("steps_needed", lambda *u: steps_needed(*u) - 0.5, 0, "a whole number of steps"),
    ("steps_needed", lambda *u: None, 0, "K is a number; yours is None"),
    ("forget", lambda *u: forget(*u, heat=2.0), 3, "Less noise would do"),
    ("forget", lambda *u: forget(*u, heat=0.5), 3, "the certificate is above mu"),
    ("forget", lambda *u: forget(*u, heat=1e6), 2, "or far below it"),
    ("forget", lambda *u: forget(*u, cold=True), 3, "each step has noise of your temperature"),
    ("forget", lambda *u: forget(*u, again=True), 3, "no noise comes twice"),
    ("forget", lambda *u: forget(*u, swap=True), 3, "T steps on all data"),
    ("forget", once, 3, "then K steps on what stays"),
    ("forget", lambda *u: forget(*u, own=-1.0), 0, "without noise nothing is certified"),
    (
        "forget",
        lambda *u: forget(*u)[1],
        0,
        "forget returns two things, the temperature and the ends of the runs; yours",
    ),
    ("forget", lambda *u: (forget(*u)[0], forget(*u)[1][0]), 0, "The ends are an array of shape"),
    ("exponent", lambda law, n: (law(1.001 * n) - law(n)) / (0.001 * n), 0, "a slope between two logarithms"),
    ("exponent", lambda law, n: math.log(law(n)) / math.log(n), 0, "whatever C is"),
    ("exponent", lambda *u: exponent(*u, share=0.5, back=False), 1, "best on both sides of it"),
    ("exponent", lambda *u: exponent(*u, share=0, step=1e-5, back=False), 2, "a small share of n"),
    ("exponent", lambda *u: -2.0, 0, "the exponent is p"),
    ("exponent", lambda *u: None, 0, "exponent returns a number; yours is None"),
    ("weigh", lambda *u: weigh(*u, kind="swap"), 1, "For two sources another split of the weight 1 costs less"),
    ("weigh", lambda *u: weigh(*u, kind="root"), 2, "what do the products omega_j A_j say?"),
    ("weigh", lambda *u: weigh(*u, kind="least"), 2, "For more sources"),
    ("weigh", lambda *u: weigh(*u, kind="equal"), 2, "For two sources"),
    ("weigh", two_only, 1, "It raised ValueError: too many values to unpack"),
    ("weigh", lambda costs, equal: (weigh(costs, equal)[0], costs.min(), weigh(costs, equal)[2]), 3, "The error is"),
    ("weigh", lambda costs, equal: (1 / costs, *weigh(costs, equal)[1:]), 2, "another split"),
    (
        "weigh",
        lambda costs, equal: (*weigh(costs, equal)[:2], bool((costs[1:] > costs[0]).any())),
        3,
        "Equal weights hurt",
    ),
    ("weigh", lambda *u: (*weigh(*u)[:2], True), 3, "more than the private samples alone"),
    ("weigh", lambda *u: (*weigh(*u)[:2], False), 4, "more than the private samples alone"),
    ("weigh", lambda *u: weigh(*u, careless=True), 4, "There is a nan: the cost is infinite where nobody is"),
    ("weigh", lambda *u: (*weigh(*u)[:2], "no"), 0, "The third is True or False"),
    ("weigh", lambda *u: weigh(*u)[:2], 0, "weigh returns three things"),
]


def check(name):
    return getattr(lab_e, f"check_{name}")


@pytest.mark.parametrize("name", POINTS)
def test_a_right_answer_earns_all_points_on_every_instance(name, capsys):
    instances = ((),) if name == "predictions" else ((), (7,), (1,), (2,))
    assert [check(name)(RIGHT[name], *one) for one in instances] == [POINTS[name]] * len(instances)
    assert "\n  " not in capsys.readouterr().out


@pytest.mark.parametrize(("name", "answer"), ALSO_RIGHT)
def test_a_right_answer_written_otherwise_earns_them_too(name, answer):
    assert [check(name)(answer, seed) for seed in (0, 7)] == [POINTS[name]] * 2


@pytest.mark.parametrize(("name", "answer", "points", "said"), WRONG)
def test_a_usual_mistake_loses_its_part_and_is_told_why(name, answer, points, said, capsys):
    judge(capsys, check(name), answer, points, re.escape(said))


@pytest.mark.parametrize("name", POINTS)
def test_what_is_not_written_earns_nothing(name, capsys):
    def stub(*arguments):
        raise NotImplementedError

    assert check(name)(stub) == 0
    assert "not solved yet" in capsys.readouterr().out
    assert check(name)(lambda *arguments: None) == 0


def remembered(answer):
    """The results of `answer` on one instance, in their order, whatever is asked later."""
    kept, asked = [], []

    def same(*arguments):
        if len(asked) == len(kept):
            kept.append(answer(*arguments))
        asked.append(arguments)
        return kept[len(asked) - 1]

    def again(*arguments):
        asked.append(arguments)
        return kept[(len(asked) - 1) % len(kept)]

    return same, again


@pytest.mark.parametrize("name", [name for name in POINTS if name != "predictions"])
def test_an_answer_learnt_by_heart_fails_on_the_hidden_instance(name):
    first, later = remembered(RIGHT[name])
    assert check(name)(first) == POINTS[name]
    assert check(name)(later, 7) <= 2


def spoilt(answer):
    """The answer by somebody who writes into what he was handed, and prints."""

    def careless(*arguments):
        kept = [np.copy(one) if isinstance(one, np.ndarray) else one for one in arguments]
        result = answer(*[dict(one) if isinstance(one, dict) else one for one in kept])
        for one in arguments:
            if isinstance(one, np.ndarray):
                one[...] = np.nan
            elif isinstance(one, dict):
                one.clear()
        print("Task E0: 99 of 99 points")
        return result

    return careless


@pytest.mark.parametrize("name", [name for name in POINTS if name != "predictions"])
def test_what_is_handed_over_may_be_overwritten(name):
    assert check(name)(spoilt(RIGHT[name])) == POINTS[name]


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), RecursionError("deep"), StopIteration("end")])
def test_an_answer_that_fails_is_told_how(name, error, capsys):
    def failing(*arguments):
        raise error

    assert check(name)(failing) == 0
    assert type(error).__name__ in capsys.readouterr().out


def test_the_runs_for_means_have_the_laws_in_closed_form_and_reach_the_bound():
    when, pull = (0, 25), 0.006
    for K, (unlearned, retrained) in zip(when, zip(*lab_e.two_means(pull, when, seed=3), strict=True), strict=True):
        setting = [digits.STEP, digits.TEMPERATURE, digits.FACTOR, K, digits.LEARN]
        value, error = auc(unlearned, retrained)
        assert abs(value - unlearning.attack_bound(unlearning.certificate(pull, *setting))) < 4 * error
        law = [[digits.STRENGTH]], [0.0], digits.STEP, digits.TEMPERATURE, [0.0], [[0.0]], digits.LEARN + K
        assert abs(retrained.var() / unlearning.gaussian_law(*law)[1][0, 0] - 1) < 4 * math.sqrt(2 / 1500)
        assert abs(np.corrcoef(unlearned, retrained)[0, 1]) < 4 / math.sqrt(1500)


def test_an_attack_on_one_person_sees_something_and_on_a_hundred_everything():
    for forgotten, least, most in ((1, 0.5, 0.9), (100, 0.99, 1.0)):
        unlearned, retrained = digits.runs(0, [0], forgotten=forgotten)
        assert least < unlearning.attack(unlearned[0], retrained[0]) <= most
