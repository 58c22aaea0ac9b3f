"""What the commands do. Each function takes what was typed, and returns an exit code.

This module and `cli` are the only ones that talk.
"""

import collections
import glob
import json
import sys
from contextlib import suppress
from pathlib import Path

QUICK = {  # fewer instances and numbers of particles, with the same steps
    "figure1": ((0, 1), (6, 100)),
    "figure2": ((4, 7), (5, 10, 100)),
    "figure3": ((0, 1, 2), (6, 10, 20, 50, 100)),
}


def reproduce(arguments):
    """Compute figures; write pictures and numbers, and print tables."""
    import matplotlib

    matplotlib.use("Agg")  # files are wanted, no window
    from mfcourse import experiments, figures, plots, tables
    from mfcourse.digits import accuracies
    from mfcourse.files import writable_file, writable_folder, write_whole

    out = writable_folder("--out", arguments.out)
    names = tuple(experiments.FIGURES) if arguments.figure == "all" else (arguments.figure,)
    for name in names:  # nothing is computed in vain
        for kind in ("json",) if name == "digits" else ("json", "png"):
            writable_file("--out", out / f"{name}.{kind}")
    if arguments.figure == "digits":
        seeds = arguments.seeds or (experiments.SEEDS[:1] if arguments.quick else experiments.SEEDS)
        rows = [accuracies(m=m, seed=seed) for m in arguments.m or (200,) for seed in seeds]
        write_numbers(out, "digits", rows)
        print(tables.accuracies(rows))
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
        print(tables.summary(records) if name == "figure3" else tables.table(records))
        print(f"The picture: {out / name}.png; the numbers: {out / name}.json")
    return 0


def write_numbers(out, name, records):
    """The records in DIR/name.json, whole or absent."""
    from mfcourse.files import write_whole

    text = json.dumps({"figure": name, "runs": records}, indent=1, allow_nan=False)
    write_whole(out / f"{name}.json", lambda file: file.write(text.encode()))


def certify(arguments):
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


def lab(arguments):
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


def site(arguments):
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


def doctor(arguments):
    """Print what is installed; exit code 1 if something the course needs is missing."""
    from mfcourse.doctor import examine

    lines, healthy = examine()
    print("\n".join(lines))
    return 0 if healthy else 1


def labs_list(arguments):
    """Print which labs there are."""
    from mfcourse import classroom, tables

    print(tables.labs(classroom.labs().values()))
    return 0


def labs_release(arguments):
    """Write the copies that students get."""
    from mfcourse import classroom

    written, kept = classroom.write_releases(arguments.out, arguments.lab)
    print(f"{arguments.out}: {', '.join(written) or 'nothing new'}")
    if kept:
        print(f"kept as they were: {', '.join(kept)}")
    return 0


def labs_collect(arguments):
    """Sort what was handed in into a folder for each student."""
    from mfcourse import submissions

    _outside(arguments.submissions, arguments.out)
    written, kept, refused = submissions.collect(arguments.submissions, arguments.out)
    for submission in refused:
        print(f"{submission.student}: {submission.complaint}")
    print(f"{arguments.out}: {len(written)} notebooks copied, {len(kept)} kept as they were, {len(refused)} refused")
    return 0


def labs_grade(arguments):
    """Grade a class; write the table, the page of texts and the feedback, and print a line for each student."""
    from mfcourse import gradebook, grades
    from mfcourse.sandbox import Limits

    _outside(arguments.submissions, arguments.out)
    gradebook.places(arguments.out)  # nothing is graded in vain
    limits = Limits(arguments.cell_seconds, arguments.seconds, arguments.memory * 10**9)
    lab, graded = grades.grade(arguments.submissions, arguments.lab, limits, arguments.jobs, progress=True)
    table, page, folder = gradebook.write(arguments.out, lab, graded)
    for grade in graded:
        print("; ".join([f"{grade.student}: {gradebook.summary(lab, grade)}", *grade.remarks]))
    print(f"The table: {table}; texts to read: {page}; feedback for each student: {folder}")
    return 0


def labs_pool(arguments):
    """Merge the results of the teams of lab B; files that cannot be used are named, the others count."""
    from mfcourse import pooling, tables
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
    print(tables.summary(pooled["runs"], level=1e-6))
    counts = collections.Counter(run["team"] for run in pooled["runs"])
    print(f"Runs of {', '.join(f'{team}: {number}' for team, number in counts.items())}; pooled: {arguments.out}")
    return 0


def _outside(submissions, out):
    """ValueError if results would be written among what students handed in."""
    if Path(out).resolve().is_relative_to(Path(submissions).resolve()):
        raise ValueError(f"--out must lie outside of SUBMISSIONS, but {out} is in {submissions}")
