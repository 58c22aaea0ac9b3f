"""What a flow leaves behind: recorded states and energies, saved to a file and read back to the same bits."""

from dataclasses import dataclass, replace

import numpy as np

from mfcourse import checks
from mfcourse.files import write_whole

FORMAT = "mfcourse run 2"
RECORDED = ("steps", "w", "theta", "energy")


@dataclass(frozen=True, eq=False)
class Run:
    """What a flow leaves behind.

    steps: recorded step numbers (T,); w (T, ..., m), theta (T, ..., m, d), energy F_m (T, ...) at these steps;
    state: the last (w, theta), and whatever else the step carries; reason: why it ended, "certified", "at rest", what
    else a stopping rule said, "steps" if all of them were made, or "diverged", for a stack one for each run; seconds:
    wall-clock time spent.
    """

    steps: np.ndarray
    w: np.ndarray
    theta: np.ndarray
    energy: np.ndarray
    state: tuple
    reason: str | np.ndarray
    seconds: float

    @property
    def stopped(self):
        """True if a stopping rule ended the flow, for a stack: every run of it."""
        return not np.isin(self.reason, ("steps", "diverged")).any()

    def save(self, path, origin=""):
        """Write the run to an .npz file, which is whole or absent, with a line on its origin if one is given."""
        arrays = {"format": FORMAT, "origin": origin, "reason": self.reason, "seconds": self.seconds}
        arrays |= {name: getattr(self, name) for name in RECORDED}
        arrays |= {f"state{i}": array for i, array in enumerate(self.state)}
        write_whole(path, lambda file: np.savez(file, **arrays))

    @staticmethod
    def load(path, origin=None):
        """Read a run back, to the same bits.

        Raises ValueError if the file is damaged or is not a run, or if it is of another origin than the one given.
        """
        form, held = FORMAT, None
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                form = str(file["format"])
                if form != FORMAT:
                    raise ValueError("format")
                held = str(file["origin"])
                number = sum(name.startswith("state") for name in file.files)
                state = tuple(file[f"state{i}"] for i in range(number))
                run = Run(*(file[name] for name in RECORDED), state, file["reason"][()], float(file["seconds"]))
                checks.particles(*state[:2])
                checks.particles(run.w, run.theta)
                same_length = len(run.steps) == len(run.w) == len(run.energy)
                if not same_length or run.steps.dtype.kind != "i" or run.w[-1].shape != state[0].shape:
                    raise ValueError("shapes")
                for values in (run.w, run.theta, run.energy, *state[:2]):
                    checks.finite("values", values)
        except OSError:
            raise
        except Exception as error:  # whatever a foreign or damaged file does to the readers of zip and npy
            it = "it is not" if form == FORMAT else f"its format is {form!r:.40}, not {FORMAT!r}"
            raise ValueError(
                f"{path} must be a run saved by mfcourse, whole and unchanged, but {it}; delete it"
            ) from error
        if origin is not None and held != origin:
            held = held or "no known origin"
            raise ValueError(f"{path} holds a run of {held}, wanted is {origin}; delete it, or name another folder")
        return run

    def one(self, k):
        """Run number k of a stack, with its share of the time; memory of a step that all runs share stays whole.

        Raises ValueError if k is not from 0 to the number of runs - 1, or this is no stack.
        """
        if np.ndim(self.w) < 3:
            raise ValueError("only a stack of runs can be taken apart, but this is a single run")
        runs = self.w.shape[1]
        k = checks.count("k", k, at_least=0, at_most=runs - 1)
        state = tuple(part[k] if part.ndim and len(part) == runs else part for part in self.state)
        columns = self.w[:, k], self.theta[:, k], self.energy[:, k]
        return Run(self.steps, *columns, state, self.reason[k], self.seconds / runs)

    def extended(self, kept, state, reason, seconds):
        """This run with records (step, w, theta, energy) added at its end, and a new last state."""
        end = {"state": state, "reason": reason, "seconds": self.seconds + seconds}
        if kept:
            columns = zip(RECORDED, zip(*kept, strict=True), strict=True)
            end |= {name: np.concatenate([getattr(self, name), np.stack(column)]) for name, column in columns}
        return replace(self, **end)
