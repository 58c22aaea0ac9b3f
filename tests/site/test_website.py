"""The website's own code: what it refuses, what it adds to pages, and how a chapter becomes one."""

import importlib.util
import json
import mimetypes
import pkgutil
import shutil
import subprocess
import sys
import urllib.request

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from mfcourse import exercises, live, pages, website
from mfcourse.cli import main
from tests.test_project import ORDER

PAGES = sorted((website.BOOK / "api").glob("*.md"))


def test_the_reference_describes_every_module_once():
    described = [
        line.split("mfcourse.")[1]
        for page in PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(".. automodule::")
    ]
    checks = {f"exercises.{module.name}" for module in pkgutil.iter_modules(exercises.__path__)}
    assert sorted(described) == sorted({*ORDER, *checks})


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
    tree = publish_doctree("\n".join(website.as_rst(text.split("\n"))), settings_overrides={"report_level": 5})
    assert not list(tree.findall(nodes.system_message))
    assert tree.astext().split() == text.replace("`", "").split()


def test_indented_formulas_of_docstrings_are_verbatim_and_names_are_code():
    tree = publish_doctree("\n".join(website.as_rst(["Of `w`:", "", "    a_i = |w_i|", "    b"])))
    assert next(tree.findall(nodes.literal_block)).astext() == "a_i = |w_i|\nb"
    assert next(tree.findall(nodes.literal)).astext() == "w"


def test_without_a_repository_there_are_no_launch_buttons_and_with_one_each_has_its_address():
    assert website.launch_buttons("", "") == {}
    assert website.launch_buttons("", "https://hub.example.org") == {}
    options = website.launch_buttons("https://github.com/someone/mfcourse", "https://hub.example.org")
    assert options["repository_url"] == "https://github.com/someone/mfcourse"
    assert options["launch_buttons"]["jupyterhub_url"] == "https://hub.example.org"
    assert options["launch_buttons"]["colab_url"]
    assert "colab_url" not in website.launch_buttons("https://gitlab.com/someone/mfcourse", "")["launch_buttons"]
    sloppy = website.launch_buttons("https://github.com/someone/mfcourse.git/", "https://hub.example.org")
    assert sloppy == options
    for address in ("git@github.com:someone/mfcourse", "https://codeberg.org/someone/mfcourse"):
        with pytest.raises(ValueError, match="REPOSITORY must be an address on https"):
            website.launch_buttons(address, "")
    with pytest.raises(ValueError, match="JUPYTERHUB must be an address that begins with https://"):
        website.launch_buttons("https://github.com/someone/mfcourse", "hub")


