"""What a class hands in: find the notebooks in a folder or a zip file, and whose they are.

Understood are a file for each student (anna.ipynb, lab_a_anna.ipynb), a folder for each (anna/lab_a.ipynb, and
anna/lab_a/lab_a.ipynb, as nbgrader has it), what Moodle hands out (Anna Berg_17_assignsubmission_file_/lab_a.ipynb),
and zip files in place of folders. Whatever a file is, it costs nobody else their points.
"""

import io
import re
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mfcourse.files import writable_folder, write_whole

LARGEST = 20 * 10**6  # bytes of a file: a larger notebook holds outputs that nobody reads
ROOM = 5 * LARGEST  # bytes for all files of a student
DEEPEST = 2  # zip files within zip files
LONGEST = 80  # characters of a name
IGNORED = re.compile(r"^(\.|__MACOSX$)")  # checkpoints, resource forks
MOODLE = re.compile(r"_assignsubmission_.*")
LAB = re.compile(r"^lab[_ -][a-z][_ -]+(?=.)|(?<=.)[_ -]+lab[_ -][a-z]$", re.IGNORECASE)
NOTHING = "handed in nothing that can be graded"


class Submission(NamedTuple):
    """A file that was handed in: by whom, its name, its bytes; if it cannot be used, the complaint says why."""

    student: str
    name: str
    content: bytes = b""
    complaint: str = ""


def find(place):
    """The submissions in the folder or zip file `place`, sorted by student; at least one for each student.

    A file that is no notebook is left out if its student handed in others. Raises ValueError if there is no such place,
    or nothing in it.
    """
    handed_in, room = {}, {}
    for submission in _all(Path(place)):
        student = submission.student
        room[student] = room.get(student, ROOM) - len(submission.content)
        if room[student] < 0:
            complaint = f"handed in more than {ROOM // 10**6} MB"
            submission = submission._replace(content=b"", complaint=complaint)
        handed_in.setdefault(student, []).append(submission)
    if not handed_in:
        raise ValueError(f"SUBMISSIONS must hold what students handed in, but there is nothing in {place}")
    return [one for student in sorted(handed_in, key=str.lower) for one in _usable(handed_in[student])]


def collect(place, folder):
    """Copy the notebooks that `find` finds to folder/STUDENT/NAME. A file that is there already is kept as it is.

    Returns (written, kept, refused): two lists of paths, and the submissions that are no notebooks.
    """
    written, kept, refused, names = [], [], [], Names()
    for submission in find(place):
        if submission.complaint:
            refused.append(submission)
            continue
        path = names.new(f"{safe(submission.student)}/{safe(submission.name)}", ".ipynb")
        target = writable_folder("--out", (Path(folder) / path).parent) / Path(path).name
        if target.exists():
            kept.append(target)
        else:
            write_whole(target, lambda file, content=submission.content: file.write(content))
            written.append(target)
    return written, kept, refused


def safe(name):
    """`name` without its kind (.ipynb), as every file system takes it."""
    name = re.sub(r"[^\w .,()+@=-]", "_", name.removesuffix(".ipynb")).strip(" .")
    return name[:LONGEST] or "_"


class Names:
    """File names that are told apart by every file system, also by those that take anna and Anna for the same."""

    def __init__(self):
        self.taken = set()

    def new(self, name, kind):
        """name.kind, or name (2).kind, ... if that is taken."""
        number, path = 1, f"{name}{kind}"
        while path.casefold() in self.taken:
            number += 1
            path = f"{name} ({number}){kind}"
        self.taken.add(path.casefold())
        return path


def _all(place):
    """Every file below the folder, or in the zip file, that somebody may have meant to hand in."""
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            parts = path.relative_to(place).parts
            if not path.is_dir():
                yield from _one(parts, lambda path=path: path.stat().st_size, path.read_bytes)
            elif len(parts) == 1 and not IGNORED.match(parts[0]):
                yield Submission(_owner(parts), parts[0], complaint=NOTHING)
    elif place.is_file() and zipfile.is_zipfile(place):
        try:
            yield from _unzipped(place, ())
        except zipfile.BadZipFile as error:
            raise ValueError(f"SUBMISSIONS must be a whole zip file, but {place} is damaged: {error}") from None
    else:
        raise ValueError(f"SUBMISSIONS must be a folder or a zip file, but {place} is neither")


def _unzipped(file, above, depth=1):
    with zipfile.ZipFile(file) as archive:
        entries = [(_inside(entry.filename), entry) for entry in archive.infolist()]
        top = {parts[0] for parts, _ in entries if parts and not IGNORED.match(parts[0])}
        below = {parts[1] for parts, _ in entries if len(parts) > 1 and parts[0] in top}
        wrapped = not above and len(top) == 1 and len(below) > 1  # a folder that was zipped as a whole
        for parts, entry in entries:
            parts = (*above, *parts[wrapped:])
            if not entry.is_dir() and parts:
                read = lambda entry=entry: archive.read(entry)  # noqa: E731
                yield from _one(parts, lambda entry=entry: entry.file_size, read, depth)
            elif len(parts) == 1 and not IGNORED.match(parts[0]):
                yield Submission(_owner(parts), parts[0], complaint=NOTHING)


def _inside(name):
    """The parts of a name in a zip file: no way up, and no root."""
    return [part for part in re.split(r"[\\/]", name) if part.strip(".")]


def _one(parts, size, read, depth=0):
    """The submissions in one file: itself, or what a zip file holds. size() and read() may fail."""
    name, student = _clean(parts[-1]), _owner(parts)
    kind = PurePosixPath(name).suffix.lower()
    if any(map(IGNORED.match, parts)):
        if not IGNORED.match(parts[0]):
            yield Submission(student, name, complaint=NOTHING)
        return
    try:
        if size() > LARGEST:
            yield Submission(student, name, complaint=f"{name} is larger than {LARGEST // 10**6} MB")
        elif kind == ".zip" and depth < DEEPEST:
            yield Submission(student, name, complaint=NOTHING)
            yield from _unzipped(io.BytesIO(read()), (*parts[:-1], name[: -len(kind)]), depth + 1)
        elif kind == ".ipynb":
            yield Submission(student, name, read())
        else:
            yield Submission(student, name, complaint=f"{name} is no notebook (.ipynb)")
    except Exception:  # locked, damaged, packed in an unknown way, or a link to nowhere
        yield Submission(student, name, complaint=f"{name} cannot be read")


def _owner(parts):
    """Whose file it is: the first folder's name, or the file's own without the name of the lab."""
    name = MOODLE.sub("", parts[0]) if len(parts) > 1 else LAB.sub("", MOODLE.sub("", PurePosixPath(parts[0]).stem))
    return _clean(name) or _clean(parts[0])


def _clean(name):
    """A name in the one spelling that all systems write it back in."""
    name = name.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(c for c in unicodedata.normalize("NFC", name) if c.isprintable()).strip()


def _usable(files):
    """What counts of a student's files: all notebooks, or else the complaint that says most."""
    notebooks = [file for file in files if not file.complaint or file.name.lower().endswith(".ipynb")]
    notebooks = [file for file in notebooks if file.complaint != NOTHING]
    return notebooks or sorted(files, key=lambda file: file.complaint == NOTHING)[:1]
