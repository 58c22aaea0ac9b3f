"""The three instances of chapter 15, ridge regression, digits and a measure, against facts from elsewhere."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.datasets import load_digits

from mfcourse.beyond import forgetful_digits as digits
from mfcourse.beyond import forgetful_measure as measure
from mfcourse.beyond import forgetful_ridge as ridge
from mfcourse.beyond import unlearning
from mfcourse.beyond.densities import kl
from mfcourse.beyond.fokker_planck import evolve

HUGE = 10**400

# Ridge regression


def test_public_samples_are_nested_and_what_is_forgotten_is_replaced_or_gone():
    (few, _), (more, _) = ridge.pair(3), ridge.pair(4)
    added = 204 * (more[0] - ridge.STRENGTH * np.eye(5)) - 203 * (few[0] - ridge.STRENGTH * np.eye(5))
    values = np.linalg.eigvalsh(added)  # x x' for one sample on the sphere
    np.testing.assert_allclose(values, [0, 0, 0, 0, 1], atol=1e-12)
    for replaced in (True, False):
        everything, rest = ridge.pair(0, replaced=replaced)
        size = 200 if replaced else 180
        both = 200 * (everything[0] - 0.1 * np.eye(5)), size * (rest[0] - 0.1 * np.eye(5))
        assert np.trace(both[0]) == pytest.approx(200)
        assert np.trace(both[1]) == pytest.approx(size)
        assert np.linalg.eigvalsh(both[0] - both[1])[0] > (-20 if replaced else -1e-10)


def test_the_law_of_mass_unlearning_is_a_constant_times_smaller_with_public_data():
    for private in (400, 1600):
        sizes = {"private": private, "forgotten": private // 10}
        alone, more = (ridge.divergence(n, **sizes) for n in (0, 4 * private))
        assert alone / more == pytest.approx(25, rel=0.02)
        assert more > 0.005


# Digits


def test_digits_are_pictures_of_length_1_with_the_forgotten_ones_first():
    x, y, x_test, y_test = digits.data(300)
    assert x.shape == (500, 64)
    assert x_test.shape == (500, 64)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1)
    assert set(y) == set(y_test) == {-1.0, 1.0}
    raw, names = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(1797)
    even = np.where(names[order] % 2 == 0, 1, -1)
    np.testing.assert_array_equal(y[:20], -even[:20])
    np.testing.assert_array_equal(y[20:], even[20:500])
    np.testing.assert_array_equal(y_test, even[-500:])
    np.testing.assert_allclose(x[0] * np.linalg.norm(raw[order[0]]), raw[order[0]])
    wrong = digits.data(digits.PUBLIC, flip=0.25)[1] != digits.data(digits.PUBLIC)[1]
    assert not wrong[:200].any()
    assert abs(wrong[200:].mean() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / digits.PUBLIC)
    assert (digits.data(100, flip=1.0)[1][200:] == -digits.data(100)[1][200:]).all()


def test_the_gradient_is_that_of_the_loss_and_bends_between_strength_and_strength_plus_a_quarter():
    x, y, *_ = digits.data(50)
    slope, rng = digits.gradient(x, y), np.random.default_rng(0)

    def loss(w):
        return np.log1p(np.exp(-y * (x @ w))).mean() + digits.STRENGTH * w @ w / 2

    w, direction = rng.standard_normal((2, 64))
    numeric = (loss(w + 1e-5 * direction) - loss(w - 1e-5 * direction)) / 2e-5
    assert slope(w) @ direction == pytest.approx(numeric, rel=1e-8)
    assert np.abs(slope(np.stack([w, direction])) - [slope(w), slope(direction)]).max() < 1e-14
    for at in (0 * w, w, 20 * w):
        bend = (
            (slope(at + 1e-4 * direction) - slope(at - 1e-4 * direction)) @ direction / 2e-4 / (direction @ direction)
        )
        assert bend >= digits.STRENGTH - 1e-9
        assert bend <= digits.STRENGTH + 1 / 4
    assert (
        unlearning.contraction(digits.STEP, digits.STRENGTH, 1 / digits.STEP) == digits.FACTOR == pytest.approx(25 / 27)
    )
    rest = digits.gradient(x[20:], y[20:])
    for at in 10 ** rng.uniform(-1, 3, (50, 1)) * rng.standard_normal((50, 64)):
        assert np.linalg.norm(slope(at) - rest(at)) <= unlearning.gradient_gap(20, 250)


def test_runs_are_descents_of_which_those_at_more_steps_go_on_and_none_share_their_noise():
    unlearned, retrained = digits.runs(0, [0, 3], number=5, learn=4)
    assert unlearned.shape == retrained.shape == (2, 5, 64)
    np.testing.assert_array_equal(digits.runs(0, [3], number=5, learn=4)[0][0], unlearned[1])
    cold, _ = digits.runs(0, [0], temperature=0.0, number=2, learn=400)
    x, y, *_ = digits.data(0)
    best = minimize(
        lambda w: np.log1p(np.exp(-y * (x @ w))).mean() + 0.01 * w @ w,
        np.zeros(64),
        jac=digits.gradient(x, y),
        method="BFGS",
        options={"gtol": 1e-7},
    )
    np.testing.assert_allclose(cold[0], np.tile(best.x, (2, 1)), atol=1e-4)
    noise = np.concatenate([unlearned[0] - unlearned[0].mean(axis=0), retrained[0] - retrained[0].mean(axis=0)])
    cosines = noise @ noise.T / np.outer(np.linalg.norm(noise, axis=1), np.linalg.norm(noise, axis=1))
    assert np.abs(cosines - np.eye(10)).max() < 0.7
    others = digits.runs(0, [0], number=5, learn=4, seed=1)
    assert not any(np.array_equal(a, b) for a in unlearned[0] for kind in others for b in kind[0])


def test_how_many_are_forgotten_changes_the_rest_alone():
    twenty, hundred = digits.runs(0, [0, 2], number=3), digits.runs(0, [0, 2], number=3, forgotten=100)
    np.testing.assert_array_equal(twenty[0][0], hundred[0][0])
    assert all(
        not np.array_equal(one, other) for one, other in ((twenty[0][1], hundred[0][1]), (twenty[1], hundred[1]))
    )


def test_what_the_attack_finds_and_what_is_certified():
    unlearned, retrained = digits.runs(0, [0, 30], number=200)
    aucs = [unlearning.attack(*pair) for pair in zip(unlearned, retrained, strict=True)]
    assert aucs[0] > 0.95
    assert abs(aucs[1] - 0.5) < 0.2
    assert digits.certified(0, 40, learn=100) == pytest.approx(4.515, abs=1e-3)
    assert digits.certified(1000, 20, learn=100) == pytest.approx(3.507, abs=1e-3)


# The measure


def test_the_grid_with_few_columns_has_the_free_energy_of_all_samples():
    rng = np.random.default_rng([0, 40])
    x = rng.uniform(-2, 2, 40)
    y = 3 * (0.6 * np.tanh(3 * x) - 0.4 * np.tanh(0.7 * x)) + 0.2 * rng.standard_normal(40)
    y[:4] *= -1
    grid, rest = measure.grids(0)
    values, constants = [], []
    for shape in (-(measure.POSITIONS**2), -np.abs(measure.POSITIONS - 2), -((measure.POSITIONS + 1) ** 2) / 3):
        density = np.exp(shape) / (np.exp(shape).sum() * measure.WIDTH)
        f = measure.WIDTH * density @ (3 * np.tanh(np.outer(measure.POSITIONS, x)))
        entropy = measure.WIDTH * (density * np.log(density)).sum()
        confined = 0.05 / 2 * measure.WIDTH * (density * measure.POSITIONS**2).sum()
        for g, kept in ((grid, slice(None)), (rest, slice(4, None))):
            direct = ((f - y)[kept] ** 2).mean() / 2 + confined + 0.05 * entropy
            values.append(direct)
            constants.append(direct - g.free_energy(density))
    assert np.ptp(values) > 0.1
    np.testing.assert_allclose(constants[0::2], constants[0], atol=1e-9)
    np.testing.assert_allclose(constants[1::2], constants[1], atol=1e-9)


KNOWN = {
    0: (0.0628055, 0.411285, 6.12697, 77.4756, 0.111738),
    40: (0.0225656, 0.103391, 2.38338, 18.5289, 0.0425737),
    160: (0.00325272, 0.0171521, 0.632271, 3.08601, 0.00638582),
    640: (3.12486e-4, 0.00159286, 0.0717538, 0.273668, 6.22506e-4),
    2560: (2.20606e-5, 1.09495e-4, 0.00514061, 0.0186264, 4.40769e-5),
    10240: (1.45013e-6, 7.09248e-6, 3.31927e-4, 0.00119182, 2.89954e-6),
}


def test_the_chain_of_theorem_m_and_its_numbers():
    leaks = {public: measure.leak(public) for public in KNOWN}
    for public, found in leaks.items():
        assert 0 < found.kl < found.excess < found.proximal < found.bound
        np.testing.assert_allclose(found, KNOWN[public], rtol=1e-4)
        assert found.renyi > found.kl
    n = np.array([200, 680, 2600, 10280])
    for name in ("kl", "renyi", "excess", "bound"):
        numbers = [getattr(leaks[size - 40], name) for size in n.tolist()]
        assert np.polyfit(np.log(n), np.log(numbers), 1)[0] == pytest.approx(-2, abs=0.05)


def test_unlearning_lowers_the_free_energy_in_every_step_while_kl_rises_at_first():
    grid, rest = measure.grids(0)
    learned, retrained = grid.optimum(), rest.optimum()
    times, densities = evolve(rest, learned, 0.1, 300, record=1)
    energy, distance = rest.free_energy(densities), kl(densities, retrained, measure.WIDTH)
    assert (np.diff(energy) < 0).all()
    assert distance[0] < distance[1:9].max()
    assert (measure.TEMPERATURE * distance <= energy - rest.free_energy(retrained) + 1e-12).all()
    for time, known in ((2, 0.0412), (10, 0.00424), (30, 2.71e-5)):
        assert distance[round(10 * time)] == pytest.approx(known, rel=2e-3)
    late = times >= 10
    assert np.polyfit(times[late], np.log(distance[late]), 1)[0] == pytest.approx(-0.252, abs=2e-3)


def test_the_oscillation_is_at_most_what_the_samples_can_pull():
    """Omega <= 4 S B / n, where B bounds |l' phi|: here |f - y| * 3, on the samples themselves."""
    rng = np.random.default_rng([0, 40])
    x = rng.uniform(-2, 2, 40)
    y = 3 * (0.6 * np.tanh(3 * x) - 0.4 * np.tanh(0.7 * x)) + 0.2 * rng.standard_normal(40)
    y[:4] *= -1
    f = measure.WIDTH * measure.grids(0)[0].optimum() @ (3 * np.tanh(np.outer(measure.POSITIONS, x)))
    oscillation = math.sqrt(measure.leak(0).bound * 8) * measure.TEMPERATURE
    assert oscillation <= 4 * 4 * 3 * np.abs(f - y).max() / 40


