"""Theorem U and its consequences: against exact laws of small chains, quadrature, attacks, and reference numbers."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from mfcourse.beyond import langevin, unlearning
from mfcourse.beyond.gaussians import geometric
from mfcourse.beyond.unlearning import (
    attack,
    attack_bound,
    best_weight,
    certificate,
    contraction,
    delta,
    epsilon,
    gaussian_law,
    gradient_gap,
    renyi,
    steps_needed,
    temperature_needed,
    two_worlds,
    weight_costs,
)

INF, HUGE = math.inf, 10**400
GOOD = {"gap": 0.1, "step": 0.25, "temperature": 0.01, "factor": 0.75, "unlearn": 4, "learn": 5}

# The number mu


def scalar_chain(step, temperature, pulls):
    """Mean and variance of x <- x - step (x - pull) + noise from 0, one step after the other: a mean is estimated."""
    mean = variance = 0.0
    for pull in pulls:
        mean, variance = mean - step * (mean - pull), (1 - step) ** 2 * variance + 2 * step * temperature
    return mean, variance


@pytest.mark.parametrize("step", [0.05, 0.25, 1.0])
@pytest.mark.parametrize(("learn", "unlearn"), [(1, 0), (1, 3), (5, 0), (5, 1), (40, 7), (0, 3), (2000, 0), (2000, 4)])
def test_theorem_u_is_attained_by_a_mean_whose_forgotten_points_are_replaced_by_opposite_ones(step, learn, unlearn):
    size, forgotten, temperature = 50, 3, 0.01
    pull = forgotten / size  # 3 points at 1, 47 at 0; then 3 at -1
    mean, variance = scalar_chain(step, temperature, [pull] * learn + [-pull] * unlearn)
    retrained, same = scalar_chain(step, temperature, [-pull] * (learn + unlearn))
    assert variance == same
    mu = certificate(gradient_gap(forgotten, size), step, temperature, contraction(step, 1, 1), unlearn, learn)
    assert mu == pytest.approx(abs(mean - retrained) / math.sqrt(variance), rel=1e-12)
    if learn == 2000:
        endless = certificate(gradient_gap(forgotten, size), step, temperature, contraction(step, 1, 1), unlearn)
        assert mu == pytest.approx(endless, rel=1e-12)


@pytest.mark.parametrize(("learn", "unlearn"), [(1, 0), (4, 3), (20, 30)])
def test_without_contraction_a_random_walk_attains_the_certificate(learn, unlearn):
    """A linear loss moves by a constant: factor 1, means learn * step * gap apart, variance that only grows (U3)."""
    step, temperature, gap = 0.1, 0.05, 0.3
    exact = learn * step * gap / math.sqrt((learn + unlearn) * 2 * step * temperature)
    assert certificate(gap, step, temperature, 1.0, unlearn, learn) == pytest.approx(exact, rel=1e-14)
    for factor in (1 - 1e-9, 1 - 1e-15):
        assert certificate(gap, step, temperature, factor, unlearn, learn) == pytest.approx(exact, rel=1e-6)


def cheapest(factor, gap, learn, unlearn):
    """The least sum of squares of shifts a_k >= 0 that close the distance z <- c z + gap [k <= learn] - a_k >= 0."""
    total = learn + unlearn
    powers = factor ** np.arange(total - 1, -1, -1.0)
    shifts = powers * (powers[:learn].sum() * gap) / (powers @ powers)
    distance, closest = 0.0, 0.0
    for k, shift in enumerate(shifts):
        distance = factor * distance + gap * (k < learn) - shift
        closest = min(closest, distance)
    return shifts, distance, closest


@pytest.mark.parametrize("factor", [0.0, 0.1, 0.6, 0.97, 1.0])
@pytest.mark.parametrize(("learn", "unlearn"), [(1, 0), (1, 5), (6, 0), (6, 2), (30, 40)])
def test_the_shifts_of_the_proof_are_allowed_close_the_distance_and_cost_what_the_certificate_says(
    factor, learn, unlearn
):
    step, temperature, gap = 0.2, 0.03, 0.7
    shifts, last, closest = cheapest(factor, step * gap, learn, unlearn)
    assert shifts.min() >= 0
    assert closest > -1e-13
    assert abs(last) < 1e-13
    mu = math.sqrt(shifts @ shifts / (2 * step * temperature))
    assert certificate(gap, step, temperature, factor, unlearn, learn) == pytest.approx(mu, rel=1e-13, abs=1e-300)


def test_numbers_of_the_mean():
    gap = gradient_gap(3, 50)
    for learn, unlearn, known in (
        (INF, 4, 0.355165134760183),
        (5, 1, 0.652510258886419),
        (INF, 0, 1.12249721603218),
    ):
        assert certificate(gap, 0.25, 0.01, 0.75, unlearn, learn) == pytest.approx(known, rel=1e-14)


def test_numbers_beside_the_bound_of_langevin_unlearning():
    """The bound in the code of Chien et al. (2024): twice the constant, and a rate divided by the order (U2)."""
    size, forgotten, convex, temperature, order = 400, 20, 0.1, 0.05**2, 2
    step = 1 / 0.35
    factor = contraction(step, convex, 0.35)
    for unlearn, known, theirs in ((0, 34.2857, 80), (5, 1.18531, 39.16), (20, 4.898e-5, 4.595)):
        mu = certificate(gradient_gap(forgotten, size), step, temperature, factor, unlearn)
        assert order * mu**2 / 2 == pytest.approx(known, rel=1e-4)
        bound = math.exp(-unlearn * convex * step / order) * 4 * order * forgotten**2 / (convex * temperature * size**2)
        assert bound == pytest.approx(theirs, rel=1e-3)
    short = certificate(gradient_gap(forgotten, size), 1e-6, temperature, contraction(1e-6, convex, 0.35), 0)
    assert short**2 * order / 2 == pytest.approx(80 / 2, rel=1e-6)  # half the constant, for short steps


def test_more_learning_never_helps_and_more_unlearning_always_does():
    by_learning = [certificate(0.1, 0.25, 0.01, 0.75, 3, learn) for learn in (0, 1, 2, 5, 20, INF)]
    assert by_learning[0] == 0
    assert (np.diff(by_learning) > 0).all()
    for factor, learn in ((0.75, INF), (0.75, 2), (1.0, 6)):
        by_unlearning = [certificate(0.1, 0.25, 0.01, factor, unlearn, learn) for unlearn in range(30)]
        assert (np.diff(by_unlearning) < 0).all()


def test_a_step_that_forgets_everything_leaves_its_noise():
    assert certificate(0.1, 0.25, 0.01, 0.0, 0) == pytest.approx(0.25 * 0.1 / math.sqrt(2 * 0.25 * 0.01))
    assert certificate(0.1, 0.25, 0.01, 0.0, 1) == 0
    assert certificate(0.0, 0.25, 0.0, 1.0, 1, 3) == 0  # the same data: nothing to hide


def test_contraction_is_the_norm_of_a_step_on_a_quadratic():
    rng = np.random.default_rng(0)
    for step in (0.1, 0.5, 2.0):
        matrix = rng.standard_normal((4, 4))
        hessian = matrix + matrix.T
        values = np.linalg.eigvalsh(hessian)
        norm_of_step = np.linalg.norm(np.eye(4) - step * hessian, 2)
        assert contraction(step, values[0], values[-1]) == pytest.approx(norm_of_step, rel=1e-12)
    assert contraction(0.5, -0.5, 1.0) > 1


def test_the_gap_bounds_what_gradients_differ_by_and_is_attained():
    """Logistic gradients of samples of length at most 1: replaced, or removed with the mean taken over the rest."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = np.sign(rng.standard_normal(30))

    def gradient(w, x, y):
        return (-y / (1 + np.exp(y * (x @ w)))) @ x / len(y)

    for w in rng.standard_normal((200, 4)) * 10 ** rng.uniform(-1, 2, (200, 1)):
        removed = gradient(w, x, y) - gradient(w, x[5:], y[5:])
        replaced = gradient(w, x, y) - gradient(w, np.r_[-x[:5], x[5:]], np.r_[y[::-1][:5], y[5:]])
        assert max(np.linalg.norm(removed), np.linalg.norm(replaced)) <= gradient_gap(5, 30)
    nearly = np.array([np.cos(0.01), np.sin(0.01)]), np.array([-np.cos(0.01), np.sin(0.01)])  # opposite directions
    x, y, far = np.zeros((30, 2)), np.ones(30), np.array([0.0, -1e4])
    x[:5] = nearly[0]
    other = np.where(x == nearly[0], nearly[1], x)
    assert np.linalg.norm(gradient(far, x, y) - gradient(far, other, y)) == pytest.approx(gradient_gap(5, 30), rel=1e-4)


