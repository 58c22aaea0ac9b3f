"""Checks for lab C, a network you can see: ReLU neurons in the plane, and on digits."""

import numpy as np

from mfcourse import problems
from mfcourse.exercises import as_array, as_number, as_particles, as_parts, has_nan
from mfcourse.exercises.grading import as_dictionary, complete, task
from mfcourse.exercises.noise import noisy_risk
from mfcourse.features import Neurons
from mfcourse.flows import balance, flow, gradient
from mfcourse.losses import Squared
from mfcourse.measures import Measure
from mfcourse.risks import FeatureRisk, PopulationRisk
from mfcourse.starts import sphere_start

QUESTIONS = ("one sign, m = 30", "one sign, m = 100", "both signs, m = 30", "changes")
CONSTANTS = (0.5, 0.25, 0.1, 0.05, 0.02, 0.01)  # the steps that a schedule has to beat
STEPS = 1000
PARALLEL = "There is a nan: where two neurons point the same way, rounding may make a cosine exceed 1."
NO_WEIGHT = "There is a nan for neurons of weight 0: do not divide by w, eta is a function on the plane."


@task("C1", 3)
def check_risk(risk, seed=0):
    """`risk(w, theta, masses, positions)`: as 200 000 samples say, as the library says, and 0 for the teacher."""
    student, axes = (np.array([2.0]), np.array([[3.0, 4.0]])), np.eye(2)
    x = np.random.default_rng([seed, 1]).standard_normal((200_000, 2))
    sampled = (2 * np.maximum(x @ [3.0, 4.0], 0) + 1.5 * np.maximum(x[:, 0], 0)) ** 2 / 2
    error = abs(_number(risk(*student, np.array([-1.5]), axes[:1])) - sampled.mean()) / (sampled.std() / len(x) ** 0.5)
    many = "more than 100" if error > 100 else f"{error:.0f}"
    hint = f"For one neuron and a teacher of one, {len(x)} samples say otherwise, by {many} standard errors."
    yield 1, error < 5, f"{hint} Expand (f - f*)^2: two squares and a cross term; mind the 1/2, lengths and signs."
    w, theta = np.array([1.0, -2.0, 0.5]), np.array([[3.0, 4.0], [0.0, 2.0], [-4.0, 3.0]])
    teacher = Measure([1.0, -0.7], axes)
    answer = _number(risk(w, theta, teacher.weights, axes))
    hint = "the student is a mean over its neurons, the teacher a sum." if error < 5 else "mend the point above first."
    right = np.isclose(answer, PopulationRisk(teacher, "relu")(w, theta)[0], rtol=1e-8)
    yield 1, right, f"With three neurons it is off: {hint}"
    right = True
    for k in range(20):
        teacher = problems.relu_teacher(100 * seed + k).truth
        r = np.random.default_rng([seed, k]).uniform(0.3, 3, 4)
        w, theta = 4 * teacher.weights / r, r[:, None] * teacher.positions
        same, double = (_number(risk(u, theta, teacher.weights, teacher.positions)) for u in (w, 2 * w))
        right &= abs(same) < 1e-10 < double
    yield 1, right, "A student that is the teacher, neuron by neuron, must have the risk 0; with doubled weights, more."


@task("C2", 4)
def check_slope(slope, seed=0):
    """`slope(w, theta, masses, positions)`: eta and grad eta at the neurons, by differences of the exact risk."""
    problem = problems.relu_teacher(5 + seed)
    w, theta = sphere_start(5, np.random.default_rng([seed, 2]), 2, radius=0.8, weight=1.3)
    eta, grad = _field(slope, w, theta, problem.truth)
    by_w, by_theta = _differences(lambda *u: problem.risk(*u)[0], w, theta)
    right = np.allclose(eta, by_w, rtol=1e-5, atol=1e-7)
    yield 1, right, "eta(theta_i) must be m times the derivative of R in w_i: take a finite difference of the risk."
    right = np.allclose(w[:, None] * grad, by_theta, rtol=1e-5, atol=1e-6)
    hint = "w_i grad eta(theta_i) must be m times the derivative of R in theta_i."
    yield 2, right, f"{hint} Compare your grad_a k alone with a finite difference of k in a."
    eta, grad = _field(slope, 0 * w, theta, problem.truth, NO_WEIGHT)
    _, potential, slopes = problem.risk(0 * w, theta)
    right = np.allclose(eta, potential, atol=1e-8) and np.allclose(grad, slopes, atol=1e-8)
    yield 1, right, "Neurons of weight 0 have a potential and a gradient too: eta is a function on the plane."


