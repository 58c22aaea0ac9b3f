"""Digits: a real data set, split fairly, and particles that classify it no worse than an MLP of the same width."""

import numpy as np
import pytest

from mfcourse.experiments import digits


def test_the_split_is_a_partition_with_labels_of_both_signs():
    x, x_test, y, y_test = digits.split(3, seed=0)
    assert len(x) + len(x_test) == 1797
    assert set(np.unique(y)) == set(np.unique(y_test)) == {-1.0, 1.0}
    assert abs(np.mean(y == 1) - np.mean(y_test == 1)) < 0.01
    assert x.min() == 0
    assert x.max() == 1


def test_particles_are_at_most_one_point_behind_an_mlp_of_the_same_width():
    rows = [digits.accuracies(digit=8, m=200, seed=seed) for seed in (0, 1, 2)]
    particles, mlp, linear = (np.mean([r[key] for r in rows]) for key in ("particles", "mlp", "logistic_regression"))
    assert particles >= mlp - 0.01
    assert particles > linear


def test_an_unknown_digit_is_named():
    with pytest.raises(ValueError, match="digit must be a whole number >= 0 and <= 9"):
        digits.split(10, seed=0)
