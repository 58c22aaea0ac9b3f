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


def rate(problem, w, theta, weights=True, total=np.mean):
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    return total(weights * speed_w**2 + (speed_theta**2).sum(axis=1))


def only_the_certificate(problem, w, theta):
    return "optimal" if certificates.certify(problem, h1(w, theta)).optimal else "stuck"


def only_rest(problem, w, theta):
    return "optimal" if flows.dissipation(problem, w, theta) < 1e-6 else "moving"


WRONG = [
    (chapter04.check_one_step, new_weights_move_positions, "the old w"),
    (chapter04.check_one_step, no_threshold, "stop there"),
    (chapter04.check_weight_speed, lambda w, eta: -(eta + np.sign(w)), "any slope s"),
    (chapter04.check_weight_speed, lambda w, eta: -penalties.soft_threshold(eta, 1), "Away from zero"),
    (chapter04.check_dissipated, lambda p, w, theta: rate(p, w, theta, total=np.sum), "take the mean"),
    (chapter04.check_dissipated, lambda p, w, theta: -rate(p, w, theta), "take the mean"),
    (chapter04.check_diagnose, only_the_certificate, "is anything still moving"),
    (chapter04.check_diagnose, only_rest, "is it certified"),
]
