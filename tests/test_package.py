"""The archives that users install: everything is in them, and they work away from the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = ("engine", "export", "training")


@dataclass(frozen=True)
class Archives:
    """What was built."""

    wheel: Path
    """The wheel, built from the source archive."""
    wheel_files: set[str]
    """The files in it."""
    source_files: set[str]
    """The files in the source archive, without its top folder."""


@pytest.fixture(scope="module")
def archives(root: Path, project_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Build both archives from a copy of the project."""
    checkout, dist = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for path in project_files:
        (checkout / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, checkout / path)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(checkout)]
    built = subprocess.run(command, cwd=dist, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = dist.glob("*.whl")
    (source,) = dist.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened:
        wheel_files = set(opened.namelist())
    with tarfile.open(source) as opened_source:
        members = [member.name for member in opened_source.getmembers() if member.isfile()]
    return Archives(wheel, wheel_files, {name.partition("/")[2] for name in members})


def test_the_wheel_holds_every_file_of_the_packages(archives: Archives, project_files: list[Path]) -> None:
    expected = {f"ptfan/{path.as_posix()}" for path in project_files if path.parts[0] in PACKAGES}
    expected |= {f"ptfan/{path.name}" for path in project_files if path.parts[0] == "package"}
    kernel = [path.name for path in project_files if path.is_relative_to("plugins/include/ptfan")]
    assert "flow_warp.cuh" in kernel
    expected |= {f"ptfan/plugins/{name}" for name in kernel}
    assert {name for name in archives.wheel_files if ".dist-info/" not in name} == expected


def test_the_wheel_holds_licence_notice_and_commands(archives: Archives) -> None:
    told = {name.partition(".dist-info/")[2] for name in archives.wheel_files}
    assert {"licenses/LICENSE", "licenses/NOTICE", "entry_points.txt", "METADATA"} <= told


def test_the_source_archive_holds_the_project(archives: Archives, project_files: list[Path]) -> None:
    expected = {path.as_posix() for path in project_files}
    made = {name for name in archives.source_files if name in {"PKG-INFO", "setup.cfg"} or ".egg-info/" in name}
    assert archives.source_files - made == expected


def test_the_demo_runs_from_the_wheel_without_the_training_libraries(archives: Archives, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(archives.wheel) as opened:
        opened.extractall(site)
    code = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'onnxscript', 'safetensors', 'matplotlib'): sys.modules[name] = None\n"
        "import ptfan.engine.cli as cli\n"
        f"assert cli.__file__.startswith({str(site)!r}), cli.__file__\n"
        "raise SystemExit(cli.main(['demo', '--threads', '2']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be loaded" not in done.stderr
    made = {path.suffix for path in (tmp_path / "demo-output").iterdir() if path.stat().st_size > 1000}
    assert made == {".mp4", ".png"}
