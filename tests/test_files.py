"""Files are whole or absent; folders exist and can be written to."""

import errno
import os
import re
import tempfile

import pytest

from mfcourse.files import writable_folder, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(file):
    file.write(b"half of")
    raise KeyboardInterrupt


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("as_type", [str, lambda path: path], ids=["str", "Path"])
def test_a_file_holds_what_was_written(tmp_path, old, as_type):
    path = tmp_path / "run.npz"
    if old:
        path.write_bytes(old)
    write_whole(as_type(path), lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["run.npz"]


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(b"old")
    seen = []

    def write(file):
        file.write(b"new")
        file.flush()
        seen.append(path.read_bytes())

    write_whole(path, write)
    assert seen == [b"old"]


@pytest.mark.parametrize("old", [None, b"old"])
def test_an_interrupted_write_leaves_no_trace(tmp_path, old):
    path = tmp_path / "run.npz"
    if old:
        path.write_bytes(old)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, write_half)
    assert names(tmp_path) == (["run.npz"] if old else [])
    assert not old or path.read_bytes() == old


def test_a_file_cannot_take_the_place_of_a_folder(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", lambda file: file.write(b"new"))
    assert names(tmp_path) == ["taken"]


def test_a_file_needs_its_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "run.npz", lambda file: file.write(b"new"))
    assert names(tmp_path) == []


def test_a_file_is_as_readable_as_any_other(tmp_path):
    write_whole(tmp_path / "whole", lambda file: file.write(b"new"))
    (tmp_path / "other").write_bytes(b"new")
    modes = [(tmp_path / name).stat().st_mode for name in ("whole", "other")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("made", [True, False])
def test_a_writable_folder_exists_and_is_left_empty(tmp_path, made):
    folder = tmp_path / "a" / "b"
    if made:
        folder.mkdir(parents=True)
    assert writable_folder("out", str(folder)) == folder
    assert folder.is_dir()
    assert names(folder) == []


@pytest.mark.parametrize("below", ["", "deep", "deep/deeper"])
def test_a_folder_cannot_be_a_file_or_below_one(tmp_path, below):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^out must be a folder that can be written to, but .*file"):
        writable_folder("out", tmp_path / "file" / below)


def test_a_folder_that_refuses_files_is_named(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(ValueError, match=rf"^out must be .*{re.escape(str(tmp_path))}: Permission denied$"):
        writable_folder("out", tmp_path)
