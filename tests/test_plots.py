"""Pictures: what is drawn is what was computed, and colours and shapes mean what they should."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from mfcourse import convex, experiments, flows, plots, problems
from mfcourse.measures import Measure, h1


@pytest.fixture(autouse=True)
def course_style():
    with plt.style.context("default"):
        plots.use_course_style()
        yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


@pytest.fixture(scope="module")
def problem():
    return problems.spikes(0)


@pytest.fixture(scope="module")
def run(problem):
    return experiments.spike_flow(problem, 10)


def line(ax, label):
    (found,) = [item for item in ax.get_lines() if item.get_label() == label]
    return found


def test_paths_end_at_the_particles_by_sign_and_shape(ax, run, problem):
    assert plots.particle_paths(ax, run, problem.truth) is ax
    w, theta = run.state
    for label, sign, colour, marker in (("positive", 1, "#d55e00", "o"), ("negative", -1, "#0072b2", "s")):
        drawn = line(ax, label)
        np.testing.assert_array_equal(drawn.get_ydata(), w[np.sign(w) == sign])
        np.testing.assert_array_equal(drawn.get_xdata(), theta[np.sign(w) == sign, 0] % 1)
        assert (to_hex(drawn.get_color()), drawn.get_marker()) == (colour, marker)
    assert sum(to_hex(item.get_color()) == "#aaaaaa" for item in ax.get_lines()) == 10 + 1 + 1
    assert len(line(ax, "weight 0").get_xdata()) == (w == 0).sum() > 0
    assert line(ax, "true spikes").get_linestyle() == ":"


def test_paths_can_stop_at_a_record(ax, run):
    plots.particle_paths(ax, run, last=0)
    assert len(line(ax, "positive").get_ydata()) == 0  # every weight is 0 at the start


def test_a_path_across_the_seam_is_cut_there_and_nowhere_else(ax, problem):
    steps = np.arange(3)
    w = np.ones((3, 1))
    theta = np.array([0.9, 0.98, 1.06]).reshape(3, 1, 1)
    plots.particle_paths(ax, flows.Run(steps, w, theta, np.zeros(3), (w[-1], theta[-1]), False, 0.0))
    path = ax.get_lines()[1].get_xdata()
    assert np.isnan(path).tolist() == [False, True, False]
    assert line(ax, "positive").get_xdata()[0] == pytest.approx(0.06)


def test_the_certificate_of_the_optimum_stays_in_its_band_and_touches_it_at_the_atoms(ax, problem):
    optimum = convex.certified_optimum(problem)
    plots.certificate_picture(ax, problem, optimum)
    curve = line(ax, "−η")
    assert to_hex(curve.get_color()) == "#882255"
    assert np.abs(curve.get_ydata()).max() <= 1 + 1e-9
    np.testing.assert_allclose(line(ax, "positive").get_ydata(), 1, atol=1e-6)
    np.testing.assert_allclose(line(ax, "negative").get_ydata(), -1, atol=1e-6)
    low, high = ax.get_ylim()
    assert low < -1.1
    assert high > 1.1


def test_the_certificate_of_no_mass_is_the_blurred_signal(ax, problem):
    plots.certificate_picture(ax, problem, Measure(np.zeros(0), np.zeros((0, 1))))
    other = plt.subplots()[1]
    plots.observed_signal(other, problem, points=2000)
    np.testing.assert_allclose(line(ax, "−η").get_ydata(), other.get_lines()[1].get_ydata() / 2)


def test_stems_show_masses_and_the_truth(ax, problem):
    plots.measure_stems(ax, problem.truth * 0.5, problem.truth)
    drawn = np.r_[line(ax, "positive").get_ydata(), line(ax, "negative").get_ydata()]
    np.testing.assert_allclose(np.sort(drawn), np.sort(problem.truth.weights / 2))
    np.testing.assert_array_equal(line(ax, "true spikes").get_ydata(), problem.truth.weights)


def test_excess_shows_medians_and_every_seed(ax):
    sizes, excess = (5, 10), np.array([[1.0, 1e-20], [0.5, 1e-3], [0.1, 1e-4]])
    plots.excess_against_m(ax, {"flow": (sizes, excess), "fixed": (sizes, excess * 2)}, n_atoms=5)
    np.testing.assert_allclose(line(ax, "flow").get_ydata(), [0.5, 1e-4])
    assert line(ax, "flow").get_linestyle() != line(ax, "fixed").get_linestyle()
    points = [item.get_ydata() for item in ax.get_lines() if item.get_marker() != "None"]
    assert sum(len(part) for part in points) == 2 * excess.size
    assert min(part.min() for part in points) == 1e-12  # the floor, and its tick says so
    assert ax.get_yticklabels()[0].get_text() == r"$\leq 10^{-12}$"
    assert ax.get_yscale() == "log"


def test_figure_1_has_a_certificate_under_each_run_and_a_true_title(problem, run):
    stuck = experiments.spike_flow(problem, 6)
    fig = plots.figure1(problem, {6: stuck, 10: run})
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles[:2] == ["m = 6: stuck", "m = 10: optimal"]
    assert "gap 8.3e-01" in titles[2]
    fig.canvas.draw()  # warnings, such as a layout that does not fit, are errors
    shown = {text.get_text() for text in fig.legends[0].get_texts()}
    assert shown == {"true spikes", "positive", "negative", "weight 0", "−η"}


def test_positive_and_negative_differ_in_greyscale_too():
    def luminance(colour):
        r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.3 * r + 0.59 * g + 0.11 * b

    assert abs(luminance(plots.POSITIVE) - luminance(plots.NEGATIVE)) > 20


def test_a_whole_run_can_be_stepped_through(problem, run):
    for record in (0, len(run.steps) - 1):
        _, (left, right) = plt.subplots(1, 2)
        plots.particle_paths(left, run, last=record)
        plots.certificate_picture(right, problem, h1(run.w[record], run.theta[record]))


def test_figure_2_shows_paths_teachers_and_risks_that_are_those_of_the_runs():
    short = experiments.PLANE.make(4)
    runs = {}
    for m in (5, 10):
        start = experiments.PLANE.start(4, m)
        runs["flow", m] = flows.flow(short, flows.gradient(short, 0.25, 0.25), start, 300)
    fig = plots.figure2(short, runs, 4)
    fig.canvas.draw()
    left, _, right = fig.axes
    assert f"risk {runs['flow', 5].energy[-1] / short.risk(np.zeros(1), np.zeros((1, 2)))[0]:.1e}" in left.get_title(
        "left"
    )
    rays = [item for item in left.get_lines() if item.get_linestyle() == ":"]
    angles = [np.arctan2(*ray.get_xydata()[1][::-1]) for ray in rays]
    np.testing.assert_allclose(angles, np.arctan2(*short.truth.positions.T[::-1]))
    ends = sum(len(line(left, name).get_xydata()) for name in ("positive", "negative"))
    assert ends == 5
    assert [item.get_linestyle() for item in right.get_lines()] == ["-", "--"]


def test_figure_3_has_a_panel_for_each_problem_with_all_points():
    records = [
        {"problem": problem, "method": method, "seed": seed, "m": m, "excess": 10.0 ** -(m / 10 + seed)}
        for problem in ("spikes", "relu", "sigmoid")
        for method, sizes in (("flow", (10, 40)), ("fixed", (10, 40, 100)))
        for seed in (0, 1)
        for m in sizes
    ]
    fig = plots.figure3(records)
    fig.canvas.draw()
    assert [ax.get_title("left") for ax in fig.axes] == ["spikes, d = 1", "ReLU, d = 100", "sigmoid, d = 100"]
    for ax in fig.axes:
        np.testing.assert_allclose(line(ax, "particles move").get_xydata()[:, 0], [10, 40])
        np.testing.assert_allclose(line(ax, "positions fixed").get_ydata(), [5.5e-2, 5.5e-5, 5.5e-11])
        points = [item for item in ax.get_lines() if item.get_marker() != "None"]
        assert sum(item.get_ydata().size for item in points) == 10
