"""Checks for lab A, starts of the spikes: which of them a trap can hold."""

import numpy as np

from mfcourse import certificates, problems, starts
from mfcourse.exercises import as_array, as_number, as_particles, as_parts, shown
from mfcourse.exercises.grading import as_dictionary, complete, task
from mfcourse.exercises.spike_runs import end, instance, one_sign, run
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
    answer = as_dictionary(predictions(), "predictions returns a dictionary")
    yield 1, *complete(answer, NAMES)
    yield 1, answer and set(map(str, answer.values())) <= set(WORDS[:2]), 'Each prediction is "global" or "trapped".'


@task("A2", 3)
def check_fence(fence):
    """`fence(t)`: a weight for each position, in [-2, 2], of both signs, without a jump on the whole circle."""
    t, closer = (np.arange(n) / n for n in (4000, 64000))
    w = as_array(fence(t.copy()), "fence returns one weight for each position, an array", t.shape)
    some = as_array(fence(t[::-7].copy()), "fence takes positions in any order and number", (len(t[::-7]),))
    hint = "Weights lie in [-2, 2], and each is a function of its own position, whatever the others are."
    yield 1, np.abs(w).max() <= 2 and np.allclose(some, w[::-7]), hint
    yield 1, w.max() >= 0.5 and w.min() <= -0.5, "Somewhere the weight is at least 0.5, and somewhere at most -0.5."
    dense = as_array(fence(closer), "fence takes any number of positions", closer.shape)
    jump, less = (np.abs(np.roll(x, -1) - x).max() for x in (w, dense))
    hint = "A fence is crooked, and has no hole: ever nearer neighbours have ever nearer weights, also where 1 meets 0."
    yield 1, less < jump / 2 and np.ptp(w) > 0.05, hint


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
            assert isinstance(answer, bool | np.bool_), f"Return True or False; yours is {shown(answer):.60}."
            right &= bool(answer) == wanted
        yield 1, right, hint


def _curves(rng):
    """Four lists of curves (w, position, whether it separates): points so dense that neighbours are within .03."""
    s = np.arange(800) / 800
    height, first, length = rng.uniform(-1, 1), rng.uniform(), rng.uniform(0.6, 0.9)
    loop, flat = 2 * np.pi * s, 0 * s + height
    ring = np.sin(loop), (first + 0.3 * np.cos(loop)) % 1, False
    yield (flat, s, True), (flat, (first + length * s) % 1, False), ring
    steps = np.where((s - first) % 1 < 0.5, 1.0, -1.0)
    yield (np.sin(loop + first) * (1 + height / 2), s, True), (steps, s, False)
    bent = first + s + 0.2 * np.sin(2 * loop)
    yield (np.cos(loop) + height, bent % 1, True), ring
    rising, twice = np.linspace(-1, 1, 800), first + (1 + length) * s
    yield (flat, first - s, True), (np.sin(loop), first + s, True), (rising, twice, False), (rising, s, False)


