"""Checks for chapter 6, optimality."""

import numpy as np

from mfcourse import problems
from mfcourse.certificates import certify
from mfcourse.convex import certified_optimum
from mfcourse.exercises import as_array, as_measure, as_number, exercise
from mfcourse.experiments import spike_flow
from mfcourse.measures import Measure, h1

NOTHING = Measure(np.zeros(0), np.zeros((0, 1)))
SAME = 1e-9  # two masses, or two places, nearer than this are one


def _measure(rng, m):
    return Measure(rng.normal(size=m), rng.uniform(size=(m, 1)))


@exercise("6.1")
def check_first_variation(first_variation):
    """`first_variation(problem, measure, w, theta)` is the rate at which J changes when mass is added at (w, theta)."""
    rng = np.random.default_rng(0)
    for seed, m, lam in ((0, 1, 2.0), (1, 4, 0.7), (2, 9, 5.0)):
        problem, measure = problems.spikes(seed, lam=lam), _measure(rng, m)
        w, theta = np.array([2.0, -1.0, 0.3, -4.0, 0.0]), rng.uniform(size=(5, 1))
        answer = first_variation(problem, measure, w.copy(), theta.copy())
        answer = as_array(answer, "first_variation returns one number for each point, an array", (5,))
        small = 1e-6
        for k in range(5):
            more = measure + Measure([small * w[k]], theta[k : k + 1])
            rate = (problem.objective(more) - problem.objective(measure)) / small
            assert abs(answer[k] - rate) < 2e-3, (
                f"Mass at ({w[k]:g}, {theta[k, 0]:.3f}) changes J at the rate {rate:.3f}, yours is {answer[k]:.3f}. It "
                "adds w phi(theta) to the prediction, and costs |w|."
            )


@exercise("6.2")
def check_dual_value(dual_value):
    """`dual_value(problem, measure)` is the certificate's bound, and lies below the least J."""
    rng = np.random.default_rng(0)
    for seed, lam in ((0, 2.0), (1, 0.5), (2, 5.0), (3, 1.0)):
        problem = problems.spikes(seed, lam=lam)
        best = certified_optimum(problem)
        least = problem.objective(best)
        for measure in (NOTHING, _measure(rng, 3), problem.truth, best):
            answer = as_number(dual_value(problem, measure), "dual_value returns a number")
            assert answer <= least * (1 + 1e-9), (
                f"Seed {seed}: your bound {answer:.4f} lies above the least J, {least:.4f}: it is none. Is "
                "|<q, phi>| <= 1 everywhere? The residual must be scaled before it is used."
            )
            wanted = certify(problem, measure).dual
            assert abs(answer - wanted) < 1e-8 * least, (
                f"Seed {seed}, lambda {lam:g}: your bound is {answer:.4f}, the formula gives {wanted:.4f}: D = <y, q> "
                "- lambda |q|^2 / 2 with the scaled q, which is never made longer."
            )


@exercise("6.3")
def check_escape(escape):
    """`escape(problem, measure)` gains (max |eta| - 1)^2 lambda / 30, the most that one new atom there can."""
    for seed, lam in ((0, 2.0), (1, 2.0), (5, 0.5)):
        problem = problems.spikes(seed, lam=lam)
        for measure in (NOTHING, h1(*spike_flow(problem, 6).state), 0.5 * problem.truth, problem.truth):
            answer = as_measure(escape(problem, measure), "escape returns a Measure")
            assert len(answer) == len(measure) + 1, (
                f"Add one atom: the measure had {len(measure)} and yours has {len(answer)}."
            )
            assert _contains(answer, measure), (
                f"Seed {seed}: only the new atom is yours to choose. Of the {len(measure)} atoms that were there, one "
                "or more has another mass or place in your measure."
            )
            gain = problem.objective(measure) - problem.objective(answer)
            possible = max(certify(problem, measure).max_potential - 1, 0) ** 2 * lam / 30
            assert gain >= possible * (1 - 1e-6) - 1e-9, (
                f"Seed {seed}: J falls by {gain:.5f}, and one atom can lower it by {possible:.5f}. J is a parabola in "
                "the new mass, plus its price; against which sign of eta does it fall, how far is the bottom, and is "
                "there always one?"
            )


@exercise("6.4")
def check_dark_sky(dark_sky):
    """`dark_sky(problem)`: a little above it the empty measure is certified, a little below it is not."""
    for seed, lam in ((0, 2.0), (2, 2.0), (4, 0.7), (3, 5.0)):  # the observed picture is highest or deepest
        problem = problems.spikes(seed, lam=lam)
        answer = as_number(dark_sky(problem), "dark_sky returns a number")
        assert answer > 0, f"lambda is positive; yours is {answer:g}."
        for factor, dark in ((1.001, True), (0.999, False)):
            optimal = certify(problems.spikes(seed, lam=answer * factor), NOTHING).optimal
            assert optimal == dark, (
                f"Seed {seed}: at {factor} times your {answer:.3f} the empty measure is "
                f"{'optimal' if optimal else 'not optimal'}. What is eta for mu = 0, and how does it depend on lambda?"
            )


def _contains(measure, atoms):
    """Whether all these atoms are among those of the measure, each with its mass and its place on the circle."""
    left = list(range(len(measure)))
    for mass, place in zip(atoms.weights, atoms.positions, strict=True):
        way = measure.positions[left] - place
        far = np.maximum(np.abs(way - np.round(way)).max(axis=1), np.abs(measure.weights[left] - mass))
        if not len(left) or far.min() > SAME:
            return False
        left.pop(int(far.argmin()))
    return True
