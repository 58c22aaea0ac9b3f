"""The website: the notebooks and the pages of book/ as one site, which fetches nothing from elsewhere.

`build` makes it, `serve` shows it; `extension` and `pages` are what Sphinx is told, the one about the site as a whole,
the other about what becomes of a page; `live` holds the pictures that compute while you watch. A new page is a file in
book/, or a notebook, and a line in book/myst.yml. A new module is a section on a page of book/api; a new page there is
a name in `extension`.
"""
