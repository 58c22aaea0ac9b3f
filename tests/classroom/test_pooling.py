"""A class's results: what is written is read, what is wrong is named, and one bad file never stops the others."""

import json

import numpy as np
import pytest

from mfcourse import experiments, problems
from mfcourse.classroom import pooling
from tests.commands.test_commands import run

TWO = (("red", 1000), ("blue", 1001))


def run_of(seed=1000, m=10, method="flow", **changed):
    """A record that could be true: twice the optimum, with a gap that admits it."""
    best = experiments.optimum("spikes", problems.spikes(seed))
    numbers = {"excess": 1.0, "objective": 2 * best, "optimum": best, "gap": 0.6}
    steps = 50 if method == "flow" else None
    return {
        "problem": "spikes",
        "method": method,
        "seed": seed,
        "m": m,
        **numbers,
        "steps": steps,
        "seconds": 0.1,
    } | changed


def write(path, **changed):
    content = {"figure": "figure3", "team": "red", "runs": [run_of(m=5), run_of(m=6)]} | changed
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def without(run, key):
    return {k: value for k, value in run.items() if k != key}


@pytest.fixture
def red(tmp_path):
    return tmp_path / "team-red.json"


def test_what_was_written_is_read(red):
    runs = [run_of(np.int64(1000 + k), m, method) for k in range(2) for m in (5, 10) for method in ("flow", "fixed")]
    runs[0]["gap"] = runs[0]["excess"] = -1e-15
    runs[0]["objective"] = runs[0]["optimum"]
    pooling.write_results(red, "Würfel-7_b", runs)
    assert pooling.read_results(str(red)) == ("Würfel-7_b", runs)
    assert all(type(run["seed"]) is int for run in pooling.read_results(red)[1])
    assert [path.name for path in red.parent.iterdir()] == ["team-red.json"]


