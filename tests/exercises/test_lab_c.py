"""Lab C: right answers, however written, earn all points; each usual mistake loses its part, and is told why."""

import re

import numpy as np
import pytest
from judging import judge

from mfcourse import kernels, problems, starts
from mfcourse.exercises import lab_c, noise
from mfcourse.flows import balance, flow, gradient
from mfcourse.measures import Measure
from mfcourse.risks import PopulationRisk

POINTS = {"risk": 3, "slope": 4, "sgd_step": 4, "drift": 3, "predictions": 2, "missed": 4, "schedule": 3, "report": 4}
TOLD = dict.fromkeys(lab_c.QUESTIONS[:3], 0.5) | {"changes": 3}


def risk(w, theta, masses, positions, half=0.5, mean=True):
    """Pair by pair, by the angle of a cross product."""
    atoms = [*zip(w / (len(w) if mean else 1), theta, strict=True), *zip(-masses, positions, strict=True)]
    total = 0.0
    for a, u in atoms:
        for b, v in atoms:
            t = abs(np.arctan2(u[0] * v[1] - u[1] * v[0], u @ v))
            total += a * b * np.hypot(*u) * np.hypot(*v) * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)
    return half * total


def unclipped(w, theta, masses, positions):
    a, v = np.append(w / len(w), -masses), np.vstack([theta, positions])
    unit = v / np.linalg.norm(v, axis=1)[:, None]
    cosine = (1 + 1e-15) * unit @ unit.T
    t, lengths = np.arccos(cosine), np.outer(*[np.linalg.norm(v, axis=1)] * 2)
    return a @ (lengths * (np.sin(t) + (np.pi - t) * np.cos(t))) @ a / (4 * np.pi)


def slope(w, theta, masses, positions):
    masses, positions = np.append(w / len(w), -masses), np.vstack([theta, positions])
    return kernels.arc_cosine(theta, positions, masses)


def velocity(w, theta, masses, positions):
    eta, grad = slope(w, theta, masses, positions)
    return eta, w[:, None] * grad


def halved(w, theta, masses, positions):
    eta, grad = slope(w, theta, masses, positions)
    return eta / len(w), grad / len(w)


def by_division(w, theta, masses, positions, guard=True):
    eta, grad = velocity(w, theta, masses, positions)
    return np.where(w == 0, 0, eta), grad / np.where(guard & (w == 0), 1, w)[:, None]


def sgd_step(w, theta, x, y, size, late=False, mean=True, kink=True, sign=1, samples=None):
    f = np.array([sum(w * np.maximum(theta @ one, 0)) for one in x]) / len(w)
    new = w.copy()
    for r, one in zip(f - y, x, strict=True):
        new -= sign * size * r * np.maximum(theta @ one, 0) / ((samples or len(x)) if mean else 1)
    on = (theta @ x.T > 0) if kink else np.ones((len(w), len(x)))
    push = (on * (f - y)) @ x / ((samples or len(x)) if mean else 1)
    return new, theta - sign * size * (new if late else w)[:, None] * push


def theta_first(w, theta, x, y, size):
    moved = sgd_step(w, theta, x, y, size)[1]
    f = w @ np.maximum(moved @ x.T, 0) / len(w)
    return w - size * np.maximum(moved @ x.T, 0) @ (f - y) / len(y), moved


def drift(problem, w, theta, sizes, time, steps=None, change=True, absolute=np.abs):
    values = []
    for h in sizes:
        state = w, theta
        for _ in range(steps or round(time / h)):
            state = gradient(problem, h, h)(*state)
        values.append(absolute(balance(*state) - change * balance(w, theta)).max())
    return values, np.log2(abs(values[0] / values[-1])) / np.log2(sizes[0] / sizes[-1])


def missed(measure, teacher, sign=True, weigh="product", wrap=True, alone=False):
    answer = []
    for a, theta in zip(teacher.weights, teacher.positions, strict=True):
        total = []
        for b, u in zip(measure.weights, measure.positions, strict=True):
            apart = abs(np.rad2deg(np.arctan2(*u[::-1]) - np.arctan2(*theta[::-1])))
            apart = min(apart, 360 - apart) if wrap else apart
            if apart < 10 and (a * b > 0 or not sign):
                total.append({"product": b * np.hypot(*u), "mass": b}[weigh])
        found = max(np.abs(total), default=0) if alone else abs(sum(total))
        answer.append(found < abs(a) / 2)
    return answer


