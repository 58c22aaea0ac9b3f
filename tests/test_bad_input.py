"""What a stranger might hand over: each bad argument is named, with what it was and what is allowed, and never a NaN.

The rows are (call, words of the message). No error may come from inside NumPy or SciPy: the last frame is ours.
"""

import re
import traceback
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mfcourse import (
    animations,
    checks,
    experiments,
    flows,
    kernels,
    losses,
    penalties,
    plots,
    problems,
    results,
    starts,
    stochastic,
    topology,
)
from mfcourse.exercises import as_array, as_number
from mfcourse.experiments import digits
from mfcourse.features import Fourier, Neurons
from mfcourse.intervals import Cosines, kept_inside
from mfcourse.measures import Measure
from mfcourse.runs import Run

HOME = Path(checks.__file__).parent
RNG = np.random.default_rng(0)
HUGE = 10**400
X, W = RNG.normal(size=(8, 2)), RNG.normal(size=3)
LINE, PLANE = RNG.uniform(size=(3, 1)), RNG.normal(size=(3, 2))
LABELS = np.array([1, -1, 1, -1, 1, -1, 1, -1.0])
MAPS = {
    "Fourier": (Fourier(2), LINE),
    "Fourier 2": (Fourier(1, 2), PLANE),
    "Cosines": (Cosines(range(4)), LINE),
    "relu": (Neurons(X, "relu"), PLANE),
    "signed_square_relu": (Neurons(X, "signed_square_relu"), PLANE),
    "sigmoid": (Neurons(X, "sigmoid"), PLANE),
    "erf": (Neurons(X, "erf"), PLANE),
}
LOSSES = {"squared": losses.Squared(np.arange(8.0), 0.5), "logistic": losses.Logistic(LABELS)}
SPIKES, TORUS, TEACHER = (
    problems.spikes(0),
    problems.spikes(0, dimension=2, cutoff=2, n_spikes=2),
    problems.relu_teacher(0),
)
DATA = problems.from_data(X, LABELS, "relu", "logistic")
ONE, TWO = Measure(W, LINE), Measure(W, PLANE)


def single(d, runs=()):
    w, theta = np.zeros((2, *runs, 3)), np.ones((2, *runs, 3, d))
    return Run(np.arange(2), w, theta, np.zeros((2, *runs)), (w[-1], theta[-1]), np.full(runs, "steps")[()], 0.0)


def spoiled(values, entry):
    values = np.array(values, dtype=float)
    values.flat[1] = entry
    return values


def hidden(values):
    values = np.asarray(values, dtype=float)
    return np.ma.array(values, mask=np.arange(values.size).reshape(values.shape) == 1)


def raised(call, kind=ValueError):
    """The error of a call; it must come from a line of ours."""
    with pytest.raises(kind) as caught:
        call()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert Path(frame.filename).is_relative_to(HOME), f"raised inside {frame.filename}: {caught.value}"
    return str(caught.value)


every_map = pytest.mark.parametrize(("features", "theta"), MAPS.values(), ids=MAPS.keys())
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


# Feature maps and losses: the result is looked at, and then the argument to blame is found


@every_map
@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_by_every_function_of_a_feature_map(features, theta, entry):
    bad_w, bad_theta, r = spoiled(W, entry), spoiled(theta, entry), RNG.normal(size=features.size)
    bad_r = spoiled(r, entry)
    calls = {
        "w": [lambda: features.push(bad_w, theta), lambda: features.push_pull(bad_w, theta, lambda f: r)],
        "theta": [
            lambda: features.push(W, bad_theta),
            lambda: features.push_pull(W, bad_theta, lambda f: r),
            lambda: features.pull(r, bad_theta),
            lambda: features.matrix(bad_theta),
        ],
        "residual": [lambda: features.pull(bad_r, theta), lambda: features.push_pull(W, theta, lambda f: bad_r)],
    }
    for name, several in calls.items():
        for call in several:
            where = (1,) if name != "theta" else (1, 0) if features.dimension == 1 else (0, 1)
            assert raised(call, results.NotFinite).startswith(
                f"{name} must be finite, but its entry {where} is {entry}"
            )


