"""The rules of the house: who may import whom, what is public, where files lie."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("package", "engine", "export", "training")
MODULES = sorted(
    path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.stem != "__main__"
)
MEDIA = {".avi", ".gif", ".jpeg", ".jpg", ".mkv", ".mov", ".mp4", ".npy", ".npz", ".png", ".webm", ".y4m"}
TEST_EXTRAS = ("cpu", "export", "train", "dev")
WEIGHTS = {".onnx", ".pt", ".pth", ".safetensors"}
MEBIBYTE = 1 << 20


def module_name(path: Path) -> str:
    """Return the name that a file of the packages is imported by."""
    parts = installed(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def installed(path: Path) -> Path:
    """Return where a file of the packages is put: what lies in `package` is the root of the others."""
    return Path("ptfan", *path.parts[path.parts[0] == "package" :])


def run_fresh(code: str) -> str:
    """Run code in a Python of its own; return what it prints."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def runtime_modules() -> set[str]:
    """Return what a fresh Python has loaded after importing every module of the runtime."""
    names = [module_name(path) for path in MODULES if path.parts[0] == "engine"]
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    return set(run_fresh(code).split())


class TestImports:
    def test_the_runtime_loads_nothing_of_training(self, runtime_modules: set[str]) -> None:
        assert "ptfan.engine.spec" in runtime_modules
        assert not {"torch", "onnx", "onnxscript", "safetensors", "matplotlib"} & runtime_modules
        assert [name for name in runtime_modules if name.startswith(("ptfan.training", "ptfan.export"))] == []

    def test_the_runtime_loads_no_backend_before_it_is_needed(self, runtime_modules: set[str]) -> None:
        assert not {"onnxruntime", "tensorrt", "tensorrt_rtx"} & runtime_modules

    @pytest.mark.parametrize("argument", ["--help", "--version"])
    def test_the_command_line_starts_without_the_heavy_libraries(self, argument: str) -> None:
        # The sub-commands of export and training are registered too: that alone must not load their libraries.
        printed = run_fresh(
            f"import sys; from ptfan.engine.cli import main; status = main([{argument!r}])\n"
            "print(*sys.modules); raise SystemExit(status)"
        )
        loaded = set(printed.splitlines()[-1].split())
        assert not {"torch", "onnx", "onnxruntime", "onnxscript", "cv2", "av"} & loaded

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("engine/frame.py", "import torch"),
            ("engine/frame.py", "def late():\n    import onnx"),
            ("engine/frame.py", "from ptfan.training import checkpoint"),
            ("training/checkpoint.py", "import ptfan.export"),
        ],
    )
    def test_import_linter_catches_a_wrong_import(self, path: str, line: str, tmp_path: Path) -> None:
        assert lint_copy(tmp_path) == 0
        broken = tmp_path / "ptfan" / path
        broken.write_text(f"{broken.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
        assert lint_copy(tmp_path) == 1


def lint_copy(folder: Path) -> int:
    """Copy the packages into a folder, unless they are there, and run import-linter over the copy."""
    for path in MODULES:
        copy = folder / installed(path)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / path).read_bytes())
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\nfrom importlinter.cli import lint_imports\n"
        f"raise SystemExit(lint_imports(config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, check=False).returncode


class TestModules:
    @pytest.mark.parametrize("path", MODULES, ids=str)
    def test_all_names_what_is_public(self, path: Path) -> None:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        defined = {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
        }
        if not defined and all(isinstance(node, ast.Expr) for node in tree.body):
            return  # A docstring alone: there is nothing to name.
        module = importlib.import_module(module_name(path))
        exported = module.__all__
        assert len(exported) == len(set(exported))
        assert [name for name in exported if not hasattr(module, name)] == []
        assert defined - set(exported) == set()

    def test_none_has_the_name_of_a_library_it_wraps(self) -> None:
        libraries = {"av", "cv2", "numpy", "onnx", "onnxruntime", "rich", "tensorrt", "tensorrt_rtx", "torch", "typer"}
        assert {path.stem for path in MODULES} & libraries == set()

    def test_packages_are_declared(self, pyproject: dict[str, Any]) -> None:
        folders = {module_name(path) for path in MODULES if path.name == "__init__.py"}
        # The kernel's source is one more: it lies with the rest of the plugin.
        assert set(pyproject["tool"]["setuptools"]["packages"]) == folders | {"ptfan.plugins"}

    def test_every_folder_of_modules_is_a_package(self) -> None:
        assert {path.parent for path in MODULES if not (ROOT / path.parent / "__init__.py").exists()} == set()

    def test_the_root_says_for_all_packages_that_they_are_typed(self, pyproject: dict[str, Any]) -> None:
        assert (ROOT / "package" / "py.typed").exists()
        assert "py.typed" in pyproject["tool"]["setuptools"]["package-data"]["ptfan"]


class TestFiles:
    def test_weights_and_media_stay_small(self, project_files: list[Path]) -> None:
        sizes = {path: (ROOT / path).stat().st_size for path in project_files if path.suffix in MEDIA | WEIGHTS}
        assert sum(sizes.values()) <= 40 * MEBIBYTE, sorted(sizes.items(), key=lambda item: -item[1])[:5]

    def test_weights_and_media_have_their_licence_beside_them(self, project_files: list[Path]) -> None:
        """Every such file is named in a text of its folder, or in NOTICE, that speaks of its licence."""
        notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
        missing = []
        for path in project_files:
            if path.suffix in MEDIA | WEIGHTS:
                beside = [text for text in (ROOT / path.parent).iterdir() if text.suffix in {".md", ".txt"}]
                texts = [text.read_text(encoding="utf-8") for text in beside]
                told = any(path.name in text and re.search("licen[cs]e", text, re.IGNORECASE) for text in texts)
                if not told and path.as_posix() not in notice:
                    missing.append(path.as_posix())
        assert missing == []

    @pytest.mark.parametrize("script", [".ci/run", "scripts/check", "scripts/environment"])
    def test_scripts_can_be_run(self, script: str) -> None:
        assert (ROOT / script).stat().st_mode & 0o111
        subprocess.run(["bash", "-n", ROOT / script], check=True)

    def test_hooks_come_from_the_project_itself(self) -> None:
        config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
        assert set(re.findall(r"repo:\s*(\S+)", config)) == {"local"}

    def test_the_python_versions_that_are_named_are_those_that_are_taken(self, pyproject: dict[str, Any]) -> None:
        project, head = pyproject["project"], "Programming Language :: Python :: 3."
        minors = [int(line.removeprefix(head)) for line in project["classifiers"] if line.startswith(head)]
        assert minors == list(range(minors[0], minors[-1] + 1))
        assert project["requires-python"] == f">=3.{minors[0]},<3.{minors[-1] + 1}"

    def test_the_checks_run_pinned_releases(self, pyproject: dict[str, Any]) -> None:
        lines = (ROOT / "requirements" / "test.txt").read_text(encoding="utf-8").splitlines()
        wanted = [line.partition(";")[0].strip() for line in lines if line and not line.startswith("#")]
        assert [line for line in wanted if "==" not in line] == []
        pinned = {re.split(r"[=<>\[]", line)[0] for line in wanted}
        extras = pyproject["project"]["optional-dependencies"]
        direct = [*pyproject["project"]["dependencies"], *(line for name in TEST_EXTRAS for line in extras[name])]
        assert {re.split(r"[=<>\[]", line)[0] for line in direct} - pinned - {"ptfan"} == set()
