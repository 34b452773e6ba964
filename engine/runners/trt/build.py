"""ONNX to plan: what `ptfan build` does."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.errors import BackendError, InputError, InterruptedRunError, ModelError, one_line
from ptfan.engine.models import file_sha256, find_model
from ptfan.engine.progress import NoProgress, Progress
from ptfan.engine.roles import Role, check_apart
from ptfan.engine.runners.backends import PLAN_SUFFIX
from ptfan.engine.runners.onnx_file import check_whole, count_nodes, read_spec, without_functions
from ptfan.engine.runners.trt.build_monitor import make_monitor
from ptfan.engine.runners.trt.gpu import take_gpu
from ptfan.engine.runners.trt.plan_record import PlanRecord, record_path
from ptfan.engine.runners.trt.plugin_choice import Plugin, find_plugin
from ptfan.engine.runners.trt.sizes import SizeRange
from ptfan.engine.runners.trt.tensorrt_module import (
    TensorRTName,
    check_plugins_can_be_parsed,
    import_tensorrt,
    is_rtx,
    log_of,
)
from ptfan.engine.spec import FLOW_WARP, FLOW_WARP_DOMAIN, ModelSpec
from ptfan.engine.versions import ptfan_version

__all__ = ["BuildSettings", "build_plan"]


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """What a plan is to be like."""

    least: tuple[int, int] | None = None
    """The smallest (width, height), pixels; see `SizeRange.of` for what is taken where nothing is asked for."""
    usual: tuple[int, int] | None = None
    """What it is fastest at."""
    most: tuple[int, int] | None = None
    """The largest."""
    frames: int | None = None
    """Frames of a window, or streams of a step model, at the most."""
    plugin: str | None = None
    """See `find_plugin`."""
    embed_plugin: bool = False
    """Put the plugin's library into the plan."""
    timing_cache: Path | None = None
    """What was measured in earlier builds; is read if it is there, and written."""
    version_compatible: bool = False
    """Let later versions of TensorRT run it."""
    hardware_compatible: bool = False
    """Let other GPUs, from compute capability 8.0 on, run it."""
    gpu: int = 0
    """The GPU to build on."""
    tensorrt: TensorRTName | None = None
    """The module that builds; None takes the one that is installed."""


