"""What the website makes of pages: solutions fold, statements get a frame, labels lead to the page of all statements.

Notebooks are plain Markdown, so that they read the same everywhere. Here the marks they use become structure: a
paragraph that begins with **Thm 3.3**, or with the course's own **MF1** or **Theorem U**, is a statement, and what
begins with **Solution 3.1.** is a solution, its code included. The glossary is written as Jupyter Book 2 wants it, as a
definition list.
"""

import re

from docutils import nodes
from sphinx.addnodes import glossary, pending_xref
from sphinx.domains.std import make_glossary_term
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

LABEL = re.compile(r"(Def\.|Assumptions|Prop\.|Thm) [C\d]\.\d|Theorem [UM]\b|(MF|U)\d\b")
SOLUTION = re.compile(r"Solution \d+\.\d+")
STATEMENTS = ("book/statements", "book/beyond")  # and the pages on which they are proved
HIDDEN = "tag_hide-cell"  # the class of the code of a solution


class folded(nodes.Element):
    """A solution: its title shows, the rest unfolds."""


def visit_folded(writer, node):
    """HTML: a browser unfolds `details` by itself, by mouse or keyboard, with or without JavaScript."""
    writer.body.append(f'<details class="solution"><summary>{node["title"]}</summary>\n')


def depart_folded(writer, node):
    """The end of a solution."""
    writer.body.append("</details>\n")


class Chapter(SphinxTransform):
    """Fold solutions and frame statements of a notebook, and link labels in bold, in every page but their own."""

    default_priority = 600

    def apply(self):
        """Change the tree of one page."""
        if self.env.docname.startswith(STATEMENTS):
            return
        for bold in list(self.document.findall(nodes.strong)):
            label, paragraph = bold.astext(), bold.parent
            first = isinstance(paragraph, nodes.paragraph) and paragraph.astext().startswith(label)
            if first and (solution := SOLUTION.match(label)):
                paragraph.remove(bold)  # it becomes the title
                fold(paragraph, solution[0])
            elif found := LABEL.match(label):
                if first and self.env.docname.startswith("notebooks/"):
                    frame(paragraph)
                link(bold, found, self.env.docname)


def fold(paragraph, title):
    """Everything from this paragraph to the end of the hidden code after it becomes one folded element.

    Raises ValueError if no hidden code follows: solutions have the tag hide-cell.
    """
    siblings, start = paragraph.parent, paragraph.parent.index(paragraph)
    hidden = [k for k in range(start, len(siblings)) if HIDDEN in siblings[k].get("classes", ())]
    if not hidden:
        raise ValueError(f"{title} must be followed by code with the tag hide-cell")
    end = hidden[0]
    siblings[end]["hide_mode"] = None  # the code unfolds with the solution, not once more by itself
    inside = siblings[start : end + 1]
    del siblings[start : end + 1]
    siblings.insert(start, folded("", *inside, title=title))


def frame(paragraph):
    """A statement is its paragraph and the list that ends it."""
    siblings, start = paragraph.parent, paragraph.parent.index(paragraph)
    end = start + 1
    if end < len(siblings) and isinstance(siblings[end], nodes.bullet_list):
        end += 1
    inside = siblings[start:end]
    del siblings[start:end]
    siblings.insert(start, nodes.container("", *inside, classes=["statement"]))


def link(bold, found, page):
    """The label becomes a reference to its statement: Thm 3.3 is thm-3-3, MF1 is mf1, Theorem U is thm-u."""
    target = re.sub(r"[^a-z0-9]+", "-", found[0].lower().replace("theorem", "thm")).strip("-")
    words = nodes.inline("", bold.astext())
    bold[:] = [pending_xref("", words, refdomain="prf", reftype="ref", reftarget=target, refdoc=page, refwarn=True)]


class Glossary(SphinxDirective):
    """A definition list in Markdown, whose terms `{term}` can refer to; Sphinx's own directive is made for rst."""

    has_content = True

    def run(self):
        """The list, with an anchor for each term."""
        words = glossary(sorted=False)
        self.state.nested_parse(self.content, self.content_offset, words)
        for entries in words.findall(nodes.definition_list):
            entries["classes"].append("glossary")
        for term in list(words.findall(nodes.term)):
            place = {"source": term.source, "lineno": term.line, "node_id": None, "document": self.state.document}
            term.replace_self(make_glossary_term(self.env, term.children, None, **place))
        return [words]


def setup(app):
    """Add the transform, the folded element and the glossary to Sphinx."""
    app.add_node(folded, html=(visit_folded, depart_folded))
    app.add_transform(Chapter)
    app.add_directive_to_domain("std", "glossary", Glossary, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