@task("C3", 4)
def check_sgd_step(sgd_step, seed=0):
    """`sgd_step(w, theta, x, y, size)`: finite differences of the batch's risk, and unbiased over many batches."""
    rng, problem = np.random.default_rng([seed, 3]), problems.relu_teacher(5 + seed)
    w, theta = sphere_start(4, rng, 2, radius=0.8, weight=1.3)
    x = rng.standard_normal((30, 2))
    y = problem.risk.taught(x) + rng.standard_normal(30)
    batch = FeatureRisk(Neurons(x, "relu"), Squared(y, 30))
    exact = _differences(lambda *u: batch(*u)[0], w, theta)
    speeds = *_speed(sgd_step, w, theta, x, y, 1e-7), *_speed(sgd_step, w, theta, x, y, 0.5)
    right = [np.allclose(*pair, rtol=1e-5, atol=1e-6) for pair in zip(speeds, exact * 2, strict=True)]
    hint = "w must move by -size * m times the derivative of the mean of (f - y)^2 / 2 over the batch."
    yield 1, right[0], f"{hint} Look at the 1/m in f, the mean over samples, and the sign."
    yield 1, right[1], "theta is off: w_i and x come in, only where theta_i . x > 0, and no 1/m stays."
    hint = "With a long step w or theta is off: both must start from the old state."
    yield 1, all(right[2:]), hint if all(right[:2]) else "The point for long steps comes after the point above."
    many = rng.standard_normal((400, 20, 2))
    draws = [np.column_stack(_speed(sgd_step, w, theta, x, problem.risk.taught(x), 1e-7)) for x in many]
    _, potential, slope = problem.risk(w, theta)
    away = np.abs(np.mean(draws, axis=0) - np.column_stack([potential, w[:, None] * slope]))
    error = (away / (np.std(draws, axis=0) / 20 + 1e-12)).max()
    hint = "Over 400 batches of 20 the mean step is off: it must be a mean over the samples, whatever their number."
    yield 1, error < 5, hint if all(right) else "For the 400 batches: mend the points above first."


@task("C4", 3)
def check_drift(drift, seed=0):
    """`drift(problem, w, theta, sizes, time)`: largest change of the balance, for each step size, and its order."""
    problem, sizes, time = problems.relu_teacher(5 + seed), (0.1, 0.05, 0.025, 0.0125), 4.0
    w, theta = sphere_start(6, np.random.default_rng([seed, 4]), 2, radius=0.4, weight=1.2)
    answer = drift(problem, w.copy(), theta.copy(), sizes, time)
    values, order = as_parts(answer, 2, "drift returns two things, the drifts and their order")
    values = as_array(values, "drift returns first one number for each step size, an array", (4,))
    ends = [flow(problem, gradient(problem, h, h), (w, theta), round(time / h), record=()).state for h in sizes]
    right = np.isclose(values, [np.abs(balance(*end) - balance(w, theta)).max() for end in ends], rtol=1e-6)
    hint = "The drift of the first size is off: take the change of w^2 - |theta|^2 from the start to the end,"
    yield 1, right[0], f"{hint} in absolute value, the largest over the neurons."
    yield 1, right.all(), "All runs must reach the same time: half the step, twice as many steps."
    slopes = np.diff(np.log(np.maximum(values, 1e-300))) / np.diff(np.log(sizes))
    order = as_number(order, "drift returns second the order, a number")
    right = np.ptp(values) > 0 and slopes.min() - 0.01 < order < slopes.max() + 0.01
    yield 1, right, "The order is the slope of your drifts against the sizes, both as logarithms."


