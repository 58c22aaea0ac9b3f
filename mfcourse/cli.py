"""The command line: mfcourse reproduce | certify | lab | site | doctor. Only this module talks."""

import json
import sys
from contextlib import suppress

from mfcourse import __version__
from mfcourse.arguments import Parser, whole_number, whole_numbers

QUICK = {  # fewer instances and numbers of particles, with the same steps
    "figure1": ((0, 1), (6, 100)),
    "figure2": ((4, 7), (5, 10, 100)),
    "figure3": ((0, 1, 2), (6, 10, 20, 50, 100)),
}
INTERRUPTED = 130  # the exit code of a command ended by Ctrl-C


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
    reproduce.add_argument("--m", type=whole_numbers(1), help="numbers of particles, in place of the figure's own")
    reproduce.add_argument("--jobs", type=whole_number(1), help="processes (default 1); results do not depend on it")
    reproduce.add_argument("--out", default="figures", metavar="DIR", help="folder for the results (default figures)")
    reproduce.add_argument("--quick", action="store_true", help="few instances and numbers of particles, same steps")
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

    site = commands.add_parser(
        "site",
        help="build the website of the course, or read it in a browser",
        description="build: make the website from the notebooks and book/, in a clone with the extra book. "
        "serve: show it in a browser, where the live demos run; builds it first if it is missing.",
        epilog="Example: mfcourse site serve",
    )
    site.add_argument("action", choices=["build", "serve"], help="what to do")
    site.add_argument("--out", default="build/site", metavar="DIR", help="folder of the site (default build/site)")
    site.add_argument("--port", type=whole_number(0), default=8000, help="for serve (default 8000; 0: any free one)")
    site.set_defaults(run=run_site, extra="[book]")

    doctor = commands.add_parser("doctor", help="show what is installed, and the command that adds what is missing")
    doctor.set_defaults(run=run_doctor)
    return parser


def run_reproduce(arguments):
    """Compute figures; write pictures and numbers, and print tables."""
    import matplotlib

    matplotlib.use("Agg")  # files are wanted, no window
    from mfcourse import experiments, figures, plots, tables
    from mfcourse.digits import accuracies
    from mfcourse.files import writable_folder, write_whole

    out = writable_folder("--out", arguments.out)
    if arguments.figure == "digits":
        seeds = arguments.seeds or (experiments.SEEDS[:1] if arguments.quick else experiments.SEEDS)
        rows = [accuracies(m=m, seed=seed) for m in arguments.m or (200,) for seed in seeds]
        write_numbers(out, "digits", rows)
        print(tables.accuracies(rows))
        return 0
    plots.use_course_style()
    for name in experiments.FIGURES if arguments.figure == "all" else (arguments.figure,):
        seeds = arguments.seeds or (range(10) if arguments.figure == "all" else experiments.SEEDS)
        sizes = arguments.m
        if arguments.quick:
            seeds, sizes = arguments.seeds or QUICK[name][0], sizes or QUICK[name][1]
        unfinished = out / f"{name}.unfinished"
        try:
            records, runs = experiments.figure(name, seeds, sizes, arguments.jobs, unfinished, progress=True)
        except KeyboardInterrupt:
            kept = f"; finished runs are kept in {unfinished}, the same command goes on from there"
            print(f"mfcourse: interrupted{kept if unfinished.exists() else ''}", file=sys.stderr)
            return INTERRUPTED
        figure = figures.draw(name, records, runs)
        write_whole(out / f"{name}.png", lambda file, figure=figure: figure.savefig(file, format="png"))
        write_numbers(out, name, records)
        experiments.clear(name, seeds, sizes, unfinished)
        print(tables.summary(records) if name == "figure3" else tables.table(records))
        print(f"The picture: {out / name}.png; the numbers: {out / name}.json")
    return 0


def write_numbers(out, name, records):
    """The records in DIR/name.json, whole or absent."""
    from mfcourse.files import write_whole

    text = json.dumps({"figure": name, "runs": records}, indent=1, allow_nan=False)
    write_whole(out / f"{name}.json", lambda file: file.write(text.encode()))


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


def run_site(arguments):
    """Build the website, or serve it until Ctrl-C."""
    from mfcourse import website

    if arguments.action == "build" or not website.is_site(arguments.out):
        code = website.build(arguments.out)
        if code:
            print("mfcourse: the site was not built, the lines above say why", file=sys.stderr)
            return code
        print(f"The site: {arguments.out}")
    if arguments.action == "serve":
        with website.serve(arguments.out, arguments.port) as server, suppress(KeyboardInterrupt):
            print(f"Read it at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends)", flush=True)
            server.serve_forever()
    return 0


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
        parser.error("a command is needed: reproduce, certify, lab, site or doctor")
    arguments.options = options
    if options and arguments.command != "lab":
        parser.error(f"only lab takes options after --, not {arguments.command}")
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("mfcourse: interrupted", file=sys.stderr)
        return INTERRUPTED
    except ImportError as error:
        wanted = "." if "extra" not in arguments else f'".{arguments.extra}"'
        print(
            f"mfcourse: {error}; `{sys.executable} -m pip install -e {wanted}` in the clone mends it", file=sys.stderr
        )
        return 2
    except MemoryError:
        print("mfcourse: this needs more memory than there is; ask for fewer particles", file=sys.stderr)
        return 2
    except (ValueError, OSError, ArithmeticError, RuntimeError) as error:
        print(f"mfcourse: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
