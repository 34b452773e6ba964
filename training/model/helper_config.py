"""What the configs of the helper networks have in common: they are one JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import ClassVar, TypeVar

from ptfan.engine.errors import ModelError
from ptfan.engine.typed_json import from_text

__all__ = ["HelperConfig"]

Config = TypeVar("Config", bound="HelperConfig")


@dataclass(frozen=True, kw_only=True)
class HelperConfig:
    """The architecture of a helper network; its fields are numbers and tuples of them."""

    what: ClassVar[str]
    """What messages call it."""

    def to_json(self) -> str:
        """Return the config as one JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls: type[Config], text: str) -> Config:
        """Read a config that `to_json` wrote.

        Raises:
            ModelError: the text is not JSON, or a field is unknown or out of range.
        """
        return from_text(cls, text, cls.what, raised=ModelError, advice="; was it written by a newer ptfan?")