def test_steps_and_temperature_are_inverses_of_the_certificate():
    for learn in (3, INF):
        for mu in (2.0, 0.3, 1e-3):
            steps = steps_needed(mu, 0.1, 0.25, 0.01, 0.75, learn)
            assert certificate(0.1, 0.25, 0.01, 0.75, steps, learn) <= mu
            assert steps == 0 or certificate(0.1, 0.25, 0.01, 0.75, steps - 1, learn) > mu
            temperature = temperature_needed(mu, 0.1, 0.25, 0.75, 4, learn)
            assert certificate(0.1, 0.25, temperature, 0.75, 4, learn) == pytest.approx(mu, rel=1e-14)
    assert steps_needed(5.0, 0.1, 0.25, 0.01, 0.75) == 0
    assert steps_needed(0.01, 0.1, 0.25, 0.01, 0.0) == 1
    assert steps_needed(0.01, 0.1, 0.25, 0.01, 1.0, 3) == math.ceil(9 * 0.25 * 0.1**2 / (2 * 0.01 * 1e-4)) - 3  # U3


def test_the_two_worlds_of_a_mean_have_the_laws_and_the_distance_of_theorem_u():
    """And each goes on as if it had not been looked at, from noise that the other does not share."""
    settings = {"step": 0.25, "temperature": 0.01, "learn": 5}
    gradients = (lambda w: w - 0.06), (lambda w: w + 0.06)
    unlearned, retrained = two_worlds(*gradients, np.zeros((4000, 1)), unlearn=[0, 3], seeds=(0, 4000), **settings)
    for k, steps in enumerate((0, 3)):
        mu = certificate(0.12, 0.25, 0.01, 0.75, steps, 5)
        apart = (unlearned[k].mean() - retrained[k].mean()) / retrained[k].std()
        assert abs(apart - mu) < 4 * math.sqrt(2 / 4000) * math.hypot(1, mu / 2)
    assert abs(np.corrcoef(unlearned[0, :, 0], retrained[0, :, 0])[0, 1]) < 4 / math.sqrt(4000)
    (again,), _ = two_worlds(*gradients, np.zeros((4000, 1)), unlearn=[3], seeds=(0, 4000), **settings)
    np.testing.assert_array_equal(again, unlearned[1])