@task("C5", 2)
def check_predictions(predictions):
    """`predictions()`: a relative risk for each of three runs and a number of sign changes, complete and in range."""
    told = as_dictionary(predictions(), "predictions returns a dictionary")
    yield 1, *complete(told, QUESTIONS)
    values = {key: as_number(told[key], f"A number is asked for {key!r}") for key in QUESTIONS if key in told}
    wide = [key for key, value in values.items() if not 0 <= value <= (160 if key == "changes" else 1)]
    if values:
        right = not wide and float(values.get("changes", 0)).is_integer()
        yield 1, right, "Relative risks are between 0 and 1 here; changes is a whole number, of 160 weights in all."


@task("C6", 4)
def check_missed(missed, seed=0):
    """`missed(measure, teacher)`: True for each teacher neuron without half of its strength in its cone and sign."""
    rng, wrong = np.random.default_rng([seed, 6]), []
    for k in range(12):
        degrees, masses = np.array([20.0, 75.0, 130.0, 215.0]), rng.choice([-1.0, 1.0], 4) * rng.uniform(0.5, 1.5, 4)
        teacher, turned = (Measure(masses, _directions(degrees + by)) for by in (0, (-19, -36)[k % 2]))
        lost, r = np.roll([True, True, False, False], k // 4), rng.uniform(3, 9, 4) ** rng.choice([-1, 1], 4)
        aside = _directions(degrees - (19, 36)[k % 2] + (-1) ** (k // 2) * np.where(lost, 12, 8))
        near = _directions(degrees + rng.uniform(-8, 8, 4))
        against = Measure(np.where(lost, -1, 1) * masses, near) + Measure(-0.9 * masses, near)
        share, nowhere = Measure(np.where(lost, 0.15, 0.35) * masses, near), Measure([2.0, -2.0], np.zeros((2, 2)))
        stretched = Measure(np.where(lost, 0.1, 1) * masses / r, r[:, None] * near)
        students = Measure(masses, aside), against, stretched, share + share + nowhere
        for one, taught in zip(students, (turned, teacher, teacher, teacher), strict=True):
            wrong.append(as_array(missed(one, taught), "missed returns an array of True and False", (4,)) != lost)
    assert np.mean(wrong) <= 0.75, "It looks inverted: True means missed."
    direction, sign, fibre, strength = ~np.reshape(wrong, (12, 4, 4)).any(axis=(0, 2))
    yield 1, direction, "Directions: 8 degrees away is near, 12 is not; 359 degrees is 2 degrees from 1."
    yield 1, sign, "Signs: an atom of the other sign does not count, and takes nothing away."
    yield 1, fibre, "With a / r and r theta it is the same network: your answer should be the same too."
    yield 1, strength, "Strengths: atoms near one neuron add up; half of its strength is asked; an atom at 0 has none."


@task("C8", 3)
def check_schedule(schedule, seed=0):
    """`schedule(k, steps)`: the exact risk that SGD on noisy labels ends with in 24 runs, against constant steps."""
    sizes = [as_number(schedule(k, STEPS), f"schedule({k}, {STEPS}) must be a number") for k in range(STEPS)]
    assert 0 < min(sizes) <= max(sizes) <= 0.5, "All step sizes must be above 0 and at most 0.5."
    yield 1, True, ""
    problem, start = problems.relu_teacher(5), sphere_start(20, np.random.default_rng([5, 20]), 2)
    table = np.vstack([sizes, *(np.full(STEPS, h) for h in CONSTANTS)])
    risks = [noisy_risk(problem, start, table, 10 * seed + k) for k in range(151, 157)]
    yours, *others = np.mean(risks, axis=0)
    share = yours / min(others)
    said = f"It leaves {share:.2f} times what the best constant leaves; "
    yield 1, share < 0.999, said + "less is asked. The last sizes set the noise; those that fall too early stop short."
    yield 1, share <= 0.8, said + "at most 0.8 is asked. Travel first, with long steps; then let the noise average out."


@task("C10", 4)
def check_report(report, seed=0):
    """`report(f, y)`: the table counts all cases, and both ends of the interval are 1.96 deviations from the rate."""
    rng = np.random.default_rng([seed, 10])
    y = np.where(rng.uniform(size=300) < 0.2, 1.0, -1.0)
    f = np.where(rng.uniform(size=300) < 0.1, -1, 1) * y * rng.uniform(0.1, 3, 300) * (np.arange(300) > 20)
    expected = "report returns a table, the accuracy, and the two ends of the interval"
    table, rate, low, high = as_parts(report(f.copy(), y.copy()), 4, expected)
    counts = [[(((y > 0) == truth) & ((f > 0) == says)).sum() for says in (False, True)] for truth in (False, True)]
    table = as_array(table, "The table is an array of counts", (2, 2))
    hint = "The table is off: rows are what is true, columns what is said, 'no' first; an output 0 says no."
    yield 1, (table == counts).all(), hint
    rate = as_number(rate, "The accuracy is a number")
    yield 1, abs(rate - np.trace(table) / 300) < 1e-12, "The accuracy is the share of samples on the table's diagonal."
    hint = "At an end p the accuracy must be 1.96 sqrt(p (1 - p) / n) from p: the deviation that belongs to p,"
    yield 1, *_interval(low, high, rate, f"{hint} not to the accuracy. Square this, and solve for p.")
    _, _, low, high = as_parts(report(y.copy(), y.copy()), 4, expected)
    yield 1, *_interval(low, high, 1.0, "Without any error the interval has a length too: 1 is only its upper end.")


def _directions(degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _number(value):
    assert not has_nan(value), PARALLEL
    return as_number(value, "risk returns a finite number")


def _field(slope, w, theta, teacher, hint=PARALLEL):
    """What `slope` returns, as arrays (m,) and (m, 2)."""
    answer = slope(w.copy(), theta.copy(), teacher.weights.copy(), teacher.positions.copy())
    eta, grad = answer = as_parts(answer, 2, "slope returns two arrays, eta and its gradient")
    assert not any(map(has_nan, answer)), hint
    return as_array(eta, "eta is an array", w.shape), as_array(grad, "The gradient is an array", theta.shape)


def _speed(sgd_step, w, theta, x, y, size):
    """(old - new) / size for both parts of a step, shapes (m,) and (m, 2)."""
    new_w, new_theta = as_particles(sgd_step(w.copy(), theta.copy(), x.copy(), y.copy(), size), "sgd_step")
    return (w - new_w) / size, (theta - new_theta) / size


def _differences(energy, w, theta):
    """m times the partial derivatives of an energy of one run, by central differences: (m,) and (m, 2)."""
    m, h = len(w), 1e-5 * np.eye(3 * len(w))
    up, down = ([energy(u[:m], u[m:].reshape(m, 2)) for u in np.append(w, theta) + side * h] for side in (1, -1))
    slopes = m * (np.array(up) - down) / 2e-5
    return slopes[:m], slopes[m:].reshape(m, 2)


def _interval(low, high, rate, hint):
    """Whether both ends p obey |rate - p| = 1.96 sqrt(p (1 - p) / 300), one on each side; and what to say if not."""
    low, high = ends = as_array([low, high], "The ends of the interval are two numbers", (2,))
    away = np.abs(rate - ends) - 1.96 * np.sqrt(np.maximum(ends * (1 - ends), 0) / 300)
    apart = 0 < low < rate - 1e-9 and (rate < high or rate == 1) and high < 1 + 1e-9
    return apart and (np.abs(away) < 1e-5).all(), "The low end comes first." if low > high else hint
