"""Runs are saved and read back to the same bits; anything else is refused."""

import dataclasses
import pickle

import numpy as np
import pytest

from mfcourse import flows, problems, starts
from mfcourse.runs import FORMAT, RECORDED, Run


@pytest.fixture(scope="module")
def problem():
    return problems.spikes(0)


@pytest.fixture(scope="module")
def step(problem):
    return flows.forward_backward(problem, 2 / 15, 6e-6)


@pytest.fixture
def run(problem, step):
    return flows.flow(problem, step, starts.grid_start(10), 30)


def test_a_saved_run_comes_back_to_the_same_bits_and_goes_on_like_the_original(problem, step, run, tmp_path):
    run.save(tmp_path / "run.npz")
    loaded = Run.load(tmp_path / "run.npz")
    for name in RECORDED:
        assert (getattr(loaded, name) == getattr(run, name)).all()
        assert getattr(loaded, name).dtype == getattr(run, name).dtype
    assert (loaded.stopped, loaded.seconds) == (run.stopped, run.seconds)
    ends = [flows.flow(problem, step, start, 80).state for start in (run, loaded)]
    assert all((a == b).all() for a, b in zip(*ends, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


def write_garbage(path, run):
    path.write_bytes(b"not a zip file")


def write_empty(path, run):
    path.write_bytes(b"")


def write_half(path, run):
    run.save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_flipped(path, run):
    run.save(path)
    content = bytearray(path.read_bytes())
    start = content.find(run.w[-1].tobytes())
    content[start] ^= 255
    path.write_bytes(bytes(content))


def write_foreign(path, run):
    np.savez(path, w=np.zeros(3))


def write_other_format(path, run):
    np.savez(path, format="mfcourse run 0")


def write_single_array(path, run):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def write_pickle(path, run):
    path.write_bytes(pickle.dumps({"w": 1}))


def write_wrong_shapes(path, run):
    arrays = {name: getattr(run, name) for name in RECORDED} | {"state0": np.zeros(3), "state1": np.zeros((4, 1))}
    np.savez(path, format="mfcourse run 1", stopped=False, seconds=0.0, **arrays)


def write_nan(path, run):
    dataclasses.replace(run, w=np.full_like(run.w, np.nan)).save(path)


def write_other_length(path, run):
    dataclasses.replace(run, energy=run.energy[:-1]).save(path)


@pytest.mark.parametrize(
    "write",
    [
        write_garbage,
        write_empty,
        write_half,
        write_flipped,
        write_foreign,
        write_other_format,
        write_single_array,
        write_pickle,
        write_wrong_shapes,
        write_nan,
        write_other_length,
    ],
)
def test_a_damaged_or_foreign_file_is_refused_by_name(write, run, tmp_path):
    path = tmp_path / "strange.npz"
    write(path, run)
    with pytest.raises(ValueError, match=r"strange\.npz must be a run saved by mfcourse"):
        Run.load(path)


def test_a_run_is_read_only_by_those_who_want_one_of_its_origin(run, tmp_path):
    run.save(tmp_path / "run.npz", "seed 0")
    for origin in (None, "seed 0"):
        assert (Run.load(tmp_path / "run.npz", origin).w == run.w).all()
    with pytest.raises(
        ValueError, match=r"run\.npz holds a run of seed 0, wanted is seed 1; delete it, or name another"
    ):
        Run.load(tmp_path / "run.npz", "seed 1")
    run.save(tmp_path / "run.npz")
    with pytest.raises(ValueError, match="holds a run of no known origin, wanted is seed 0; delete"):
        Run.load(tmp_path / "run.npz", "seed 0")


def test_another_format_is_named(run, tmp_path):
    write_other_format(tmp_path / "old.npz", run)
    with pytest.raises(ValueError, match=rf"unchanged, but its format is 'mfcourse run 0', not '{FORMAT}'; delete it"):
        Run.load(tmp_path / "old.npz")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Run.load(tmp_path / "nowhere.npz")


def test_a_failed_save_leaves_the_old_file_alone(run, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    run.save(path)
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        run.save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_divergence_travels_between_processes(run):
    error = pickle.loads(pickle.dumps(flows.FlowDiverged(7, run.state, run)))
    assert error.step == 7
    assert "step 7" in str(error)
    assert (error.run.w == run.w).all()
