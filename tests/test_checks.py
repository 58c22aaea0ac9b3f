"""What the checks let through, unchanged, and what they turn away, with a message that helps."""

from fractions import Fraction

import numpy as np
import pytest

from mfcourse import checks


@pytest.mark.parametrize("values", [[1, 2], (1.5, -2.0), np.array([True, False]), np.array([3, 4], np.uint8), 7, []])
def test_finite_turns_real_numbers_into_float64(values):
    checked = checks.finite("x", values)
    assert checked.dtype == np.float64
    np.testing.assert_array_equal(checked, values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finite_returns_float_arrays_as_they_are(dtype):
    values = np.ones((2, 3), dtype)
    assert checks.finite("x", values) is values


@pytest.mark.parametrize("values", ["abc", None, [1j], [[1], [1, 2]], [object()], {"a": 1}])
def test_finite_names_what_is_no_array_of_real_numbers(values):
    with pytest.raises(ValueError, match=r"^speed must be an array of real numbers, but it is "):
        checks.finite("speed", values)


def test_finite_shortens_what_it_quotes():
    with pytest.raises(ValueError, match="speed") as caught:
        checks.finite("speed", "a" * 1000)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finite_points_at_the_first_entry_that_is_not(bad):
    values = np.zeros((2, 3))
    values[1, 1:] = bad
    with pytest.raises(ValueError, match=rf"^x must be finite, but its entry \(1, 1\) is {bad}$"):
        checks.finite("x", values)


def test_finite_refuses_a_single_nan():
    with pytest.raises(ValueError, match=r"x must be finite.* nan$"):
        checks.finite("x", np.nan)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(3), Fraction(1, 3), 1e300])
def test_positive_returns_a_python_float(value):
    checked = checks.positive("x", value)
    assert type(checked) is float
    assert checked == float(value)


def test_positive_accepts_zero_only_when_told_to():
    assert checks.positive("x", 0, or_zero=True) == 0
    with pytest.raises(ValueError, match=r"^x must be a finite number > 0, but it is 0$"):
        checks.positive("x", 0)


HUGE = pytest.param(10**400, id="10**400")


@pytest.mark.parametrize("value", [-1, -1e-300, np.nan, np.inf, -np.inf, "1", None, 1j, [1.0], HUGE])
@pytest.mark.parametrize(("or_zero", "allowed"), [(False, "> 0"), (True, ">= 0")])
def test_positive_says_what_is_allowed(value, or_zero, allowed):
    with pytest.raises(ValueError, match=f"^lam must be a finite number {allowed}, but it is "):
        checks.positive("lam", value, or_zero)


@pytest.mark.parametrize(("value", "at_least"), [(1, 1), (np.int32(7), 1), (0, 0), (-2, -2), (10**30, 5)])
def test_count_returns_a_python_int(value, at_least):
    checked = checks.count("m", value, at_least)
    assert type(checked) is int
    assert checked == value


@pytest.mark.parametrize(
    ("value", "at_least"), [(0, 1), (-1, 0), (4, 5), (2.0, 1), ("2", 1), (None, 1), (True, 1), (False, 0), (np.nan, 1)]
)
def test_count_says_what_is_allowed(value, at_least):
    with pytest.raises(ValueError, match=f"^m must be a whole number >= {at_least}, but it is "):
        checks.count("m", value, at_least)


@pytest.mark.parametrize(
    "values", [[3, 1, 3], (3, 1), np.array([3, 1, 1]), range(3, 0, -2), iter([3, 1]), {3: 0, 1: 0}]
)
def test_counts_are_each_there_once_and_in_their_order(values):
    found = checks.counts("seeds", values)
    assert found == [3, 1]
    assert {type(number) for number in found} == {int}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "seeds must hold at least one whole number >= 0, but there is none"),
        (np.array([]), "seeds must hold at least one whole number >= 0, but there is none"),
        (5, "seeds must be a list of whole numbers >= 0, but it is 5"),
        (np.float64(5), "seeds must be a list of whole numbers >= 0, but it is "),
        ("05", "seeds must be a list of whole numbers >= 0, but it is '05'"),
        (None, "seeds must be a list of whole numbers >= 0, but it is None"),
        ([1, True], "seeds must be a whole number >= 0, but it is True"),
        ([2, 2.0], "seeds must be a whole number >= 0, but it is 2.0"),
        ([0, -1], "seeds must be a whole number >= 0, but it is -1"),
        ([[0, 1]], r"seeds must be a whole number >= 0, but it is \[0, 1\]"),
    ],
)
def test_counts_says_what_is_allowed(values, words):
    with pytest.raises(ValueError, match=words):
        checks.counts("seeds", values, at_least=0)


