"""What several test files share: the figure style, a web server, and a browser.

Tests in the browser need the extra `browser` and Chromium. Where these are missing they are skipped, unless the
environment says MFCOURSE_BROWSER=required, as the project's own checks do.
"""

import importlib.util
import os
import shutil
import threading

import matplotlib.pyplot as plt
import pytest

from mfcourse import live, plots, website

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture
def course_style():
    """The course's figure style; every figure that a test leaves open is closed."""
    with plt.style.context("default"):
        plots.use_course_style()
        yield
    plt.close("all")


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
        server = website.serve(folder, 0)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def module_page(chromium, serve):
    """An empty page on a server whose root holds the modules of the demos: `await import("/circle.js")` works there."""
    page = chromium.new_page()
    page.goto(f"{serve(live.FOLDER)}/demo.css")
    yield page
    page.close()