@every_map
def test_a_residual_that_is_not_finite_has_no_peaks(features, theta):
    assert raised(lambda: features.peaks(spoiled(np.ones(features.size), np.nan))).startswith("residual must be finite")


@pytest.mark.parametrize("name", ["relu", "signed_square_relu"])
def test_positions_so_large_that_a_neuron_overflows_are_named(name):
    neurons, theta = Neurons(3 * X, name), spoiled(PLANE, 1e308)
    for call in (
        lambda: neurons.push(W, theta),
        lambda: neurons.matrix(theta),
        lambda: neurons.push_pull(W, theta, lambda f: f),
        lambda: problems.from_data(3 * X, LABELS, name, bias=False).risk(W, theta),
    ):
        assert raised(call, results.NotFinite).startswith("theta must be small enough for the result to be finite")
    risk = problems.PopulationRisk(Measure(np.ones(2), PLANE[:2]), name)
    assert raised(lambda: risk(W, spoiled(PLANE, 1e200))).startswith("theta must be small enough")


@every_loss
@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_by_every_function_of_a_loss(loss, entry):
    bad = spoiled(np.zeros(8), entry)
    assert raised(lambda: loss.value(bad)).startswith("predictions must be finite, but its entry (1,)")
    assert raised(lambda: loss.gradient(bad)).startswith("predictions must be finite, but its entry (1,)")
    assert raised(lambda: loss.conjugate(bad)).startswith("q must be finite, but its entry (1,)")


def test_predictions_so_large_that_the_loss_overflows_are_named():
    assert raised(lambda: LOSSES["squared"].value(np.full(8, 1e200))).startswith("predictions must be small enough")
    assert raised(lambda: LOSSES["squared"].conjugate(np.full(8, 1e200))).startswith("q must be small enough")


@every_map
def test_runs_that_do_not_fit_each_other_are_named(features, theta):
    stack, r = np.stack([theta] * 3), np.ones((2, features.size))
    assert raised(lambda: features.pull(r, stack)).startswith("residual and theta must be of the same runs")
    with pytest.raises(ValueError, match=r"theta must have shape \(m, .\), of one run"):
        features.matrix(stack)


def test_samples_of_other_runs_are_named():
    neurons = Neurons(np.stack([X, X]), "tanh")
    assert "theta and x must be of the same runs" in raised(lambda: neurons.push(np.ones((3, 4)), np.ones((3, 4, 2))))
    np.testing.assert_array_equal(neurons.subset([5, 0]).x, neurons.x[:, [5, 0]])


def test_positions_beyond_the_walls_are_refused_and_rounding_is_not():
    cosines, r = Cosines(range(4)), np.ones(4)
    outside = np.array([[0.5], [1.1]])
    for call in (
        lambda: cosines.push(np.ones(2), outside),
        lambda: cosines.pull(r, outside),
        lambda: cosines.matrix(outside),
        lambda: cosines.push_pull(np.ones(2), outside, lambda f: f),
    ):
        assert raised(call) == "theta must lie on the interval [0, 1], but it runs from 0.5 to 1.1"
    assert np.isfinite(cosines.pull(r, [[-1e-15], [1 + 1e-15]])[0]).all()


def test_a_table_for_which_there_is_no_memory_is_a_sentence():
    neurons, theta = Neurons(np.ones((1024, 1)), "relu"), np.broadcast_to(np.ones(()), (2**50, 1))
    assert "a table of 1125899906842624 x 1024 numbers" in raised(lambda: neurons.pull(np.ones(1024), theta))


# Masks, types and labels


TABLE = {"age": np.array([1.0, 2.0]), "answer": np.array(["yes", None], dtype=object)}


