"""The exact population risk: its contract, its value against samples and the teacher, duality, autograd."""

import numpy as np
import pytest

from mfcourse import problems, risks
from mfcourse.measures import Measure
from mfcourse.problems import Problem
from mfcourse.risks import NotFinite, PopulationRisk
from mfcourse.stochastic import sampled

CLOSED = ["relu", "signed_square_relu", "probit", "erf"]
every_closed_form = pytest.mark.parametrize("activation", CLOSED)


def example(activation, m=6, d=3, seed=0):
    rng = np.random.default_rng(seed)
    teacher = Measure(rng.normal(size=4), rng.normal(size=(4, d)))
    return PopulationRisk(teacher, activation), rng.normal(size=m), rng.normal(size=(m, d))


@every_closed_form
def test_the_teacher_has_no_risk_and_no_potential(activation):
    risk, _, _ = example(activation)
    w, theta = risk.teacher.particles()
    value, potential, gradient = risk(w, theta)
    assert 0 <= value < 1e-15
    assert np.abs(potential).max() < 1e-14
    assert np.abs(gradient).max() < 1e-7  # a cancellation of kernels near their kink at equal directions


@every_closed_form
def test_value_and_slopes_are_those_of_finite_differences(activation):
    risk, w, theta = example(activation)
    _, potential, gradient = risk(w, theta)
    h = 1e-5
    for i, e in enumerate(np.eye(len(w))):
        slope = (risk(w + h * e, theta)[0] - risk(w - h * e, theta)[0]) / (2 * h)
        assert slope * len(w) == pytest.approx(potential[i], abs=1e-8)
    for where in np.ndindex(theta.shape):
        step = np.zeros(theta.shape)
        step[where] = h
        slope = (risk(w, theta + step)[0] - risk(w, theta - step)[0]) / (2 * h)
        assert slope * len(w) == pytest.approx(w[where[0]] * gradient[where], abs=1e-7)
    at = np.random.default_rng(3).normal(size=(5, 3))
    eta, slope = risk.field(w, theta, at)
    np.testing.assert_array_equal(risk.potential(w, theta, at), eta)
    for j, e in enumerate(np.eye(3)):
        difference = (risk.potential(w, theta, at + h * e) - risk.potential(w, theta, at - h * e)) / (2 * h)
        np.testing.assert_allclose(slope[:, j], difference, atol=1e-8)
    np.testing.assert_allclose(risk.potential(w, theta, theta), potential, rtol=1e-11, atol=1e-13)


@every_closed_form
def test_samples_have_the_exact_risk_and_potential_on_average(activation):
    """5 standard errors over 100 sets of 2000 samples."""
    risk, w, theta = example(activation)
    value, potential, gradient = risk(w, theta)
    draws = [sampled(Problem(risk, 0.0), 2000, seed).risk(w, theta) for seed in range(100)]
    for part, exact in zip(zip(*draws, strict=True), (value, potential, gradient), strict=True):
        error = np.mean(part, axis=0) - exact
        assert (np.abs(error) <= 5 * np.std(part, axis=0) / 10 + 1e-12).all()


@pytest.mark.parametrize("activation", ["relu", "probit"])
def test_gradients_are_those_of_autograd(activation):
    torch = pytest.importorskip("torch")
    risk, w, theta = example(activation)
    value, potential, gradient = risk(w, theta)
    a, b = (torch.tensor(x, requires_grad=True) for x in (w, theta))
    masses = torch.cat([a / len(w), torch.tensor(-risk.teacher.weights)])
    at = torch.cat([b, torch.tensor(risk.teacher.positions)])
    squares = (at * at).sum(-1)
    if activation == "relu":
        lengths = torch.sqrt(squares[:, None] * squares)
        angle = torch.arccos(torch.clamp(at @ at.T / lengths, -1 + 1e-13, 1 - 1e-13))
        kernel = lengths * (torch.sin(angle) + (np.pi - angle) * torch.cos(angle)) / (2 * np.pi)
    else:
        g = np.pi / 8
        kernel = 0.25 + torch.asin(g * (at @ at.T) / torch.sqrt((1 + g * squares[:, None]) * (1 + g * squares))) / (
            2 * np.pi
        )
    total = masses @ kernel @ masses / 2
    total.backward()
    assert float(total.detach()) == pytest.approx(float(value), rel=1e-9)
    np.testing.assert_allclose(a.grad * len(w), potential, atol=1e-6)
    np.testing.assert_allclose(b.grad * len(w), w[:, None] * gradient, atol=1e-6)


@every_closed_form
def test_a_stack_of_teachers_is_a_loop_in_either_precision(activation):
    singles = [example(activation, seed=seed)[0] for seed in range(3)]
    risk = PopulationRisk([single.teacher for single in singles], activation)
    rng = np.random.default_rng(1)
    w, theta, at = rng.normal(size=(3, 6)), rng.normal(size=(3, 6, 3)), rng.normal(size=(5, 3))
    stacked = [*risk(w, theta), *risk.field(w, theta, at), risk.dual(w, theta, np.full(3, 0.5)), risk.taught(at)]
    for k, single in enumerate(singles):
        alone = [*single(w[k], theta[k]), *single.field(w[k], theta[k], at)]
        alone += [single.dual(w[k], theta[k], 0.5), single.taught(at)]
        for part, expected in zip(stacked, alone, strict=True):
            np.testing.assert_allclose(part[k], expected, rtol=1e-12, atol=1e-13)
    for part, exact in zip(risk(w.astype(np.float32), theta.astype(np.float32)), stacked, strict=False):
        assert part.dtype == np.float32
        np.testing.assert_allclose(part, exact, rtol=1e-3, atol=1e-4)


