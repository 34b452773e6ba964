"""What is here and what would be used: versions, backends, GPUs, models."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ptfan.engine.errors import MissingExtraError, PtfanError
from ptfan.engine.machine import cores
from ptfan.engine.models import DEFAULT_MODEL, file_sha256, find_model, shipped_models
from ptfan.engine.runners.backends import backend_statuses, chosen_backends
from ptfan.engine.runners.choice import choose_file
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.engine.versions import versions

__all__ = ["collect_info", "format_info"]

GPU_FIELDS = ("name", "memory.total", "driver_version", "compute_cap")
"""What nvidia-smi is asked for."""


def collect_info(model: str | Path = DEFAULT_MODEL) -> dict[str, Any]:
    """Look round; nothing that is missing is an error.

    Args:
        model: The model that would be used.

    Returns:
        Plain values, fit for JSON: `versions`, `system`, `backends`, `providers`, `gpus`, `models`, `choice`.
    """
    return {
        "versions": versions(),
        "system": {"platform": platform.platform(), "machine": platform.machine(), "cores": cores()},
        "backends": [asdict(status) for status in backend_statuses()],
        "providers": _providers(),
        "gpus": _gpus(),
        "models": [_describe(name, path) for name, path in shipped_models().items()],
        "choice": _choice(model),
    }


def format_info(info: dict[str, Any]) -> str:
    """Return the same for people to read."""
    lines = [f"{name:<12} {version}" for name, version in info["versions"].items()]
    count = info["system"]["cores"]
    lines += [f"{'system':<12} {info['system']['platform']}, {count} core{'s' if count > 1 else ''}", ""]
    lines += [f"backend      {item['name']}: {item['reason']}" for item in info["backends"]]
    lines += [f"providers    {', '.join(info['providers']) or 'none'}"]
    lines += [f"GPU          {', '.join(gpu.values())}" for gpu in info["gpus"]] or ["GPU          none found"]
    lines += ["", *(f"model        {_model_line(item)}" for item in info["models"])]
    if not info["models"]:
        lines.append("model        none comes with this package")
    return "\n".join([*lines, "", f"would use    {info['choice']['text']}"])


def _providers() -> list[str]:
    """Return ONNX Runtime's execution providers, best first."""
    try:
        return list(import_onnxruntime().get_available_providers())
    except ImportError:
        return []


def _gpus() -> list[dict[str, str]]:
    """Ask nvidia-smi, where there is one."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, f"--query-gpu={','.join(GPU_FIELDS)}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.splitlines() if line.strip()]
    return [dict(zip(GPU_FIELDS, row, strict=False)) for row in rows]


def _describe(name: str, path: Path) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": name,
        "path": str(path),
        "bytes": path.stat().st_size,
        "sha256": file_sha256(path),
    }
    try:
        spec = read_spec(path)
        return {**described, "spec": asdict(spec), "delay": spec.delay, "numbers": spec.numbers}
    except PtfanError as error:
        return {**described, "error": str(error)}


def _model_line(model: dict[str, Any]) -> str:
    size, short = f"{model['bytes'] / 1e6:.1f} MB", model["sha256"][:12]
    if "spec" not in model:
        return f"{model['name']}: {size}, sha256 {short}; cannot be read ({model['error']})"
    spec = model["spec"]
    width, height = spec["working_size"]
    return (
        f"{model['name']}: {spec['parameters'] / 1e6:.2f} M parameters, {model['numbers']}, {size}, "
        f"{spec['form']} form, window {spec['window']}, stride {spec['stride']}, delay {model['delay']} frames, "
        f"{width}x{height}, sha256 {short}"
    )


def _choice(model: str | Path) -> dict[str, Any]:
    """Tell what a run with default options would take, and why."""
    try:
        path = choose_file(model)
        names = chosen_backends(path)
    except MissingExtraError as error:
        return {"model": str(find_model(model)), "backend": None, "text": f"no backend: {error}"}
    except PtfanError as error:
        return {"model": None, "backend": None, "text": f"no model: {error}"}
    statuses = [status for status in backend_statuses() if status.name in names]
    usable = next((status for status in statuses if status.usable), None)
    if usable is None:
        why = "; ".join(f"{status.name} {status.reason}" for status in statuses)
        return {"model": str(path), "backend": None, "text": f"no backend: {why}"}
    text = f"model {path.stem} on {usable.name}, the first backend that can run here ({usable.reason})"
    return {"model": str(path), "backend": usable.name, "text": text}
