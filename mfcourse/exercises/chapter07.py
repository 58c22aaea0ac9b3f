"""Checks for chapter 7, two-homogeneous problems: ReLU networks in the plane."""

import numpy as np

from mfcourse import problems
from mfcourse.exercises import as_array, as_number, exercise, shown
from mfcourse.flows import velocity
from mfcourse.measures import Measure


def _circle(n, radius=0.1, first=0.0, length=2 * np.pi):
    """n points on an arc of this length, from the angle `first` on."""
    angle = first + length * np.arange(n) / n
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _at(*degrees):
    """Points at these angles, at the distance 0.1 from the point 0."""
    angle = np.deg2rad(degrees)
    return 0.1 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _edgy(rng):
    """A closed polygon of a few corners that turns by any angles, none of them close to half a turn."""
    while True:
        points = rng.normal((0.3, -0.2), size=(rng.integers(3, 10), 2))
        z = points @ [1, 1j]
        if (np.abs(np.angle(np.roll(z, -1) / z)) < 3).all():
            return points


def _crossings(points):
    """The winding number by counting: edges that cross the positive x-axis upwards, minus those downwards."""
    after = np.roll(points, -1, axis=0)
    left = points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0] > 0
    up, down = (points[:, 1] < 0) & (after[:, 1] >= 0), (points[:, 1] >= 0) & (after[:, 1] < 0)
    return int((up & left).sum() - (down & ~left).sum())


@exercise("7.1")
def check_winding(winding):
    """`winding(points)` agrees with a count of crossings, on curves that turn any way and on some that do not."""
    rng, tests = np.random.default_rng(0), []
    for turns in (1, -1, 2, -3, 0):
        for _ in range(4):
            angle = rng.uniform(0, 6) + 2 * np.pi * turns * np.arange(30) / 30 + 0.3 * np.sin(rng.normal(size=30))
            tests.append(rng.uniform(0.1, 3, (30, 1)) * np.stack([np.cos(angle), np.sin(angle)], axis=-1))
    tests += [_circle(20) + np.array([0.15, -0.1]), _at(10, 130, 250), _at(0, 144, 288, 72, 216)]
    tests += [_edgy(rng) for _ in range(40)]
    for points in tests:
        answer = as_number(winding(points.copy()), "winding returns a number")
        wanted = _crossings(points)
        assert abs(answer - wanted) < 1e-6, (
            f"A polygon of {len(points)} corners has the winding number {wanted}, counter-clockwise positive, yours "
            f"says {answer:.3g}. Each edge turns by an angle between -pi and pi, some by more than a quarter turn, and "
            "the last corner is joined to the first."
        )


@exercise("7.2")
def check_ray_rate(ray_rate):
    """`ray_rate(problem, measure, sign, direction)` is the relative rate of r^2 of a tiny particle in the flow."""
    rng, r = np.random.default_rng(0), 1e-5
    for seed, c in ((11, 0.05), (2, 0.3), (7, 0.0)):
        teacher = problems.relu_teacher(seed)
        problem = problems.Problem(teacher.risk, c, teacher.truth)
        measure = Measure(rng.normal(size=3), rng.normal(size=(3, 2)))
        w, theta = measure.particles()
        for sign in (1, -1):
            direction = rng.normal(size=2)
            direction /= np.linalg.norm(direction)
            more = np.append(w * 4 / 3, sign * r), np.vstack([theta, r * direction])
            speed = velocity(problem, *more)[1][-1]
            wanted = 2 * speed @ direction / r
            answer = ray_rate(problem, measure, sign, direction.copy())
            answer = as_number(answer, "ray_rate returns a number")
            assert abs(answer - wanted) < 1e-6 * (1 + abs(wanted)), (
                f"Sign {sign:+d}, c = {c}: r^2 grows at the rate {wanted:.4f}, yours is {answer:.4f}. It is r^2 that "
                "is asked for, not r; both c and s eta slow it down."
            )


