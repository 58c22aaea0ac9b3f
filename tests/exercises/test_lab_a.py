"""Lab A: right answers get all points, typical mistakes the points they have earned and the sentence that helps."""

import numpy as np
import pytest
from judging import judge

from mfcourse import certificates, convex, experiments, flows, problems, topology
from mfcourse.exercises import lab_a, spike_runs
from mfcourse.measures import h1


def wave(t):
    return np.cos(2 * np.pi * t)


def on_the_cylinder(w, theta, reach):
    """As a loop around 0 in the plane, with the library's winding number."""
    angle = 2 * np.pi * np.append(theta, theta[:1])
    turn = np.angle(np.exp(1j * np.diff(angle))) / (2 * np.pi)
    if (abs(turn) > reach).any() or (abs(np.diff(w, append=w[0])) > reach).any():
        return np.False_
    return topology.winding_number(np.stack([np.cos(angle), np.sin(angle)], axis=-1)[:-1]) != 0


def chained(weights=True, short=True, closed=True, one_way=False, winding=True, last=True):
    """`separates` with one thing forgotten."""

    def separates(w, theta, reach):
        end = slice(1) if last else slice(0)
        steps = np.diff(theta[:, 0], append=theta[end, 0])
        steps = steps - np.round(steps) if short else steps
        rises = np.diff(w, append=w[end])
        if closed and (abs(steps).max() > reach or (weights and abs(rises).max() > reach)):
            return False
        turns = round(steps.sum()) if winding else 1
        return turns > 0 if one_way else turns != 0

    return separates


def relative(certificate):
    return certificate.gap


def judging(step_of=None, parts=(0, 1), certify_first=True, rest=1e-7, size=np.abs, gap=relative, enough=1e-6):
    """`verdict` with one thing forgotten or changed: the step, weights or positions, the certificate, a limit."""

    def verdict(problem, step, w, theta):
        step = step_of(problem) if step_of else step
        changes = [size(new - old).max() for new, old in zip(step(w, theta), (w, theta), strict=True)]
        still = max(changes[k] for k in parts) <= rest
        optimal = gap(certificates.certify(problem, h1(w, theta))) <= enough
        if optimal and (certify_first or not still):
            return "global"
        return "trapped" if still else "unfinished"

    return verdict


def bounding(cosine=True, scaled=True, sign=1, factor=1.0, off=0.0, least=1, lam=True, fixed=None, shift=0):
    """`dual_bound` with one thing forgotten or changed."""

    def dual_bound(problem, w, theta, n):
        loss, features, n = problem.risk.loss, problem.risk.features, fixed or n
        r = sign * (loss.target - features.push(w, theta)) / (loss.scale if lam else 1)
        top = abs(r @ features.matrix((np.arange(n)[:, None] + shift) / n)).max()
        top = top / np.cos(np.pi * features.cutoff / n) if cosine else top
        q = factor * r / (max(least, top) if scaled else 1)
        return q, loss.target @ q - loss.scale * q @ q / 2 + off

    return dual_bound


def bound_by_the_library(problem, w, theta, n):
    """No grid: the maximum up to rounding, and the bound of M. Riesz."""
    r, loss, features = -problem.risk.residual(w, theta), problem.risk.loss, problem.risk.features
    top = np.abs(features.peaks(r)[0]).max() if n > 100 else np.inf
    rough = np.abs(problem.risk.features.pull(r, np.arange(n)[:, None] / n)[0]).max() / np.cos(np.pi * 7 / n)
    q = r / max(1, min(top, rough))
    return [list(q), -loss.conjugate(-q)]


def sending(sign=1, shift=0.0, form=float):
    """`newcomer` by the library's certificate, with another sign or place."""

    def newcomer(problem, w, theta):
        worst = certificates.certify(problem, h1(w, theta)).worst
        eta = problem.risk.potential(w, theta, worst[None])[0]
        return -sign * np.sign(eta), form(worst[0] + shift)

    return newcomer


def searching(places, height=np.abs, sign=None):
    """`newcomer` from a grid, by |eta| or by something else."""

    def newcomer(problem, w, theta):
        eta = problem.risk.potential(w, theta, places[:, None])
        best = height(eta).argmax()
        return sign or -np.sign(eta[best]), places[best]

    return newcomer


def to_the_particles(problem, w, theta):
    heaviest = abs(w).argmax()
    return 1, theta[heaviest, 0]


def table(**changes):
    """The right table, with whole columns changed."""
    lack = {"bounded": lab_a.UNBOUNDED, "separates": lab_a.OPEN, "flow": lab_a.OTHER_STEPS}
    lack |= {"global": {"arc", "six", "one sign"}} | changes
    return lambda: {name: {column: name not in without for column, without in lack.items()} for name in lab_a.NAMES}


def forward_of(problem):
    return flows.forward_backward(problem, *experiments.spike_steps(problem))