@every_closed_form
def test_the_dual_value_is_below_every_penalised_objective(activation):
    """With c as large as |eta| on many points, the dual value bounds the objective of measures on these points."""
    risk, w, theta = example(activation)
    at = np.random.default_rng(2).normal(size=(40, 3))
    problem = Problem(risk, 0.7)
    price = np.linalg.norm(at, axis=1) ** risk.homogeneity
    shrink = min(1, 0.7 / np.abs(risk.potential(w, theta, at) / price).max())
    dual = risk.dual(w, theta, shrink)
    for seed in range(20):
        weights = np.random.default_rng(seed).normal(size=40) * 0.05
        assert dual <= problem.objective(Measure(weights, at)) + 1e-12
    assert risk.dual(*risk.teacher.particles(), 1.0) == pytest.approx(0, abs=1e-14)


@every_closed_form
@pytest.mark.parametrize("shrink", [1.0, 0.3])
def test_the_dual_value_is_minus_the_conjugate(activation, shrink):
    """R*(q) = <q, f*> + |q|^2 / 2 for q = shrink (f - f*), all products from risks: |f - f*|^2 = 2 R(f)."""
    risk, w, theta = example(activation)
    student = Measure(w / len(w), theta)
    of_student, of_teacher = (
        PopulationRisk(one, activation)(np.zeros(1), np.ones((1, 3)))[0] for one in (student, risk.teacher)
    )
    distance = risk(w, theta)[0]
    product = of_student - distance - of_teacher  # <f - f*, f*>
    assert risk.dual(w, theta, shrink) == pytest.approx(-shrink * product - shrink**2 * distance, rel=1e-10)


def test_the_circle_is_searched_in_the_plane_for_relu_and_told_how_fast_the_potential_bends(monkeypatch):
    told, search = [], risks.search.on_circle
    monkeypatch.setattr(risks.search, "on_circle", lambda *args: told.append(args[1]) or search(*args))
    risk, w, theta = example("relu", d=2)
    values, at, proof = risk.peaks(w, theta)
    assert proof
    turn = np.linspace(0, 2 * np.pi, 20001)
    eta = risk.potential(w, theta, np.stack([np.cos(turn), np.sin(turn)], axis=1))
    assert values.max() == pytest.approx(eta.max(), abs=1e-6)
    assert values.min() == pytest.approx(eta.min(), abs=1e-6)
    np.testing.assert_allclose(np.linalg.norm(at, axis=-1), 1, atol=1e-12)
    bend = np.abs(np.diff(eta, 2)).max() / (turn[1] ** 2)
    (own, places), (others, there) = (w / len(w), theta), (risk.teacher.weights, risk.teacher.positions)
    strength = sum(np.abs(a) @ np.linalg.norm(at, axis=1) for a, at in ((own, places), (others, there)))
    assert bend <= told[0] == pytest.approx(strength / 2, rel=1e-12)  # a neuron alone bends so much at its direction
    for activation, d in (("relu", 3), ("erf", 2), ("signed_square_relu", 2)):
        risk, w, theta = example(activation, d=d)
        assert not risk.peaks(w, theta)[2]
    assert len(told) == 1


def test_the_matrix_is_the_quadratic_form_of_the_risk():
    for activation in CLOSED:
        risk, w, theta = example(activation)
        kernel, taught = risk.matrix(theta)
        a, nothing = w / len(w), risk(np.zeros(1), np.ones((1, 3)))[0]
        assert a @ kernel @ a / 2 - a @ taught + nothing == pytest.approx(risk(w, theta)[0], rel=1e-12)


def test_what_overflows_or_is_not_finite_is_named():
    risk, w, theta = example("relu")
    for array, name in ((w, "w"), (theta, "theta")):
        array.flat[2], before = np.nan, array.flat[2]
        with pytest.raises(NotFinite, match=f"^{name} must be finite"):
            risk(w, theta)
        array.flat[2] = before
    with pytest.raises(NotFinite, match=r"^w must be small enough"):
        risk(np.full(6, 1e308), 1e10 * theta)
    with pytest.raises(ValueError, match="at must be finite"):
        risk.field(w, theta, np.full((1, 3), np.inf))
    with pytest.raises(ValueError, match="theta must have shape"):
        risk(w, theta[:, :2])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_activations_without_a_closed_form_are_refused(activation):
    with pytest.raises(ValueError, match=r"activation must have a closed form \(relu, probit or erf\)"):
        PopulationRisk(problems.relu_teacher(0).truth, activation)


def test_teachers_that_are_empty_or_differ_in_size_are_refused():
    empty = Measure(np.zeros(0), np.zeros((0, 2)))
    for teacher in (empty, [], [problems.relu_teacher(0).truth, problems.relu_teacher(0, n_neurons=3).truth]):
        with pytest.raises(ValueError, match="teacher must be a Measure with atoms"):
            PopulationRisk(teacher, "relu")
