"""The live unlearning: the closed forms of forgetting.js, run in a browser, against `beyond.unlearning`."""

import numpy as np
import pytest
from scipy.special import ndtr

from mfcourse.beyond import unlearning
from mfcourse.site import live
from tests.site.test_live import opened, press, verdict

(INSTANCE,) = live.instances("forgetting")
START = INSTANCE | {"unlearn": 0, "others": 1000, "shift": 0.3, "weight": 0.0}
SCRIPT = 'async ([code, x]) => { const m = await import("/forgetting.js"); return eval(code); }'


@pytest.fixture
def js(module_page):
    """Evaluates JavaScript in the browser: `m` is forgetting.js, `x` the argument."""
    return lambda code, x=None: module_page.evaluate(SCRIPT, [code, x])


def certificate(weight, unlearn):
    """mu by the library: the distance of two samples, 2, bounds twice the gradient of one."""
    gap = (1 - weight) * unlearning.gradient_gap(INSTANCE["forgotten"], INSTANCE["samples"], INSTANCE["diameter"] / 2)
    factor = unlearning.contraction(INSTANCE["step"], 1, 1)
    return unlearning.certificate(gap, INSTANCE["step"], INSTANCE["temperature"], factor, unlearn)


def costs(unlearn, others, shift):
    sizes = (INSTANCE[name] for name in ("forgotten", "dimension", "variance"))
    kept = (1 - INSTANCE["step"]) ** unlearn
    return unlearning.weight_costs(
        INSTANCE["demand"], INSTANCE["samples"], others, *sizes, shift, INSTANCE["diameter"], kept
    )


def test_the_demand_is_what_the_promise_needs():
    assert unlearning.epsilon(INSTANCE["demand"], INSTANCE["delta"]) == pytest.approx(INSTANCE["epsilon"], rel=1e-9)
    assert INSTANCE["demand"] == pytest.approx(0.3884012483, abs=1e-10)


def test_the_normal_distribution_function_is_exact_to_rounding(js):
    x = np.concatenate([np.linspace(-40, 40, 801), [-5, 5, -5.0000001, 5.0000001, 0]])
    np.testing.assert_allclose(js("x.map(m.ndtr)", x.tolist()), ndtr(x), rtol=0, atol=1e-15)
    tails = np.linspace(-37, -5.01, 50)
    np.testing.assert_allclose(js("x.map(m.ndtr)", tails.tolist()), ndtr(tails), rtol=1e-10)


def test_the_certificate_is_that_of_theorem_u(js):
    for weight in (0.0, 0.3, 0.99):
        for unlearn in (0, 1, 50, 120):
            found = js("m.certificate(...x)", [INSTANCE, weight, unlearn])
            assert found == pytest.approx(certificate(weight, unlearn), rel=1e-12)


def test_what_mu_allows_is_what_the_library_says(js):
    for mu in (0.002, 0.05, 0.3884012483, 1.0, 2.5, 3.975):
        assert js("m.attackBound(x)", mu) == pytest.approx(unlearning.attack_bound(mu), rel=1e-14)
        for epsilon in (0.0, 0.5, 1.0, 5.0):
            found = js("m.delta(...x)", [mu, epsilon])
            assert found == pytest.approx(unlearning.delta(mu, epsilon), rel=1e-9, abs=1e-13)
        for delta in (1e-3, 0.2):
            found = js("m.epsilon(...x)", [mu, delta])
            assert found == pytest.approx(unlearning.epsilon(mu, delta), rel=1e-9, abs=1e-12)
    assert js("[m.delta(0, 1), m.epsilon(0, 0.001)]") == [0, 0]


