"""Several erf neurons in high dimension: arcsines against samples, the course's flow as their limit, and SGD."""

import traceback
from pathlib import Path

import numpy as np
import pytest

from mfcourse import flows, motion
from mfcourse.beyond import committee, overlaps
from mfcourse.measures import Measure
from mfcourse.problems import Problem
from mfcourse.risks import PopulationRisk
from mfcourse.stochastic import begin, stochastic

HOME = Path(committee.__file__).parent.parent
HUGE = 10**400
TWO = np.array([[0.25, 0, 0.01, 0], [0, 0.2, 0, 0.005], [0.01, 0, 1, 0], [0, 0.005, 0, 1]])
HALVES = np.array([0.5, 0.5])
CRITICAL = 2.107444, 2.596463, 2.844739, 2.989527  # orthonormal teachers, as many students, masses 1/m


def example(m=3, m0=2, d=7, runs=(), seed=0):
    """Weights, positions, masses and vectors of the teacher, and the Gram matrix."""
    rng = np.random.default_rng(seed)
    w, theta = rng.normal(size=(*runs, m)), rng.normal(size=(*runs, m, d)) / 2
    masses, v = rng.normal(size=m0), rng.normal(size=(m0, d)) / 2
    both = np.concatenate([theta, np.broadcast_to(v, (*runs, m0, d))], axis=-2)
    return w, theta, masses, v, both @ both.mT


def recovered(m, extra=None):
    """The Gram matrix of students that are their orthonormal teachers, plus `extra` (m, m) among the students."""
    gram = np.tile(np.eye(m), (2, 2))
    gram[:m, :m] += 0 if extra is None else extra
    return gram


def growth(m, c):
    """d/dt of q_ij = delta_i . delta_j, a matrix on the m x m numbers, for errors delta outside the teachers' span.

    e = (1/m) sum_k sigma'(b_k) delta_k . x to first order, so
    q' = -(M q + q M) / m + (c / m^2) sum_kl q_kl E sigma'_k sigma'_l sigma'_i sigma'_j, M_ij = E sigma'_i sigma'_j.
    """
    moment = [1, *((4 / np.pi) ** (p / 2) / (1 + 2 * p) ** 0.5 for p in range(1, 5))]

    def mean(*which):
        return np.prod([moment[which.count(i)] for i in set(which)])

    pairs = list(np.ndindex(m, m))
    overlap = np.array([[mean(i, j) for j in range(m)] for i in range(m)])
    pull = np.kron(overlap, np.eye(m)) + np.kron(np.eye(m), overlap)
    kicks = np.array([[mean(*ij, *kl) for kl in pairs] for ij in pairs])
    return -pull / m + c / m**2 * kicks


def test_shares_are_those_of_samples():
    """5 standard errors of 4e5 samples."""
    gram = example()[-1]
    x = np.random.default_rng(1).multivariate_normal(np.zeros(5), gram, 400_000)
    values = overlaps.ERF.value(x)
    for i, j in np.ndindex(5, 5):
        product = values[:, i] * values[:, j]
        assert abs(product.mean() - committee.shares(gram)[i, j]) <= 5 * product.std() / len(x) ** 0.5


def test_risk_and_rates_are_those_of_samples():
    """5 standard errors of 4e5 samples: drift, corrector with noise of labels, weights."""
    w, _, masses, _, gram = example()
    m, tau, c, rng = len(w), 0.4, 0.7, np.random.default_rng(2)
    x = rng.multivariate_normal(np.zeros(len(gram)), gram, 400_000)
    values, slopes = overlaps.ERF.value(x), overlaps.ERF.slope(x[:, :m])
    e = values @ committee.charges(w, masses) + tau * rng.standard_normal(len(x))
    steps = -w * e[:, None] * slopes
    full = np.zeros((len(x), len(gram), len(gram)))
    full[:, :m, :] += steps[:, :, None] * x[:, None, :]
    full[:, :, :m] += steps[:, None, :] * x[:, :, None]
    full[:, :m, :m] += c * steps[:, :, None] * steps[:, None, :]
    speed, change = committee.rates(w, gram, masses, c, noise=tau)
    for sampled, exact in (
        (full, change),
        (-e[:, None] * values[:, :m], speed),
        ((e**2 - tau**2) / 2, committee.risk(w, gram, masses)),
    ):
        error = sampled.std(axis=0) / len(x) ** 0.5
        assert (np.abs(sampled.mean(axis=0) - exact) <= 5 * error + 1e-15).all()


