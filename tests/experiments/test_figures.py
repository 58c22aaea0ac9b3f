"""The paper's figures: composed of true titles and of the numbers of the runs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mfcourse import experiments, flows, problems, starts
from mfcourse.experiments import figures

pytestmark = pytest.mark.usefixtures("course_style")


def line(ax, label):
    (found,) = [item for item in ax.get_lines() if item.get_label() == label]
    return found


def test_figure_1_has_a_certificate_under_each_run_and_a_true_title():
    problem = problems.spikes(0)
    stuck, run = experiments.spike_flow(problem, 6), experiments.spike_flow(problem, 10)
    fig = figures.figure1(problem, {6: stuck, 10: run})
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles[:2] == ["m = 6: stuck", "m = 10: optimal"]
    assert "gap 8.3e-01" in titles[2]
    fig.canvas.draw()  # warnings, such as a layout that does not fit, are errors
    shown = {text.get_text() for text in fig.legends[0].get_texts()}
    assert shown == {"true spikes", "positive", "negative", "weight 0", "−η"}


def test_only_a_run_at_rest_is_called_stuck_in_figure_1():
    """A rule of one's own may end a run that is still on its way."""
    problem = problems.spikes(0)
    step, start = flows.forward_backward(problem, *experiments.spike_steps(problem)), starts.grid_start(6)
    for rule in (None, lambda w, theta: True):
        short = flows.flow(problem, step, start, 50, stop=rule)
        assert figures.figure1(problem, {6: short}).axes[0].get_title(loc="left") == "m = 6: unfinished"


def test_figure_2_shows_paths_teachers_and_risks_that_are_those_of_the_runs():
    short = experiments.PLANE.make(4)
    runs = {}
    for m in (5, 10):
        start = experiments.PLANE.start(4, m)
        runs["flow", m] = flows.flow(short, flows.gradient(short, 0.25, 0.25), start, 300)
    fig = figures.figure2(short, runs, 4)
    fig.canvas.draw()
    left, _, right = fig.axes
    whole = short.risk(np.zeros(1), np.zeros((1, 2)))[0]
    assert f"risk {runs['flow', 5].energy[-1] / whole:.1e}" in left.get_title("left")
    np.testing.assert_allclose(line(right, "m = 5").get_ydata(), runs["flow", 5].energy / whole)
    rays = [item for item in left.get_lines() if item.get_linestyle() == ":"]
    angles = [np.arctan2(*ray.get_xydata()[1][::-1]) for ray in rays]
    np.testing.assert_allclose(angles, np.arctan2(*short.truth.positions.T[::-1]))
    ends = sum(len(line(left, name).get_xydata()) for name in ("positive", "negative"))
    assert ends == 5
    assert [item.get_linestyle() for item in right.get_lines()] == ["-", "--"]
    both = figures.figure2(short, runs | {("sgd", m): runs["flow", m] for m in (5, 10)}, 4)
    assert [ax.get_title("left").split(",")[0] for ax in both.axes[::3]] == ["exact gradient", "SGD"]


def test_figure_3_has_a_panel_for_each_problem_with_all_points():
    records = [
        {"problem": problem, "method": method, "seed": seed, "m": m, "excess": 10.0 ** -(m / 10 + seed)}
        for problem in ("spikes", "relu", "sigmoid")
        for method, sizes in (("flow", (10, 40)), ("fixed", (10, 40, 100)))
        for seed in (0, 1)
        for m in sizes
    ]
    fig = figures.figure3(records)
    fig.canvas.draw()
    assert [ax.get_title("left") for ax in fig.axes] == ["spikes, d = 1", "ReLU, d = 100", "sigmoid, d = 100"]
    for ax in fig.axes:
        np.testing.assert_allclose(line(ax, "particles move").get_xydata()[:, 0], [10, 40])
        np.testing.assert_allclose(line(ax, "positions fixed").get_ydata(), [5.5e-2, 5.5e-5, 5.5e-11])
        points = [item for item in ax.get_lines() if item.get_marker() != "None"]
        assert sum(item.get_ydata().size for item in points) == 10


def records(*keys):
    return [dict(zip(("problem", "method", "seed", "m"), key, strict=True), excess=0.5) for key in keys]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: figures.draw("figure9", [], {}), "name must be one of 'figure1'"),
        (lambda: figures.draw("figure1", [], {}), "records must hold something to draw"),
        (lambda: figures.draw("figure1", records(("spikes", "flow", 0, 6)), {}), "runs must hold something to draw"),
        (lambda: figures.draw("figure2", records(("relu", "flow", 4, 5)), {}), "runs must hold something to draw"),
        (lambda: figures.draw("figure3", [], {}), "records of spikes, flow must be as many .* but there are none"),
        (lambda: figures.figure1(problems.spikes(0), {}), "runs must hold something to draw"),
        (lambda: figures.figure2(problems.relu_teacher(0, 2, 4), {}, 0), "runs must hold something to draw"),
        (
            lambda: figures.figure2(problems.relu_teacher(0, 2, 4), {("flow", 5): None, ("sgd", 9): None}, 0),
            r"every method with every m, but \('flow', 9\) is missing",
        ),
        (
            lambda: figures.figure3(
                records(("spikes", "flow", 0, 6), ("spikes", "flow", 1, 6), ("spikes", "flow", 0, 8))
            ),
            "records of spikes, flow must be as many for each m, but they are not",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_before_anything_is(call, words):
    with pytest.raises(ValueError, match=words):
        call()
    assert not plt.get_fignums()