def build_plan(
    model: str | Path,
    output: Path,
    settings: BuildSettings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> PlanRecord:
    """Build a plan for the GPU that is here, and write it with its record.

    Args:
        model: a model of the package by name, or an ONNX file that ptfan exported.
        output: the plan; its record gets the same name and `.json`.
        settings: what it is to be like.
        overwrite: replace files that are there.
        progress: is told of the builder's steps.
        stop: set it, and the build ends.

    Raises:
        InputError: the settings do not fit the model or the TensorRT that is here.
        ModelError: the model cannot be built.
        MissingExtraError: there is no TensorRT.
        BackendError: there is no GPU, or TensorRT failed.
        OutputError: the plan cannot be written.
        InterruptedRunError: it was stopped.
    """
    settings = settings or BuildSettings()
    if output.suffix != PLAN_SUFFIX:
        raise InputError(f"output {output}: expected a name that ends in {PLAN_SUFFIX}, by which plans are known")
    path = find_model(model)
    _check_targets(path, output, settings.timing_cache, overwrite=overwrite)
    builder = _PlanBuilder(str(model), path, settings, output.parent)
    plan = builder.build(progress or NoProgress(), stop or threading.Event())
    record = builder.record(plan)
    write_atomically(output, plan, overwrite=overwrite)
    write_atomically(record_path(output), record.to_json().encode(), overwrite=overwrite)
    return record


def _check_targets(model: Path, output: Path, timing_cache: Path | None, *, overwrite: bool) -> None:
    """Check that what is written can be, and takes the place of nothing that is read."""
    written = [Role("plan", output), Role("record", record_path(output)), Role("timing cache", timing_cache)]
    check_apart(written, [Role("model", model)])
    for target in (output, record_path(output)):
        check_target(target, overwrite=overwrite)
    if timing_cache is not None:
        check_target(timing_cache, overwrite=True)


def _read(model: str, path: Path) -> ModelSpec:
    """Return the spec of a model that can be built."""
    spec = read_spec(path)
    check_whole(path)
    if spec.helps:
        raise ModelError(
            f"model {model}: is of the {spec.form} form, which the CPU runs; expected a model that fills holes"
        )
    if spec.convolutions == "int8":
        raise ModelError(f"model {model}: is int8, for CPUs; expected fp16 or fp32, such as s-fp16")
    return spec


def _tensorrt(settings: BuildSettings) -> Any:
    """Return the module to build with, which has all that is asked for."""
    trt = import_tensorrt(settings.tensorrt)
    asked = {
        "--timing-cache": settings.timing_cache is not None,
        "--version-compatible": settings.version_compatible,
        "--hardware-compatible": settings.hardware_compatible,
        "--embed-plugin": settings.embed_plugin,
    }
    wrong = [name for name, given in asked.items() if given]
    if wrong and is_rtx(trt):
        raise InputError(
            f"{', '.join(wrong)}: TensorRT for RTX has no such thing; its plans run on every GPU from compute "
            "capability 8.0 on, with the version that built them"
        )
    return trt


def _plugin(settings: BuildSettings, trt: Any, folder: Path) -> Plugin:
    """Return the plugin to build with."""
    plugin = find_plugin(settings.plugin, folder, "none" if is_rtx(trt) else "python")
    if settings.embed_plugin and not settings.version_compatible:
        raise InputError("--embed-plugin needs --version-compatible: other plans hold no library")
    if settings.embed_plugin and plugin.library is None:
        raise InputError(f"--embed-plugin needs the plugin's library, got plugin {plugin.kind}; name it with --plugin")
    if plugin.kind != "none":
        check_plugins_can_be_parsed(trt)
    return plugin


class _PlanBuilder:
    """A model on its way to a plan: TensorRT's builder, network and settings."""

    def __init__(self, name: str, model: Path, settings: BuildSettings, folder: Path) -> None:
        self._name, self._model, self._settings = name, model, settings
        self._spec = _read(name, model)
        self._sizes = SizeRange.of(
            self._spec, least=settings.least, usual=settings.usual, most=settings.most, frames=settings.frames
        )
        trt = self._trt = _tensorrt(settings)
        self._plugin = _plugin(settings, trt, folder)
        # TensorRT for RTX leaves what is for one GPU alone to the machine that loads the plan.
        self._gpu = None if is_rtx(trt) else take_gpu(settings.gpu)
        self._log = log_of(trt)
        self._builder = trt.Builder(self._log)
        # From TensorRT 11 on there are no others.
        typed = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        self._network = self._builder.create_network(0 if typed is None else 1 << int(typed))
        self._config = self._builder.create_builder_config()

    def build(self, progress: Progress, stop: threading.Event) -> bytes:
        """Return the plan."""
        self._plugin.load(self._trt)
        self._parse()
        self._configure()
        self._read_cache()
        monitor = make_monitor(self._trt, progress, stop)
        self._config.progress_monitor = monitor
        self._log.clear()
        try:
            plan = self._builder.build_serialized_network(self._network, self._config)
        finally:
            progress.finish()
        if stop.is_set():
            raise InterruptedRunError(f"model {self._name}: the build was stopped, nothing was written")
        if plan is None:
            raise BackendError(f"model {self._name}: TensorRT cannot build it ({self._log.problem})")
        if self._settings.timing_cache is not None:
            write_atomically(self._settings.timing_cache, bytes(self._config.get_timing_cache().serialize()))
        return bytes(plan)

    def record(self, plan: bytes) -> PlanRecord:
        """Return what is to lie beside the plan."""
        settings = self._settings
        return PlanRecord(
            spec=self._spec,
            model=self._name,
            model_sha256=file_sha256(self._model),
            plan_sha256=hashlib.sha256(plan).hexdigest(),
            ptfan=ptfan_version(),
            tensorrt=self._trt.__name__,
            tensorrt_version=self._trt.__version__,
            gpu=self._gpu,
            sizes=self._sizes,
            plugin=self._plugin.kind,
            plugin_sha256=self._plugin.sha256,
            plugin_embedded=settings.embed_plugin,
            version_compatible=settings.version_compatible,
            hardware_compatible=settings.hardware_compatible,
        )

    def _parse(self) -> None:
        trt = self._trt
        parser = trt.OnnxParser(self._network, self._log)
        # Up to TensorRT 10.6 a function that the model carries comes before a plugin of its name.
        plain = self._plugin.kind == "none"
        if not parser.parse(self._model.read_bytes() if plain else without_functions(self._model)):
            why = "; ".join(one_line(str(parser.get_error(index)), 200) for index in range(parser.num_errors))
            raise ModelError(f"model {self._name}: TensorRT cannot read it ({why})")
        kinds = [self._network.get_layer(index).type for index in range(self._network.num_layers)]
        wanted = 0 if plain else count_nodes(self._model, FLOW_WARP, FLOW_WARP_DOMAIN)
        found = kinds.count(trt.LayerType.PLUGIN_V3)
        if found != wanted:
            raise BackendError(f"model {self._name}: TensorRT gave {found} nodes to the plugin, expected {wanted}")

    def _configure(self) -> None:
        trt, config, settings = self._trt, self._config, self._settings
        config.clear_flag(trt.BuilderFlag.TF32)  # fp32 means fp32; who wants speed takes an fp16 file
        if is_rtx(trt):
            config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)  # else no run of it could be recorded
        if settings.version_compatible:
            config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
        if settings.hardware_compatible:
            config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
        if settings.embed_plugin:
            config.plugins_to_serialize = [str(self._plugin.library)]
        tensors = [self._network.get_input(index) for index in range(self._network.num_inputs)]
        free = [tensor.name for tensor in tensors if -1 in tuple(tensor.shape)]
        if free:
            profile, shapes = self._builder.create_optimization_profile(), self._sizes.shapes(self._spec)
            for name in free:
                profile.set_shape(name, *shapes[name])
            config.add_optimization_profile(profile)

    def _read_cache(self) -> None:
        """Hand on what earlier builds have measured."""
        path = self._settings.timing_cache
        if path is None:
            return
        self._log.clear()
        cache = self._config.create_timing_cache(path.read_bytes() if path.is_file() else b"")
        if cache is None or not self._config.set_timing_cache(cache, ignore_mismatch=False):
            raise InputError(
                f"timing cache {path}: is of another GPU or TensorRT ({self._log.problem}); name a new file"
            )
