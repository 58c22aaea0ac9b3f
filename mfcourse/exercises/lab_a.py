"""Checks for lab A, starts of the spikes: which of them a trap can hold."""

import numpy as np

from mfcourse import certificates, experiments, flows, problems, starts
from mfcourse.exercises import as_array, as_number, as_particles
from mfcourse.exercises.grading import task
from mfcourse.measures import Measure, h1

NAMES = ("line", "cloud", "staircase", "arc", "six", "one sign")
WORDS = ("global", "trapped", "unfinished")
COLUMNS = ("bounded", "separates", "flow", "global")
UNBOUNDED, OPEN, OTHER_STEPS = {"cloud"}, {"staircase", "arc", "six"}, {"one sign"}  # the starts that lack something
GLOBAL = 1e-6  # relative gap up to which an end counts as a global minimum
FINE, COARSE = 2000, 20  # points of a grid
NEWCOMERS = 4  # so many may be needed to open a trap


@task("A1", 2)
def check_predictions(predictions):
    """`predictions()` maps the six names of starts to "global" or "trapped"; right or wrong does not matter."""
    answer = predictions()
    assert isinstance(answer, dict), "predictions returns a dictionary: the name of a start, and a word."
    yield 1, set(answer) == set(NAMES), f"One entry for each of the starts {', '.join(NAMES)}, and no other."
    yield 1, answer and set(map(str, answer.values())) <= set(WORDS[:2]), 'Each prediction is "global" or "trapped".'


@task("A2", 3)
def check_fence(fence):
    """`fence(t)`: a weight for each position, in [-2, 2], of both signs, without a jump on the whole circle."""
    n = 4000
    t = np.arange(n) / n
    w = as_array(fence(t.copy()), "fence returns one weight for each position, an array", (n,))
    some = as_array(fence(t[::-7].copy()), "fence takes positions in any order and number", (len(t[::-7]),))
    hint = "Weights lie in [-2, 2], and each is a function of its own position, whatever the others are."
    yield 1, np.abs(w).max() <= 2 and np.allclose(some, w[::-7]), hint
    both = w.max() >= 0.5 and w.min() <= -0.5
    yield 1, both, "Somewhere the weight is at least 0.5, and somewhere at most -0.5."
    jump = np.abs(np.roll(w, -1) - w).max()
    yield (
        1,
        jump < 0.05 and np.ptp(w) > 0.05,
        "A fence is crooked, and has no hole: neighbours have nearly the same weight, also the last position before 1 "
        "and the first after 0, which are neighbours on the circle.",
    )


@task("A3", 4)
def check_separates(separates, seed=0):
    """`separates(w, theta, reach)`: True if the particles, in order along a curve, close to a loop that goes around.

    Each point is for curves that do and curves that do not: a constant earns nothing.
    """
    hints = (
        "Add up the steps from one position to the next, the short way around the circle, also from the last particle "
        "to the first; and mind `reach`: where two neighbours are farther apart, there is a hole.",
        "Neighbours must be within reach in their weights too, not only in their positions.",
        "A curve may bend back on its way, and a closed curve need not go around: only the sum of all steps tells.",
        "A curve that goes around, in any direction and from any place, counts only if its end meets its beginning.",
    )
    for hint, curves in zip(hints, _curves(np.random.default_rng(seed)), strict=True):
        right = True
        for w, position, wanted in curves:
            answer = separates(w.copy(), position[:, None].copy(), 0.05)
            assert isinstance(answer, bool | np.bool_), f"separates returns True or False; yours is {answer!r:.60}."
            right &= bool(answer) == wanted
        yield 1, right, hint


def _curves(rng):
    """Four lists of curves (w, position, whether it separates): points so dense that neighbours are within .03."""
    s = np.arange(800) / 800
    height, first, length = rng.uniform(-1, 1), rng.uniform(), rng.uniform(0.6, 0.9)
    loop, flat = 2 * np.pi * s, 0 * s + height
    yield (flat, s, True), (flat, (first + length * s) % 1, False), (flat, (first + 0.2 * s) % 1, False)
    steps = np.where((s - first) % 1 < 0.5, 1.0, -1.0)
    yield (np.sin(loop + first) * (1 + height / 2), s, True), (steps, s, False)
    bent = first + s + 0.2 * np.sin(2 * loop)
    ring = first + 0.3 * np.cos(loop)
    yield (np.cos(loop) + height, bent % 1, True), (np.sin(loop), ring % 1, False)
    rising, twice = np.linspace(-1, 1, 800), first + (1 + length) * s
    yield (flat, first - s, True), (np.sin(loop), first + s, True), (rising, twice, False), (rising, s, False)


