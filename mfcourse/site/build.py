"""The website: Sphinx reads the notebooks and the pages of book/, this adds what the pages need, and serves them.

The module is a Sphinx extension of the site, and what `mfcourse site` calls. All that a page loads lies beside it.
"""

import functools
import http.server
import importlib.util
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

import yaml

from mfcourse import lab, live
from mfcourse.files import writable_folder

ROOT = lab.PACKAGE.parent
BOOK = ROOT / "book"
REFERENCE = (
    *("index", "measures", "problems", "flows", "certificates", "geometry", "experiments", "pictures"),
    *("exercises", "classroom", "commands"),
)  # pages of the library's reference, in reading order
MATHJAX = "mathjax/tex-mml-chtml.js"
MATHJAX_FILES = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")


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


def serve(folder, port):
    """A server of the site in `folder`, for this machine only, at `port` (0: any free one): call its serve_forever.

    Raises ValueError if the port cannot be had.
    """
    try:
        return _Server(("127.0.0.1", port), functools.partial(_Handler, directory=folder))
    except (OSError, OverflowError) as error:
        raise ValueError(f"--port must be a free port, but {port}: {error}") from None


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = os.name != "nt"  # on Windows that would let two servers have one port

    def handle_error(self, request, client_address):
        """A browser that goes away in the middle is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Knows two types that some Windows machines do not; keeps nothing, since a site may be built anew; is quiet."""

    types = {".js": "text/javascript", ".css": "text/css"}  # noqa: RUF012
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | types

    def end_headers(self):
        """A browser asks each time whether a file is still the same."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments):
        """A reader needs no list of requests."""


def launch_buttons(repository, hub):
    """Options of the theme for launch buttons on chapters, given where the course is published.

    repository: its address on GitHub or GitLab, "" if there is none: then there is nothing to launch, and no button.
    Binder takes both, Colab only GitHub; hub: address of a JupyterHub with nbgitpuller, or "". Raises ValueError for
    other addresses.
    """
    if repository and not repository.startswith(("https://github.com/", "https://gitlab.com/")):
        raise ValueError(f"REPOSITORY must be an address on https://github.com/ or gitlab.com, not {repository!r}")
    if hub and not hub.startswith("https://"):
        raise ValueError(f"JUPYTERHUB must be an address that begins with https://, not {hub!r}")
    if not repository:
        return {}
    repository = repository.rstrip("/").removesuffix(".git")
    launch = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org", "jupyterhub_url": hub}
    if "github" in repository:
        launch["colab_url"] = "https://colab.research.google.com"
    address = {"repository_url": repository, "repository_branch": "main", "use_repository_button": True}
    return address | {"launch_buttons": launch}


def table_of_contents():
    """The parts of the book as myst.yml has them for both engines, and the library's reference, which is only here."""
    toc = yaml.safe_load((BOOK / "myst.yml").read_text(encoding="utf-8"))["project"]["toc"]
    return [*toc, {"title": "The library", "children": [{"file": f"api/{name}.md"} for name in REFERENCE]}]


def sources():
    """The files of all pages, relative to the project: a notebook that a reader has left beside them is none."""
    files = [page["file"] for part in table_of_contents() for page in part.get("children", [part])]
    return [posixpath.normpath(f"book/{file}") for file in files]


def setup(app):
    """Sphinx asks for this: prepare docstrings, and put MathJax and the live demos beside the pages."""
    app.connect("source-read", _append_contents)
    app.connect("autodoc-process-docstring", _prepare)
    app.connect("html-page-context", _bring_to_life)
    app.connect("build-finished", _copy_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def as_rst(lines):
    """Lines of a plain docstring as reStructuredText: indented formulas are verbatim, `names` are code."""
    text = []
    for paragraph in "\n".join(lines).strip("\n").split("\n\n"):
        if paragraph.startswith("    "):
            text += ["::", "", paragraph]
        else:
            pieces = re.split(r"`+([^`]+)`+", paragraph)
            plain = [re.sub(r"([\\*|_])", r"\\\1", piece) for piece in pieces[::2]]
            code = [rf"\ ``{piece}``\ " for piece in pieces[1::2]]  # an escaped space is none
            text.append("".join(a + b for a, b in zip(plain, [*code, ""], strict=True)))
        text.append("")
    return "\n".join(text).split("\n")


def _append_contents(app, docname, source):
    """The landing page ends with a hidden toctree for each part of the book."""
    if docname == app.config.root_doc:
        for part in table_of_contents():
            if "children" in part:
                files = [str(PurePosixPath(page["file"]).with_suffix("")) for page in part["children"]]
                lines = ["", "```{toctree}", ":hidden:", f":caption: {part['title']}", "", *files, "```", ""]
                source[0] += "\n".join(lines)


def _prepare(app, kind, name, described, options, lines):
    """autodoc wants its list of lines changed in place."""
    lines[:] = as_rst(lines)


def _bring_to_life(app, pagename, templatename, context, doctree):
    """Pages with a demo load the module that starts it, and the demos' style."""
    if 'class="mf-live"' in context.get("body", ""):
        app.add_js_file("live/page.js", type="module")
        app.add_css_file("live/demo.css")


def _copy_assets(app, error):
    """MathJax from its package, the demos and their instances from ours; none of it is kept in the repository."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    source = Path(importlib.import_module("sphinx-mathjax-offline").__file__).parent / "static" / "mathjax"
    for name in MATHJAX_FILES:
        target = static / "mathjax" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target, dirs_exist_ok=True)
        else:
            shutil.copy(source / name, target)
    code = shutil.ignore_patterns("*.py", "__pycache__")
    shutil.copytree(live.FOLDER, static / "live", ignore=code, dirs_exist_ok=True)
    data = {name: live.instances(name) for name in live.NAMES}
    (static / "live" / "data.json").write_text(json.dumps(data, allow_nan=False), encoding="utf-8")
