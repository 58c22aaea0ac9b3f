"""Tables: the text that `mfcourse reproduce` and `mfcourse labs list` print."""

import statistics

ROW = "{problem:<8}{method:<6}{seed:>4} {m:>5} {steps:>6} {objective:>13.9f} {excess:>9.1e} {gap:>9.1e} {seconds:>7.2f}"
DIGITS = "{seed:>4} {digit:>5} {m:>4} {particles:>10.4f} {mlp:>7.4f} {logistic_regression:>20.4f}"
LAB = "{letter:<4}{title:<32}{after:<22}{minutes:>7} {checked:>8} {read:>8}"
SUMMARY = "{:<8}{:<6}{:>5} {:>5} {:>10.1e} {:>10.1e} {:>12}"


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


def labs(found):
    """One line for each lab: what it follows, how long it takes, and its points, by checks and by reading."""
    head = LAB.format(letter="lab", title="", after="after", minutes="minutes", checked="checked", read="read")
    return "\n".join([head, *(LAB.format(**lab._asdict()) for lab in found)])
