"""Lab B: right answers get all points, typical mistakes the points they have earned and the sentence that helps."""

import json
from pathlib import Path

import numpy as np
import pytest
from judging import judge
from scipy.special import betaincinv
from scipy.stats import binom, binomtest, linregress

from mfcourse import certificates, experiments, problems
from mfcourse.classroom import pooling
from mfcourse.exercises import lab_b
from mfcourse.measures import Measure, h1

SPIKES = experiments.SPIKES


def guesses(**changed):
    return lambda: {"six": 20, "ten": np.int64(90), "grid": 1000.0} | changed


def recording(excess=None, optimum=None, of=h1, used=None, instance=None, **changed):
    """`one_run` by the library's own record, with one thing done in another way."""

    def one_run(seed, m):
        problem = problems.spikes(seed if instance is None else instance)
        run = experiments.spike_flow(problem, used or m)
        best = experiments.optimum("spikes", problem)
        r = experiments.record(SPIKES, "flow", seed, m, problem, of(*run.state), best, int(run.steps[-1]), run.seconds)
        r["optimum"] = optimum or r["optimum"]
        r["excess"] = (r["objective"] - r["optimum"]) / r["optimum"] if excess is None else excess(r)
        return {key: value for key, value in (r | changed).items() if value is not ...}

    return one_run


def early(seed, m):
    """One that gives the run no time."""
    return recording(of=lambda w, theta: h1(0.9 * w, theta))(seed, m)


def own_gap(seed, m):
    """One that certifies another measure than its own: the optimum of another start."""
    problem = problems.spikes(seed)
    better = certificates.certify(problem, h1(*experiments.spike_flow(problem, 20).state)).gap
    return recording()(seed, m) | {"gap": better}


def writing(name="team-{}.json", here=False, write=pooling.write_results, told=str):
    def hand_in(folder, team, runs):
        path = (Path() if here else Path(folder)) / name.format(team)
        write(path, team, runs)
        return told(path)

    return hand_in


def dump(path, team, runs):
    path.write_text(json.dumps({"figure": "figure3", "team": team, "runs": runs}), encoding="utf-8")


def bare(path, team, runs):
    path.write_text(json.dumps(runs), encoding="utf-8")


def by_beta(k, n):
    """The same interval by quantiles of the beta distribution, in another shape."""
    return np.array([betaincinv(k, n - k + 1, 0.025) if k else 0, betaincinv(k + 1, n - k, 0.975) if k < n else 1])


def by_scipy(k, n):
    return binomtest(int(k), n).proportion_ci()


def wald(k, n):
    half = 1.96 * np.sqrt(k / n * (1 - k / n) / n)
    return max(0, k / n - half), min(1, k / n + half)


def without_k(k, n):
    """`binom.sf(k, ...)` taken for the probability of k or more."""
    return (by_beta(k + 1, n)[0] if k < n else 1) if k > 0 else 0, by_beta(k, n)[1]


def one_sided(k, n):
    return binomtest(int(k), n).proportion_ci(confidence_level=0.9)


def no_ends(k, n):
    low, high = by_beta(k, n)
    return (low, high) if 0 < k < n else (k / n, k / n)


def counting(tail=0.025, off=0, few=(-np.inf, np.inf), logs=False):
    """`median_interval` by a loop, with one thing changed."""

    def median_interval(values):
        ordered, n, r = sorted(values), len(values), 0
        while binom.cdf(r, n, 0.5) <= tail:
            r += 1
        if r + off < 1:
            return few or (ordered[0], ordered[-1])
        return [ordered[r + off - 1], ordered[n - r - off]]

    return median_interval


def by_quantiles(values):
    return tuple(np.quantile(values, (0.025, 0.975)))


def around_the_mean(values):
    half = 1.96 * np.std(values) / np.sqrt(len(values))
    return np.mean(values) - half, np.mean(values) + half


def curves(middle=np.median, chosen=lambda run, method: run["method"] == method, order=sorted, around=None):
    """`bands` as lists, with one thing changed."""

    def bands(runs, method, interval):
        values = {}
        for run in runs:
            if chosen(run, method):
                values.setdefault(run["m"], []).append(run["excess"])
        sizes = order(values)
        ends = [(around or interval)(values[m]) for m in sizes]
        return sizes, [low for low, _ in ends], [middle(values[m]) for m in sizes], [high for _, high in ends]

    return bands


