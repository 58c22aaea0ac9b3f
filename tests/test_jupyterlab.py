"""Chapters in JupyterLab, opened as a student opens them: they run, and their sliders and live demos obey.

The fixture `page` fails a test that leaves an error on the console or asks another machine for something. JupyterLab
needs no exception from that: what it would ask for at other addresses, its server asks for, and is told not to.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mfcourse.classroom import handout
from tests.site.test_live import PICTURE, changes, press, verdict

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is ended by Ctrl-C to its process group")

OPTIONS = ["--no-browser", "--allow-root", "--ServerApp.token=", "--LabApp.extension_manager=readonly"]
OPTIONS += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
PATIENCE = 60_000  # ms for what takes a few seconds on a machine that does nothing else
IDLE = """() => document.querySelector('#jp-main-statusbar')?.textContent.includes('(ipykernel) | Idle') &&
    document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"""
WAITING = "() => [...document.querySelectorAll('.jp-InputPrompt')].some(prompt => prompt.textContent.includes('*'))"
DRAWN = """demo => [...demo.querySelectorAll('canvas')].every(canvas => canvas.width && 20 < new Set(new Uint32Array(
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""

QUESTIONS = {
    "choice": 'predict.choice({"10": "That is ten.", "2": "One and one.", "1": "That is one."}, right="2")',
    "number": 'predict.number(0.25, within=0.01, because="Half of a half.", slips={0.5: "That is a half."})',
}


def questions():
    """A notebook of two questions, each with words below it and a folded result."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=[new_code_cell("from mfcourse.exercises import predict")], metadata=kernel)
    for name, question in QUESTIONS.items():
        control, result = new_code_cell(question), new_code_cell(f"print('the result of the {name}')")
        control.metadata.jupyter, result.metadata.jupyter = {"source_hidden": True}, {"outputs_hidden": True}
        notebook.cells += [control, new_markdown_cell("Now run."), result]
    return notebook


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    """The address of a JupyterLab on a copy of the notebooks, with the labs as students get them beside the chapters.

    It knows nothing of the user's settings.
    """
    home = tmp_path_factory.mktemp("lab")
    handout.write_releases(home / "course" / "labs")
    nbformat.write(questions(), home / "course" / "asked.ipynb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        environment[name] = str(home / name)
    command = [sys.executable, "-m", "mfcourse", "lab", str(home / "course"), "--", *OPTIONS]
    with open(home / "log", "w", encoding="utf-8") as log:
        # without a terminal, JupyterLab does not ask whether Ctrl-C is meant
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)
        try:
            yield address(process, home / "log")
        finally:
            end(process)


def address(process, log):
    """Where JupyterLab answers: at port 8888, or at another one if that is taken."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8"))):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.1)
    return found[0]


def end(process):
    """Ctrl-C, as a student ends JupyterLab; by force if that is not enough."""
    for order in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, order)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
            return


def opened(page, lab, name):
    """Open a notebook, without the tabs of another test, and wait for its kernel: nothing runs before that."""
    page.set_default_timeout(PATIENCE)
    assert page.goto(f"{lab}/lab/tree/{name}?reset").ok
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(IDLE)
    assert page.locator(".jp-Dialog").count() == 0


def choose(page, *items):
    """Click through the menus."""
    for item in items:
        page.locator(".lm-MenuBar-item, .lm-Menu-item", has_text=re.compile(f"^{item}$")).click()