def report(f, y, zero=0, flip=False, interval="wilson"):
    table = np.array([[sum((y == t) & ((f > zero) == s)) for s in (0, 1)] for t in (-1, 1)])
    rate, n = np.trace(table) / len(y), len(y)
    if interval == "wilson":
        low, high = np.sort(np.roots([1 + 1.96**2 / n, -2 * rate - 1.96**2 / n, rate**2]).real)
    else:
        half = 1.96 * np.sqrt(rate * (1 - rate) / n)
        low, high = rate - half, rate + half
    return table.T if flip else table, rate, low, high


def linear(k, steps):
    return 0.25 * (1 - k / steps)


RIGHT = {
    "risk": risk,
    "slope": slope,
    "sgd_step": sgd_step,
    "drift": drift,
    "predictions": lambda: dict.fromkeys(lab_c.QUESTIONS, 1),
    "missed": missed,
    "schedule": linear,
    "report": report,
}
WRONG = [  # task, answer, points, and what is said of it
    ("risk", lambda *u: risk(*u, half=1), 1, "it is off: mend the point above first"),
    ("risk", lambda *u: 0.0, 0, "by more than 100 standard errors. Expand (f - f*)^2: two squares and a cross term"),
    ("risk", lambda *u: None, 0, "risk returns a finite number; yours is None"),
    ("risk", lambda *u: 0.0, 0, "with doubled weights, more"),
    ("risk", lambda *u: risk(*u, mean=False), 1, "a mean over its neurons, the teacher a sum"),
    ("risk", unclipped, 0, "rounding may make a cosine exceed 1.\n"),
    ("risk", lambda *u: 40.0, 0, "standard errors"),
    ("slope", velocity, 1, "with a finite difference of k in a"),
    ("slope", halved, 0, "m times the derivative of R in w_i"),
    ("slope", by_division, 3, "Neurons of weight 0"),
    ("slope", lambda *u: by_division(*u, guard=False), 3, "do not divide by w, eta is a function on the plane"),
    ("slope", lambda *u: (np.nan * u[0], u[1]), 0, "There is a nan: where two neurons point the same way"),
    ("slope", lambda *u: slope(*u)[0], 0, "returns two arrays"),
    ("sgd_step", lambda *u: sgd_step(*u, late=True), 3, "must start from the old state"),
    ("sgd_step", theta_first, 3, "With a long step w or theta is off"),
    ("sgd_step", lambda *u: sgd_step(*u, mean=False), 0, "the mean over samples"),
    ("sgd_step", lambda *u: sgd_step(*u, mean=False), 0, "mend the points above first"),
    ("sgd_step", lambda *u: sgd_step(*u, samples=30), 3, "a mean over the samples, whatever their number"),
    ("sgd_step", lambda *u: sgd_step(*u, kink=False), 1, "only where theta_i . x > 0"),
    ("sgd_step", lambda *u: sgd_step(*u, kink=False), 1, "comes after the point above"),
    ("sgd_step", lambda *u: sgd_step(*u, sign=-1), 0, "and the sign"),
    ("sgd_step", lambda *u: None, 0, "returns two arrays"),
    ("drift", lambda *u: drift(*u, steps=40), 2, "reach the same time"),
    ("drift", lambda *u: drift(*u, change=False), 1, "from the start to the end"),
    ("drift", lambda *u: (drift(*u)[0], 2.0), 2, "both as logarithms"),
    ("predictions", dict, 0, "both signs, m = 30, changes.\n"),
    ("predictions", lambda: TOLD | {"changes": 2.5}, 1, "a whole number"),
    ("predictions", lambda: TOLD | {lab_c.QUESTIONS[0]: 20}, 1, "between 0 and 1"),
    ("predictions", lambda: {"changes": 0}, 1, "Yours lacks one sign, m = 30, one"),
    ("missed", lambda *u: missed(*u, sign=False), 3, "Signs"),
    ("missed", lambda *u: missed(*u, weigh="mass"), 3, "a / r and r theta"),
    ("missed", lambda *u: missed(*u, wrap=False), 3, "359 degrees"),
    ("missed", lambda *u: missed(*u, alone=True), 3, "add up"),
    ("missed", lambda *u: [True, True, False, False], 0, "Directions"),
    ("missed", lambda *u: [False] * 4, 0, "Directions"),
    ("missed", lambda *u: np.logical_not(missed(*u)), 0, "True means missed"),
    ("schedule", lambda k, steps: 0.25, 1, "The last sizes set the noise"),
    ("schedule", lambda k, steps: 0.5 / (1 + k), 1, "too early stop short"),
    ("schedule", lambda k, steps: 0.02, 1, "1.00 times what the best constant leaves; less is asked"),
    ("schedule", lambda k, steps: 0.5 * (1 - k / steps), 2, "at most 0.8 is asked"),
    ("schedule", lambda k, steps: 1 / (1 + k), 0, "at most 0.5"),
    ("schedule", lambda k, steps: None, 0, "schedule(0, 1000) must be a number"),
    ("report", lambda *u: report(*u, flip=True), 3, "rows are what is true"),
    ("report", lambda *u: report(*u, zero=-1e-9), 3, "an output 0 says no"),
    ("report", lambda *u: report(*u, interval="wald"), 2, "the deviation that belongs to p"),
    ("report", lambda *u: (*report(*u)[:2], *report(*u)[:1:-1]), 2, "The low end comes first"),
    ("report", lambda *u: report(*u)[:2], 0, "yours are 2"),
]