class Table(SimpleNamespace):
    """What a data frame looks like from outside."""

    columns = tuple(TABLE)

    def __getitem__(self, name):
        return TABLE[name]

    def __array__(self, dtype=None, copy=None):
        return np.array([list(row) for row in zip(*TABLE.values(), strict=True)], dtype=object)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", lambda bad: problems.from_data(bad, LABELS, "relu")),
        ("x", lambda bad: Neurons(bad, "tanh")),
        ("w", lambda bad: Fourier(2).push(bad, LINE)),
        ("theta", lambda bad: Fourier(2).push(W, bad)),
        ("theta", lambda bad: Fourier(2).matrix(bad)),
        ("residual", lambda bad: Fourier(1).pull(bad, LINE)),
        ("frequencies", lambda bad: Cosines(bad)),
        ("target", lambda bad: losses.Squared(bad)),
        ("labels", lambda bad: losses.Logistic(bad)),
        ("weights", lambda bad: Measure(bad, LINE)),
        ("positions", lambda bad: Measure(W, bad)),
        ("points", lambda bad: topology.winding_number(bad)),
        ("a", lambda bad: kernels.arc_cosine_matrix(bad, PLANE)),
        ("signs", lambda bad: starts.sphere_start(3, RNG, 2, signs=bad)),
        ("x", lambda bad: penalties.soft_threshold(bad, 1.0)),
        ("pixels", lambda bad: plots.neuron_image(plt.gca(), bad, 1.0)),
    ],
)
def test_what_lies_under_a_mask_is_no_data(name, call):
    good = {"theta": LINE, "positions": LINE, "points": PLANE, "a": PLANE, "x": X}.get(name, W)
    for bad in (
        hidden(good),
        [np.ma.masked, *np.asarray(good).ravel().tolist()],
        [hidden(row) for row in [[1, 2]] * 3],
    ):
        assert raised(lambda bad=bad: call(bad)).startswith(f"{name} must not be masked, but it is masked at (")


def test_the_first_masked_place_is_named_and_an_empty_mask_is_none():
    x = np.array([[1.0, 2.0], [-999.0, 3.0], [4.0, -999.0]])
    assert "x must not be masked, but it is masked at (1, 0)" in raised(
        lambda: problems.from_data(np.ma.masked_equal(x, -999), [1, -1, 1], "relu")
    )
    np.testing.assert_array_equal(checks.finite("x", np.ma.masked_equal(x, 7)), x)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([[1, "a"], [2, 3]], dtype=object), "x .* of dtype object, and its column 1 holds 'a'"),
        (np.array([1.0, None], dtype=object), "x .* of dtype object, and its entry 1 holds None"),
        (np.array([1.0, 2.0], dtype=object), r"x .* of dtype object: .* astype\(float\)"),
        (np.array(["1", "2"]), "x .* of dtype <U1, and its entry 0 holds .*'1'"),
        (np.array([1j, 2]), "x .* of dtype complex128"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"x .* of dtype datetime64\[D\]"),
        (Table(), "x .* its column 'answer' is of dtype object"),
        ([1, None], r"x .* real numbers, but it is \[1, None\]"),
        ([[1], [1, 2]], r"x .* real numbers, but it is \[\[1\], \[1, 2\]\]"),
        ([HUGE], "x must be finite, but it is too large for a float"),
        ([-(10**5000)], "x must be finite, but it is too large for a float: too long a list"),
        (np.array([np.longdouble("1e400")]), "x must be finite"),
    ],
)
def test_what_are_no_numbers_is_named_with_its_type_and_place(values, words):
    with pytest.raises(ValueError, match=words):
        checks.finite("x", values)


