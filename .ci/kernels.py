"""Run Python as on an older processor: `kernels.py SET ARGUMENTS...`, with fewer of NumPy's and OpenBLAS's kernels.

The numbers of the course must not depend on them. That the older kernels are in use is checked first.
"""

import os
import subprocess
import sys

import scipy.linalg  # noqa: F401  SciPy brings an OpenBLAS of its own
from numpy._core._multiarray_umath import __cpu_dispatch__ as beyond_the_baseline
from numpy._core._multiarray_umath import __cpu_features__ as usable
from threadpoolctl import threadpool_info

SETS = {  # NumPy goes without features whose names begin so; OpenBLAS takes this core
    "haswell": (("AVX512", "X86_V4"), "Haswell"),
    "oldest": ("", "Prescott"),
}
ALSO_CALLED = {"Katmai": "Prescott"}  # by recent versions of OpenBLAS


def taken():
    """The features NumPy uses beyond its baseline, and the cores that NumPy's and SciPy's OpenBLAS have taken."""
    cores = {library["architecture"] for library in threadpool_info() if library["user_api"] == "blas"}
    return [name for name in beyond_the_baseline if usable[name]], [ALSO_CALLED.get(core, core) for core in cores]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(taken())
        sys.exit()
    name, *arguments = sys.argv[1:]
    prefixes, core = SETS[name]
    off = [feature for feature in taken()[0] if feature.startswith(prefixes)]
    older = os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(off), "OPENBLAS_CORETYPE": core}
    said = subprocess.run([sys.executable, __file__], env=older, capture_output=True, text=True, check=True).stdout
    wanted = str(([feature for feature in taken()[0] if feature not in off], [core]))
    if said.strip() != wanted:
        sys.exit(f"the set {name} should be {wanted}, but NumPy and OpenBLAS took {said.strip()}")
    print(f"NumPy's features and OpenBLAS's core: {wanted}", flush=True)
    sys.exit(subprocess.run([sys.executable, *arguments], env=older, check=False).returncode)
