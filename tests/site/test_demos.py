"""Live pictures as the library hands them over: their code, their data, and what stands for them without a kernel."""

import json

import pytest

from mfcourse.site import live


def test_a_module_of_a_demo_is_one_text_without_imports_from_files():
    for name in live.NAMES:
        text = live.module(f"{name}.js")
        assert 'from "./' not in text
        assert "export default" in text


def test_a_demo_in_a_notebook_has_its_data_and_stands_for_itself_where_no_kernel_runs():
    demo = live.spikes()
    assert demo.data == live.instances("spikes")
    shown, _ = demo._repr_mimebundle_()
    assert shown["text/plain"] == "live.spikes()"
    assert '<div class="mf-live" data-demo="spikes">' in shown["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in shown
    with pytest.raises(ValueError, match="name must be"):
        live.Demo("nothing")


def test_all_instances_can_be_written_as_json():
    for name in live.NAMES:
        assert json.loads(json.dumps(live.instances(name), allow_nan=False)) == live.instances(name)
