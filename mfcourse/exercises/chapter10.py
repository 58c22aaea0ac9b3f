"""Checks for chapter 10, ReLU networks."""

import numpy as np

from mfcourse import problems
from mfcourse.exercises import as_array, as_particles, exercise
from mfcourse.features import Neurons
from mfcourse.flows import FlowDiverged, balance, flow, gradient
from mfcourse.measures import Measure
from mfcourse.risks import PopulationRisk
from mfcourse.starts import sphere_start

NOTHING = Measure(np.zeros(0), np.zeros((0, 2)))


def _small(seed, m, **settings):
    return sphere_start(m, np.random.default_rng([seed, m]), 2, **settings)


def _directions(degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


@exercise("10.1")
def check_one_neuron(one_neuron):
    """`one_neuron(t)`: at this mass the exact risk is the one claimed, and it is a minimum in the mass."""
    risk = PopulationRisk(Measure([1.0], [[1.0, 0.0]]), "relu")
    whole, _, _ = risk(np.zeros(1), np.ones((1, 2)))
    for t in (0.0, 0.3, 1.0, np.pi / 2, 2.5, np.pi):
        answer = as_array(one_neuron(t), "one_neuron returns two numbers, the mass and the part left", (2,))
        position = np.array([[np.cos(t), np.sin(t)]])
        value, slope, _ = risk(answer[:1], position)
        assert abs(slope[0]) < 1e-8, (
            f"At the angle {t:.3f} your mass {answer[0]:.4f} is not the best: the slope of the risk in the mass is "
            f"{slope[0]:+.4f}. The risk is a parabola in the mass; write its three coefficients with the kernel."
        )
        assert abs(answer[1] - value / whole) < 1e-8, (
            f"At the angle {t:.3f} your mass is right, but it leaves {value / whole:.4f} of the risk of nothing, and "
            f"you say {answer[1]:.4f}."
        )


@exercise("10.2")
def check_drift(drift):
    """`drift(w, potential, gradient, step)` is what one gradient step adds to w^2 - |theta|^2, to rounding."""
    for seed, m, d, step in ((4, 10, 2, 0.25), (7, 30, 5, 0.1), (8, 5, 2, 1e-2)):
        problem = problems.relu_teacher(seed, d)
        w, theta = sphere_start(m, np.random.default_rng([seed, m]), d, radius=0.7, weight=0.4)
        _, potential, slope = problem.risk(w, theta)
        answer = drift(w.copy(), potential.copy(), slope.copy(), step)
        answer = as_array(answer, "drift returns one number for each neuron, an array", (m,))
        wanted = balance(*gradient(problem, step, step)(w, theta)) - balance(w, theta)
        worst = np.abs(answer - wanted).argmax()
        assert np.allclose(answer, wanted, rtol=1e-8, atol=1e-13), (
            f"In d = {d}, with the step {step:g}, the balance of neuron {worst} changes by {wanted[worst]:+.3e}, yours "
            f"is {answer[worst]:+.3e}. Write out (w - h eta)^2 - |theta - h w grad eta|^2; Euler's identity removes "
            "the terms with h, and those with h^2 stay."
        )


@exercise("10.3")
def check_untrap(untrap):
    """`untrap(w, theta)` is the same network, neuron by neuron, and from there three teachers are learnt."""
    x = np.random.default_rng(0).normal(size=(20, 2))
    for seed in (2, 8, 7):
        problem = problems.relu_teacher(seed)
        w, theta = _small(seed, 40, weight=1.0, signs=(1.0,))
        new_w, new_theta = as_particles(untrap(w.copy(), theta.copy()), "untrap")
        assert new_theta.shape == theta.shape, f"Keep the shapes: theta was {theta.shape} and is {new_theta.shape}."
        before, after = (v[:, None] * np.maximum(at @ x.T, 0) for v, at in ((w, theta), (new_w, new_theta)))
        assert np.allclose(before, after), (
            "A neuron has changed: w relu(theta . x) must stay as it is. A neuron does not change when w is divided by "
            "some r > 0 and theta multiplied by it."
        )
        try:
            run = flow(problem, gradient(problem, 0.25, 0.25), (new_w, new_theta), 1500, record=())
        except FlowDiverged:
            raise AssertionError("With steps of .25 the flow diverges: theta is too long. Stretch it less.") from None
        left = run.energy[-1] / problem.objective(NOTHING)
        assert left < 0.05, (
            f"Seed {seed}: after 1500 steps {left:.3f} of the risk is left, {(run.state[0] < 0).sum()} weights have "
            "become negative. A weight can pass 0 easily if w^2 - |theta|^2 is clearly negative."
        )


@exercise("10.4")
def check_kinks(kinks):
    """`kinks(measure, lines)` is the jump of the network's slope across each line, measured far out on it."""
    rng = np.random.default_rng(0)
    for m, degrees in ((6, [75, 20, 310, 160]), (12, [177, 130, 200, 75]), (40, [2, 250, 130, 155])):
        lines = _directions(np.array(degrees))
        which = np.append(np.arange(4), rng.integers(0, 4, m - 4))
        masses, size = rng.normal(size=m), rng.choice([-1.0, 1.0], m) * rng.uniform(0.2, 3, m)
        exact = Measure(masses, size[:, None] * lines[which])
        turns = np.append([9.9, -9.9, 9.9, -9.9], rng.uniform(-9, 9, m - 4))
        turned = Measure(masses, size[:, None] * _directions(np.array(degrees)[which] + turns))
        aside = Measure(rng.normal(size=8), _directions(np.add.outer([10.1, -10.1], degrees).ravel()))
        answer = as_array(kinks(turned + aside, lines.copy()), "kinks returns one number for each line, an array", (4,))
        for k, (c, s) in enumerate(lines):
            x = 10 * np.array([-s, c]) + np.array([[-1], [0], [1]]) * np.array([c, s])
            before, at, after = Neurons(x, "relu").push(*exact.particles())
            jump = (after - at) - (at - before)
            assert abs(answer[k] - jump) < 1e-8, (
                f"Across the line of {degrees[k]:.0f} degrees the slope jumps by {jump:+.4f}, yours is "
                f"{answer[k]:+.4f}. Every neuron within 10 degrees of the line counts, also one that looks the other "
                "way, also across 0 = 360 degrees; it counts with its mass times its length."
            )
