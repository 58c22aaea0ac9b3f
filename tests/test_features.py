"""Fourier features: an orthonormal basis, adjoint push and pull, derivatives, and buffers that nobody sees."""

import copy
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mfcourse.features import Fourier

few = settings(deadline=None, max_examples=40)
hundredths = st.integers(-1000, 1000).map(lambda k: k / 100)
CUTOFF = {1: 7, 2: 3, 3: 2}  # small enough in d = 3
every_dimension = pytest.mark.parametrize("dimension", [1, 2, 3])


def basis(t, cutoff):
    """B(t) of NUMBERS.md: [1, sqrt2 cos(2 pi k t), sqrt2 sin(2 pi k t) for k = 1..cutoff] on a new last axis."""
    k = np.arange(1, cutoff + 1)
    angle = 2 * np.pi * k * np.mod(t, 1)[..., None]
    ones = np.ones((*angle.shape[:-1], 1))
    return np.concatenate([ones, 2**0.5 * np.cos(angle), 2**0.5 * np.sin(angle)], axis=-1)


def phi(theta, cutoff):
    """Products of the basis over the axes, shape (..., n); the last axis of the torus varies fastest."""
    total = basis(theta[..., 0], cutoff)
    for j in range(1, theta.shape[-1]):
        total = total[..., :, None] * basis(theta[..., j], cutoff)[..., None, :]
        total = total.reshape(*theta.shape[:-1], -1)
    return total


def example(dimension, runs=(), m=5, seed=0, dtype=np.float64):
    """Features with random particles and residuals."""
    rng = np.random.default_rng(seed)
    features = Fourier(CUTOFF[dimension], dimension)
    w, theta = rng.standard_normal((*runs, m)), rng.uniform(-1, 2, (*runs, m, dimension))
    residual = rng.standard_normal((*runs, features.size))
    return features, w.astype(dtype), theta.astype(dtype), residual.astype(dtype)


def everything(features, w, theta, residual):
    """All that features compute from particles and a residual, one array after the other."""
    return [
        features.push(w, theta),
        *features.pull(residual, theta),
        *features.push_pull(w, theta, lambda f: residual - f),
        features.hessian(residual, theta),
    ]


def assert_same(one, other, rtol=1e-12):
    for x, y in zip(one, other, strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * np.abs(y).max())


# The basis


@pytest.mark.parametrize("cutoff", range(1, 21))
def test_powers_by_doubling_are_cosines_and_sines(cutoff):
    close = [0.5 - 1e-9, 0.5 + 1e-9, np.nextafter(0.5, 0), np.nextafter(0.5, 1), -0.5, 1.5, 2.5, 1e-17, -1e-17, 0.25]
    t = np.r_[0, 0.5, 1, -3.25, 1e6 + 0.25, close, np.random.default_rng(0).uniform(-5, 5, 100), 2.0**40 + 0.125]
    values = Fourier(cutoff).matrix(t[:, None])
    np.testing.assert_allclose(values.T, basis(t, cutoff), rtol=0, atol=1e-12)


def test_positions_are_taken_modulo_one():
    t = np.random.default_rng(0).integers(0, 1024, (50, 2)) / 1024
    features = Fourier(4, 2)
    for turns in ([1, 0], [-3, 7], [10**6, -(10**6)]):
        assert_same([features.matrix(t + turns)], [features.matrix(t)])


@every_dimension
def test_features_list_the_products_of_the_basis_in_order(dimension):
    features, _, theta, _ = example(dimension)
    np.testing.assert_allclose(features.matrix(theta).T, phi(theta, features.cutoff), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("cutoff", "dimension"), [(1, 1), (7, 1), (20, 1), (1, 2), (3, 2), (1, 3)])
def test_features_are_orthonormal(cutoff, dimension):
    side = 2 * cutoff + 2  # the rectangle rule is exact for frequencies below the number of its points
    grid = np.indices((side,) * dimension).reshape(dimension, -1).T / side
    values = Fourier(cutoff, dimension).matrix(grid)
    np.testing.assert_allclose(values @ values.T / side**dimension, np.eye(len(values)), atol=1e-12)


@every_dimension
def test_norm_and_slope_are_the_same_everywhere(dimension):
    features, _, theta, _ = example(dimension, m=50)
    values, slopes = features.pull(np.eye(features.size), theta)
    assert values.shape == (features.size, 50)
    assert features.size == (2 * CUTOFF[dimension] + 1) ** dimension
    np.testing.assert_allclose((values**2).sum(axis=0), features.size, rtol=1e-12)
    np.testing.assert_allclose((slopes**2).sum(axis=0), features.slope_squared, rtol=1e-12)


