"""Pictures: what is drawn is what was computed, and colours and shapes mean what they should."""

from dataclasses import replace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from mfcourse import convex, experiments, flows, plots, problems
from mfcourse.intervals import Cosines
from mfcourse.losses import Squared
from mfcourse.measures import Measure, h1
from mfcourse.risks import FeatureRisk

pytestmark = pytest.mark.usefixtures("course_style")


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


@pytest.mark.parametrize(
    ("environment", "chosen", "shown"),
    [("Agg", "", 1), ("svg", "", 1), ("", "", 1), ("Agg", "plt.switch_backend('pdf')", 0)],
    ids=["Agg in the environment", "svg in the environment", "nothing there", "chosen in the notebook"],
)
def test_a_notebook_shows_its_figures_whatever_backend_the_environment_names(monkeypatch, environment, chosen, shown):
    monkeypatch.setenv("MPLBACKEND", environment)
    first = f"import matplotlib.pyplot as plt\nfrom mfcourse import plots\n{chosen}\nplots.use_course_style()"
    cells = [new_code_cell(first), new_code_cell("plt.subplots()\nplt.show()")]
    NotebookClient(new_notebook(cells=cells), timeout=120, kernel_name="python3").execute()
    assert ["image/png" in output.get("data", {}) for output in cells[1].outputs] == [True] * shown


def test_outside_a_notebook_the_style_leaves_the_backend_alone():
    before = matplotlib.get_backend()
    plots.use_course_style()
    assert matplotlib.get_backend() == before


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
    plots.particle_paths(ax, flows.Run(steps, w, theta, np.zeros(3), (w[-1], theta[-1]), "steps", 0.0))
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


def test_the_band_of_a_non_negative_problem_has_no_lower_edge_and_only_what_leaves_it_is_shaded(ax, problem):
    """The optimum among non-negative measures: -eta <= 1, far below -1 where the truth is negative (Prop. 3.1)."""
    positive = replace(problem, positive=True, truth=None)
    optimum = convex.certified_optimum(positive)
    grid = np.arange(2000) / 2000
    eta = problem.risk.potential(*optimum.particles(), grid[:, None])
    assert (-eta).min() < -5
    assert (-eta).max() < 1 + 1e-9
    plots.certificate_picture(ax, positive, optimum)
    band, shaded = ax.patches[0].get_extents().transformed(ax.transData.inverted()), ax.collections[0]
    assert band.y0 == pytest.approx(ax.get_ylim()[0])
    assert band.y0 < (-eta).min()
    assert band.y1 == pytest.approx(1)
    assert not len(shaded.get_paths())
    nothing = Measure(np.zeros(0), np.zeros((0, 1)))
    ax.clear()
    plots.certificate_picture(ax, positive, nothing)
    corners = np.concatenate([path.vertices for path in ax.collections[0].get_paths()])
    assert corners[:, 1].min() == pytest.approx(1)
    assert corners[:, 1].max() == line(ax, "−η").get_ydata().max() > 1


def test_directions_and_maps_of_non_negative_problems_are_one_sided_too(ax):
    teacher = problems.relu_teacher(4)
    two = Measure([0.5, 0.3], [[0.0, 2.0], [-1.0, -1.0]])
    plots.direction_certificate(ax, problems.Problem(teacher.risk, 0.05, positive=True), two)
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert band.y0 == pytest.approx(ax.get_ylim()[0])
    ax.clear()
    plane = replace(problems.spikes(0, dimension=2), positive=True, truth=None)
    plots.certificate_map(ax, plane, Measure([1.0], [[0.5, 0.5]]))
    lines = [part for part in ax.collections if len(part.get_edgecolor())]
    assert [part.get_linestyle()[0][1] for part in lines] == [None]  # a solid one, no dashed one


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


