"""The figures of results: their mean, and how JSON holds those that are no finite number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

__all__ = ["mean_figure", "plain_figures", "read_figures"]


def mean_figure(values: Iterable[float]) -> float:
    """Return the mean of the values that are not nan; nan if there are none."""
    measured = [value for value in values if not math.isnan(value)]
    return float(np.mean(measured)) if measured else math.nan


def plain_figures(values: Mapping[str, float]) -> dict[str, float | str | None]:
    """Return figures for JSON, which knows neither nan (null) nor infinity ("inf")."""
    return {name: _plain(value) for name, value in values.items()}


def read_figures(plain: Mapping[str, float | str | None]) -> dict[str, float]:
    """Return the figures that `plain_figures` made plain."""
    return {name: math.nan if value is None else float(value) for name, value in plain.items()}


def _plain(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else "inf"
