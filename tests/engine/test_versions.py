from __future__ import annotations

import platform
from importlib import metadata

import av
import numpy as np

from ptfan.engine.versions import ptfan_version, versions


def test_versions_are_those_that_are_imported() -> None:
    found = versions()
    assert list(found)[:2] == ["ptfan", "python"]
    assert found["python"] == platform.python_version()
    assert found["av"] == av.__version__
    assert found["numpy"] == np.__version__
    assert found["opencv"] != "not installed"


def test_the_version_is_the_one_that_is_installed() -> None:
    assert ptfan_version() == metadata.version("ptfan")
