"""`mfcourse doctor`: what is installed, what is missing, and the command that mends it."""

import platform
import sys
from importlib import metadata

EXTRAS = ("test", "book", "browser", "labs", "cluster", "bench")


def add(commands):
    """What may be typed."""
    parser = commands.add_parser("doctor", help="show what is installed, and the command that adds what is missing")
    parser.set_defaults(run=doctor)


def doctor(arguments):
    """Print what is installed; exit code 1 if something the course needs is missing."""
    lines, healthy = examine()
    print("\n".join(lines))
    return 0 if healthy else 1


def examine():
    """(lines, healthy): a report, and whether everything the course needs is there in a version that will do.

    Extras may be missing without harm; each incomplete one comes with the command that installs it.
    """
    from packaging.requirements import Requirement  # here: a doctor comes even where something is missing

    lines = [f"Python {platform.python_version()} on {platform.system()}", f"mfcourse {metadata.version('mfcourse')}"]
    wanted = [Requirement(text) for text in metadata.requires("mfcourse")]
    base = [r for r in wanted if r.marker is None]
    lines += [
        f"{r.name} {_version(r.name) or 'is missing'}{'' if _fits(r) else f', needed: {r.name}{r.specifier}'}"
        for r in base
    ]
    broken = [r for r in base if not _fits(r)]
    lines.append(f"missing or too old; to mend: {_install(broken)}" if broken else "all the course needs is there")
    for extra in EXTRAS:
        missing = [r for r in wanted if r.marker and r.marker.evaluate({"extra": extra}) and not _fits(r)]
        lines.append(f"extra {extra}: " + (f"to complete it: {_install(missing)}" if missing else "complete"))
    return lines + _threads(), not broken


def _threads():
    """BLAS libraries that are loaded, and how many threads each may use."""
    import scipy.linalg  # noqa: F401  loads SciPy's BLAS beside NumPy's, so that both are seen
    from threadpoolctl import threadpool_info

    libraries = [i for i in threadpool_info() if i["user_api"] == "blas"]
    lines = [f"BLAS {i['internal_api']} {i['version']}: {i['num_threads']} threads" for i in libraries]
    if any(i["num_threads"] > 1 for i in libraries):
        lines.append("small products run faster on one thread; mfcourse sets that for its own runs")
    return lines


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _fits(requirement):
    found = _version(requirement.name)
    return found is not None and requirement.specifier.contains(found, prereleases=True)


def _install(requirements):
    return f'"{sys.executable}" -m pip install ' + " ".join(f'"{r.name}{r.specifier}"' for r in requirements)
