"""The reader's copy of the notebooks: complete, without results, and never overwritten."""

import json

import pytest

from mfcourse import files
from mfcourse.commands import lab


def test_all_notebooks_are_copied_and_differ_by_their_results_alone(tmp_path):
    copied, kept = lab.copy_notebooks(tmp_path / "course")
    originals = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in _notebooks()}
    assert copied == sorted(originals)
    assert kept == []
    copies = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "course").iterdir()}
    code = [c for notebook in copies.values() for c in notebook["cells"] if c["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    for notebook in (*originals.values(), *copies.values()):
        for cell in notebook["cells"]:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
    assert copies == originals


def test_a_copy_is_written_as_the_tools_write_notebooks():
    """A notebook without outputs is copied to the letter, so nothing but results can differ."""
    text = _notebooks()[0].read_text(encoding="utf-8")
    bare = lab.without_outputs(text)
    assert lab.without_outputs(bare) == bare
    kept = [line for line in bare.splitlines() if line.strip() not in ('"outputs": []', '"execution_count": null,')]
    assert set(kept) <= set(text.splitlines())


def _notebooks():
    return sorted(files.notebooks_folder().glob("*.ipynb"))


def test_work_that_is_there_already_is_never_touched(tmp_path):
    mine = tmp_path / "09_sparse_spikes.ipynb"
    mine.write_text("my answers", encoding="utf-8")
    copied, kept = lab.copy_notebooks(tmp_path)
    assert mine.read_text(encoding="utf-8") == "my answers"
    assert kept == ["09_sparse_spikes.ipynb"]
    assert mine.name not in copied
    assert lab.copy_notebooks(tmp_path)[0] == []


def test_an_installed_wheel_has_its_notebooks_inside_the_package(tmp_path, monkeypatch):
    inside = tmp_path / "site-packages" / "mfcourse" / "notebooks"
    inside.mkdir(parents=True)
    (inside / "01_x.ipynb").write_text('{"cells": []}', encoding="utf-8")
    monkeypatch.setattr(files, "PACKAGE", inside.parent)
    assert files.notebooks_folder() == inside
    assert lab.copy_notebooks(tmp_path / "mine") == (["01_x.ipynb"], [])


def test_without_a_folder_a_copy_in_the_current_one_is_opened(tmp_path, monkeypatch, capsys):
    from mfcourse.commands import main

    opened = []
    monkeypatch.setattr(lab, "open_lab", lambda folder, options: opened.append(folder) or 0)
    monkeypatch.chdir(tmp_path)
    assert main(["lab"]) == 0
    assert opened == ["mfcourse-notebooks"]
    assert (tmp_path / "mfcourse-notebooks" / "09_sparse_spikes.ipynb").exists()


def test_missing_notebooks_are_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PACKAGE", tmp_path / "mfcourse")
    with pytest.raises(FileNotFoundError, match="install mfcourse again"):
        files.notebooks_folder()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="folder must be a folder that can be written to"):
        lab.copy_notebooks(tmp_path / "file" / "below")