def saved(page):
    """The code cells of the notebook, as JupyterLab saves them."""
    with page.expect_response(lambda answer: answer.request.method == "PUT" and ".ipynb" in answer.url) as answer:
        page.keyboard.press("Control+s")
    cells = page.request.get(answer.value.url).json()["content"]["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def cell_with(page, words):
    """The code cell with these words. It is scrolled to: JupyterLab draws only what is near the window."""
    cell = page.locator(".jp-CodeCell", has_text=words)
    cell.scroll_into_view_if_needed()
    return cell


def obeys(demo):
    """Its pictures show something, every slider and button moves it, and no key of a control reaches the notebook."""
    cells = demo.page.locator(".jp-Cell").count()
    demo.scroll_into_view_if_needed()
    assert demo.evaluate(DRAWN)
    for slider in demo.locator("input").all():
        changes(demo, lambda slider=slider: slider.press("ArrowRight"))
        changes(demo, lambda slider=slider: slider.press("ArrowLeft"))
    demo.locator("input").first.press("a")  # JupyterLab's key for one more cell
    changes(demo, lambda: press(demo, "Run"))
    press(demo, "Pause")
    assert demo.get_attribute("data-state") == "paused"
    changes(demo, lambda: press(demo, "Step"))
    changes(demo, lambda: press(demo, "Reset"))
    assert demo.page.locator(".jp-Cell").count() == cells


def test_a_chapter_runs_and_its_slider_and_its_live_demo_obey(page, lab, album):
    opened(page, lab, "03_particle_lift.ipynb")
    assert cell_with(page, "live.lift()").locator(".jp-OutputArea-output").count() == 0
    choose(page, "Run", "Run All Cells")
    page.wait_for_function(WAITING)
    page.wait_for_function(IDLE)
    cells = saved(page)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"] == []

    cell = cell_with(page, "interact(show")
    before = cell.locator("img").get_attribute("src")
    cell.get_by_role("slider").press("ArrowRight")
    page.wait_for_function(
        "([cell, before]) => ![before, undefined].includes(cell.querySelector('img')?.src)",
        arg=[cell.element_handle(), before],
    )

    demo = cell_with(page, "live.lift()").locator("section")
    obeys(demo)
    assert "w = 3.00" in verdict(demo)
    for _ in range(3):
        changes(demo, lambda: demo.get_by_role("slider", name="Stretch r").press("ArrowRight"))
    assert "w = 2.94" in verdict(demo)
    page.screenshot(path=album / "jupyterlab-light.png")


def test_a_live_demo_needs_no_more_than_the_imports_and_follows_the_theme(page, lab, album):
    opened(page, lab, "09_sparse_spikes.ipynb")
    for words in ("from mfcourse import", "live.spikes()"):
        cell_with(page, words).press("Control+Enter")
    demo = cell_with(page, "live.spikes()").locator("section")
    demo.wait_for()
    obeys(demo)
    before = demo.evaluate(PICTURE)
    choose(page, "Settings", "Theme", "JupyterLab Dark")
    page.wait_for_function(
        f"([demo, before]) => ({DRAWN})(demo) && ({PICTURE})(demo) !== before", arg=[demo.element_handle(), before]
    )
    page.screenshot(path=album / "jupyterlab-dark.png")


@pytest.fixture
def asked(page, lab):
    """The notebook of two questions, run once."""
    opened(page, lab, "asked.ipynb")
    choose(page, "Run", "Run All Cells")
    page.locator("section.mf-predict").nth(1).wait_for()
    page.wait_for_function(IDLE)
    return page


def test_a_choice_is_answered_and_the_right_one_unfolds_the_result(asked, album):
    question = asked.locator("section.mf-predict", has_text="10")
    said, result = question.get_by_role("status"), asked.get_by_text("the result of the choice", exact=True)
    assert [button.text_content() for button in question.get_by_role("button").all()] == ["10", "2", "1"]
    assert not result.is_visible()
    question.get_by_role("button", name="10").click()
    assert said.text_content() == "No. That is ten."
    assert not result.is_visible()
    question.get_by_role("button", name="2").press("Enter")
    assert said.text_content() == "Yes. One and one."
    result.wait_for(state="visible")
    assert not asked.get_by_text("the result of the number", exact=True).is_visible()
    asked.screenshot(path=album / "jupyterlab-predict.png")


def test_a_number_is_judged_and_can_be_told(asked):
    question = asked.locator("section.mf-predict", has=asked.get_by_role("spinbutton"))
    said, result = question.get_by_role("status"), asked.get_by_text("the result of the number", exact=True)
    field = question.get_by_role("spinbutton")
    for wrong, words in (("0.5", "No. That is a half."), ("9", "No, that is too large."), ("-1", "too small")):
        field.fill(wrong)
        field.press("Enter")
        assert words in said.text_content()
        assert not result.is_visible()
    question.get_by_role("button", name="Tell me").click()
    assert said.text_content() == "It is 0.25. Half of a half."
    result.wait_for(state="visible")
    field.fill("0.251")
    question.get_by_role("button", name="Is it right?").click()
    assert said.text_content() == "Yes. Half of a half."


def test_a_right_answer_before_the_cell_is_run_opens_what_it_will_print(asked):
    choose(asked, "Edit", "Clear Outputs of All Cells")
    asked.locator(".jp-CodeCell", has_text="predict.choice").press("Control+Enter")
    question = asked.locator("section.mf-predict")
    question.get_by_role("button", name="2").click()
    asked.locator(".jp-CodeCell", has_text="of the choice").press("Control+Enter")
    asked.get_by_text("the result of the choice", exact=True).wait_for(state="visible")


@pytest.mark.parametrize("letter", handout.labs())
def test_a_released_lab_opens_and_runs_up_to_its_first_task(letter, page, lab, album):
    opened(page, lab, f"labs/lab_{letter.lower()}.ipynb")
    choose(page, "Run", "Run All Cells")
    page.wait_for_function(IDLE)
    cells = saved(page)
    first = next(k for k, cell in enumerate(cells) if "lab_" in "".join(cell["source"]).partition("points = ")[2])
    assert all(cell["execution_count"] for cell in cells[: first + 1])
    outputs = [output for cell in cells[: first + 1] for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    assert f"Task {letter}1: not solved yet" in "".join(cells[first]["outputs"][0]["text"])
    page.screenshot(path=album / f"jupyterlab-lab-{letter}.png")
