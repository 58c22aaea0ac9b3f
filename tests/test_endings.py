"""Processes end together: real ones are started here, and ended in all the ways there are."""

import multiprocessing
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from mfcourse import endings
from mfcourse.runs import Run

SOON = 20  # seconds for what takes two or three on a machine that does nothing else
WINDOWS = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows one way only")
WAYS = ["kill", pytest.param("terminate", marks=WINDOWS)]  # SIGKILL and SIGTERM


def gone(processes):
    """True if all of them end in time; those that do not are ended."""
    _, alive = psutil.wait_procs(processes, timeout=SOON)
    for process in alive:
        process.kill()
    return not alive


def wait_for(condition, process):
    limit = time.monotonic() + 100
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.fixture
def started():
    """A function that starts Python on a command line, with one pipe for all that it and its workers say."""
    processes = []

    def start(*command):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8", "errors": "replace"}
        processes.append(subprocess.Popen([sys.executable, *command], **streams))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", WAYS)
def test_a_sweep_that_is_killed_takes_its_workers_along_and_whoever_reads_it_is_told(tmp_path, started, end):
    options = ["--seeds", "0-199", "--jobs", "2", "--out", str(tmp_path)]
    process = started("-m", "mfcourse", "reproduce", "figure1", *options)
    unfinished = tmp_path / "figure1.unfinished"
    wait_for(lambda: list(unfinished.glob("*.npz")), process)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2
    getattr(process, end)()
    said, _ = process.communicate(timeout=SOON)  # the end of the pipe comes when nobody holds it any more
    assert gone(family)
    assert not list(unfinished.glob("*.part"))
    for path in unfinished.glob("*.npz"):
        assert Run.load(path).stopped
    if end == "terminate":
        assert process.returncode == 143
        assert f"mfcourse: terminated; finished runs are kept in {unfinished}, the same command" in said
        assert "Traceback" not in said


WORKER = """
import multiprocessing, time
from mfcourse.endings import end_with_parent

def work(pid):
    end_with_parent()
    pid.send(multiprocessing.current_process().pid)
    time.sleep(600)

if __name__ == "__main__":
    mine, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context({!r})
    context.Process(target=work, args=(theirs,)).start()
    print(mine.recv(), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.parametrize("end", WAYS)
def test_a_worker_ends_with_its_parent_however_it_was_started(tmp_path, started, method, end):
    (tmp_path / "parent.py").write_text(WORKER.format(method), encoding="utf-8")
    process = started(str(tmp_path / "parent.py"))
    worker = psutil.Process(int(process.stdout.readline()))
    time.sleep(2 * endings.LOOK)
    assert worker.is_running()  # as long as the parent does
    getattr(process, end)()
    assert gone([worker])


def test_sigterm_is_an_interruption_within_and_what_it_was_before_outside():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(endings.Terminated), endings.terminable():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_who_has_plans_of_their_own_for_sigterm_keeps_them():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with endings.terminable():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_a_thread_beside_the_main_one_is_left_alone():
    done = []

    def work():
        with endings.terminable():
            done.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGTERM)]
