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


def by_sines(points):
    """The turn of an edge from its sine alone: right up to a quarter of a turn."""
    after = np.roll(points, -1, axis=0)
    sine = (points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0]) / np.linalg.norm(points, axis=1)
    return np.arcsin(sine / np.linalg.norm(after, axis=1)).sum() / (2 * np.pi)


def by_quadrants(points):
    quadrant = np.floor(angles(points) / (np.pi / 2))
    return ((np.roll(quadrant, -1) - quadrant + 2) % 4 - 2).sum() / 4


def eta(problem, measure, direction):
    return problem.risk.potential(*measure.particles(), direction[None])[0]


def slope(problem, measure, at):
    return problem.risk.field(*measure.particles(), np.stack([np.cos(at), np.sin(at)], axis=-1))[1]


def across(problem, measure, at):
    gradient = slope(problem, measure, at)
    return gradient[:, 1] * np.cos(at) - gradient[:, 0] * np.sin(at)


def enough_signs(w, theta):
    return bool((w > 0).any() and (w < 0).any())


def widest(theta):
    """The widest gap between neighbours, the one from the last to the first included."""
    angle = np.sort(angles(theta))
    return np.diff(angle, append=angle[:1] + 2 * np.pi).max(initial=0) if len(angle) > 2 else 2 * np.pi


def of_sign(w, theta):
    return [theta[w > 0], theta[w < 0]]


def positive_only(w, theta):
    return bool(widest(theta[w > 0]) < np.pi)


def negative_only(w, theta):
    return bool(widest(theta[w < 0]) < np.pi)


def half_a_turn_allowed(w, theta):
    return bool(max(map(widest, of_sign(w, theta))) <= np.pi)


def hardly_more_than_a_third(w, theta):
    return bool(max(map(widest, of_sign(w, theta))) < 2.2)


def no_way_back(w, theta):
    """Forgets the gap from the last particle to the first."""
    return all(len(p) > 2 and bool(np.diff(np.sort(angles(p))).max() < np.pi) for p in of_sign(w, theta))


def spread(w, theta):
    """The range of the angles, as arctan2 gives them."""
    return all(len(p) > 2 and bool(np.ptp(angles(p)) > np.pi) for p in of_sign(w, theta))


def both_sides_of_both_axes(w, theta):
    return all(len(p) > 2 and bool(((p.min(axis=0) < 0) & (p.max(axis=0) > 0)).all()) for p in of_sign(w, theta))


def centred(w, theta):
    """Takes the mean position for a sign of going around."""
    return all(
        len(p) > 2 and bool(np.linalg.norm(p.mean(axis=0)) < 0.5 * np.linalg.norm(p, axis=1).mean())
        for p in of_sign(w, theta)
    )


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
    (chapter07.check_winding, by_sines, "more than a quarter turn"),
    (chapter07.check_winding, by_quadrants, "between -pi and pi"),
    (chapter07.check_winding, lambda points: -topology.winding_number(points), "counter-clockwise positive"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -(p.penalty + s * eta(p, mu, e)), "not r"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -2 * (p.penalty + eta(p, mu, e)), "both c and s eta"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -2 * s * eta(p, mu, e), "both c and s eta"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: 2 * (p.penalty + s * eta(p, mu, e)), "grows at the rate"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -2 * (0.05 + s * eta(p, mu, e)), "c = 0.3"),
    (chapter07.check_ray_rate, lambda p, mu, s, e: -2 * (p.penalty - abs(eta(p, mu, e))), "both c and s eta"),
    (chapter07.check_turning, lambda p, mu, s, at: -across(p, mu, at), "downhill for s eta"),
    (chapter07.check_turning, lambda p, mu, s, at: s * across(p, mu, at), "downhill for s eta"),
    (chapter07.check_turning, lambda p, mu, s, at: -s * np.linalg.norm(slope(p, mu, at), axis=1), "along the circle"),
    (chapter07.check_turning, lambda p, mu, s, at: -s * slope(p, mu, at), "of shape"),
    (chapter07.check_turning, lambda p, mu, s, at: -2 * s * across(p, mu, at), "along the circle"),
    (chapter07.check_turning, lambda p, mu, s, at: -s * across(p, mu, at) - p.penalty, "along the circle"),
    (chapter07.check_turning, lambda p, mu, s, at: -s * slope(p, mu, at)[:, 0], "along the circle"),
    (chapter07.check_separates, positive_only, "One sign only"),
    (chapter07.check_separates, negative_only, "An arc and a circle"),
    (chapter07.check_separates, half_a_turn_allowed, "An edge through 0"),
    (chapter07.check_separates, hardly_more_than_a_third, "Arcs of 195 degrees|Gaps of 90"),
    (chapter07.check_separates, no_way_back, "A circle and an arc|One direction"),
    (chapter07.check_separates, spread, "Arcs across 180 degrees|Gaps of|Two directions"),
    (chapter07.check_separates, both_sides_of_both_axes, "Gaps of 80"),
    (chapter07.check_separates, centred, "A crowd|Two directions|Arcs of 195"),
    (chapter07.check_separates, enough_signs, "One direction for each sign"),
    (chapter07.check_separates, all_together, "One sign only"),
    (chapter07.check_separates, three_of_each, "no two neighbours"),
]