def test_whole_numbers_beyond_64_bits_are_numbers():
    assert checks.finite("x", [10**30, 2]).tolist() == [1e30, 2.0]


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        ([0, 1, 1, 0], "2 * y - 1"),
        ([True, False, True, False], "2 * y - 1"),
        ([1, 2, 2, 1], "np.where(y == 2, 1, -1)"),
        (["yes", "no", "no", "yes"], "np.where(y == 'yes', 1, -1)"),
        (np.array(["yes", "no", "no", "yes"]), "np.where(y == 'yes', 1, -1)"),
        (np.array(["yes", "no", "no", "yes"], dtype=object), "np.where(y == 'yes', 1, -1)"),
    ],
)
def test_the_remedy_for_other_labels_makes_labels_that_are_taken(labels, remedy):
    message = raised(lambda: problems.from_data(X[:4], labels, "relu", "logistic"))
    assert message.startswith("y must be ")
    assert "-1" in message
    assert remedy in message
    mended = eval(remedy, {"y": np.asarray(labels, dtype=int if labels[0] is True else None), "np": np})
    assert sorted(set(problems.from_data(X[:4], mended, "relu", "logistic").risk.loss.labels)) == [-1, 1]
    assert raised(lambda: losses.Logistic(labels)).startswith("labels must be ")


# Everything else, one bad argument in each row


