"""Settings of the website. Sources are the pages of this folder and the notebooks; the source folder is the project.

`mfcourse site build` builds it. Nothing on a page is fetched from elsewhere, so the site reads without a network.
"""

from mfcourse import __version__
from mfcourse.site import extension

# Where this course is published. While these are empty, pages show no launch buttons and no repository link.
REPOSITORY = ""  # such as "https://github.com/NAME/mfcourse", or on GitLab: Binder, Colab, a link to the source
JUPYTERHUB = ""  # such as "https://hub.university.edu": opens chapters there through nbgitpuller

project, author, release = "mfcourse", "the mfcourse contributors", __version__
project_copyright = "the mfcourse contributors, CC BY 4.0"
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.githubpages",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_proof",
    "sphinxcontrib.bibtex",
    "mfcourse.site.pages",
    "mfcourse.site.extension",
]
root_doc = "book/index"
include_patterns = extension.sources()

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "docutils.nodes.make_id"  # as Jupyter Book 2 names them: exercise-2-4
nb_execution_mode = "off"  # notebooks are stored with their outputs, which the tests compare cell by cell
nb_ipywidgets_js = {}  # no kernel, no widgets: demos of `mfcourse.site.live` have a text that comes to life instead
nb_mime_priority_overrides = [("*", "application/vnd.jupyter.widget-view+json", None)]
nb_render_image_options = {"class": "figure"}
numfig = True
numfig_secnum_depth = 0
math_numfig = False
proof_title_format = "%t"  # titles of statements begin with the paper's own label
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
autodoc_member_order = "bysource"
autodoc_typehints = "none"

mathjax_path = extension.MATHJAX
mathjax3_config = {"loader": {"load": []}, "options": {"enableMenu": False}}

html_title = "mfcourse"
html_theme = "sphinx_book_theme"
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # else a page has two search fields
    "show_toc_level": 2,
    **extension.launch_buttons(REPOSITORY, JUPYTERHUB),
}
html_context = {"default_mode": "auto"}
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_additional_pages = {"index": "redirect.html"}
templates_path = ["_templates"]
html_domain_indices = False  # the pages of the library say the same, with words
html_show_sphinx = False
