"""Build the website: Sphinx reads the notebooks and the pages of book/ into a folder that is whole, or left alone."""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from mfcourse.files import PACKAGE, writable_folder

ROOT = PACKAGE.parent
BOOK = ROOT / "book"


def is_site(folder):
    """True if Sphinx has built a site in this folder."""
    return (Path(folder) / ".buildinfo").exists()


def build(out):
    """Build the site into the folder `out`, from nothing and with warnings as errors. Returns the exit code of Sphinx.

    `out` is replaced as a whole once the site is complete, and stays as it was otherwise. Raises ValueError if it holds
    anything but a site or is the folder one is in, FileNotFoundError where there is no book to build, ImportError
    without the extra "book".
    """
    if importlib.util.find_spec("sphinx") is None:
        raise ModuleNotFoundError("No module named 'sphinx'")
    if not BOOK.is_dir():
        raise FileNotFoundError("the site is built in a clone of the course; this installation has no folder book")
    out = writable_folder("--out", out).resolve()
    if out in (Path.cwd(), *Path.cwd().parents):
        raise ValueError(f"--out must be a folder that can be replaced, but you are in {out}")
    held = {path.name for path in out.iterdir()}
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as work:
        pages = Path(work) / "pages"
        options = ["-W", "--keep-going", "-q", "-c", BOOK, "-d", f"{work}/cache", "-b", "html"]
        if is_site(out) or not held:
            code = subprocess.run([sys.executable, "-m", "sphinx", *options, ROOT, pages], check=False).returncode
            if code:
                return code
            held -= {path.name for path in pages.iterdir()}
        if held:
            raise ValueError(f"--out must be a new folder or a site to be replaced, but {out} holds {min(held)}")
        out.rename(Path(work) / "old")
        pages.rename(out)
    return 0