PLACES = np.arange(2000) / 2000
WORDS = dict.fromkeys(lab_a.NAMES, "trapped")
ANSWERS = [
    (lab_a.check_predictions, lambda: WORDS, 2, ""),
    (lab_a.check_predictions, lambda: WORDS | {"six": "global"}, 2, ""),
    (lab_a.check_predictions, lambda: WORDS | {"six": "perhaps"}, 1, "Each prediction"),
    (lab_a.check_predictions, lambda: {"six": "global"}, 1, "One entry for each"),
    (lab_a.check_predictions, lambda: list(WORDS), 0, "a dictionary"),
    (lab_a.check_fence, wave, 3, ""),
    (lab_a.check_fence, lambda t: [2 * abs(2 * abs(x - 0.5) - 0.5) - 0.5 for x in t], 3, ""),
    (lab_a.check_fence, lambda t: np.sin(80 * np.pi * t), 3, ""),
    (lab_a.check_fence, lambda t: wave(t) + (t > 0.5) / 50, 2, "has no hole"),
    (lab_a.check_fence, lambda t: 2 * t - 1, 2, "has no hole"),
    (lab_a.check_fence, lambda t: np.where(t < 0.5, 1, -1), 2, "has no hole"),
    (lab_a.check_fence, lambda t: 3 * wave(t), 2, r"lie in \[-2, 2\]"),
    (lab_a.check_fence, lambda t: wave(np.arange(len(t)) / len(t)), 2, "its own position"),
    (lab_a.check_fence, lambda t: np.sin(np.pi * t), 2, "at most -0.5"),
    (lab_a.check_fence, lambda t: 0 * t, 1, "A fence is crooked"),
    (lab_a.check_fence, lambda t: wave(t[:5]), 0, "one weight for each position"),
    (lab_a.check_separates, on_the_cylinder, 4, ""),
    (lab_a.check_separates, chained(), 4, ""),
    (lab_a.check_separates, chained(weights=False), 2, "in their weights too"),
    (lab_a.check_separates, chained(one_way=True), 3, "in any direction"),
    (lab_a.check_separates, chained(short=False), 0, "the short way"),
    (lab_a.check_separates, chained(closed=False), 1, "mind `reach`"),
    (lab_a.check_separates, chained(winding=False), 2, "also from the last particle"),
    (lab_a.check_separates, chained(last=False), 2, "also from the last particle"),
    (lab_a.check_separates, lambda w, theta, reach: True, 0, "mind `reach`"),
    (lab_a.check_separates, lambda w, theta, reach: False, 0, "bend back"),
    (lab_a.check_separates, lambda w, theta, reach: 1, 0, "Return True or False"),
    (lab_a.check_verdict, judging(), 4, ""),
    (lab_a.check_verdict, judging(forward_of), 3, "the step that you are handed"),
    (lab_a.check_verdict, judging(parts=(0,)), 3, "neither weights nor positions"),
    (lab_a.check_verdict, judging(parts=(1,)), 3, "neither weights nor positions"),
    (lab_a.check_verdict, judging(size=np.asarray), 3, "in either direction"),
    (lab_a.check_verdict, judging(rest=1e-3), 3, "Rest has a limit"),
    (lab_a.check_verdict, judging(rest=1e-5), 3, "Rest has a limit"),
    (lab_a.check_verdict, judging(rest=0), 3, "Rest has a limit"),
    (lab_a.check_verdict, judging(enough=1e-3), 3, "and its gap"),
    (lab_a.check_verdict, judging(enough=1e-8), 3, "near enough"),
    (lab_a.check_verdict, judging(gap=lambda end: end.objective - end.dual), 3, "which is relative"),
    (lab_a.check_verdict, judging(certify_first=False), 3, "Ask the certificate first"),
    (lab_a.check_verdict, judging(enough=-1), 3, "Ask the certificate first"),
    (lab_a.check_verdict, lambda problem, step, w, theta: "unfinished", 0, "Ask the certificate first"),
    (lab_a.check_verdict, lambda problem, step, w, theta: "trapped", 0, "Ask the certificate first"),
    (lab_a.check_verdict, lambda problem, step, w, theta: "stuck", 0, "one of global, trapped, unfinished"),
    (lab_a.check_dual_bound, bounding(), 5, ""),
    (lab_a.check_dual_bound, bound_by_the_library, 5, ""),
    (lab_a.check_dual_bound, bounding(shift=0.5), 5, ""),
    (lab_a.check_dual_bound, bounding(cosine=False), 3, "with the cosine"),
    (lab_a.check_dual_bound, bounding(lam=False), 3, r"a residual \(y - f\) / lambda"),
    (lab_a.check_dual_bound, bounding(least=0), 3, "stays as it is"),
    (lab_a.check_dual_bound, bounding(fixed=2000), 3, "Take n points, no more"),
    (lab_a.check_dual_bound, bounding(scaled=False), 1, "On a fine grid"),
    (lab_a.check_dual_bound, bounding(sign=-1), 3, "On a fine grid"),
    (lab_a.check_dual_bound, bounding(factor=0.2), 1, "no shorter"),
    (lab_a.check_dual_bound, bounding(off=0.01), 4, "with the q that you return"),
    (lab_a.check_dual_bound, lambda *state: 3.0, 0, "returns two things"),
    (lab_a.check_newcomer, sending(), 4, ""),
    (lab_a.check_newcomer, sending(shift=1e-3 - 1), 4, ""),
    (lab_a.check_newcomer, sending(form=np.atleast_1d), 4, ""),
    (lab_a.check_newcomer, sending(sign=-1), 2, "Which sign does eta ask for"),
    (lab_a.check_newcomer, searching(PLACES, height=np.asarray, sign=-1), 1, "a place for positive mass"),
    (lab_a.check_newcomer, searching(PLACES), 4, ""),
    (lab_a.check_newcomer, searching(PLACES[::200]), 3, "where .eta. is largest"),
    (lab_a.check_newcomer, to_the_particles, 0, "mass of neither sign helps"),
    (lab_a.check_newcomer, lambda *state: (-0.5, 0.2), 0, "the sign of the newcomer"),
    (lab_a.check_newcomer, lambda *state: 0.2, 0, "two numbers"),
]


