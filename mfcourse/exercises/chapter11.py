"""Checks for chapter 11, sigmoid networks."""

import numpy as np

from mfcourse import problems
from mfcourse.exercises import as_array, as_measure, as_number, as_parts, exercise
from mfcourse.features import Neurons
from mfcourse.measures import Measure

FAR = 1e12


@exercise("11.1")
def check_at_infinity(at_infinity):
    """`at_infinity(residual, x, theta)` is the potential far out on the ray of each theta, samples on the edge too."""
    rng = np.random.default_rng(0)
    for n, d, size in ((1, 1, 1.0), (5, 2, 1.0), (40, 3, 1.0), (20, 2, 1e-6)):
        x, residual, theta = rng.normal(size=(n, d)), rng.normal(size=n), size * rng.normal(size=(6, d))
        answer = at_infinity(residual.copy(), x.copy(), theta.copy())
        answer = as_array(answer, "at_infinity returns one number for each position, an array", (6,))
        far, _ = Neurons(x, "sigmoid").pull(residual, FAR / size * theta)
        worst = np.abs(answer - far).argmax()
        assert abs(answer[worst] - far[worst]) < 1e-9, (
            f"Far out on the ray of {np.array2string(theta[worst], precision=2)} the potential is {far[worst]:.4f}, "
            f"yours is {answer[worst]:.4f}. What does sigma(r theta . x) become when theta . x > 0, and when it is < "
            "0? The length of theta does not matter, as r goes to infinity."
        )
    x, residual = np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 2.0]]), np.array([1.0, 10.0, 100.0])
    theta = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, -1.0], [0.0, 0.0]])
    answer = as_array(at_infinity(residual, x, theta), "at_infinity returns an array", (4,))
    far, _ = Neurons(x, "sigmoid").pull(residual, FAR * theta)
    assert np.allclose(answer, far), (
        f"Some samples lie on the edge, theta . x = 0: the limits are {far}, yours are {answer}. There sigma(r 0) is "
        "the same for every r."
    )


@exercise("11.2")
def check_one_sign(one_sign):
    """`one_sign(measure)`: a constant and a measure without positive mass, which together are the same network."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    for m in (1, 4, 9):
        measure = Measure(rng.normal(size=m), 2 * rng.normal(size=(m, 3)))
        answer = as_parts(one_sign(measure), 2, "one_sign returns two things, a constant and a Measure")
        constant = as_number(answer[0], "The first thing that one_sign returns is a number")
        negative = as_measure(answer[1], "The second thing that one_sign returns is a Measure")
        assert negative.dimension == 3, f"The positions have 3 coordinates, yours have {negative.dimension}."
        assert (negative.weights <= 0).all(), (
            f"No mass may be positive, yours go up to {negative.weights.max():.3f}. Turn those neurons around."
        )
        for activation in ("sigmoid", "probit"):
            neurons = Neurons(x, activation)
            wanted = neurons.push(*measure.particles())
            difference = wanted - constant - neurons.push(*negative.particles())
            assert np.ptp(difference) < 1e-9, (
                "The two networks do not differ by a constant. For every z, sigma(z) = 1 - sigma(-z): which position "
                "and which mass does a neuron get when it is turned around?"
            )
            assert np.abs(difference).max() < 1e-9, (
                f"Only the constant is wrong: yours is {constant:.4f}, and {difference[0]:+.4f} is missing. Each "
                "neuron that is turned around leaves a 1 behind, times its mass."
            )


@exercise("11.3")
def check_best_affine(best_affine):
    """`best_affine(teacher)` is (c, v): what c + v . x leaves over is orthogonal to 1 and to every coordinate of x."""
    rng = np.random.default_rng(0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    for m, d, length in ((1, 1, 1.0), (1, 2, 4.0), (5, 3, 2.0)):
        teacher = Measure(rng.normal(size=m), length * rng.normal(size=(m, d)))
        answer = as_parts(best_affine(teacher), 2, "best_affine returns two things, the constant and the slope")
        constant = as_number(answer[0], "The constant is a number")
        slope = as_array(answer[1], "The slope is a vector", (d,))
        mean = teacher.mass / 2
        assert abs(constant - mean) < 1e-9, (
            f"The constant should be E f*(x) = {mean:.4f}, yours is {constant:.4f}. By symmetry sigma(theta . x) is "
            "1/2 on average."
        )
        wanted = np.zeros(d)
        for mass, theta in zip(teacher.weights, teacher.positions, strict=True):
            size = np.linalg.norm(theta)
            values = Neurons(nodes[:, None], "probit").matrix(np.array([[size]]))[:, 0]
            wanted += mass * (weights * nodes * values).sum() * theta / size
        assert np.abs(slope - wanted).max() < 1e-6 * max(1, np.abs(wanted).max()), (
            f"The slope should be E x f*(x) = {wanted.round(4)}, yours is {slope.round(4)}. By parts, E x sigma("
            "theta . x) = theta E sigma'(theta . x): a mean over x, which becomes smaller as |theta| grows."
        )


@exercise("11.4")
def check_potential(potential):
    """`potential(f, y, values)` is the rate at which the mean logistic loss changes when mass is added at a neuron."""
    rng = np.random.default_rng(0)
    for n, q in ((4, 3), (30, 5)):
        x, y = rng.normal(size=(n, 2)), np.where(np.arange(n) % 3 == 0, 1.0, -1.0)
        problem = problems.from_data(x, y, "sigmoid", "logistic")
        measure = Measure(rng.normal(size=4), rng.normal(size=(4, 3)))
        at = 3 * rng.normal(size=(q, 3))
        f = problem.risk.features.push(*measure.particles())
        values = problem.risk.features.matrix(at).T
        answer = as_array(potential(f.copy(), y.copy(), values.copy()), "potential returns an array", (q,))
        for k in range(q):
            more, less = (problem.objective(measure + Measure([e], at[k : k + 1])) for e in (1e-5, -1e-5))
            rate = (more - less) / 2e-5
            assert abs(answer[k] - rate) < 1e-7, (
                f"Mass at neuron {k} changes the loss at the rate {rate:.5f}, yours is {answer[k]:.5f}. The loss is "
                "the mean of log(1 + exp(-y f)); what is its derivative in f, and what is averaged?"
            )
