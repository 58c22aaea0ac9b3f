"""The doctor names what is missing and the command that mends it."""

import sys
from importlib import metadata

from mfcourse.commands import doctor


def report(monkeypatch, absent=(), old=()):
    """The doctor's report if the packages in `absent` were not installed and those in `old` were of version 0.0."""
    true_version = metadata.version

    def version(name):
        if name in absent:
            raise metadata.PackageNotFoundError(name)
        return "0.0" if name in old else true_version(name)

    monkeypatch.setattr(metadata, "version", version)
    lines, healthy = doctor.examine()
    return "\n".join(lines), healthy


def test_a_complete_installation_is_healthy(monkeypatch):
    text, healthy = report(monkeypatch)
    assert healthy
    assert f"numpy {metadata.version('numpy')}" in text
    assert "extra test: complete" in text
    assert "BLAS" in text


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    text, healthy = report(monkeypatch, absent=["scipy"])
    assert not healthy
    assert "scipy is missing" in text
    assert f'to mend: "{sys.executable}" -m pip install "scipy>=' in text


def test_a_package_that_is_too_old_is_mended_too(monkeypatch):
    text, healthy = report(monkeypatch, old=["tqdm"])
    assert not healthy
    assert '-m pip install "tqdm>=' in text


def test_an_incomplete_extra_does_no_harm(monkeypatch):
    text, healthy = report(monkeypatch, absent=["nbval"])
    assert healthy
    assert '-m pip install "nbval>=' in text
