"""`mfcourse labs`, for teachers: hand out labs, collect and grade them, and count the results of teams together."""

import collections
import glob
import sys
from pathlib import Path

from mfcourse.commands.reading import PROCESSES, letter, letters, place, whole_number
from mfcourse.commands.reproduce import summary

HANDED_IN = "folder or zip file: a notebook or a folder for each student; what Moodle hands out will do"
SECONDS = whole_number(1, 1_000_000, "that is more than eleven days")
ROW = "{letter:<4}{title:<32}{after:<22}{minutes:>7} {checked:>8} {read:>8}"


def add(commands):
    """What may be typed."""
    labs = commands.add_parser(
        "labs",
        help="for teachers: hand out labs, collect and grade them",
        description="Labs of two hours for a class, with checks that give points. Grading runs the code of your "
        "students on this machine, each notebook in a folder of its own and within limits of time and memory.",
        epilog="Example: mfcourse labs release handout, and later mfcourse labs grade handed-in --out grades.csv",
    )
    labs.set_defaults(extra="[labs]")
    actions = labs.add_subparsers(dest="action", metavar="ACTION", required=True)
    for add_action in (add_list, add_release, add_collect, add_grade, add_pool):
        add_action(actions)


def add_list(actions):
    """What may be typed after `labs list`."""
    parser = actions.add_parser("list", help="show which labs there are")
    parser.set_defaults(run=show)


def show(arguments):
    """Print which labs there are."""
    from mfcourse.classroom import handout

    head = ROW.format(letter="lab", title="", after="after", minutes="minutes", checked="checked", read="read")
    print("\n".join([head, *(ROW.format(**lab._asdict()) for lab in handout.labs().values())]))
    return 0


def add_release(actions):
    """What may be typed after `labs release`."""
    parser = actions.add_parser(
        "release",
        help="write the notebooks that students get",
        description="Write the notebooks that students get, without solutions and hidden tests. Files that are there "
        "already are kept as they are.",
    )
    parser.add_argument("out", type=place, metavar="OUT", help="folder for the notebooks")
    parser.add_argument("--lab", type=letters, metavar="LETTERS", help="A, or A,C (default: all labs)")
    parser.set_defaults(run=release)


def release(arguments):
    """Write the copies that students get."""
    from mfcourse.classroom import handout

    written, kept = handout.write_releases(arguments.out, arguments.lab)
    print(f"{arguments.out}: {', '.join(written) or 'nothing new'}")
    if kept:
        print(f"kept as they were: {', '.join(kept)}")
    return 0


def add_collect(actions):
    """What may be typed after `labs collect`."""
    parser = actions.add_parser(
        "collect",
        help="sort what was handed in into a folder for each student, without running anything",
        description="Copy the notebooks that were handed in to DIR/STUDENT/. Files that are there are kept.",
    )
    parser.add_argument("submissions", type=place, metavar="SUBMISSIONS", help=HANDED_IN)
    parser.add_argument("--out", type=place, required=True, metavar="DIR", help="folder for the notebooks")
    parser.set_defaults(run=collect)


def collect(arguments):
    """Sort what was handed in into a folder for each student."""
    from mfcourse.classroom import submissions

    _outside(arguments.submissions, arguments.out)
    written, kept, refused = submissions.collect(arguments.submissions, arguments.out)
    for submission in refused:
        print(f"{submission.student}: {submission.complaint}")
    print(f"{arguments.out}: {len(written)} notebooks copied, {len(kept)} kept as they were, {len(refused)} refused")
    return 0


def add_grade(actions):
    """What may be typed after `labs grade`."""
    parser = actions.add_parser(
        "grade",
        help="run and grade what was handed in",
        description="Grade the notebooks of a class. Writes GRADES.csv, a page with all texts that a person must read, "
        "and feedback for each student. This runs your students' code: read in the guide what that means.",
    )
    parser.add_argument("submissions", type=place, metavar="SUBMISSIONS", help=HANDED_IN)
    parser.add_argument(
        "--out", type=place, required=True, metavar="GRADES.csv", help="the table; a file that does not exist yet"
    )
    parser.add_argument(
        "--lab", type=letter, metavar="LETTER", help="the lab (default: where most notebooks come from)"
    )
    parser.add_argument("--jobs", type=PROCESSES, metavar="N", help="notebooks at a time (default: one for each core)")
    parser.add_argument("--cell-seconds", type=SECONDS, default=60, metavar="S", help="for a cell (default 60)")
    parser.add_argument("--seconds", type=SECONDS, default=600, metavar="S", help="for a whole notebook (default 600)")
    parser.add_argument(
        "--memory", type=whole_number(1), default=2, metavar="GB", help="gigabytes for a notebook (default 2)"
    )
    parser.set_defaults(run=grade)


def grade(arguments):
    """Grade a class; write the table, the page of texts and the feedback, and print a line for each student."""
    from mfcourse.classroom import gradebook, grades
    from mfcourse.classroom.sandbox import Limits

    _outside(arguments.submissions, arguments.out)
    gradebook.places(arguments.out)  # nothing is graded in vain
    limits = Limits(arguments.cell_seconds, arguments.seconds, arguments.memory * 10**9)
    lab, graded = grades.grade(arguments.submissions, arguments.lab, limits, arguments.jobs, progress=True)
    table, page, folder = gradebook.write(arguments.out, lab, graded)
    for grade in graded:
        print("; ".join([f"{grade.student}: {gradebook.summary(lab, grade)}", *grade.remarks]))
    print(f"The table: {table}; texts to read: {page}; feedback for each student: {folder}")
    return 0


def add_pool(actions):
    """What may be typed after `labs pool`."""
    parser = actions.add_parser(
        "pool",
        help="merge the results of the teams of lab B",
        description="Merge the files that the teams of lab B wrote. A file that is malformed, or repeats what another "
        "team has handed in, is named and left out.",
    )
    parser.add_argument(
        "results", type=place, nargs="+", metavar="RESULTS", help="the teams' files, or a folder with team-*.json"
    )
    parser.add_argument(
        "--out", type=place, default="pooled.json", metavar="FILE", help="for the class (default pooled.json)"
    )
    parser.set_defaults(run=pool)


def pool(arguments):
    """Merge the results of the teams of lab B; files that cannot be used are named, the others count."""
    from mfcourse.classroom import pooling
    from mfcourse.files import writable_file

    writable_file("--out", arguments.out)
    patterns = [f"{name}/team-*.json" if Path(name).is_dir() else name for name in arguments.results]
    files = [file for name in patterns for file in sorted(glob.glob(name)) or [name]]  # Windows leaves *.json to us
    pooled, rejected = pooling.pool(files)
    for line in rejected:
        print(f"rejected: {line}", file=sys.stderr)
    if not pooled["runs"]:
        raise ValueError("there is nothing to pool: every file was rejected")
    pooling.write_pooled(arguments.out, pooled)
    print(summary(pooled["runs"], level=1e-6))
    counts = collections.Counter(run["team"] for run in pooled["runs"])
    print(f"Runs of {', '.join(f'{team}: {number}' for team, number in counts.items())}; pooled: {arguments.out}")
    return 0


def _outside(submissions, out):
    """ValueError if results would be written among what students handed in."""
    if Path(out).resolve().is_relative_to(Path(submissions).resolve()):
        raise ValueError(f"--out must lie outside of SUBMISSIONS, but {out} is in {submissions}")