STOCHASTIC = stochastic.stochastic(DATA, 0.1, 0.1, 2)
STATE = np.ones(3), np.ones((3, 3))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Neurons(X, "relu", bias="no"), "bias must be True or False, but it is 'no'"),
        (lambda: Neurons(X, "relu", bias=1), "bias must be True or False, but it is 1"),
        (lambda: problems.from_data(X, LABELS, "relu", bias="no"), "bias must be True or False"),
        (lambda: problems.Problem(SPIKES.risk, 1.0, positive="no"), "positive must be True or False"),
        (lambda: experiments.spike_flow(SPIKES, 5, progress="no"), "progress must be True or False"),
        (lambda: Neurons(X, np.array(["relu"])), "activation must be one of"),
        (lambda: Neurons(X, "relu").subset([8]), "chosen must be whole numbers from 0 to 7, but one is 8"),
        (lambda: Neurons(X, "relu").subset([-1]), "chosen must be whole numbers from 0 to 7, but one is -1"),
        (lambda: Neurons(X, "relu").subset([]), "chosen must be a list of one or more whole numbers"),
        (lambda: Neurons(X, "relu").subset([0.5]), "chosen must be a list of one or more whole numbers"),
        (lambda: Neurons(X, "relu").subset(3), "chosen must be a list of one or more whole numbers"),
        (lambda: Neurons(X, "relu").subset([[1], [1, 2]]), "chosen must be a list of one or more whole numbers"),
        (lambda: Fourier(7, 12), "cutoff and dimension must make few enough coefficients, .* are 7 and 12"),
        (lambda: Fourier(10**9), "cutoff must be a whole number >= 1 and <= "),
        (lambda: Fourier(2**26), "cutoff and dimension must make few enough"),
        (lambda: Fourier(1, 17), "cutoff and dimension must make few enough"),
        (lambda: Fourier(1, HUGE), "dimension must be a whole number"),
        (lambda: Fourier(-HUGE), "cutoff must be a whole number"),
        (lambda: Fourier(1, 9).peaks(np.ones(3**9)), "side must make a grid of at most"),
        (lambda: Fourier(2).survey(np.ones(5), 10**9), "side must make a grid"),
        (lambda: Fourier(2).peaks(np.full(5, 1e200)), "residual must be small enough"),
        (lambda: Cosines(range(10**9)), "frequencies must make an array of at most"),
        (lambda: Cosines([1e9]), "frequencies must be at most 1048576, but one is 1e"),
        (lambda: Cosines(range(100_000)).peaks(np.ones(100_000)), "frequencies and grid must make an array"),
        (lambda: Cosines([2]).peaks(np.ones(3)), r"residual must have shape \(\.\.\., 1\)"),
        (lambda: kept_inside(None), "step must be a function"),
        (lambda: kernels.arc_cosine(PLANE, X[:, :1], np.ones(8)), r"b must have shape \(\.\.\., m, 2\)"),
        (lambda: kernels.arc_cosine(PLANE, X, np.ones(3)), r"masses must have shape \(\.\.\., 8\)"),
        (
            lambda: kernels.arc_sine(PLANE, X, spoiled(np.ones(8), np.nan)),
            r"masses must be finite, but its entry \(1,\)",
        ),
        (lambda: kernels.arc_sine(spoiled(PLANE, 1e200), X, np.ones(8)), "a must be small enough"),
        (lambda: kernels.arc_cosine(PLANE, spoiled(X, 1e200), np.ones(8)), "b must be small enough"),
        (lambda: kernels.arc_sine_matrix(PLANE, spoiled(X, np.inf)), r"b must be finite, but its entry \(0, 1\)"),
        (lambda: kernels.arc_cosine_matrix(np.ones((2, 3, 2)), np.ones((3, 3, 2))), "a and b must be of the same runs"),
        (lambda: losses.Squared([HUGE]), "target must be finite"),
        (lambda: LOSSES["squared"].conjugate(np.ones(3)), r"q must have shape \(\.\.\., n\)"),
        (lambda: penalties.soft_threshold([1.0], -1), "level must be >= 0, but it is -1"),
        (lambda: penalties.soft_threshold([1.0, 2.0], [1.0, 2.0, 3.0]), "x and level must be of the same runs"),
        (lambda: penalties.soft_threshold([np.nan], 1), "x must be finite"),
        (lambda: starts.grid_start(10**9), "m and dimension must make an array of at most"),
        (lambda: starts.grid_start(1, 10**9), "m and dimension must make an array of at most"),
        (lambda: starts.grid_start(HUGE), "m and dimension must make an array of at most"),
        (lambda: starts.grid_start(-(10**5000)), "m must be a whole number >= 1, but it is too long"),
        (lambda: starts.random_start(10**9, RNG), "m and dimension must make an array"),
        (lambda: starts.random_start(5, 0), "rng must be a random generator, .*default_rng.*, but it is 0"),
        (lambda: starts.sphere_start(5, 0, 2), "rng must be a random generator"),
        (lambda: starts.sphere_start(5, np.random, 2), "rng must be a random generator"),
        (lambda: Measure([1.0], [[0.0]]).sample(3, 0), "rng must be a random generator"),
        (lambda: starts.sphere_start(10**5, RNG, 10**5), "m and dimension must make an array"),
        (
            lambda: starts.sphere_start(3, RNG, 2, signs=(5, np.nan)),
            r"signs must be finite, but its entry \(1,\) is nan",
        ),
        (lambda: starts.sphere_start(3, RNG, 2, signs=(5, 1)), r"signs must be \(-1, 1\), \(-1,\) or \(1,\)"),
        (lambda: starts.sphere_start(3, RNG, 2, signs=()), r"signs must be \(-1, 1\)"),
        (lambda: starts.sphere_start(3, RNG, 2, signs=1), r"signs must be \(-1, 1\)"),
        (lambda: starts.sphere_start(9, RNG, 2, radius=1.7e308, signs=(1,)), "radius must be small enough"),
        (lambda: starts.paired_start(5), "m must be even, .* but it is 5"),
        (lambda: starts.paired_start(6, 2), "m / 2 must be the power 2 of a whole number .* not 3"),
        (lambda: starts.paired_start(4, weight=0), "weight must be a finite number > 0"),
        (lambda: starts.paired_start(2**40), "m and dimension must make an array"),
        (lambda: STOCHASTIC(*STATE), r"start must be \(w, theta, k\) .* stochastic.begin\(w, theta\)"),
        (lambda: flows.flow(DATA, STOCHASTIC, STATE, 3), r"stochastic.begin\(w, theta\)"),
        (lambda: flows.heavy_ball(SPIKES, 0.1, 0.1)(W, LINE), r"start must be .* flows.at_rest\(w, theta\)"),
        (lambda: flows.flow(SPIKES, flows.heavy_ball(SPIKES, 1e-3, 1e-5), (W, LINE), 3), r"flows.at_rest\(w, theta\)"),
        (lambda: STOCHASTIC(*STATE, -1), "k must be a whole number >= 0"),
        (lambda: STOCHASTIC(*STATE, np.nan), "k must be a whole number >= 0"),
        (lambda: STOCHASTIC(*STATE, np.inf), "k must be a whole number >= 0"),
        (lambda: STOCHASTIC(*STATE, "0"), "k must be a whole number >= 0"),
        (lambda: stochastic.begin(W, LINE[:2]), "theta must have shape"),
        (lambda: stochastic.begin(spoiled(W, np.nan), LINE), "w must be finite"),
        (lambda: stochastic.stochastic(TEACHER, 0.1, 0.1, 10**9), "batch must be a whole number >= 1 and <="),
        (lambda: stochastic.stochastic(3, 0.1, 0.1, 5), "problem must be a Problem, but it is 3"),
        (lambda: stochastic.batches(DATA.risk, 0, 0), "size must be a whole number >= 1"),
        (lambda: stochastic.batches(DATA.risk, 5, -1), "seed must be a whole number >= 0"),
        (lambda: stochastic.batches(TEACHER.risk, 5, 0)(-1), "k must be a whole number >= 0"),
        (lambda: stochastic.sampled(TEACHER, 5, -1), "seed must be a whole number >= 0"),
        (lambda: stochastic.sampled(None, 5, 0), "problem must have a population risk"),
        (lambda: single(1, (2,)).one(2), "k must be a whole number >= 0 and <= 1, but it is 2"),
        (lambda: single(1, (2,)).one(-1), "k must be a whole number >= 0 and <= 1, but it is -1"),
        (lambda: single(1, (2,)).one(0.5), "k must be a whole number"),
        (lambda: single(1).one(0), "only a stack of runs can be taken apart"),
        (lambda: problems.spikes(0, dimension=9), "cutoff and dimension must make few enough coefficients"),
        (lambda: problems.spikes(0, n_spikes=10**9), "n_spikes must be a whole number"),
        (lambda: problems.spikes(-1), "seed must be a whole number >= 0, but it is -1"),
        (lambda: problems.relu_teacher(0, 10**9), "n_neurons and d must make an array of at most"),
        (lambda: experiments.grid_of(-1, 5), "seed must be a whole number >= 0"),
        (lambda: experiments.plane_teacher(-1), "seed must be a whole number >= 0"),
        (lambda: experiments.small_sphere_plane(-1, 5), "seed must be a whole number >= 0"),
        (lambda: experiments.small_sphere(0.5, 5), "seed must be a whole number >= 0"),
        (lambda: experiments.wide_sphere(0, -5), "m must be a whole number >= 1"),
        (lambda: experiments.spike_steps(None), "problem must be a Problem, but it is None"),
        (lambda: experiments.spike_flow(3, 5), "problem must be a Problem, but it is 3"),
        (lambda: digits.split(True, 0), "digit must be a whole number >= 0 and <= 9, but it is True"),
        (lambda: digits.split(10, 0), "digit must be a whole number >= 0 and <= 9"),
        (lambda: digits.split(8, -1), "seed must be a whole number"),
        (lambda: digits.split(8, 2**32), "seed must be a whole number"),
        (lambda: digits.train(X, LABELS, 5, -1), "seed must be a whole number"),
        (lambda: digits.train(X, LABELS, 5, 0, 1.5), "epochs must be a whole number"),
        (lambda: digits.accuracies(m=0), "m must be a whole number >= 1"),
        (lambda: topology.loop(spoiled(W, np.nan), PLANE, 1), "w must be finite"),
        (lambda: topology.loop(W, spoiled(PLANE, np.nan), 1), "theta must be finite"),
        (lambda: topology.loop(W, PLANE, True), "sign must be one of 1, -1, but it is True"),
        (lambda: topology.loop(W, PLANE, np.array([1])), "sign must be one of 1, -1"),
        (lambda: topology.bad_arcs(TEACHER, None, 1), "measure must be a Measure, but it is None"),
        (lambda: topology.bad_arcs(None, TWO, 1), "problem must be a Problem, but it is None"),
        (lambda: topology.bad_arcs(TEACHER, TWO, 1, np.nan), "level must be"),
    ],
)
def test_a_bad_argument_is_named(call, words):
    message = raised(call)
    assert re.search(words, message), message


