"""Files are whole or absent; folders exist and can be written to."""

import errno
import os
import re
import tempfile

import pytest

from mfcourse import files
from mfcourse.files import writable_file, writable_folder, write_whole


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


@pytest.mark.parametrize("below", [(), ("deep",), ("deep", "deeper")])
def test_a_folder_cannot_be_a_file_or_below_one(tmp_path, below):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^out must be a folder that can be written to, but .*file is a file$"):
        writable_folder("out", tmp_path.joinpath("file", *below))


@pytest.mark.parametrize("check", [writable_folder, writable_file])
@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_name_is_not_the_folder_one_happens_to_be_in(tmp_path, monkeypatch, check, empty):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^out must be a (file|folder) to write to, but it is empty"):
        check("out", empty)
    assert check("out", "new").name == "new"


def test_a_link_that_leads_nowhere_is_neither_a_folder_nor_a_file(link):
    dangling = link("dangling", "nowhere")
    for below in ((), ("deep", "deeper")):
        with pytest.raises(ValueError, match=r"^out must be a folder .*dangling is a link to .*nowhere, which is not"):
            writable_folder("out", dangling.joinpath(*below))
    with pytest.raises(ValueError, match=r"^out must be a file .*dangling is a link to .*nowhere, which is not there"):
        writable_file("out", dangling)
    with pytest.raises(FileNotFoundError, match="dangling"):
        write_whole(dangling, lambda file: file.write(b"new"))
    assert names(dangling.parent) == ["dangling"]


def test_a_link_to_a_file_is_followed_and_stays_a_link(link, tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    path = writable_file("out", link("alias", "real"))
    write_whole(path, lambda file: file.write(b"new"))
    assert (tmp_path / "real").read_bytes() == b"new"
    assert path.is_symlink()
    assert names(tmp_path) == ["alias", "real"]


def test_a_place_for_a_file_is_no_folder_and_in_a_folder_that_can_be_made(tmp_path):
    assert writable_file("out", tmp_path / "new" / "file.json") == tmp_path / "new" / "file.json"
    assert names(tmp_path / "new") == []
    with pytest.raises(ValueError, match=r"^out must be a file that can be written, but .*new is a folder$"):
        writable_file("out", str(tmp_path / "new"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^out must be a folder that can be written to, but .*file is a file$"):
        writable_file("out", tmp_path / "file" / "below")


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_nothing_half_written(tmp_path, old, number):
    path = tmp_path / "run.npz"
    if old:
        path.write_bytes(old)

    def write(file):
        file.write(b"half of")
        raise OSError(number, os.strerror(number))

    with pytest.raises(OSError, match=re.escape(os.strerror(number))) as raised:
        write_whole(path, write)
    assert (raised.value.errno, raised.value.filename) == (number, str(path))
    assert names(tmp_path) == (["run.npz"] if old else [])
    assert not old or path.read_bytes() == old


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_a_disk_that_is_full_only_when_the_last_bytes_come_is_named_too(tmp_path, monkeypatch):
    """What a program wrote waits in memory, and the disk may refuse it as late as when the file is closed."""
    monkeypatch.setattr(
        files, "open", lambda path, mode: os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb"), raising=False
    )
    with pytest.raises(OSError, match="No space left") as raised:
        write_whole(tmp_path / "run.npz", lambda file: file.write(b"few"))
    assert raised.value.filename == str(tmp_path / "run.npz")


def test_a_folder_that_refuses_files_is_named(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(ValueError, match=rf"^out must be .*{re.escape(str(tmp_path))}: Permission denied$"):
        writable_folder("out", tmp_path)
