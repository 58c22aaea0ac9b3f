"""Files that are whole or absent, folders that can be written to, and where the notebooks are."""

import os
import tempfile
import uuid
from pathlib import Path

PACKAGE = Path(__file__).parent


def write_whole(path, write):
    """Call `write` on a binary file that takes the place of `path` only once it is complete.

    Raises OSError that names `path` if it cannot be written, as on a full disk, or is a folder or a link to nowhere;
    then nothing new is left behind. A link to a file is followed.
    """
    temporary = None
    try:
        target = os.path.realpath(path, strict=True) if os.path.islink(path) else path
        temporary = Path(f"{target}.{uuid.uuid4().hex}.part")
        with open(temporary, "xb") as file:
            write(file)
        os.replace(temporary, target)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def writable_file(name, path):
    """`path` as a Path where a file can be written. Raises ValueError if it is a folder, or leads nowhere."""
    path = _named(name, path, "a file")
    if path.is_dir():
        raise ValueError(f"{name} must be a file that can be written, but {path} is a folder")
    if _leads_nowhere(path):
        raise ValueError(
            f"{name} must be a file that can be written, but {path} is a link to {os.readlink(path)}, "
            "which is not there"
        )
    writable_folder(name, path.parent)
    return path


def writable_folder(name, folder):
    """`folder` as a Path, made if it is missing. Raises ValueError if it cannot be made or written to."""
    folder = _named(name, folder, "a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        why = f"{folder}: {error.strerror}"
        for place in (folder, *folder.parents):
            if _leads_nowhere(place):
                why = f"{place} is a link to {os.readlink(place)}, which is not there"
            elif os.path.isfile(place):
                why = f"{place} is a file"
        raise ValueError(f"{name} must be a folder that can be written to, but {why}") from None


def notebooks_folder():
    """The folder of notebooks: beside the package in a clone, inside it in an installed wheel."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if folder.is_dir() and any(folder.glob("*.ipynb")):
            return folder
    raise FileNotFoundError("the notebooks are missing from this installation; install mfcourse again")


def _leads_nowhere(path):
    return os.path.islink(path) and not os.path.exists(path)


def _named(name, path, kind):
    """`path` as a Path; ValueError if it is empty, which would stand for the folder one happens to be in."""
    if not os.fspath(path).strip():
        raise ValueError(f"{name} must be {kind} to write to, but it is empty; a dot is the folder you are in")
    return Path(path)
