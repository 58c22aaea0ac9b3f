"""What a class hands in: find the notebooks in a folder or a zip file, and whose they are.

Understood are a file for each student (anna.ipynb, lab_a_anna.ipynb), a folder for each (anna/lab_a.ipynb, and
anna/lab_a/lab_a.ipynb, as nbgrader has it), what Moodle hands out (Anna Berg_17_assignsubmission_file_/lab_a.ipynb),
and zip files in place of folders.
"""

import io
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mfcourse.files import writable_folder, write_whole

LARGEST = 20 * 10**6  # bytes of a file: a larger notebook holds outputs that nobody reads
IGNORED = re.compile(r"^(\.|__MACOSX$)")  # checkpoints, resource forks
MOODLE = re.compile(r"_assignsubmission_.*")
LAB = re.compile(r"^lab[_ -]?[a-z][_ -]+|[_ -]+lab[_ -]?[a-z]$", re.IGNORECASE)


class Submission(NamedTuple):
    """A file that was handed in: by whom, its name, its bytes; if it cannot be used, the complaint says why."""

    student: str
    name: str
    content: bytes = b""
    complaint: str = ""


def find(place):
    """All submissions in the folder or zip file `place`, sorted by student; at least one for each student.

    Raises ValueError if there is no such place, or nothing in it.
    """
    handed_in = {}
    for submission in _all(Path(place)):
        handed_in.setdefault(submission.student, []).append(submission)
    if not handed_in:
        raise ValueError(f"SUBMISSIONS must hold what students handed in, but there is nothing in {place}")
    return [one for student in sorted(handed_in, key=str.lower) for one in _usable(handed_in[student])]


def collect(place, folder):
    """Copy the notebooks that `find` finds to folder/STUDENT/NAME. A file that is there already is kept as it is.

    Returns (written, kept, refused): two lists of paths, and the submissions that are no notebooks.
    """
    written, kept, refused = [], [], []
    for submission in find(place):
        if submission.complaint:
            refused.append(submission)
            continue
        target = writable_folder("--out", Path(folder) / safe(submission.student)) / safe(submission.name)
        if target.exists():
            kept.append(target)
        else:
            write_whole(target, lambda file, content=submission.content: file.write(content))
            written.append(target)
    return written, kept, refused


def safe(name):
    """`name` as every file system takes it."""
    return re.sub(r"[^\w .,()+@=-]", "_", name).strip(" .") or "_"


def _all(place):
    """Every file below the folder, or in the zip file, that somebody may have meant to hand in."""
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            parts = path.relative_to(place).parts
            if path.is_file():
                yield from _one(parts, path.stat().st_size, path.read_bytes)
            elif path.is_dir() and len(parts) == 1 and not any(path.iterdir()):
                yield Submission(_owner(parts), parts[0], complaint="the folder is empty")
    elif place.is_file() and zipfile.is_zipfile(place):
        yield from _unzipped(place, ())
    else:
        raise ValueError(f"SUBMISSIONS must be a folder or a zip file, but {place} is neither")


def _unzipped(file, above):
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            parts = [part for part in re.split(r"[\\/]", entry.filename) if part.strip(".")]  # no way up, and no root
            if not entry.is_dir():
                yield from _one((*above, *parts), entry.file_size, lambda entry=entry: archive.read(entry))


def _one(parts, size, read):
    """The submissions in one file: itself, or what a zip file holds."""
    if any(map(IGNORED.match, parts)):
        return
    stem, _, kind = parts[-1].rpartition(".")
    if size > LARGEST:
        yield Submission(_owner(parts), parts[-1], complaint=f"{parts[-1]} is larger than {LARGEST // 10**6} MB")
    elif kind.lower() == "zip":
        try:
            yield from _unzipped(io.BytesIO(read()), (*parts[:-1], stem))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, locked, or packed in an unknown way
            yield Submission(_owner(parts), parts[-1], complaint=f"{parts[-1]} cannot be unpacked")
    elif kind.lower() == "ipynb":
        yield Submission(_owner(parts), parts[-1], read())
    else:
        yield Submission(_owner(parts), parts[-1], complaint=f"{parts[-1]} is no notebook (.ipynb)")


def _owner(parts):
    """Whose file it is: the first folder's name, or the file's own without the name of the lab."""
    if len(parts) > 1:
        return MOODLE.sub("", parts[0])
    return LAB.sub("", MOODLE.sub("", PurePosixPath(parts[0]).stem))


def _usable(files):
    """What counts of a student's files: the notebooks, or the first complaint if there are none."""
    return [file for file in files if not file.complaint] or files[:1]
