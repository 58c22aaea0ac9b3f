"""The command line as a user meets it: what it prints, writes and refuses, and its exit codes."""

import errno
import json
import signal
import subprocess
import sys
import time

import matplotlib.image
import pytest

from mfcourse import experiments, files, flows, problems
from mfcourse.commands import main, reading, reproduce
from mfcourse.convex import certified_optimum
from mfcourse.endings import Terminated
from mfcourse.experiments import digits


def run(capsys, *argv):
    """Exit code, standard output and standard error of `mfcourse ARGV`."""
    try:
        code = main(argv)
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_every_figure_can_be_had_quickly():
    assert tuple(reproduce.QUICK) == tuple(experiments.FIGURES)


def test_reproduce_writes_a_picture_and_the_numbers_it_prints(capsys, tmp_path):
    out = tmp_path / "new" / "folder"
    code, printed, _ = run(capsys, "reproduce", "figure1", "--seeds", "4,5", "--m", "6,10", "--out", str(out))
    assert code == 0
    data = json.loads((out / "figure1.json").read_text(encoding="utf-8"))
    assert data["figure"] == "figure1"
    assert [(r["seed"], r["m"], r["method"]) for r in data["runs"]] == [
        (4, 6, "flow"),
        (4, 10, "flow"),
        (5, 6, "flow"),
        (5, 10, "flow"),
    ]
    problem = problems.spikes(4)
    assert data["runs"][1]["optimum"] == pytest.approx(problem.objective(certified_optimum(problem)), rel=1e-12)
    rows = [line.split() for line in printed.splitlines() if line.startswith("spikes")]
    assert [(row[2], row[3]) for row in rows] == [("4", "6"), ("4", "10"), ("5", "6"), ("5", "10")]
    assert [float(row[6]) for row in rows] == [pytest.approx(r["excess"], rel=0.06) for r in data["runs"]]
    picture = matplotlib.image.imread(out / "figure1.png")
    assert picture.shape[0] > 400
    assert picture.std() > 0.05
    assert sorted(path.name for path in out.iterdir()) == ["figure1.json", "figure1.png"]


def test_quick_means_fewer_seeds_and_sizes_but_at_least_twenty_particles(capsys, tmp_path):
    code, _, _ = run(capsys, "reproduce", "figure1", "--quick", "--out", str(tmp_path))
    assert code == 0
    runs = json.loads((tmp_path / "figure1.json").read_text(encoding="utf-8"))["runs"]
    assert {r["seed"] for r in runs} < set(experiments.SEEDS)
    assert max(r["m"] for r in runs) >= 20


def test_all_quick_writes_three_figures_whose_numbers_tell_moving_from_fixed(capsys, tmp_path):
    code, printed, _ = run(capsys, "reproduce", "all", "--quick", "--seeds", "4", "--m", "5,50", "--out", str(tmp_path))
    assert code == 0
    for name in ("figure1", "figure2", "figure3"):
        assert matplotlib.image.imread(tmp_path / f"{name}.png").std() > 0.05
        runs = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["runs"]
        keys = [(r["problem"], r["method"], r["seed"], r["m"]) for r in runs]
        assert len(set(keys)) == len(keys)
    excess = {(r["problem"], r["method"], r["m"]): r["excess"] for r in runs}
    for problem in ("spikes", "relu", "sigmoid"):
        assert excess[problem, "flow", 50] < 1e-4 < 1e-2 < excess[problem, "fixed", 50]
    assert "relu    sgd      4    50" in printed
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json"] * 3 + [".png"] * 3


def test_digits_prints_three_accuracies_side_by_side(capsys, tmp_path):
    code, printed, _ = run(capsys, "reproduce", "digits", "--seeds", "1", "--out", str(tmp_path))
    assert code == 0
    row = json.loads((tmp_path / "digits.json").read_text(encoding="utf-8"))["runs"][0]
    shown = [float(word) for word in printed.splitlines()[-1].split()[3:]]
    assert shown == [pytest.approx(row[key], abs=1e-4) for key in ("particles", "mlp", "logistic_regression")]


def test_figures_after_the_paper_come_from_one_command_and_are_the_same_from_two_processes(capsys, tmp_path):
    names = reproduce.AFTER[:2]
    for out, jobs in (("one", "1"), ("two", "2")):
        options = "--quick", "--seeds", "3", "--jobs", jobs, "--out", str(tmp_path / out)
        code, printed, _ = run(capsys, "reproduce", *names, *options)
        assert code == 0
    for name in names:
        one, two = (json.loads((tmp_path / out / f"{name}.json").read_text(encoding="utf-8")) for out in ("one", "two"))
        assert one == two
        assert one["figure"] == name
        assert matplotlib.image.imread(tmp_path / "one" / f"{name}.png").std() > 0.05
        last = one["runs"][-1]
        assert f"{last['problem']}, {last['method']}\n" in printed
    assert f"{one['runs'][-1]['error']:.4g}\n" in printed


