"""Wrong answers to chapter 15, and the hints they must meet."""

import math

import numpy as np

from mfcourse.beyond import unlearning
from mfcourse.exercises import chapter15


def mu(s, n, bound, lam, e, tau, k, gap=2, power=1, noise=2, strength=True, settled=True):
    c = 1 - e * lam
    reach = c ** (power * k) * gap * s * bound / n / (lam if strength else 1)
    return reach * math.sqrt((1 - c**2 if settled else 1) / (noise * e * tau))


def steps(target, public, rounded=math.ceil, rate=1, size=None, share=1):
    c = 25 / 27
    start = 2 * 20 / (200 + public if size is None else size) / 0.02 * math.sqrt((1 - c**2) / (2 * 2e-4 / 0.27))
    return max(0, rounded(math.log(start / target) / -math.log(c) / rate / share))


def steps_after_sixty(target, public):
    c, gap = 25 / 27, 40 / (200 + public)
    return next(k for k in range(9999) if unlearning.certificate(gap, 0.1 / 0.027, 2e-4, c, k, 60) <= target)


def searched(a, b, number=10_001):
    weights = np.linspace(0, 1, number)
    prices = weights**2 * a + (1 - weights) ** 2 * b
    return weights[prices.argmin()], prices.min(), weights[prices <= b * (1 + 1e-12)].max()


WRONG = [
    (
        chapter15.check_mu,
        lambda s, n, bound, lam, e, tau, k: mu(s, n, bound, lam, e, tau, 0) * math.exp(-e * lam * k),
        "for short steps only",
    ),
    (chapter15.check_mu, lambda s, n, *others: mu(s, n - s, *others), "so n remains"),
    (
        chapter15.check_exponent,
        lambda private, public: -2 * math.log(1 + 0.01 * public / (private + public)) / math.log(1.01),
        "not small enough",
    ),
    (chapter15.check_best, searched, "no search"),
    (chapter15.check_best, lambda a, b: (b / (a + b), a * b / (a + b), searched(a, b)[2]), "other side of its"),
    (chapter15.check_best, lambda a, b: (b / (a + b), a * b / (a + b), min(1, (b / a) ** 0.5)), "other side of its"),
    (chapter15.check_steps, steps_after_sixty, "T is infinite"),
    (chapter15.check_steps, lambda target, public: steps(target, public, rounded=lambda k: int(k) + 1), "steps do"),
    (chapter15.check_mu, lambda *a: mu(*a, gap=1), "Half of it"),
    (chapter15.check_mu, lambda *a: mu(*a, power=0), "forgot to forget"),
    (chapter15.check_mu, lambda *a: mu(*a, power=2), "not by c"),
    (chapter15.check_mu, lambda *a: mu(*a) ** 2, "This is mu"),
    (chapter15.check_mu, lambda *a: mu(*a, noise=1), "e τ, or 2 e τ"),
    (chapter15.check_mu, lambda *a: mu(*a, strength=False), "that of the minimisers g / λ"),
    (chapter15.check_mu, lambda *a: mu(*a, settled=False), "Noise of earlier steps hides too"),
    (chapter15.check_mu, lambda *a: mu(*a) + 1, "Which c belongs to e and λ"),
    (chapter15.check_exponent, lambda private, public: -2, "only in the limit"),
    (chapter15.check_exponent, lambda private, public: 2 * public / (private + public), "falls: the sign"),
    (chapter15.check_exponent, lambda private, public: -public / (private + public), "slope of mu"),
    (chapter15.check_exponent, lambda private, public: -2 * private / (private + public), "is yours 0 at n_pub = 0"),
    (chapter15.check_exponent, lambda private, public: -2 * public / private, "chain rule"),
    (chapter15.check_best, lambda a, b: (0.5, (a + b) / 4, 1.0), "Equal weights are best only if"),
    (chapter15.check_best, lambda a, b: (a / (a + b), a * b / (a + b), 1.0), "swapped"),
    (chapter15.check_best, lambda a, b: (b / (a + b), 2 * a * b / (a + b), 1.0), "twice too much"),
    (chapter15.check_best, lambda a, b: (b / (a + b), a * b / (a + b), b / (a + b)), "other side of its"),
    (chapter15.check_best, lambda a, b: (b / (a + b), a * b / (a + b), 2 * b / (a + b)), "no weight exceeds 1"),
    (
        chapter15.check_best,
        lambda a, b: (math.sqrt(b) / (math.sqrt(a) + math.sqrt(b)), 0, 0),
        "Set the derivative to 0",
    ),
    (chapter15.check_steps, lambda target, public: steps(target, public, size=200), "which n belongs to it"),
    (chapter15.check_steps, lambda target, public: steps(target, public, rounded=math.floor), "round up"),
    (chapter15.check_steps, lambda target, public: steps(target, 0, share=1 + public / 200), "not the number of steps"),
    (
        chapter15.check_steps,
        lambda target, public: math.ceil(steps(target, 0) / (1 + public / 200) ** 2),
        "not the number of steps",
    ),
    (chapter15.check_steps, lambda target, public: steps(target, public, rate=0.5), "and not by its root"),
    (chapter15.check_steps, lambda target, public: steps(target, public, rounded=float), "is whole"),
    (chapter15.check_steps, lambda target, public: steps(target, public) + 1, "steps do, with mu"),
]
