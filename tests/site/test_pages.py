"""What becomes of a page: solutions fold, statements get a frame, labels lead to the statements."""

import pytest
from docutils import nodes

from mfcourse.site import pages


def paragraph(bold, rest):
    return nodes.paragraph("", "", nodes.strong("", bold), nodes.Text(rest))


def raw(text):
    return nodes.raw("", text, format="html")


def test_the_code_of_a_solution_unfolds_with_its_text():
    code = nodes.container("", classes=["cell", "tag_hide-cell"], hide_mode="all")
    opened, closed = raw("<details><summary><b>Solution 3.1.</b></summary>"), raw("</details>\n")
    section = nodes.section("", opened, nodes.paragraph("", "So."), closed, code, nodes.title())
    pages.fold(opened, "Solution 3.1")
    assert [type(child) for child in section] == [nodes.raw, nodes.paragraph, nodes.container, nodes.raw, nodes.title]
    assert section[3] is closed
    assert code["hide_mode"] is None
    for rest in ([], [nodes.paragraph()]):
        section = nodes.section("", raw("<details>"), raw("</details>"), *rest)
        with pytest.raises(ValueError, match=r"Solution 3.2 must be followed by code"):
            pages.fold(section[0], "Solution 3.2")


def test_a_statement_is_framed_with_the_list_that_ends_it():
    first = paragraph("Assumptions 3.4.", " One of these:")
    section = nodes.section("", first, nodes.bullet_list(), nodes.paragraph("", "A circle has no edge."))
    pages.frame(first)
    assert section[0]["classes"] == ["statement"]
    assert [type(child) for child in section[0]] == [nodes.paragraph, nodes.bullet_list]
    assert section[1].astext() == "A circle has no edge."


@pytest.mark.parametrize(
    ("text", "target"),
    [
        *(("Thm 3.3.", "thm-3-3"), ("Prop. C.1", "prop-c-1"), ("Assumptions 3.4.", "assumptions-3-4")),
        *(("MF1.", "mf1"), ("MF4, second half", "mf4"), ("Theorem U.", "thm-u"), ("Theorem R.", "thm-r"), ("U3", "u3")),
    ],
)
def test_labels_in_bold_lead_to_the_statements(text, target):
    bold = nodes.strong("", text)
    pages.link(bold, pages.LABEL.match(text), "notebooks/x")
    assert bold.astext() == text
    assert bold[0]["reftarget"] == target
    assert not any(pages.LABEL.match(text) for text in ("Theorem", "U", "U10", "Use", "MF"))