def sufficing(
    low=lambda k, n, interval: interval(k, n)[0], dips=True, methods=("flow",), none=None, won=np.less, at=None
):
    """`enough` from the table of successes, with one thing forgotten."""

    def enough(runs, level, target, interval):
        counts = {}
        for run in runs:
            if run["method"] in methods:
                k, n = counts.get(run["m"], (0, 0))
                counts[run["m"]] = k + won(run["excess"], at or level), n + 1
        good = {m: low(k, n, interval) >= target for m, (k, n) in counts.items()}
        return min((m for m in good if good[m] and all(good[x] or not dips for x in good if x > m)), default=none)

    return enough


def fitting(sign=1, rounded=np.ceil, between=slice(None), scale=np.log10):
    """`positions_needed` by another library, with one thing changed."""

    def positions_needed(sizes, medians, level):
        line = linregress(scale(sizes[between]), np.log10(medians[between]))
        crossing = (np.log10(level) - line.intercept) / line.slope
        return sign * line.slope, rounded(10**crossing if scale is np.log10 else crossing)

    return positions_needed


ENDS = [0, -1]  # a line through the first and the last point


@pytest.mark.parametrize(
    ("check", "answer", "points", "hint"),
    [
        (lab_b.check_predictions, guesses(), 2, ""),
        (lab_b.check_predictions, guesses(six=200), 1, "two counts out of 100"),
        (lab_b.check_predictions, guesses(ten=0.9), 1, "whole numbers"),
        (lab_b.check_predictions, guesses(twelve=7), 1, "Too much: twelve"),
        (lab_b.check_predictions, lambda: {"six": 3}, 0, "each of six, ten, grid"),
        (lab_b.check_predictions, lambda: (1, 2, 3), 0, "a dictionary"),
        (lab_b.check_predictions, guesses(grid="many"), 1, "'grid' is a number"),
        (lab_b.check_one_run, recording(), 4, ""),
        (lab_b.check_one_run, recording(seconds=np.float64(1), extra=1), 3, "Too much: extra"),
        (lab_b.check_one_run, recording(method="fixed"), 3, "'flow', seed"),
        (lab_b.check_one_run, recording(steps=10.0), 3, "whole number"),
        (lab_b.check_one_run, recording(steps=31), 3, "the last of run.steps"),
        (lab_b.check_one_run, recording(seconds=...), 3, "Yours lacks seconds"),
        (lab_b.check_one_run, recording(steps=..., method=...), 3, "Yours lacks method, steps"),
        (lab_b.check_one_run, recording(gap=...), 2, "Yours lacks gap"),
        (lab_b.check_one_run, recording(excess=lambda r: r["objective"] - r["optimum"]), 3, "relative to it"),
        (lab_b.check_one_run, recording(optimum=5.0), 3, "certified_optimum"),
        (lab_b.check_one_run, recording(used=12), 3, "does your run use m"),
        (lab_b.check_one_run, recording(of=lambda w, theta: Measure(w, theta)), 2, "h1"),
        (lab_b.check_one_run, early, 2, "at the end of the run"),
        (lab_b.check_one_run, recording(instance=1002), 2, "for this seed"),
        (lab_b.check_one_run, own_gap, 3, "of the same measure"),
        (lab_b.check_one_run, lambda seed, m: None, 0, "a dictionary"),
        (lab_b.check_hand_in, writing(), 3, ""),
        (lab_b.check_hand_in, writing(told=Path), 3, ""),
        (lab_b.check_hand_in, writing(told=lambda path: None), 2, "Return the path"),
        (lab_b.check_hand_in, writing(told=lambda path: path.name), 2, "Return the path"),
        (lab_b.check_hand_in, writing(name="{}.json"), 0, "team- and the name"),
        (lab_b.check_hand_in, writing(here=True), 0, "in the given folder"),
        (lab_b.check_hand_in, writing(write=dump), 2, "leave the old file"),
        (lab_b.check_hand_in, writing(write=bare), 1, "pooling.read_results must find"),
        (lab_b.check_chance_interval, by_beta, 4, ""),
        (lab_b.check_chance_interval, by_scipy, 4, ""),
        (lab_b.check_chance_interval, wald, 1, "k or more successes"),
        (lab_b.check_chance_interval, without_k, 2, "counts from j"),
        (lab_b.check_chance_interval, one_sided, 1, "2.5 %"),
        (lab_b.check_chance_interval, no_ends, 3, "nothing speaks against P = 0"),
        (lab_b.check_chance_interval, lambda k, n: by_beta(k, n)[::-1], 0, r"Return \(low, high\)"),
        (lab_b.check_chance_interval, lambda k, n: k / n, 0, "Return two numbers"),
        (lab_b.check_median_interval, counting(), 4, ""),
        (lab_b.check_median_interval, counting(tail=0.05), 2, "misses too often"),
        (lab_b.check_median_interval, counting(off=1), 2, "misses too often"),
        (lab_b.check_median_interval, counting(off=-1), 2, "move each end inwards"),
        (lab_b.check_median_interval, counting(few=None), 3, "Five values are too few"),
        (lab_b.check_median_interval, by_quantiles, 0, "values of the sample"),
        (lab_b.check_median_interval, around_the_mean, 0, "values of the sample"),
        (lab_b.check_bands, curves(), 3, ""),
        (lab_b.check_bands, curves(middle=np.mean), 2, "the median excess"),
        (lab_b.check_bands, curves(chosen=lambda run, method: True), 0, "the other method stays out"),
        (lab_b.check_bands, curves(order=list), 0, "from the smallest"),
        (lab_b.check_bands, curves(around=by_quantiles), 2, "handed to you"),
        (lab_b.check_bands, lambda *three: three, 0, "four arrays"),
        (lab_b.check_enough, sufficing(), 3, ""),
        (lab_b.check_enough, sufficing(low=lambda k, n, interval: k / n), 1, "lower end"),
        (lab_b.check_enough, sufficing(dips=False), 2, "a larger one fails"),
        (lab_b.check_enough, sufficing(methods=("flow", "fixed")), 2, "do not count"),
        (lab_b.check_enough, sufficing(none=0), 2, "the answer is None"),
        (lab_b.check_enough, sufficing(at=1e-6), 2, "the `level` that you are handed"),
        (lab_b.check_enough, sufficing(won=np.less_equal), 2, "an excess below"),
        (lab_b.check_positions_needed, fitting(), 3, ""),
        (lab_b.check_positions_needed, fitting(sign=-1), 2, "It is negative"),
        (lab_b.check_positions_needed, fitting(rounded=np.floor), 2, "smallest whole number"),
        (lab_b.check_positions_needed, fitting(rounded=float), 2, "smallest whole number"),
        (lab_b.check_positions_needed, fitting(between=ENDS), 1, "not through the first and last"),
        (lab_b.check_positions_needed, fitting(scale=np.asarray), 0, "logarithms"),
    ],
)
def test_an_answer_gets_its_points_and_the_sentence_that_helps(check, answer, points, hint, capsys):
    judge(capsys, check, answer, points, hint)