def test_certify_prints_the_verdict_and_a_bound_below_the_optimum(capsys):
    code, printed, _ = run(capsys, "certify", "--seed", "0", "--m", "10")
    assert code == 0
    assert printed.splitlines()[-1].startswith("optimal")
    numbers = {line[:27].strip(): float(line[27:].split()[0]) for line in printed.splitlines()[1:-1]}
    assert numbers["lower bound D from them"] <= numbers["J* by convex search"] <= numbers["J of the particles"] + 1e-9
    _, printed, _ = run(capsys, "certify", "--m", "6")
    assert printed.splitlines()[-1].startswith("not optimal")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "a command is needed: reproduce, certify, lab, site, labs or doctor"),
        (["paint"], "invalid choice: 'paint'"),
        (["reproduce"], "required: figure"),
        (["reproduce", "figure9"], "invalid choice: 'figure9'"),
        (["reproduce", "figure1", "--seeds", "two"], "--seeds: 'two' must be a whole number >= 0"),
        (["reproduce", "figure1", "--seeds", "4-0"], "'4-0' must go upwards"),
        (["reproduce", "figure1", "--m", "6,0"], "--m: '0' must be a whole number >= 1"),
        (["reproduce", "figure1", "--jobs", "0"], "--jobs: '0' must be"),
        (["reproduce", "figure1", "--seeds", "0-99999999"], "hold at most 10000 numbers"),
        (["certify", "--m", "9" * 400], "must be a whole number >= 1, of 9 digits at most"),
        (
            ["certify", "--m", "999999999"],
            "--m: 999999999 is too large, it must be 100000 at most: a particle takes 3 kil",
        ),
        (
            ["reproduce", "all", "--m", "10,999999999"],
            "--m: 999999999 is too large, it must be 10000 at most: networks",
        ),
        (["reproduce", "sgd", "--m", "10"], "--m is the number of particles, and sgd has none: leave it out"),
        (["reproduce", "noise", "forgetting", "--m", "10"], "and forgetting has none: leave it out"),
        (["reproduce", "noise", "remembering"], "invalid choice: 'remembering'"),
        (["reproduce", "digits", "--m", "10001"], "--m: 10001 is too large, it must be 10000 at most: networks"),
        (["reproduce", "figure1", "--jobs", "999999999"], "--jobs: 999999999 is too large, it must be 256 at most"),
        (["reproduce", "figure1", "--jobs", "1.5"], "--jobs: '1.5' must be a whole number >= 1"),
        (["reproduce", "figure1", "--jobs", "-1"], "--jobs: '-1' must be a whole number >= 1"),
        (["reproduce", "figure1", "--jobs", "two"], "--jobs: 'two' must be a whole number >= 1"),
        (["reproduce", "figure1", "--jobs", ""], "--jobs: '' must be a whole number >= 1"),
        (["reproduce", "figure1", "--seeds", ""], "--seeds: '' must be a whole number >= 0"),
        (["reproduce", "figure1", "--seeds", "0,"], "--seeds: '' must be a whole number >= 0"),
        (["reproduce", "figure1", "--seeds", "-1"], "--seeds: '' must be a whole number >= 0"),
        (["reproduce", "figure1", "--m", ""], "--m: '' must be a whole number >= 1"),
        (["reproduce", "figure1", "--out", ""], "--out: '' must name a file or a folder"),
        (["lab", ""], "FOLDER: '' must name a file or a folder"),
        (["site", "build", "--out", " "], "--out: ' ' must name a file or a folder"),
        (["site", "serve", "--port", "65536"], "--port: 65536 is too large, it must be 65535 at most"),
        (["labs", "release", ""], "OUT: '' must name a file or a folder"),
        (["labs", "collect", "", "--out", "x"], "SUBMISSIONS: '' must name a file or a folder"),
        (["labs", "collect", "x", "--out", ""], "--out: '' must name a file or a folder"),
        (["labs", "grade", "", "--out", "x"], "SUBMISSIONS: '' must name a file or a folder"),
        (["labs", "grade", "x", "--out", ""], "--out: '' must name a file or a folder"),
        (["labs", "grade", "x", "--out", "y", "--jobs", "257"], "--jobs: 257 is too large, it must be 256 at most"),
        (["labs", "grade", "x", "--out", "y", "--seconds", "99999999"], "--seconds: 99999999 is too large"),
        (
            ["labs", "grade", "x", "--out", "y", "--cell-seconds", "0"],
            "--cell-seconds: '0' must be a whole number >= 1",
        ),
        (["labs", "grade", "x", "--out", "y", "--cell-seconds", "99999999"], "--cell-seconds: 99999999 is too large"),
        (["labs", "pool", ""], "RESULTS: '' must name a file or a folder"),
        (["labs", "pool", "x", "--out", ""], "--out: '' must name a file or a folder"),
        (["certify", "a\nb"], "unrecognized arguments: a b"),
        (["certify", "--m", "0"], "--m: '0' must be a whole number >= 1"),
        (["certify", "--seed", "-1"], "--seed: '-1' must be a whole number >= 0"),
        (["certify", "--seed"], "--seed: expected one argument"),
        (["certify", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["certify", "--", "--debug"], "only lab takes options after --"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(capsys, argv, words):
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.startswith("mfcourse")
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_line_before_any_work(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr(experiments, "figure", lambda *a, **k: pytest.fail("work began"))
    code, _, err = run(capsys, "reproduce", "figure1", "--out", str(tmp_path / "file" / "below"))
    assert code == 2
    assert err.startswith("mfcourse: --out must be a folder that can be written to")
    assert err.endswith("file is a file\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("what", ["figure3", "all", "digits"])
@pytest.mark.parametrize("kind", ["json", "png"])
def test_a_folder_where_a_file_is_to_be_written_is_one_line_before_any_work(capsys, tmp_path, monkeypatch, what, kind):
    name = "digits.json" if what == "digits" else f"figure3.{kind}"
    (tmp_path / name).mkdir()
    for work in (experiments, "figure"), (digits, "accuracies"):
        monkeypatch.setattr(*work, lambda *a, **k: pytest.fail("work began"))
    code, _, err = run(capsys, "reproduce", what, "--out", str(tmp_path))
    assert (code, err) == (
        2,
        f"mfcourse: --out must be a file that can be written, but {tmp_path / name} is a folder\n",
    )


@pytest.mark.parametrize("command", ["reproduce figure1 --out", "labs release", "labs collect . --out", "lab"])
def test_a_link_to_nowhere_in_place_of_a_folder_is_one_line(capsys, link, command):
    dangling = link("dangling", "nowhere")
    code, _, err = run(capsys, *command.split(), str(dangling))
    assert code == 2
    assert f"{dangling} is a link to nowhere, which is not there" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["labs pool x --out", "labs grade x --out"])
def test_a_link_to_nowhere_or_a_folder_in_place_of_a_file_is_one_line(capsys, tmp_path, link, command):
    for path in (link("dangling", "nowhere"), tmp_path):
        code, _, err = run(capsys, *command.split(), str(path))
        assert code == 2
        assert err.startswith("mfcourse: --out must be")
        assert str(path) in err
        assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["dangling"]


def test_a_full_disk_is_one_line_with_the_file_and_nothing_half_written(capsys, tmp_path, monkeypatch):
    def full(self, file, **settings):
        file.write(b"half of")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", full)
    code, _, err = run(capsys, "reproduce", "figure1", "--seeds", "4", "--m", "6", "--out", str(tmp_path))
    assert code == 2
    assert err.splitlines()[-1] == f"mfcourse: {tmp_path / 'figure1.png'}: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["figure1.unfinished"]  # the next try goes on from there


def test_a_half_written_run_file_is_one_line_that_names_it(capsys, tmp_path):
    folder = tmp_path / "figure1.unfinished"
    folder.mkdir()
    (folder / "spikes-flow-m6-seeds0.npz").write_bytes(b"PK half")
    code, _, err = run(capsys, "reproduce", "figure1", "--seeds", "0", "--m", "6", "--out", str(tmp_path))
    assert code == 2
    assert "spikes-flow-m6-seeds0.npz must be a run saved by mfcourse" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "figure1.json").exists()


def test_a_kept_run_of_seven_steps_is_no_result(capsys, tmp_path):
    problem = problems.spikes(0)
    step = flows.forward_backward(problem, *experiments.spike_steps(problem))
    kept = tmp_path / "figure1.unfinished" / "spikes-flow-m6-seeds0.npz"
    kept.parent.mkdir()
    flows.flow(problem, step, experiments.grid_of(0, 6), 7).save(kept)
    code, out, err = run(capsys, "reproduce", "figure1", "--seeds", "0", "--m", "6", "--out", str(tmp_path))
    assert (code, out) == (2, "")
    assert err.startswith(f"mfcourse: {kept} holds a run of no known origin, wanted is spikes, flow, seeds 0, m = 6 by")
    assert err.endswith("; delete it, or name another folder\n")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["figure1.unfinished"]


@pytest.mark.parametrize("argv", [["--help"], ["reproduce", "--help"], ["certify", "--help"], ["lab", "--help"]])
def test_help_teaches_with_an_example_or_a_next_step(capsys, argv):
    code, out, _ = run(capsys, *argv)
    assert code == 0
    assert "Example: mfcourse" in out or "Start with" in out


def test_version_and_module_call_agree(capsys):
    code, out, _ = run(capsys, "--version")
    assert code == 0
    called = subprocess.run(
        [sys.executable, "-m", "mfcourse", "--version"], capture_output=True, encoding="utf-8", check=True
    )
    assert called.stdout == out


def test_seeds_can_be_a_number_a_range_or_a_list():
    read = reading.whole_numbers(0)
    assert [read(text) for text in ("7", "0-4", "0,1,4,5", "3,1-3")] == [[7], [0, 1, 2, 3, 4], [0, 1, 4, 5], [3, 1, 2]]


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_ctrl_c_and_sigterm_end_in_one_line_with_the_exit_codes_of_shells(capsys, monkeypatch, number, code, word):
    monkeypatch.setattr(experiments, "spike_flow", lambda *arguments, **settings: signal.raise_signal(number))
    assert run(capsys, "certify") == (code, "", f"mfcourse: {word}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for other processes")
def test_ctrl_c_during_a_figure_keeps_the_finished_runs(tmp_path):
    command = [sys.executable, "-m", "mfcourse", "reproduce", "figure1", "--seeds", "0-199", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    unfinished = tmp_path / "figure1.unfinished"
    limit = time.monotonic() + 100
    while not (unfinished.is_dir() and len(list(unfinished.glob("*.npz"))) >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted; finished runs are kept in" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert len(list(unfinished.glob("*.npz"))) >= 2
    assert not (tmp_path / "figure1.json").exists()
    assert not list(unfinished.glob("*.part"))


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "more memory than there is"), (ModuleNotFoundError("No module named 'ot'"), "pip install -e .")],
)
def test_what_goes_wrong_inside_is_one_line(capsys, monkeypatch, error, words):
    def fail(*arguments, **settings):
        raise error

    monkeypatch.setattr(experiments, "spike_flow", fail)
    code, _, err = run(capsys, "certify")
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_runs_kept_of_other_seeds_survive_a_finished_figure(capsys, tmp_path):
    other = tmp_path / "figure1.unfinished" / "spikes-flow-m6-seeds7.npz"
    other.parent.mkdir()
    experiments.spike_flow(problems.spikes(7), 6).save(other)
    assert run(capsys, "reproduce", "figure1", "--seeds", "4", "--m", "6", "--out", str(tmp_path))[0] == 0
    assert [path.name for path in other.parent.iterdir()] == [other.name]


def test_doctor_reports_and_is_content(capsys):
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    assert "all the course needs is there" in out


CHAPTERS = list(files.notebooks_folder().glob("*.ipynb"))


@pytest.fixture
def jupyterlab(monkeypatch):
    """Commands that would have started JupyterLab; it is interrupted once and ends with exit code 3."""
    calls = []

    class Process:
        answers = (KeyboardInterrupt, 3)

        def __init__(self, command):
            calls.append(command)
            self.answers = list(self.answers)

        def wait(self):
            answer = self.answers.pop(0)
            if not isinstance(answer, int):
                raise answer
            return answer

        def terminate(self):
            calls.append("terminate")

    monkeypatch.setattr(subprocess, "Popen", Process)
    return calls


def test_lab_copies_and_opens_the_users_folder(capsys, tmp_path, jupyterlab):
    mine = tmp_path / "mine"
    code, out, _ = run(capsys, "lab", str(mine), "--", "--no-browser")
    assert code == 3
    assert "notebooks copied, 0 kept" in out
    assert jupyterlab[0][1:] == ["-m", "jupyterlab", f"--ServerApp.root_dir={mine}", "--no-browser"]
    assert (mine / "09_sparse_spikes.ipynb").exists()


def test_lab_without_a_folder_opens_a_copy_and_leaves_the_clone_clean(capsys, tmp_path, jupyterlab, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "lab")
    assert (code, out) == (3, f"mfcourse-notebooks: {len(CHAPTERS)} notebooks copied, 0 kept as they were\n")
    assert jupyterlab[0][3] == f"--ServerApp.root_dir={tmp_path / 'mfcourse-notebooks'}"


def test_sigterm_ends_jupyterlab_too(capsys, tmp_path, jupyterlab, monkeypatch):
    monkeypatch.setattr(subprocess.Popen, "answers", (KeyboardInterrupt, Terminated, 0))
    code, _, err = run(capsys, "lab", str(tmp_path / "mine"))
    assert (code, err) == (143, "mfcourse: terminated\n")
    assert jupyterlab[1:] == ["terminate"]
