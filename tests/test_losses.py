"""Convex losses: values against closed forms and scikit-learn, gradients by differences, conjugates by duality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss, mean_squared_error

from mfcourse.losses import Logistic, Squared

few = settings(deadline=None, max_examples=60)
N = 5
LABELS = np.array([1.0, -1.0, -1.0, 1.0, 1.0])
TARGET = np.array([0.3, -2.0, 0.0, 1.7, 5.0])
LOSSES = {"squared": Squared(TARGET, 0.4), "logistic": Logistic(LABELS)}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


def vectors(bound=20.0, shape=N):
    return arrays(float, shape, elements=st.floats(-bound, bound))


# Values and gradients


@few
@given(vectors(), st.floats(0.01, 100))
def test_the_squared_loss_is_a_mean_squared_error(f, scale):
    expected = N * mean_squared_error(TARGET, f) / (2 * scale)
    assert Squared(TARGET, scale).value(f) == pytest.approx(expected, rel=1e-12)


@few
@given(vectors())
def test_the_logistic_loss_is_the_log_loss_of_scikit_learn(f):
    probability = 1 / (1 + np.exp(-f))
    expected = log_loss(LABELS, np.c_[1 - probability, probability])
    assert LOSSES["logistic"].value(f) == pytest.approx(expected, rel=1e-6)  # 1 - probability has rounding errors


def test_the_loss_of_a_perfect_or_an_undecided_prediction_is_known():
    assert LOSSES["squared"].value(TARGET) == 0
    assert (LOSSES["squared"].gradient(TARGET) == 0).all()
    assert LOSSES["logistic"].value(np.zeros(N)) == pytest.approx(np.log(2), rel=1e-15)
    np.testing.assert_allclose(LOSSES["logistic"].gradient(np.zeros(N)), -LABELS / (2 * N), rtol=1e-15)


@every_loss
@few
@given(f=vectors(5.0))
def test_the_gradient_is_that_of_the_value(loss, f):
    h = 1e-5
    slopes = [(loss.value(f + step) - loss.value(f - step)) / (2 * h) for step in h * np.eye(N)]
    np.testing.assert_allclose(loss.gradient(f), slopes, atol=1e-8)


@every_loss
@few
@given(f=vectors(), g=vectors(), s=st.floats(0, 1))
def test_losses_are_convex_and_not_negative(loss, f, g, s):
    between = loss.value((1 - s) * f + s * g)
    chord = (1 - s) * loss.value(f) + s * loss.value(g)
    assert 0 <= between <= chord + 1e-12 * (1 + chord)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_logistic_loss_of_extreme_predictions_does_not_overflow(sign):
    f = 1000.0 * sign * np.ones(N)
    wrong = sign != LABELS
    loss = LOSSES["logistic"]
    assert loss.value(f) == pytest.approx(1000 * wrong.mean(), rel=1e-15)
    np.testing.assert_allclose(loss.gradient(f), -LABELS * wrong / N, rtol=1e-15)
    assert loss.conjugate(loss.gradient(f)) == 0


# Conjugates


@few
@given(vectors(), vectors(), st.floats(0.01, 100))
def test_a_squared_loss_and_its_conjugate_obey_fenchel_young(f, q, scale):
    loss = Squared(TARGET, scale)
    size = 1 + abs(loss.value(f)) + abs(loss.conjugate(q))
    assert loss.value(f) + loss.conjugate(q) >= f @ q - 1e-12 * size


@few
@given(vectors(), arrays(float, N, elements=st.floats(0, 1)))
def test_a_logistic_loss_and_its_conjugate_obey_fenchel_young(f, p):
    q = -LABELS * p / N
    loss = LOSSES["logistic"]
    assert np.isfinite(loss.conjugate(q))
    assert loss.value(f) + loss.conjugate(q) >= f @ q - 1e-12


@every_loss
@few
@given(f=vectors())
def test_fenchel_young_is_an_equality_at_the_gradient(loss, f):
    q = loss.gradient(f)
    assert loss.value(f) + loss.conjugate(q) == pytest.approx(f @ q, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("outside", [-1e-9, 1 + 1e-9, -5, 7])
@pytest.mark.parametrize("where", [0, 1])
def test_the_logistic_conjugate_is_infinite_outside_its_domain(outside, where):
    p = np.full(N, 0.5)
    p[where] = outside
    assert LOSSES["logistic"].conjugate(-LABELS * p / N) == np.inf


@pytest.mark.parametrize("corner", [0.0, 1.0])
def test_the_logistic_conjugate_is_zero_at_the_corners_of_its_domain(corner):
    assert LOSSES["logistic"].conjugate(-LABELS * corner / N) == 0


def test_the_logistic_conjugate_is_an_entropy():
    p = np.array([0.1, 0.5, 0.9, 0.25, 0.0])
    entropy = np.mean([0 if x in (0, 1) else x * np.log(x) + (1 - x) * np.log(1 - x) for x in p])
    assert LOSSES["logistic"].conjugate(-LABELS * p / N) == pytest.approx(entropy, rel=1e-12)


# Smoothness


@every_loss
@few
@given(f=vectors(), g=vectors())
def test_smoothness_bounds_how_fast_the_gradient_changes(loss, f, g):
    change = np.linalg.norm(loss.gradient(f) - loss.gradient(g))
    assert change <= loss.smoothness * np.linalg.norm(f - g) * (1 + 1e-12) + 1e-14


@every_loss
def test_smoothness_is_reached(loss):
    step = 1e-3 * np.ones(N)
    change = np.linalg.norm(loss.gradient(step) - loss.gradient(-step))
    assert change == pytest.approx(loss.smoothness * np.linalg.norm(2 * step), rel=1e-6)


# Stacks and types


def stacked_losses(runs):
    rng = np.random.default_rng(0)
    targets, labels = rng.standard_normal((*runs, N)), rng.choice([-1.0, 1.0], (*runs, N))
    return [(lambda y: Squared(y, 0.4), targets), (Logistic, labels)]


@pytest.mark.parametrize("kind", [0, 1], ids=["squared", "logistic"])
@pytest.mark.parametrize("runs", [(3,), (2, 3)])
def test_a_stack_of_problems_is_a_loop(kind, runs):
    make, data = stacked_losses(runs)[kind]
    f = np.random.default_rng(1).standard_normal((*runs, N))
    stack = make(data)
    assert stack.value(f).shape == stack.conjugate(stack.gradient(f)).shape == runs
    for run in np.ndindex(runs):
        one = make(data[run])
        q = one.gradient(f[run])
        assert stack.smoothness == one.smoothness
        np.testing.assert_allclose(stack.value(f)[run], one.value(f[run]), rtol=1e-12)
        np.testing.assert_allclose(stack.gradient(f)[run], q, rtol=1e-12)
        np.testing.assert_allclose(stack.conjugate(stack.gradient(f))[run], one.conjugate(q), rtol=1e-12)


@every_loss
def test_one_problem_takes_a_stack_of_predictions(loss):
    f = np.random.default_rng(1).standard_normal((2, 3, N))
    q = loss.gradient(f)
    assert q.shape == f.shape
    for run in np.ndindex(2, 3):
        np.testing.assert_allclose(loss.value(f)[run], loss.value(f[run]), rtol=1e-12)
        np.testing.assert_allclose(q[run], loss.gradient(f[run]), rtol=1e-12)
        np.testing.assert_allclose(loss.conjugate(q)[run], loss.conjugate(q[run]), rtol=1e-12)


def test_the_logistic_conjugate_is_infinite_only_for_the_runs_outside_its_domain():
    q = -LABELS * np.array([0.5, 2.0, 1.0])[:, None] / N
    assert np.isinf(LOSSES["logistic"].conjugate(q)).tolist() == [False, True, False]


@every_loss
def test_float32_predictions_give_float32_results(loss):
    f = np.linspace(-3, 3, N)
    single = f.astype(np.float32)
    assert loss.value(single).dtype == loss.gradient(single).dtype == np.float32
    np.testing.assert_allclose(loss.value(single), loss.value(f), rtol=1e-5)
    np.testing.assert_allclose(loss.gradient(single), loss.gradient(f), rtol=1e-5)


@every_loss
def test_predictions_of_whole_numbers_are_numbers_too(loss):
    f = np.array([1, 0, -2, 3, 0])
    np.testing.assert_allclose(loss.value(f), loss.value(f.astype(float)), rtol=1e-15)
    np.testing.assert_allclose(loss.gradient(f), loss.gradient(f.astype(float)), rtol=1e-15)


@pytest.mark.parametrize(("kind", "name"), [(Squared, "target"), (Logistic, "labels")])
def test_a_loss_keeps_its_own_read_only_data(kind, name):
    data = np.ones(3)
    kept = getattr(kind(data), name)
    data[:] = -1
    assert kept.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = -1


# What is refused


@pytest.mark.parametrize(("kind", "name"), [(Squared, "target"), (Logistic, "labels")])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1.0, np.nan], "finite"),
        ([np.inf], "finite"),
        ([], "shape"),
        (np.zeros((3, 0)), "shape"),
        (1.0, "shape"),
        ("abc", "array of real numbers"),
    ],
)
def test_data_are_finite_numbers_along_an_axis(kind, name, data, message):
    with pytest.raises(ValueError, match=f"^{name} must .*{message}"):
        kind(data)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, "1", None])
def test_the_scale_is_a_positive_number(scale):
    with pytest.raises(ValueError, match=r"^scale must be a finite number > 0"):
        Squared(TARGET, scale)


@pytest.mark.parametrize("wrong", [0, 2, -0.5])
def test_labels_are_signs_and_the_first_wrong_one_is_named(wrong):
    with pytest.raises(ValueError, match=f"^labels must be -1 or 1, but one is {wrong:g}: "):
        Logistic([[1, -1], [wrong, 3]])


@pytest.mark.parametrize(("target", "shape"), [((N,), (1,)), ((N,), (3, N - 1)), ((2, N), (3, N)), ((2, N), (N,))])
def test_predictions_have_one_entry_for_each_target(target, shape):
    for loss in (Squared(np.ones(target)), Logistic(np.ones(target))):
        for call in (loss.value, loss.gradient):
            with pytest.raises(ValueError, match="predictions must have shape"):
                call(np.zeros(shape))


def test_one_sample_is_enough():
    assert Squared([1.0], 0.5).value([2.0]) == 1
    assert Logistic([1.0]).value([0.0]) == pytest.approx(np.log(2))
