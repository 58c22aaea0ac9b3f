"""Public data: samples that nobody asks to forget, what they are worth and what they cost (U4, U5).

A mean is estimated by noisy descent with the weight omega on the public samples and 1 - omega on the private ones, of
which some are forgotten. The error that is expected, E |w - mean|^2 / 2, is omega^2 A + (1 - omega)^2 B.
"""

from mfcourse import checks
from mfcourse.beyond.gaussians import LONGEST


def weight_costs(mu, private, public, forgotten, dimension, variance=0.1, shift=0.0, diameter=2.0, kept=1.0):
    """(A, B): the price of trusting the public samples, and of trusting the private ones, for the certificate mu (U5).

    private, public, forgotten: numbers of samples, which have `variance` in each of `dimension` directions; `shift` is
    how far off the public mean is, `diameter` how far two samples are apart at most, and `kept` the factor c^K that is
    left after K unlearning steps. Independent samples need 2 d v <= diameter^2: those on the unit sphere of R^10 have
    v = 1/10 and diameter 2. A = shift^2/2 + d v/(2 n_pub); B = d v/(2 n_priv) + d (kept S G/n_priv)^2/(2 mu^2), whose
    second part is the noise that mu asks for. Raises ValueError if an argument is out of its range.
    """
    mu = checks.positive("mu", mu)
    private = checks.count("private", private, at_most=LONGEST)
    public = checks.count("public", public, at_most=LONGEST)
    forgotten = checks.count("forgotten", forgotten, at_least=0, at_most=private)
    dimension = checks.count("dimension", dimension, at_most=LONGEST)
    variance, shift = (checks.positive(n, v, or_zero=True) for n, v in (("variance", variance), ("shift", shift)))
    diameter, kept = (checks.positive(n, v, or_zero=True) for n, v in (("diameter", diameter), ("kept", kept)))
    noise = (kept * forgotten * diameter / private / mu) ** 2
    return shift**2 / 2 + dimension * variance / (2 * public), dimension * (variance / private + noise) / 2


def best_weight(a, b):
    """(omega, value): omega = B / (A + B) makes omega^2 A + (1 - omega)^2 B least, and that is A B / (A + B) (U5).

    a, b: the costs A and B, numbers or arrays >= 0 that are not both 0. Raises ValueError otherwise.
    """
    a, b = checks.finite("a", a), checks.finite("b", b)
    checks.same_runs(a=a.shape, b=b.shape)
    if (a < 0).any() or (b < 0).any() or (a + b <= 0).any():
        raise ValueError("a and b must be >= 0 and not both 0: where nothing costs anything every weight is best")
    weight = b / (a + b)
    return weight, weight * a
