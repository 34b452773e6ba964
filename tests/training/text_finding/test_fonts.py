from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from ptfan.engine.errors import InputError
from ptfan.training.text_finding.fonts import Script, find_fonts

LATIN = Path(get_data_path()) / "fonts" / "ttf"


def test_fonts_are_found_by_the_scripts_that_they_have() -> None:
    fonts = find_fonts(LATIN)
    names = [{Path(path).name for _, path in found} for found in fonts.by_script]
    assert "DejaVuSans.ttf" in names[0]
    assert not any("STIXSizOneSymReg.ttf" in found for found in names)  # brackets alone
    for found in fonts.by_script:
        assert all(script.letters for script, _ in found)


def test_those_that_are_installed_are_taken_with_matplotlibs() -> None:
    paths = {path for found in find_fonts().by_script for _, path in found}
    assert str(LATIN / "DejaVuSans.ttf") in paths


def test_a_folder_without_fonts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(InputError, match=r"none of the 1 in .* has letters"):
        find_fonts(tmp_path)


def test_a_script_and_a_font_are_chosen_by_weight() -> None:
    fonts, rng = find_fonts(LATIN), np.random.default_rng(0)
    chosen = [fonts.choose(rng) for _ in range(200)]
    assert len({script.letters for script, _ in chosen}) > 1
    counts = Counter(script.weight for script, _ in chosen)
    assert counts.most_common(1)[0][0] == max(counts)


def test_words_are_of_their_script() -> None:
    rng = np.random.default_rng(0)
    words = [word for _ in range(30) for word in Script("abc", 1, word=(2, 4)).words(rng, 10)]
    letters = set("".join(words).lower())
    assert letters <= set("abc0123456789,.!?:;-\"'")
    assert letters > set("abc")
    assert {len(word.strip(",.!?:;-\"'")) for word in words} == {2, 3, 4}
