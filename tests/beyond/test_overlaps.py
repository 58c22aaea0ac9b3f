"""One neuron in high dimension: rates against closed forms, the chain against SGD in R^N, and what both become."""

import traceback
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from mfcourse.beyond import overlaps, plane
from mfcourse.beyond.overlaps import ERF, LINEAR, SQUARE, Neuron, hermite

HOME = Path(overlaps.__file__).parent.parent
HUGE = 10**400
START = [0.3, 0.6]
TANH = Neuron(np.tanh, lambda z: 1 - np.tanh(z) ** 2)
FOLD = (10**0.5 - 1) / 12
NAN = np.array([0.3, np.nan])


def phase_retrieval(c, u, tau=0.0):
    """The rate of SQUARE as a polynomial in m and rho = m^2 + s, by Isserlis' theorem."""
    m, s = np.moveaxis(np.asarray(u), -1, 0)
    rho = m**2 + s
    kicks = 15 * rho**3 - 6 * rho**2 - 24 * rho * m**2 + 3 * rho + 12 * m**2 + tau**2 * rho
    return np.stack([6 * m * (1 - rho), -4 * s * (3 * rho - 1) + 4 * c * kicks], axis=-1)


def radius(neuron, c, low, high):
    """The fixed point (0, s*) between two radii squared."""
    rate = overlaps.effective(neuron, c)
    return np.array([0, optimize.brentq(lambda s: rate(np.array([0, s]))[1], low, high, xtol=1e-15)])


def square_of_a_step(neuron, u):
    return overlaps.corrector(neuron, u)[..., 1]


# Means over the plane


