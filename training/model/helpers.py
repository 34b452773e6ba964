"""The helper networks, which work for those that fill holes, and what tells one kind of them from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from ptfan.engine.spec import Form
from ptfan.training.model.colour_completer import ColourCompleter, ColourCompleterConfig
from ptfan.training.model.flow_completer import FlowCompleter, FlowCompleterConfig
from ptfan.training.model.helper_config import HelperConfig
from ptfan.training.model.text_network import TextNetwork, TextNetworkConfig

__all__ = ["KINDS", "Helper", "HelperKind"]

Helper = FlowCompleter | ColourCompleter | TextNetwork
"""A network that completes something inside holes, or finds them, for those that fill them."""


@dataclass(frozen=True)
class HelperKind:
    """A kind of such networks."""

    form: Form
    """The form of its models, and their name."""
    name: str
    """What messages call it."""
    network: type[Helper]
    """The network."""
    config: type[HelperConfig]
    """Its config."""
    inputs: dict[str, int]
    """The inputs' names, in the order of the network's arguments, with their channels."""
    outputs: tuple[str, ...]
    """The outputs' names, in their order."""

    @property
    def key(self) -> str:
        """The name of the config in a checkpoint's metadata."""
        return f"ptfan.{self.form}_config"

    def build(self, config: Any) -> Helper:
        """Build the network of one of its configs, with fresh weights."""
        return self.network(config)


FLOW = HelperKind(
    "flow",
    "flow completion network",
    FlowCompleter,
    FlowCompleterConfig,
    {"flow": 4, "known": 1},
    ("completed", "spread"),
)
COLOUR = HelperKind(
    "colour",
    "colour completion network",
    ColourCompleter,
    ColourCompleterConfig,
    {"picture": 3, "confidence": 1, "hole": 1},
    ("completed",),
)
TEXT = HelperKind(
    "text",
    "text network",
    TextNetwork,
    TextNetworkConfig,
    {"picture": 3, "before": 3},
    ("score",),
)
KINDS: dict[type[nn.Module], HelperKind] = {kind.network: kind for kind in (FLOW, COLOUR, TEXT)}
"""The kinds by their networks."""