@pytest.mark.parametrize("seeds", [3, (1,), (1, 2, 3)])
def test_two_worlds_want_two_seeds(seeds):
    with pytest.raises(ValueError, match="seeds must be two numbers"):
        two_worlds(np.negative, np.negative, np.zeros(1), 0.1, 0.1, 1, [1], seeds)


def test_public_data_save_noise_quadratically_and_steps_by_a_logarithm():
    """U4 for the digits: the steps for (1, 1e-3) fall by log(1 + n_pub/n_priv) / log(1/c), the noise by a square."""
    step = 1 / 0.27
    factor, target = contraction(step, 0.02, 0.27), 0.3884012483
    assert factor == pytest.approx(25 / 27)
    gaps = {public: gradient_gap(20, 200 + public) for public in (0, 200, 400, 1000)}
    steps = {n: steps_needed(target, gap, step, 2e-4, factor, 100) for n, gap in gaps.items()}
    assert steps == {0: 72, 200: 63, 400: 58, 1000: 49}
    for public, count in steps.items():
        assert abs(72 - count - math.log(1 + public / 200) / math.log(27 / 25)) < 1
    heat = {n: temperature_needed(target, gap, step, factor, 40, 100) for n, gap in gaps.items()}
    assert heat[0] == pytest.approx(0.0270, abs=5e-5)
    for public, temperature in heat.items():
        assert temperature == pytest.approx(heat[0] / (1 + public / 200) ** 2, rel=1e-12)
    for (public, unlearn), known in {(0, 0): 98.1, (0, 20): 21.0, (200, 40): 2.258, (1000, 40): 0.7525}.items():
        assert certificate(gaps[public], step, 2e-4, factor, unlearn, 100) == pytest.approx(known, rel=3e-3)


# What mu forbids


@pytest.mark.parametrize("mu", [1e-3, 0.05, 0.3884012483, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 3.0])
def test_delta_is_the_integral_of_what_one_density_exceeds_the_other_by(mu, share):
    eps = mu * (mu / 2 + 5 * share) * share if share < 3 else mu * (mu / 2 + 20)  # up to delta about 1e-90
    low = eps / mu + mu / 2

    def excess(x):
        return -math.expm1(-mu * (x - low)) * math.exp(-((x - mu) ** 2) / 2) / math.sqrt(2 * math.pi)

    edges = [low, max(low, mu) + 0.5, max(low, mu) + 3, max(low, mu) + 12]
    parts = [quad(excess, *ends, epsabs=0, epsrel=1e-12)[0] for ends in itertools.pairwise(edges)]
    assert delta(mu, eps) == pytest.approx(sum(parts), rel=1e-10)


def test_known_values_of_delta_epsilon_and_auc():
    assert epsilon(0.3884012483, 1e-3) == pytest.approx(1, abs=1e-9)
    assert epsilon(1.0, 1e-3) == pytest.approx(3.138671, abs=5e-7)
    assert attack_bound(0.3884012483) == pytest.approx(0.608204, abs=5e-7)
    assert attack_bound(1.0) == pytest.approx(0.760250, abs=5e-7)
    assert 1 / 2 + math.sqrt(2 * math.log(1e3)) == pytest.approx(4.216922, abs=5e-7)  # from Renyi, looser
    assert delta(2.0, 0.0) == pytest.approx(2 * norm.cdf(1) - 1, rel=1e-14)  # the advantage of the best test
    np.testing.assert_array_equal(delta(0.0, [0.0, 1.0]), [0, 0])
    assert epsilon(0.0, 0.1) == 0
    assert epsilon(1.0, 0.5) == 0
    assert attack_bound(0.0) == 0.5


