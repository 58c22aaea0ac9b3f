"""The live overlaps: chain.js and overlaps.js, run in a browser, against `beyond.overlaps`."""

import itertools
import re

import numpy as np
import pytest
import scipy.stats

from mfcourse.beyond import chains, overlaps
from mfcourse.beyond.overlaps import SQUARE
from tests.site.test_live import changes, opened, press, verdict

SCRIPT = """async ([code, x]) => {
  const [m, demo] = await Promise.all(["chain", "overlaps"].map((name) => import(`/${name}.js`)));
  return eval(code);
}"""
STARTS = [[0.3, 0.6], [-0.8, 0.1], [0.0, 0.5], [0.05, 0.99], [1.1, 0.4], [0.5, 0.0]]


@pytest.fixture
def js(module_page):
    """Evaluates JavaScript in the browser: `m` is chain.js, `demo` overlaps.js, `x` the argument."""
    return lambda code, x=None: module_page.evaluate(SCRIPT, [code, x])


def test_from_the_same_samples_the_chain_makes_the_steps_of_the_library(js):
    for c, dimension, steps in ((0.1, 50, 400), (0.05, 800, 400), (0.2, 200, 200)):
        drawn = chains._samples(SQUARE, dimension, len(STARTS), np.random.default_rng(3))
        samples = [np.stack([b, z, rest], axis=-1).tolist() for b, z, _, rest in itertools.islice(drawn, steps)]
        found = js(
            """x.samples.reduce((now, row) => now.map((u, i) => {
              const [b, z, rest] = row[i];
              return m.lost(u) ? u : m.kept(m.chainStep(u, x.c, x.dimension, { b, z, rest }));
            }), x.starts)""",
            {"c": c, "dimension": dimension, "samples": samples, "starts": STARTS},
        )
        (end,) = overlaps.chain(SQUARE, c, dimension, STARTS, [steps * c / dimension], seed=3)
        assert overlaps.lost(end).sum() == (2 if c == 0.2 else 0)
        np.testing.assert_allclose(found, end, rtol=1e-9, atol=1e-12)


def test_a_path_is_lost_where_the_library_loses_it_and_stays_lost(js):
    assert js("[[100, 0], [99, 199], [99, 200], [100.001, 0], [NaN, 1]].map((u) => m.lost(m.kept(u)))") == [
        *(False, False),
        *(True, True, True),
    ]
    code = """(() => {
      let run = demo.begin(0.2, 50, Array(20).fill([0.1, 1.5]), 5);
      const gone = [];
      for (let k = 0; k < 300; k++) {
        run = demo.advance(run);
        gone.push(run.history.at(-1).map(m.lost));
      }
      return gone;
    })()"""
    gone = np.array(js(code))
    assert gone[-1].mean() > 0.8
    assert (np.diff(gone.astype(int), axis=0) >= 0).all()


def test_the_rate_in_closed_form_is_that_of_the_quadrature(js):
    u = np.random.default_rng(0).uniform([-1.3, 0], [1.3, 2], (40, 2))
    for c in (0.0, 0.02, 0.1, 0.2):
        found = js("x[0].map((u) => m.rate(u, x[1]))", [u.tolist(), c])
        np.testing.assert_allclose(found, overlaps.effective(SQUARE, c)(u), rtol=0, atol=1e-11)


def test_the_curve_is_the_solution_that_the_library_follows(js):
    times = np.array(js("m.TIMES"))
    assert times[0] == 0
    assert times[-1] == pytest.approx(6)
    for c in (0.0, 0.05, 0.15, 0.166):
        found = np.array(js("x[0].map((u) => m.follow(u, x[1]))", [STARTS, c]))
        library = overlaps.follow(overlaps.effective(SQUARE, c), STARTS, times).swapaxes(0, 1)
        there = (library < 10).all(axis=(1, 2))  # beyond, a path is on its way to infinity
        assert there.sum() >= 5
        np.testing.assert_allclose(found[there], library[there], rtol=0, atol=1e-6)


def test_the_curve_leaves_when_the_solution_does(js):
    times = np.array(js("m.TIMES"))
    for c, start in ((0.2, [0.3, 0.6]), (0.17, [0.3, 0.6]), (0.1, [0.2, 1.6 * 2])):
        found = np.array(js("m.follow(...x)", [start, c]))
        library = overlaps.follow(overlaps.effective(SQUARE, c), start, times)
        assert overlaps.lost(library)[-1]
        assert abs(np.argmax(overlaps.lost(found)) - np.argmax(overlaps.lost(library))) <= 1
        assert overlaps.lost(found)[-1]


def test_samples_have_the_laws_of_the_chain(js):
    for dimension in (50, 800):
        code = "(() => { const draw = m.samples(...x); return Array.from({ length: 20000 }, draw); })()"
        drawn = js(code, [dimension, 1])
        laws = {"b": scipy.stats.norm(), "z": scipy.stats.norm(), "rest": scipy.stats.chi2(dimension - 2)}
        for name, law in laws.items():
            assert scipy.stats.kstest([one[name] for one in drawn], law.cdf).pvalue > 1e-4, name
        together = np.array([[one[name] for name in laws] for one in drawn])
        assert np.abs(np.corrcoef(together.T) - np.eye(3)).max() < 4 / 20000**0.5


