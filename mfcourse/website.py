"""The website: Sphinx reads the notebooks and the pages of book/, this adds what the pages need, and serves them.

The module is a Sphinx extension of the site, and what `mfcourse site` calls. All that a page loads lies beside it.
"""

import functools
import http.server
import importlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import yaml

from mfcourse import lab, live
from mfcourse.files import writable_folder

ROOT = lab.PACKAGE.parent
BOOK = ROOT / "book"
REFERENCE = (
    *("index", "measures", "problems", "flows", "certificates", "geometry", "experiments", "pictures"),
    *("exercises", "commands"),
)  # pages of the library's reference, in reading order
MATHJAX = "mathjax/tex-mml-chtml.js"
MATHJAX_FILES = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")


def is_site(folder):
    """True if Sphinx has built a site in this folder."""
    return (Path(folder) / ".buildinfo").exists()


def build(out):
    """Build the site into the folder `out`, from nothing and with warnings as errors. Returns the exit code of Sphinx.

    `out` is replaced as a whole once the site is complete, and stays as it was otherwise. Raises ValueError if it holds
    anything but a site, FileNotFoundError where there is no book to build, ImportError without the extra "book".
    """
    from sphinx.cmd.build import build_main

    if not BOOK.is_dir():
        raise FileNotFoundError("the site is built in a clone of the course; this installation has no folder book")
    out = writable_folder("--out", out).resolve()
    if any(out.iterdir()) and not is_site(out):
        raise ValueError(f"--out must be a new folder or a site to be replaced, but {out} holds other files")
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as work:
        pages, cache = f"{work}/pages", f"{work}/cache"
        code = build_main(["-W", "--keep-going", "-q", "-c", str(BOOK), "-d", cache, "-b", "html", str(ROOT), pages])
        if code == 0:
            shutil.rmtree(out)
            shutil.move(pages, out)
    return code


def serve(folder, port):
    """A server of the site in `folder`, for this machine only, at `port` (0: any free one): call its serve_forever.

    Raises ValueError if the port cannot be had.
    """
    handler = functools.partial(_Handler, directory=folder)
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        raise ValueError(f"--port must be a free port, but {port}: {error}") from None


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Browsers want modules to be of this type, which some Windows machines do not know."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, *arguments):
        """A reader needs no list of requests."""


def launch_buttons(repository, hub):
    """Options of the theme for launch buttons on chapters, given where the course is published.

    repository: its address, "" if there is none: then there is nothing to launch, and no button. Binder takes any
    repository, Colab those on GitHub; hub: address of a JupyterHub with nbgitpuller, or "". Raises ValueError for what
    is no https address.
    """
    for name, address in (("REPOSITORY", repository), ("JUPYTERHUB", hub)):
        if address and not address.startswith("https://"):
            raise ValueError(f"{name} must be an address that begins with https://, but it is {address!r}")
    if not repository:
        return {}
    launch = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org", "jupyterhub_url": hub}
    if repository.startswith("https://github.com/"):
        launch["colab_url"] = "https://colab.research.google.com"
    address = {"repository_url": repository, "repository_branch": "main", "use_repository_button": True}
    return address | {"launch_buttons": launch}


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


def contents(toc):
    """Hidden toctrees for the parts of a table of contents as Jupyter Book 2 has it: one order for both engines.

    toc: the list of entries in myst.yml, each a file or a titled list of files.
    """
    text = ""
    for part in toc:
        if "children" in part:
            files = [str(Path(page["file"]).with_suffix("")) for page in part["children"]]
            text += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {part['title']}", "", *files, "```", ""])
    return text


def _append_contents(app, docname, source):
    """The landing page ends with the contents of myst.yml, and the reference of the library, which is only here."""
    if docname == app.config.root_doc:
        toc = yaml.safe_load((Path(app.confdir) / "myst.yml").read_text(encoding="utf-8"))["project"]["toc"]
        toc.append({"title": "The library", "children": [{"file": f"api/{name}.md"} for name in REFERENCE]})
        source[0] += contents(toc)


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
        (shutil.copytree if (source / name).is_dir() else shutil.copy)(source / name, target)
    shutil.copytree(live.FOLDER, static / "live", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    data = {name: live.instances(name) for name in live.NAMES}
    (static / "live" / "data.json").write_text(json.dumps(data, allow_nan=False), encoding="utf-8")
