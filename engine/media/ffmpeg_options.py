"""Options that go to FFmpeg as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ptfan.engine.errors import InputError

__all__ = ["FfmpegOptions"]


class FfmpegOptions(Mapping[str, str]):
    """Options of FFmpeg's, by name: a copy that does not change. It shows their names alone, as some are secret.

    Args:
        values: What they are set to, by name.

    Raises:
        InputError: A name or a value is no text.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        if not isinstance(values, Mapping):
            raise InputError(f"options are a {type(values).__name__}, expected FFmpeg's options by name")
        for name, value in values.items():
            if not isinstance(name, str):
                raise InputError(f"an option is called {name!r}, expected text")
            if not isinstance(value, str):
                raise InputError(f"option {name!r} is {value!r}, expected text, as FFmpeg takes it")
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self._values, "***"))