def test_records_of_the_course_are_read_and_believed(red):
    records, _ = experiments.figure("figure1", seeds=(1000,), sizes=(6, 10))
    records.append(experiments.fixed(experiments.SPIKES, 1000, 20, records[0]["optimum"]))
    pooling.write_results(red, "red", records)
    pooled, rejected = pooling.pool([red])
    assert rejected == []
    assert pooled["runs"] == [{"team": "red", **record} for record in records]
    shipped = [r for r in experiments.shipped("figure3") if r["problem"] == "spikes"]
    pooling.write_results(red, "red", shipped)
    assert pooling.pool([red])[1] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"m": -2}, "run 2: m must be a whole number >= 1, but it is -2"),
        ({"m": 10.0}, "run 2: m must be a whole number"),
        ({"m": True}, "run 2: m must be a whole number"),
        ({"seed": -1}, "run 2: seed must be a whole number >= 0"),
        ({"seed": "7"}, "run 2: seed must be a whole number"),
        ({"problem": "relu"}, "run 2: problem must be one of 'spikes'"),
        ({"method": "sgd"}, "run 2: method must be one of 'fixed', 'flow'"),
        ({"method": []}, "run 2: method must be one of"),
        ({"excess": -0.1}, "run 2: excess must be a finite number >= 0, but it is -0.1"),
        ({"excess": float("nan")}, "run 2: excess must be a finite number >= 0, but it is nan"),
        ({"excess": float("inf")}, "run 2: excess must be a finite number"),
        ({"excess": 10**400}, "run 2: excess must be a finite number"),
        ({"excess": None}, "run 2: excess must be a finite number"),
        ({"excess": 0.99}, r"run 2: excess must be \(objective - optimum\) / optimum = 1.000e\+00"),
        ({"objective": 0}, "run 2: objective must be a finite number > 0"),
        ({"optimum": False}, "run 2: optimum must be a finite number > 0"),
        ({"gap": 0.4}, "run 2: its gap 4.0e-01 proves"),
        ({"gap": -0.4}, "run 2: gap must be"),
        ({"steps": None}, "run 2: steps must be a whole number >= 0, but it is None"),
        ({"steps": 7, "method": "fixed"}, "run 2: steps must be null"),
        ({"seconds": -1}, "run 2: seconds must be"),
        ({"colour": 1}, "run 2: the key 'colour' is unknown; the keys are problem, method"),
        ({"m": 5}, r"run 2: \(flow, seed 1000, m 5\) is there already, as run 1"),
    ],
)
def test_a_wrong_run_is_named_when_written_and_when_read(red, changed, said):
    runs = [run_of(m=5), run_of(m=6) | changed]
    with pytest.raises(ValueError, match=f"^{said}"):
        pooling.write_results(red, "red", runs)
    assert not red.exists()
    with pytest.raises(ValueError, match=f"^team-red.json: {said}") as raised:
        pooling.read_results(write(red, runs=runs))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"team": "red team"}, "team must be a name of 1 to 40 letters"),
        ({"team": "../red"}, "team must be a name"),
        ({"team": 7}, "team must be a name"),
        ({"team": "x" * 41}, "team must be a name"),
        ({"runs": []}, "runs must be a list of at least one run"),
        ({"runs": {"m": 1}}, "runs must be a list"),
        ({"runs": [7]}, "run 1: it must be an object with the keys problem"),
        ({"runs": [without(run_of(), "gap")]}, "run 1: the key 'gap' is missing"),
        ({"figure": "figure1"}, "figure must be one of 'figure3'"),
        ({"teams": ["red"]}, "the key 'teams' is unknown; the keys are figure, team, runs"),
    ],
)
def test_a_wrong_file_is_named(red, changed, said):
    with pytest.raises(ValueError, match=f"^team-red.json: {said}"):
        pooling.read_results(write(red, **changed))
    if "team" in changed or "runs" in changed:
        with pytest.raises(ValueError, match=f"^{said}"):
            pooling.write_results(red, **{"team": "red", "runs": [run_of()]} | changed)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is not JSON"),
        (b'{"figure": "figure3",\n "runs"', "the file is not JSON: Expecting ':' delimiter: line 2"),
        (b"\xff\xfe{}", "the file is not JSON"),
        (b"[" * 100_000, "the file is not JSON"),
        (b"9" * 5000, "Exceeds the limit"),
        (b"[1, 2]", "it must be an object with the keys figure, team, runs"),
        (b"{}", "the key 'figure' is missing"),
        (b" " * 5_000_001, "the file is larger than 5 MB"),
        (None, "the file cannot be read: No such file"),
        (
            b'{"figure": "' + b"long " * 10_000 + b'", "team": 1, "runs": 2}',
            "figure must be one of 'figure3', but it is",
        ),
    ],
)
def test_what_is_no_json_of_the_right_kind_is_one_short_line(red, data, said):
    if data is not None:
        red.write_bytes(data)
    for read in (pooling.read_results, lambda path: pooling.pool([path])[1].pop()):
        try:
            line = read(red)
        except ValueError as error:
            line = str(error)
        assert line.startswith(f"team-red.json: {said}")
        assert len(line) < 250
        assert "\n" not in line


def test_a_byte_order_mark_does_no_harm(red):
    red.write_bytes(b"\xef\xbb\xbf" + write(red).read_bytes())
    assert pooling.read_results(red)[0] == "red"