@task("A4", 4)
def check_verdict(verdict, seed=0):
    """`verdict(problem, step, w, theta)`: "global", "trapped" or "unfinished", for ends of runs and for other states.

    seed: an instance on which six particles get stuck, and one sign for conic steps, but not for forward-backward ones.
    """
    problem, forward, mirror = instance(seed)
    six, early = end(seed, 6), end(seed, 6, 30)
    ten = w, theta = end(seed, 10)
    slope = certificates.gap(problem, 0.999 * w, theta) / 1e-3  # near an optimum: of the gap, as all weights shrink
    good, near = (((1 - gap / slope) * w, theta) for gap in (5e-7, 1e-4))

    def conic(w, theta):  # rounded, so that it comes to rest exactly
        return tuple(part.round(12) for part in mirror(w, theta))

    positive = run(problem, conic, one_sign(1), metric="mirror")

    def moving(size, by=0.0, factor=1.0):
        return lambda w, theta: (factor * w + by, theta + size)

    def says(step, state):
        answer = verdict(problem, step, *map(np.copy, state))
        assert str(answer) in WORDS, f"verdict returns one of {', '.join(WORDS)}; yours is {shown(answer):.60}."
        return str(answer)

    # A mistake costs one group: the steps and states of the others are such that it does not show there.
    leap, rest, creep, still = moving(0.01, 0.01), moving(0), moving(1e-6, 1e-6), moving(1e-9, 1e-9)
    hint = "Ask the certificate first, and its gap, which is relative: what is near enough is global, at rest or not."
    yield 1, says(forward, ten) == says(leap, good) == "global" and says(leap, near) == "unfinished", hint
    hint = "Rest has a limit: what moves by less is at rest, though it moves, and what moves by more is on its way."
    yield 1, says(still, six) == "trapped" and says(creep, early) == "unfinished", hint
    drifts = {says(step, early) for step in (moving(0.01), moving(-0.01), moving(0, factor=0.9))}
    hint = "At rest means that the step changes neither weights nor positions, in either direction."
    yield 1, says(rest, six) == "trapped" and drifts == {"unfinished"}, hint
    hint = "The same state may be at rest for one kind of step, and not for another: use the step that you are handed."
    yield 1, says(conic, positive) == "trapped" and says(leap, positive) == "unfinished", hint


@task("A5", 5)
def check_dual_bound(dual_bound, seed=10):
    """`dual_bound(problem, w, theta, n)`: q with |<q, phi>| <= 1 on all of the circle, from n points of it, and D(q).

    Any feasible q of about the right length is accepted; that it is feasible, its `peaks` say.
    """
    problem = problems.spikes(seed)
    features, rng = problem.risk.features, np.random.default_rng(seed)
    clouds = [(rng.normal(size=m) * m, rng.uniform(size=(m, 1))) for m in (3, 8, 20)]
    cases = [(problem, state) for state in (end(seed, 6), end(seed, 100, 100), end(seed, 100, 400), *clouds)]
    weak = problems.spikes(seed, lam=30)  # here the residual of nothing at all keeps its bound
    cases += [(problem, starts.grid_start(4)), (weak, starts.grid_start(4))]
    formula, fine, coarse, total = True, True, True, {FINE: 0, COARSE: 0}
    for where, state in cases:
        objective, dual, top, _, _ = certificates.bounds(where, *state)
        length, lam = np.linalg.norm(where.risk.residual(*state)) / max(1, top), where.risk.loss.scale
        for n in total:
            q, value = as_parts(dual_bound(where, *map(np.copy, state), n), 2, "dual_bound returns two things, q and D")
            q, value = as_array(q, "q is a vector, an array", (features.size,)), as_number(value, "D is a number")
            formula &= abs(value - where.risk.loss.target @ q + lam * q @ q / 2) < 1e-9 * (1 + abs(value)) and q.any()
            highest = np.abs(features.peaks(q)[0]).max()
            total[n] += value
            if n == FINE:
                fine &= highest < 1 + 1e-3 and value > dual - 0.01 * objective
            else:
                coarse &= highest < 1 + 1e-9 and np.linalg.norm(q) > 0.4 * length
    yield 1, formula, "D(q) = <y, q> - lambda |q|^2 / 2, with the q that you return."
    hint = "be no shorter than that asks for; a residual (y - f) / lambda that keeps it already stays as it is."
    yield 2, fine, f"On a fine grid q must keep |<q, phi>| <= 1, and {hint}"
    hint = "Allow for it with the cosine, before you ask whether the residual must be scaled."
    hint = f"On a coarse grid the largest value lies between two points. {hint}"
    few = "Take n points, no more: from few less can be proved than from many."
    yield 2, coarse and (not fine or total[COARSE] < 0.8 * total[FINE]), few if coarse else hint


