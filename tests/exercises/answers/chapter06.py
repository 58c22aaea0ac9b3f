"""Wrong answers to chapter 6, and the hints they must meet."""

import numpy as np

from mfcourse import certificates, convex, experiments, sliding
from mfcourse.exercises import chapter06
from mfcourse.measures import Measure, h1


def potential(problem, measure, theta):
    return problem.risk.potential(*measure.particles(), theta)


def dual(problem, measure, scaled="q", half=0.5):
    """The bound with one slip: nothing scaled, or D in place of q, or q lengthened too, or another power of lambda."""
    loss = problem.risk.loss
    q = (loss.target - problem.risk.features.push(*measure.particles())) / loss.scale
    top = certificates.certify(problem, measure).max_potential
    length = {"q": max(1, top), "longer too": top}.get(scaled, 1)
    q = q / length
    value = loss.target @ q - half * (loss.scale if half == 0.5 else 1) * q @ q
    return value / max(1, top) if scaled == "D" else value


def half_dual(problem, measure):
    return certificates.certify(problem, measure).dual - 0.1


def optimum(problem):
    return problem.objective(convex.certified_optimum(problem))


def escape(problem, measure, turn=-1, threshold=1.0, never_none=False):
    worst = certificates.certify(problem, measure).worst
    eta = potential(problem, measure, worst[None])[0]
    size = problem.risk.loss.scale / 15 * (abs(eta) - threshold if never_none else max(abs(eta) - threshold, 0))
    return measure + Measure([turn * np.sign(eta) * size], [worst])


def escape_upwards(problem, measure):
    """The best new atom among the positive ones."""
    places = np.arange(10_000)[:, None] / 10_000
    eta = potential(problem, measure, places)
    return measure + Measure([problem.risk.loss.scale / 15 * max(-1 - eta.min(), 0)], [places[eta.argmin()]])


def all_masses(problem, measure):
    """A step of Frank-Wolfe: all masses are chosen anew, and the gain is larger than one atom's."""
    places = np.vstack([measure.positions, certificates.certify(problem, measure).worst])
    return convex.fixed_positions(problem, places)


def all_positions(problem, measure):
    """The new atom is right, and then everything slides."""
    more = escape(problem, measure)
    moved = h1(*experiments.spike_run(problem, more.particles()).state)
    return moved if len(moved) == len(more) else more


def new_signs_kept(problem, measure):
    return sliding.balanced(problem, escape(problem, measure)) if len(measure) else escape(problem, measure)


def peak(problem, only_positive=False):
    picture = problem.risk.loss.target @ problem.risk.features.matrix(np.arange(10_000)[:, None] / 10_000)
    return (picture if only_positive else np.abs(picture)).max()


def at_the_truth(problem):
    return np.abs(problem.risk.loss.target @ problem.risk.features.matrix(problem.truth.positions)).max()


WRONG = [
    (chapter06.check_first_variation, lambda p, mu, w, theta: w * potential(p, mu, theta), r"costs \|w\|"),
    (chapter06.check_first_variation, lambda p, mu, w, theta: potential(p, mu, theta) + np.sign(w), "adds w phi"),
    (chapter06.check_first_variation, lambda p, mu, w, theta: w * potential(p, mu, theta) + w, r"costs \|w\|"),
    (chapter06.check_first_variation, lambda p, mu, w, theta: w * potential(p, mu, theta) + 1, r"costs \|w\|"),
    (
        chapter06.check_first_variation,
        lambda p, mu, w, theta: w * potential(p, mu, theta) / len(mu) + np.abs(w),
        "adds w phi",
    ),
    (chapter06.check_dual_value, lambda p, mu: dual(p, mu, "nothing"), "must be scaled"),
    (chapter06.check_dual_value, lambda p, mu: dual(p, mu, "D"), "with the scaled q"),
    (chapter06.check_dual_value, lambda p, mu: dual(p, mu, "longer too"), "never made longer"),
    (chapter06.check_dual_value, lambda p, mu: dual(p, mu, half=1.0), "- lambda"),
    (chapter06.check_dual_value, lambda p, mu: optimum(p), "the formula gives"),
    (chapter06.check_dual_value, half_dual, "the formula gives"),
    (chapter06.check_escape, lambda p, mu: escape(p, mu, turn=1), "which sign of eta"),
    (chapter06.check_escape, lambda p, mu: escape(p, mu, threshold=0), "plus its price"),
    (chapter06.check_escape, lambda p, mu: escape(p, mu, never_none=True), "is there always one"),
    (chapter06.check_escape, escape_upwards, "which sign of eta"),
    (chapter06.check_escape, all_masses, "only the new atom is yours"),
    (chapter06.check_escape, all_positions, "only the new atom is yours"),
    (chapter06.check_escape, new_signs_kept, "only the new atom is yours|Add one atom"),
    (chapter06.check_escape, lambda p, mu: mu, "Add one atom"),
    (chapter06.check_dark_sky, lambda p: peak(p) / p.risk.loss.scale, "depend on lambda"),
    (chapter06.check_dark_sky, lambda p: peak(p, only_positive=True), "What is eta"),
    (chapter06.check_dark_sky, at_the_truth, "What is eta"),
    (chapter06.check_dark_sky, lambda p: 15 * np.abs(p.truth.weights).max(), "What is eta"),
]