def remembered(function, seed):
    """The answers of `function` to one instance, whatever it is asked."""
    return lambda _, m: function(seed, m)


@pytest.mark.parametrize(
    ("check", "right", "wrong", "instance", "most"),
    [
        (lab_b.check_one_run, recording(), remembered(recording(), 1000), 1234, 1),
        (lab_b.check_hand_in, writing(), writing(name="team-red-3.json"), "blue_12", 0),
        (lab_b.check_chance_interval, by_beta, lambda k, n: by_beta(k, 30), 47, 1),
        (lab_b.check_median_interval, counting(), None, 5, ""),
        (lab_b.check_bands, curves(), None, 1, ""),
        (lab_b.check_positions_needed, fitting(), None, 3, ""),
    ],
)
def test_hidden_instances_are_right_for_right_answers_and_catch_remembered_ones(check, right, wrong, instance, most):
    assert check(right, instance) == check(right)
    assert wrong is None or check(wrong, instance) <= most < check(right)


def missing(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize("name", [name for name in vars(lab_b) if name.startswith("check_")])
def test_what_is_not_written_yet_gets_nothing(name, capsys):
    assert vars(lab_b)[name](missing) == 0
    assert "not solved yet" in capsys.readouterr().out


def test_a_hand_in_leaves_nothing_where_the_notebook_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for answer in (writing(), writing(here=True), missing):
        lab_b.check_hand_in(answer)
        assert Path.cwd() == tmp_path
        assert list(tmp_path.iterdir()) == []
