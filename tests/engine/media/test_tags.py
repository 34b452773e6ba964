from __future__ import annotations

from ptfan.engine.media.tags import content_tags, lost_tags


def test_what_describes_the_old_file_is_left_out():
    tags = {
        "title": "x",
        "ENCODER": "Lavf",
        "DURATION": "1",
        "BPS-eng": "9",
        "_STATISTICS_TAGS": "z",
        "major_brand": "isom",
    }
    assert content_tags(tags | {"language": "eng"}) == {"title": "x", "language": "eng"}


def test_losses_go_by_name_and_not_by_case():
    assert lost_tags({"TITLE": "x", "artist": "y", "encoder": "z"}, {"title": "x"}) == ["artist"]