def test_good_files_are_pooled_and_bad_ones_named(tmp_path):
    wrong = run_of(1005)
    wrong |= {"optimum": wrong["optimum"] * 1.01, "objective": wrong["objective"] * 1.01}
    files = {
        "red": {},
        "blue": {"team": "blue", "runs": [run_of(1003), run_of(1000, 6)]},
        "again": {"team": "RED", "runs": [run_of(1004)]},
        "green": {"team": "green", "runs": [run_of(1003), run_of(1000, 6, "fixed")]},
        "broken": {"team": "broken", "runs": [run_of(m=0)]},
        "wrong": {"team": "wrong", "runs": [wrong]},
    }
    paths = [write(tmp_path / f"{name}.json", **content) for name, content in files.items()]
    pooled, rejected = pooling.pool([*paths, tmp_path])
    assert pooled["figure"] == "figure3"
    assert pooled["teams"] == ["red", "green"]
    assert [(r["team"], r["method"], r["seed"], r["m"]) for r in pooled["runs"]] == [
        ("red", "flow", 1000, 5),
        ("red", "flow", 1000, 6),
        ("green", "flow", 1003, 10),
        ("green", "fixed", 1000, 6),
    ]
    assert [line.split(": ")[0] for line in rejected[:-1]] == ["blue.json", "again.json", "broken.json", "wrong.json"]
    hint = "which was read first: do both have the same number?"
    assert rejected[0] == f"blue.json: (flow, seed 1000, m 6) is also in the file of team red, {hint}"
    assert rejected[1] == "again.json: a team RED has handed in already; the first file counts"
    assert rejected[3].startswith("wrong.json: the optimum of seed 1005 is ")
    assert "cannot be read" in rejected[4]

    path = tmp_path / "pooled.json"
    path.write_text(json.dumps(pooled, allow_nan=False), encoding="utf-8")
    assert pooling.read_pooled(path) == (pooled["teams"], pooled["runs"])
    assert pooling.pool([*paths, tmp_path]) == (pooled, rejected)
    assert pooling.pool([]) == ({"figure": "figure3", "teams": [], "runs": []}, [])


def test_an_optimum_agrees_with_those_of_other_files_also_where_it_is_not_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(pooling, "RECOMPUTED", 0)
    high = run_of(1000, 7)
    high |= {"optimum": high["optimum"] * 1.1, "objective": high["objective"] * 1.1}
    first = write(tmp_path / "a.json", team="a")
    assert pooling.pool([first, write(tmp_path / "b.json", team="b", runs=[high])])[1][0].startswith(
        "b.json: the optimum"
    )
    assert pooling.pool([write(tmp_path / "c.json", runs=[run_of(1000, 8), high])])[1][0].startswith(
        "c.json: the optimum"
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"teams": []}, "teams must be a list"),
        ({"teams": "red"}, "teams must be a list"),
        ({"teams": [7]}, "team must be a name"),
        ({"runs": []}, "runs must be a list"),
        ({"runs": [run_of()]}, "run 1: the key 'team' is missing"),
        ({"runs": [{"team": "blue", **run_of()}]}, "run 1: team must be one of 'red', but it is 'blue'"),
        ({"runs": [{"team": "red", **run_of(m=0)}]}, "run 1: m must be a whole number"),
    ],
)
def test_a_wrong_pooled_file_is_named(tmp_path, changed, said):
    path = tmp_path / "pooled.json"
    content = {"figure": "figure3", "teams": ["red"], "runs": [{"team": "red", **run_of()}]}
    path.write_text(json.dumps(content | changed), encoding="utf-8")
    with pytest.raises(ValueError, match=f"^pooled.json: {said}"):
        pooling.read_pooled(path)


def test_the_command_writes_the_pooled_file_again_and_no_other_in_its_place(tmp_path, capsys):
    files = [write(tmp_path / f"team-{team}.json", team=team, runs=[run_of(seed)]) for team, seed in TWO]
    out = tmp_path / "pooled.json"
    argv = ["labs", "pool", *map(str, files), str(out), "--out"]
    for _ in range(2):
        code, printed, errors = run(capsys, *argv, str(out))
        assert code == 0
        assert "Runs of red: 1, blue: 1; pooled: " in printed
        assert errors.startswith("rejected: pooled.json: ")
        assert [r["team"] for r in pooling.read_pooled(out)[1]] == ["red", "blue"]
    before = files[1].read_bytes()
    code, printed, errors = run(capsys, *argv, str(files[1]))
    assert (code, printed) == (2, "")
    assert "--out must be a new file or an older pooled one" in errors
    assert files[1].read_bytes() == before
