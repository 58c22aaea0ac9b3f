"""Drawings of ideas: whole in themselves, in the page's ink, and true to what they draw."""

import json
import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from mfcourse import proof_sketches, sketches, svg
from mfcourse.features import Fourier
from mfcourse.style import NEGATIVE, POSITIVE

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
IDEAS = {name: getattr(sketches, name) for name in sketches.__all__ if name not in ("Sketch", "where_we_are")}
DRAWN = {**IDEAS, **{f"chapter {k}": lambda k=k: sketches.where_we_are(k) for k in range(16)}}
COLOURS = {POSITIVE, NEGATIVE, svg.FAINT, svg.PLUM}


def opened(sketch):
    """The drawing as a tree, without the namespace in its names."""
    return ElementTree.fromstring(re.sub(r' xmlns="[^"]+"', "", sketch.svg))


def values(shape, *names):
    """Attributes of a shape as an array of floats."""
    return np.array([float(shape.get(name)) for name in names])


def points(path):
    """The points that a path is drawn through, (k, 2)."""
    return np.array(re.findall(r"-?[\d.]+", path.get("d")), dtype=float).reshape(-1, 2)


def arrows(tree):
    """Start and tip of every arrow, by its head."""
    heads = [(path, head) for path, head in zip(list(tree)[:-1], list(tree)[1:], strict=True) if head.tag == "polygon"]
    return [(points(path)[0], np.array(head.get("points").split()[0].split(","), float)) for path, head in heads]


@pytest.fixture(params=DRAWN, ids=lambda name: name.replace(" ", "-"))
def sketch(request):
    return DRAWN[request.param]()


def test_a_sketch_is_an_image_with_words_that_jupyter_shows(sketch):
    tree = opened(sketch)
    assert (tree.tag, tree.get("role")) == ("svg", "img")
    assert tree.get("aria-label") == repr(sketch) == sketch.words
    assert len(sketch.words) > 60
    assert sketch.words.endswith(".")
    assert sketch._repr_html_() == sketch.svg


def test_it_is_as_wide_as_its_place_and_fetches_nothing(sketch):
    tree = opened(sketch)
    assert "width: 100%; max-width: 460px; height: auto" in tree.get("style")
    assert tree.get("viewBox").startswith("0 0 360 ")
    assert "http" not in sketch.svg.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_many_can_stand_on_one_page(sketch):
    assert not [shape for shape in opened(sketch).iter() if shape.get("id") or "url(" in str(shape.attrib)]


def test_its_ink_is_the_page_s(sketch):
    """Neither black nor white is written down: what is not a colour of the course is the colour of the text."""
    inks = {shape.get(name) for shape in opened(sketch).iter() for name in ("fill", "stroke")} - {None}
    assert inks <= COLOURS | {"currentColor", "none"}
    assert "currentColor" in inks
    assert set(re.findall(r"#\w+|rgb|black|white", sketch.svg.replace(sketch.words, ""))) <= COLOURS