@pytest.mark.parametrize(("m", "m0", "runs"), [(1, 1, ()), (3, 2, ()), (2, 4, (5,)), (4, 3, (2, 3))])
def test_without_kicks_it_is_the_flow_of_chapter_11(m, m0, runs):
    w, theta, masses, v, gram = example(m, m0, runs=runs)
    problem = Problem(PopulationRisk(Measure(masses, v), "erf"), 0.0)
    speed_w, speed_theta = motion.velocity(problem, w, theta)
    both = np.concatenate([theta, np.broadcast_to(v, (*runs, *v.shape))], axis=-2)
    moved = np.concatenate([speed_theta, np.zeros((*runs, *v.shape))], axis=-2) @ both.mT
    speed, change = committee.rates(w, gram, masses, 0)
    np.testing.assert_allclose(speed, speed_w, rtol=0, atol=1e-13)
    np.testing.assert_allclose(change, moved + moved.mT, rtol=0, atol=1e-13)
    np.testing.assert_allclose(committee.risk(w, gram, masses), problem.risk(w, theta)[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_one_neuron_of_weight_one_moves_as_its_overlaps_do(tau):
    for m, s in ((0.3, 0.6), (0.0, 1.0), (-0.5, 3.0), (1.0, 0.0)):
        gram = np.array([[m**2 + s, m], [m, 1]])
        rate = overlaps.effective(overlaps.ERF._replace(noise=tau), 0.7)(np.array([m, s]))
        speed, change = committee.rates(np.ones(1), gram, [1.0], 0.7, noise=tau, learn_w=False)
        known = np.array([[2 * m * rate[0] + rate[1], rate[0]], [rate[0], 0]])
        np.testing.assert_allclose(change, known, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(speed, 0)


def test_two_neurons_leave_their_plateau_later_and_at_a_large_step_never():
    times = [0, 1, 2, 5, 10, 60, 120]
    known = {
        0: (0.16396368, 0.03574831, 0.01475445, 0.00864047, 0.00826038, 0.00211068, 1.364e-5),
        1: (0.16396368, 0.07422685, 0.03959070, 0.01581822, 0.01339262, 0.0048255, 2.19e-5),
    }
    for c, expected in known.items():
        states = committee.follow(np.ones(2), TWO, HALVES, c, times, learn_w=False)
        found = committee.risk(*states, HALVES)
        np.testing.assert_allclose(found[:5], expected[:5], rtol=0, atol=6e-9)
        np.testing.assert_allclose(found[5:], expected[5:], rtol=2e-3)
    w, gram = committee.follow(np.ones(2), TWO, HALVES, 3, times, learn_w=False)
    assert committee.risk(w, gram, HALVES)[-1] == pytest.approx(0.05, abs=0.002)
    assert gram[-1, 0, 0] > gram[-2, 0, 0] > 2


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_recovery_by_several_neurons_has_a_critical_step_too(m):
    def worst(c):
        return np.linalg.eigvals(growth(m, c)).real.max()

    assert worst(CRITICAL[m - 1] - 1e-6) < 0 < worst(CRITICAL[m - 1] + 1e-6)
    root, masses = np.random.default_rng(m).normal(size=(m, m)), np.full(m, 1 / m)
    outside = root @ root.T
    for c in (0.0, 2.5):
        _, change = committee.rates(np.ones(m), recovered(m, 1e-6 * outside), masses, c)
        linear = (growth(m, c) @ outside.ravel()).reshape(m, m)
        errors = change[:m, :m] - change[:m, m:] - change[m:, :m]  # of (theta_i - v_i) . (theta_j - v_j)
        np.testing.assert_allclose(errors / 1e-6, linear, rtol=0, atol=1e-4)


def test_at_the_teacher_nothing_moves_but_what_noise_of_labels_kicks():
    masses = np.full(3, 1 / 3)
    speed, change = committee.rates(np.ones(3), recovered(3), masses, 2.0)
    np.testing.assert_allclose(np.concatenate([speed, change.ravel()]), 0, atol=1e-15)
    _, change = committee.rates(np.ones(3), recovered(3), masses, 2.0, noise=0.3)
    known = 2 * 0.09 * (4 / (3 * np.pi) + (4 / (np.pi * 5**0.5) - 4 / (3 * np.pi)) * np.eye(3))
    np.testing.assert_allclose(change[:3, :3], known, rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 4])
def test_the_sgd_of_chapter_10_follows_it_at_a_step_over_the_dimension(batch):
    """N = 200, c = 1 at t = 10: the risk is .01339 in the limit, and runs scatter by .0003."""
    n, rng = 200, np.random.default_rng(0)
    v = np.eye(n)[:2]
    problem = Problem(PopulationRisk(Measure(HALVES, v), "erf"), 0.0)
    theta = np.zeros((2, n))
    theta[:, :2] = np.diag([0.01, 0.005])
    away = np.linalg.qr(rng.normal(size=(n - 2, 2)))[0].T
    theta[:, 2:] = away * np.sqrt([[0.25 - 1e-4], [0.2 - 2.5e-5]])
    run = flows.flow(problem, stochastic(problem, 0, batch / n, batch), begin(np.ones(2), theta), 10 * n // batch)
    assert 0.0120 <= problem.risk(run.w[-1], run.theta[-1])[0] <= 0.0148


def test_runs_may_have_steps_of_their_own_and_agree_with_each_run_alone():
    w, _, masses, _, gram = example(3, 2, runs=(4,))
    c = np.array([0.0, 0.5, 1.0, 2.0])
    speed, change = committee.rates(w, gram, masses, c, noise=0.1)
    states = committee.follow(w, gram, masses, c, [0, 1.0], noise=0.1)
    np.testing.assert_array_equal(states[0][0], w)
    np.testing.assert_array_equal(states[1][0], gram)
    for run in range(4):
        alone = committee.rates(w[run], gram[run], masses, c[run], noise=0.1)
        np.testing.assert_allclose(speed[run], alone[0], rtol=1e-13)
        np.testing.assert_allclose(change[run], alone[1], rtol=0, atol=1e-14)
        ends = committee.follow(w[run], gram[run], masses, c[run], [1.0], noise=0.1)
        np.testing.assert_allclose(states[0][1, run], ends[0][0], rtol=1e-6)
        np.testing.assert_allclose(states[1][1, run], ends[1][0], rtol=0, atol=1e-6)


ONES, LONG = np.ones(2), np.diag([1.0, -1, 1, 1])
BAD = {
    "no matrix": (lambda: committee.shares(np.ones(4)), "gram must have shape (..., n, n)", "(4,)"),
    "not square": (lambda: committee.shares(np.ones((4, 3))), "gram must have shape (..., n, n)", "(4, 3)"),
    "empty": (lambda: committee.shares(np.empty((0, 0))), "gram must have shape (..., n, n)", "(0, 0)"),
    "a NaN": (lambda: committee.shares([[np.nan]]), "gram must be finite", "nan"),
    "a word": (lambda: committee.shares("gram"), "gram must be an array of real numbers", "'gram'"),
    "a huge number": (lambda: committee.shares([[HUGE]]), "gram must be finite", "too large"),
    "not symmetric": (lambda: committee.shares([[1, 0.5], [0.2, 1]]), "gram must hold scalar products", "0.3"),
    "too close": (lambda: committee.shares([[1, 2], [2, 1]]), "gram must hold scalar products", "-1"),
    "no length": (lambda: committee.risk(ONES, LONG, HALVES), "gram must hold scalar products", "-1"),
    "no weight": (lambda: committee.charges([], HALVES), "w must have shape (..., m)", "(0,)"),
    "one number": (lambda: committee.charges(1.0, HALVES), "w must have shape (..., m)", "()"),
    "weights with a NaN": (lambda: committee.risk([np.nan, 1], TWO, HALVES), "w must be finite", "nan"),
    "no masses": (lambda: committee.charges(ONES, []), "masses must have shape (m0,)", "(0,)"),
    "masses of runs": (lambda: committee.charges(ONES, [[1, 2]]), "masses must have shape (m0,)", "(1, 2)"),
    "masses that are infinite": (lambda: committee.risk(ONES, TWO, [1, np.inf]), "masses must be finite", "inf"),
    "too many": (lambda: committee.risk(np.ones(3), TWO, HALVES), "gram must have shape (5, 5)", "(4, 4)"),
    "other runs": (lambda: committee.risk(np.ones((3, 2)), TWO, HALVES), "gram must have shape (3, 4, 4)", "(4, 4)"),
    "a negative c": (lambda: committee.rates(ONES, TWO, HALVES, -1), "c must be a finite number >= 0", "-1"),
    "a flag for c": (lambda: committee.rates(ONES, TWO, HALVES, True), "c must be a finite number >= 0", "True"),
    "a word for c": (lambda: committee.rates(ONES, TWO, HALVES, "1"), "c must be a finite number >= 0", "'1'"),
    "too many c": (lambda: committee.rates(ONES, TWO, HALVES, [1, 2]), "c must be a number >= 0, or one", "[1, 2]"),
    "one bad c": (
        lambda: committee.rates(np.ones((1, 2)), TWO[None], HALVES, [-2]),
        "c must be a number >= 0, or one",
        "[-2]",
    ),
    "c with a NaN": (lambda: committee.rates(np.ones((1, 2)), TWO[None], HALVES, [np.nan]), "c must be finite", "nan"),
    "negative noise": (lambda: committee.rates(ONES, TWO, HALVES, 1, noise=-0.1), "noise must be", "-0.1"),
    "a number for a flag": (lambda: committee.rates(ONES, TWO, HALVES, 1, learn_w=0), "learn_w must be True", "0"),
    "loud labels": (lambda: committee.rates(ONES, TWO, HALVES, 1, noise=1e200), "noise must be small", "1e+200"),
    "heavy neurons": (lambda: committee.follow(1e200 * ONES, TWO, HALVES, 1, [1]), "w must be small enough", "1e+200"),
    "a step without end": (
        lambda: committee.follow(ONES, TWO, HALVES, 1e300, [1]),
        "times must end before",
        "step size",
    ),
    "times that go back": (lambda: committee.follow(ONES, TWO, HALVES, 1, [2, 1]), "times must be >= 0", "1 comes"),
}


@pytest.mark.parametrize(("call", "allowed", "was"), BAD.values(), ids=BAD.keys())
def test_what_is_not_allowed_is_named_with_what_it_was(call, allowed, was):
    with pytest.raises(ValueError, match=r"^\S.* must ") as caught:
        call()
    assert allowed in str(caught.value)
    assert was in str(caught.value)
    assert Path(traceback.extract_tb(caught.value.__traceback__)[-1].filename).is_relative_to(HOME)