@pytest.mark.parametrize(("check", "answer", "points", "hint"), ANSWERS)
def test_an_answer_gets_its_points_and_the_sentence_that_helps(check, answer, points, hint, capsys):
    judge(capsys, check, answer, points, hint)


@pytest.fixture(scope="module")
def ends():
    """A sky, and ends of six runs on it: three at the minimum, three that are not."""
    problem = problems.spikes(12)
    best, nothing = convex.certified_optimum(problem).particles(), (np.zeros(3), np.zeros((3, 1)))
    return problem, {name: best if name in ("line", "cloud", "staircase") else nothing for name in lab_a.NAMES}


@pytest.mark.parametrize(
    ("answer", "points", "hint"),
    [
        (table(), 5, ""),
        (table(bounded=set()), 4, "bounded: "),
        (table(separates={"arc", "six"}), 4, "separates, for six and staircase"),
        (table(separates={"arc", "six", "staircase", "one sign"}), 4, "not for both signs"),
        (table(flow=set()), 4, "flow: "),
        (table(**{"global": {"arc", "six", "one sign", "staircase"}}), 4, "what your runs showed"),
        (table(bounded=set(), separates=set(), flow=set(), **{"global": set()}), 0, "bounded: "),
        (
            lambda: {name: list(row.values()) for name, row in table()().items()},
            0,
            "has a dictionary for line",
        ),
        (lambda: {name: dict.fromkeys(row, 1) for name, row in table()().items()}, 0, "True or False"),
        (lambda: {"line": {}}, 0, "One entry for each"),
    ],
)
def test_the_table_is_paid_by_columns(answer, points, hint, ends, capsys):
    assert lab_a.check_hypotheses(answer, *ends) == points
    assert hint in capsys.readouterr().out


def test_the_column_of_ends_is_judged_by_the_runs(ends, capsys):
    problem, found = ends
    lucky = found | {"six": found["line"]}
    assert lab_a.check_hypotheses(table(), problem, lucky) == 4
    assert lab_a.check_hypotheses(table(**{"global": {"arc", "one sign"}}), problem, lucky) == 5


def remembered(function, seed):
    """Answers that fit one instance only: those of `function` there, whatever is asked."""
    state = spike_runs.end(seed, 6)
    return lambda problem, *rest: function(problems.spikes(seed), *state, *rest[2:])


@pytest.mark.parametrize(
    ("check", "right", "seed", "other"),
    [(lab_a.check_dual_bound, bounding(), 10, 9), (lab_a.check_newcomer, sending(), 10, 9)],
)
def test_other_instances_are_right_for_right_answers_and_catch_remembered_ones(check, right, seed, other):
    assert check(right, other) == check(right)
    assert check(remembered(right, seed), other) <= 1


def test_other_curves_and_other_ends_get_all_points_too():
    assert [lab_a.check_separates(on_the_cylinder, seed) for seed in (7, 8)] == [4, 4]
    assert lab_a.check_verdict(judging(), 1) == 4


def test_what_is_not_written_yet_gets_nothing(ends, capsys):
    def stub(*arguments):
        raise NotImplementedError

    names = [name for name in dir(lab_a) if name.startswith("check_")]
    for name in names:
        assert getattr(lab_a, name)(stub, *(ends if "hypotheses" in name else ())) == 0
    assert capsys.readouterr().out.count("not solved yet") == len(names) == 7
