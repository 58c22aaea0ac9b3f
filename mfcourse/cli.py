"""The command line: mfcourse reproduce | certify | lab | doctor. Only this module talks."""

import argparse
import json
import sys

from mfcourse import __version__

TABLE = (
    "{seed:>4} {m:>5} {steps:>6} {objective:>12.8f} {optimum:>12.8f} {excess:>9.1e} {gap:>9.1e} {seconds:>7.2f}  {word}"
)
MOST = 10_000  # numbers in a range
INTERRUPTED = 130  # the exit code of a command ended by Ctrl-C


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        """Print the message as one line and exit with code 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; `{self.prog} --help` shows what is possible\n")


def whole_number(least):
    """A reader of one whole number >= least."""

    def read(text):
        if not (text.isdecimal() and len(text) <= 9 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r:.40} must be a whole number >= {least}, of 9 digits at most")
        return int(text)

    return read


def whole_numbers(least):
    """A reader of lists of whole numbers >= least: 7, 0-4 or 0,1,4,5, repetitions dropped."""
    one = whole_number(least)

    def read(text):
        numbers = []
        for part in text.split(","):
            first, dash, last = part.partition("-")
            start, end = one(first), one(last if dash else first)
            if not start <= end < start + MOST:
                raise argparse.ArgumentTypeError(f"{part!r} must go upwards, and hold at most {MOST} numbers")
            numbers += range(start, end + 1)
        return list(dict.fromkeys(numbers))

    return read


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
        help="compute a figure of the paper: table, picture, data",
        description="Compute a figure of the paper. Writes DIR/figure1.png and DIR/figure1.json and prints a table: "
        "excess is (J - J*) / J* against the certified optimum J*, gap is what the run's own certificate guarantees.",
        epilog="Example: mfcourse reproduce figure1 --seeds 0,1,4,5 --out figures",
    )
    reproduce.add_argument(
        "figure", choices=["figure1"], help="figure1: sparse spikes with m = 6, 10 and 100 particles"
    )
    reproduce.add_argument("--seeds", type=whole_numbers(0), help="instances: 7, 0-4 or 0,1,4,5 (default 0-4)")
    reproduce.add_argument("--m", type=whole_numbers(1), help="numbers of particles (default 6,10,100)")
    reproduce.add_argument("--jobs", type=whole_number(1), default=1, help="processes; results do not depend on it")
    reproduce.add_argument("--out", default="figures", metavar="DIR", help="folder for the results (default figures)")
    reproduce.add_argument("--quick", action="store_true", help="seeds 0 and 1, m = 6 and 100, unless given")
    reproduce.set_defaults(run=run_reproduce)

    certify = commands.add_parser(
        "certify",
        help="run one flow and print whether it is optimal, with proof",
        description="Run the particle flow on one instance of sparse spikes and certify the measure it ends at.",
        epilog="Example: mfcourse certify --seed 0 --m 6, then the same with --m 10",
    )
    certify.add_argument("--seed", type=whole_number(0), default=0, help="which instance (default 0)")
    certify.add_argument("--m", type=whole_number(1), default=100, help="number of particles (default 100)")
    certify.set_defaults(run=run_certify)

    lab = commands.add_parser(
        "lab",
        help="open the notebooks in JupyterLab",
        description="Open the notebooks in JupyterLab. With FOLDER they are copied there first; files that are there "
        "already are kept as they are, so your work is safe. Without FOLDER a clone opens its own notebooks, an "
        "installed mfcourse copies them to ./mfcourse-notebooks. Options after -- go to JupyterLab.",
        epilog="Example: mfcourse lab my-notebooks -- --no-browser",
    )
    lab.add_argument("folder", nargs="?", metavar="FOLDER", help="your folder for the notebooks")
    lab.set_defaults(run=run_lab)

    doctor = commands.add_parser("doctor", help="show what is installed, and the command that adds what is missing")
    doctor.set_defaults(run=run_doctor)
    return parser


def run_reproduce(arguments):
    """Compute Figure 1; write the picture and the numbers, and print the table."""
    from mfcourse import experiments, problems
    from mfcourse.files import writable_folder, write_whole

    seeds = arguments.seeds or ((0, 1) if arguments.quick else experiments.SEEDS)
    sizes = arguments.m or ((6, 100) if arguments.quick else experiments.SIZES)
    out = writable_folder("--out", arguments.out)
    unfinished = out / "figure1.unfinished"
    try:
        records, runs = experiments.figure1(seeds, sizes, arguments.jobs, unfinished, progress=True)
    except KeyboardInterrupt:
        kept = f"; finished runs are kept in {unfinished}, the same command goes on from there"
        print(f"mfcourse: interrupted{kept if unfinished.exists() else ''}", file=sys.stderr)
        return INTERRUPTED
    figure = draw_figure1(problems.spikes(seeds[0]), {m: runs[seeds[0], m] for m in sizes})
    write_whole(out / "figure1.png", lambda file: figure.savefig(file, format="png"))
    text = json.dumps({"figure": "figure1", "runs": records}, indent=1, allow_nan=False)
    write_whole(out / "figure1.json", lambda file: file.write(text.encode()))
    for seed, m in runs:
        (unfinished / experiments.RUN_FILE.format(seed, m)).unlink(missing_ok=True)
    if not any(unfinished.iterdir()):
        unfinished.rmdir()
    print_table(records)
    print(f"The picture shows seed {seeds[0]}: {out / 'figure1.png'}; the numbers: {out / 'figure1.json'}")
    return 0


def draw_figure1(problem, runs):
    """The figure of {m: Run} on one problem, drawn without a window."""
    import matplotlib

    matplotlib.use("Agg")  # a file is wanted, no window
    from mfcourse import plots

    plots.use_course_style()
    return plots.figure1(problem, runs)


def print_table(records):
    """One line for each run."""
    from mfcourse.certificates import TOLERANCE

    print("seed     m  steps            J   optimum J*    excess       gap seconds")
    for record in records:
        word = "optimal" if record["gap"] <= TOLERANCE else "not optimal"
        print(TABLE.format(**record, word=word))


def run_certify(arguments):
    """Run one flow and print how far it is from the optimum: by its own certificate, and in truth."""
    from mfcourse import problems
    from mfcourse.certificates import certify
    from mfcourse.convex import certified_optimum
    from mfcourse.experiments import spike_flow
    from mfcourse.measures import h1

    problem = problems.spikes(arguments.seed)
    run = spike_flow(problem, arguments.m, progress=True)
    certificate = certify(problem, h1(*run.state))
    best = problem.objective(certified_optimum(problem))
    print(f"spikes, seed {arguments.seed}, m = {arguments.m}: {run.steps[-1]} steps in {run.seconds:.2f} s")
    print(f"  J of the particles       {certificate.objective:.10f}")
    print(f"  lower bound D from them  {certificate.dual:.10f}")
    print(f"  relative gap (J - D) / J {certificate.gap:.2e}")
    print(f"  largest |eta|            {certificate.max_potential:.8f} (allowed: 1)")
    print(f"  J* by convex search      {best:.10f}")
    print(certificate.verdict)
    return 0


def run_lab(arguments):
    """Open JupyterLab on the clone's notebooks, or on a copy in the reader's folder."""
    from mfcourse import lab

    folder = arguments.folder
    if folder is None and lab.in_clone():
        folder = lab.notebooks_folder()
    else:
        folder = folder or "mfcourse-notebooks"
        copied, kept = lab.copy_notebooks(folder)
        print(f"{folder}: {len(copied)} notebooks copied, {len(kept)} kept as they were")
    return lab.open_lab(folder, arguments.options)


def run_doctor(arguments):
    """Print what is installed; exit code 1 if something the course needs is missing."""
    from mfcourse.doctor import examine

    lines, healthy = examine()
    print("\n".join(lines))
    return 0 if healthy else 1


def main(argv=None):
    """Run the command line; returns the exit code: 0, 2 for bad input (one line says which), 130 for Ctrl-C."""
    argv = list(sys.argv[1:] if argv is None else argv)
    options = argv[argv.index("--") + 1 :] if "--" in argv else []
    parser = build_parser()
    arguments = parser.parse_args(argv[: argv.index("--")] if "--" in argv else argv)
    if arguments.command is None:
        parser.error("a command is needed: reproduce, certify, lab or doctor")
    arguments.options = options
    if options and arguments.command != "lab":
        parser.error(f"only lab takes options after --, not {arguments.command}")
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("mfcourse: interrupted", file=sys.stderr)
        return INTERRUPTED
    except ImportError as error:
        print(f"mfcourse: {error}; `{sys.executable} -m pip install -e .` in the clone mends it", file=sys.stderr)
        return 2
    except MemoryError:
        print("mfcourse: this needs more memory than there is; ask for fewer particles", file=sys.stderr)
        return 2
    except (ValueError, OSError, ArithmeticError, RuntimeError) as error:
        print(f"mfcourse: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
