"""Run notebooks and store their outputs: `python tests/execute.py NOTEBOOK...`. No widget state, no time stamps."""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(path):
    """Run all cells of the notebook at `path` in its folder, and write it back."""
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(Path(path).parent)}}
    NotebookClient(notebook, timeout=120, record_timing=False, coalesce_streams=True, resources=folder).execute()
    notebook.metadata = {key: value for key, value in notebook.metadata.items() if key in ("kernelspec", "mfcourse")}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", ()):  # what stands for a live demo where no kernel runs
                output.data.pop(WIDGET, None)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    begin = time.perf_counter()
    for name in sys.argv[1:]:
        clock = time.perf_counter()
        execute(name)
        print(f"{name}: run and stored, {time.perf_counter() - clock:.0f} s")
    print(f"in all {time.perf_counter() - begin:.0f} s")
