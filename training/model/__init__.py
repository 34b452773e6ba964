"""The generator and its parts."""

from __future__ import annotations

from ptfan.training.model.config import PRESETS, GeneratorConfig, preset
from ptfan.training.model.decoder import Parts
from ptfan.training.model.generator import Generator

__all__ = ["PRESETS", "Generator", "GeneratorConfig", "Parts", "preset"]