def check(name):
    return getattr(lab_c, f"check_{name}")


@pytest.mark.parametrize("name", POINTS)
def test_a_right_answer_written_otherwise_earns_all_points_on_every_instance(name, capsys):
    instances = ((),) if name == "predictions" else ((), (7,), (1,))
    assert [check(name)(RIGHT[name], *one) for one in instances] == [POINTS[name]] * len(instances)
    assert "\n  " not in capsys.readouterr().out


@pytest.mark.parametrize(("name", "answer", "points", "said"), WRONG)
def test_a_usual_mistake_loses_its_part_and_is_told_why(name, answer, points, said, capsys):
    judge(capsys, check(name), answer, points, re.escape(said))


def test_an_empty_dictionary_gets_one_hint(capsys):
    assert lab_c.check_predictions(dict) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("instance", [0, 7])
def test_a_drift_without_its_absolute_value_loses_points_on_both_instances(instance, capsys):
    assert lab_c.check_drift(lambda *u: drift(*u, absolute=np.asarray), instance) < 3
    assert "in absolute value" in capsys.readouterr().out


@pytest.mark.parametrize("instance", [0, 7])
def test_a_constant_read_off_the_plot_earns_one_point_and_a_decay_as_one_over_k_two(instance):
    for size in (0.02, 0.05):
        assert lab_c.check_schedule(lambda k, steps, size=size: size, instance) == 1
    assert lab_c.check_schedule(lambda k, steps: 0.5 / (1 + k / 50), instance) == 2


@pytest.mark.parametrize("name", POINTS)
def test_what_is_not_written_earns_nothing(name, capsys):
    def stub(*arguments):
        raise NotImplementedError

    assert check(name)(stub) == 0
    assert "not solved yet" in capsys.readouterr().out
    assert check(name)(lambda *arguments: None) == 0


def test_an_answer_learnt_by_heart_fails_on_the_hidden_instances():
    problem = problems.relu_teacher(5)
    w, theta = starts.sphere_start(6, np.random.default_rng([0, 4]), 2, radius=0.4, weight=1.2)
    known = drift(problem, w, theta, (0.1, 0.05, 0.025, 0.0125), 4.0)
    assert lab_c.check_drift(lambda *u: known) == 3
    assert lab_c.check_drift(lambda *u: known, 7) == 1  # the order of its own numbers
    truth = PopulationRisk(Measure([-1.5], [[1.0, 0.0]]), "relu")(np.array([2.0]), np.array([[3.0, 4.0]]))[0]
    assert lab_c.check_risk(lambda *u: float(truth)) == lab_c.check_risk(lambda *u: float(truth), 7) == 1


def test_the_kernel_of_the_right_answer_is_that_of_the_library():
    rng = np.random.default_rng(0)
    w, theta, teacher = rng.normal(size=3), rng.normal(size=(3, 2)), Measure([1.0, -2.0], rng.normal(size=(2, 2)))
    assert np.isclose(risk(w, theta, teacher.weights, teacher.positions), PopulationRisk(teacher, "relu")(w, theta)[0])


def test_the_noise_leaves_a_floor_in_proportion_to_the_step():
    problem, start = problems.relu_teacher(5), starts.sphere_start(20, np.random.default_rng([5, 20]), 2)
    long, short = noise.noisy_risk(problem, start, np.repeat([[0.25], [0.125]], 1000, axis=1))
    assert 1.5 < long / short < 3
    exact = flow(problem, gradient(problem, 0.25, 0.25), start, 1000, record=())
    assert exact.energy[-1] / problem.objective(noise.NOTHING) < short / 2
