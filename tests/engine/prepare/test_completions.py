from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.errors import BackendError
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.models import colour_model, flow_model
from ptfan.engine.prepare.colour_completion import LearnedColours
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.flow import smooth_completion
from ptfan.engine.prepare.flow_completion import LearnedFlow
from tests.engine.conftest import FakeRunner, make_runner


def test_they_go_by_name() -> None:
    with Completions.open("learned", "learned", "propagated") as learned:
        assert isinstance(learned.flow, LearnedFlow)
        assert isinstance(learned.colours, LearnedColours)
        assert learned.files == {"flow": flow_model(), "colour": colour_model()}
    with Completions.open("smooth", "smooth", "propagated") as smooth:
        assert smooth.flow is smooth_completion
        assert smooth.colours is None
        assert smooth.files == {}


def test_a_model_that_expects_nothing_in_holes_has_no_colours_to_complete() -> None:
    with Completions.open("smooth", "learned", "zero") as completions:
        assert completions.colours is None


def test_their_networks_are_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Completions.open("learned", "learned", "propagated") as completions:
        assert isinstance(completions.flow, LearnedFlow)
        assert isinstance(completions.colours, LearnedColours)
        closed: list[str] = []
        for part in (completions.flow, completions.colours):
            monkeypatch.setattr(part.runner, "close", lambda form=part.runner.spec.form: closed.append(form))
    assert closed == ["flow", "colour"]


def test_one_that_does_not_open_frees_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[FakeRunner] = []

    def open_fake(path: Path, **_: object) -> FakeRunner:
        if opened:
            raise BackendError("no memory")
        opened.append(make_runner(form="flow"))
        return opened[0]

    monkeypatch.setattr("ptfan.engine.prepare.completions.open_runner", open_fake)
    with pytest.raises(BackendError, match="no memory"):
        Completions.open("learned", "learned", "propagated")
    assert opened[0].closed


def test_settings_choose_them() -> None:
    with Inpainter(settings=InpaintSettings(flow_completion="smooth", colour_completion="smooth")) as plain:
        assert plain.helpers == {}
    with Inpainter() as usual:
        assert set(usual.helpers) == {"flow", "colour"}