AX = SimpleNamespace()  # a picture that is refused touches nothing


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.truth_lines(AX, TWO), "truth must have d = 1, .* has d = 2"),
        (lambda: plots.truth_lines(AX, None), "truth must be a Measure, but it is None"),
        (lambda: plots.truth_lines(AX, ONE, -1), "period must be"),
        (lambda: plots.particle_paths(AX, single(2)), "run must have d = 1, .* has d = 2"),
        (
            lambda: plots.particle_paths(AX, single(1, (4,))),
            r"run must be a single one, no stack .* take run.one\(0\)",
        ),
        (lambda: plots.particle_paths(AX, (W, LINE)), "run must be a Run"),
        (lambda: plots.particle_paths(AX, single(1), last=2), "last must be a whole number >= 0 and <= 1, but it is 2"),
        (lambda: plots.certificate_picture(AX, TORUS, TWO), "problem must have d = 1, .* has d = 2"),
        (lambda: plots.certificate_picture(AX, SPIKES, TWO), "measure must have d = 1, .* has d = 2"),
        (lambda: plots.certificate_picture(AX, SPIKES, ONE, points=1), "points must be a whole number >= 2"),
        (lambda: plots.direction_certificate(AX, SPIKES, ONE), "problem must have d = 2, .* has d = 1"),
        (lambda: plots.direction_certificate(AX, TORUS, TWO), "problem must have ReLU features"),
        (lambda: plots.direction_certificate(AX, TEACHER, ONE), "measure must have d = 2, .* has d = 1"),
        (lambda: plots.certificate_map(AX, SPIKES, ONE), "problem must have d = 2, .* has d = 1"),
        (lambda: plots.certificate_map(AX, TORUS, ONE), "measure must have d = 2, .* has d = 1"),
        (lambda: plots.certificate_map(AX, TEACHER, TWO), "problem must be one on the torus with a penalty > 0"),
        (lambda: plots.certificate_map(AX, TORUS, TWO, points=10**6), "points must be a whole number >= 2 and <="),
        (lambda: plots.measure_stems(AX, TWO), "measure must have d = 1, .* has d = 2"),
        (lambda: plots.measure_stems(AX, ONE, TWO), "truth must have d = 1, .* has d = 2"),
        (lambda: plots.observed_signal(AX, TORUS), "problem must have d = 1, .* has d = 2"),
        (lambda: plots.observed_signal(AX, problems.stack([SPIKES, problems.spikes(1)])), "problem must .* no stack"),
        (lambda: plots.neuron_paths(AX, single(1), TWO), "run must have d = 2, .* has d = 1"),
        (lambda: plots.neuron_paths(AX, single(2), ONE), "truth must have d = 2, .* has d = 1"),
        (lambda: plots.neuron_image(AX, [1.0, np.nan, 0, 0], 1.0), "pixels must be finite"),
        (lambda: plots.neuron_image(AX, [], 1.0), r"pixels must have shape \(k\^2,\)"),
        (lambda: plots.neuron_image(AX, np.ones(4), np.nan), "scale must be a finite number > 0"),
        (lambda: plots.sign_loops(AX, W, LINE, ([], [])), r"theta must have shape \(\.\.\., m, 2\)"),
        (lambda: plots.sign_loops(AX, W, PLANE, ([0],)), "loops must be a positive and a negative one"),
        (lambda: plots.sign_loops(AX, W, PLANE, ([3], [])), "loops must be whole numbers from 0 to 2, but one is 3"),
        (lambda: plots.sign_loops(AX, W, PLANE, ([], []), np.inf), "power must be"),
        (
            lambda: plots.excess_against_m(AX, {"a": ([5], np.ones((2, 2)))}),
            r"excess of a must have shape \(seeds, sizes\)",
        ),
        (lambda: plots.excess_against_m(AX, {"a": ([5], [[np.nan]])}), "excess of a must be finite"),
        (lambda: plots.excess_against_m(AX, {"a": ([0], [[1.0]])}), "sizes of a must be a whole number >= 1"),
        (lambda: plots.excess_against_m(AX, {"a": ([], np.ones((2, 0)))}), "excess of a must have shape"),
        (lambda: plots.excess_against_m(AX, {}), "curves must hold one curve or more"),
        (lambda: plots.excess_against_m(AX, [1]), "curves must be a dictionary"),
        (lambda: plots.excess_against_m(AX, {"a": ([5], [[1.0]])}, floor=1e9), "floor must be at most 1"),
        (lambda: plots.excess_against_m(AX, {"a": ([5], [[1.0]])}, floor=0), "floor must be a finite number > 0"),
        (lambda: animations.moving_picture(None, print, [0], "x"), "fig must be a figure of Matplotlib"),
        (lambda: animations.moving_picture(plt.figure(), None, [0], "x"), "draw must be a function"),
        (lambda: animations.moving_picture(plt.figure(), print, [0], "x", dpi=0), "dpi must be a finite number > 0"),
    ],
)
def test_a_picture_says_which_dimension_it_draws_and_what_it_needs(call, words):
    try:
        test_a_bad_argument_is_named(call, words)
    finally:
        plt.close("all")


