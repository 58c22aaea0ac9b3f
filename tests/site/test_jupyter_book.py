"""Jupyter Book 2 reads the pages that Sphinx reads, without a complaint."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from mfcourse.site.build import ROOT

PROGRAM = shutil.which("jupyter-book", path=Path(sys.executable).parent)


def test_jupyter_book_2_builds_the_same_pages_without_a_warning(tmp_path, demand):
    demand(PROGRAM, "Jupyter Book 2")
    for folder in ("book", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    settings = yaml.safe_load((tmp_path / "book" / "myst.yml").read_text(encoding="utf-8"))
    settings["site"]["template"] = str(Path(__file__).parent / "stub_theme")
    (tmp_path / "book" / "myst.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [PROGRAM, "build", "--html", "--ci", "--strict"]
    done = subprocess.run(
        command, cwd=tmp_path / "book", capture_output=True, encoding="utf-8", timeout=100, check=False
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert "⚠" not in log, log
    assert "⛔" not in log, log
    pages = [page for part in settings["project"]["toc"] for page in part.get("children", [part])]
    assert int(re.search(r"Built (\d+) pages", log)[1]) == len(pages)