@task("A4", 4)
def check_verdict(verdict, seed=0):
    """`verdict(problem, step, w, theta)`: "global", "trapped" or "unfinished", for ends of runs and for other states.

    seed: an instance on which six particles and one sign get stuck, and forward-backward steps free the latter.
    """
    problem, forward, mirror = _instance(seed)
    ten, early = _end(problem, forward, starts.grid_start(10)), _end(problem, forward, starts.grid_start(6), 30)
    six, positive = _end(problem, forward, starts.grid_start(6)), _end(problem, mirror, _one_sign())

    def are(*cases):
        right = True
        for step, state, wanted in cases:
            answer = verdict(problem, step, *(part.copy() for part in state))
            assert str(answer) in WORDS, f"verdict returns one of {', '.join(WORDS)}; yours is {answer!r:.60}."
            right &= str(answer) == wanted
        return right

    hint = "Ask the certificate first: what it calls optimal is global, even if everything has come to rest."
    yield 1, are((forward, ten, "global"), (forward, six, "trapped")), hint
    hint = "Neither certified nor at rest: a run that is only on its way. Take one more step, and compare."
    yield 1, are((forward, six, "trapped"), (forward, early, "unfinished")), hint

    def drift(w, theta):
        return w, theta + 1e-3

    def fade(w, theta):
        return 0.99 * w, theta

    hint = "At rest means that the step changes neither weights nor positions; a certificate does not ask what moves."
    yield 1, are((drift, six, "unfinished"), (fade, six, "unfinished"), (fade, ten, "global")), hint
    hint = "The same state may be at rest for one kind of step, and not for another: use the step that you are handed."
    yield 1, are((mirror, positive, "trapped"), (forward, positive, "unfinished")), hint


@task("A5", 5)
def check_dual_bound(dual_bound, seed=10):
    """`dual_bound(problem, w, theta, n)`: q with |<q, phi>| <= 1 on all of the circle, from n points of it, and D(q).

    Any feasible q of about the right length is accepted; that it is feasible, `certificates.extremes` says.
    """
    problem, forward, _ = _instance(seed)
    loss, features, rng = problem.risk.loss, problem.risk.features, np.random.default_rng(seed)
    clouds = [(rng.normal(size=m) * m, rng.uniform(size=(m, 1))) for m in (3, 8, 20)]
    settings = ((starts.grid_start(6), 4000), (starts.grid_start(100), 100), (starts.grid_start(100), 400))
    states = [_end(problem, forward, *setting) for setting in settings] + clouds + [starts.grid_start(4)]
    formula, fine, coarse = True, True, True
    for state in states:
        objective, dual, top, _, _ = certificates.bounds(problem, *state)
        length = np.linalg.norm(problem.risk.residual(*state)) / max(1, top)
        for n in (FINE, COARSE):
            answer = dual_bound(problem, *(part.copy() for part in state), n)
            assert isinstance(answer, tuple | list), "dual_bound returns two things, q and D."
            assert len(answer) == 2, "dual_bound returns two things, q and D."
            q = as_array(answer[0], "q is a vector, an array", (features.size,))
            value = as_number(answer[1], "D is a number")
            formula &= abs(value - loss.target @ q + loss.scale * q @ q / 2) < 1e-9 * (1 + abs(value))
            formula &= q.any()
            highest = np.abs(certificates.extremes(features, q)[0]).max()
            if n == FINE:
                fine &= highest < 1 + 1e-3 and value > dual - 0.01 * objective
            else:
                coarse &= highest < 1 + 1e-9 and np.linalg.norm(q) > 0.4 * length
    yield 1, formula, "D(q) = <y, q> - lambda |q|^2 / 2, with the q that you return."
    hint = "be no shorter than that asks for; a residual (y - f) / lambda that keeps it already stays as it is."
    yield 2, fine, f"On a fine grid q must keep |<q, phi>| <= 1, and {hint}"
    hint = "Allow for it with the cosine, before you ask whether the residual must be scaled."
    yield 2, coarse, f"On a coarse grid the largest value lies between two points. {hint}"


