"""A site is built whole or not at all, and never over other files; it is served to this machine."""

import importlib.util
import mimetypes
import urllib.request

import pytest

from mfcourse.commands import main
from mfcourse.site import build, live
from mfcourse.site.serve import server


@pytest.fixture
def tiny_book(tmp_path, monkeypatch):
    """A book of one page that is quickly built, in place of ours; returns the page."""
    book = tmp_path / "book"
    book.mkdir()
    (book / "conf.py").write_text("extensions = ['myst_parser']", encoding="utf-8")
    (book / "index.md").write_text("# One page", encoding="utf-8")
    monkeypatch.setattr(build, "BOOK", book)
    monkeypatch.setattr(build, "ROOT", book)
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
    monkeypatch.setattr(build, "BOOK", tmp_path / "nowhere")
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
    with server(tmp_path, 0) as running:
        assert main(["site", "serve", "--out", str(tmp_path), "--port", str(running.server_port)]) == 2
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
