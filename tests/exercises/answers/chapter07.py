"""Wrong answers to chapter 7, and the hints they must meet."""

import numpy as np

from mfcourse import topology
from mfcourse.exercises import chapter07


def angles(points):
    return np.arctan2(points[:, 1], points[:, 0])


def raw_turns(points):
    return np.diff(angles(points), append=angles(points)[:1]).sum() / (2 * np.pi)


def open_turns(points):
    return np.diff(np.unwrap(angles(points))).sum() / (2 * np.pi)


def unsigned(points):
    return abs(topology.winding_number(points))


def always_once(points):
    turn = np.diff(np.sort(angles(points)), append=angles(points).min() + 2 * np.pi)
    return turn.sum() / (2 * np.pi)


def eta(problem, measure, direction):
    return problem.risk.potential(*measure.particles(), direction[None])[0]


def slope(problem, measure, at):
    return problem.risk.field(*measure.particles(), np.stack([np.cos(at), np.sin(at)], axis=-1))[1]


def across(problem, measure, at):
    gradient = slope(problem, measure, at)
    return gradient[:, 1] * np.cos(at) - gradient[:, 0] * np.sin(at)


def enough_signs(w, theta):
    return bool((w > 0).any() and (w < 0).any())


def all_together(w, theta):
    order = topology.loop(np.abs(w), theta, 1)
    return bool(topology.winding_number(theta[order]) == 1)


def three_of_each(w, theta):
    return bool(min((w > 0).sum(), (w < 0).sum()) >= 3)


WRONG = [
    (chapter07.check_winding, raw_turns, "between -pi and pi"),
    (chapter07.check_winding, open_turns, "last corner is joined"),
    (chapter07.check_winding, unsigned, "counter-clockwise"),
    (chapter07.check_winding, always_once, "counter-clockwise"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -(p.penalty + s * eta(p, mu, e)), "not r"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -2 * (p.penalty + eta(p, mu, e)), "both c and s eta"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -2 * s * eta(p, mu, e), "both c and s eta"),
    (chapter07.check_turning, lambda p, mu, s, at: -across(p, mu, at), "downhill for s eta"),
    (chapter07.check_turning, lambda p, mu, s, at: s * across(p, mu, at), "downhill for s eta"),
    (chapter07.check_turning, lambda p, mu, s, at: -s * np.linalg.norm(slope(p, mu, at), axis=1), "along the circle"),
    (chapter07.check_turning, lambda p, mu, s, at: -s * slope(p, mu, at), "of shape"),
    (chapter07.check_separates, enough_signs, "One direction for each sign"),
    (chapter07.check_separates, all_together, "One sign only"),
    (chapter07.check_separates, three_of_each, "no two neighbours"),
]