@exercise("7.3")
def check_turning(turning):
    """`turning(problem, measure, sign, angles)` is the angular velocity of particles on the cone of this sign."""
    rng, h = np.random.default_rng(1), 1e-5
    for seed, c in ((11, 0.05), (8, 0.1), (7, 0.0)):
        teacher = problems.relu_teacher(seed)
        problem = problems.Problem(teacher.risk, c, teacher.truth)
        measure = Measure(rng.normal(size=4), rng.normal(size=(4, 2)))
        angles = rng.uniform(0, 2 * np.pi, 5)
        for sign in (1, -1):
            answer = turning(problem, measure, sign, angles.copy())
            answer = as_array(answer, "turning returns one angular velocity for each angle, an array", (5,))
            after, before = (
                problem.risk.potential(*measure.particles(), np.stack([np.cos(a), np.sin(a)], axis=-1))
                for a in (angles + h, angles - h)
            )
            wanted = -sign * (after - before) / (2 * h)
            assert np.abs(answer - wanted).max() < 1e-6, (
                f"Sign {sign:+d}: at {np.rad2deg(angles[0]):.0f} degrees a direction turns at {wanted[0]:.6f}, yours "
                f"at {answer[0]:.6f}. It goes downhill for s eta; only the gradient's part along the circle counts."
            )


STARTS = (  # what it is, positions of the positive particles, of the negative ones, whether both loops wind once
    ("two circles", _circle(12), _circle(9, first=0.3), True),
    ("three particles of each sign", _circle(3), _circle(3, first=1.0), True),
    ("two circles of different radii", _circle(5, 0.01), _circle(7, 3.0), True),
    ("one sign only", _circle(20), _circle(0), False),
    ("one direction for each sign", _circle(6, first=1.0, length=0.0), _circle(6, length=0.0), False),
    ("two directions for each sign", _circle(2, length=6.1), _circle(2, length=6.1), False),
    ("a circle and an arc", _circle(20), _circle(20, length=2.0), False),
    ("an arc and a circle", _circle(20, length=2.0), _circle(20), False),
    ("arcs of 195 degrees", _at(*range(0, 196, 5)), _at(*range(90, 286, 5)), True),
    ("arcs of 165 degrees", _at(*range(0, 166, 5)), _at(*range(90, 256, 5)), False),
    ("arcs across 180 degrees", _at(*range(150, 211, 5)), _at(*range(140, 221, 5)), False),
    ("a crowd, and a few around", _at(0, 240, *range(110, 131)), _at(90, 330, *range(200, 221)), True),
    ("gaps of 90, 100 and 170 degrees", _at(0, 170, 260), _at(40, 210, 300), True),
    ("gaps of 80, 90 and 190 degrees", _at(-10, 80, 160), _at(170, 260, 340), False),
    ("an edge through 0", np.array([[0.1, 0.0], [0.0, 0.1], [-0.1, 0.0]]), _circle(20), False),
    ("a circle and a circle beside 0", _circle(20), _circle(20) + np.array([0.25, 0.0]), False),
    ("signs that only together go around", _circle(10, length=3.0), _circle(10, first=3.1, length=3.0), False),
)


@exercise("7.4")
def check_separates(separates):
    """`separates(w, theta)`: True if the loop of each sign winds around 0, on starts in a shuffled order."""
    rng = np.random.default_rng(0)
    for name, positive, negative, wanted in STARTS:
        theta = np.concatenate([positive, negative])
        w = np.linalg.norm(theta, axis=1) * np.repeat([1.0, -1.0], [len(positive), len(negative)])
        order = rng.permutation(len(w))
        answer = separates(w[order], theta[order])
        assert isinstance(answer, bool | np.bool_), f"separates returns True or False; yours is {shown(answer):.60}."
        assert answer == wanted, (
            f"{name[0].upper()}{name[1:]}: the answer is {wanted}, yours is {answer}. Take the particles of each sign, "
            "in the order of their angles: no two neighbours may be half a turn apart or more."
        )