@pytest.mark.parametrize("mu", [1e-3, 0.4, 3.0, 40.0, 1e3, 1e5])
def test_delta_and_epsilon_are_inverse_to_each_other_also_where_e_to_the_epsilon_overflows(mu):
    for small in (1e-200, 1e-9, 1e-4):
        assert delta(mu, epsilon(mu, small)) == pytest.approx(small, rel=1e-7)
    if mu >= 40:
        assert epsilon(mu, 0.5) == pytest.approx(mu**2 / 2 - 1, abs=2 / mu**2 + 1e-14 * mu**2)
        assert delta(mu, 1.0) == 1
    assert delta(mu, 1e9 * (1 + mu**2)) == 0


def test_arrays_of_mu_broadcast():
    mu, eps = np.array([0.0, 0.5, 2.0]), np.array([[0.0], [1.0]])
    table = delta(mu, eps)
    assert table.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert table[i, j] == delta(mu[j], eps[i, 0])
    np.testing.assert_array_equal(epsilon(mu, 1e-3), [epsilon(m, 1e-3) for m in mu])
    np.testing.assert_array_equal(attack_bound(mu), [attack_bound(m) for m in mu])


@pytest.mark.parametrize("mu", [0.0, 0.7, 2.0])
def test_an_attack_on_two_gaussians_reaches_its_bound_and_never_more(mu):
    rng = np.random.default_rng(1)
    runs, d = 8000, 3
    shape = rng.standard_normal((d, d))
    shift = shape @ np.array([mu, 0, 0])
    first, second = (rng.standard_normal((runs, d)) @ shape.T + k * shift for k in (1, 0))
    error = math.sqrt(2 / (12 * runs / 2))  # of an AUC, at most
    assert abs(attack(first, second) - attack_bound(mu)) < 4 * error + 1e-3 * (mu > 0)
    assert attack(second, first) == pytest.approx(attack(first, second), abs=1e-12)  # the discriminant turns round


def test_an_attack_counts_ties_by_half_and_sees_what_is_certain():
    rng = np.random.default_rng(0)
    assert attack(np.zeros((10, 2)), np.zeros((12, 2))) == 0.5
    assert attack(np.tile([1.0, 0], (10, 1)), np.zeros((12, 2))) == 1.0
    coins = rng.integers(0, 2, (20_000, 1)).astype(float), (rng.uniform(size=(20_000, 1)) < 0.25).astype(float)
    assert attack(*coins) == pytest.approx(0.5 + 0.25 / 2, abs=0.02)
    few = rng.standard_normal((10, 40)), rng.standard_normal((10, 40)) + 10  # more directions than results
    assert attack(*few) > 0.9


