"""Neurons on samples: the contract of feature maps, gradients of every activation, PyTorch as a second opinion."""

import numpy as np
import pytest

from mfcourse.activations import ACTIVATIONS
from mfcourse.features import Neurons
from mfcourse.losses import Logistic, Squared
from mfcourse.risks import FeatureRisk

every_activation = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
with_and_without_bias = pytest.mark.parametrize("bias", [False, True])


def example(name, bias=False, runs=(), m=4, n=6, d=3, seed=0):
    """Neurons, w, theta, residual; no pre-activation is close to the kink of ReLU."""
    rng = np.random.default_rng(seed)
    neurons = Neurons(rng.normal(size=(n, d)), name, bias)
    theta = rng.normal(size=(*runs, m, d + bias))
    return neurons, rng.normal(size=(*runs, m)), theta, rng.normal(size=(*runs, n))


@every_activation
@with_and_without_bias
@pytest.mark.parametrize("runs", [(), (3,)])
def test_push_and_pull_are_adjoint_and_agree_with_both_at_once(name, bias, runs):
    neurons, w, theta, residual = example(name, bias, runs)
    potential, gradient = neurons.pull(residual, theta)
    assert potential.shape == w.shape
    assert gradient.shape == theta.shape
    pushed = neurons.push(w, theta)
    np.testing.assert_allclose(np.vecdot(pushed, residual), (w * potential).mean(axis=-1), rtol=1e-12, atol=1e-13)
    both = neurons.push_pull(w, theta, lambda prediction: residual)
    for one, other in zip(both, (pushed, potential, gradient), strict=True):
        np.testing.assert_array_equal(one, other)


@every_activation
@with_and_without_bias
def test_the_matrix_holds_neurons_as_columns_with_their_bias(name, bias):
    neurons, w, theta, _ = example(name, bias)
    matrix = neurons.matrix(theta)
    assert matrix.shape == (neurons.size, len(w))
    np.testing.assert_allclose(matrix @ w / len(w), neurons.push(w, theta), rtol=1e-12, atol=1e-14)
    if bias:
        far = theta.copy()
        far[:, :-1] = 0  # nothing but the bias is left, the same for every sample
        assert np.ptp(neurons.matrix(far), axis=0).max() == 0


@every_activation
@with_and_without_bias
def test_the_gradient_is_that_of_the_potential(name, bias):
    neurons, _, theta, residual = example(name, bias)
    h = 1e-6
    for j, e in enumerate(np.eye(theta.shape[1])):
        slope = (neurons.pull(residual, theta + h * e)[0] - neurons.pull(residual, theta - h * e)[0]) / (2 * h)
        np.testing.assert_allclose(neurons.pull(residual, theta)[1][:, j], slope, atol=1e-7)


@every_activation
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_gradients_are_those_of_autograd(name, loss):
    torch = pytest.importorskip("torch")
    neurons, w, theta, y = example(name, bias=True)
    risk = FeatureRisk(neurons, Squared(y, 6) if loss == "squared" else Logistic(np.sign(y)))
    value, potential, gradient = risk(w, theta)
    a, b, x, y = (torch.tensor(v, requires_grad=True) for v in (w, theta, neurons.x, y))
    v = b * b.abs() if name == "signed_square_relu" else b
    z = x @ v.T
    sigma = {
        "relu": torch.relu,
        "signed_square_relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "probit": lambda z: torch.special.ndtr((np.pi / 8) ** 0.5 * z),
        "tanh": torch.tanh,
        "erf": torch.erf,
    }[name]
    f = sigma(z) @ a / len(w)
    total = ((f - y) ** 2).sum() / 12 if loss == "squared" else torch.nn.functional.softplus(-y.sign() * f).mean()
    total.backward()
    assert float(total.detach()) == pytest.approx(float(value), rel=1e-12)
    np.testing.assert_allclose(a.grad * len(w), potential, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(b.grad * len(w), w[:, None] * gradient, rtol=1e-10, atol=1e-13)


@every_activation
def test_a_stack_is_a_loop_with_shared_samples_or_samples_of_its_own(name):
    neurons, w, theta, residual = example(name, runs=(3,))
    own = Neurons(np.random.default_rng(5).normal(size=(3, 6, 3)), name)
    for stacked, alone in ((neurons, [neurons] * 3), (own, [Neurons(x, name) for x in own.x])):
        results = [stacked.push(w, theta), *stacked.pull(residual, theta)]
        for run, single in enumerate(alone):
            looped = [single.push(w[run], theta[run]), *single.pull(residual[run], theta[run])]
            for part, expected in zip(results, looped, strict=True):
                np.testing.assert_allclose(part[run], expected, rtol=1e-12, atol=1e-13)


@every_activation
def test_precision_follows_the_positions(name):
    neurons, w, theta, residual = example(name)
    single = [x.astype(np.float32) for x in (w, theta, residual)]
    results = [neurons.push(*single[:2]), *neurons.pull(single[2], single[1])]
    expected = [neurons.push(w, theta), *neurons.pull(residual, theta)]
    for part, exact in zip(results, expected, strict=True):
        assert part.dtype == np.float32
        np.testing.assert_allclose(part, exact, rtol=1e-4, atol=1e-5)


def test_results_outlive_the_next_call_and_other_samples_share_the_memory():
    neurons, w, theta, residual = example("tanh")
    results = [neurons.push(w, theta), *neurons.pull(residual, theta), neurons.matrix(theta)]
    kept = [part.copy() for part in results]
    other = neurons.on(np.zeros((6, 3)))
    other.push(w, theta)
    np.testing.assert_allclose(neurons.subset(np.array([4, 1])).push(w, theta), kept[0][[4, 1]], rtol=1e-13)
    for part, copied in zip(results, kept, strict=True):
        np.testing.assert_array_equal(part, copied)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.full((3, 2), np.nan), "x must be finite"),
        (np.zeros(3), "x must have shape"),
        (np.zeros((0, 2)), "x must have shape .* n >= 1 samples"),
        (np.zeros((3, 0)), "x must have shape"),
        ([["a", "b"]], "x must be an array of real numbers"),
    ],
)
def test_bad_samples_are_named(x, words):
    with pytest.raises(ValueError, match=words):
        Neurons(x, "relu")


def test_positions_and_residuals_that_do_not_fit_are_named():
    neurons, w, theta, residual = example("relu")
    with pytest.raises(ValueError, match="theta must have shape"):
        neurons.push(w, theta[:, :2])
    with pytest.raises(ValueError, match=r"residual must have shape \(\.\.\., 6\)"):
        neurons.pull(residual[:-1], theta)
