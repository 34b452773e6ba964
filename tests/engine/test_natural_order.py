"""Names are sorted as people do."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.natural_order import files_in, natural_key


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_are_sorted_by_their_value(numbers: list[int]) -> None:
    names = [f"frame_{number}.png" for number in numbers]
    assert sorted(names, key=natural_key) == [f"frame_{number}.png" for number in sorted(numbers)]


@given(st.lists(st.text(), unique=True))
def test_any_names_have_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_a_digit_that_is_no_number_is_a_letter() -> None:
    assert sorted(["b²1.png", "b²10.png", "b²9.png"], key=natural_key) == ["b²1.png", "b²9.png", "b²10.png"]


def test_files_of_a_kind_without_hidden_ones_folders_pipes_and_devices(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", ".1.png", "2.txt"):
        (tmp_path / name).touch()
    (tmp_path / "3.png").mkdir()
    os.mkfifo(tmp_path / "4.png")
    (tmp_path / "5.png").symlink_to("/dev/zero")
    (tmp_path / "b.png").symlink_to(tmp_path / "not there")
    found = files_in(tmp_path, lambda path: path.suffix == ".png")
    assert [path.name for path in found] == ["9.png", "10.png", "b.png"]
