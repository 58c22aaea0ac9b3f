"""What Sphinx is told about the site as a whole: its contents, docstrings, and all that a page loads.

MathJax comes from its package, the live pictures and their instances from `live`; none of it is fetched from elsewhere.
"""

import importlib
import json
import posixpath
import re
import shutil
from pathlib import Path, PurePosixPath

import yaml

from mfcourse.site import live
from mfcourse.site.build import BOOK

REFERENCE = (
    *("index", "measures", "problems", "flows", "certificates", "geometry", "experiments", "pictures"),
    *("beyond", "exercises", "classroom", "site", "commands", "ground"),
)  # pages of the library's reference, in reading order
MATHJAX = "mathjax/tex-mml-chtml.js"
MATHJAX_FILES = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")


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
