"""A class counts together: each team writes its runs of spikes to a file, and the files become one figure.

A team's file: {"figure": "figure3", "team": NAME, "runs": [...]}, where a run has the keys of Figure 3's own JSON
(`experiments.record`). In the pooled file "teams" takes the place of "team", and each run says whose it is. A file is
believed as far as it agrees with itself, with the optima of its instances and with the files before it.
"""

import contextlib
import functools
import json
import re
import textwrap
from pathlib import Path

from mfcourse import checks, experiments, problems
from mfcourse.files import write_whole

FIGURE, PROBLEM, METHODS = "figure3", "spikes", ("fixed", "flow")
KEYS = ("problem", "method", "seed", "m", "excess", "objective", "optimum", "gap", "steps", "seconds")
LARGEST, LONGEST = 5_000_000, 200  # bytes of a file, where a run takes about 250; characters of a message about it
ROUNDING, AGREE = 1e-9, 1e-6  # so far below 0 an excess may be; so far apart may equal numbers be, relatively
RECOMPUTED = 100  # optima that are computed again for each file, the first ones


def write_results(path, team, runs):
    """Write the runs of a team to `path`, whole or not at all; a file that is there is replaced.

    team: a name of letters, digits, - and _; runs: a list of records of spikes as `experiments.record` makes them, one
    for each (method, seed, m). Raises ValueError that says what is wrong, and with which run, before it writes.
    """
    content = {"figure": FIGURE, "team": _checked_team(team), "runs": _checked_runs(runs)}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, lambda file: file.write(text.encode()))


def read_results(path):
    """(team, runs) of a team's file. Raises ValueError, a line with the file's name, if it is not as it should be."""
    with _naming(path):
        content = _content(Path(path), ("figure", "team", "runs"))
        return _checked_team(content["team"]), _checked_runs(content["runs"])


def read_pooled(path):
    """(teams, runs) of a file that holds what `pool` returned; each run has the further key "team".

    Raises ValueError, a line with the file's name, if it is not as it should be.
    """
    with _naming(path):
        content = _content(Path(path), ("figure", "teams", "runs"))
        if not isinstance(content["teams"], list) or not content["teams"]:
            raise ValueError("teams must be a list of at least one name")
        teams = [_checked_team(team) for team in content["teams"]]
        runs = _checked_runs(content["runs"], teams)
        return teams, [{"team": mine["team"], **run} for mine, run in zip(content["runs"], runs, strict=True)]


def pool(paths):
    """Put the files of all teams together: (pooled, rejected).

    pooled: {"figure": "figure3", "teams": [...], "runs": [...]} with "team" in each run, in the order of `paths`, ready
    for JSON. rejected: a line for each file left out, beginning with its name. A file is taken whole or left out whole:
    if it is malformed, if an optimum in it is not the one of its instance, or if a file before it has the same team, or
    a run with the same (method, seed, m). The first one wins.
    """
    pooled, rejected, owners = {"figure": FIGURE, "teams": [], "runs": []}, [], {}
    for path in paths:
        try:
            team, runs = read_results(path)
            with _naming(path):
                _demand_new(team, runs, pooled["teams"], owners)
                _demand_optima(runs, {run["seed"]: run["optimum"] for run in pooled["runs"]})
        except ValueError as error:
            rejected.append(str(error))
        else:
            owners |= {_place(run): team for run in runs}
            pooled["teams"].append(team)
            pooled["runs"] += [{"team": team, **run} for run in runs]
    return pooled, rejected


def write_pooled(path, pooled):
    """Write what `pool` returned, whole or not at all. An older pooled file at `path` is replaced.

    Raises ValueError if another file is there, which might be a team's.
    """
    try:
        if Path(path).exists():
            read_pooled(path)
    except ValueError:
        raise ValueError(f"--out must be a new file or an older pooled one, but {path} is neither") from None
    text = json.dumps(pooled, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, lambda file: file.write(text.encode()))


def _demand_new(team, runs, teams, owners):
    """ValueError if a team of this name, small or capital letters, or one of its runs has been handed in before."""
    if team.casefold() in [other.casefold() for other in teams]:
        raise ValueError(f"a team {team} has handed in already; the first file counts")
    for run in runs:
        if _place(run) in owners:
            where = f"the file of team {owners[_place(run)]}, which was read first"
            raise ValueError(f"{_place(run)} is also in {where}: do both have the same number?")