def test_the_rule_is_exact_for_polynomials_and_for_densities():
    u = np.array([[0.0, 0.0], [0.3, 0.6], [-1.0, 0.0], [0.0, 2.0], [2.0, 5.0], [30.0, 900.0]])
    a, b, h, weights = plane.points(u)
    m, s = u.T
    rho = m**2 + s
    known = {
        "1": (np.ones_like(b), np.ones(6)),
        "b^2": (b**2, np.ones(6)),
        "b h": (b * h, np.zeros(6)),
        "a^3 b": (a**3 * b, 3 * rho * m),
        "a^2 b^4": (a**2 * b**4, 3 * rho + 12 * m**2),
        "a^4 h^2": (a**4 * h**2, 3 * rho**2 * s + 12 * rho * s**2),
        "b^12": (b**12, np.full(6, 10395.0)),  # 11!!
        "density": (np.exp(-2 * a**2) * np.ones_like(b), (1 + 4 * rho) ** -0.5),
        "density of both": (np.exp(-(a**2) - b**2), ((1 + 2 * rho) * 3 - 4 * m**2) ** -0.5),
    }
    for name, (values, mean) in known.items():
        found = plane.mean(values, weights)
        np.testing.assert_allclose(found[:5], mean[:5], rtol=1e-11, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(found[5], mean[5], rtol=1e-7, atol=1e-9, err_msg=name)


def test_a_sample_of_a_long_erf_neuron_has_the_means_of_the_rule_on_average():
    """|theta|^2 = 10, where the slope of the neuron is a narrow bump; 5 standard errors of 2e6 samples."""
    u, rng = np.array([1.0, 9.0]), np.random.default_rng(0)
    b, z = rng.standard_normal((2, 2_000_000))
    a = u[0] * b + 3 * z
    g = (ERF.value(a) - ERF.value(b)) * ERF.slope(a)
    for sampled, exact in (
        (-g * b, overlaps.drift(ERF, u)[0]),
        (-2 * g * 3 * z, overlaps.drift(ERF, u)[1]),
        (g**2, square_of_a_step(ERF, u)),
    ):
        assert abs(sampled.mean() - exact) <= 5 * sampled.std() / len(b) ** 0.5


@pytest.mark.parametrize("tau", [0.0, 0.3])
def test_the_rate_of_phase_retrieval_is_its_polynomial(tau):
    u = np.random.default_rng(0).uniform([-1.5, 0], [1.5, 2], (4, 5, 2))
    for c in (0, 0.1, 0.3):
        exact = phase_retrieval(c, u, tau)
        np.testing.assert_allclose(overlaps.effective(SQUARE._replace(noise=tau), c)(u), exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_the_rate_of_a_linear_neuron_is_its_closed_form(tau):
    u = np.random.default_rng(1).uniform([-2, 0], [2, 3], (7, 2))
    m, s = u.T
    for c in (0, 1.5):
        exact = np.stack([1 - m, -2 * s + c * ((1 - m) ** 2 + s + tau**2)], axis=-1)
        np.testing.assert_allclose(overlaps.effective(LINEAR._replace(noise=tau), c)(u), exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "neuron", [LINEAR, SQUARE, ERF, TANH, hermite(3)], ids=["linear", "square", "erf", "tanh", "3"]
)
def test_the_rate_is_the_drift_and_c_times_the_corrector_which_leaves_m_alone(neuron):
    u = np.array([[[0.2, 0.4], [-0.5, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
    noisy = neuron._replace(noise=0.4)
    drift, corrector = overlaps.drift(noisy, u), overlaps.corrector(noisy, u)
    np.testing.assert_array_equal(corrector[..., 0], 0)
    assert (corrector[..., 1] >= 0).all()
    np.testing.assert_allclose(overlaps.effective(noisy, 0.7)(u), drift + 0.7 * corrector, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(drift, overlaps.drift(neuron, u), atol=1e-15)  # noise of labels has no mean
    np.testing.assert_allclose(drift[0, 1], overlaps.drift(neuron, u[0, 1]), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("neuron", [ERF, TANH, hermite(2)], ids=["erf", "tanh", "he2"])
def test_the_drift_is_the_gradient_flow_of_the_population_risk(neuron):
    """m' = -dR/dm and s' = -4 s dR/ds, by differences of the risk as a mean over the plane."""

    def risk(u):
        a, b, _, weights = plane.points(u)
        return plane.mean((neuron.value(a) - neuron.value(b)) ** 2, weights) / 2

    u, h = np.array([0.4, 0.5]), 1e-4
    slopes = [(risk(u + h * e) - risk(u - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(overlaps.drift(neuron, u), [-slopes[0], -4 * u[1] * slopes[1]], atol=1e-7)


def test_hermite_neurons_are_orthonormal_and_have_their_slopes():
    neurons = [hermite(k) for k in range(1, 9)]
    values = np.array([neuron.value(plane.NODES) for neuron in neurons])
    np.testing.assert_allclose(values * plane.WEIGHTS @ values.T, np.eye(8), atol=1e-10)
    for k, neuron in enumerate(neurons[1:], start=2):
        lower = k**0.5 * hermite(k - 1).value(plane.NODES)
        np.testing.assert_allclose(neuron.slope(plane.NODES), lower, rtol=1e-11, atol=1e-9 * np.abs(lower).max())


# Recovery


@pytest.mark.parametrize(
    ("neuron", "known"),
    [
        (LINEAR, 2),
        (SQUARE, 1 / 6),
        (ERF, 3 * np.pi / (2 * 5**0.5)),
        (hermite(2), 1 / 3),
        (hermite(3), 2 / 45),
        (hermite(4), 1 / 186),
    ],
)
def test_the_critical_step_is_known_in_closed_form_and_turns_the_teacher_from_stable_to_unstable(neuron, known):
    assert overlaps.critical(neuron) == pytest.approx(known, rel=1e-12)
    for factor, attracts in ((0.99, True), (1.01, False)):
        jacobian, sigma, stationary = overlaps.fluctuations(neuron, factor * known, [1, 0])
        slope = neuron.slope(plane.NODES)
        along = 2 * (factor - 1) * (plane.WEIGHTS @ slope**2)
        assert jacobian[1, 1] == pytest.approx(along, rel=1e-6)
        assert (stationary is not None) == attracts
        np.testing.assert_allclose(sigma, 0, atol=1e-12)  # nothing shakes a neuron that makes no error
    assert overlaps.critical(neuron._replace(noise=3.0)) == overlaps.critical(neuron)


def test_the_critical_step_of_erf_has_these_digits():
    assert overlaps.critical(ERF) == pytest.approx(2.107444419312, abs=1e-12)
    saad_solla = Neuron(lambda z: ERF.value(z / 2**0.5), lambda z: ERF.slope(z / 2**0.5) / 2**0.5)
    assert overlaps.critical(saad_solla) == pytest.approx(np.pi * (5 / 3) ** 0.5, rel=1e-12)


def test_phase_retrieval_from_one_start_at_several_steps():
    known = {
        0: [(0.8632885829, 0.0910002966), (0.9966922381, 0.0022216469), (0.9999999996, 2.5e-10)],
        0.1: [(0.7397389162, 0.2718880509), (0.9500173132, 0.0686260265), (0.9999190576, 0.000118703967)],
        0.15: [(0.6340988713, 0.4442994373), (0.8157212840, 0.2926522868), (0.9690121262, 0.0566147184)],
    }
    for c, expected in known.items():
        path = overlaps.follow(overlaps.effective(SQUARE, c), START, [0.5, 1, 3])
        np.testing.assert_allclose(path, expected, rtol=0, atol=5.1e-10)
    path = overlaps.follow(overlaps.effective(SQUARE, 0.17), START, [2, 3])
    np.testing.assert_allclose(path[0], [0.54446, 0.77641], atol=1e-5)
    np.testing.assert_array_equal(overlaps.lost(path), [False, True])
    assert overlaps.lost(overlaps.follow(lambda u: phase_retrieval(0.2, u), START, [1])).all()


def test_on_the_arc_of_length_one_everything_rests_at_the_critical_step():
    m = np.linspace(-1, 1, 9)
    arc = np.stack([m, 1 - m**2], axis=-1)
    np.testing.assert_allclose(overlaps.effective(SQUARE, 1 / 6)(arc), 0, atol=1e-13)
    for c in (0.1, 0.2):
        rate = overlaps.effective(SQUARE, c)(arc)
        np.testing.assert_allclose(rate, np.stack([0 * m, (48 * c - 8) * (1 - m**2)], axis=-1), atol=1e-13)
    assert overlaps.fluctuations(SQUARE, 1 / 6, [0.6, 0.64])[2] is None  # an eigenvalue 0 is no attraction


def test_a_start_of_length_one_is_recovered_below_the_critical_step_only():
    for c, gone in ((0.1666, False), (0.167, True)):
        path = overlaps.follow(lambda u, c=c: phase_retrieval(c, u), [1e-3, 1], [20, 60, 100, 400])
        assert overlaps.lost(path)[-1] == gone
    exact = overlaps.follow(overlaps.effective(SQUARE, 0.1), START, [0.5, 1.0])
    closed = overlaps.follow(lambda u: phase_retrieval(0.1, u), START, [0.5, 1.0])
    np.testing.assert_allclose(exact, closed, rtol=1e-10)


def test_radii_of_phase_retrieval_without_overlap_meet_in_a_fold():
    known = {0.05: 0.381575773735, 0.1: 0.442812220560, 0.15: 0.540068034296, 1 / 6: 0.6, FOLD - 1e-9: 0.7549}
    for c, low in known.items():
        (rho,) = [r for r in np.roots([15 * c, -(6 * c + 3), 3 * c + 1]) if abs(r - low) < 1e-4]
        assert c > 1 / 6 or abs(rho - low) < 1e-12
        np.testing.assert_allclose(overlaps.effective(SQUARE, c)(np.array([0, rho])), 0, atol=1e-11)
    known = 0.180189805014, 0.754970354689
    np.testing.assert_allclose([FOLD, (6 * FOLD + 3) / (30 * FOLD)], known, rtol=0, atol=1e-12)
    s = np.linspace(0.01, 3, 200)
    at_zero = np.stack([np.zeros_like(s), s], axis=-1)
    assert (overlaps.effective(SQUARE, FOLD - 0.001)(at_zero)[:, 1] < 0).any()
    assert (overlaps.effective(SQUARE, FOLD + 0.001)(at_zero)[:, 1] > 0).all()
    for c, high in ((0.05, 4.0184), (0.1, 1.957187779), (0.15, 1.193265299), (1 / 6, 1)):
        np.testing.assert_allclose(overlaps.effective(SQUARE, c)(np.array([0, high])), 0, atol=2e-3)


@pytest.mark.parametrize("c", [0.05, 0.1, 0.15])
def test_the_radius_of_phase_retrieval_is_left_at_the_rate_of_its_length(c):
    fixed = radius(SQUARE, c, 0.2, 0.7)
    jacobian, _, stationary = overlaps.fluctuations(SQUARE, c, fixed)
    assert jacobian[0, 0] == pytest.approx(6 * (1 - fixed[1]), rel=1e-9)
    assert stationary is None
    spin = overlaps.fluctuations(SQUARE._replace(noise=0.2), 0.05, [(1 - (s := 0.05 * 0.04 / 1.4)) ** 0.5, s])[2]
    assert spin[0, 0] == pytest.approx(1.7146e-3, abs=5e-8)


def test_with_much_noise_the_floor_of_phase_retrieval_is_an_unstable_spiral():
    s = 0.1523 / (2 - 12 * 0.1523)
    jacobian, _, stationary = overlaps.fluctuations(SQUARE._replace(noise=1.0), 0.1523, [(1 - s) ** 0.5, s])
    np.testing.assert_allclose(
        np.sort_complex(np.linalg.eigvals(jacobian)), [0.4179 - 0.8889j, 0.4179 + 0.8889j], atol=1e-4
    )
    assert stationary is None


# The linear neuron


@pytest.mark.parametrize(("c", "floor"), [(0.5, 1 / 12), (1.0, 0.25), (1.5, 0.75)])
def test_a_linear_neuron_ends_at_its_floor_where_its_error_is_isotropic(c, floor):
    noisy = LINEAR._replace(noise=0.5)
    jacobian, sigma, stationary = overlaps.fluctuations(noisy, c, [1, floor])
    error = floor + 0.25
    np.testing.assert_allclose(jacobian, np.diag([-1, c - 2]), atol=1e-10)
    np.testing.assert_allclose(sigma, np.diag([2 * floor, c**2 * (2 - c) * error**2]), atol=1e-12)
    np.testing.assert_allclose(stationary, np.diag([floor, 2 * floor**2]), atol=1e-10)


def test_the_linear_neuron_on_its_way():
    path = overlaps.follow(overlaps.effective(LINEAR._replace(noise=0.5), 1), [0, 1], [1, 8])
    assert path[0] == pytest.approx([0.632120559, 0.758453739], abs=5e-10)
    assert path[1, 1] == pytest.approx(0.250586947, abs=5e-10)


@pytest.mark.parametrize(("c", "dimension"), [(0.5, 400), (1.5, 100), (0.7, 5), (0.4, 2)])
def test_the_floor_of_a_linear_neuron_is_exact_in_every_dimension(c, dimension):
    """E |theta - v|^2 = c tau^2 / (2 - c (1 + 2/N)); 5 standard errors of runs, at times when they have settled."""
    times = np.arange(8, 20, 1.0)
    path = overlaps.chain(LINEAR._replace(noise=0.5), c, dimension, np.tile([1, 0.2], (400, 1)), times, seed=1)
    error = ((path[..., 0] - 1) ** 2 + path[..., 1]).mean(axis=0)
    assert abs(error.mean() - c / 4 / (2 - c * (1 + 2 / dimension))) <= 5 * error.std() / 20


@pytest.mark.parametrize("c", [0.5, 1.0, 1.5])
def test_the_chain_of_a_linear_neuron_fluctuates_as_ornstein_and_uhlenbeck_say(c):
    s = c / 4 / (2 - c)
    path = overlaps.chain(LINEAR._replace(noise=0.5), c, 400, np.tile([1, s], (300, 1)), np.arange(6, 12, 1.0), seed=5)
    spread = 400 * path.var(axis=1)  # 6 times of which some 3 are independent: 4 errors of sqrt(2/900), and 1/N
    np.testing.assert_allclose(spread.mean(axis=0), [s, 2 * s**2], rtol=0.22)


# Information exponents


@pytest.mark.parametrize(("neuron", "extra", "c"), [(SQUARE, 4, 0.1), (hermite(2), 2, 1 / 12), (hermite(3), 0, 0.01)])
def test_at_the_radius_the_kicks_glue_and_only_the_exponent_two_pulls(neuron, extra, c):
    fixed = radius(neuron, c, 1e-3, 0.5)
    jacobian, _, stationary = overlaps.fluctuations(neuron, c, fixed)
    glue = c * square_of_a_step(neuron, fixed) / (2 * fixed[1])
    assert jacobian[0, 0] == pytest.approx(extra - glue, abs=1e-9)
    assert (stationary is None) == (extra > 0)


def test_the_radius_of_the_third_hermite_neuron_and_how_it_trembles():
    for c, known in ((0.002, 0.0070155908), (0.005, 0.0175983076), (0.01, 0.03539914641), (0.02, 0.0716463185)):
        fixed = radius(hermite(3), c, 1e-5, 0.05)
        jacobian, _, stationary = overlaps.fluctuations(hermite(3), c, fixed)
        assert stationary[0, 0] == pytest.approx(known, rel=1e-8)
        _, b, _, weights = plane.points(fixed)
        _, _, p, _, _ = overlaps._slopes(hermite(3), fixed)
        formula = fixed[1] * plane.mean((p * b) ** 2, weights) / square_of_a_step(hermite(3), fixed)
        assert stationary[0, 0] == pytest.approx(formula, rel=1e-8)
        assert stationary[0, 0] == pytest.approx(7 * fixed[1], rel=0.03)
        if c == 0.01:
            assert fixed[1] == pytest.approx(0.005089083711, abs=1e-12)
            np.testing.assert_allclose(jacobian, np.diag([-1.46965974, -2.8878385]), atol=6e-8)


def test_the_chain_of_the_third_hermite_neuron_trembles_like_this():
    """From the fixed point the variance is S (1 - exp(2 J t)); 4 standard errors of 800 runs are a fifth."""
    fixed = radius(hermite(3), 0.01, 1e-5, 0.05)
    path = overlaps.chain(hermite(3), 0.01, 100, np.tile(fixed, (800, 1)), [1.5], seed=7)
    assert 100 * path[0, :, 0].var() == pytest.approx(0.0353991 * (1 - np.exp(-3 * 1.46965974)), rel=0.2)


def test_the_radii_of_the_second_and_fourth_hermite_neurons():
    fixed = radius(hermite(2), 1 / 12, 0.1, 0.6)
    assert fixed[1] == pytest.approx(0.372894255, abs=5e-10)
    jacobian, _, _ = overlaps.fluctuations(hermite(2), 1 / 12, fixed)
    assert jacobian[0, 0] == pytest.approx(1.88131724, abs=5e-9)
    fixed = radius(hermite(4), 1 / 744, 0.2, 0.3)
    assert fixed[1] == pytest.approx(0.254235363, abs=5e-10)
    jacobian, _, stationary = overlaps.fluctuations(hermite(4), 1 / 744, fixed)
    assert jacobian[0, 0] == pytest.approx(-0.00274142, abs=5e-9)
    assert stationary[0, 0] == pytest.approx(2.04694705, rel=1e-7)


@pytest.mark.parametrize(("c", "needed"), [(0, 0.198599), (1 / 90, 0.199225)])
def test_a_neuron_of_exponent_three_needs_a_warm_start(c, needed):
    ends = []
    for m in (needed - 1e-4, needed + 1e-4):
        path = overlaps.follow(overlaps.effective(hermite(3), c), [m, 1 - m**2], [20])
        ends.append(path[0, 0])
    assert ends[0] < 0.1
    assert ends[1] > 0.9


def test_a_neuron_of_exponent_one_does_not_wait():
    path = overlaps.follow(overlaps.effective(ERF, 0.5), [0, 1], [1, 8])
    np.testing.assert_allclose(path.ravel()[[0, 2, 3]], [0.3826724058, 0.9355369598, 0.0019167821], atol=6e-11)
    assert overlaps.follow(overlaps.effective(ERF, 0), [0, 1], [1])[0, 0] == pytest.approx(0.3879325727, abs=6e-11)


def test_the_time_to_leave_grows_with_the_logarithm_of_the_dimension():
    """Medians over 600 random starts, whose errors are about .017: .1868 more for a dimension four times as large."""
    grid, waits = np.arange(0.025, 2, 0.025), []
    for dimension in (100, 400):
        m = np.random.default_rng(dimension).normal(size=600) / dimension**0.5
        path = overlaps.chain(SQUARE, 0.05, dimension, np.stack([m, 1 - m**2], axis=-1), grid, seed=1)
        waits.append(np.median(grid[(np.abs(path[..., 0]) > 0.5).argmax(axis=0)]))
    rho = (0.3 + 3 - (9 - 24 * 0.05 - 144 * 0.05**2) ** 0.5) / 1.5
    predicted = np.log(4) / (2 * 6 * (1 - rho))
    assert predicted == pytest.approx(0.1868, abs=1e-4)
    assert waits[1] - waits[0] == pytest.approx(predicted, abs=0.1)


# Chain and SGD


@pytest.mark.parametrize(
    ("neuron", "c", "dimension", "t"),
    [(SQUARE, 0.05, 60, 0.5), (ERF._replace(noise=0.3), 1.0, 10, 2.0), (TANH, 0.8, 3, 2.0), (LINEAR, 0.7, 2, 1.0)],
    ids=["square", "erf", "tanh", "linear"],
)
def test_two_numbers_are_enough_in_law(neuron, c, dimension, t):
    theta = np.zeros((2000, dimension))
    theta[:, :2] = 0.3, 0.6**0.5
    full = overlaps.sgd(neuron, c, theta, [t], seed=3)[0]
    two = overlaps.chain(neuron, c, dimension, np.tile(START, (2000, 1)), [t], seed=4)[0]
    for k in range(2):
        assert stats.ks_2samp(full[:, k], two[:, k]).pvalue > 1e-3
    assert stats.ks_2samp(full[:, 0], two[:, 0] + 0.3 * two[:, 0].std()).pvalue < 1e-6  # and the test can tell
    if dimension == 60:
        for path in (full, two):
            np.testing.assert_allclose(np.median(path, axis=0), [0.8015, 0.168], atol=0.012)


@pytest.mark.parametrize(("c", "size"), [(0.05, 0.7), (0.1, 1.0), (0.15, 2.4)])
def test_the_chain_is_near_its_limit_by_one_over_the_root_of_the_dimension(c, size):
    times = np.arange(0.1, 3.01, 0.1)
    limit = overlaps.follow(overlaps.effective(SQUARE, c), START, times)
    for dimension in (100, 900):
        path = overlaps.chain(SQUARE, c, dimension, np.tile(START, (50, 1)), times, seed=8)
        error = np.median(np.abs(path - limit[:, None]).max(axis=(0, 2)))
        assert dimension**0.5 * error == pytest.approx(size, rel=0.45)


def test_losses_vanish_with_the_dimension_below_the_critical_step_and_are_sure_above():
    """200 random starts by t = 6, within 4 standard errors of .26, .81, .99 (N = 200) and .08, .72, 1 (N = 800)."""
    shares = {}
    for dimension in (200, 800):
        m = np.random.default_rng(9).normal(size=200) / dimension**0.5
        start = np.stack([m, 1 - m**2], axis=-1)
        for c in (0.15, 1 / 6, 0.2):
            shares[dimension, c] = overlaps.lost(overlaps.chain(SQUARE, c, dimension, start, [6], seed=10)).mean()
    assert shares[800, 0.15] <= 0.16
    assert 0.14 <= shares[200, 0.15] <= 0.39
    assert 0.7 <= shares[200, 1 / 6] <= 0.92
    assert 0.59 <= shares[800, 1 / 6] <= 0.85
    assert min(shares[200, 0.2], shares[800, 0.2]) >= 0.97


def test_a_run_does_not_depend_on_when_it_is_looked_at_and_times_are_rounded_to_steps():
    start = np.tile(START, (3, 1))
    often = overlaps.chain(SQUARE, 0.1, 50, start, np.arange(0, 1.01, 0.1), seed=2)
    np.testing.assert_array_equal(often[0], start)
    np.testing.assert_array_equal(overlaps.chain(SQUARE, 0.1, 50, start, [1.0], seed=2)[0], often[-1])
    np.testing.assert_array_equal(overlaps.chain(SQUARE, 0.1, 50, start, [0.9991, 1.0009], seed=2)[1], often[-1])
    assert (overlaps.chain(SQUARE, 0.1, 50, start, [1.0], seed=3)[0] != often[-1]).all()
    theta = np.random.default_rng(0).normal(size=(3, 5)) / 5**0.5
    kept = theta.copy()
    twice = overlaps.sgd(SQUARE, 0.1, theta, [0, 0.5, 1], seed=2)
    np.testing.assert_array_equal(theta, kept)
    np.testing.assert_array_equal(overlaps.sgd(SQUARE, 0.1, theta, [1], seed=2)[0], twice[-1])
    np.testing.assert_allclose(twice[0].T, [theta[:, 0], (theta[:, 1:] ** 2).sum(axis=1)], rtol=1e-15)


def test_a_run_that_blows_up_is_lost_and_the_others_go_on():
    start = np.array([[0.3, 0.6], [0.0, 60.0], [0.3, 0.6]])
    theta = np.zeros((3, 20))
    theta[:, 0], theta[:, 1] = start[:, 0], start[:, 1] ** 0.5
    for path in (
        overlaps.chain(SQUARE, 0.1, 20, start, [0, 0.5, 1], seed=0),
        overlaps.sgd(SQUARE, 0.1, theta, [0, 0.5, 1], seed=0),
        overlaps.follow(overlaps.effective(SQUARE, 0.1), start, [0, 0.5, 1]),
    ):
        np.testing.assert_array_equal(overlaps.lost(path), [[False] * 3] + [[False, True, False]] * 2)
        assert np.isinf(path[1:, 1]).all()
        assert np.isfinite(path[:, [0, 2]]).all()
    fast = overlaps.follow(lambda u: np.array([0, u[1] ** 2]), [0, 1], [0.5, 0.99, 1.01, 5])
    np.testing.assert_allclose(fast[:2, 1], [2, 100], rtol=1e-8)
    assert np.isinf(fast[2:]).all()


def test_a_linear_neuron_is_lost_beyond_its_pole_only():
    rate = overlaps.effective(LINEAR, 2.5)
    path = overlaps.follow(rate, [[0, 1], [1, 0.0]], [10, 40])
    np.testing.assert_array_equal(overlaps.lost(path), [[False, False], [True, False]])
    np.testing.assert_array_equal(path[:, 1], [[1, 0], [1, 0]])


def test_runs_together_are_as_they_are_alone():
    start = np.random.default_rng(0).uniform(0, 1, (2, 3, 2))
    rate = overlaps.effective(ERF, 1.0)
    together = overlaps.follow(rate, start, [0, 1, 2])
    assert together.shape == (3, 2, 3, 2)
    np.testing.assert_array_equal(together[0], start)
    for where in np.ndindex(2, 3):
        np.testing.assert_array_equal(overlaps.follow(rate, start[where], [0, 1, 2]), together[:, *where])
    np.testing.assert_array_equal(overlaps.follow(rate, start, [0]), start[None])


# What is refused

FINE = np.array([START])
RATE = overlaps.effective(SQUARE, 0.1)
THETA = np.ones((2, 3)) / 2
BAD = {
    "a word is no neuron": (lambda: overlaps.drift("square", START), "neuron must be a Neuron", "'square'"),
    "a function is no neuron": (lambda: overlaps.critical(np.tanh), "neuron must be a Neuron", "tanh"),
    "a slope of one number": (
        lambda: overlaps.drift(Neuron(np.positive, lambda z: 1.0), START),
        "neuron.slope must return an array of the shape",
        "()",
    ),
    "a value that is none": (lambda: overlaps.drift(Neuron(np.log, np.ones_like), START), "neuron.value(z)", "nan"),
    "no function": (lambda: overlaps.drift(Neuron(3, np.ones_like), START), "neuron.value must be a function", "3"),
    "negative noise": (lambda: overlaps.corrector(ERF._replace(noise=-1), START), "neuron.noise must be", "-1"),
    "noise that is a flag": (lambda: overlaps.drift(ERF._replace(noise=True), START), "neuron.noise must be", "True"),
    "a neuron that is constant": (
        lambda: overlaps.critical(Neuron(np.ones_like, np.zeros_like)),
        "neuron must",
        "slope",
    ),
    "degree 0": (lambda: hermite(0), "degree must be a whole number >= 1 and <= 10", "0"),
    "degree 2.0": (lambda: hermite(2.0), "degree must be a whole number", "2.0"),
    "a huge degree": (lambda: hermite(HUGE), "degree must be a whole number", "100000"),
    "three numbers": (lambda: overlaps.drift(ERF, [1, 2, 3]), "u must have shape (..., 2)", "(3,)"),
    "s below 0": (lambda: overlaps.corrector(ERF, [0.5, -0.1]), "u must have s", "-0.1"),
    "u with a NaN": (lambda: RATE(NAN), "u must be finite", "nan"),
    "u of words": (lambda: RATE(["a", "b"]), "u must be an array of real numbers", "'a'"),
    "u too far": (lambda: RATE([0, 1e5]), "u must have |theta| <= 100", "316.2"),
    "u that overflows": (lambda: RATE([1e200, 1]), "u must have |theta| <= 100", "inf"),
    "u too large for a float": (lambda: RATE([HUGE, 1]), "u must be finite", "too large"),
    "a negative c": (lambda: overlaps.effective(ERF, -0.1), "c must be a finite number >= 0", "-0.1"),
    "c that is a flag": (lambda: overlaps.effective(ERF, True), "c must be a finite number >= 0", "True"),
    "c that is a list": (lambda: overlaps.effective(ERF, [0.1]), "c must be a finite number >= 0", "[0.1]"),
    "a huge c": (lambda: overlaps.effective(ERF, HUGE), "c must be a finite number >= 0", "100000"),
    "no steps": (lambda: overlaps.chain(ERF, 0, 10, FINE, [1], 0), "c must be a finite number > 0", "0"),
    "one dimension": (lambda: overlaps.chain(ERF, 1, 1, FINE, [1], 0), "dimension must be a whole number >= 2", "1"),
    "half a dimension": (lambda: overlaps.chain(ERF, 1, 2.5, FINE, [1], 0), "dimension must be a whole number", "2.5"),
    "a huge dimension": (lambda: overlaps.chain(ERF, 1, HUGE, FINE, [1], 0), "dimension must be", "100000"),
    "one pair, no runs": (lambda: overlaps.chain(ERF, 1, 9, START, [1], 0), "start must have shape (R, 2)", "(2,)"),
    "none": (lambda: overlaps.chain(ERF, 1, 9, np.empty((0, 2)), [1], 0), "start must have shape (R, 2)", "(0, 2)"),
    "a negative seed": (lambda: overlaps.chain(ERF, 1, 9, FINE, [1], -1), "seed must be a whole number >= 0", "-1"),
    "a seed of None": (lambda: overlaps.sgd(ERF, 1, THETA, [1], None), "seed must be a whole number >= 0", "None"),
    "times that go back": (lambda: overlaps.chain(ERF, 1, 9, FINE, [1, 0.5], 0), "times must be >= 0 and", "0.5"),
    "a time twice": (
        lambda: overlaps.follow(RATE, START, [1, 1]),
        "times must be >= 0 and increase",
        "1 comes after 1",
    ),
    "times before 0": (lambda: overlaps.follow(RATE, START, [-1, 1]), "times must be >= 0 and increase", "-1"),
    "one time": (lambda: overlaps.follow(RATE, START, 1.0), "times must be a list", "()"),
    "no times": (lambda: overlaps.sgd(ERF, 1, THETA, [], 0), "times must be a list", "(0,)"),
    "times with a NaN": (lambda: overlaps.follow(RATE, START, NAN), "times must be finite", "nan"),
    "times without end": (lambda: overlaps.chain(ERF, 1, 9, FINE, [1e300], 0), "times must be reached in", "1e+300"),
    "too many numbers": (
        lambda: overlaps.chain(ERF, 1, 9, np.ones((2**20, 2)), np.arange(100), 0),
        "times and runs must make an array of at most",
        "100",
    ),
    "one vector": (lambda: overlaps.sgd(ERF, 1, np.ones(4), [1], 0), "theta must have shape (R, N)", "(4,)"),
    "vectors of one number": (lambda: overlaps.sgd(ERF, 1, np.ones((4, 1)), [1], 0), "N >= 2", "(4, 1)"),
    "a far theta": (lambda: overlaps.sgd(ERF, 1, 1e3 * THETA, [1], 0), "theta must have |theta| <= 100", "866"),
    "theta with a NaN": (lambda: overlaps.sgd(ERF, 1, [[np.nan, 1]], [1], 0), "theta must be finite", "nan"),
    "a rate that is none": (lambda: overlaps.follow(3, START, [1]), "rate must be a function", "3"),
    "a rate of one number": (lambda: overlaps.follow(np.sum, START, [1]), "rate(u) must be two numbers", "()"),
    "a rate of NaN": (lambda: overlaps.follow(lambda u: u * np.nan, START, [1]), "rate(u) must be finite", "nan"),
    "a rate that ends": (
        lambda: overlaps.follow(lambda u: [0, 1 / (0.5 - u[1])], [0, 1], [1]),
        "rate must be",
        "step size",
    ),
    "loud labels": (lambda: overlaps.corrector(SQUARE._replace(noise=1e200), START), "noise must be small", "1e+200"),
    "a step that overflows": (lambda: overlaps.effective(SQUARE, 1e308)([3, 6]), "c must be small enough", "1e+308"),
    "no fixed point": (lambda: overlaps.fluctuations(SQUARE, 0.1, START), "fixed must be one point", "there it is"),
    "two fixed points": (lambda: overlaps.fluctuations(SQUARE, 0.1, [[1, 0]] * 2), "fixed must be one", "(2, 2)"),
    "no steps, no trembling": (lambda: overlaps.fluctuations(SQUARE, 0, [1, 0]), "c must be a finite number > 0", "0"),
    "a path of NaN": (lambda: overlaps.lost([[np.nan, 1]]), "path must be pairs (m, s)", "NaN"),
    "a path of three": (lambda: overlaps.lost([1, 2, 3]), "path must be pairs (m, s)", "(3,)"),
}


@pytest.mark.parametrize(("call", "allowed", "was"), BAD.values(), ids=BAD.keys())
def test_what_is_not_allowed_is_named_with_what_it_was(call, allowed, was):
    with pytest.raises(ValueError, match=r"^\S.* must ") as caught:
        call()
    assert allowed in str(caught.value)
    assert was in str(caught.value)
    assert Path(traceback.extract_tb(caught.value.__traceback__)[-1].filename).is_relative_to(HOME)
