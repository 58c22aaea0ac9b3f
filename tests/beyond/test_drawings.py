"""The pictures of `mfcourse reproduce` after the paper show the numbers of the records, and fit."""

import numpy as np
import pytest

from mfcourse.beyond import drawings, measurements

pytestmark = pytest.mark.usefixtures("course_style")


def line(ax, label):
    (found,) = [item for item in ax.get_lines() if item.get_label() == label]
    return found.get_xydata()


def test_the_picture_of_sgd_shows_medians_over_seeds():
    paths = {"problem": "square", "method": "paths", "c": 0.1, "distance_from_flow": 0.2}
    found = [
        *({**paths, "dimension": n, "seed": s, "distance": s / n} for n in (50, 100, 200) for s in (1, 2, 6)),
        {"problem": "linear", "method": "floor", "c": 1.0, "dimension": 9, "seed": 0, "risk": 0.3, "predicted": 0.25},
        *({"method": "lost", "dimension": n, "c": c, "share": c * n / 100} for n in (50, 100) for c in (0.1, 0.2)),
    ]
    fig = drawings.sgd(found)
    fig.canvas.draw()  # warnings, such as a layout that does not fit, are errors
    left, middle, right = fig.axes
    np.testing.assert_allclose(line(left, "from the effective equation"), [(50, 0.04), (100, 0.02), (200, 0.01)])
    np.testing.assert_allclose(line(middle, "SGD, in the mean"), [(1, 0.3)])
    at, floor = line(middle, "c τ² / (2 − c)").T
    np.testing.assert_allclose(np.interp(1, at, floor), 0.25, rtol=1e-3)
    np.testing.assert_allclose(line(right, "N = 100"), [(0.1, 0.1), (0.2, 0.2)])


def test_the_picture_of_noise_shows_prices_bounds_and_errors():
    found = measurements.noise(seeds=[0], quick=True, sizes=[2, 4])
    fig = drawings.noise(found)
    fig.canvas.draw()
    left, middle, right = fig.axes
    prices = {r["temperature"]: r["price"] for r in found if r["method"] == "optimum"}
    np.testing.assert_allclose(line(left, "F(μ*) − min F"), sorted(prices.items()))
    for name in ("the certificate τ KL(μ | p)", "L(μ) − min L", "τ KL(μ | μ*)"):
        assert len(line(middle, name)) == 31
    assert line(right, "noisy particles")[:, 0].tolist() == [2, 4]


def test_the_picture_of_forgetting_shows_attacks_leaks_and_prices():
    attacks = [
        {"problem": "digits", "method": "attack", "public": n, "steps": k, "bound": 1.0, "attack": a, "accuracy": 0.8}
        for n in (0, 200, 1000)
        for k, a in ((0, 0.9), (20, 0.6))
    ]
    leaks = [
        {"method": "leak", "public": n, "private": 200, "divergence": 1 / (1 + n / 200) ** 2} for n in range(0, 999, 99)
    ]
    prices = [{"method": "price", "public": n, "accuracy": 0.6 + n / 10000} for n in (0, 200, 1000)]
    fig = drawings.forgetting(attacks + leaks + prices)
    fig.canvas.draw()
    left, middle, right = fig.axes
    np.testing.assert_allclose(line(left, "200 public"), [(0, 0.9), (20, 0.6)])
    np.testing.assert_allclose(line(middle, "exact"), line(middle, "(1 + public / private)⁻²"))
    np.testing.assert_allclose(line(right, "with the noise that is needed"), [(0, 0.6), (200, 0.62), (1000, 0.7)])
    np.testing.assert_allclose(line(right, "with hardly any noise")[:, 1], 0.8)