def test_two_lines_of_the_settings_put_launch_links_on_chapters(tmp_path):
    settings = (website.BOOK / "conf.py").read_text(encoding="utf-8")
    for name, given in (("REPOSITORY", "https://github.com/someone/course"), ("JUPYTERHUB", "https://hub.example.org")):
        assert f'{name} = ""' in settings
        settings = settings.replace(f'{name} = ""', f'{name} = "{given}"')
    book = tmp_path / "book"
    shutil.copytree(website.BOOK, book, ignore=shutil.ignore_patterns("*.md", "*.png"))
    (book / "conf.py").write_text(settings, encoding="utf-8")
    (book / "index.md").write_text("# One chapter", encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    shutil.copy(website.ROOT / "notebooks" / "01_measures.ipynb", tmp_path / "notebooks")
    subprocess.run([sys.executable, "-m", "sphinx", "-Q", "-c", book, tmp_path, tmp_path / "out"], check=True)
    text = (tmp_path / "out" / "notebooks" / "01_measures.html").read_text(encoding="utf-8")
    for link in (
        "https://mybinder.org/v2/gh/someone/course/main?urlpath=lab/tree/notebooks/01_measures.ipynb",
        "https://colab.research.google.com/github/someone/course/blob/main/notebooks/01_measures.ipynb",
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A//github.com/someone/course",
    ):
        assert link in text


@pytest.fixture
def tiny_book(tmp_path, monkeypatch):
    """A book of one page that is quickly built, in place of ours; returns the page."""
    book = tmp_path / "book"
    book.mkdir()
    (book / "conf.py").write_text("extensions = ['myst_parser']", encoding="utf-8")
    (book / "index.md").write_text("# One page", encoding="utf-8")
    monkeypatch.setattr(website, "BOOK", book)
    monkeypatch.setattr(website, "ROOT", book)
    return book / "index.md"


def test_a_site_is_replaced_as_a_whole(capsys, tmp_path, tiny_book):
    out = tmp_path / "a site"
    assert main(["site", "build", "--out", str(out)]) == 0
    tiny_book.write_text("# Another page", encoding="utf-8")
    assert main(["site", "build", "--out", str(out)]) == 0
    assert "Another page" in (out / "index.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a site", "book"]


@pytest.mark.parametrize("site", [True, False])
def test_build_does_not_touch_a_folder_that_holds_other_files(capsys, tmp_path, tiny_book, site):
    out = tmp_path / "out"
    if site:
        assert main(["site", "build", "--out", str(out)]) == 0
    out.mkdir(exist_ok=True)
    (out / "thesis.tex").write_text("years of work", encoding="utf-8")
    before = sorted(out.iterdir())
    assert main(["site", "build", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "--out must be a new folder or a site to be replaced" in error
    assert "thesis.tex" in error
    assert error.count("\n") == 1
    assert sorted(out.iterdir()) == before


def test_the_folder_one_is_in_is_not_replaced(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["site", "build", "--out", "."]) == 2
    assert "but you are in" in capsys.readouterr().err


def test_a_mere_warning_fails_the_build_and_leaves_the_old_site_as_it_was(capsys, tmp_path, tiny_book):
    out = tmp_path / "site"
    assert main(["site", "build", "--out", str(out)]) == 0
    tiny_book.write_text("# One page\n\n[](nowhere.md)", encoding="utf-8")
    assert main(["site", "build", "--out", str(out)]) != 0
    assert "the site was not built" in capsys.readouterr().err
    assert "nowhere" not in (out / "index.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book", "site"]


def test_an_installation_without_the_book_says_so(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(website, "BOOK", tmp_path / "nowhere")
    assert main(["site", "build", "--out", str(tmp_path / "site")]) == 2
    assert "the site is built in a clone" in capsys.readouterr().err


def test_a_missing_extra_comes_with_the_command_that_mends_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["site", "build", "--out", str(tmp_path / "site")]) == 2
    error = capsys.readouterr().err
    assert '-m pip install -e ".[book]"' in error
    assert error.count("\n") == 1


def test_modules_are_served_as_javascript_whatever_the_machine_knows_and_never_from_a_cache(serve, monkeypatch):
    monkeypatch.setattr(mimetypes, "guess_type", lambda *path, **options: ("text/plain", None))
    with urllib.request.urlopen(f"{serve(live.FOLDER)}/stage.js") as answer:
        assert answer.headers["content-type"] == "text/javascript"
        assert answer.headers["cache-control"] == "no-cache"


def test_a_port_that_is_taken_is_one_line(capsys, tmp_path):
    (tmp_path / ".buildinfo").touch()
    with website.serve(tmp_path, 0) as server:
        assert main(["site", "serve", "--out", str(tmp_path), "--port", str(server.server_port)]) == 2
    assert capsys.readouterr().err.startswith("mfcourse: --port must be a free port, but")


def test_serve_builds_what_is_missing_and_says_where_to_read_until_ctrl_c(capsys, tmp_path, tiny_book, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("http.server.ThreadingHTTPServer.serve_forever", interrupted)
    out = tmp_path / "site"
    for built in (True, False):
        assert main(["site", "serve", "--out", str(out), "--port", "0"]) == 0
        printed = capsys.readouterr().out
        assert ("The site:" in printed) == built
        assert "Read it at http://127.0.0.1:" in printed
    assert (out / "index.html").exists()


def test_a_notebook_that_a_reader_has_left_beside_the_chapters_is_no_page():
    found = {f"notebooks/{path.name}" for path in (website.ROOT / "notebooks").glob("[01]*.ipynb")}
    assert {name for name in website.sources() if name.endswith(".ipynb")} == found
    assert all((website.ROOT / name).exists() for name in website.sources())


def test_a_module_of_a_demo_is_one_text_without_imports_from_files():
    for name in live.NAMES:
        text = live.module(f"{name}.js")
        assert 'from "./' not in text
        assert "export default" in text


def test_a_demo_in_a_notebook_has_its_data_and_stands_for_itself_where_no_kernel_runs():
    demo = live.spikes()
    assert demo.data == live.instances("spikes")
    shown, _ = demo._repr_mimebundle_()
    assert shown["text/plain"] == "live.spikes()"
    assert '<div class="mf-live" data-demo="spikes">' in shown["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in shown
    with pytest.raises(ValueError, match="name must be"):
        live.Demo("nothing")


def test_all_instances_can_be_written_as_json():
    for name in live.NAMES:
        assert json.loads(json.dumps(live.instances(name), allow_nan=False)) == live.instances(name)


def paragraph(bold, rest):
    return nodes.paragraph("", "", nodes.strong("", bold), nodes.Text(rest))


def test_a_solution_folds_with_its_code():
    code = nodes.container("", classes=["cell", "tag_hide-cell"], hide_mode="all")
    section = nodes.section("", nodes.paragraph("", "So."), nodes.paragraph("", "More."), code, nodes.title())
    pages.fold(section[0], "Solution 3.1")
    folded, after = section.children
    assert (folded["title"], folded.astext().split()) == ("Solution 3.1", ["So.", "More."])
    assert folded[-1] is code
    assert code["hide_mode"] is None
    assert isinstance(after, nodes.title)
    with pytest.raises(ValueError, match=r"Solution 3.2 must be followed by code"):
        pages.fold(nodes.section("", nodes.paragraph())[0], "Solution 3.2")


def test_a_statement_is_framed_with_the_list_that_ends_it():
    first = paragraph("Assumptions 3.4.", " One of these:")
    section = nodes.section("", first, nodes.bullet_list(), nodes.paragraph("", "A circle has no edge."))
    pages.frame(first)
    assert section[0]["classes"] == ["statement"]
    assert [type(child) for child in section[0]] == [nodes.paragraph, nodes.bullet_list]
    assert section[1].astext() == "A circle has no edge."


@pytest.mark.parametrize(
    ("text", "target"), [("Thm 3.3.", "thm-3-3"), ("Prop. C.1", "prop-c-1"), ("Assumptions 3.4.", "assumptions-3-4")]
)
def test_labels_in_bold_lead_to_the_statements(text, target):
    bold = nodes.strong("", text)
    pages.link(bold, pages.LABEL.match(text), "notebooks/x")
    assert bold.astext() == text
    assert bold[0]["reftarget"] == target
    assert not pages.LABEL.match("Theorem")