def test_an_attack_on_forgetting_stays_below_its_bound():
    """Logistic regression, 5 of 20 samples forgotten; 400 runs of each kind with independent noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = np.where(x[:, 0] > 0, 1.0, -1.0)
    y[:5] *= -1
    step, temperature, strength, runs = 1 / 0.35, 0.02, 0.1, 400

    def descend(rows, start, steps, seed, first=0):
        def gradient(w):
            return -(y[rows] / (1 + np.exp(y[rows] * (w @ x[rows].T)))) @ x[rows] / rows.size + strength * w

        return langevin.noisy_descent(gradient, step, temperature, start, steps, seed=seed, first=first)

    everything, rest, start = np.arange(20), np.arange(5, 20), np.zeros((runs, 3))
    learnt = descend(everything, start, 30, seed=0)
    factor, found = contraction(step, strength, 0.25 + strength), []
    for unlearn in (0, 6):
        mu = certificate(gradient_gap(5, 20), step, temperature, factor, unlearn, 30)
        unlearned = descend(rest, learnt, unlearn, seed=0, first=30)
        retrained = descend(rest, start, 30 + unlearn, seed=10_000)
        found.append(attack(unlearned, retrained))
        assert found[-1] <= attack_bound(mu) + 4 * math.sqrt(2 / (12 * runs / 2))
    assert found[0] > 0.8 > 0.6 > found[1]


# Gaussian laws and Renyi divergences


def ridge_regression(public, keep="replace", forgotten=20, private=200, d=5, penalty=0.1):
    """(H, b) on all data, and without what is forgotten: 20 of the private labels were flipped."""
    rng = np.random.default_rng(0)

    def sample(n):
        x = rng.standard_normal((n, d))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return x, x @ w + 0.3 * rng.standard_normal(n)

    w = rng.standard_normal(d) / math.sqrt(d)
    (xp, yp), (xq, yq), (xr, yr) = sample(private), sample(50_000), sample(forgotten)
    yp[-forgotten:] *= -1
    xq, yq = xq[:public], yq[:public]
    new = (xr, yr) if keep == "replace" else (xr[:0], yr[:0])
    kinds = (xp, yp), (np.r_[xp[:-forgotten], new[0]], np.r_[yp[:-forgotten], new[1]])
    both = [(np.r_[x, xq], np.r_[y, yq]) for x, y in kinds]
    return [(x.T @ x / len(y) + penalty * np.eye(d), x.T @ y / len(y)) for x, y in both]


def ridge_divergence(public, unlearn, keep="replace", temperature=2.5e-3, order=2.0):
    learnt, rest = ridge_regression(public, keep)
    nothing = np.zeros(5), np.zeros((5, 5))
    law = gaussian_law(*learnt, 1 / 1.1, temperature, *nothing, INF)
    law = gaussian_law(*rest, 1 / 1.1, temperature, *law, unlearn)
    return renyi(order, *law, *gaussian_law(*rest, 1 / 1.1, temperature, *nothing, INF))


PUBLIC = (0, 200, 1600, 12800, 50000)


def test_numbers_of_ridge_regression():
    known = [0.3930550468, 0.09746746835, 0.004843935672, 9.086810655e-5, 6.084897883e-6]
    np.testing.assert_allclose([ridge_divergence(n, 0) for n in PUBLIC], known, rtol=1e-8)
    assert ridge_divergence(0, 0, "remove") == pytest.approx(0.3891397146, rel=1e-8)
    assert ridge_divergence(50000, 0, "remove") == pytest.approx(4.795433665e-6, rel=1e-8)
    assert ridge_divergence(0, 5) == pytest.approx(0.01670897474, rel=1e-8)
    assert ridge_divergence(50000, 5) == pytest.approx(2.522618261e-7, rel=1e-8)


def test_the_exponent_in_the_number_of_public_samples_is_minus_2_only_in_the_limit():
    """U4: the local slope is -2 n_pub / (n_pub + n_priv); slopes against n tell -2, against n_pub less."""
    public = np.array([0, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 50000])
    values = np.array([ridge_divergence(n, 0) for n in public])
    slopes = np.diff(np.log(values[1:])) / np.diff(np.log(public[1:]))
    middle = np.sqrt(public[1:-1] * public[2:])
    assert np.abs(slopes + 2 * middle / (200 + middle)).max() < 0.04
    many = public >= 1600

    def fit(sizes, divergences):
        return np.polyfit(np.log(sizes), np.log(divergences), 1)[0]

    assert fit(public[many] + 200, values[many]) == pytest.approx(-2.005, abs=1e-3)
    assert fit(public[many], values[many]) == pytest.approx(-1.943, abs=1e-3)
    assert fit(public[1:], values[1:]) == pytest.approx(-1.598, abs=1e-3)  # the trap


def test_more_noise_does_not_remove_the_part_of_the_covariances():
    values = [ridge_divergence(0, 0, temperature=tau) for tau in (2.5e-3, 2.5e-2, 0.25, 2.5, 250)]
    np.testing.assert_allclose(values, [0.39305505, 0.04113833, 0.00594666, 0.00242749, 0.00204038], atol=1e-8)


def test_the_law_of_ridge_regression_is_that_of_simulated_chains():
    (hessian, linear), rest = ridge_regression(400)
    start, runs, step, temperature = np.array([1.0, 0, 0, 0, -1]), 4000, 1 / 1.1, 2.5e-3
    law = gaussian_law(hessian, linear, step, temperature, start, np.zeros((5, 5)), 12)
    mean, cov = gaussian_law(*rest, step, temperature, *law, 3)
    chains = langevin.noisy_descent(lambda w: w @ hessian - linear, step, temperature, np.tile(start, (runs, 1)), 12)
    chains = langevin.noisy_descent(lambda w: w @ rest[0] - rest[1], step, temperature, chains, 3, first=12)
    root = np.linalg.cholesky(cov)
    whitened = np.linalg.solve(root, (chains - mean).T)
    assert np.abs(whitened.mean(axis=1)).max() < 4 / math.sqrt(runs)
    assert np.abs(np.cov(whitened) - np.eye(5)).max() < 4 * math.sqrt(2 / runs)


def test_a_law_is_the_same_in_one_go_in_pieces_and_step_by_step():
    rng = np.random.default_rng(0)
    hessian = np.diag(
        [0.0, 0.3, 1.0, 1.7, 2.3]
    )  # a flat direction, one reached at once, one that swings, one that grows
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    hessian, linear, mean = turn @ hessian @ turn.T, rng.standard_normal(5), rng.standard_normal(5)
    cov, step, temperature = np.eye(5) / 3, 1.0, 0.1
    move = np.eye(5) - step * hessian
    one_by_one = mean, cov
    for _ in range(7):
        one_by_one = (
            move @ one_by_one[0] + step * linear,
            move @ one_by_one[1] @ move + 2 * step * temperature * np.eye(5),
        )
    pieces = gaussian_law(hessian, linear, step, temperature, mean, cov, 3)
    pieces = gaussian_law(hessian, linear, step, temperature, *pieces, 4)
    whole = gaussian_law(hessian, linear, step, temperature, mean, cov, 7)
    for a, b, c in zip(whole, pieces, one_by_one, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(a, c, rtol=1e-12, atol=1e-12)


def test_the_law_at_rest_is_a_fixed_point_in_closed_form():
    hessian, linear = ridge_regression(0)[0]
    mean, cov = gaussian_law(hessian, linear, 0.8, 0.1, np.zeros(5), np.zeros((5, 5)), INF)
    np.testing.assert_allclose(mean, np.linalg.solve(hessian, linear), rtol=1e-12)
    np.testing.assert_allclose(cov, 0.1 * np.linalg.inv(hessian @ (np.eye(5) - 0.4 * hessian)), rtol=1e-10, atol=1e-14)
    again = gaussian_law(hessian, linear, 0.8, 0.1, mean, cov, 5)
    np.testing.assert_allclose(again[0], mean, rtol=1e-12)
    np.testing.assert_allclose(again[1], cov, rtol=1e-10, atol=1e-14)
    assert geometric(0.5, INF) == 2
    assert geometric(1.0, 9) == 9


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, 5.0])
def test_renyi_of_gaussians_is_the_integral(order):
    pairs = ((0.0, 1.0, 0.3, 1.1), (1.0, 0.8, -0.5, 0.9), (0.2, 0.4, 0.2, 0.7))
    total = 0.0
    for mean, sd, mean2, sd2 in pairs:
        p, q = norm(mean, sd), norm(mean2, sd2)

        def integrand(x, p=p, q=q):
            if order == 1:
                return p.pdf(x) * (p.logpdf(x) - q.logpdf(x))
            return math.exp(order * p.logpdf(x) + (1 - order) * q.logpdf(x))

        value = quad(integrand, -12, 12, epsabs=0, epsrel=1e-11, limit=200)[0]
        total += value if order == 1 else math.log(value) / (order - 1)
        alone = renyi(order, [mean], [[sd**2]], [mean2], [[sd2**2]])
        assert alone == pytest.approx(value if order == 1 else math.log(value) / (order - 1), rel=1e-9)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    m, s, m2, s2 = (np.array(column) for column in zip(*pairs, strict=True))
    together = renyi(order, turn @ m, (turn * s**2) @ turn.T, turn @ m2, (turn * s2**2) @ turn.T)
    assert together == pytest.approx(total, rel=1e-9)  # independent directions add up, in any frame


def test_renyi_is_infinite_where_tails_are_too_heavy_and_only_there():
    assert renyi(2.0, [0.0], [[1.9]], [0.0], [[1.0]]) > 0
    assert renyi(2.0, [0.0], [[2.1]], [0.0], [[1.0]]) == INF
    assert renyi(1.0, [0.0], [[2.1]], [0.0], [[1.0]]) == pytest.approx((1.1 - math.log(2.1)) / 2)
    assert renyi(8.0, [0.0, 0], np.diag([0.5, 1.2]), [0.0, 0], np.eye(2)) == INF


def test_renyi_of_near_gaussians_keeps_its_digits_and_stacks_are_loops():
    for small in (1e-4, 1e-6):
        value = renyi(3.0, [0.0, 0], (1 + small) * np.eye(2), [0.0, 0], np.eye(2))
        assert value == pytest.approx(2 * 3 * small**2 / 4, rel=10 * small)
    rng = np.random.default_rng(0)
    roots = rng.standard_normal((2, 4, 3, 3)) / 5 + np.eye(3)
    cov, cov2 = roots @ roots.swapaxes(-1, -2)
    mean = rng.standard_normal((4, 3))
    stacked = renyi(1.3, mean, cov, np.zeros(3), cov2)
    for k in range(4):
        assert stacked[k] == pytest.approx(renyi(1.3, mean[k], cov[k], np.zeros(3), cov2[k]), rel=1e-12)
    samples = np.random.default_rng(1).multivariate_normal(mean[0], cov[0], 200_000)
    log_ratio = multivariate_normal(mean[0], cov[0]).logpdf(samples) - multivariate_normal(np.zeros(3), cov2[0]).logpdf(
        samples
    )
    assert abs(log_ratio.mean() - renyi(1.0, mean[0], cov[0], np.zeros(3), cov2[0])) < 4 * log_ratio.std() / math.sqrt(
        2e5
    )


# Public data


def test_the_best_weight_balances_the_two_prices():
    a, b = weight_costs(math.sqrt(0.1), 1000, 1000, 10, 10, shift=0.3)  # on the unit sphere; Renyi 2 at most .1
    assert (a, b) == (pytest.approx(0.0455), pytest.approx(0.0205))
    weight, value = best_weight(a, b)
    assert (weight, value) == (pytest.approx(41 / 132), pytest.approx(0.0455 * 41 / 132))
    assert a / 4 + b / 4 == pytest.approx(0.0165)
    weights = np.linspace(0, 1, 1001)
    prices = weights**2 * a + (1 - weights) ** 2 * b
    assert value <= prices.min() <= value * (1 + 1e-5)
    a, b = weight_costs(math.sqrt(0.1), 1000, 10000, 10, 10, shift=0.3)
    equal = 10 / 11
    assert best_weight(a, b)[1] == pytest.approx(0.0140888, rel=1e-5)
    assert equal**2 * a + (1 - equal) ** 2 * b == pytest.approx(0.0374008, rel=1e-5)
    assert equal > 2 * best_weight(a, b)[0]  # and so worse than no public data at all
    a, b = weight_costs(math.sqrt(0.1), 1000, 10000, 300, 10)
    assert b == pytest.approx(18.0005)
    assert best_weight(a, b)[1] == pytest.approx(4.99999e-5, rel=1e-5)


def test_the_prices_are_those_of_simulated_means():
    """Means with noise as mu asks for: the squared error, halved, of many data sets."""
    rng = np.random.default_rng(0)
    mu, private, public, forgotten, d, shift, weight, kept = 1.5, 20, 30, 2, 3, 0.4, 0.35, 0.5
    repeats = 20_000
    step, factor = 0.25, 0.75
    gap = (1 - weight) * forgotten * 2.0 / private
    steps = math.log(kept) / math.log(factor)
    spread = (kept * gap / mu) ** 2  # variance of the noise at rest, 2 step tau / (1 - c^2), so that U gives mu
    tau = spread * (1 - factor**2) / (2 * step)
    assert kept * gap * math.sqrt((1 - factor**2) / (2 * step * tau)) == pytest.approx(mu)
    assert steps > 0
    own = rng.standard_normal((repeats, d)) / math.sqrt(private)
    foreign = rng.standard_normal((repeats, d)) / math.sqrt(public) + np.array([shift, 0, 0])
    results = (1 - weight) * own + weight * foreign + math.sqrt(spread) * rng.standard_normal((repeats, d))
    errors = (results**2).sum(axis=1) / 2
    a, b = weight_costs(mu, private, public, forgotten, d, variance=1.0, shift=shift, kept=kept)
    assert abs(errors.mean() - weight**2 * a - (1 - weight) ** 2 * b) < 4 * errors.std() / math.sqrt(repeats)


# Bad input


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("gap", -1, "gap must be a finite number >= 0"),
        ("gap", math.nan, "gap must be"),
        ("gap", True, "gap must be"),
        ("gap", HUGE, "gap must be"),
        ("step", 0, "step must be a finite number > 0"),
        ("step", "long", "step must be"),
        ("temperature", 0, "without noise two results just differ"),
        ("temperature", -1, "temperature must be"),
        ("temperature", INF, "temperature must be"),
        ("factor", 1.01, "factor must be at most 1, but it is 1.01: such steps may drive two runs apart"),
        ("factor", -0.1, "factor must be"),
        ("unlearn", -1, "unlearn must be a whole number >= 0"),
        ("unlearn", 2.5, "unlearn must be"),
        ("unlearn", INF, "unlearn must be"),
        ("unlearn", HUGE, "unlearn must be"),
        ("learn", -1, "learn must be"),
        ("learn", True, "learn must be"),
        ("learn", math.nan, "learn must be"),
        ("learn", -INF, "learn must be"),
    ],
)
def test_a_bad_argument_of_the_certificate_is_named(name, value, words):
    with pytest.raises(ValueError, match=words):
        certificate(**(GOOD | {name: value}))


EYE = np.eye(2)
BAD = {
    "learn must be finite where factor is 1": lambda: certificate(0.1, 0.1, 0.1, 1.0, 3),
    "gap must be small enough": lambda: certificate(1e300, 1.0, 1e-300, 0.5, 0),
    "convex must be at most smooth": lambda: contraction(0.1, 2.0, 1.0),
    "convex must be a finite number": lambda: contraction(0.1, math.nan, 1.0),
    "smooth must be a finite number": lambda: contraction(0.1, 0.0, HUGE),
    "forgotten must be a whole number >= 0 and <= 5": lambda: gradient_gap(6, 5),
    "size must be a whole number": lambda: gradient_gap(0, 0),
    "bound must be": lambda: gradient_gap(1, 5, -1.0),
    "mu must be a finite number > 0": lambda: steps_needed(0, 0.1, 0.1, 0.1, 0.5),
    "mu must be larger": lambda: steps_needed(1e-9, 0.1, 0.1, 0.1, 1.0, 10),
    "mu must be a finite number > 0, but": lambda: temperature_needed(-1, 0.1, 0.1, 0.5, 3),
    "mu must be a finite number >= 0": lambda: delta(-1.0, 1.0),
    "mu must be finite": lambda: delta(INF, 1.0),
    "mu must be an array of real numbers": lambda: attack_bound("one"),
    "epsilon must be a finite number >= 0": lambda: delta(1.0, [-1.0, 2.0]),
    "epsilon must be a finite number >= 0, or": lambda: delta(1.0, True),
    "mu and epsilon must be of the same runs": lambda: delta(np.ones(2), np.ones(3)),
    "delta must be between 0 and 1, both excluded, but one is 0": lambda: epsilon(1.0, 0.0),
    "delta must be between 0 and 1, both excluded, but one is 1": lambda: epsilon(1.0, [0.5, 1]),
    "mu must be small enough": lambda: epsilon(1e200, 0.5),
    "first must be finite": lambda: attack([[math.nan]] * 4, [[1.0]] * 4),
    "second must have shape": lambda: attack(np.zeros((4, 2)), np.zeros((4, 3))),
    "first must have shape": lambda: attack(np.zeros((3, 2)), np.zeros((4, 2))),
    "order must be a finite number >= 1": lambda: renyi(0.5, [0.0], [[1.0]], [0.0], [[1.0]]),
    "order must be a finite number > 0": lambda: renyi(INF, [0.0], [[1.0]], [0.0], [[1.0]]),
    "cov must be symmetric": lambda: renyi(2.0, [0.0, 0], [[1.0, 1], [0, 1]], [0.0, 0], EYE),
    "cov2 must be positive definite": lambda: renyi(2.0, [0.0, 0], EYE, [0.0, 0], EYE - 1),
    r"cov must have shape \(..., d, d\)": lambda: renyi(2.0, [0.0], [1.0], [0.0], [[1.0]]),
    r"mean must have shape \(..., d\)": lambda: renyi(2.0, [0.0] * 3, EYE, [0.0, 0], EYE),
    r"mean2 must have shape \(..., d\)": lambda: renyi(2.0, [0.0] * 2, EYE, 0.0, EYE),
    "must be of the same runs": lambda: renyi(2.0, np.zeros((2, 2)), EYE, np.zeros((3, 2)), EYE),
    "hessian must have shape": lambda: gaussian_law(1.0, [0.0], 0.1, 0.1, [0.0], [[0.0]], 3),
    "linear must have shape": lambda: gaussian_law(EYE, [0.0], 0.1, 0.1, [0.0, 0], EYE, 3),
    "mean must have shape": lambda: gaussian_law(EYE, [0.0, 0], 0.1, 0.1, [0.0], EYE, 3),
    "cov must have shape": lambda: gaussian_law(EYE, [0.0, 0], 0.1, 0.1, [0.0, 0], np.eye(3), 3),
    "steps must be finite here": lambda: gaussian_law(EYE, [0.0, 0], 2.0, 0.1, [0.0, 0], EYE, INF),
    "steps must be a whole number": lambda: gaussian_law(EYE, [0.0, 0], 0.1, 0.1, [0.0, 0], EYE, 2.5),
    "hessian must be small enough": lambda: gaussian_law(1e9 * EYE, [0.0, 0], 1.0, 0.1, [1.0, 0], EYE, 10**6),
    "forgotten must be a whole number >= 0 and <= 10": lambda: weight_costs(1.0, 10, 10, 11, 1),
    "shift must be": lambda: weight_costs(1.0, 10, 10, 1, 1, shift=-1.0),
    "mu must be a finite number > 0, but it is 0": lambda: weight_costs(0, 10, 10, 1, 1),
    "a and b must be >= 0": lambda: best_weight(-1.0, 1.0),
    "a and b must be of the same runs": lambda: best_weight(np.ones(2), np.ones(3)),
    "not both 0": lambda: best_weight(0.0, 0.0),
}


@pytest.mark.parametrize(("words", "call"), BAD.items(), ids=BAD)
def test_bad_input_is_an_error_that_teaches(words, call):
    with pytest.raises(ValueError, match=words):
        call()


def test_every_public_name_says_what_it_does():
    for name in unlearning.__all__:
        assert getattr(unlearning, name).__doc__
