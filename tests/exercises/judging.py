"""How a lab's check is judged: by the points it pays, and by the sentence that helps, which names no result."""

import re


def judge(capsys, check, answer, points, hint=""):
    """Assert that `check` pays these points for the answer, and says what `hint` matches; without one, nothing more."""
    assert check(answer) == points
    said = capsys.readouterr().out
    assert re.search(hint, said), said
    assert (said.count("\n") == 1) == (hint == ""), said
    ours = re.sub(r"yours (is|are) .+", "", said)  # the answer itself may be quoted
    assert not re.search(r"\d\.\d\d\d", ours), said
    assert ("raised" in said) == ("raised" in hint), said
