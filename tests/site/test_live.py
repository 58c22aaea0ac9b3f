"""The live demos on their page: they move when asked, obey each control by keyboard and mouse, and rest when unseen."""

import re

import pytest

from mfcourse.site import live
from tests.conftest import visit

PICTURE = """section => [...section.querySelectorAll('canvas')].map(c => c.toDataURL()).join() +
    section.querySelector('.mf-verdict').textContent"""


@pytest.fixture(params=live.NAMES)
def demo(request, page, address):
    """The section of each demo on the page of all of them."""
    return opened(page, address, request.param)


def opened(page, address, name):
    visit(page, f"{address}/book/live.html")
    section = page.locator(f".mf-live[data-demo={name}] section")
    section.scroll_into_view_if_needed()
    return section


def press(section, name, key="Enter"):
    section.get_by_role("button", name=name, exact=True).press(key)


def changes(section, act):
    """Acts, and waits until the pictures or the words of the demo are others than before."""
    before = section.evaluate(PICTURE)
    act()
    section.page.wait_for_function(
        f"([section, before]) => ({PICTURE})(section) !== before", arg=[section.element_handle(), before], timeout=5000
    )


def buttons(section):
    """All but Run and Reset; of a slider's two, "more" comes first, since it may stand at its least."""
    every = section.get_by_role("button").all()
    return [button for button in reversed(every) if button.inner_text() not in ("Run", "Reset")]


def verdict(section):
    return section.locator(".mf-verdict").inner_text()


def run_until(section, words, timeout=60):
    press(section, "Run")
    section.locator(".mf-verdict", has_text=re.compile(words)).wait_for(timeout=timeout * 1000)


def test_nothing_moves_before_run_is_pressed_and_every_picture_shows_something(demo):
    before = demo.evaluate(PICTURE)
    demo.page.wait_for_timeout(300)
    assert demo.evaluate(PICTURE) == before
    colours = """section => [...section.querySelectorAll('canvas')].map(canvas => new Set(new Uint32Array(
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""
    assert all(number > 20 for number in demo.evaluate(colours))


def test_every_control_has_a_name_and_every_picture_a_description(demo):
    for control in demo.locator("input, select").all():
        assert control.evaluate("control => control.labels[0].innerText.trim()")
    for canvas in demo.locator("canvas").all():
        assert len(canvas.get_attribute("aria-label")) > 30


def test_every_control_obeys_the_keyboard(demo):
    for slider in demo.locator("input[type=range]").all():
        changes(demo, lambda slider=slider: slider.press("ArrowRight"))
        changes(demo, lambda slider=slider: slider.press("ArrowLeft"))
    for menu in demo.locator("select").all():
        changes(demo, lambda menu=menu: menu.press("ArrowDown"))
    for button in buttons(demo):
        changes(demo, lambda button=button: button.press("Space"))
    changes(demo, lambda: press(demo, "Run"))
    press(demo, "Pause")
    changes(demo, lambda: press(demo, "Reset"))


def test_every_control_obeys_the_mouse(demo):
    for slider in demo.locator("input[type=range]").all():
        box = slider.bounding_box()
        where = {"x": 0.8 * box["width"], "y": box["height"] / 2}
        changes(demo, lambda slider=slider, where=where: slider.click(position=where))
    for menu in demo.locator("select").all():
        last = menu.locator("option").last.get_attribute("value")
        changes(demo, lambda menu=menu, last=last: menu.select_option(last))
    for button in buttons(demo):
        changes(demo, button.click)
    changes(demo, demo.locator(".mf-run").click)
    demo.locator(".mf-run").click()
    changes(demo, demo.get_by_role("button", name="Reset", exact=True).click)


def test_a_hundred_particles_close_the_gap_and_six_are_stuck_until_one_joins_them(page, address):
    spikes = opened(page, address, "spikes")
    run_until(spikes, "Optimal")
    step, gap = re.match(r"Step (\d+), m = 100: J = 5\.10139, gap (\S+)\.", verdict(spikes)).groups()
    assert float(gap) < 1e-6
    assert int(step) < 300
    spikes.get_by_role("slider", name="Particles m").fill("6")
    run_until(spikes, "Stuck")
    where = float(re.search(r"at (0\.\d\d)\.", verdict(spikes))[1])
    canvas = spikes.locator("canvas").first
    box = canvas.bounding_box()
    canvas.click(position={"x": 52 + where * (box["width"] - 62), "y": box["height"] / 2})
    assert "m = 7" in verdict(spikes)
    run_until(spikes, "Optimal")


def test_neurons_of_both_signs_learn_the_teacher(page, address):
    relu = opened(page, address, "relu")
    run_until(relu, "Found|found")
    risk = float(re.search(r"relative risk (\S+?)[,.;:]? ", verdict(relu))[1])
    assert risk < 1e-5


def test_the_neuron_can_be_dragged_along_its_fibre_and_keeps_its_mass(page, address):
    lift = opened(page, address, "lift")
    weight, mass = (re.search(rf"{name} (?:= )?(\d+\.\d+)", verdict(lift))[1] for name in ("w", "mass"))
    box = lift.locator("canvas").first.bounding_box()
    start = box["x"] + 52 + 0.47 * (box["width"] - 62)
    page.mouse.move(start, box["y"] + box["height"] - 60)
    page.mouse.down()
    page.mouse.move(start - 60, box["y"] + box["height"] - 90, steps=5)
    page.mouse.up()
    assert re.search(r"w = (\d+\.\d+)", verdict(lift))[1] != weight
    assert f"mass {mass}" in verdict(lift)


def test_a_demo_rests_while_it_is_out_of_sight_and_goes_on_after_that(page, address):
    relu = opened(page, address, "relu")
    press(relu, "Run")
    assert relu.get_attribute("data-state") == "running"
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    page.wait_for_selector("[data-demo=relu] section[data-state=resting]")
    rests = verdict(relu)
    page.wait_for_timeout(500)
    assert verdict(relu) == rests
    relu.scroll_into_view_if_needed()
    page.wait_for_selector("[data-demo=relu] section[data-state=running]")
    page.wait_for_function(
        "([v, before]) => v.textContent !== before", arg=[relu.locator(".mf-verdict").element_handle(), rests]
    )


def test_with_reduced_motion_a_run_is_a_few_stills(page, address):
    page.emulate_media(reduced_motion="reduce")
    spikes = opened(page, address, "spikes")
    press(spikes, "Run")
    page.wait_for_timeout(1500)
    assert int(spikes.get_attribute("data-fps")) <= 2
    run_until_end = spikes.locator(".mf-verdict", has_text="Optimal")
    run_until_end.wait_for(timeout=30_000)


@pytest.mark.parametrize(("name", "label"), [("spikes", "Particles m"), ("relu", "Neurons m")])
def test_two_hundred_particles_move_and_their_frame_rate_is_written_down(page, address, album, name, label):
    section = opened(page, address, name)
    section.get_by_role("slider", name=label).press("End")
    assert section.get_by_role("slider", name=label).input_value() == "200"
    press(section, "Run")
    page.wait_for_timeout(1200)
    frames = int(section.get_attribute("data-fps"))
    with open(album / "frames.txt", "a", encoding="utf-8") as file:
        print(f"{name}: {frames} frames in a second with 200 particles (the aim is 30)", file=file)
    assert frames > 0
