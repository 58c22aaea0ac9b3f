"""`mfcourse lab`: give the reader a copy of the notebooks, and open JupyterLab on it."""

import shutil
import subprocess
import sys
from pathlib import Path

from mfcourse.commands.reading import place
from mfcourse.endings import Terminated
from mfcourse.files import in_clone, notebooks_folder, writable_folder, write_whole


def add(commands):
    """What may be typed."""
    parser = commands.add_parser(
        "lab",
        help="open the notebooks in JupyterLab",
        description="Open the notebooks in JupyterLab. With FOLDER they are copied there first; files that are there "
        "already are kept as they are, so your work is safe. Without FOLDER a clone opens its own notebooks, an "
        "installed mfcourse copies them to ./mfcourse-notebooks. Options after -- go to JupyterLab.",
        epilog="Example: mfcourse lab my-notebooks -- --no-browser",
    )
    parser.add_argument("folder", type=place, nargs="?", metavar="FOLDER", help="your folder for the notebooks")
    parser.set_defaults(run=lab)


def lab(arguments):
    """Open JupyterLab on the clone's notebooks, or on a copy in the reader's folder."""
    folder = arguments.folder
    if folder is None and in_clone():
        folder = notebooks_folder()
    else:
        folder = folder or "mfcourse-notebooks"
        copied, kept = copy_notebooks(folder)
        print(f"{folder}: {len(copied)} notebooks copied, {len(kept)} kept as they were")
    return open_lab(folder, arguments.options)


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