def test_slope_on_the_circle_of_the_paper_is_that_of_the_reference():
    assert Fourier(7).size == 15
    assert Fourier(7).slope_squared == pytest.approx(8 * np.pi**2 * 140, rel=1e-15)


# Push and pull


@every_dimension
@pytest.mark.parametrize("runs", [(), (3,), (2, 3)])
def test_push_is_the_mean_of_weighted_features(dimension, runs):
    features, w, theta, _ = example(dimension, runs)
    expected = (w[..., None] * phi(theta, features.cutoff)).mean(axis=-2)
    assert_same([features.push(w, theta)], [expected])


@every_dimension
@pytest.mark.parametrize("runs", [(), (2,)])
@few
@given(data=st.data())
def test_push_is_the_adjoint_of_pull(dimension, runs, data):
    features = Fourier(2, dimension)
    m = data.draw(st.integers(1, 4))
    w = data.draw(arrays(float, (*runs, m), elements=hundredths))
    theta = data.draw(arrays(float, (*runs, m, dimension), elements=st.floats(-100, 100)))
    residual = data.draw(arrays(float, (*runs, features.size), elements=hundredths))
    potential, _ = features.pull(residual, theta)
    size = np.linalg.norm(residual, axis=-1) * np.abs(w).max(axis=-1) * features.size**0.5
    difference = np.vecdot(features.push(w, theta), residual) - (w * potential).mean(axis=-1)
    assert (np.abs(difference) <= 1e-12 * size).all()


@every_dimension
def test_push_pull_is_a_push_and_then_a_pull(dimension):
    features, w, theta, residual = example(dimension, (2,))
    prediction = features.push(w, theta)
    expected = [prediction, *features.pull(residual - 2 * prediction, theta)]
    assert_same(features.push_pull(w, theta, lambda f: residual - 2 * f), expected)


@every_dimension
@pytest.mark.parametrize("runs", [(), (2,)])
def test_the_gradient_is_the_slope_of_the_potential(dimension, runs):
    features, _, theta, residual = example(dimension, runs)
    _, gradient = features.pull(residual, theta)
    assert gradient.shape == theta.shape
    h = 1e-5
    for j, step in enumerate(h * np.eye(dimension)):
        ahead, behind = (features.pull(residual, theta + s * step)[0] for s in (1, -1))
        np.testing.assert_allclose(gradient[..., j], (ahead - behind) / (2 * h), atol=1e-6 * np.abs(gradient).max())


@every_dimension
@pytest.mark.parametrize("runs", [(), (2,)])
def test_the_hessian_is_the_slope_of_the_gradient(dimension, runs):
    features, _, theta, residual = example(dimension, runs)
    hessian = features.hessian(residual, theta)
    assert hessian.shape == (*theta.shape, dimension)
    np.testing.assert_allclose(hessian, np.swapaxes(hessian, -1, -2), rtol=1e-12, atol=1e-10)
    h = 1e-5
    for j, step in enumerate(h * np.eye(dimension)):
        ahead, behind = (features.pull(residual, theta + s * step)[1] for s in (1, -1))
        np.testing.assert_allclose(hessian[..., j], (ahead - behind) / (2 * h), atol=1e-6 * np.abs(hessian).max())


def test_a_pure_frequency_has_the_derivatives_of_a_cosine():
    t, k = np.linspace(-1, 1, 41), 3
    residual = np.zeros(15)
    residual[k] = 1
    features = Fourier(7)
    potential, gradient = features.pull(residual, t[:, None])
    speed = 2 * np.pi * k
    np.testing.assert_allclose(potential, 2**0.5 * np.cos(speed * t), atol=1e-12)
    np.testing.assert_allclose(gradient[:, 0], -(2**0.5) * speed * np.sin(speed * t), atol=1e-10)
    hessian = features.hessian(residual, t[:, None])
    np.testing.assert_allclose(hessian[:, 0, 0], -(speed**2) * potential, atol=1e-9)


@every_dimension
def test_matrix_holds_features_as_columns(dimension):
    features, w, theta, residual = example(dimension)
    values = features.matrix(theta)
    assert_same([residual @ values], [features.pull(residual, theta)[0]])
    assert_same([values @ w / len(w)], [features.push(w, theta)])