@task("A6", 4)
def check_newcomer(newcomer, seed=10):
    """`newcomer(problem, w, theta)`: a sign and a position where mass lowers J, by adding it and by running on.

    seed: an instance on which six particles, and one sign with conic steps, get stuck.
    """
    problem, forward, mirror = _instance(seed)
    trapped = {forward: _end(problem, forward, starts.grid_start(6)), mirror: _end(problem, mirror, _one_sign())}
    rng = np.random.default_rng(seed)
    states = [*trapped.values(), *((rng.normal(size=m) * m, rng.uniform(size=(m, 1))) for m in (2, 4))]
    outside, falls = True, True
    for state in states:
        sign, place = _newcomer(newcomer, problem, state)
        measure, tiny = h1(*state), 1e-5
        outside &= abs(problem.risk.potential(*state, place)[0]) > 1
        falls &= problem.objective(measure + Measure([sign * tiny], place)) < problem.objective(measure)
    yield 1, outside, "At your position |eta| is within its bound: mass of neither sign helps there."
    yield 1, falls, "A little mass of your sign at your position makes J larger. Which sign does eta ask for?"
    for step, kind in ((forward, "six particles"), (mirror, "one sign, with conic steps")):
        state = trapped[step]
        for _ in range(NEWCOMERS):
            w, theta = state
            sign, place = _newcomer(newcomer, problem, state)
            m = len(w) + 1
            state = _end(problem, step, (np.append(w * m / (m - 1), sign * 1e-3), np.vstack([theta, place])))
            if certificates.gap(problem, *state) <= GLOBAL:
                break
        hint = f"{NEWCOMERS} newcomers after each other did not open the trap of {kind}"
        yield (
            1,
            certificates.gap(problem, *state) <= GLOBAL,
            f"{hint}: to where |eta| is largest, with the sign that lowers J?",
        )


def _newcomer(newcomer, problem, state):
    answer = newcomer(problem, *(part.copy() for part in state))
    sign, place = as_array(answer, "newcomer returns two numbers, a sign and a position, as an array", (2,))
    assert sign in (-1, 1), f"The first is the sign of the newcomer, 1 or -1; yours is {sign:g}."
    return sign, np.array([[place]])


@task("A7", 5)
def check_hypotheses(hypotheses, problem, ends):
    """`hypotheses()`: for each start, which hypotheses of Thm 3.5 hold, and whether its end in `ends` is certified.

    ends: name -> (w, theta), what the runs of the notebook came to.
    """
    answer = hypotheses()
    assert isinstance(answer, dict), "hypotheses returns a dictionary of dictionaries."
    assert set(answer) == set(NAMES), f"hypotheses has one entry for each of the starts {', '.join(NAMES)}."
    for name, row in answer.items():
        assert isinstance(row, dict), f"{name}: give a dictionary with {', '.join(COLUMNS)}."
        assert set(row) == set(COLUMNS), f"{name}: give {', '.join(COLUMNS)}, and nothing else."
        assert all(isinstance(x, bool | np.bool_) for x in row.values()), f"{name}: each entry is True or False."
    named = {column: {name for name in NAMES if answer[name][column]} for column in COLUMNS}
    everybody = set(NAMES)
    yield 1, named["bounded"] == everybody - UNBOUNDED, "bounded: does some r0 bound all weights, for every m?"
    curves = {"line", "arc", "cloud", "one sign"}
    yield (
        1,
        named["separates"] & curves == curves - OPEN,
        f"separates, for {', '.join(sorted(curves))}: take the start for ever larger m. Can a path from w = -r0 to "
        "w = r0 get through? The theorem asks for a closed support that meets them all, not for both signs.",
    )
    rest = everybody - curves
    yield (
        1,
        named["separates"] & rest == rest - OPEN,
        f"separates, for {' and '.join(sorted(rest))}: mass at many places, or at all, is not yet on every way from "
        "below to above.",
    )
    yield 1, named["flow"] == everybody - OTHER_STEPS, "flow: under which steps may a weight pass through 0?"
    certified = {name for name in NAMES if certificates.gap(problem, *as_particles(ends[name], name)) <= GLOBAL}
    yield 1, named["global"] == certified, "global: this is what your runs showed, not what the theorem promises."


def _instance(seed):
    """The problem, forward-backward steps, and conic mirror steps."""
    problem = problems.spikes(seed)
    lam = problem.risk.loss.scale
    forward = flows.forward_backward(problem, *experiments.spike_steps(problem))
    return problem, forward, flows.conic_mirror(problem, lam / 150, 5e-5 * lam)


def _one_sign():
    return np.full(100, 0.25), starts.grid_start(100)[1]


def _end(problem, step, start, steps=4000):
    return flows.flow(problem, step, start, steps, record=(), stop=flows.until_settled(problem)).state
