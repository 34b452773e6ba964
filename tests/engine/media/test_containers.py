from __future__ import annotations

import io

import av
import pytest

from ptfan.engine.media.containers import CONTAINERS, Container, container_named
from ptfan.engine.media.encoders import encoder_named


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container.name)
def test_each_is_ffmpeg_s_and_takes_its_usual_encoder(container: Container):
    with av.open(io.BytesIO(), "w", format=container.name) as opened:
        assert container_named(opened.format.name) is container
        opened.add_stream(encoder_named(container.encoder).name)


def test_any_other_has_nothing_that_sets_it_apart():
    assert container_named("nut") == Container("nut")