@pytest.mark.parametrize("gains", [False, True])
@every_dimension
def test_gram_holds_all_inner_products_of_features_and_slopes(dimension, gains):
    features, _, theta, _ = example(dimension)
    if gains:
        drawn = np.random.default_rng(3).normal(size=features.size)
        features = Fourier(features.cutoff, dimension, drawn)
    values, slopes = features.pull(np.eye(features.size), np.tile(theta, (features.size, 1, 1)))
    columns = np.concatenate([values[..., None], slopes], axis=-1)
    assert_same([features.gram(theta)], [values.T @ values])
    assert_same([features.gram(theta, slopes=True)], [np.einsum("nik,njl->kilj", columns, columns)])


# Stacks


@every_dimension
@pytest.mark.parametrize("runs", [(1,), (4,), (2, 3)])
def test_a_stack_is_a_loop(dimension, runs):
    features, w, theta, residual = example(dimension, runs)
    stacked = everything(features, w, theta, residual)
    for run in np.ndindex(runs):
        looped = everything(features, w[run], theta[run], residual[run])
        assert_same([array[run] for array in stacked], looped)


@every_dimension
@pytest.mark.parametrize("runs", [(4,), (2, 3)])
def test_points_are_shared_by_a_stack_of_residuals(dimension, runs):
    features, _, _, residual = example(dimension, runs)
    at = np.random.default_rng(1).uniform(size=(6, dimension))
    stacked = [*features.pull(residual, at), features.hessian(residual, at)]
    assert stacked[0].shape == (*runs, 6)
    assert stacked[1].shape == (*runs, 6, dimension)
    for run in np.ndindex(runs):
        looped = [*features.pull(residual[run], at), features.hessian(residual[run], at)]
        assert_same([array[run] for array in stacked], looped)


@every_dimension
def test_a_residual_is_shared_by_a_stack_of_points(dimension):
    features, _, theta, residual = example(dimension, (4,))
    potential, gradient = features.pull(residual[0], theta)
    for run in range(4):
        assert_same([potential[run], gradient[run]], features.pull(residual[0], theta[run]))


# Buffers


@every_dimension
def test_results_outlive_the_next_call_and_inputs_stay_as_they_are(dimension):
    features, w, theta, residual = example(dimension)
    inputs = [w.copy(), theta.copy(), residual.copy()]
    results = [*everything(features, w, theta, residual), features.matrix(theta)]
    kept = [array.copy() for array in results]
    everything(*example(dimension, seed=1))
    everything(features, *example(dimension, seed=1)[1:])
    features.matrix(theta + 0.3)
    for array, copied in zip([*results, w, theta, residual], [*kept, *inputs], strict=True):
        np.testing.assert_array_equal(array, copied)


def test_results_can_be_written_to():
    features, w, theta, residual = example(2)
    expected = [array.copy() for array in everything(features, w, theta, residual)]
    for array in everything(features, w, theta, residual):
        array[:] = np.nan
    for array, again in zip(expected, everything(features, w, theta, residual), strict=True):
        np.testing.assert_array_equal(array, again)


@every_dimension
def test_shapes_and_types_may_change_from_call_to_call(dimension):
    features = Fourier(CUTOFF[dimension], dimension)
    calls = itertools.product([(), (3,), (2, 2)], [4, 12], [np.float32, np.float64])
    for runs, m, dtype in calls:
        fresh, w, theta, residual = example(dimension, runs, m, dtype=dtype)
        for used, new in zip(
            everything(features, w, theta, residual), everything(fresh, w, theta, residual), strict=True
        ):
            np.testing.assert_array_equal(used, new)


def test_another_thread_does_not_disturb_a_push_pull_under_way():
    features, w, theta, residual = example(2)
    _, other_w, other_theta, _ = example(2, seed=1)
    expected = features.push_pull(w, theta, lambda f: residual - f)
    with ThreadPoolExecutor(1) as pool:

        def respond(f):
            pool.submit(features.push, other_w, other_theta).result()
            return residual - f

        assert_same(features.push_pull(w, theta, respond), expected)


def test_many_threads_share_one_feature_map():
    features = Fourier(CUTOFF[2], 2)
    inputs = [example(2, m=300, seed=seed)[1:] for seed in range(40)]
    expected = [everything(Fourier(CUTOFF[2], 2), *state) for state in inputs]
    with ThreadPoolExecutor(4) as pool:
        for got, wanted in zip(pool.map(lambda state: everything(features, *state), inputs), expected, strict=True):
            assert_same(got, wanted)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@every_dimension
