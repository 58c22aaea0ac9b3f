"""The site in a browser: every page, light and dark, wide and on a phone, over http and from the file system."""

import functools
import re
import urllib.parse

import pytest
from bs4 import BeautifulSoup

from mfcourse.site.build import ROOT
from tests.conftest import RENDERED, home, visit

KINDS = (  # one page of each kind
    *("book/index", "book/live", "book/statements", "book/glossary", "book/crosswalk", "book/bibliography"),
    *(
        "book/teach",
        "book/labs",
        "book/taster",
        "book/api/flows",
        "notebooks/00_start_here",
        "notebooks/09_sparse_spikes",
    ),
    *("_modules/mfcourse/flows", "search", "genindex"),
)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MOST = 40_000_000  # bytes


def pages(site):
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts)


def test_the_site_is_small_and_opens_at_its_root(site, page, address):
    assert sum(path.stat().st_size for path in site.rglob("*")) < MOST
    page.goto(f"{address}/")
    page.wait_for_url("**/book/index.html")
    assert "Many particles" in page.inner_text("h1")


def test_every_page_opens_without_errors_or_foreign_requests_shows_all_and_fits_a_phone(site, page, address):
    formulas, wider = 0, []
    for name in pages(site):
        if name == "index.html":  # it leads to the landing page, see above
            continue
        page.set_viewport_size(DESK)
        visit(page, f"{address}/{name}")
        assert page.locator("h1").all_text_contents()[-1].strip(), name
        assert page.locator("mjx-merror").count() == 0, name
        formulas += page.locator("mjx-container").count()
        raw = page.evaluate(
            "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container')).length"
        )
        assert raw == 0, name
        broken = "[...document.images].filter(i => i.loading != 'lazy' && !i.naturalWidth).map(i => i.src)"
        assert page.evaluate(broken) == [], name
        page.set_viewport_size(PHONE)
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        if wide > PHONE["width"]:
            wider.append((name, wide))
        assert page.complaints == [], name
    assert wider == []
    assert formulas > 2000