def test_random_directions_are_uniform_on_the_sphere(js):
    starts = np.array(js("m.randomStarts(5000, 50, 4)"))
    np.testing.assert_allclose(starts[:, 0] ** 2 + starts[:, 1], 1, rtol=1e-12)
    assert scipy.stats.kstest(starts[:, 0] ** 2, scipy.stats.beta(0.5, 24.5).cdf).pvalue > 1e-4
    assert abs((starts[:, 0] > 0).mean() - 0.5) < 4 * 0.5 / 5000**0.5


def test_paths_have_the_law_of_the_library(js):
    code = """(() => {
      let run = demo.begin(0.1, 50, Array(2000).fill([0.3, 0.6]), 6);
      for (let k = 0; k < 25; k++) run = demo.advance(run);
      return [run.steps, run.history.at(-1)];
    })()"""
    steps, end = js(code)
    assert steps == 250
    (library,) = overlaps.chain(SQUARE, 0.1, 50, np.tile([0.3, 0.6], (2000, 1)), [0.5], seed=8)
    for k in range(2):
        assert scipy.stats.ks_2samp(np.array(end)[:, k], library[:, k]).pvalue > 1e-4


def test_in_high_dimension_paths_follow_the_solid_curve_and_not_the_dashed_one(js):
    code = """(() => {
      let run = demo.begin(0.1, 800, Array(20).fill([0.3, 0.6]), 1);
      for (let k = 0; k < 25; k++) run = demo.advance(run);
      return [run.history.at(-1), run.curves.effective[25], run.curves.flow[25]];
    })()"""
    end, effective, flow = map(np.array, js(code))
    limit = overlaps.follow(overlaps.effective(SQUARE, 0.1), [0.3, 0.6], [0.5])[0]
    np.testing.assert_allclose(effective, limit, atol=1e-6)
    error = np.array([0.031, 0.021]) / 20**0.5  # of a mean of twenty paths
    assert (np.abs(end.mean(axis=0) - effective) < 4 * error).all()
    assert (np.abs(end.mean(axis=0) - flow) > 8 * error).all()


def test_the_radii_stand_still_and_meet_at_the_fold(js):
    fold = js("m.FOLD")
    assert js("m.LEAVES") == pytest.approx(overlaps.critical(SQUARE), rel=1e-12)
    for c in (0.02, 0.1, 1 / 6, 0.18):
        lower, upper = js("m.radii(x)", c)
        still = overlaps.effective(SQUARE, c)(np.array([[0, lower], [0, upper]]))
        np.testing.assert_allclose(still, 0, atol=1e-9 * max(1, upper**3))
        assert 1 / 3 < lower < upper
    assert np.diff(js("m.radii(x)", fold - 1e-12)) == pytest.approx(0, abs=1e-4)
    assert np.isnan(js("m.radii(x)", fold + 1e-6)).all()


def test_curves_start_where_the_median_path_does(js):
    start = js("demo.begin(0.1, 50, [[-0.9, 0.1], [0.1, 0.2], [0.3, 0.3], [-0.2, 0.4], [0.5, 0.5]], 1).curves.flow[0]")
    assert start == [0.3, 0.3]


def test_the_sentence_counts_paths_and_knows_the_three_regimes(js):
    now = [[1, 0], [-0.95, 0.004], [0.9, 0.001], [float("inf"), float("inf")], [0.1, 0.5]]
    said = js("[0.166, 0.168, 0.182].map((c) => demo.sentence({ c, dimension: 50, steps: 7, history: [x, x] }))", now)
    for words in said:
        assert words.startswith("t = 0.02, 7 steps in N = 50: 2 paths found v or −v, 1 got lost. ")
    assert ["below 1/6" in words for words in said] == [True, False, False]
    assert ["beyond 1/6" in words for words in said] == [False, True, False]
    assert ["beyond the fold" in words for words in said] == [False, False, True]


def test_the_start_can_be_dragged_and_directions_can_be_random(page, address):
    section = opened(page, address, "overlaps")
    box = section.locator("canvas").first.bounding_box()
    across, down = box["width"] - 62, box["height"] - 46
    place = {"x": box["x"] + 52 + across * (1.3 - 0.5) / 2.6, "y": box["y"] + 8 + down * (1.7 - 1.0) / 1.76}
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(place["x"], place["y"], steps=5)
    page.mouse.up()
    for name, value in (("Start m", -0.5), ("Start s", 1.0)):
        assert float(section.get_by_role("slider", name=name).input_value()) == pytest.approx(value, abs=0.02)
    changes(section, lambda: press(section, "Random directions"))
    changes(section, lambda: press(section, "Step"))
    assert re.match(r"t = 0\.02, 40 steps in N = 200: 0 paths found", verdict(section))


def test_a_finger_drags_sideways_and_scrolls_up_and_down(chromium, address):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    section = opened(page, address, "overlaps")
    canvas = section.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    fingers = context.new_cdp_session(page)

    def starts():
        return [float(section.get_by_role("slider", name=name).input_value()) for name in ("Start m", "Start s")]

    def touch(right, down):
        """A finger moves by a tenth of this at a time, from near the middle of the canvas."""
        box = canvas.bounding_box()
        x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
        for k in range(11):
            points = [{"x": x + k * right / 10, "y": y + k * down / 10}]
            fingers.send(
                "Input.dispatchTouchEvent", {"type": "touchMove" if k else "touchStart", "touchPoints": points}
            )
            page.wait_for_timeout(20)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)

    before, top = starts(), page.evaluate("scrollY")
    touch(0, -120)
    assert page.evaluate("scrollY") > top
    assert starts() == before
    top = page.evaluate("scrollY")
    touch(150, 10)
    assert page.evaluate("scrollY") == top
    assert starts()[0] > before[0]
    context.close()
