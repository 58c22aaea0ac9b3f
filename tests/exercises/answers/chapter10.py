"""Wrong answers to chapter 10, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter10


def shared(t):
    return (np.sin(t) + (np.pi - t) * np.cos(t)) / np.pi


def drift(w, potential, gradient, step):
    return potential**2 - w**2 * np.vecdot(gradient, gradient)


def kinks(measure, lines, both_sides=True, lengths=True, within=10.0):
    length = np.linalg.norm(measure.positions, axis=1)
    cosine = lines @ (measure.positions / length[:, None]).T
    near = (np.abs(cosine) if both_sides else cosine) > np.cos(np.deg2rad(within))
    return near @ (measure.weights * (length if lengths else 1))


def nearest_angle(measure, lines):
    """Angles of lines from 0 to 180 degrees, subtracted without going round."""
    angles = np.degrees(np.arctan2(measure.positions[:, 1], measure.positions[:, 0])) % 180
    apart = np.abs(angles - np.degrees(np.arctan2(lines[:, 1], lines[:, 0]))[:, None] % 180)
    return (apart < 10) @ (measure.weights * np.linalg.norm(measure.positions, axis=1))


def search(t):
    """Right up to the fineness of its grid."""
    a = np.linspace(0, 1, 10_001)
    left = 1 - 2 * a * shared(t) + a**2
    return a[left.argmin()], left.min()


WRONG = [
    (chapter10.check_one_neuron, lambda t: (shared(t) / 2, 1 - shared(t) ** 2), "not the best"),
    (chapter10.check_one_neuron, lambda t: (np.cos(t), np.sin(t) ** 2), "a parabola in the mass"),
    (chapter10.check_one_neuron, lambda t: (shared(t), 1 - shared(t)), "your mass is right"),
    (chapter10.check_one_neuron, search, "not the best"),
    (chapter10.check_one_neuron, lambda t: (1.0, 2 - 2 * shared(t)), "not the best"),
    (chapter10.check_one_neuron, shared, "returns two numbers"),
    (chapter10.check_drift, lambda w, eta, slope, h: 0 * w, "changes by"),
    (chapter10.check_drift, lambda w, eta, slope, h: h**2 * (eta**2 - w**2 * (slope[:, :2] ** 2).sum(axis=1)), "d = 5"),
    (chapter10.check_drift, lambda w, eta, slope, h: h**2 * (eta**2 - w**2 * (slope**2).sum()), "changes by"),
    (chapter10.check_drift, lambda w, eta, slope, h: -2 * h * w * eta, "removes the"),
    (chapter10.check_drift, lambda w, eta, slope, h: h * drift(w, eta, slope, h), "those with h"),
    (chapter10.check_drift, lambda w, eta, slope, h: h**2 * eta**2, "Write out"),
    (chapter10.check_untrap, lambda w, theta: (w, theta), "become negative"),
    (chapter10.check_untrap, lambda w, theta: (-w, theta), "A neuron has changed"),
    (chapter10.check_untrap, lambda w, theta: (w * 0.1**0.5, theta / 0.1**0.5), "clearly negative"),
    (chapter10.check_untrap, lambda w, theta: (w / 1000, theta * 1000), "Stretch it less"),
    (chapter10.check_untrap, lambda w, theta: (w / 2, theta * 2), "clearly negative"),
    (chapter10.check_untrap, lambda w, theta: (w[::-1] / 10, theta[::-1] * 10), "A neuron has changed"),
    (chapter10.check_untrap, lambda w, theta: (w[:20] / 10, theta[:20] * 10), "Keep the shapes"),
    (chapter10.check_kinks, nearest_angle, "across 0 = 360"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, within=9.5), "within 10 degrees"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, within=10.5), "within 10 degrees"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, both_sides=False), "looks the other"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, lengths=False), "times its length"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, within=90), "within 10 degrees"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, within=20), "within 10 degrees"),
    (chapter10.check_kinks, lambda mu, lines: kinks(mu, lines, within=3), "within 10 degrees"),
]
