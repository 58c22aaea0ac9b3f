"""`mfcourse reproduce`: the paper's figures, or digits; pictures and numbers in files, and a table."""

import json
import statistics

from mfcourse.commands.reading import PROCESSES, place, whole_numbers

QUICK = {  # every figure, with fewer instances and numbers of particles, with the same steps
    "figure1": ((0, 1), (6, 100)),
    "figure2": ((4, 7), (5, 10, 100)),
    "figure3": ((0, 1, 2), (6, 10, 20, 50, 100)),
}
TOGETHER = whole_numbers(1, 10_000, "networks look at all pairs of particles")
ROW = "{problem:<8}{method:<6}{seed:>4} {m:>5} {steps:>6} {objective:>13.9f} {excess:>9.1e} {gap:>9.1e} {seconds:>7.2f}"
SUMMARY = "{:<8}{:<6}{:>5} {:>5} {:>10.1e} {:>10.1e} {:>12}"
DIGITS = "{seed:>4} {digit:>5} {m:>4} {particles:>10.4f} {mlp:>7.4f} {logistic_regression:>20.4f}"


def add(commands):
    """What may be typed."""
    parser = commands.add_parser(
        "reproduce",
        help="compute figures of the paper, or digits: table, picture, data",
        description="Compute a figure of the paper, or all three. Writes DIR/figureN.png and DIR/figureN.json and "
        "prints a table: excess is (J - J*) / J* against the certified optimum J* for spikes, and the relative "
        "risk for teachers; gap is what the run's own certificate guarantees. `digits` trains a network "
        "on handwritten digits beside scikit-learn's classifiers.",
        epilog="Example: mfcourse reproduce figure1 --seeds 0,1,4,5 --out figures",
    )
    parser.add_argument(
        "figure",
        choices=[*QUICK, "all", "digits"],
        help="figure1: sparse spikes; figure2: ReLU in the plane; figure3: excess against the number of particles",
    )
    parser.add_argument("--seeds", type=whole_numbers(0), help="instances: 7, 0-4 or 0,1,4,5 (default 0-4, all: 0-9)")
    parser.add_argument("--m", type=TOGETHER, help="numbers of particles, in place of the figure's own")
    parser.add_argument("--jobs", type=PROCESSES, help="processes (default 1); results do not depend on it")
    parser.add_argument(
        "--out", type=place, default="figures", metavar="DIR", help="folder for the results (default figures)"
    )
    parser.add_argument("--quick", action="store_true", help="few instances and numbers of particles, same steps")
    parser.set_defaults(run=reproduce)


def reproduce(arguments):
    """Compute figures; write pictures and numbers, and print tables."""
    import matplotlib

    matplotlib.use("Agg")  # files are wanted, no window
    from mfcourse import experiments, plots
    from mfcourse.experiments import digits, figures
    from mfcourse.files import writable_file, writable_folder, write_whole

    out = writable_folder("--out", arguments.out)
    names = tuple(QUICK) if arguments.figure == "all" else (arguments.figure,)
    for name in names:  # nothing is computed in vain
        for kind in ("json",) if name == "digits" else ("json", "png"):
            writable_file("--out", out / f"{name}.{kind}")
    if arguments.figure == "digits":
        seeds = arguments.seeds or (experiments.SEEDS[:1] if arguments.quick else experiments.SEEDS)
        rows = [digits.accuracies(m=m, seed=seed) for m in arguments.m or (200,) for seed in seeds]
        write_numbers(out, "digits", rows)
        print(accuracies(rows))
        return 0
    plots.use_course_style()
    for name in names:
        seeds = arguments.seeds or (range(10) if arguments.figure == "all" else experiments.SEEDS)
        sizes = arguments.m
        if arguments.quick:
            seeds, sizes = arguments.seeds or QUICK[name][0], sizes or QUICK[name][1]
        unfinished = out / f"{name}.unfinished"
        try:
            records, runs = experiments.figure(name, seeds, sizes, arguments.jobs, unfinished, progress=True)
        except KeyboardInterrupt as ending:
            if any(unfinished.glob("*.npz")):
                ending.args = (f"finished runs are kept in {unfinished}, the same command goes on from there",)
            raise
        figure = figures.draw(name, records, runs)
        write_whole(out / f"{name}.png", lambda file, figure=figure: figure.savefig(file, format="png"))
        write_numbers(out, name, records)
        experiments.clear(name, seeds, sizes, unfinished)
        print(summary(records) if name == "figure3" else table(records))
        print(f"The picture: {out / name}.png; the numbers: {out / name}.json")
    return 0


def write_numbers(out, name, records):
    """The records in DIR/name.json, whole or absent."""
    from mfcourse.files import write_whole

    text = json.dumps({"figure": name, "runs": records}, indent=1, allow_nan=False)
    write_whole(out / f"{name}.json", lambda file: file.write(text.encode()))


def table(records):
    """One line for each run."""
    head = "problem method seed   m  steps     objective    excess       gap seconds"
    return "\n".join([head, *(ROW.format(**record) for record in records)])


def summary(records, level=1e-4):
    """One line for each number of particles: the excess over all seeds, and how often it is below `level`."""
    groups = {}
    for r in records:
        groups.setdefault((r["problem"], r["method"], r["m"]), []).append(r["excess"])
    lines = [f"problem method    m  runs     median    largest  below {level:.0e}"]
    for (problem, method, m), excess in groups.items():
        below = f"{sum(x < level for x in excess)}/{len(excess)}"
        lines.append(SUMMARY.format(problem, method, m, len(excess), statistics.median(excess), max(excess), below))
    return "\n".join(lines)


def accuracies(rows):
    """Test accuracies on digits side by side, one line for each seed and number of particles."""
    head = "test accuracy on handwritten digits, one digit against the rest"
    names = "seed digit    m  particles     MLP  logistic regression"
    return "\n".join([head, names, *(DIGITS.format(**row) for row in rows)])