def _demand_optima(runs, optima):
    """ValueError if optima of the runs differ from the true ones, from those of other files, or from each other."""
    known = optima | {seed: _optimum(seed) for seed in list(dict.fromkeys(r["seed"] for r in runs))[:RECOMPUTED]}
    for seed, said in ((run["seed"], run["optimum"]) for run in runs):
        if abs(said - known.setdefault(seed, said)) > AGREE * said:
            raise ValueError(f"the optimum of seed {seed} is {known[seed]:.8f}, but the file says {said:.8f}")


@functools.lru_cache(maxsize=1000)
def _optimum(seed):
    """The certified optimum of an instance."""
    return experiments.optimum(PROBLEM, problems.spikes(seed))


@contextlib.contextmanager
def _naming(path):
    """Turns a complaint into one line that begins with the file's name."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{Path(path).name}: {textwrap.shorten(str(error), LONGEST, placeholder=' ...')}") from None


def _content(path, keys):
    """The JSON object in a file, which must have these keys and be data of Figure 3."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise ValueError(f"the file is larger than {LARGEST // 1_000_000} MB; hand in runs only")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the file is not JSON: {error}") from None
    _demand_keys(content, keys)
    checks.one_of("figure", content["figure"], (FIGURE,))
    return content


def _demand_keys(content, keys):
    if not isinstance(content, dict):
        raise ValueError(f"it must be an object with the keys {', '.join(keys)}, but it is {content!r:.40}")
    missing, unknown = [key for key in keys if key not in content], [key for key in content if key not in keys]
    if missing or unknown:
        wrong = f"the key {missing[0]!r} is missing" if missing else f"the key {unknown[0]!r:.40} is unknown"
        raise ValueError(f"{wrong}; the keys are {', '.join(keys)}")


def _checked_team(team):
    if not isinstance(team, str) or not re.fullmatch(r"[\w-]{1,40}", team):
        raise ValueError(f"team must be a name of 1 to 40 letters, digits, - and _, but it is {team!r:.60}")
    return team


def _checked_runs(runs, teams=None):
    """The runs in plain numbers, without their team, which must be one of `teams` if these are given."""
    if not isinstance(runs, list | tuple) or not runs:
        raise ValueError(f"runs must be a list of at least one run, but it is {runs!r:.40}")
    checked, seen = [], {}
    for number, run in enumerate(runs, start=1):
        try:
            _demand_keys(run, ("team", *KEYS) if teams else KEYS)
            if teams:
                checks.one_of("team", run["team"], teams)
            checked.append(_checked_run(run))
            first = seen.setdefault(_place(run), number)
            if first != number:
                raise ValueError(f"{_place(run)} is there already, as run {first}")
        except ValueError as error:
            raise ValueError(f"run {number}: {error}") from None
    return checked


def _checked_run(run):
    """The run in plain numbers; ValueError if a value is wrong, or if its numbers contradict each other."""
    checks.one_of("problem", run["problem"], (PROBLEM,))
    method, steps = checks.one_of("method", run["method"], METHODS), run["steps"]
    if method == "fixed" and steps is not None:
        raise ValueError(f"steps must be null (None), as fixed positions take no steps, but it is {steps!r:.40}")
    plain = {
        "problem": PROBLEM,
        "method": method,
        "seed": checks.count("seed", run["seed"], at_least=0),
        "m": checks.count("m", run["m"]),
        "excess": _almost_positive("excess", run["excess"]),
        "objective": checks.positive("objective", run["objective"]),
        "optimum": checks.positive("optimum", run["optimum"]),
        "gap": _almost_positive("gap", run["gap"]),
        "steps": None if method == "fixed" else checks.count("steps", steps, at_least=0),
        "seconds": checks.positive("seconds", run["seconds"], or_zero=True),
    }
    excess, above = plain["excess"], plain["objective"] - plain["optimum"]
    ratio = above / plain["optimum"]
    if abs(excess - ratio) > AGREE * max(1, excess):
        raise ValueError(f"excess must be (objective - optimum) / optimum = {ratio:.3e}, but it is {excess:.3e}")
    if above > (plain["gap"] + AGREE) * plain["objective"]:
        raise ValueError(f"its gap {plain['gap']:.1e} proves that objective - optimum must be smaller")
    return plain


def _almost_positive(name, value):
    """`value` as a float >= 0, or below 0 by rounding; ValueError otherwise."""
    rounded = isinstance(value, float) and -ROUNDING <= value < 0
    return float(value) if rounded else checks.positive(name, value, or_zero=True)


def _place(run):
    """What one run is of, and no other: "(flow, seed 1003, m 10)"."""
    return f"({run['method']}, seed {run['seed']}, m {run['m']})"
