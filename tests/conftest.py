"""What several test files share: the figure style, a web server, and a browser.

Tests in the browser need the extra `browser` and Chromium. Where these are missing they are skipped, unless the
environment says MFCOURSE_BROWSER=required, as the project's own checks do. What they leave to be looked at, screenshots
and frame rates, is kept in the folder that MFCOURSE_ALBUM names.
"""

import importlib.util
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from mfcourse import plots
from mfcourse.site import live
from mfcourse.site.build import ROOT
from mfcourse.site.serve import server

# What Windows and macOS do: a new process knows nothing of its parent.
multiprocessing.set_start_method("spawn", force=True)
# A shell lets its background jobs ignore Ctrl-C, and their children with them: tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
RENDERED = "() => !window.MathJax || MathJax.startup.promise.then(() => true)"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_configure(config):
    """Notebooks lie in another folder: what is done for their kernels cannot be a hook of this file alone."""
    config.pluginmanager.register(Kernels())


class Kernels:
    """Kernels of notebooks that move each control to its ends."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item):
        """nbval starts the kernel of a notebook before its first cell."""
        with pytest.MonkeyPatch.context() as environment:
            if item.path.suffix == ".ipynb":
                environment.setenv("PYTHONPATH", str(Path(__file__).parent / "hooks"), prepend=os.pathsep)
                environment.setenv("MFCOURSE_HOOKS", "move")
            return (yield)


@pytest.fixture
def course_style():
    """The course's figure style; every figure that a test leaves open is closed."""
    with plt.style.context("default"):
        plots.use_course_style()
        yield
    plt.close("all")


@pytest.fixture
def link(tmp_path):
    """A function (name, target): a link in the test's folder; the test is skipped where one may not make links."""

    def make(name, target):
        try:
            (tmp_path / name).symlink_to(target)
        except OSError as error:
            pytest.skip(f"no links here: {error}")
        return tmp_path / name

    return make


@pytest.fixture(scope="session")
def demand():
    """A function (found, name): skips the test if something it needs was not found, or fails where that is demanded."""

    def check(found, name):
        if not found:
            refuse = pytest.fail if os.environ.get("MFCOURSE_BROWSER") == "required" else pytest.skip
            refuse(f"{name} is missing: pip install -e .[browser], and Chromium from your system's packages")

    return check


@pytest.fixture(scope="session")
def chromium(demand):
    """A headless Chromium, driven by Playwright."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    demand(program, "Chromium")
    for name in ("playwright", "axe_playwright_python"):
        demand(importlib.util.find_spec(name), name)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, "--disable-sync"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve():
    """A function: folder -> address of a server whose root it is, until the tests end."""
    servers = []

    def start(folder):
        running = server(folder, 0)
        servers.append(running)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running.server_port}"

    yield start
    for running in servers:
        running.shutdown()
        running.server_close()


@pytest.fixture
def module_page(chromium, serve):
    """An empty page on a server whose root holds the modules of the demos: `await import("/circle.js")` works there."""
    page = chromium.new_page()
    page.goto(f"{serve(live.FOLDER)}/demo.css")
    yield page
    page.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory, demand):
    """The folder of a site built by the command, in a fresh process."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mfcourse", "site", "build", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower(), done.stderr
    return out


@pytest.fixture(scope="session")
def address(site, serve):
    """Where the site is served."""
    return serve(site)


@pytest.fixture
def page(chromium):
    """A page of a fresh browser profile; a test fails if anything went wrong on it (`page.complaints`)."""
    context = chromium.new_context()
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda request: left(request) or page.complaints.append(f"failed: {request.url}"))
    page.on("response", lambda answer: answer.status >= 400 and page.complaints.append(f"{answer.status} {answer.url}"))
    page.on("request", lambda request: home(request.url) or page.complaints.append(f"off-origin: {request.url}"))
    yield page
    context.close()
    assert page.complaints == []


def home(url):
    """True if a request stays on this machine."""
    return url.startswith(("http://127.0.0.1:", "data:", "blob:", "file:"))


def left(request):
    """True if a page's icon was still on its way, after all else, when the page was left."""
    return request.url.endswith("/favicon.svg") and request.failure == "net::ERR_ABORTED"


def visit(page, url):
    """Open a page and wait until its formulas are set and its demos are there."""
    page.goto(url)
    page.evaluate(RENDERED)
    for demo in page.query_selector_all(".mf-live"):
        demo.wait_for_selector("section canvas")


@pytest.fixture
def album(tmp_path):
    """The folder for what people should look at."""
    folder = Path(os.environ.get("MFCOURSE_ALBUM", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
