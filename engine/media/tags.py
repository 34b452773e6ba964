"""The tags of a file or a stream that speak of its content: title, language and the like."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["content_tags", "lost_tags"]

_OF_THE_FILE = {
    "encoder",
    "encoder_options",
    "duration",
    "major_brand",
    "minor_version",
    "compatible_brands",
    "vendor_id",
    "rotate",
    "software",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "source_id",
    "alpha_mode",
    # MXF's, which name the program and number the file.
    *("operational_pattern_ul", "uid", "generation_uid", "material_package_umid", "file_package_umid"),
    *("company_name", "product_name", "product_uid", "product_version", "product_version_num"),
    *("toolkit_version_num", "application_platform"),
}
"""Tags about how the old file was made; they are untrue of the new one."""


def content_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Leave out the tags that describe the old file rather than its content."""
    return {key: value for key, value in tags.items() if not _is_of_the_file(key.lower())}


def lost_tags(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Name the tags that did not arrive; upper and lower case make no difference."""
    there = {key.lower() for key in found}
    return [key for key in content_tags(wanted) if key.lower() not in there]


def _is_of_the_file(key: str) -> bool:
    """Tell whether a tag describes a file rather than its content; Matroska's statistics bear a language at the end."""
    return key.partition("-")[0] in _OF_THE_FILE or key.startswith("_statistics")