@task("A6", 4)
def check_newcomer(newcomer, seed=10):
    """`newcomer(problem, w, theta)`: a sign and a position where mass lowers J, by adding it and by running on.

    seed: an instance on which six particles, and either sign alone with conic steps, get stuck.
    """
    problem, forward, mirror = instance(seed)
    traps = [(forward, end(seed, 6), "euclidean"), *((mirror, end(seed, 100, sign=s), "conic") for s in (1, -1))]
    rng = np.random.default_rng(seed)
    clouds = [(rng.normal(size=m) * m, rng.uniform(size=(m, 1))) for m in (2, 4)]
    outside, largest, falls = True, True, True
    for state in (*(state for _, state, _ in traps), *clouds):
        sign, place = _newcomer(newcomer, problem, state)
        measure, tiny = h1(*state), 1e-5
        height = abs(problem.risk.potential(*state, place)[0])
        outside &= height > 1 + 1e-3
        largest &= height >= 0.99 * certificates.bounds(problem, *state)[2]
        falls &= problem.objective(measure + Measure([sign * tiny], place)) < problem.objective(measure)
    hint = "New mass helps most where |eta| is largest; that may be a place for positive mass."
    inside = "At your position |eta| is within its bound: mass of neither sign helps there."
    yield 1, outside and largest, hint if outside else f"{inside} {hint}"
    yield 1, falls, "A little mass of your sign at your position makes J larger. Which sign does eta ask for?"
    for kind, some in (("six particles", traps[:1]), ("one sign, with conic steps", traps[1:])):
        hint = f"{NEWCOMERS} newcomers did not open the trap of {kind}: to where |eta| is largest, with the right sign?"
        yield 1, all(_opened(newcomer, problem, *trap) for trap in some), hint


def _opened(newcomer, problem, step, state, metric):
    """True if a few newcomers, each after a run of its own, lead to a global minimum."""
    for _ in range(NEWCOMERS):
        (w, theta), m = state, len(state[0]) + 1
        sign, place = _newcomer(newcomer, problem, state)
        more = np.append(w * m / (m - 1), sign * 1e-3), np.vstack([theta, place])
        state = run(problem, step, more, metric=metric)
        if certificates.gap(problem, *state) <= GLOBAL:
            return True
    return False


def _newcomer(newcomer, problem, state):
    words = "newcomer returns two numbers, a sign and a position"
    parts = as_parts(newcomer(problem, *map(np.copy, state)), 2, words)
    sign, place = (as_number(np.squeeze(part), words) for part in parts)
    assert sign in (-1, 1), f"The first is the sign of the newcomer, 1 or -1; yours is {sign:g}."
    return sign, np.array([[place]])


@task("A7", 5)
def check_hypotheses(hypotheses, problem, ends):
    """`hypotheses()`: for each start, which hypotheses of Thm 3.5 hold, and whether its end in `ends` is certified.

    ends: name -> (w, theta), what the runs of the notebook came to.
    """
    answer = as_dictionary(hypotheses(), "hypotheses returns a dictionary", NAMES)
    for name, row in answer.items():
        as_dictionary(row, f"hypotheses has a dictionary for {name}", COLUMNS)
    entries = [x for row in answer.values() for x in row.values()]
    assert all(isinstance(x, bool | np.bool_) for x in entries), "Each entry of a row is True or False."
    named = {column: {name for name in NAMES if answer[name][column]} for column in COLUMNS}
    everybody, curves, rest = set(NAMES), {"line", "arc", "cloud", "one sign"}, {"six", "staircase"}
    yield 1, named["bounded"] == everybody - UNBOUNDED, "bounded: does some r0 bound all weights, for every m?"
    hint = (
        f"separates, for {', '.join(sorted(curves))}: take the start for ever larger m. Can a path from w = -r0 to "
        "w = r0 get through? The theorem asks for a closed support that meets them all, not for both signs."
    )
    yield 1, named["separates"] & curves == curves - OPEN, hint
    hint = "mass at many places, or at all, is not yet on every way from below to above."
    yield 1, named["separates"] & rest == rest - OPEN, f"separates, for {' and '.join(sorted(rest))}: {hint}"
    yield 1, named["flow"] == everybody - OTHER_STEPS, "flow: under which steps may a weight pass through 0?"
    certified = {name for name in NAMES if certificates.gap(problem, *as_particles(ends[name], name)) <= GLOBAL}
    yield 1, named["global"] == certified, "global: this is what your runs showed, not what the theorem promises."