# Bad input

BAD = {
    "public must be a whole number >= 0 and <= 50000": lambda: ridge.pair(50_001),
    "forgotten must be a whole number >= 0 and <= 199": lambda: ridge.pair(0, forgotten=200),
    "private must be a whole number >= 2": lambda: ridge.pair(0, private=1, forgotten=0),
    "replaced must be True or False": lambda: ridge.pair(0, replaced="yes"),
    "temperature must be": lambda: ridge.divergence(0, temperature=-1.0),
    "order must be": lambda: ridge.divergence(0, order=0.5),
    "public must be a whole number >= 0 and <= 1097": lambda: digits.data(1098),
    "flip must be a share, from 0 to 1, but it is 1.5": lambda: digits.data(0, flip=1.5),
    "flip must be a finite number >= 0": lambda: digits.data(0, flip=True),
    "seed must be": lambda: digits.data(0, seed=-1),
    "public must be a whole number >= 0 and <= 1097, but": lambda: digits.certified(2000, 3),
    "unlearn must be a whole number": lambda: digits.certified(0, 2.5),
    "unlearn must be increasing": lambda: digits.runs(0, [3, 1]),
    "unlearn must be a list": lambda: digits.runs(0, 3),
    "number must be a whole number >= 1": lambda: digits.runs(0, [1], number=0),
    "number must be a whole number >= 1 and": lambda: digits.runs(0, [1], number=HUGE),
    "learn must be": lambda: digits.runs(0, [1], learn=-1),
    "forgotten must be a whole number >= 1 and <= 199": lambda: digits.runs(0, [1], forgotten=200),
    "public must be a whole number >= 0 and <= 10240": lambda: measure.leak(10_241),
    "temperature must be a finite number > 0": lambda: measure.grids(0, temperature=0),
}


@pytest.mark.parametrize(("words", "call"), BAD.items(), ids=BAD)
def test_bad_input_is_an_error_that_teaches(words, call):
    with pytest.raises(ValueError, match=words):
        call()
