"""The Fokker-Planck equation against Gaussians, exact invariants, duality, and optima that others find too."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, xlogy

from mfcourse.beyond.fokker_planck import Grid, cells, evolve, gibbs, kl, renyi, step
from mfcourse.losses import Logistic, Squared

few = settings(deadline=None, max_examples=40)
HUGE = 10**400
X = np.linspace(-2, 2, 8)
TARGET = 3 * (0.6 * np.tanh(3 * X) - 0.4 * np.tanh(0.7 * X))
LABELS = np.array([1, -1, 1, 1, -1, 1, -1, -1.0])
LOWEST = 0.0639767196  # min F of the tanh problem, by conditional gradients with a gap of 2e-16
KAPPA, R, TAU, Y = 3.0, 1.0, 0.2, 1.0
PLACES, WIDTH = cells(-8, 8, 400)
LONG = cells(-8, 14, 1100)


def gaussian(places, width, mean, variance):
    return gibbs((places - mean) ** 2 / (2 * variance), width, 1.0)


def tanh_grid(temperature, loss=None, number=400):
    places, width = cells(-8, 8, number)
    features = 3 * np.tanh(np.outer(places, X))
    return Grid(features, Squared(TARGET, 8) if loss is None else loss, 0.025 * places**2, width, temperature)


def quadratic_grid(kappa=KAPPA):
    """F(mu) = kappa (mean - y)^2 / 2 + r int theta^2 dmu / 2: Gaussians stay Gaussian (MF6).

    Its cells are long: the proximal Gibbs measure of N(-2, .1) sits around 9.
    """
    places, width = LONG
    return Grid(places[:, None], Squared(np.array([Y]), 1 / kappa), R / 2 * places**2, width, TAU)


def gaussian_law(t, kappa=KAPPA, mean=-2.0, variance=0.1):
    """Mean and variance at time t."""
    rest = kappa * Y / (kappa + R)
    return rest + (mean - rest) * np.exp(-(kappa + R) * t), TAU / R + (variance - TAU / R) * np.exp(-2 * R * t)


def gaussian_bounds(mean, variance, kappa=KAPPA):
    """Gap, excess and lower bound of a Gaussian, in closed form."""
    rest, ratio = kappa * Y / (kappa + R), variance * R / TAU
    spread, away = TAU * (ratio - 1 - np.log(ratio)) / 2, (mean - rest) ** 2
    return [spread + c * away for c in ((kappa + R) ** 2 / (2 * R), (kappa + R) / 2, R / 2)]


def random_density(rng, width=WIDTH, number=400):
    rough = np.exp(3 * np.cumsum(rng.normal(size=number)) * np.sqrt(1 / number) - 0.5 * np.linspace(-8, 8, number) ** 2)
    return rough / (rough.sum() * width)


both_losses = pytest.mark.parametrize("loss", [Squared(TARGET, 8), Logistic(LABELS)], ids=["squared", "logistic"])

# One step


def test_cells_are_equal_and_fill_the_domain():
    places, width = cells(-1, 3, 8)
    np.testing.assert_allclose(np.r_[places - width / 2, 3], np.linspace(-1, 3, 9), atol=1e-15)
    assert width == 0.5


@few
@given(arrays(float, 30, elements=st.floats(-300, 300)), st.floats(1e-3, 10), st.floats(1e-6, 1e6))
def test_a_step_keeps_mass_and_sign_and_the_gibbs_measure(potential, temperature, time):
    density = np.zeros(30)
    density[[3, 17]] = 4.0
    moved = step(density, potential, 0.125, temperature, time)
    assert moved.sum() * 0.125 == pytest.approx(1, abs=1e-13)
    assert moved.min() >= 0
    still = gibbs(potential, 0.125, temperature)
    np.testing.assert_allclose(step(still, potential, 0.125, temperature, time), still, rtol=1e-7, atol=1e-9)


def test_the_gibbs_measure_of_a_smooth_potential_stays_to_rounding():
    potential = np.cos(PLACES) + 0.1 * PLACES**2
    still = gibbs(potential, WIDTH, 0.3)
    np.testing.assert_allclose(step(still, potential, WIDTH, 0.3, 5.0), still, rtol=1e-12, atol=1e-15)


def test_without_a_potential_the_variance_grows_by_two_tau_t_and_there_is_no_rest():
    """On cells exactly so, as long as nothing has come to the walls: x^2 has the second difference 2."""
    places, width = cells(-20, 20, 800)
    density = gaussian(places, width, 0.5, 0.1)
    for k in range(1, 11):
        density = step(density, np.zeros(800), width, 0.2, 0.05)
        mean = width * density @ places
        assert mean == pytest.approx(0.5, abs=1e-12)
        assert width * density @ (places - mean) ** 2 == pytest.approx(0.1 + 2 * 0.2 * 0.05 * k, abs=1e-9)


def test_a_step_moves_mass_downhill():
    places, width = cells(-8, 8, 400)
    density = gaussian(places, width, 1.0, 0.05)
    moved = step(density, 0.5 * places**2, width, 0.1, 0.1)
    assert width * moved @ places == pytest.approx(1 / 1.1, abs=1e-3)  # an implicit step of M' = -M


def test_the_scheme_has_second_order_in_space_and_first_in_time():
    """Against the Gaussian solution: cells half as wide and steps a quarter as long make a quarter of the error."""
    errors = []
    for k in range(3):
        places, width = cells(-5, 5, 100 * 2**k)
        density = gaussian(places, width, -1.0, 0.1)
        time, steps = 0.04 / 4**k, 25 * 4**k
        for _ in range(steps):
            density = step(density, R / 2 * places**2, width, TAU, time)
        exact = gaussian(places, width, *gaussian_law(1.0, kappa=0.0, mean=-1.0))
        errors.append(width * np.abs(density - exact).sum())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.1)
    assert errors[2] < 2e-3


def test_stacks_are_steps_of_each_run_to_the_same_bits():
    rng = np.random.default_rng(0)
    densities = np.stack([random_density(rng) for _ in range(3)]).reshape(3, 1, 400)
    potentials = rng.normal(size=(2, 400))
    moved = step(densities, potentials, WIDTH, 0.2, 0.1)
    assert moved.shape == (3, 2, 400)
    for i, j in np.ndindex(3, 2):
        np.testing.assert_array_equal(moved[i, j], step(densities[i, 0], potentials[j], WIDTH, 0.2, 0.1))
    grid = tanh_grid(0.05)
    _, together = evolve(grid, densities[:, 0], 0.1, 20)
    for i in range(3):
        np.testing.assert_allclose(together[:, i], evolve(grid, densities[i, 0], 0.1, 20)[1], rtol=1e-10, atol=1e-14)


# Divergences


def test_divergences_of_gaussians_are_the_closed_forms():
    p, q = gaussian(PLACES, WIDTH, -0.5, 0.4), gaussian(PLACES, WIDTH, 0.3, 0.5)
    assert kl(p, q, WIDTH) == pytest.approx(0.5 * (0.4 / 0.5 - 1 - np.log(0.4 / 0.5)) + 0.64 / (2 * 0.5), rel=1e-12)
    for order in (1.5, 2.0, 4.0):
        mixed = (1 - order) * 0.4 + order * 0.5
        exact = order * 0.64 / (2 * mixed)
        exact += np.log(mixed / (0.4 ** (1 - order) * 0.5**order)) / (2 * (1 - order))
        assert renyi(p, q, WIDTH, order) == pytest.approx(exact, rel=1e-11)
    assert renyi(p, q, WIDTH, 1 + 1e-6) == pytest.approx(kl(p, q, WIDTH), rel=1e-4)


def test_divergences_are_zero_for_one_density_and_infinite_off_its_support():
    p = gaussian(PLACES, WIDTH, 0, 0.4)
    assert kl(p, p, WIDTH) == renyi(p, p, WIDTH, 2.0) == 0
    half = np.where(PLACES > 0, 2 * p, 0)
    assert kl(half, p, WIDTH) == pytest.approx(np.log(2), rel=1e-12)
    assert renyi(half, p, WIDTH, 3.0) == pytest.approx(np.log(2), rel=1e-12)
    assert kl(p, half, WIDTH) == renyi(p, half, WIDTH, 3.0) == np.inf
    np.testing.assert_allclose(kl(np.stack([p, half]), p, WIDTH), [0, np.log(2)], atol=1e-15)


def test_a_gibbs_measure_has_mass_one_at_any_temperature():
    potential = 1e6 * np.sin(PLACES)
    for temperature in (1e-6, 1.0, 1e6):
        weights = gibbs(np.stack([potential, -potential]), WIDTH, temperature)
        np.testing.assert_allclose(weights.sum(axis=-1) * WIDTH, 1, rtol=1e-13)
        assert weights[0].argmax() == potential.argmin()


# Energies and duality


@both_losses
def test_the_first_variation_is_the_derivative_of_the_energy_along_mixtures(loss):
    rng, grid = np.random.default_rng(0), tanh_grid(0.05, loss)
    mu, nu = random_density(rng), random_density(rng)
    slope = WIDTH * grid.variation(mu) @ (nu - mu)
    ahead, behind = (grid.energy(mu + e * (nu - mu)) for e in (1e-4, -1e-4))
    assert (ahead - behind) / 2e-4 == pytest.approx(slope, rel=1e-6)


@both_losses
def test_the_gap_is_the_free_energy_minus_the_dual_value(loss):
    """MF2, to rounding, for any density; it closes at the optimum and nowhere else."""
    rng, grid = np.random.default_rng(1), tanh_grid(0.05, loss)
    for _ in range(5):
        mu = random_density(rng)
        dual = grid.dual(loss.gradient(grid.push(mu)))
        assert grid.gap(mu) == pytest.approx(grid.free_energy(mu) - dual, rel=1e-11)
        assert grid.gap(mu) == pytest.approx(0.05 * kl(mu, grid.proximal(mu), WIDTH), rel=1e-12)
        assert grid.gap(mu) > 1e-3


@both_losses
def test_no_dual_point_is_above_any_free_energy(loss):
    rng, grid = np.random.default_rng(2), tanh_grid(0.05, loss)
    least = min(grid.free_energy(random_density(rng)) for _ in range(5))
    points = rng.normal(size=(40, 8)) if isinstance(loss, Squared) else -LABELS * rng.uniform(size=(40, 8)) / 8
    assert (grid.dual(points) <= min(least, grid.free_energy(grid.optimum())) + 1e-13).all()


@both_losses
def test_excess_lies_between_two_relative_entropies(loss):
    """MF3."""
    rng, grid = np.random.default_rng(3), tanh_grid(0.05, loss)
    best = grid.optimum()
    for _ in range(10):
        mu = random_density(rng)
        excess = grid.free_energy(mu) - grid.free_energy(best)
        assert grid.gap(mu) >= excess >= 0.05 * kl(mu, best, WIDTH) > 0


def test_gaussians_have_the_closed_forms_of_gap_excess_and_lower_bound():
    grid = quadratic_grid()
    best = grid.optimum()
    rest = KAPPA * Y / (KAPPA + R)
    np.testing.assert_allclose(best, gaussian(*LONG, rest, TAU / R), atol=1e-12)
    lowest = grid.free_energy(best)
    assert lowest == pytest.approx(0.352156084602475, abs=1e-12)
    known = {
        0: (60.5193147181, 15.1443147181, 3.80056471806),
        0.5: (1.1100288862, 0.278956771625, 0.071188742981),
        1: (0.0205353168423, 0.00531370010122, 0.00150829591595),
    }
    for t, numbers in known.items():
        law = gaussian_law(t)
        np.testing.assert_allclose(gaussian_bounds(*law), numbers, rtol=1e-10)
        mu = gaussian(*LONG, *law)
        found = grid.gap(mu), grid.free_energy(mu) - lowest, TAU * kl(mu, best, grid.width)
        np.testing.assert_allclose(found, numbers, rtol=1e-8)


# The optimum


@pytest.mark.parametrize(
    ("tau", "free", "energy", "bias"),
    [
        (0.1, -0.07266906, 0.10610512, 0.421),
        (0.05, 0.01038334, 0.08569471, 0.434),
        (0.02, 0.05096915, 0.07373772, 0.488),
        (0.01, 0.06096409, 0.06911481, 0.514),
        (0.005, 0.06424879, 0.06652303, 0.509),
        (0.002, 0.06500973, 0.06497952, 0.501),
    ],
)
def test_the_price_of_noise_is_about_half_a_temperature(tau, free, energy, bias):
    grid = tanh_grid(tau)
    best = grid.optimum()
    assert grid.free_energy(best) == pytest.approx(free, abs=6e-9)
    assert grid.energy(best) == pytest.approx(energy, abs=6e-9)
    assert (grid.energy(best) - LOWEST) / tau == pytest.approx(bias, abs=6e-4)
    assert grid.gap(best) <= 1e-15
    np.testing.assert_allclose(grid.proximal(best), best, rtol=1e-6, atol=1e-9)


@both_losses
@pytest.mark.parametrize("tau", [1e-4, 0.002, 0.1])
def test_an_optimum_is_certified_at_small_temperatures_too(loss, tau):
    grid = tanh_grid(tau, loss)
    best = grid.optimum()
    assert grid.gap(best) <= 1e-13
    assert best.sum() * grid.width == pytest.approx(1, abs=1e-13)
    assert best.min() >= 0


def test_a_long_flow_ends_at_the_optimum():
    grid = tanh_grid(0.05)
    _, densities = evolve(grid, gaussian(PLACES, WIDTH, 3, 0.09), 0.2, 800, record=800)
    assert kl(densities[-1], grid.optimum(), WIDTH) < 1e-13
    assert np.abs(densities[-1] - grid.optimum()).max() < 1e-7


def test_the_logistic_optimum_is_the_one_that_scipy_finds_in_the_dual():
    grid = tanh_grid(0.02, Logistic(LABELS))

    def minus_dual(z):
        """With q = -y p / n for probabilities p = 1 / (1 + e^-z)."""
        p = expit(z)
        entropy = np.mean(xlogy(p, p) + xlogy(1 - p, 1 - p))
        exponent = (grid.features @ (LABELS * p / 8) - grid.confinement) / 0.02
        return entropy + 0.02 * (logsumexp(exponent) + np.log(WIDTH))

    found = minimize(minus_dual, np.zeros(8), method="BFGS", options={"gtol": 1e-7})
    best = grid.optimum()
    assert grid.free_energy(best) == pytest.approx(-found.fun, abs=1e-10)
    np.testing.assert_allclose(expit(-LABELS * grid.push(best)), expit(found.x), atol=1e-4)


def test_labels_that_lie_far_apart_and_targets_that_are_large_have_optima_too():
    for features, loss in (
        (40 * np.tanh(np.outer(PLACES, [1, 5])), Logistic(np.array([1.0, 1.0]))),
        (3 * np.tanh(np.outer(PLACES, X)), Squared(20 * TARGET, 0.5)),
    ):
        grid = Grid(features, loss, PLACES**2, WIDTH, 0.05)
        best = grid.optimum()
        assert grid.gap(best) <= 1e-12 * max(1, grid.free_energy(best))


def test_what_rounding_hides_is_said():
    with pytest.raises(RuntimeError, match="the optimum could not be certified: its duality gap stays at"):
        Grid(50 * np.tanh(np.outer(PLACES, X)), Squared(20 * TARGET, 0.01), PLACES**2, WIDTH, 1e-3).optimum()


# The flow


def flow_from_three(tau):
    grid = tanh_grid(tau)
    times, densities = evolve(grid, gaussian(PLACES, WIDTH, 3, 0.09), 0.1, 1000)
    return grid, times, densities, grid.free_energy(densities) - grid.free_energy(grid.optimum())


def test_the_free_energy_falls_in_every_step_between_its_bounds():
    grid, times, densities, excess = flow_from_three(0.05)
    known = ((0, 1.96), (10, 0.0113), (30, 8.12e-5), (100, 1.9e-12))
    for t, number in known:
        assert excess[round(10 * t)] == pytest.approx(number, rel=5e-3)
    assert (np.diff(excess)[:800] < 0).all()
    assert (grid.gap(densities) >= excess - 1e-14).all()
    assert (excess >= 0.05 * kl(densities, grid.optimum(), WIDTH) - 1e-14).all()
    assert np.abs(densities.sum(axis=-1) * WIDTH - 1).max() < 1e-13
    assert densities.min() >= 0
    np.testing.assert_allclose(times, 0.1 * np.arange(1001), rtol=1e-13)


@pytest.mark.parametrize(("tau", "slope", "proved"), [(0.05, -0.2517, 3.4e-6), (0.02, -0.1617, 3.2e-13)])
def test_it_falls_exponentially_and_the_proved_rate_is_true_and_vacuous(tau, slope, proved):
    grid, times, _, excess = flow_from_three(tau)
    late = (times > 30) & (excess > 1e-9)
    assert np.polyfit(times[late], np.log(excess[late]), 1)[0] == pytest.approx(slope, abs=1e-3)
    oscillation = np.ptp(grid.variation(grid.optimum()) - grid.confinement) / tau
    rate = 2 * 0.05 * np.exp(-oscillation)
    assert rate == pytest.approx(proved, rel=0.02)
    assert (excess <= np.exp(-rate * times) * excess[0]).all()


def test_the_rate_of_gaussians_is_attained_when_nothing_interacts():
    """MF6: the variance's part falls like e^(-2 r t) squared, the mean's like e^(-2 (kappa + r) t)."""
    start = gaussian(*LONG, -2, TAU / R)
    for kappa in (1e-9, 3.0):
        grid = quadratic_grid(kappa)
        times, densities = evolve(grid, start, 0.002, 500, record=100)
        excess = grid.free_energy(densities) - grid.free_energy(grid.optimum())
        rates = -np.diff(np.log(excess)) / np.diff(times)
        np.testing.assert_allclose(rates, 2 * (kappa + R), rtol=0.02)
        assert (excess <= np.exp(-2 * R * times) * excess[0] * 1.005).all()


def test_gaussians_move_as_the_closed_form_says():
    """An implicit step has an error of the order of its length, which two lengths show and take away; cells, 1.4 %."""
    grid, (places, width) = quadratic_grid(), LONG
    moments = []
    for steps in (500, 1000):
        mu = evolve(grid, gaussian(places, width, -2, 0.1), 0.5 / steps, steps, record=steps)[1][-1]
        mean = width * mu @ places
        moments.append((mean, width * mu @ (places - mean) ** 2))
    coarse, fine = np.array(moments)
    np.testing.assert_allclose(2 * fine - coarse, gaussian_law(0.5), rtol=0.02)
    assert (np.abs(fine - gaussian_law(0.5)) < 0.7 * np.abs(coarse - gaussian_law(0.5))).all()


def test_the_free_energy_dissipates_the_relative_fisher_information():
    """dL/dt = -tau^2 int mu |d log(mu / p_mu)|^2, by differences in time, better on finer cells."""
    errors = []
    for number in (400, 800, 1600):
        grid = tanh_grid(0.05, number=number)
        places, width = cells(-8, 8, number)
        mu = gaussian(places, width, 1.0, 0.5)
        ratio = np.log(mu) - np.log(grid.proximal(mu))
        fisher = (np.diff(ratio) ** 2 * (mu[1:] + mu[:-1]) / 2).sum() / width
        after = step(mu, grid.variation(mu), width, 0.05, 1e-7)
        errors.append((grid.free_energy(after) - grid.free_energy(mu)) / 1e-7 / (-(0.05**2) * fisher) - 1)
    assert np.abs(errors[-1]) < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.12)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


def test_a_flow_records_its_start_every_so_many_steps_and_its_end():
    grid, start = tanh_grid(0.05), gaussian(PLACES, WIDTH, 1, 0.5)
    times, densities = evolve(grid, start, 0.1, 7, record=3)
    np.testing.assert_allclose(times, [0, 0.3, 0.6, 0.7], rtol=1e-14)
    np.testing.assert_array_equal(densities[0], start)
    np.testing.assert_array_equal(evolve(grid, densities[1], 0.1, 4)[1][-1], densities[-1])
    assert evolve(grid, start, 0.1, 0)[1].shape == (1, 400)


# What is refused


def test_a_domain_that_is_too_short_is_refused():
    places, width = cells(-2, 2, 100)
    grid = Grid(3 * np.tanh(np.outer(places, X)), Squared(TARGET, 8), 0.025 * places**2, width, 0.05)
    with pytest.raises(ValueError, match=r"the domain must be long enough .* but there it is \d+\.\d% of its peak"):
        grid.optimum()
    with pytest.raises(ValueError, match="the domain must be long enough"):
        evolve(grid, gaussian(places, width, 0, 0.01), 0.1, 100)


def test_without_confinement_there_is_no_optimum_in_any_room():
    with pytest.raises(ValueError, match="make more room, or confine it more"):
        replace(tanh_grid(0.05), confinement=np.zeros(400)).optimum()


DENSITY = gaussian(PLACES, WIDTH, 0, 1)
STEP = {"density": DENSITY, "potential": PLACES**2, "width": WIDTH, "temperature": 0.1, "time": 0.1}
GRID = {
    "features": np.tanh(np.outer(PLACES, X)),
    "loss": Squared(TARGET),
    "confinement": PLACES**2,
    "width": WIDTH,
    "temperature": 0.1,
}
EVOLVE = {"grid": Grid(**GRID), "density": DENSITY, "time": 0.1, "steps": 3}


@pytest.mark.parametrize("bad", [0, -0.1, np.nan, np.inf, True, "one", None, HUGE, [0.1]])
@pytest.mark.parametrize(
    ("call", "good", "name"),
    [
        *((step, STEP, name) for name in ("width", "temperature", "time")),
        *(
            (gibbs, {"potential": PLACES, "width": WIDTH, "temperature": 0.1}, name)
            for name in ("width", "temperature")
        ),
        *((Grid, GRID, name) for name in ("width", "temperature")),
        (kl, {"p": DENSITY, "q": DENSITY, "width": WIDTH}, "width"),
        (renyi, {"p": DENSITY, "q": DENSITY, "width": WIDTH, "order": 2.0}, "order"),
        (evolve, EVOLVE, "time"),
    ],
)
def test_a_number_that_is_not_positive_is_named(call, good, name, bad):
    with pytest.raises(ValueError, match=f"^{name} must be a finite number > 0") as caught:
        call(**{**good, name: bad})
    assert "\n" not in str(caught.value)


NEGATIVE = DENSITY - 0.01


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: step(**{**STEP, "density": NEGATIVE}), "density must be >= 0, but its least value is -0.01"),
        (lambda: step(**{**STEP, "density": 2 * DENSITY}), "density must have mass 1, but it has 2"),
        (lambda: step(**{**STEP, "density": DENSITY[:9]}), "density must have shape (..., 400), a value for each cell"),
        (lambda: step(**{**STEP, "potential": 3.0}), "potential must have shape (..., q) with q >= 2"),
        (lambda: step(**{**STEP, "potential": PLACES * np.nan}), "potential must be finite"),
        (lambda: step(**{**STEP, "density": ["a"] * 400}), "density must be an array of real numbers"),
        (
            lambda: step(np.stack([DENSITY] * 2), np.stack([PLACES] * 3), WIDTH, 0.1, 0.1),
            "density and potential must be of the same runs",
        ),
        (lambda: step(**{**STEP, "time": 1e308}), "time must be small enough"),
        (lambda: kl(DENSITY, NEGATIVE, WIDTH), "q must be >= 0"),
        (lambda: kl(DENSITY / 2, DENSITY, WIDTH), "p must have mass 1, but it has 0.5"),
        (lambda: kl(np.stack([DENSITY] * 2), np.stack([DENSITY] * 3), WIDTH), "p and q must be of the same runs"),
        (lambda: renyi(DENSITY, DENSITY, WIDTH, 1.0), "order must be > 1, but it is 1; in the limit 1"),
        (lambda: cells(1, 1, 10), "low and high must be numbers, low < high, but they are 1.0 and 1.0"),
        (lambda: cells(0, [1, 2], 10), "low and high must be numbers"),
        (lambda: cells(0, np.inf, 10), "high must be finite"),
        (lambda: cells(0, 1, 1), "number must be a whole number >= 2"),
        (lambda: cells(0, 1, 10**30), "number must be a whole number >= 2 and <="),
        (lambda: Grid(**{**GRID, "loss": np.zeros(8)}), "loss must be losses.Squared or losses.Logistic"),
        (lambda: Grid(**{**GRID, "loss": Squared(np.zeros(5))}), "features must have shape (q, n), confinement (q,)"),
        (lambda: Grid(**{**GRID, "confinement": PLACES[:9]}), "features must have shape (q, n), confinement (q,)"),
        (lambda: Grid(**{**GRID, "features": np.full((400, 8), np.nan)}), "features must be finite"),
        (lambda: Grid(**GRID).free_energy(NEGATIVE), "density must be >= 0"),
        (lambda: Grid(**GRID).gap(2 * DENSITY), "density must have mass 1"),
        (lambda: Grid(**GRID).energy(DENSITY[:9]), "density must have shape (..., 400)"),
        (lambda: Grid(**GRID).dual(np.zeros(5)), "residual must have shape (..., 8)"),
        (lambda: Grid(**GRID).dual(np.full(8, np.nan)), "q must be finite"),
        (lambda: Grid(**GRID).dual(np.full(8, 1e308)), "q must be small enough"),
        (lambda: evolve(**{**EVOLVE, "grid": 3}), "grid must be a Grid, but it is 3"),
        (lambda: evolve(**{**EVOLVE, "density": NEGATIVE}), "density must be >= 0"),
        (lambda: evolve(**{**EVOLVE, "steps": 2.5}), "steps must be a whole number >= 0"),
        (lambda: evolve(**EVOLVE, record=0), "record must be a whole number >= 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match="^" + re.escape(words)):
        call()


def test_what_a_grid_holds_cannot_be_changed_from_outside():
    features = np.tanh(np.outer(PLACES, X))
    grid = Grid(**{**GRID, "features": features})
    before = grid.energy(DENSITY)
    features[:] = 0
    assert grid.energy(DENSITY) == before
    with pytest.raises(ValueError, match="read-only"):
        grid.features[0] = 1
