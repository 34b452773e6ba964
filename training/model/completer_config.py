"""What the configs of the networks that complete flow and colours have in common: they are one JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeVar

from ptfan.engine.errors import ModelError

__all__ = ["CompleterConfig"]

Config = TypeVar("Config", bound="CompleterConfig")


@dataclass(frozen=True, kw_only=True)
class CompleterConfig:
    """The architecture of a network that completes something; its fields are numbers and tuples of them."""

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
        try:
            read: dict[str, Any] = json.loads(text)
            values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in read.items()}
            return cls(**values)
        except ModelError:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{cls.what}: cannot be read ({error}); expected what ptfan wrote") from error