@functools.cache
def parsed(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@functools.cache
def anchors(path):
    return {tag["id"] for tag in parsed(path).find_all(id=True)}


def test_links_anchors_images_and_downloads_lead_somewhere(site):
    lost = []
    for name in pages(site):
        for tag in parsed(site / name).find_all(["a", "img", "script", "link"]):
            target = tag.get("href") or tag.get("src")
            if not target or urllib.parse.urlsplit(target).scheme:
                continue
            path, _, anchor = target.partition("#")
            file = (site / name).parent / urllib.parse.unquote(path.split("?")[0]) if path else site / name
            if not file.is_file() or (anchor and file.suffix == ".html" and anchor not in anchors(file.resolve())):
                lost.append(f"{name}: {target}")
    assert lost == []


def test_each_chapter_can_be_downloaded_as_the_notebook_it_is(site):
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        links = parsed(site / "notebooks" / f"{notebook.stem}.html").find_all("a", href=re.compile(r"\.ipynb$"))
        (target,) = {link["href"] for link in links if "_sources" in link["href"]}
        assert (site / "notebooks" / target).resolve().read_bytes() == notebook.read_bytes()


def test_no_page_offers_a_launch_button_before_an_address_is_set(site):
    for name in pages(site):
        assert "launch" not in str(parsed(site / name).find(class_="article-header-buttons") or "").lower(), name


def test_every_picture_has_a_text(site):
    for name in pages(site):
        for image in parsed(site / name).find_all("img"):
            assert len(image.get("alt", "")) > 40, f"{name}: {image['src'][:80]}"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_certificates_also_from_the_file_system(site, chromium, address, scheme):
    page = chromium.new_page()
    root = address if scheme == "http" else site.as_uri()
    page.goto(f"{root}/search.html?q=certificate")
    page.wait_for_selector("#search-results >> text=Search finished")
    found = page.locator("#search-results li a").all_inner_texts()
    assert any("Optimality" in title for title in found), found
    page.close()


def test_a_reader_searches_from_a_chapter(page, address):
    visit(page, f"{address}/notebooks/01_measures.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("certificate")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")


def test_from_the_file_system_pages_read_and_demos_say_what_they_need(site, chromium):
    page = chromium.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto((site / "notebooks" / "09_sparse_spikes.html").as_uri())
    page.evaluate(RENDERED)
    assert page.locator("mjx-container").count() > 20
    assert "needs JavaScript and a web server" in page.inner_text(".mf-live")
    assert all(map(home, requests))
    page.close()


def test_solutions_are_closed_and_open_by_mouse_and_by_keyboard(page, address):
    visit(page, f"{address}/notebooks/03_particle_lift.html")
    solutions = page.locator("details", has=page.locator("summary", has_text=re.compile("^Solution")))
    assert solutions.count() == 4
    for k in range(4):
        assert not solutions.nth(k).locator("pre").first.is_visible()
    solutions.nth(0).locator("summary").click()
    solutions.nth(1).locator("summary").focus()
    page.keyboard.press("Enter")
    for k in range(2):
        assert "assert check_" in solutions.nth(k).inner_text()
        assert solutions.nth(k).locator("pre").first.is_visible()
    assert solutions.nth(2).locator("pre").count() >= 1
    assert not solutions.nth(2).locator("pre").first.is_visible()


def test_statements_are_framed_and_their_labels_lead_to_all_hypotheses(page, address):
    visit(page, f"{address}/notebooks/07_two_homogeneous.html")
    frame = page.locator(".statement", has_text="Thm 3.3").last
    frame.locator("a", has_text="Thm 3.3").first.click()
    page.wait_for_url("**/book/statements.html#thm-3-3")
    assert page.locator("#thm-3-3").first.is_visible()


def test_equations_and_figures_have_the_numbers_of_the_paper(page, address):
    visit(page, f"{address}/book/statements.html")
    for k in (1, 2, 3):
        assert page.inner_text(f"#equation-eq-{k} .eqno").startswith(f"({k})")
        assert page.inner_text(f"#fig-{k} .caption-number").strip() == f"Fig. {k}"


def test_dark_mode_follows_the_system_until_a_reader_chooses(page, address):
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # no colour is looked at while it changes
    visit(page, f"{address}/book/index.html")

    def background(theme):
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    def choose(mode):
        page.locator(".theme-switch-button").first.click()
        page.locator(f".theme-change-button[data-mode={mode}]").first.click()

    dark = background("dark")
    page.emulate_media(color_scheme="light")
    light = background("light")
    assert dark != light
    choose("dark")
    assert background("dark") == dark
    page.reload()
    assert background("dark") == dark  # remembered
    choose("auto")
    assert background("light") == light


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_page_is_photographed_light_dark_and_on_a_phone(kind, page, address, album):
    name = kind.replace("/", "-")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(DESK)
        visit(page, f"{address}/{kind}.html")
        page.screenshot(path=album / f"{name}-{scheme}.png", full_page=True)
    page.set_viewport_size(PHONE)
    visit(page, f"{address}/{kind}.html")
    page.screenshot(path=album / f"{name}-phone.png", full_page=True)


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_beyond_what_the_theme_brings(kind, page, address):
    """The theme leaves its logo outside the landmarks, and Sphinx gives the entries of a bibliography wrong roles."""
    from axe_playwright_python.sync_playwright import Axe

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour is looked at while it changes
        visit(page, f"{address}/{kind}.html")
        rules = Axe().run(page, options={"preload": False}).response["violations"]
        found = [f"{rule['id']}: {node['html'][:200]}" for rule in rules for node in rule["nodes"]]
        ours = [line for line in found if not re.match(r'region: <div class="sidebar-primary-item">.*logo', line, re.S)]
        if kind == "book/bibliography":
            ours = [line for line in ours if not re.match(r"aria-[a-z-]+: <div [^>]*citation", line)]
        assert ours == [], scheme