def test_directions_of_neurons_carry_the_certificate_and_a_band_of_no_height_is_a_line(ax):
    teacher = problems.relu_teacher(4)
    measure = Measure([0.5, -0.3, 0.0], [[0.0, 2.0], [-1.0, -1.0], [1.0, 0.0]])
    for penalty in (0.05, 0.0):
        ax.clear()
        problem = problems.Problem(teacher.risk, penalty, teacher.truth)
        assert plots.direction_certificate(ax, problem, measure) is ax
        degrees, height = line(ax, "−η").get_data()
        k = np.argmin(np.abs(degrees - 90))
        at = np.deg2rad(degrees[k])
        eta = problem.risk.potential(*measure.particles(), np.array([[np.cos(at), np.sin(at)]]))
        assert np.isclose(height[k], -eta[0])
        assert np.isclose(line(ax, "positive").get_xdata(), 90)
        assert np.isclose(line(ax, "negative").get_xdata(), 225)
        ax.figure.canvas.draw()
        bottom, top = ax.get_ylim()
        assert bottom < min(height.min(), -penalty)
        assert top > max(height.max(), penalty)


def test_the_map_of_a_certificate_has_lines_where_the_potential_leaves_the_band(ax):
    problem = problems.spikes(0, dimension=2)
    half = 0.5 * problem.truth
    assert plots.certificate_map(ax, problem, half, problem.truth) is ax
    ax.figure.canvas.draw()
    _, upper, lower, rings = ax.collections
    assert {upper.get_linestyle()[0][1] is None, lower.get_linestyle()[0][1] is None} == {True, False}  # solid, dashed
    for lines, sign in ((upper, 1), (lower, -1)):
        corners = np.concatenate([path.vertices for path in lines.get_paths()])
        eta = problem.risk.potential(*half.particles(), corners)
        np.testing.assert_allclose(-eta, sign, atol=0.2)  # straight pieces on a grid of 200
    np.testing.assert_allclose(rings.get_offsets(), problem.truth.positions)
    np.testing.assert_array_equal(line(ax, "positive").get_xydata(), problem.truth.positive.positions)


def test_an_atom_and_a_true_spike_at_the_end_of_an_interval_are_drawn_there(ax):
    at_the_wall = Measure([1.0], [[1.0]])
    problem = problems.Problem(FeatureRisk(Cosines(range(4)), Squared(np.ones(4))), 1.0, at_the_wall)
    plots.certificate_picture(ax, problem, at_the_wall, problem.truth)
    assert line(ax, "positive").get_xdata() == 1.0
    assert line(ax, "true spikes").get_xdata()[0] == 1.0


def test_a_neuron_is_drawn_pixel_by_pixel_in_the_colours_of_its_signs(ax):
    pixels = np.array([2.0, 0.0, -2.0, 5.0])
    assert plots.neuron_image(ax, pixels, 2.0, "w = +1") is ax
    (image,) = ax.get_images()
    np.testing.assert_array_equal(image.get_array(), pixels.reshape(2, 2))
    assert [to_hex(image.to_rgba(value)) for value in pixels[[0, 2, 3]]] == ["#d55e00", "#0072b2", "#d55e00"]
    np.testing.assert_allclose(image.to_rgba(0.0), 1, atol=0.01)
    assert ax.get_title(loc="left") == "w = +1"


def test_a_neuron_that_fills_no_square_is_refused(ax):
    with pytest.raises(ValueError, match=r"shape \(k\^2,\)"):
        plots.neuron_image(ax, np.zeros(5), 1.0)


def test_loops_are_closed_lines_by_sign_and_a_missing_sign_draws_nothing(ax):
    w, theta = np.array([2.0, -1.0, 2.0, 2.0, -3.0]), np.array([[1, 0], [0, 1], [0, 1], [-1, -1], [5, 5]], dtype=float)
    assert plots.sign_loops(ax, w, theta, ([0, 2, 3], []), power=0.5) is ax
    positive, negative = line(ax, "positive"), line(ax, "negative")
    np.testing.assert_allclose((positive.get_xydata() ** 2).sum(axis=1), 2 * np.array([1, 1, 2**0.5, 1]))
    np.testing.assert_allclose(np.vecdot(positive.get_xydata(), theta[[0, 2, 3, 0]][:, ::-1] * [1, -1]), 0, atol=1e-12)
    assert len(negative.get_xdata()) == 0
    assert {positive.get_linestyle(), negative.get_linestyle()} == {"-", "--"}
    assert line(ax, "the point 0").get_xydata().tolist() == [[0, 0]]
    assert ax.get_xlim()[1] > (3 * 50**0.5) ** 0.5 / 2**0.5
