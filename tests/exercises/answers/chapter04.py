"""Wrong answers to chapter 4, and the hints they must meet."""

import numpy as np

from mfcourse import certificates, flows, penalties
from mfcourse.exercises import chapter04
from mfcourse.measures import h1


def new_weights_move_positions(problem, w, theta, alpha, beta):
    _, eta, slope = problem.risk(w, theta)
    w = penalties.soft_threshold(w - alpha * eta, alpha)
    return w, theta - beta * w[:, None] * slope


def no_threshold(problem, w, theta, alpha, beta):
    _, eta, slope = problem.risk(w, theta)
    return w - alpha * (eta + np.sign(w)), theta - beta * w[:, None] * slope


def weights_and_positions_apart(problem, w, theta, alpha, beta):
    """The threshold before the step along the slope."""
    _, eta, slope = problem.risk(w, theta)
    return penalties.soft_threshold(w, alpha) - alpha * eta, theta - beta * w[:, None] * slope


def position_without_mass(problem, w, theta, alpha, beta):
    _, eta, slope = problem.risk(w, theta)
    return penalties.soft_threshold(w - alpha * eta, alpha), theta - beta * np.sign(w)[:, None] * slope


def zero_up_to_rounding(w, eta):
    return np.where(np.isclose(w, 0), -penalties.soft_threshold(eta, 1), -(eta + np.sign(w)))


def full_speed_after_the_wait(w, eta):
    return np.where(w == 0, np.where(np.abs(eta) > 1, -eta, 0), -(eta + np.sign(w)))


def rate(problem, w, theta, weights=True, total=np.mean):
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    return total(weights * speed_w**2 + (speed_theta**2).sum(axis=1))


def certified(problem, w, theta):
    return certificates.certify(problem, h1(w, theta)).optimal


def only_the_certificate(problem, w, theta):
    return "optimal" if certified(problem, w, theta) else "stuck"


def only_rest(problem, w, theta):
    return "optimal" if flows.dissipation(problem, w, theta) < 1e-6 else "moving"


def rest_first(problem, w, theta):
    if flows.dissipation(problem, w, theta) >= 1e-6:
        return "moving"
    return "optimal" if certified(problem, w, theta) else "stuck"


def rest_at(level, particles=2):
    """At rest below another level, or if only the weights, or only the positions, are."""

    def diagnose(problem, w, theta):
        speeds = flows.velocity(problem, w, theta)
        chosen = speeds if particles == 2 else speeds[particles : particles + 1]
        moving = sum(np.mean(speed**2) for speed in chosen)
        return "optimal" if certified(problem, w, theta) else "stuck" if moving < level else "moving"

    return diagnose


def better_than_the_truth(problem, w, theta):
    if problem.objective(h1(w, theta)) <= problem.objective(problem.truth):
        return "optimal"
    return "stuck" if flows.dissipation(problem, w, theta) < 1e-6 else "moving"


def few_are_stuck(problem, w, theta):
    if flows.dissipation(problem, w, theta) >= 1e-6 and not certified(problem, w, theta):
        return "moving"
    return "stuck" if len(w) < 10 else "optimal"


WRONG = [
    (chapter04.check_one_step, new_weights_move_positions, "the old w"),
    (chapter04.check_one_step, no_threshold, "stop there"),
    (chapter04.check_one_step, weights_and_positions_apart, "first along -eta"),
    (chapter04.check_one_step, position_without_mass, "Your first position"),
    (chapter04.check_weight_speed, lambda w, eta: -(eta + np.sign(w)), "any slope s"),
    (chapter04.check_weight_speed, lambda w, eta: -penalties.soft_threshold(eta, 1), "Away from zero"),
    (chapter04.check_weight_speed, zero_up_to_rounding, "however little"),
    (chapter04.check_weight_speed, full_speed_after_the_wait, "any slope s"),
    (chapter04.check_dissipated, lambda p, w, theta: rate(p, w, theta, total=np.sum), "take the mean"),
    (chapter04.check_dissipated, lambda p, w, theta: -rate(p, w, theta), "take the mean"),
    (chapter04.check_dissipated, lambda p, w, theta: rate(p, w, theta, weights=False), "of weights and of positions"),
    (chapter04.check_dissipated, lambda p, w, theta: rate(p, w, theta) / 2, "add them for each particle"),
    (chapter04.check_diagnose, only_the_certificate, "is anything still moving"),
    (chapter04.check_diagnose, only_rest, "is it certified"),
    (chapter04.check_diagnose, rest_first, "one idle particle on the last of its way"),
    (chapter04.check_diagnose, better_than_the_truth, "J nearly the least: you say 'optimal'"),
    (chapter04.check_diagnose, few_are_stuck, "6 particles on seed 2"),
    (chapter04.check_diagnose, rest_at(1e-3), "J nearly the least: you say 'stuck'"),
    (chapter04.check_diagnose, rest_at(1e-9), "6 particles after 700 steps"),
    (chapter04.check_diagnose, rest_at(1e-6, particles=1), "a start, all weights 0"),
    (chapter04.check_diagnose, rest_at(1e-6, particles=0), "after 300 steps"),
]