def luminance(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("colour", sorted(COLOURS))
@pytest.mark.parametrize("ground", ["#FFFFFF", "#212121", "#111111"])
def test_its_colours_are_seen_on_light_and_dark_ground(colour, ground):
    """Contrast of at least 3, as WCAG 2.1 (1.4.11) asks of what is not text."""
    dark, light = sorted(luminance(c) for c in (colour, ground))
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_its_words_are_large_enough_for_a_phone_and_do_not_touch(sketch):
    """At 12 units or more, in the widest of the common fonts; a phone of 390 pixels shows 350 or so for 360 units."""
    tree = opened(sketch)
    height, boxes = float(tree.get("viewBox").split()[3]), []
    for text in tree.iter("text"):
        size = float(text.get("font-size") or 13)
        assert size >= 12
        font = FontProperties(family="DejaVu Sans", weight=text.get("font-weight") or "normal")
        width = TextPath((0, 0), text.text, size=size, prop=font).get_extents().x1
        (x, y), share = values(text, "x", "y"), {"middle": 0.5, "end": 1}.get(text.get("text-anchor"), 0)
        boxes.append((x - share * width, y - 0.7 * size, x + (1 - share) * width, y + 0.2 * size))
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert right <= svg.WIDE
        assert top >= 0
        assert bottom <= height
    for a, b in combinations(boxes, 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


@pytest.mark.parametrize("name", DRAWN)
def test_it_is_the_same_text_every_time_and_last_bits_do_not_change_it(name, monkeypatch):
    """No number lies where rounding to a tenth turns, so that other processors round it alike."""
    first, rounded, number = DRAWN[name]().svg, [], svg.number
    monkeypatch.setattr(svg, "number", lambda value: rounded.append(float(value)) or number(value))
    assert DRAWN[name]().svg == first
    turn = np.abs(np.array(rounded) * 10 % 1 - 0.5)
    assert turn.min() > 1e-7
    assert "-0 " not in first
    assert '"-0"' not in first


@pytest.mark.parametrize("chapter", range(16))
def test_the_strip_marks_one_chapter_by_its_shape_and_names_it_as_its_notebook_does(chapter):
    tree = opened(sketches.where_we_are(chapter))
    boxes, circles = list(tree.iter("rect")), list(tree.iter("circle"))
    assert len(boxes) == 1
    assert [circle.get("fill") for circle in circles] == ["currentColor"] * chapter + ["none"] * (15 - chapter)
    assert float(boxes[0].get("stroke-width")) > 2 * max(float(circle.get("stroke-width")) for circle in circles)
    title = "".join(json.loads(NOTEBOOKS[chapter].read_text(encoding="utf-8"))["cells"][0]["source"]).splitlines()[0]
    number, bold = [text.text for text in tree.iter("text") if text.get("font-weight")]
    assert title.startswith(f"# {number} {bold}:")
    assert f"chapter {number}, {bold}." in sketches.where_we_are(chapter).words


def test_the_strip_is_low_and_numbers_every_chapter():
    tree = opened(sketches.where_we_are(np.int64(3)))
    assert float(tree.get("viewBox").split()[3]) <= 70
    assert [text.text for text in tree.iter("text") if text.text.isdigit()] == [str(k) for k in range(16)]


@pytest.mark.parametrize("chapter", [-1, 16, 2.5, "3", True, None])
def test_a_chapter_that_is_not_there_is_refused(chapter):
    with pytest.raises(ValueError, match="chapter must be a whole number >= 0 and <= 15, but it is"):
        sketches.where_we_are(chapter)


def test_the_bars_are_the_numbers_of_the_feature_map():
    """One bar for each of phi(0.3), in its order, 26 units for 1, over or under the line at 163."""
    tree = opened(sketches.light_to_curve())
    bars = tree.findall("g[@class='bars']/rect")
    phi = Fourier(cutoff=7).matrix([[0.3]])[:, 0]
    k = np.arange(1, 8)
    written_out = np.r_[1, 2**0.5 * np.cos(2 * np.pi * k * 0.3), 2**0.5 * np.sin(2 * np.pi * k * 0.3)]
    np.testing.assert_allclose(phi, written_out, atol=1e-12)
    tops, heights = np.array([values(bar, "y", "height") for bar in bars]).T
    ups = np.where(phi > 1e-9, 163 - tops, tops + heights - 163)
    np.testing.assert_allclose(ups, 26 * np.abs(phi), atol=0.11)
    np.testing.assert_allclose(heights, 26 * np.abs(phi), atol=0.051)
    assert (np.diff([float(bar.get("x")) for bar in bars]) == 20).all()


def test_the_curve_is_the_dirichlet_kernel():
    """phi(t) . phi(s) = sin(15 pi (s - t)) / sin(pi (s - t)), with the value 15 at s = t, 5 units for 1."""
    (path,) = opened(sketches.light_to_curve()).findall("g[@class='curve']/path")
    x, y = points(path).T
    np.testing.assert_allclose(x, np.arange(30, 331), atol=0.051)
    apart = np.pi * (np.arange(301) / 300 - 0.3)
    apart[90] = 1
    kernel = np.sin(15 * apart) / np.sin(apart)
    kernel[90] = 15
    np.testing.assert_allclose(365 - y, 5 * kernel, atol=0.051)
    assert "height 15 = |φ(t)|²" in sketches.light_to_curve().svg


def test_every_row_of_the_two_ways_has_the_same_mass_and_only_transport_moves_it():
    discs = np.array([values(disc, "cx", "cy", "r") for disc in opened(sketches.fade_or_glide()).iter("circle")])
    rows = {y: discs[discs[:, 1] == y] for y in np.unique(discs[:, 1])}
    above, below = [rows[y] for y in sorted(rows)[:3]], [rows[y] for y in sorted(rows)[3:]]
    for row in above + below:
        assert (row[:, 2] ** 2).sum() == pytest.approx(3 * 64, rel=0.02)
    start, half, end = (np.sort(row[:, 0]) for row in above)
    np.testing.assert_array_equal(half, np.r_[start, end])
    start_again, halfway, end_again = (np.sort(row[:, 0]) for row in below)
    np.testing.assert_array_equal([start, end], [start_again, end_again])
    np.testing.assert_array_equal(halfway, (start + end) / 2)
    ways = arrows(opened(sketches.fade_or_glide()))
    assert len(ways) == 6
    assert all(tip[0] > begin[0] and tip[1] > begin[1] for begin, tip in ways)


def test_deposits_are_the_sums_of_the_weights_above_them():
    """Weights are heights over w = 0, 32 units for 1; discs are positive, squares negative."""
    tree = opened(sketches.deposits())
    masses = [(*values(disc, "cx", "cy"), 1) for disc in tree.iter("circle") if disc.get("fill") == POSITIVE]
    masses += [(*(values(box, "x", "y") + 6), -1) for box in tree.iter("rect") if box.get("fill") == NEGATIVE]
    particles = [(x, (102 - y) / 32, sign) for x, y, sign in masses if y < 180]
    left = {x: (262 - y) / 32 for x, y, _ in masses if y > 180}
    assert all(np.sign(w) == sign for _, w, sign in particles)
    sums = {x: sum(w for at, w, _ in particles if at == x) for x, _, _ in particles}
    assert {x: w for x, w in sums.items() if w} == left
    assert sorted(sums.values()) == [-1.5, 0, 1, 1.5]
    (nothing,) = [values(disc, "cx", "cy") for disc in tree.iter("circle") if disc.get("fill") == "none"]
    assert sums[nothing[0]] == 0
    said = {text.text for text in tree.iter("text")}
    assert said >= {"1 + ½ = 1½", "2 − 1 = 1", "1 − 1 = 0"}


def test_the_bad_set_stands_where_the_curve_is_below_its_level():
    tree = opened(sketches.bad_cone())
    x, y = points(tree.find("g[@class='valley']/path")).T
    (bad,) = [values(box, "x", "y", "width", "height") for box in tree.iter("rect") if box.get("fill-opacity")]
    inside = (x > bad[0]) & (x < bad[0] + bad[2])
    level = 236 + 0.3 * 38
    assert (y[inside] > level).all()
    assert (y[~inside] <= level + 0.05).all()
    assert bad[1] + bad[3] == 116  # down to weight 0, and no further


def test_no_weight_falls_over_k_and_signs_decide_who_crosses_its_edge():
    tree = opened(sketches.bad_cone())
    (bad,) = [values(box, "x", "width") for box in tree.iter("rect") if box.get("fill-opacity")]
    middle = bad[0] + bad[1] / 2
    moves = arrows(tree)
    assert len(moves) == 7
    for begin, tip in moves:
        assert tip[1] < begin[1]
        inwards = abs(tip[0] - middle) - abs(begin[0] - middle)
        on_edge = abs(begin[0] - middle) > 1
        assert (inwards < 0) == (on_edge and begin[1] <= 116)
        assert (inwards > 0) == (on_edge and begin[1] > 116)
        assert tip[1] > 116 or begin[1] <= 116  # a wrong sign comes to weight 0
    assert sum(begin[1] == 116 for begin, _ in moves) == 1  # the newcomer
    squares = [box for box in tree.iter("rect") if box.get("fill") == NEGATIVE]
    assert len(squares) == sum(begin[1] > 116 for begin, _ in moves) == 3


def distances(path, discs):
    """From a path to the nearest of the discs' middles, along all of it."""
    along = np.concatenate([np.linspace(a, b, 5) for a, b in pairwise(path)])
    return np.linalg.norm(along[:, None] - discs, axis=-1).min()


@pytest.mark.parametrize(("name", "centre"), [("closed", (88, 130)), ("gap", (272, 130))])
def test_every_path_meets_the_closed_fence_and_one_slips_through_the_gap(name, centre):
    part = opened(sketches.fence()).find(f"g[@class='{name}']")
    discs = np.array([values(disc, "cx", "cy") for disc in part.findall("g[@class='fence']/circle")])
    steps = np.linalg.norm(discs - np.roll(discs, 1, axis=0), axis=1)
    assert (steps > 6.5).sum() == (name == "gap")  # discs of radius 3, so that neighbours touch or nearly do
    curves = [path for path in part.findall("path") if "Q" not in path.get("d")]
    ends = [tip for _, tip in arrows(part)]
    assert len(curves) == len(ends) == len(proof_sketches.STARTS)
    free = []
    for path, end in zip(curves, ends, strict=True):
        way = np.r_[points(path), end[None]]
        reach = np.linalg.norm(way - centre, axis=1)
        np.testing.assert_allclose(reach[[0, -1]], [20, 80], atol=0.1)
        free.append(distances(way, discs) > 3 + float(path.get("stroke-width")) / 2)
    slipping = [path.get("stroke") == "currentColor" for path in curves]
    assert free == slipping
    assert sum(free) == (name == "gap")
    rings = [values(ring, "cx", "cy") for ring in part.findall("circle") if ring.get("r") == "5.5"]
    assert len(rings) == len(curves) - sum(free)
    for ring in rings:
        assert np.linalg.norm(discs - ring, axis=1).min() < 4
        assert min(distances(points(path), ring[None]) for path in curves) < 1


def test_an_arrow_ends_at_its_tip_and_bends_to_its_left():
    straight, bent = svg.arrow((0, 0), (20, 0)), svg.arrow((0, 0), (20, 0), bend=6)
    assert 'd="M0 0Q10 0 13.6 0"' in straight
    assert 'points="20,0 12,4 12,-4"' in straight
    assert 'd="M0 0Q10 -6 ' in bent
    assert 'points="20,0 ' in bent


@pytest.mark.parametrize(("value", "text"), [(2, "2"), (-0.04, "0"), (0.06, "0.1"), (-3.14, "-3.1"), (360.0, "360")])
def test_numbers_are_short(value, text):
    assert svg.number(value) == text


def test_signs_in_words_stay_what_they_are():
    assert svg.words(1, 2, "w < 0 & more").startswith('<text x="1" y="2">w &lt; 0 &amp; more')
