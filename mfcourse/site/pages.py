"""What the website makes of pages: solutions fold, statements get a frame, labels lead to the page of all statements.

Notebooks are plain Markdown, so that they read the same everywhere. Here the marks they use become structure: a
paragraph that begins with **Thm 3.3**, or with the course's own **MF1** or **Theorem R**, is a statement, and the code
of a solution moves into the lines of `details` that fold its text. What unfolds a cell says what is in it. The glossary
is written as Jupyter Book 2 wants it, as a definition list.
"""

import re

from docutils import nodes
from sphinx.addnodes import glossary, pending_xref
from sphinx.domains.std import make_glossary_term
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

LABEL = re.compile(r"(Def\.|Assumptions|Prop\.|Thm) [C\d]\.\d|Theorem [UMRT]\b|(MF|U)\d\b")
SOLUTION = re.compile(r"<details><summary><b>(Solution \d+\.\d+)")
CLOSED = "</details>"
PROMPTS = {"tag_hide-output": "The result", "tag_claim": "What is asserted here", "tag_optional": "The code"}
STATEMENTS = ("book/statements", "book/relu", "book/beyond")  # and the pages on which they are proved
HIDDEN = "tag_hide-cell"  # the class of the code of a solution


class Chapter(SphinxTransform):
    """Fold solutions and frame statements of a notebook, and link labels in bold, in every page but their own."""

    default_priority = 600

    def apply(self):
        """Change the tree of one page."""
        for line in list(self.document.findall(nodes.raw)):
            if found := SOLUTION.match(line.astext()):
                fold(line, found[1])
        for cell in self.document.findall(lambda node: "hide_mode" in getattr(node, "attributes", ())):
            for tag in set(cell["classes"]) & set(PROMPTS):
                cell["prompt_show"] = cell["prompt_hide"] = PROMPTS[tag]
        if self.env.docname.startswith(STATEMENTS):
            return
        for bold in list(self.document.findall(nodes.strong)):
            label, paragraph = bold.astext(), bold.parent
            first = isinstance(paragraph, nodes.paragraph) and paragraph.astext().startswith(label)
            if found := LABEL.match(label):
                if first and self.env.docname.startswith("notebooks/"):
                    frame(paragraph)
                link(bold, found, self.env.docname)


def fold(line, title):
    """The line that closes a solution's text moves below the hidden code after it, which then unfolds with the text.

    Raises ValueError if no hidden code follows: solutions have the tag hide-cell.
    """
    siblings, start = line.parent, line.parent.index(line)
    closed = next(k for k in range(start, len(siblings)) if siblings[k].astext().strip() == CLOSED)
    code = siblings[closed + 1] if closed + 1 < len(siblings) else nodes.Element()
    if HIDDEN not in code.get("classes", ()):
        raise ValueError(f"{title} must be followed by code with the tag hide-cell")
    code["hide_mode"] = None  # not once more by itself
    siblings.insert(closed + 1, siblings.pop(closed))


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
    """Add the transform and the glossary to Sphinx."""
    app.add_transform(Chapter)
    app.add_directive_to_domain("std", "glossary", Glossary, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
