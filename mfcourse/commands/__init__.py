"""The command line: mfcourse reproduce | certify | lab | site | doctor | labs."""

import sys

from mfcourse import __version__
from mfcourse import commands as do
from mfcourse.arguments import Parser, letter, letters, place, whole_number, whole_numbers
from mfcourse.endings import Terminated, terminable

ALONE = whole_number(1, 100_000, "a particle takes 3 kilobytes, and these take some minutes")
TOGETHER = whole_numbers(1, 10_000, "networks look at all pairs of particles")
PROCESSES = whole_number(1, 256, "each is a process of its own")
SECONDS = whole_number(1, 1_000_000, "that is more than eleven days")


def build_parser():
    """The parser of all commands; its help texts are the manual."""
    parser = Parser(
        prog="mfcourse",
        description="Watch gradient descent on particles find a global minimum, and check it with a certificate.",
        epilog="Start with `mfcourse reproduce figure1`, then `mfcourse lab` for the notebooks.",
    )
    parser.add_argument("--version", action="version", version=f"mfcourse {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    reproduce = commands.add_parser(
        "reproduce",
        help="compute figures of the paper, or digits: table, picture, data",
        description="Compute a figure of the paper, or all three. Writes DIR/figureN.png and DIR/figureN.json and "
        "prints a table: excess is (J - J*) / J* against the certified optimum J* for spikes, and the relative "
        "risk for teachers; gap is what the run's own certificate guarantees. `digits` trains a network "
        "on handwritten digits beside scikit-learn's classifiers.",
        epilog="Example: mfcourse reproduce figure1 --seeds 0,1,4,5 --out figures",
    )
    reproduce.add_argument(
        "figure",
        choices=["figure1", "figure2", "figure3", "all", "digits"],
        help="figure1: sparse spikes; figure2: ReLU in the plane; figure3: excess against the number of particles",
    )
    reproduce.add_argument(
        "--seeds", type=whole_numbers(0), help="instances: 7, 0-4 or 0,1,4,5 (default 0-4, all: 0-9)"
    )
    reproduce.add_argument("--m", type=TOGETHER, help="numbers of particles, in place of the figure's own")
    reproduce.add_argument("--jobs", type=PROCESSES, help="processes (default 1); results do not depend on it")
    reproduce.add_argument(
        "--out", type=place, default="figures", metavar="DIR", help="folder for the results (default figures)"
    )
    reproduce.add_argument("--quick", action="store_true", help="few instances and numbers of particles, same steps")
    reproduce.set_defaults(run=do.reproduce)

    certify = commands.add_parser(
        "certify",
        help="run one flow and print whether it is optimal, with proof",
        description="Run the particle flow on one instance of sparse spikes and certify the measure it ends at.",
        epilog="Example: mfcourse certify --seed 0 --m 6, then the same with --m 10",
    )
    certify.add_argument("--seed", type=whole_number(0), default=0, help="which instance (default 0)")
    certify.add_argument("--m", type=ALONE, default=100, help="number of particles (default 100)")
    certify.set_defaults(run=do.certify)

    lab = commands.add_parser(
        "lab",
        help="open the notebooks in JupyterLab",
        description="Open the notebooks in JupyterLab. With FOLDER they are copied there first; files that are there "
        "already are kept as they are, so your work is safe. Without FOLDER a clone opens its own notebooks, an "
        "installed mfcourse copies them to ./mfcourse-notebooks. Options after -- go to JupyterLab.",
        epilog="Example: mfcourse lab my-notebooks -- --no-browser",
    )
    lab.add_argument("folder", type=place, nargs="?", metavar="FOLDER", help="your folder for the notebooks")
    lab.set_defaults(run=do.lab)

    site = commands.add_parser(
        "site",
        help="build the website of the course, or read it in a browser",
        description="build: make the website from the notebooks and book/, in a clone with the extra book. "
        "serve: show it in a browser, where the live demos run; builds it first if it is missing.",
        epilog="Example: mfcourse site serve",
    )
    site.add_argument("action", choices=["build", "serve"], help="what to do")
    site.add_argument(
        "--out", type=place, default="build/site", metavar="DIR", help="folder of the site (default build/site)"
    )
    port = whole_number(0, 65535, "there are no more ports")
    site.add_argument("--port", type=port, default=8000, help="for serve (default 8000; 0: any free one)")
    site.set_defaults(run=do.site, extra="[book]")

    add_labs(commands)

    doctor = commands.add_parser("doctor", help="show what is installed, and the command that adds what is missing")
    doctor.set_defaults(run=do.doctor)
    return parser


