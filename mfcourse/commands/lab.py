"""`mfcourse lab`: give the reader a copy of the notebooks, in which nothing was run yet, and open JupyterLab on it."""

import json
import subprocess
import sys
from pathlib import Path

from mfcourse.commands.reading import place
from mfcourse.endings import Terminated
from mfcourse.files import notebooks_folder, writable_folder, write_whole

FOLDER = "mfcourse-notebooks"


def add(commands):
    """What may be typed."""
    parser = commands.add_parser(
        "lab",
        help="open the notebooks in JupyterLab",
        description="Open the notebooks in JupyterLab. They are copied to FOLDER first, without results, so that you "
        "can guess before you run a cell; files that are there already are kept as they are, so your work is safe. "
        "Options after -- go to JupyterLab.",
        epilog="Example: mfcourse lab my-notebooks -- --no-browser",
    )
    words = f"your folder for the notebooks (default: {FOLDER})"
    parser.add_argument("folder", type=place, nargs="?", default=FOLDER, metavar="FOLDER", help=words)
    parser.set_defaults(run=lab)


def lab(arguments):
    """Open JupyterLab on a copy of the notebooks in the reader's folder."""
    copied, kept = copy_notebooks(arguments.folder)
    print(f"{arguments.folder}: {len(copied)} notebooks copied, {len(kept)} kept as they were")
    return open_lab(arguments.folder, arguments.options)


def copy_notebooks(folder):
    """Copy the notebooks that `folder` does not hold yet, without outputs. Returns (copied, kept): names in order.

    A file that is there already is never touched. Raises ValueError if the folder cannot be written to.
    """
    folder = writable_folder("folder", folder)
    copied, kept = [], []
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        target = folder / source.name
        if target.exists():
            kept.append(source.name)
        else:
            text = without_outputs(source.read_text(encoding="utf-8"))
            write_whole(target, lambda file, text=text: file.write(text.encode()))
            copied.append(source.name)
    return copied, kept


def without_outputs(text):
    """The notebook of this JSON as it is before anything was run: results are the reader's to find."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


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
