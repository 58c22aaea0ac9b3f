"""Print pip constraints: all direct dependencies at the oldest version that pyproject.toml allows. `lowest.py EXTRA`"""

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(lines):
    """All requirements in `lines`, with those of the project's own extras that they name."""
    for line in lines:
        wanted = Requirement(line)
        if wanted.name == PROJECT["name"]:
            for extra in wanted.extras:
                yield from requirements(PROJECT["optional-dependencies"][extra])
        else:
            yield wanted


def lowest(wanted):
    """The constraint `name==version` at the lower bound of a requirement; one that has none is an error."""
    (bound,) = (part.version for part in wanted.specifier if part.operator in (">=", "=="))
    return f"{wanted.name}=={bound}"


if __name__ == "__main__":
    chosen = [*PROJECT["dependencies"], *(f"{PROJECT['name']}[{extra}]" for extra in sys.argv[1:])]
    print(*sorted({lowest(wanted) for wanted in requirements(chosen)}), sep="\n")