def add_labs(commands):
    """The parser of the commands for teachers."""
    labs = commands.add_parser(
        "labs",
        help="for teachers: hand out labs, collect and grade them",
        description="Labs of two hours for a class, with checks that give points. Grading runs the code of your "
        "students on this machine, each notebook in a folder of its own and within limits of time and memory.",
        epilog="Example: mfcourse labs release handout, and later mfcourse labs grade handed-in --out grades.csv",
    )
    labs.set_defaults(extra="[labs]")
    actions = labs.add_subparsers(dest="action", metavar="ACTION", required=True)

    listed = actions.add_parser("list", help="show which labs there are")
    listed.set_defaults(run=do.labs_list)

    release = actions.add_parser(
        "release",
        help="write the notebooks that students get",
        description="Write the notebooks that students get, without solutions and hidden tests. Files that are there "
        "already are kept as they are.",
    )
    release.add_argument("out", type=place, metavar="OUT", help="folder for the notebooks")
    release.add_argument("--lab", type=letters, metavar="LETTERS", help="A, or A,C (default: all labs)")
    release.set_defaults(run=do.labs_release)

    handed_in = "folder or zip file: a notebook or a folder for each student; what Moodle hands out will do"
    collect = actions.add_parser(
        "collect",
        help="sort what was handed in into a folder for each student, without running anything",
        description="Copy the notebooks that were handed in to DIR/STUDENT/. Files that are there are kept.",
    )
    collect.add_argument("submissions", type=place, metavar="SUBMISSIONS", help=handed_in)
    collect.add_argument("--out", type=place, required=True, metavar="DIR", help="folder for the notebooks")
    collect.set_defaults(run=do.labs_collect)

    grade = actions.add_parser(
        "grade",
        help="run and grade what was handed in",
        description="Grade the notebooks of a class. Writes GRADES.csv, a page with all texts that a person must read, "
        "and feedback for each student. This runs your students' code: read in the guide what that means.",
    )
    grade.add_argument("submissions", type=place, metavar="SUBMISSIONS", help=handed_in)
    grade.add_argument(
        "--out", type=place, required=True, metavar="GRADES.csv", help="the table; a file that does not exist yet"
    )
    grade.add_argument("--lab", type=letter, metavar="LETTER", help="the lab (default: where most notebooks come from)")
    grade.add_argument("--jobs", type=PROCESSES, metavar="N", help="notebooks at a time (default: one for each core)")
    grade.add_argument("--cell-seconds", type=SECONDS, default=60, metavar="S", help="for a cell (default 60)")
    grade.add_argument("--seconds", type=SECONDS, default=600, metavar="S", help="for a whole notebook (default 600)")
    grade.add_argument(
        "--memory", type=whole_number(1), default=2, metavar="GB", help="gigabytes for a notebook (default 2)"
    )
    grade.set_defaults(run=do.labs_grade)

    pool = actions.add_parser(
        "pool",
        help="merge the results of the teams of lab B",
        description="Merge the files that the teams of lab B wrote. A file that is malformed, or repeats what another "
        "team has handed in, is named and left out.",
    )
    pool.add_argument(
        "results", type=place, nargs="+", metavar="RESULTS", help="the teams' files, or a folder with team-*.json"
    )
    pool.add_argument(
        "--out", type=place, default="pooled.json", metavar="FILE", help="for the class (default pooled.json)"
    )
    pool.set_defaults(run=do.labs_pool)


def main(argv=None):
    """Run the command line; returns the exit code.

    0 if all went well, 2 for bad input (one line says which), 130 for Ctrl-C and 143 for SIGTERM, as shells have it.
    """
    sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    argv = list(sys.argv[1:] if argv is None else argv)
    options = argv[argv.index("--") + 1 :] if "--" in argv else []
    parser = build_parser()
    arguments = parser.parse_args(argv[: argv.index("--")] if "--" in argv else argv)
    if arguments.command is None:
        parser.error("a command is needed: reproduce, certify, lab, site, labs or doctor")
    arguments.options = options
    if options and arguments.command != "lab":
        parser.error(f"only lab takes options after --, not {arguments.command}")
    try:
        with terminable():
            return arguments.run(arguments)
    except KeyboardInterrupt as ending:
        word, code = ("terminated", 143) if isinstance(ending, Terminated) else ("interrupted", 130)
        print("; ".join([f"mfcourse: {word}", *map(str, ending.args)]), file=sys.stderr)
        return code
    except ImportError as error:
        wanted = "." if "extra" not in arguments else f'".{arguments.extra}"'
        print(
            f"mfcourse: {error}; `{sys.executable} -m pip install -e {wanted}` in the clone mends it", file=sys.stderr
        )
        return 2
    except MemoryError:
        print("mfcourse: this needs more memory than there is; ask for fewer particles", file=sys.stderr)
        return 2
    except OSError as error:
        words = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        print(f"mfcourse: {' '.join(words.split())}", file=sys.stderr)
        return 2
    except (ValueError, ArithmeticError, RuntimeError) as error:
        print(f"mfcourse: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
