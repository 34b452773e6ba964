"""The one measure of a run that tells how good its network is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Headline"]


@dataclass(frozen=True)
class Headline:
    """An entry of the log, and what people are told of it."""

    name: str
    """The entry's name."""
    axis: str
    """The label of its axis in the curves."""
    form: str
    """The text of the progress line, with a place for the number: `{:.2f} dB in the hole`."""

    def tell(self, measures: dict[str, float]) -> str:
        """Return the text for an entry of the log."""
        return self.form.format(measures[self.name])
