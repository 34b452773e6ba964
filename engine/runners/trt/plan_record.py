"""What lies beside a plan: how to feed it, what it was built from and for, and whether it fits a machine."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.models import file_sha256
from ptfan.engine.runners.trt.gpu import Gpu
from ptfan.engine.runners.trt.plugin_choice import PluginKind
from ptfan.engine.runners.trt.sizes import SizeRange
from ptfan.engine.runners.trt.tensorrt_module import TensorRTName
from ptfan.engine.spec import ModelSpec
from ptfan.engine.typed_json import from_text

__all__ = ["PlanRecord", "read_record", "record_path"]

RECORD_VERSION = 1
LEAST_PORTABLE = (8, 0)
"""Compute capability from which on a plan that is not for one GPU alone runs."""
CROSSING = {("10", "11")}
"""Major versions between which version-compatible plans pass."""


@dataclass(frozen=True, kw_only=True)
class PlanRecord:
    """The text beside a plan."""

    spec: ModelSpec
    """The model's."""
    model: str
    """The model that it was built from, as it was named."""
    model_sha256: str
    """The hash of its ONNX file."""
    plan_sha256: str
    """The plan's own hash."""
    ptfan: str
    """The version of ptfan that built it."""
    tensorrt: TensorRTName
    """The module that built it."""
    tensorrt_version: str
    """Its version."""
    gpu: Gpu | None
    """The GPU that it was built on; None where that does not matter (TensorRT for RTX)."""
    sizes: SizeRange
    """The sizes that it takes."""
    plugin: PluginKind
    """What computes FlowWarp in it."""
    plugin_sha256: str | None = None
    """The hash of the plugin's library."""
    plugin_embedded: bool = False
    """The library is inside of the plan."""
    version_compatible: bool = False
    """Later versions of TensorRT run it, too; the plan carries code for that."""
    hardware_compatible: bool = False
    """Other GPUs from compute capability 8.0 on run it, too."""
    version: int = RECORD_VERSION
    """The version of this very format."""

    @property
    def sized_spec(self) -> ModelSpec:
        """How the plan wants to be fed: the model's spec, with the sizes that the plan was built for."""
        least, most = self.sizes.least, self.sizes.most
        return replace(self.spec, smallest_size=(least.width, least.height), largest_size=(most.width, most.height))

    @property
    def carries_code(self) -> bool:
        """Whether loading it runs code that lies in it."""
        return self.version_compatible or self.plugin_embedded

    def misfit(self, tensorrt: TensorRTName, version: str, gpu: Gpu) -> str | None:
        """Return why it does not run with a TensorRT on a GPU; None if nothing speaks against it."""
        if tensorrt != self.tensorrt:
            return f"was built by {self.tensorrt} {self.tensorrt_version}, here is {tensorrt}"
        if not self._runs_with(version):
            return f"was built by {self.tensorrt} {self.tensorrt_version}, here is {version}"
        portable = self.gpu is None or self.hardware_compatible
        if portable and gpu.capability < LEAST_PORTABLE:
            return f"runs from compute capability 8.0 on, the {gpu.name} has {_dotted(gpu.capability)}"
        if self.gpu is not None and not portable and gpu.capability != self.gpu.capability:
            return (
                f"was built on a {self.gpu.name} (compute capability {_dotted(self.gpu.capability)}), here is a "
                f"{gpu.name} ({_dotted(gpu.capability)})"
            )
        return None

    def _runs_with(self, version: str) -> bool:
        if version == self.tensorrt_version:
            return True
        built, here = (_numbers(text) for text in (self.tensorrt_version, version))
        majors = str(built[0]), str(here[0])
        return self.version_compatible and here >= built and (majors[0] == majors[1] or majors in CROSSING)

    def rebuild_command(self, plan: Path) -> str:
        """Return the command that builds it again, for the machine on which it is given."""
        plugin = [] if self.plugin == "library" else ["--plugin", self.plugin]
        flags = {
            "--version-compatible": self.version_compatible,
            "--hardware-compatible": self.hardware_compatible,
            "--embed-plugin": self.plugin_embedded,
        }
        asked = [name for name, given in flags.items() if given]
        parts = ["ptfan", "build", self.model, "-o", str(plan), *self.sizes.options(self.spec), *plugin, *asked]
        return shlex.join([*parts, "--overwrite"])

    def to_json(self) -> str:
        """Return the record as a JSON object."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> PlanRecord:
        """Read a record that `to_json` wrote.

        Raises:
            ModelError: the text is not JSON, or a field is missing, unknown or out of range.
        """
        made = from_text(cls, text, "plan record", raised=ModelError)
        if made.version != RECORD_VERSION:
            raise ModelError(f"plan record: version is {made.version}, expected {RECORD_VERSION}")
        return made


def record_path(plan: Path) -> Path:
    """Return where a plan's record lies."""
    return plan.with_name(f"{plan.name}.json")


def read_record(plan: Path) -> PlanRecord:
    """Read what lies beside a plan, and check that it belongs to it.

    Raises:
        InputNotFoundError: there is no such plan.
        ModelError: nothing lies beside it, or it is another plan's.
    """
    if not plan.is_file():
        raise InputNotFoundError(f"plan {plan}: there is no such file")
    path = record_path(plan)
    if not path.is_file():
        raise ModelError(
            f"plan {plan}: {path.name} is not beside it; build it by `ptfan build`, and keep both together"
        )
    try:
        record = PlanRecord.from_json(path.read_text(encoding="utf-8"))
    except (ModelError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {error}; build the plan again") from error
    if record.plan_sha256 != file_sha256(plan):
        raise ModelError(f"plan {plan}: {path.name} belongs to another plan; build it again")
    return record


def _numbers(version: str) -> list[int]:
    """Return a version's numbers, of which TensorRT has four: packages append others, such as `.post1`."""
    return [int(part) for part in re.findall(r"\d+", version)[:4]]


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"
