"""Fourier features behind a point-spread function: gains multiply every coefficient, and certificates stay proofs."""

import numpy as np
import pytest

from mfcourse import problems
from mfcourse.features import Fourier
from mfcourse.losses import Squared
from mfcourse.risks import FeatureRisk


def filtered(cutoff, dimension, seed=0):
    """A plain map, gains of both signs that differ for cosines and sines, and the map that has them."""
    plain = Fourier(cutoff, dimension)
    gains = np.random.default_rng(seed).normal(size=plain.size)
    return plain, gains, Fourier(cutoff, dimension, gains)


@pytest.mark.parametrize(("cutoff", "dimension"), [(5, 1), (3, 2), (1, 3)])
def test_gains_multiply_every_coefficient_in_everything_a_map_does(cutoff, dimension):
    plain, gains, features = filtered(cutoff, dimension)
    rng = np.random.default_rng(1)
    w, theta, r = rng.normal(size=6), rng.uniform(size=(6, dimension)), rng.normal(size=features.size)
    close = {"rtol": 1e-12, "atol": 1e-11}
    np.testing.assert_allclose(features.push(w, theta), gains * plain.push(w, theta), **close)
    np.testing.assert_allclose(features.matrix(theta), gains[:, None] * plain.matrix(theta), **close)
    for ours, theirs in zip(features.pull(r, theta), plain.pull(gains * r, theta), strict=True):
        np.testing.assert_allclose(ours, theirs, **close)
    np.testing.assert_allclose(features.hessian(r, theta), plain.hessian(gains * r, theta), **close)
    np.testing.assert_allclose(features.survey(r, 16), plain.survey(gains * r, 16), **close)


@pytest.mark.parametrize(("cutoff", "dimension"), [(5, 1), (3, 2)])
def test_with_gains_peaks_are_proved_and_norms_are_bounds(cutoff, dimension):
    for seed in range(5):
        _, _, features = filtered(cutoff, dimension, seed)
        r = np.random.default_rng(seed).normal(size=features.size)
        at = np.random.default_rng(2).uniform(size=(20_000, dimension))
        values, places, proof = features.peaks(r)
        assert proof is True
        assert np.abs(features.pull(r, at)[0]).max() <= np.abs(values).max() * (1 + 1e-12)
        np.testing.assert_allclose(features.pull(r, places)[0], values, atol=1e-10)
        squares = np.einsum("kiki->ki", features.gram(at[:500], slopes=True))
        assert squares[0].max() <= features.norm_squared * (1 + 1e-12)
        assert squares[1:].max() <= features.slope_squared * (1 + 1e-12)


def test_gains_that_do_not_fit_or_let_nothing_through_are_refused_and_stacks_need_the_same():
    for gains, words in ((np.ones(5), "gains must have shape"), (np.zeros(7), "must not all be 0"), ([np.nan] * 7, "")):
        with pytest.raises(ValueError, match=words or "gains must be finite"):
            Fourier(3, gains=gains)
    both = np.ones(7), np.full(7, 2)
    one, other = (problems.Problem(FeatureRisk(Fourier(3, gains=g), Squared(np.ones(7))), 1.0) for g in both)
    assert problems.stack([one, one]).risk.features.gains is not None
    with pytest.raises(ValueError, match="problems must be one or more of the same kind, but 2 kinds"):
        problems.stack([one, other])
