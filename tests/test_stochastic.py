"""SGD: batches that are a function of (seed, k), unbiased, and runs that resume to the same bits."""

import numpy as np
import pytest

from mfcourse import flows, problems, starts
from mfcourse.runs import Run
from mfcourse.stochastic import batches, begin, sampled, stochastic


def teacher(seed=0):
    return problems.relu_teacher(seed, 3, 4), starts.sphere_start(6, np.random.default_rng([seed, 6]), 3)


def data(n=23, loss="squared", dtype=float):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, 3)), rng.choice([-1.0, 1.0], n)
    return problems.from_data(x, y, "tanh", loss), [part.astype(dtype) for part in starts.sphere_start(6, rng, 4)]


def test_a_batch_of_a_teacher_is_fresh_and_depends_on_seed_and_number_only():
    problem, _ = teacher()
    draw = batches(problem.risk, 8, seed=3)
    x = draw(5).features.x.copy()
    np.testing.assert_array_equal(draw(5).features.x, x)
    np.testing.assert_array_equal(batches(problem.risk, 8, seed=3)(5).features.x, x)
    for other in (draw(6), batches(problem.risk, 8, seed=4)(5)):
        assert (other.features.x != x).all()
    np.testing.assert_allclose(draw(5).loss.target, problem.risk.taught(x), rtol=1e-14)


def test_an_epoch_shows_every_sample_once_and_the_next_in_another_order():
    problem, _ = data(n=24)
    draw = batches(problem.risk, 6, seed=0)
    epochs = [np.concatenate([draw(k).features.x.copy() for k in range(4 * e, 4 * e + 4)]) for e in range(3)]
    for epoch in epochs:
        assert {*map(tuple, epoch)} == {*map(tuple, problem.risk.features.x)}
    assert (epochs[0] != epochs[1]).any()
    first = {*map(tuple, np.concatenate([batches(data(n=23)[0].risk, 6, 0)(k).features.x for k in range(3)]))}
    assert len(first) == 18  # 23 samples make three batches of 6; the rest waits for another order


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_batches_of_one_epoch_have_the_full_gradient_on_average(loss):
    problem, (w, theta) = data(n=24, loss=loss)
    draw = batches(problem.risk, 6, seed=0)
    for part, full in zip(
        zip(*(draw(k)(w, theta) for k in range(4)), strict=True), problem.risk(w, theta), strict=True
    ):
        np.testing.assert_allclose(np.mean(part, axis=0), full, rtol=1e-12, atol=1e-14)


def test_fresh_batches_have_the_exact_gradient_on_average():
    problem, (w, theta) = teacher()
    draw = batches(problem.risk, 200, seed=0)
    draws = [draw(k)(w, theta) for k in range(400)]
    for part, exact in zip(zip(*draws, strict=True), problem.risk(w, theta), strict=True):
        assert (np.abs(np.mean(part, axis=0) - exact) <= 5 * np.std(part, axis=0) / 20).all()


@pytest.mark.parametrize("make", [teacher, data])
def test_a_saved_run_resumes_to_the_same_bits(make, tmp_path):
    problem, start = make()
    settings = (problem, 0.1, 0.1, 5, 7, 0.01)
    whole = flows.flow(problem, stochastic(*settings), begin(*start), 50)
    flows.flow(problem, stochastic(*settings), begin(*start), 17).save(tmp_path / "run.npz")
    resumed = flows.flow(problem, stochastic(*settings), Run.load(tmp_path / "run.npz"), 50)
    for one, other in zip(whole.state, resumed.state, strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.state[2] == 50


def test_a_step_is_the_gradient_of_its_batch_and_decay_divides_it():
    problem, start = teacher()
    run = flows.flow(problem, stochastic(problem, 0.2, 0.1, 5, decay=0.5), begin(*start), 3, record=range(4))
    for k in range(3):
        _, potential, gradient = batches(problem.risk, 5, 0)(k)(run.w[k], run.theta[k])
        np.testing.assert_allclose(run.w[k + 1], run.w[k] - 0.2 / (1 + 0.5 * k) * potential, rtol=1e-12)
        moved = run.theta[k] - 0.1 / (1 + 0.5 * k) * run.w[k][:, None] * gradient
        np.testing.assert_allclose(run.theta[k + 1], moved, rtol=1e-12)


def test_single_precision_stays_single():
    problem, start = data(dtype=np.float32)
    run = flows.flow(problem, stochastic(problem, 0.1, 0.1, 5), begin(*start), 10)
    assert run.theta.dtype == run.w.dtype == np.float32


def test_a_teacher_is_learnt_from_samples():
    problem = problems.relu_teacher(4, 2, 4)
    start = starts.sphere_start(50, np.random.default_rng(0), 2)
    run = flows.flow(problem, stochastic(problem, 0.25, 0.25, 100), begin(*start), 2000, record=())
    assert run.energy[-1] < 1e-4 * run.energy[0]


def test_samples_drawn_once_keep_teacher_and_penalty():
    problem, (w, theta) = teacher()
    once = sampled(problem, 50, seed=2)
    assert once.truth is problem.truth
    assert once.objective(problem.truth) == pytest.approx(0, abs=1e-25)
    assert once.risk(w, theta)[0] == sampled(problem, 50, seed=2).risk(w, theta)[0]
    with pytest.raises(ValueError, match="problem must have a population risk"):
        sampled(data()[0], 50, seed=2)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch": 0}, "batch must be a whole number >= 1"),
        ({"batch": 24}, "batch must be at most the 23 samples there are, but it is 24"),
        ({"step_w": 0, "step_theta": 0}, "step_w and step_theta must not both be 0"),
        ({"step_theta": -1}, "step_theta must be"),
        ({"decay": -1}, "decay must be"),
        ({"seed": -1}, "seed must be"),
        ({"problem": problems.spikes(0)}, "problem must be a network"),
    ],
)
def test_bad_settings_are_named(settings, words):
    good = {"problem": data()[0], "step_w": 0.1, "step_theta": 0.1, "batch": 5}
    with pytest.raises(ValueError, match=words):
        stochastic(**{**good, **settings})