# Precision, answers of learners, and the start with both signs


@pytest.mark.parametrize("problem", [TEACHER, problems.from_data(X, LABELS, "tanh", penalty=0.1, bias=False)])
@pytest.mark.parametrize("runs", [(), (2,)])
def test_a_mini_batch_step_keeps_single_precision(problem, runs):
    w, theta = np.ones((*runs, 3), np.float32), np.ones((*runs, 3, 2), np.float32)
    sizes = np.full(runs, 0.1)
    state = stochastic.begin(w, theta)
    for _ in range(2):
        state = stochastic.stochastic(problem, sizes, sizes, 4, decay=0.1)(*state)
        assert state[0].dtype == state[1].dtype == np.float32
    assert state[2] == 2


BAD_ANSWERS = [None, "3", 1j, np.nan, HUGE, [HUGE], [[1], [2, 3]], np.ma.masked, hidden([1, 2]), np.array([1j]), {}]


@pytest.mark.parametrize("answer", BAD_ANSWERS, ids=lambda answer: f"{answer!r:.20}")
def test_an_answer_that_is_no_number_is_told_what_was_expected(answer):
    for read in (as_array, as_number):
        with pytest.raises(AssertionError, match=r"^f returns a number; yours "):
            read(answer, "f returns a number")


def test_an_answer_may_be_any_real_number():
    assert [as_number(answer, "a number") for answer in (3, 2.5, np.float32(0.5), 10**30)] == [3, 2.5, 0.5, 1e30]


