"""Libraries that are told to keep their advice to themselves."""

from __future__ import annotations

import logging

import pytest

from ptfan.export.quiet import quiet


def test_errors_alone_are_passed_on_until_the_context_ends(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("ptfan.test_quiet")
    logger.setLevel(logging.INFO)
    with quiet(logger.name):
        logger.warning("advice")
        logger.error("trouble")
    logger.warning("afterwards")
    assert [record.getMessage() for record in caplog.records] == ["trouble", "afterwards"]
    assert logger.level == logging.INFO
