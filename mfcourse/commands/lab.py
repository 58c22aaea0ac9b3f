"""Find the notebooks, give the reader a copy of their own, and open JupyterLab on it."""

import shutil
import subprocess
import sys
from pathlib import Path

from mfcourse.endings import Terminated
from mfcourse.files import writable_folder, write_whole

PACKAGE = Path(__file__).parent


def notebooks_folder():
    """The folder of notebooks: beside the package in a clone, inside it in an installed wheel."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if folder.is_dir() and any(folder.glob("*.ipynb")):
            return folder
    raise FileNotFoundError("the notebooks are missing from this installation; install mfcourse again")


def in_clone():
    """True if the package runs from a clone, where the notebooks can be opened where they are."""
    return notebooks_folder().parent == PACKAGE.parent


def copy_notebooks(folder):
    """Copy the notebooks that `folder` does not hold yet. Returns (copied, kept): names in reading order.

    A file that is there already is never touched. Raises ValueError if the folder cannot be written to.
    """
    folder = writable_folder("folder", folder)
    copied, kept = [], []
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        target = folder / source.name
        if target.exists():
            kept.append(source.name)
        else:
            with open(source, "rb") as original:
                write_whole(target, lambda file, original=original: shutil.copyfileobj(original, file))
            copied.append(source.name)
    return copied, kept


def open_lab(folder, options=()):
    """Run JupyterLab on `folder` until it is closed; `options` go to JupyterLab as they are. Returns its exit code."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={Path(folder).resolve()}", *options]
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except Terminated:  # reaches nobody but us
            process.terminate()
            process.wait()
            raise
        except KeyboardInterrupt:  # Ctrl-C reaches JupyterLab too, which asks before it closes
            continue
