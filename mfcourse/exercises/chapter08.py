"""Checks for chapter 8, partially one-homogeneous problems."""

import numpy as np
from scipy.ndimage import label

from mfcourse import problems
from mfcourse.exercises import as_array, as_particles, exercise, shown
from mfcourse.features import Fourier
from mfcourse.intervals import Cosines


def _passage(support):
    """Whether some path over free squares leads from the bottom row to the top: labels on many turns side by side."""
    turns, _ = label(~np.tile(support, (1, len(support))))
    found = set(turns[0]) & set(turns[-1])
    return bool(found - {0})


def _supports():
    """Sets in a strip of 7 heights and 12 places around the circle, with what is special about each."""
    empty = np.zeros((7, 12), dtype=bool)
    ring, hole, stair, joined = (empty.copy() for _ in range(4))
    ring[3] = hole[3] = True
    hole[3, 5] = False
    stair[2, :6] = stair[4, 6:] = True
    joined[2, :6] = joined[4, 6:] = True
    joined[2:5, 5] = joined[2:5, 6] = joined[2:5, 0] = joined[2:5, 11] = True
    seam = empty.copy()
    seam[1:6, 3] = seam[1:6, 9] = True
    seam[5, 3:10] = True
    seam[1, 9:] = seam[1, :4] = True
    gate = empty.copy()
    gate[0:5, 0] = gate[5, 1:] = gate[4, 1] = True
    bend = empty.copy()
    bend[1, 1:] = bend[5, :6] = bend[5, 7:] = True
    bend[2:4, [1, 11]] = bend[3:5, [3, 9]] = True
    yield "the empty set", empty
    yield "a whole row", ring
    yield "a row with a hole", hole
    yield "a staircase of two halves, with mass at every place,", stair
    yield "a staircase whose steps are joined", joined
    yield "a bent ring without a whole row", seam
    yield "a wall with a passage that crosses the seam", gate
    yield "a wall with a passage that leads up, down and up again", bend
    rng = np.random.default_rng(0)
    for k in range(40):
        yield f"random set {k}", rng.random((9, 9)) < 0.5


@exercise("8.1")
def check_separates(separates):
    """`separates(support)` is True if no path over free squares, around the circle too, leads from bottom to top."""
    for name, support in _supports():
        answer = separates(support.copy())
        assert isinstance(answer, bool | np.bool_), f"separates returns True or False; yours is {shown(answer):.60}."
        wanted = not _passage(support)
        assert answer == wanted, (
            f"{name[0].upper()}{name[1:]} {'separates' if wanted else 'does not separate'}, and yours says the "
            "opposite. Which squares can be reached from the bottom row, step by step, up, down, left and right? "
            "The first and the last column are neighbours."
        )


@exercise("8.2")
def check_wall_slope(wall_slope):
    """`wall_slope(features)` is the largest |<f, phi>'| at a wall over all f with |f| = 1: max |phi'| at 0 and 1."""
    lists = (range(8), np.arange(8) + 0.5, 0.9 * np.arange(8), [0, 1, 2.25], [3, 0.5, 1.2])
    for frequencies in lists:
        rates = np.pi * np.asarray(frequencies, dtype=float)
        wanted = np.sqrt(2 * (rates**2 * np.sin(rates) ** 2).sum())
        answer = as_array(wall_slope(Cosines(frequencies)), "wall_slope returns one number", ())
        assert abs(answer - wanted) < 1e-6, (
            f"For the frequencies {[round(float(f), 2) for f in frequencies]} the steepest <f, phi> has slope "
            f"{wanted:.4f} at a wall, and yours is {answer:.4f}. At both walls, over all f with |f| = 1: "
            "Cauchy-Schwarz makes that |phi'|."
        )


@exercise("8.3")
def check_unfold(unfold):
    """`unfold(w, theta)`: 2m particles on the circle with the same cosines, no sines, and the same total variation."""
    rng = np.random.default_rng(0)
    circle, interval = Fourier(7), Cosines(range(8))
    for m in (1, 4, 9):
        w, theta = rng.normal(size=m), rng.uniform(size=(m, 1))
        new_w, new_theta = as_particles(unfold(w.copy(), theta.copy()), "unfold")
        assert len(new_w) == 2 * m, f"{m} particles become {2 * m}, each with its mirror image; yours are {len(new_w)}."
        assert new_theta.shape == (2 * m, 1), f"theta must have shape {(2 * m, 1)}; yours is {new_theta.shape}."
        seen, wanted = circle.push(new_w, new_theta), interval.push(w, theta)
        assert np.abs(seen[8:]).max() < 1e-9, (
            "The sines of your particles do not cancel: theta on the interval is theta / 2 on the circle of length 1, "
            "and the mirror turns t into -t, with the same weight."
        )
        assert np.abs(seen[:8] - wanted).max() < 1e-9, (
            f"The cosines are {seen[1]:.4f}, ... where the interval has {wanted[1]:.4f}, ... The circle is twice as "
            "long as the interval; and masses are w / m, where m has doubled: what is each of two halves?"
        )


@exercise("8.4")
def check_at_infinity(at_infinity):
    """`at_infinity(problem, w, theta)` is the pair of limits of eta for theta -> -infinity and +infinity."""
    rng = np.random.default_rng(0)
    x = np.array([[-2.0], [-0.5], [-1e-7], [0.0], [1e-7], [0.3], [1.0]])
    for samples in (x, x[[0, 1, 4, 5]], x[3:]):
        problem = problems.from_data(samples, rng.normal(size=len(samples)), "sigmoid", penalty=0.1, bias=False)
        w, theta = rng.normal(size=5), rng.normal(size=(5, 1))
        answer = as_array(at_infinity(problem, w, theta), "at_infinity returns two numbers, left and right", (2,))
        far = problem.risk.potential(w, theta, np.array([[-1e12], [1e12]]))
        assert np.abs(answer - far).max() < 1e-9, (
            f"The limits are {far[0]:.5f} on the left and {far[1]:.5f} on the right; yours are {answer[0]:.5f} and "
            f"{answer[1]:.5f}. Where does sigma(theta x) go for x < 0, x = 0 and x > 0, however small x is?"
        )
