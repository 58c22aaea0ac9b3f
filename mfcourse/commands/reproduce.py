"""`mfcourse reproduce`: figures of the paper and of the chapters after it, or digits; pictures, numbers, tables."""

import json
import statistics

from mfcourse.commands.reading import PROCESSES, place, whole_numbers

QUICK = {  # every figure, with fewer instances and numbers of particles, with the same steps
    "figure1": ((0, 1), (6, 100)),
    "figure2": ((4, 7), (5, 10, 100)),
    "figure3": ((0, 1, 2), (6, 10, 20, 50, 100)),
}
AFTER = ("sgd", "noise", "forgetting")  # of chapters 13, 14 and 15
TOGETHER = whole_numbers(1, 10_000, "networks look at all pairs of particles")
ROW = "{problem:<8}{method:<6}{seed:>4} {m:>5} {steps:>6} {objective:>13.9f} {excess:>9.1e} {gap:>9.1e} {seconds:>7.2f}"
SUMMARY = "{:<8}{:<6}{:>5} {:>5} {:>10.1e} {:>10.1e} {:>12}"
DIGITS = "{seed:>4} {digit:>5} {m:>4} {particles:>10.4f} {mlp:>7.4f} {logistic_regression:>20.4f}"


def add(commands):
    """What may be typed."""
    parser = commands.add_parser(
        "reproduce",
        help="compute figures of the paper, of the chapters after it, or digits: table, picture, data",
        description="Compute figures of the paper, one, several or all three. Writes DIR/figureN.png and "
        "DIR/figureN.json and prints a table: excess is (J - J*) / J* against the certified optimum J* for spikes, and "
        "the relative risk for teachers; gap is what the run's own certificate guarantees. `sgd`, `noise` and "
        "`forgetting` are the experiments of chapters 13, 14 and 15, as DIR/sgd.png, DIR/sgd.json and so on. `digits` "
        "trains a network on handwritten digits beside scikit-learn's classifiers.",
        epilog="Example: mfcourse reproduce figure1 --seeds 0,1,4,5 --out figures",
    )
    parser.add_argument(
        "figure",
        nargs="+",
        choices=[*QUICK, "all", *AFTER, "digits"],
        help="figure1: sparse spikes; figure2: ReLU in the plane; figure3: excess against the number of particles; "
        "all: these three; sgd: in high dimension; noise: in place of separation; forgetting: samples",
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
    from mfcourse import plots
    from mfcourse.files import writable_file, writable_folder

    out = writable_folder("--out", arguments.out)
    names = list(dict.fromkeys(name for word in arguments.figure for name in (QUICK if word == "all" else [word])))
    for name in names:  # nothing is computed in vain
        for kind in ("json",) if name == "digits" else ("json", "png"):
            writable_file("--out", out / f"{name}.{kind}")
    if arguments.m is not None and (without := [name for name in names if name in ("sgd", "forgetting")]):
        raise ValueError(f"--m is the number of particles, and {without[0]} has none: leave it out")
    plots.use_course_style()
    for name in names:
        of_what = digits_beside_others if name == "digits" else after_the_paper if name in AFTER else of_the_paper
        of_what(name, out, arguments)
    return 0


def of_the_paper(name, out, arguments):
    """A figure of the paper; runs that are finished are kept until all are."""
    from mfcourse import experiments
    from mfcourse.experiments import figures

    seeds, sizes = arguments.seeds or (range(10) if "all" in arguments.figure else experiments.SEEDS), arguments.m
    if arguments.quick:
        seeds, sizes = arguments.seeds or QUICK[name][0], sizes or QUICK[name][1]
    unfinished = out / f"{name}.unfinished"
    try:
        records, runs = experiments.figure(name, seeds, sizes, arguments.jobs, unfinished, progress=True)
    except KeyboardInterrupt as ending:
        if any(unfinished.glob("*.npz")):
            ending.args = (f"finished runs are kept in {unfinished}, the same command goes on from there",)
        raise
    write(name, out, figures.draw(name, records, runs), records)
    experiments.clear(name, seeds, sizes, unfinished)
    print(summary(records) if name == "figure3" else table(records))
    print(f"The picture: {out / name}.png; the numbers: {out / name}.json")


def after_the_paper(name, out, arguments):
    """The experiment of a chapter after the paper."""
    from mfcourse.beyond.drawings import DRAWINGS
    from mfcourse.beyond.measurements import MEASUREMENTS

    sizes = {} if arguments.m is None else {"sizes": arguments.m}
    records = MEASUREMENTS[name](arguments.seeds, arguments.quick, arguments.jobs, progress=True, **sizes)
    write(name, out, DRAWINGS[name](records), records)
    print(columns(records))
    print(f"The picture: {out / name}.png; the numbers: {out / name}.json")


def digits_beside_others(name, out, arguments):
    """Test accuracies on handwritten digits."""
    from mfcourse import experiments
    from mfcourse.experiments import digits

    seeds = arguments.seeds or (experiments.SEEDS[:1] if arguments.quick else experiments.SEEDS)
    rows = [digits.accuracies(m=m, seed=seed) for m in arguments.m or (200,) for seed in seeds]
    write_numbers(out, name, rows)
    print(accuracies(rows))


def write(name, out, figure, records):
    """DIR/name.png and DIR/name.json, each whole or absent."""
    from mfcourse.files import write_whole

    write_whole(out / f"{name}.png", lambda file: figure.savefig(file, format="png"))
    write_numbers(out, name, records)


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


def columns(records):
    """The measurements of a chapter after the paper, a table for each method."""
    lines = []
    for method in dict.fromkeys(record["method"] for record in records):
        rows = [record for record in records if record["method"] == method]
        names = [name for name in rows[0] if name not in ("problem", "method")]
        widths = [max(11, len(name) + 2) for name in names]
        lines.append(f"{rows[0]['problem']}, {method}")
        lines.append("".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True)))
        lines += ["".join(f"{row[n]:>{width}.4g}" for n, width in zip(names, widths, strict=True)) for row in rows]
    return "\n".join(lines)


def accuracies(rows):
    """Test accuracies on digits side by side, one line for each seed and number of particles."""
    head = "test accuracy on handwritten digits, one digit against the rest"
    names = "seed digit    m  particles     MLP  logistic regression"
    return "\n".join([head, names, *(DIGITS.format(**row) for row in rows)])
