"""Run a notebook that somebody else wrote: in a process, a folder and an environment of its own, within limits.

This keeps accidents in: endless loops, memory, files lying around. It is no wall against malice: the code runs with the
rights of whoever starts it.
"""

import contextlib
import os
import site
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
PASSED_ON += ("SYSTEMROOT", "SYSTEMDRIVE", "PROGRAMDATA", "COMSPEC", "PATHEXT", "WINDIR")
HOMES = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What nbconvert checks notebooks with loads a grammar of web addresses, for a second, that no notebook needs.
NBCONVERT = "import sys; sys.modules['rfc3987_syntax'] = None; from nbconvert.nbconvertapp import main; main()"
EXECUTE = (
    "--to=notebook",
    "--output=executed",
    "--NotebookExporter.preprocessors=nbgrader.preprocessors.Execute",
    "--Execute.iopub_timeout=120",  # output comes late on a busy machine
)
LARGEST = 50 * 10**6  # bytes of a notebook after it has run
LOOK = 0.2  # seconds between two looks at a process
UNBORN = "Kernel died before replying to kernel_info"  # two that start together may be given the same port
BIRTHS = 3  # so often is a kernel started before its notebook is given up: no code of it has run


class Limits(NamedTuple):
    """Seconds that a cell may take, seconds for the whole notebook, and bytes of memory."""

    cell: int = 60
    seconds: int = 600
    memory: int = 2 * 10**9


class Stopped(RuntimeError):
    """A notebook that did not come to its end; the message says why."""


def run_apart(notebook, limits, stop=None):
    """The notebook after running all its cells; a cell that fails or takes too long holds the error, the next ones run.

    It works in an empty folder, its home, which is deleted afterwards, and sees nothing of the caller's environment but
    where programs are. Raises Stopped if the whole takes too long, needs too much memory, prints without end, or does
    not come to its end, and soon after the event `stop` is set.
    """
    for _ in range(BIRTHS - 1):
        try:
            return _run_once(notebook, limits, stop)
        except Stopped as stopped:
            if UNBORN not in str(stopped):
                raise
    return _run_once(notebook, limits, stop)


def _run_once(notebook, limits, stop):
    import nbformat

    apart = {"prefix": "mfcourse-", "ignore_cleanup_errors": True}
    with tempfile.TemporaryDirectory(**apart) as home, tempfile.TemporaryDirectory(**apart) as desk:
        given, log, executed = (Path(desk) / name for name in ("given.ipynb", "log.txt", "executed.ipynb"))
        nbformat.write(notebook, given)
        command = [sys.executable, "-c", NBCONVERT, "--stdin", *EXECUTE]
        command += [f"--output-dir={desk}", f"--Execute.timeout={limits.cell}"]
        with open(given, "rb") as source, open(log, "wb") as words:
            streams = {"stdin": source, "stdout": words, "stderr": words}
            process = subprocess.Popen(command, cwd=home, env=_environment(home), **streams)
            started = set()
            try:
                _watch(process, limits, stop or threading.Event(), started)
            finally:
                _end(process, started)
        if process.returncode or not executed.exists():
            raise Stopped(f"it did not run to its end ({_last_words(log)})")
        if executed.stat().st_size > LARGEST:
            raise Stopped(f"it printed more than {LARGEST // 10**6} MB")
        return nbformat.read(executed, as_version=4)


def _last_words(log):
    """The last line with words in it, where programs say what they died of."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 5000))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return "its folder was removed"
    return "".join([line for line in lines if any(map(str.isalpha, line))][-1:])[-100:]


def _environment(home):
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    packages = {"PYTHONUSERBASE": site.getuserbase()}  # which would move with the home folder
    packages["PIP_PYTHON"] = str(Path(home) / "none")  # no %pip install into the caller's packages: pip finds no Python
    return kept | packages | dict.fromkeys(HOMES, home) | dict.fromkeys(THREADS, "1")


def _watch(process, limits, stop, started):
    """Wait for the process, and note in `started` all that it starts; raises Stopped when they are over a limit."""
    deadline = time.monotonic() + limits.seconds
    while True:
        try:
            process.wait(LOOK)
            return
        except subprocess.TimeoutExpired:
            if stop.is_set():
                raise Stopped("it was interrupted") from None
            if time.monotonic() > deadline:
                raise Stopped(f"it took longer than {limits.seconds} s in all and was stopped") from None
        family = _family(process)
        started |= set(family)
        if sum(map(_memory, family)) > limits.memory:
            raise Stopped(f"it needed more than {limits.memory / 1e9:g} GB of memory and was stopped")


def _family(process):
    """The process and all that it has started."""
    import psutil

    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(part):
    """Bytes that a process uses, none if it has just ended."""
    import psutil

    try:
        return part.memory_info().rss
    except psutil.Error:
        return 0


def _end(process, started):
    """End the process and all that it has started, at once."""
    import psutil

    for part in {*started, *_family(process)}:
        with contextlib.suppress(psutil.Error):
            part.kill()
    process.wait()
