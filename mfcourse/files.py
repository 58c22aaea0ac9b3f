"""Files that are whole or absent, and folders that can be written to."""

import os
import tempfile
import uuid
from pathlib import Path


def write_whole(path, write):
    """Call `write` on a binary file that takes the place of `path` only once it is complete."""
    temporary = Path(f"{path}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb") as file:
            write(file)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def writable_folder(name, folder):
    """`folder` as a Path, made if it is missing. Raises ValueError if it cannot be made or written to."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise ValueError(f"{name} must be a folder that can be written to, but {folder}: {error.strerror}") from None
