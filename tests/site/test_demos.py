"""Live pictures as the library hands them over: their code, their data, and what stands for them without a kernel."""

import json

import pytest

from mfcourse.site import live


def test_a_module_of_a_demo_is_one_text_without_imports_from_files():
    for name in live.NAMES:
        text = live.module(f"{name}.js")
        assert 'from "./' not in text
        assert "export default" in text


@pytest.mark.parametrize("name", live.NAMES)
def test_the_one_text_of_a_demo_draws_without_any_file_beside_it(module_page, name):
    code = """async ([text, data]) => {
      const { default: demo } = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
      const el = document.body.appendChild(document.createElement("div"));
      const close = demo.render({ model: { get: () => data }, el });
      close();
      return [...el.querySelectorAll("canvas")].map((canvas) => canvas.width * canvas.height);
    }"""
    asked = []
    module_page.on("request", lambda request: asked.append(request.url))
    sizes = module_page.evaluate(code, [live.module(f"{name}.js"), live.instances(name)])
    assert len(sizes) >= 3
    assert min(sizes) > 0
    assert [url for url in asked if url.startswith("http")] == []


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
