"""Run a notebook that somebody else wrote: in a process, a folder and an environment of its own, within limits.

This keeps accidents in: endless loops, memory, files lying around. It is no wall against malice: the code runs with the
rights of whoever starts it.
"""

import os
import site
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "WINDIR")
HOMES = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
EXECUTE = (
    "--to=notebook",
    "--output=executed",
    "--NotebookExporter.preprocessors=nbgrader.preprocessors.Execute",
    "--Execute.iopub_timeout=30",  # output comes late on a busy machine
)
LOOK = 0.2  # seconds between two looks at a process


class Limits(NamedTuple):
    """Seconds that a cell may take, seconds for the whole notebook, and bytes of memory."""

    cell: int = 60
    seconds: int = 600
    memory: int = 2 * 10**9


class Stopped(RuntimeError):
    """A notebook that did not come to its end; the message says why."""


def run_apart(notebook, limits, stop=None):
    """The notebook after running all its cells; a cell that fails or takes too long holds the error, the next ones run.

    It sees an empty folder, which is deleted afterwards, and nothing of the caller's environment but where programs
    are. Raises Stopped if the whole takes too long, needs too much memory, or Python itself crashes, and soon after the
    event `stop` is set.
    """
    import nbformat

    with tempfile.TemporaryDirectory(prefix="mfcourse-", ignore_cleanup_errors=True) as folder:
        nbformat.write(notebook, Path(folder) / "notebook.ipynb")
        command = [sys.executable, "-m", "nbconvert", "notebook.ipynb", *EXECUTE, f"--Execute.timeout={limits.cell}"]
        with open(Path(folder) / "log.txt", "wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=log, stderr=log)
            try:
                _watch(process, limits, stop or threading.Event())
            finally:
                _end(process)
        try:
            return nbformat.read(Path(folder) / "executed.ipynb", as_version=4)
        except (OSError, ValueError):
            last = (Path(folder) / "log.txt").read_bytes()[-1000:].decode(errors="replace").strip().splitlines()[-1:]
            raise Stopped(f"Python crashed while it ran ({''.join(last)[-100:]})") from None


def _environment(folder):
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    packages = {"PYTHONUSERBASE": site.getuserbase()}  # which would move with the home folder
    return kept | packages | dict.fromkeys(HOMES, folder) | dict.fromkeys(THREADS, "1")


def _watch(process, limits, stop):
    """Wait for the process; raises Stopped when it, with all it started, is over a limit."""
    import psutil

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
        used = 0
        for part in _family(process):
            try:
                used += part.memory_info().rss
            except psutil.Error:  # it has just ended
                continue
        if used > limits.memory:
            raise Stopped(f"it needed more than {limits.memory / 1e9:g} GB of memory and was stopped")


def _family(process):
    """The process and all that it has started."""
    import psutil

    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _end(process):
    """End the process and all that it has started, at once."""
    import psutil

    for part in _family(process):
        try:
            part.kill()
        except psutil.Error:
            continue
    process.wait()
