"""What decides on the flow and on the colours inside holes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ptfan.engine.closing import Closing
from ptfan.engine.models import colour_model, flow_model
from ptfan.engine.prepare.colour_completion import LearnedColours
from ptfan.engine.prepare.flow import FlowCompletion, smooth_completion
from ptfan.engine.prepare.flow_completion import LearnedFlow
from ptfan.engine.prepare.propagation import ColourCompletion
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.runner import Runner
from ptfan.engine.spec import CompletionName, Fill

__all__ = ["Completions"]


@dataclass(frozen=True, eq=False)
class Completions(Closing):
    """Both completions; a context manager, which frees their networks at its end."""

    flow: FlowCompletion = smooth_completion
    """Decides on the flow inside the holes."""
    colours: ColourCompletion | None = None
    """Decides on the colours that no frame shows; they stay smooth if None."""
    runners: Mapping[str, Runner] = field(default_factory=dict)
    """Their networks, by `flow` and `colour`."""

    @classmethod
    def open(cls, flow: CompletionName, colours: CompletionName, fill: Fill) -> Completions:
        """Open the completions of some names.

        Args:
            flow: `learned`, by a small network, or `smooth`, from what surrounds the hole.
            colours: likewise.
            fill: what a model expects in the holes; where that is not `propagated` there are no colours to complete.

        Raises:
            MissingExtraError: no backend is installed.
        """
        files = {"flow": flow_model()} if flow == "learned" else {}
        if colours == "learned" and fill == "propagated":
            files["colour"] = colour_model()
        with ExitStack() as opened:
            # They are small, and stand between steps that the CPU does: a GPU or more threads would gain nothing.
            runners = {
                name: opened.enter_context(open_runner(file, backend="onnxruntime", threads=1))
                for name, file in files.items()
            }
            opened.pop_all()  # all are open
        return cls(
            LearnedFlow(runners["flow"]) if "flow" in runners else smooth_completion,
            LearnedColours(runners["colour"]) if "colour" in runners else None,
            runners,
        )

    @property
    def files(self) -> dict[str, Path]:
        """The files of their networks, by `flow` and `colour`."""
        return {name: runner.path for name, runner in self.runners.items()}

    def close(self) -> None:
        """Free the networks."""
        for runner in self.runners.values():
            runner.close()