def test_one_of_returns_an_allowed_name():
    assert checks.one_of("metric", "conic", ("euclidean", "conic")) == "conic"


@pytest.mark.parametrize("value", ["Conic", "", None, 3])
def test_one_of_lists_the_allowed_names(value):
    with pytest.raises(ValueError, match=f"^metric must be one of 'euclidean', 'conic', but it is {value!r}$"):
        checks.one_of("metric", value, ("euclidean", "conic"))


@pytest.mark.parametrize("runs", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_particles_of_one_run_or_a_stack_pass_unchanged(runs, dtype):
    w, theta = np.zeros((*runs, 4), dtype), np.ones((*runs, 4, 2), dtype)
    checked = checks.particles(w, theta, 2)
    assert checked[0] is w
    assert checked[1] is theta


def test_particles_may_be_lists_of_whole_numbers():
    w, theta = checks.particles([1, 2], [[0], [1]])
    assert w.dtype == theta.dtype == np.float64


def test_particles_are_not_searched_for_nan():
    w, theta = checks.particles(np.array([np.nan]), np.array([[np.inf]]))
    assert np.isnan(w).all()
    assert np.isinf(theta).all()


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_particles_need_at_least_one_weight(shape):
    with pytest.raises(ValueError, match=r"^w must have shape \(\.\.\., m\) with m >= 1 particles, but its shape is"):
        checks.particles(np.zeros(shape), np.zeros((*shape, 1)))


@pytest.mark.parametrize("shape", [(4,), (3, 1), (1, 4, 1), (4, 2, 1), ()])
def test_particles_need_one_position_for_each_weight(shape):
    with pytest.raises(ValueError, match=r"^theta must have shape \(4, 'd'\)|^theta must have shape \(4, 1\)"):
        checks.particles(np.zeros(4), np.zeros(shape), 1)


@pytest.mark.parametrize(("coordinates", "dimension"), [(1, 2), (3, 2), (0, None)])
def test_particles_and_points_need_the_right_number_of_coordinates(coordinates, dimension):
    wrong = np.zeros((4, coordinates))
    with pytest.raises(ValueError, match=rf"^theta must have shape .*{dimension or 'd'}\).*\(4, {coordinates}\)$"):
        checks.particles(np.zeros(4), wrong, dimension)
    with pytest.raises(ValueError, match=rf"^at must have shape .*{dimension or 'd'}\).*\(4, {coordinates}\)$"):
        checks.points("at", wrong, dimension)


@pytest.mark.parametrize("shape", [(), (3,)])
def test_points_keep_their_last_axis_in_one_dimension(shape):
    with pytest.raises(ValueError, match=r"^at must have shape .*coordinates on the last axis"):
        checks.points("at", np.zeros(shape))


@pytest.mark.parametrize("shape", [(5, 2), (3, 5, 2), (0, 2)])
def test_points_pass_unchanged(shape):
    values = np.zeros(shape)
    assert checks.points("at", values) is values
    assert checks.points("at", values, 2) is values


@pytest.mark.parametrize("bad", [["a", "b"], [1j, 2], [None, None]])
def test_particles_and_points_are_numbers(bad):
    with pytest.raises(ValueError, match=r"^w must be an array of real numbers"):
        checks.particles(bad, np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"^at must be an array of real numbers"):
        checks.points("at", [[x] for x in bad])