def test_a_copy_computes_the_same(dimension, duplicate):
    features, *state = example(dimension)
    expected = everything(features, *state)
    twin = duplicate(features)
    assert (twin.cutoff, twin.dimension, twin.size) == (features.cutoff, features.dimension, features.size)
    assert_same(everything(twin, *state), expected)
    assert_same(everything(features, *state), expected)


def test_a_pickle_does_not_carry_the_buffers():
    features, *state = example(1, m=1000)
    before = len(pickle.dumps(features))
    everything(features, *state)
    assert len(pickle.dumps(features)) == before


# Types and layouts


@every_dimension
def test_float32_particles_give_float32_results(dimension):
    state = example(dimension, (2,), m=20, dtype=np.float32)
    single = everything(*state)
    double = everything(state[0], *(array.astype(float) for array in state[1:]))
    assert {array.dtype for array in single} == {np.dtype(np.float32)}
    for x, y in zip(single, double, strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-5 * np.abs(y).max())


@every_dimension
@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
        lambda x: np.flip(np.flip(x, 0).copy(), 0),
        lambda x: np.broadcast_to(x, (1, *x.shape))[0],
    ],
    ids=["fortran", "strided", "backwards", "read-only"],
)
def test_the_layout_of_the_inputs_does_not_matter(dimension, layout):
    features, *state = example(dimension, (3,))
    assert_same(everything(features, *map(layout, state)), everything(features, *state))


def test_inputs_may_be_lists_of_whole_numbers():
    features = Fourier(1)
    assert_same([features.push([1, 2], [[0], [1]])], [1.5 * np.array([1, 2**0.5, 0])])
    residual, at = [0, 1, 2], [[0.1], [0.7]]
    assert_same(features.pull(residual, at), features.pull(np.array(residual, float), np.array(at)))
    assert_same([features.hessian(residual, at)], [features.hessian(np.array(residual, float), np.array(at))])


# What is refused


@pytest.mark.parametrize("bad", [0, -1, 2.5, "3", None, True])
def test_cutoff_and_dimension_are_whole_numbers_from_one(bad):
    with pytest.raises(ValueError, match=r"^cutoff must be a whole number >= 1"):
        Fourier(bad)
    with pytest.raises(ValueError, match=r"^dimension must be a whole number >= 1"):
        Fourier(3, bad)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3), (5, 2), (2, 4, 2)])
def test_positions_have_one_row_for_each_weight_and_one_column_for_each_axis(shape):
    features, w, theta = Fourier(2, 2), np.zeros(4), np.zeros(shape)
    for compute in (features.push, lambda w, theta: features.push_pull(w, theta, np.negative)):
        with pytest.raises(ValueError, match=r"^theta must have shape"):
            compute(w, theta)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3)])
def test_points_have_one_column_for_each_axis(shape):
    features = Fourier(2, 2)
    for compute in (features.pull, features.hessian):
        with pytest.raises(ValueError, match=r"^theta must have shape"):
            compute(np.zeros(25), np.zeros(shape))


def test_a_push_needs_a_particle():
    with pytest.raises(ValueError, match=r"^w must have shape"):
        Fourier(2).push(np.zeros(0), np.zeros((0, 1)))


@pytest.mark.parametrize("shape", [(), (4,), (6,), (5, 1)])
def test_a_residual_has_one_entry_for_each_feature(shape):
    features, theta = Fourier(2), np.zeros((3, 1))
    for compute in (features.pull, features.hessian):
        with pytest.raises(ValueError, match=r"^residual must have shape \(\.\.\., 5\), but its shape is"):
            compute(np.zeros(shape), theta)
    with pytest.raises(ValueError, match=r"^residual must have shape"):
        features.push_pull(np.zeros(3), theta, lambda f: np.zeros(shape))


@pytest.mark.parametrize(("dimension", "runs"), [(1, ()), (1, (2,)), (2, ()), (3, (2,))])
def test_a_survey_is_the_potential_on_a_regular_grid(dimension, runs):
    """The grid of the certificates: by products of tables, one for each axis, and point by point."""
    features, side = Fourier(3, dimension), 9
    residual = np.random.default_rng(0).normal(size=(*runs, features.size))
    axes = np.meshgrid(*[np.arange(side) / side] * dimension, indexing="ij")
    points = np.stack(axes, axis=-1).reshape(-1, dimension)
    points = np.broadcast_to(points, (*runs, *points.shape))
    grid = features.survey(residual, side)
    assert grid.shape == (*runs, *[side] * dimension)
    np.testing.assert_allclose(grid.reshape(*runs, -1), features.pull(residual, points)[0], rtol=1e-12, atol=1e-12)
