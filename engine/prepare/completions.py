"""What decides on the flow and on the colours inside holes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ptfan.engine.closing import Closing
from ptfan.engine.models import colour_model, flow_model
from ptfan.engine.prepare.colour_completion import LearnedColours
from ptfan.engine.prepare.flow import FlowCompletion, smooth_completion
from ptfan.engine.prepare.flow_completion import LearnedFlow
from ptfan.engine.prepare.propagation import ColourCompletion
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.spec import CompletionName, Fill

__all__ = ["Completions"]


@dataclass(frozen=True, eq=False)
class Completions(Closing):
    """Both completions; a context manager, which frees their networks at its end."""

    flow: FlowCompletion = smooth_completion
    """Decides on the flow inside the holes."""
    colours: ColourCompletion | None = None
    """Decides on the colours that no frame shows; they stay smooth if None."""

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
        # They are small, and stand between steps that the CPU does: a GPU or more threads would gain nothing.
        return cls(
            LearnedFlow(open_runner(flow_model(), backend="onnxruntime", threads=1))
            if flow == "learned"
            else smooth_completion,
            LearnedColours(open_runner(colour_model(), backend="onnxruntime", threads=1))
            if colours == "learned" and fill == "propagated"
            else None,
        )

    @property
    def files(self) -> dict[str, Path]:
        """The files of their networks, by `flow` and `colour`."""
        flow = {"flow": flow_model()} if isinstance(self.flow, LearnedFlow) else {}
        return flow | ({"colour": colour_model()} if isinstance(self.colours, LearnedColours) else {})

    def close(self) -> None:
        """Free the networks."""
        for completion in (self.flow, self.colours):
            if isinstance(completion, LearnedFlow | LearnedColours):
                completion.runner.close()
