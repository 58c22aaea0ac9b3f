"""What Sphinx is told: the reference is complete, docstrings keep their characters, launch buttons have addresses."""

import shutil
import subprocess
import sys

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from mfcourse.site import extension
from mfcourse.site.build import BOOK, ROOT
from tests.test_project import ORDER

PAGES = sorted((BOOK / "api").glob("*.md"))


def test_the_reference_describes_every_module_once():
    described = [
        line.split("mfcourse.")[1]
        for page in PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(".. automodule::")
    ]
    assert sorted(described) == sorted(set(ORDER) - {"__main__"})


@pytest.mark.parametrize(
    "text",
    [
        "sum_i |w_i| * eta_ and `w` of shape (..., m) on `x`_`y`",
        "First.\n\n    a formula |w|_\n\nLast `x`.",
        "A list: *a*, **b**, a\\b, and a trailing |",
        "",
    ],
)
def test_docstrings_keep_their_characters_and_raise_no_complaint(text):
    tree = publish_doctree("\n".join(extension.as_rst(text.split("\n"))), settings_overrides={"report_level": 5})
    assert not list(tree.findall(nodes.system_message))
    assert tree.astext().split() == text.replace("`", "").split()


def test_indented_formulas_of_docstrings_are_verbatim_and_names_are_code():
    tree = publish_doctree("\n".join(extension.as_rst(["Of `w`:", "", "    a_i = |w_i|", "    b"])))
    assert next(tree.findall(nodes.literal_block)).astext() == "a_i = |w_i|\nb"
    assert next(tree.findall(nodes.literal)).astext() == "w"


def test_without_a_repository_there_are_no_launch_buttons_and_with_one_each_has_its_address():
    assert extension.launch_buttons("", "") == {}
    assert extension.launch_buttons("", "https://hub.example.org") == {}
    options = extension.launch_buttons("https://github.com/someone/mfcourse", "https://hub.example.org")
    assert options["repository_url"] == "https://github.com/someone/mfcourse"
    assert options["launch_buttons"]["jupyterhub_url"] == "https://hub.example.org"
    assert options["launch_buttons"]["colab_url"]
    assert "colab_url" not in extension.launch_buttons("https://gitlab.com/someone/mfcourse", "")["launch_buttons"]
    sloppy = extension.launch_buttons("https://github.com/someone/mfcourse.git/", "https://hub.example.org")
    assert sloppy == options
    for address in ("git@github.com:someone/mfcourse", "https://codeberg.org/someone/mfcourse"):
        with pytest.raises(ValueError, match="REPOSITORY must be an address on https"):
            extension.launch_buttons(address, "")
    with pytest.raises(ValueError, match="JUPYTERHUB must be an address that begins with https://"):
        extension.launch_buttons("https://github.com/someone/mfcourse", "hub")


def test_two_lines_of_the_settings_put_launch_links_on_chapters(tmp_path):
    settings = (BOOK / "conf.py").read_text(encoding="utf-8")
    for name, given in (("REPOSITORY", "https://github.com/someone/course"), ("JUPYTERHUB", "https://hub.example.org")):
        assert f'{name} = ""' in settings
        settings = settings.replace(f'{name} = ""', f'{name} = "{given}"')
    book = tmp_path / "book"
    shutil.copytree(BOOK, book, ignore=shutil.ignore_patterns("*.md", "*.png"))
    (book / "conf.py").write_text(settings, encoding="utf-8")
    (book / "index.md").write_text("# One chapter", encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "01_measures.ipynb", tmp_path / "notebooks")
    subprocess.run([sys.executable, "-m", "sphinx", "-Q", "-c", book, tmp_path, tmp_path / "out"], check=True)
    text = (tmp_path / "out" / "notebooks" / "01_measures.html").read_text(encoding="utf-8")
    for link in (
        "https://mybinder.org/v2/gh/someone/course/main?urlpath=lab/tree/notebooks/01_measures.ipynb",
        "https://colab.research.google.com/github/someone/course/blob/main/notebooks/01_measures.ipynb",
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A//github.com/someone/course",
    ):
        assert link in text


def test_a_notebook_that_a_reader_has_left_beside_the_chapters_is_no_page():
    found = {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("[01]*.ipynb")}
    assert {name for name in extension.sources() if name.endswith(".ipynb")} == found
    assert all((ROOT / name).exists() for name in extension.sources())
