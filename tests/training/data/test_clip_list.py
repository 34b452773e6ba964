from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training.data.clip_list import clip_list


def test_lists_of_clips(tmp_path: Path) -> None:
    path = tmp_path / "list"
    assert clip_list(None) is None
    with pytest.raises(InputNotFoundError, match="list of clips"):
        clip_list(path)
    for text in ("a\n  b \r\n\n", '["a", "b"]'):
        path.write_text(text, encoding="utf-8")
        assert clip_list(path) == frozenset({"a", "b"})
    path.write_text("a\nb\n", encoding="utf-8-sig")
    assert clip_list(path) == frozenset({"a", "b"})
    path.write_text("a\nb\n", encoding="utf-16")
    with pytest.raises(InputError, match="is no text in UTF-8; save it as one"):
        clip_list(path)
    path.write_text('["a",', encoding="utf-8")
    with pytest.raises(InputError, match="is no JSON array"):
        clip_list(path)
    for text, told in (("[" * 10**5, "is no JSON array"), ('["a", 1]', "is a JSON array, but not of texts alone")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=told):
            clip_list(path)