def test_costs_and_the_best_weight_are_those_of_the_library(js):
    for unlearn, others, shift in ((0, 10, 0.0), (0, 1000, 0.3), (0, 10000, 1.0), (60, 100000, 0.3), (120, 10000, 0.0)):
        case = START | {"unlearn": unlearn, "others": others, "shift": shift}
        a, b = costs(unlearn, others, shift)
        found = js("m.costs(x)", case)
        assert (found["a"], found["b"]) == pytest.approx((a, b), rel=1e-12)
        weight, value = unlearning.best_weight(a, b)
        best = js("(() => { const w = m.bestWeight(m.costs(x)); return [w, m.excess(m.costs(x), w)]; })()", case)
        assert best == pytest.approx([weight, value], rel=1e-12)
        others_cost = js("Array.from({ length: 101 }, (_, k) => m.excess(m.costs(x), k / 100))", case)
        assert min(others_cost) >= value
        assert (others_cost[0], others_cost[-1]) == pytest.approx((b, a), rel=1e-12)


def test_equal_weights_give_every_sample_the_same_say_and_the_slope_of_the_certificate(js):
    for others in (10, 1000, 100000):
        weight = js("m.equalWeight(x)", START | {"others": others})
        assert weight / others == pytest.approx((1 - weight) / 1000)
        same = unlearning.gradient_gap(10, 1000 + others, 1.0)
        assert (1 - weight) * unlearning.gradient_gap(10, 1000, 1.0) == pytest.approx(same)
        h = 1e-4
        squares = [
            js("m.certificate(x, m.equalWeight(x), 5) ** 2", START | {"others": others * np.exp(side)})
            for side in (-h, h)
        ]
        assert np.diff(np.log(squares)) / (2 * h) == pytest.approx(-2 * weight, rel=1e-6)


def test_the_numbers_of_the_page_of_live_pictures(js):
    promised = [
        js("m.epsilon(m.certificate(...x), 1e-3)", [INSTANCE, w, k])
        for w, k in ((0, 91), (0, 92), (0.5, 64), (0.5, 65))
    ]
    assert [value <= 1 for value in promised] == [False, True, False, True]
    a, b = costs(0, 10000, 1.0)
    equal = 10 / 11
    assert equal**2 * a + (1 - equal) ** 2 * b == pytest.approx(0.41, abs=5e-3)
    assert (b, *unlearning.best_weight(a, b)) == pytest.approx((0.0138, 0.0268, 0.0134), abs=1e-4)
    a, b = costs(0, 10000, 0.0)
    assert equal**2 * a + (1 - equal) ** 2 * b == pytest.approx(0.00016, abs=1e-5)
    assert equal**2 * a + (1 - equal) ** 2 * b == pytest.approx(b / 90, rel=0.03)


def test_the_sentence_says_mu_its_meaning_and_the_price(js):
    said = js("m.sentence(x)", START | {"unlearn": 15, "weight": 0.3})
    mu = certificate(0.3, 15)
    assert said.startswith(f"K = 15, ω = 0.30: μ = {mu:.1f}; ")
    assert (
        f"AUC above {unlearning.attack_bound(mu):.3f}, and ε = {unlearning.epsilon(mu, 1e-3):.1f} at δ = 0.001" in said
    )
    a, b = costs(15, 1000, 0.3)
    weight, value = unlearning.best_weight(a, b)
    assert f"the excess risk is {0.09 * a + 0.49 * b:.2g}; ω = {weight:.2f} would be best, {value:.2g}." in said


def test_run_unlearns_and_the_buttons_find_their_weights(page, address):
    section = opened(page, address, "forgetting")
    assert verdict(section).startswith("K = 0, ω = 0.00: μ = 4; ")
    press(section, "Step")
    press(section, "Step")
    assert verdict(section).startswith("K = 2, ")
    press(section, "Equal weights")
    assert "ω = 0.50: " in verdict(section)
    press(section, "Best weight")
    assert f"ω = {unlearning.best_weight(*costs(2, 1000, 0.3))[0]:.2f}: " in verdict(section)
    press(section, "Run")
    section.locator(".mf-verdict", has_text="K = 120, ").wait_for(timeout=60_000)
    assert section.get_by_role("slider", name="Unlearning steps K").input_value() == "120"
    press(section, "Reset")
    assert verdict(section).startswith("K = 0, ω = 0.00: ")
