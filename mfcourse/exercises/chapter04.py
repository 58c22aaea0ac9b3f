"""Checks for chapter 4, the particle flow."""

import numpy as np

from mfcourse import problems
from mfcourse.exercises import as_array, as_number, as_particles, exercise, shown
from mfcourse.experiments import spike_flow, spike_run, spike_steps
from mfcourse.flows import flow, forward_backward, velocity
from mfcourse.starts import grid_start

WORDS = ("optimal", "stuck", "moving")


def _cloud(seed, m=12):
    rng = np.random.default_rng(seed)
    return rng.normal(size=m) * 2, rng.uniform(size=(m, 1))


@exercise("4.1")
def check_one_step(one_step):
    """`one_step(problem, w, theta, alpha, beta)` agrees with the library's step on clouds with and without zeros."""
    for seed in range(3):
        problem = problems.spikes(seed)
        alpha, beta = spike_steps(problem)
        for cloud in (_cloud(seed), grid_start(9)):
            w, theta = as_particles(one_step(problem, *(x.copy() for x in cloud), alpha, beta), "one_step")
            right_w, right_theta = forward_backward(problem, alpha, beta)(*cloud)
            assert theta.shape == right_theta.shape, f"Keep the shapes: theta had {right_theta.shape}."
            assert np.allclose(w, right_w, atol=1e-12), (
                f"Your first weight goes to {w[0]:.5f}, it should go to {right_w[0]:.5f}: first along -eta, then "
                "towards zero by alpha, and stop there."
            )
            away = theta - right_theta  # a whole turn more or less is the same place
            assert np.allclose(away - np.round(away), 0, atol=1e-12), (
                f"Your first position goes to {theta[0, 0]:.6f}, it should go to {right_theta[0, 0]:.6f}. Both steps "
                "start from the old state: the old w."
            )


@exercise("4.2")
def check_weight_speed(weight_speed):
    """`weight_speed(w, eta)` agrees with Prop. 2.3, and at w = 0 nothing shorter is in -eta - [-1, 1]."""
    weights, potentials = [-2.0, -1e-3, -1e-12, 0.0, 1e-12, 1e-3, 3.0], [-2.5, -1.0, -0.3, 0.0, 0.8, 1.7]
    w, eta = (grid.ravel() for grid in np.meshgrid(weights, potentials))
    speed = as_array(weight_speed(w.copy(), eta.copy()), "weight_speed returns one speed for each weight, an array")
    assert speed.shape == w.shape, f"weight_speed returns an array of shape {w.shape}; yours has {speed.shape}."
    away = w != 0
    assert np.allclose(speed[away], -(eta + np.sign(w))[away]), (
        "Away from zero, however little, the speed is minus the slope: -(eta + sign w)."
    )
    slopes = np.linspace(-1, 1, 2001)
    for value, answer in zip(eta[~away], speed[~away], strict=True):
        least = np.abs(-value - slopes).min()
        assert np.isclose(abs(answer), least, atol=1e-9), (
            f"At w = 0 with eta = {value:g} yours is {answer:g}. The price may have any slope s in [-1, 1] there: "
            f"choose it so that |eta + s| is least, here {least:g}."
        )
        assert answer * value <= 0, f"At w = 0 with eta = {value:g} a weight moves downhill, against the sign of eta."


@exercise("4.3")
def check_dissipated(dissipated):
    """`dissipated(problem, w, theta)` is the rate at which F falls along the velocity, by finite differences.

    Positions usually dissipate far more than weights do. In the last clouds they do not: at weight 0 they stand still.
    """
    clouds = [_cloud(seed, 5 + seed) for seed in range(4)] + [grid_start(7), (1e-4 * _cloud(5, 9)[0], _cloud(5, 9)[1])]
    for seed, (w, theta) in enumerate(clouds):
        problem = problems.spikes(seed % 4)
        rate = as_number(dissipated(problem, w.copy(), theta.copy()), "dissipated returns a number")
        (speed_w, speed_theta), h = velocity(problem, w, theta), 1e-9
        later = problem.energy(w + h * speed_w, theta + h * speed_theta)
        measured = (problem.energy(w, theta) - later) / h  # looking ahead only: at weight 0 there is a kink behind
        assert np.isclose(rate, measured, rtol=1e-3), (
            f"{len(w)} particles: F falls at the rate {measured:.2f}, yours is {rate:.2f}. Square the speeds of "
            "weights and of positions, add them for each particle, and take the mean."
        )


def _patients():
    """Last states of runs: a name, the problem, the state, and the word for it.

    No single number decides: few particles may be enough and many may be stuck, J may be below that of the truth in a
    run that is not done, and the optimal measure may be held by particles that still move.
    """
    problem = problems.spikes(0)
    alpha, beta = spike_steps(problem)
    usual, large = forward_backward(problem, alpha, beta), forward_backward(problem, alpha, 5 * beta)

    def after(steps, m, step=usual):
        return flow(problem, step, grid_start(m), steps, record=()).state

    done, theta = spike_flow(problem, 10).state
    idle = np.where(np.cumsum(done == 0) == 1, 1e-9 * (done == 0), done)  # the first of those at weight 0
    return (
        ("a run with 10 particles, to its end", problem, (done, theta), "optimal"),
        ("a run with 6 particles, to its end", problem, after(1500, 6), "stuck"),
        ("a run with 6 particles on seed 4", problems.spikes(4), spike_flow(problems.spikes(4), 6).state, "stuck"),
        ("a run with 6 particles on seed 2", problems.spikes(2), spike_flow(problems.spikes(2), 6).state, "optimal"),
        ("a run with 10 particles from an arc", problem, spike_run(problem, grid_start(10, arc=0.2)).state, "stuck"),
        ("a run with steps five times too large for positions", problem, after(3000, 10, large), "moving"),
        ("a start, all weights 0", problem, grid_start(10), "moving"),
        ("a run after 20 steps", problem, after(20, 10), "moving"),
        ("a run after 150 steps, J nearly the least", problem, after(150, 10), "moving"),
        ("a run after 300 steps, J nearly the least", problem, after(300, 10), "moving"),
        ("6 particles after 700 steps", problem, after(700, 6), "stuck"),
        ("a certified run, one idle particle on the last of its way to weight 0", problem, (idle, theta), "optimal"),
    )


@exercise("4.4")
def check_diagnose(diagnose):
    """`diagnose(problem, w, theta)` tells certified, stuck and moving states apart, on real runs."""
    for name, problem, state, word in _patients():
        answer = diagnose(problem, *(x.copy() for x in state))
        known = isinstance(answer, str) and answer in WORDS
        assert known, f"diagnose returns one of {WORDS}; yours is {shown(answer):.60}."
        assert answer == word, (
            f"{name}: you say {answer!r}. Two questions decide: is it certified, and if not, is anything still moving?"
        )
