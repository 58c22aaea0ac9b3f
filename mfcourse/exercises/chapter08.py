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
    yield "the whole strip", ~empty
    yield "a whole row", ring
    yield "a row with a hole", hole
    yield "a staircase of two halves, with mass at every place,", stair
    yield "a staircase whose steps are joined", joined
    yield "a bent ring without a whole row", seam
    yield "a wall with a passage that crosses the seam", gate
    yield "a wall with a passage that leads up, down and up again", bend
    maze = np.zeros((23, 12), dtype=bool)
    maze[1::2] = True
    maze[1::4, 5] = maze[3::4, 11] = False
    yield "a pile of rows with one hole each", maze
    around = np.arange(48)  # four turns, unrolled
    screw = np.zeros((16, 12), dtype=bool)
    screw[1 + around // 4, around % 12] = True
    yield "a wall like the thread of a screw", screw
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


class _Waves:
    """phi(t) = [cos(pi f t + p)] for frequencies f and phases p, with slopes at both walls. No more than its `pull`."""

    def __init__(self, frequencies, phases):
        self._rates, self._phases = np.pi * np.asarray(frequencies, dtype=float), np.asarray(phases, dtype=float)
        self.size = len(self._rates)

    def pull(self, residual, theta):
        """The product with phi at positions theta (q, 1), shape (q,), and its slope (q, 1)."""
        angles = np.asarray(theta) * self._rates + self._phases
        slopes = -self._rates * np.sin(angles)
        return np.asarray(residual) @ np.cos(angles).T, (np.asarray(residual) @ slopes.T)[..., None]

    def steepest(self):
        """|phi'| at 0 and at 1."""
        return [np.linalg.norm(self._rates * np.sin(angles)) for angles in (self._phases, self._rates + self._phases)]


def _feature_maps():
    """Feature maps on [0, 1], with |phi'| at both walls and what is special about each."""
    for frequencies in (range(8), np.arange(8) + 0.5, 0.9 * np.arange(8), [0, 1, 2.25], [3, 0.5, 1.2]):
        rates = np.pi * np.asarray(frequencies, dtype=float)
        at_one = np.sqrt(2 * (rates**2 * np.sin(rates) ** 2).sum())
        yield f"Cosines({[round(float(f), 2) for f in frequencies]})", Cosines(frequencies), (0.0, at_one)
    for special, phases in (("the wall 0", (1.4, -1.7, 0.8)), ("the wall 1", (0.3, -0.2, 0.1)), ("both", (0.9, 1, -2))):
        waves = _Waves((1, 2.1, 2.8), phases)
        yield f"waves with a slope that counts at {special}", waves, waves.steepest()


@exercise("8.2")
def check_wall_slope(wall_slope):
    """`wall_slope(features)` is the largest |<f, phi>'| at a wall over all f with |f| = 1: max |phi'| at 0 and 1."""
    for name, features, at_walls in _feature_maps():
        answer = as_array(wall_slope(features), "wall_slope returns one number", ())
        if abs(answer - max(at_walls)) < 1e-6:
            continue
        one_wall = min(at_walls) > 1e-6 and abs(answer - min(at_walls)) < 1e-6
        assert not one_wall, f"For {name}: that is one wall. There are two, and the other one is steeper."
        both = min(at_walls) > 1e-6 and min(abs(answer - np.hypot(*at_walls)), abs(answer - sum(at_walls))) < 1e-6
        assert not both, f"For {name}: you added the two walls up. Take each by itself, then the steeper one."
        raise AssertionError(
            f"For {name} your slope is too {'large' if answer > max(at_walls) else 'small'}. At both walls, over all "
            "f with |f| = 1: what does Cauchy-Schwarz say of <f, phi'>, and for which f is it an equality? (pull "
            "gives slopes: no difference quotients are needed.)"
        )


@exercise("8.3")
def check_unfold(unfold):
    """`unfold(w, theta)`: each particle and its mirror image on the circle: the same cosines, and no sines."""
    rng = np.random.default_rng(0)
    for m in (1, 4, 9):
        w, theta = rng.normal(size=m), rng.uniform(size=(m, 1))
        new_w, new_theta = as_particles(unfold(w.copy(), theta.copy()), "unfold")
        assert len(new_w) == 2 * m, f"{m} particles become {2 * m}, each with its mirror image; yours are {len(new_w)}."
        assert new_theta.shape == (2 * m, 1), f"theta must have shape {(2 * m, 1)}; yours is {new_theta.shape}."
        seen, wanted = Fourier(7).push(new_w, new_theta), Cosines(range(8)).push(w, theta)
        assert np.abs(seen[8:]).max() < 1e-9, (
            "The sines of your particles do not cancel. A sine is odd, sin(-z) = -sin(z): where must the mirror image "
            "of t stand, and with which weight?"
        )
        factor = (seen[:8] @ wanted) / (wanted @ wanted)
        assert np.abs(seen[:8] - factor * wanted).max() < 1e-9, (
            "The cosines are not those of the interval. Fourier has cos(2 pi k t) at the place t, Cosines has "
            "cos(pi k theta) at the place theta. Which t makes these the same number, for every k?"
        )
        assert abs(factor - 1) < 1e-9, (
            f"The places are right, and every cosine is {factor:.2g} times what it should be. Look at the weights: a "
            "prediction is an average over the particles: over how many now, and over how many before?"
        )
        finer, wanted = Fourier(40).push(new_w, new_theta), Cosines(range(41)).push(w, theta)
        assert np.abs(finer[:41] - wanted).max() < 1e-9, (
            "Fourier(7) sees no difference, but Fourier(40) does: these are not the particles and their mirror images."
        )


def _limits(problem, w, theta, at_zero=0.5):
    """The limits of eta on the left and on the right, if a neuron with x = 0 is worth `at_zero`."""
    residual, x = problem.risk.residual(w, theta), problem.risk.features.x[:, 0]
    return np.array([residual @ np.where(x == 0, at_zero, side * x > 0) for side in (-1, 1)])


@exercise("8.4")
def check_at_infinity(at_infinity):
    """`at_infinity(problem, w, theta)` is the pair of limits of eta for theta -> -infinity and +infinity."""
    rng = np.random.default_rng(0)
    least = 5e-324  # the smallest number above 0: no theta that a computer has is far enough for it
    x = np.array([[-2.0], [-0.5], [-least], [0.0], [least], [0.3], [1.0]])
    for samples in (x, x[[0, 1, 4, 5]], x[3:]):
        problem = problems.from_data(samples, rng.normal(size=len(samples)), "sigmoid", penalty=0.1, bias=False)
        w, theta = rng.normal(size=5), rng.normal(size=(5, 1))
        answer = as_array(at_infinity(problem, w, theta), "at_infinity returns two numbers, left and right", (2,))
        wanted = _limits(problem, w, theta)
        assert np.abs(answer - wanted[::-1]).max() > 1e-9, (
            "These are the two limits, in the wrong order: left is first."
        )
        for at_zero in (0, 1):
            assert np.abs(answer - _limits(problem, w, theta, at_zero)).max() > 1e-9 or 0 not in samples, (
                "All is right but the sample x = 0. What is sigma(theta x) there, for every theta?"
            )
        assert np.abs(answer - wanted).max() < 1e-9, (
            "At least one of the two is no limit of eta. Where does sigma(theta x) go for x < 0, x = 0 and x > 0, "
            "however small x is? eta is the sum of these, each times its entry of the residual."
        )
