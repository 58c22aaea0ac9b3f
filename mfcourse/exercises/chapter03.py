"""Checks for chapter 3, the particle lift."""

import numpy as np

from mfcourse import problems
from mfcourse.exercises import as_array, as_particles, exercise
from mfcourse.features import Neurons
from mfcourse.measures import Measure, h1, h2


@exercise("3.1")
def check_lift(lift):
    """`lift(measure, m)` is a cloud of m particles that leaves the measure, and its F is J of the measure."""
    for seed, n_spikes, more in ((0, 1, 0), (1, 3, 4), (2, 5, 45)):
        problem = problems.spikes(seed, n_spikes=n_spikes)
        m = n_spikes + more
        w, theta = as_particles(lift(problem.truth, m), "lift")
        assert theta.shape == (m, 1), f"lift returns m = {m} particles, theta of shape ({m}, 1); yours {theta.shape}."
        for k in range(8):
            wanted, left = (mu.integral(lambda t, k=k: np.cos(k * t[:, 0])) for mu in (problem.truth, h1(w, theta)))
            assert np.isclose(left, wanted), (
                f"m = {m}: the cloud leaves another measure; its integral of cos({k} t) is {left:.4f} and should be "
                f"{wanted:.4f}. A particle of weight w leaves the mass w / m."
            )
        wanted, value = problem.objective(problem.truth), problem.energy(w, theta)
        assert np.isclose(value, wanted), f"F is {value:.4f} and J is {wanted:.4f}: do opposite weights share a place?"


@exercise("3.2")
def check_balance_fibres(balance_fibres):
    """`balance_fibres(w, theta)` keeps every neuron, and brings its price to |w||theta|."""
    rng = np.random.default_rng(0)
    for m, d in ((1, 1), (4, 2), (10, 5)):
        w, theta = rng.normal(size=m), 3 * rng.normal(size=(m, d))
        new_w, new_theta = as_particles(balance_fibres(w.copy(), theta.copy()), "balance_fibres")
        assert new_theta.shape == (m, d), f"Keep the shapes: theta was {theta.shape} and is {new_theta.shape}."
        x = rng.normal(size=(20, d))
        for i in range(m):
            before, after = (w[i] * np.maximum(x @ theta[i], 0), new_w[i] * np.maximum(x @ new_theta[i], 0))
            assert np.allclose(before, after), (
                f"Neuron {i} has changed. On a fibre, theta is multiplied by r > 0 and w divided by the same r."
            )
        prices, least = (new_w**2 + (new_theta**2).sum(axis=1)) / 2, np.abs(w) * np.linalg.norm(theta, axis=1)
        assert np.allclose(prices, least), (
            f"The first price is {prices[0]:.4f}, and {least[0]:.4f} is possible: where are |w| and |theta| equal? "
            "Each particle has its own stretch."
        )


@exercise("3.3")
def check_not_convex(not_convex):
    """`not_convex(problem)` is a pair of clouds with a larger F half-way between them than on average."""
    for seed in range(4):
        problem = problems.spikes(seed)
        answer = not_convex(problem)
        assert isinstance(answer, tuple), "not_convex returns two clouds, ((w, theta), (v, tau))."
        assert len(answer) == 2, "not_convex returns two clouds, ((w, theta), (v, tau))."
        (w, theta), (v, tau) = (as_particles(cloud, "Each cloud of not_convex") for cloud in answer)
        assert w.shape == v.shape, f"The clouds must have the same size; yours have {len(w)} and {len(v)} particles."
        ends = (problem.energy(w, theta) + problem.energy(v, tau)) / 2
        middle = problem.energy((w + v) / 2, (theta + tau) / 2)
        assert middle > ends, (
            f"Seed {seed}: half-way F is {middle:.4f}, the average of the ends is {ends:.4f}. Start from a good cloud; "
            "which other list is just as good?"
        )


@exercise("3.4")
def check_h2_prediction(h2_prediction):
    """`h2_prediction(x, sphere)` is the network's prediction, also after atoms of h2 have been merged."""
    rng = np.random.default_rng(0)
    for m, d in ((1, 1), (6, 2), (30, 4)):
        w, theta, x = rng.normal(size=m), rng.normal(size=(m, d)), rng.normal(size=(15, d))
        sphere = h2(w, theta)
        twice = Measure(np.r_[sphere.weights, sphere.weights] / 2, np.r_[sphere.positions, sphere.positions])
        expected = "h2_prediction returns one number for each sample, an array"
        truth = Neurons(x, "relu").push(w, theta)
        for measure in (sphere, twice):
            answer = as_array(h2_prediction(x, measure), expected, (15,))
            assert np.allclose(answer, truth), (
                f"{len(measure)} atoms: your first number is {answer[0]:.4f}, the network says {truth[0]:.4f}. "
                "Integrate w relu(theta . x) against the measure; the masses of h2 hold |u|^2 and 1/m already."
            )