@pytest.mark.parametrize(("m", "dimension"), [(2, 1), (10, 1), (8, 2), (54, 3)])
def test_a_paired_start_has_both_signs_at_every_place_and_is_no_measure(m, dimension):
    w, theta = starts.paired_start(m, dimension, 0.5)
    np.testing.assert_array_equal(w, [0.5] * (m // 2) + [-0.5] * (m // 2))
    np.testing.assert_array_equal(theta[: m // 2], starts.grid_start(m // 2, dimension)[1])
    np.testing.assert_array_equal(theta[m // 2 :], theta[: m // 2])
    features = Fourier(2, dimension)
    np.testing.assert_allclose(features.push(w, theta), np.zeros(features.size), atol=1e-14)


def test_conic_mirror_descent_finds_the_optimum_from_a_paired_start():
    record = [0, 50, 100, 200, 300]
    run = flows.flow(SPIKES, flows.conic_mirror(SPIKES, 2 / 75, 6e-5), starts.paired_start(40), 300, record=record)
    known = [20.572392768842, 5.115822728877, 5.102923302061, 5.101415397885, 5.101390587100]
    np.testing.assert_allclose(
        [SPIKES.least_energy(w, t) for w, t in zip(run.w, run.theta, strict=True)], known, rtol=1e-6
    )
