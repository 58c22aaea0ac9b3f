"""What `mfcourse reproduce` measures after the paper agrees with what the chapters derive."""

import json

import numpy as np
import pytest

from mfcourse.beyond import measurements


def by(found, method, *keys):
    """{values of the keys: record} of one method."""
    chosen = [record for record in found if record["method"] == method]
    return {tuple(record[key] for key in keys): record for record in chosen}


@pytest.fixture(scope="module")
def sgd():
    return measurements.sgd(quick=True)


@pytest.fixture(scope="module")
def noise():
    return measurements.noise(seeds=[3], quick=True, sizes=[10, 100])


def test_the_chain_approaches_the_effective_equation_like_one_over_root_n_and_not_the_gradient_flow(sgd):
    paths = by(sgd, "paths", "dimension")
    near = {n: record["distance"] for (n,), record in paths.items()}
    assert near[50] / near[400] == pytest.approx(np.sqrt(8), rel=0.35)
    assert near[400] < 0.09 < 0.15 < paths[400,]["distance_from_flow"]


def test_noisy_labels_leave_the_floor_that_is_exact_for_every_dimension(sgd):
    for (c, n), record in by(sgd, "floor", "c", "dimension").items():
        if c < 1.5:  # near the pole the mean over so few runs is rough
            exact = c * measurements.NOISY**2 / (2 - c * (1 + 2 / n))
            assert record["risk"] == pytest.approx(exact, rel=0.05)
        assert record["predicted"] == pytest.approx(c / 4 / (2 - c))


def test_runs_are_lost_from_a_sixth_on_and_fewer_below_it_in_higher_dimension(sgd):
    share = {key: record["share"] for key, record in by(sgd, "lost", "dimension", "c").items()}
    assert share[200, 0.1] == 0
    assert share[50, 0.14] > share[200, 0.14] + 0.1
    assert min(share[n, c] for n in (50, 200) for c in (1 / 6, 0.2)) > 0.6


def test_noise_costs_about_half_the_temperature(noise):
    for (temperature,), record in by(noise, "optimum", "temperature").items():
        assert record["gap"] <= 1e-12
        assert 0.4 < record["price"] / temperature < 0.52


def test_the_flow_stays_between_its_bounds(noise):
    flow = by(noise, "flow", "time")
    assert all(r["lower"] <= r["excess"] * (1 + 1e-6) <= r["gap"] * (1 + 1e-6) for r in flow.values())
    assert flow[60.0,]["excess"] < 1e-6 * flow[0.0,]["excess"]


def test_noisy_particles_are_some_fifty_times_closer_than_independent_draws(noise):
    for m in (10, 100):
        ratio = by(noise, "independent", "m")[m,]["error"] / by(noise, "particles", "m")[m,]["error"]
        assert 30 < ratio < 80
        assert m * by(noise, "independent", "m")[m,]["error"] == pytest.approx(3.786, abs=2e-3)


@pytest.fixture(scope="module")
def forgetting():
    return measurements.forgetting(seeds=[1], quick=True)


def test_an_attack_stays_below_its_bound_and_fades_with_steps_and_with_public_images(forgetting):
    attacks = by(forgetting, "attack", "public", "steps")
    for record in attacks.values():
        assert (
            record["attack"] <= record["bound"] + 4 * 0.041
        )  # 100 against 100: sqrt(201 / (12 * 100 * 100)) by chance
    auc = {key: record["attack"] for key, record in attacks.items()}
    assert auc[0, 0] > 0.98 > 0.85 > auc[1000, 0]
    assert max(auc[0, 60], auc[1000, 60]) < 0.5 + 4 * 0.041


def test_a_promise_costs_accuracy_where_there_is_no_public_data(forgetting):
    accuracy = {public: record["accuracy"] for (public,), record in by(forgetting, "price", "public").items()}
    assert accuracy[0] < accuracy[200] - 0.04 < accuracy[1000] - 0.08
    temperature = {public: record["temperature"] for (public,), record in by(forgetting, "price", "public").items()}
    assert temperature[0] / temperature[1000] == pytest.approx(36)


def test_the_exact_leak_follows_the_law_of_all_data(forgetting):
    leak = {public: record["divergence"] for (public,), record in by(forgetting, "leak", "public").items()}
    for public in (200, 1600, 25600):
        assert leak[public] / leak[0] == pytest.approx((1 + public / 200) ** -2, rel=0.04)


@pytest.mark.parametrize("name", measurements.MEASUREMENTS)
def test_records_can_be_written_and_seeds_are_looked_at(name, request):
    found = request.getfixturevalue(name)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    with pytest.raises(ValueError, match="seeds"):
        measurements.MEASUREMENTS[name](seeds=[-1])
