from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.prepare.flow import FlowPair
from ptfan.training.data.flow.cache import STEP, FlowCache, FlowInfo, FlowSource, encode_pair

SIZE = (41, 30)


def smooth(seed: int, scale: float = 5.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    a, b, c, d = rng.uniform(0.02, 0.1, 4)
    return (scale * np.stack([np.sin(a * x + b * y), np.cos(c * x - d * y)], axis=-1)).astype(np.float32)


def pair(seed: int) -> FlowPair:
    valid = np.zeros(SIZE[::-1], bool)
    valid[:16, :20] = True
    return FlowPair(smooth(seed), smooth(seed + 1), valid, ~valid)


def write(folder: Path, grid: int = 1, cuts: tuple[int, ...] = ()) -> FlowCache:
    cache = FlowCache(folder)
    info = FlowInfo("print", 5, SIZE, grid, "dis", cuts)
    cache.write("clip", info, {t: encode_pair(pair(t), grid) for t in info.pairs()})
    return cache


def test_flow_comes_back_within_the_stated_precision(tmp_path: Path) -> None:
    cache = write(tmp_path)
    stored = cache.read("clip", [3, 1])
    assert sorted(stored) == [1, 3]
    for t, flow in stored.items():
        assert flow.forward.dtype == np.int16
        assert np.abs(flow.forward * STEP - pair(t).forward).max() <= STEP / 2
        assert np.abs(flow.backward * STEP - pair(t).backward).max() <= STEP / 2


def test_a_coarse_grid_is_smaller_and_close(tmp_path: Path) -> None:
    fine, coarse = write(tmp_path / "1"), write(tmp_path / "2", grid=2)
    assert coarse.read("clip", [0])[0].forward.shape == (15, 21, 2)
    assert coarse.path("clip").stat().st_size < 0.6 * fine.path("clip").stat().st_size
    blocks = coarse.read("clip", [0])[0].forward[:, :20] * STEP
    whole = np.repeat(np.repeat(blocks, 2, axis=0), 2, axis=1)
    assert np.abs(whole - pair(0).forward[:, :40]).max() < 1.0
    with np.load(coarse.path("clip"), allow_pickle=False) as file:
        assert np.unpackbits(file["valid_00000"])[: 15 * 21].sum() == 8 * 10


def test_far_vectors_are_held_at_the_range_s_end(tmp_path: Path) -> None:
    far = FlowPair(
        np.full((4, 4, 2), 5000, np.float32), np.full((4, 4, 2), -5000, np.float32), *[np.ones((4, 4), bool)] * 2
    )
    stored = encode_pair(far, 1)["flow"] * STEP
    assert stored.max() == pytest.approx(1023.97, abs=0.01)
    assert stored.min() == -1024


def test_numpy_reads_it_without_us(tmp_path: Path) -> None:
    with np.load(write(tmp_path).path("clip"), allow_pickle=False) as file:
        assert file["flow_00000"].shape == (2, *SIZE[::-1], 2)
        assert np.unpackbits(file["valid_00000"])[: 30 * 41].sum() == 16 * 20
        assert json.loads(file["info.json"])["method"] == "dis"


def test_what_a_file_says_of_itself(tmp_path: Path) -> None:
    info = write(tmp_path, cuts=(2,)).info("clip")
    assert info == FlowInfo("print", 5, SIZE, 1, "dis", (2,))
    assert info.pairs() == [0, 2, 3]


def test_nothing_leads_over_a_cut(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="flow_00001"):
        write(tmp_path, cuts=(2,)).read("clip", [1])


def test_checks_against_the_clips(tmp_path: Path) -> None:
    cache, source = write(tmp_path), FlowSource("print", 5, SIZE)
    assert cache.check({"clip": source})["clip"].source == source
    for other in (replace(source, fingerprint="another"), replace(source, frames=6)):
        with pytest.raises(InputError, match=r"clip\.npz: is of other frames; compute it again by ptfan flow"):
            cache.check({"clip": other})
    with pytest.raises(InputNotFoundError, match="lacks 2 of 3 clips, first x; compute them by ptfan flow"):
        cache.check({"clip": source, "x": source, "y": source})


def test_flow_of_frames_of_another_size_is_refused(tmp_path: Path) -> None:
    width, height = SIZE
    with pytest.raises(InputError, match=rf"of frames of {width}x{height}, expected 600x340; give ptfan"):
        write(tmp_path).check({"clip": FlowSource("print", 5, (600, 340))})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("version", 2, "is of version 2, expected 1; compute it again"),
        ("grid", "2", r"cannot be read \(info\.json: grid is '2', expected a whole number\); compute it again"),
        ("cuts", [1.5], r"cannot be read \(info\.json: cuts is 1\.5, expected a whole number\); compute it again"),
    ],
)
def test_files_of_another_version_or_kind_are_refused(tmp_path: Path, name: str, value: object, told: str) -> None:
    cache = write(tmp_path)
    with zipfile.ZipFile(cache.path("clip")) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members["info.json"] = json.dumps({**json.loads(members["info.json"]), name: value}).encode()
    with zipfile.ZipFile(cache.path("clip"), "w") as file:
        for member, content in members.items():
            file.writestr(member, content)
    with pytest.raises(InputError, match=told):
        cache.check({"clip": FlowSource("print", 5, SIZE)})


@pytest.mark.parametrize("damage", ["bits", "cut off", "empty", "no member", "bad info", "pickle"])
def test_damage_is_found_and_named(tmp_path: Path, damage: str) -> None:
    cache = write(tmp_path)
    assert cache.damage("clip") is None
    path = cache.path("clip")
    content = bytearray(path.read_bytes())
    if damage == "bits":
        with zipfile.ZipFile(path) as file:
            member = file.getinfo("flow_00002.npy")
        content[member.header_offset + 60 + member.compress_size // 2] ^= 0xFF
    path.write_bytes(content[: len(content) // 2] if damage == "cut off" else b"" if damage == "empty" else content)
    if damage in ("no member", "bad info", "pickle"):
        rewrite(path, damage)
    found = cache.damage("clip")
    assert found is not None
    assert str(path) in found
    if damage != "bad info":
        with pytest.raises(InputError, match=r"clip\.npz"):
            cache.read("clip", range(4))


def rewrite(path: Path, damage: str) -> None:
    """Write a file anew, sound as an archive but wrong."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    if damage == "no member":
        del members["flow_00002.npy"]
    elif damage == "bad info":
        members["info.json"] = b'{"method": "dis"}'
    else:
        buffer = io.BytesIO()
        np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
        members["flow_00002.npy"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"none\.npz: is not there; compute it by ptfan flow"):
        FlowCache(tmp_path).read("none", [0])
