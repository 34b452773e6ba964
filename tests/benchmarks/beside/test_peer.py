from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.fake_checkouts import FILES, fake_checkout

torch = pytest.importorskip("torch")

SIZE = (60, 108)
"""(H, W) of the frames: E2FGVI takes multiples of it."""
CLIP = 12
"""Frames; windows of 6, 11 and 7 are filled, each is shown 0 or 10 where it has it not."""
WINDOWS = [(7, 6), (11, 11), (8, 7)]
"""Frames that each is shown, and how many of them it fills."""


@pytest.fixture(scope="module")
def peers(load_script: Callable[[str], ModuleType]) -> Any:
    """Return the classes by name."""
    load_script("benchmarks/peers.py")
    return importlib.import_module("beside.roster").PEERS


@pytest.fixture
def make(peers: Any, tmp_path: Path) -> Callable[[str], Any]:
    return lambda name: peers[name](fake_checkout(tmp_path, peers[name].what))


@pytest.fixture
def clip() -> tuple[list[Any], Any]:
    images = [np.random.default_rng(index).integers(0, 255, (*SIZE, 3), np.uint8) for index in range(CLIP)]
    hole = np.zeros(SIZE, bool)
    hole[20:40, 30:60] = True
    return images, hole


def test_windows_are_those_of_the_published_tests(peers: Any) -> None:
    windows = list(importlib.import_module("beside.peer").windows(23))
    assert [(near[0], near[-1], far) for near, far in windows] == [
        (0, 5, [10, 20]),
        (0, 10, [20]),
        (5, 15, [0, 20]),
        (10, 20, [0]),
        (15, 22, [0, 10]),
    ]


class TestNetworks:
    @pytest.mark.parametrize("name", ["sttn", "subtitle-remover", "fuseformer", "e2fgvi", "e2fgvi-hq", "propainter"])
    def test_outside_the_hole_nothing_changes(self, make: Any, clip: Any, name: str) -> None:
        images, hole = clip
        done = make(name).inpaint(images, hole)
        assert len(done) == CLIP
        for image, picture in zip(images, done, strict=True):
            assert picture.shape == image.shape
            assert np.array_equal(picture[~hole], image[~hole])
            assert not np.array_equal(picture[hole], image[hole])

    def test_sttn_encodes_once_and_is_shown_masks(self, make: Any, clip: Any) -> None:
        peer = make("sttn")
        peer.inpaint(*clip)
        assert peer.networks[0].seen == [(shown, [shown]) for shown, _ in WINDOWS]

    def test_the_subtitle_remover_is_shown_no_masks(self, make: Any, clip: Any) -> None:
        peer = make("subtitle-remover")
        assert peer.size == (640, 120)
        peer.inpaint(*clip)
        assert peer.networks[0].seen == [(shown, []) for shown, _ in WINDOWS]

    def test_fuseformer_is_shown_frames_with_grey_holes(self, make: Any, clip: Any) -> None:
        peer, (images, hole) = make("fuseformer"), clip
        done = peer.inpaint(images, hole)
        assert peer.networks[0].seen == [shown for shown, _ in WINDOWS]
        assert all((picture[hole] == 127).all() for picture in done)

    @pytest.mark.parametrize("name", ["e2fgvi", "e2fgvi-hq"])
    def test_e2fgvi_knows_which_frames_are_near(self, make: Any, clip: Any, name: str) -> None:
        peer = make(name)
        peer.inpaint(*clip)
        assert peer.networks[0].seen == WINDOWS

    def test_propainter_carries_pixels_first(self, make: Any, clip: Any) -> None:
        peer, (images, hole) = make("propainter"), clip
        done = peer.inpaint(images * 2, hole)
        flow, _, network = peer.networks
        assert flow.seen == [(12, 20), (13, 20)]
        assert network.seen[0] == (8, 6, [5, 5])
        assert [near for _, near, _ in network.seen] == [6, 11, 11, 11, 9]
        assert all((picture[hole] == 191).all() for picture in done)

    def test_weights_are_the_same_each_time(self, make: Any) -> None:
        first, second = (make("sttn").networks[0].encoder.weight for _ in range(2))
        assert first.equal(second)

    def test_all_parameters_are_counted(self, make: Any) -> None:
        assert make("sttn").parameters == 3 * 4 * 16 + 4 + 4 * 3 * 16 + 3
        assert make("propainter").parameters == 1

    def test_nothing_of_it_stays(
        self, make: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = ModuleType("core")
        monkeypatch.setitem(sys.modules, "core", ours)  # of somebody else, and of the same name
        names = ("core", "core.spectral_norm", "model", "torchvision", "mmcv", "mmcv.ops")
        before, paths = {name: sys.modules.get(name) for name in names}, list(sys.path)
        for name in ("sttn", "e2fgvi"):
            assert make(name).networks
        assert {name: sys.modules.get(name) for name in before} == before
        assert sys.path == paths
        assert capsys.readouterr().out == ""
        assert list(make("sttn").folder.rglob("*.pyc")) == []


def test_where_windows_overlap_the_later_one_counts_half(peers: Any, tmp_path: Path, clip: Any) -> None:
    base: Any = peers["sttn"]

    class Grey(base):  # type: ignore[misc]
        needed = ()

        def fill(self, frames: Any, holes: Any) -> Iterator[tuple[list[int], Any]]:
            for near, value in (([0, 1], 0.0), ([1, 2], 1.0)):
                yield near, torch.full((2, 3, *SIZE), value)

    images, hole = clip
    done = Grey(tmp_path).inpaint(images[:3], hole)
    assert [picture[hole].max() for picture in done] == [127.0, 191.0, 255.0]


@pytest.mark.parametrize("checkout", FILES)
def test_every_needed_file_is_missed(peers: Any, tmp_path: Path, checkout: str) -> None:
    (peer,) = {peer.what: peer for peer in peers.values() if peer.what == checkout}.values()
    folder = fake_checkout(tmp_path, checkout)
    for name in peer.needed:
        (folder / name).rename(folder / "aside")
        with pytest.raises(FileNotFoundError, match=f"has no {name}, expected a checkout of {checkout}"):
            peer(folder)
        (folder / "aside").rename(folder / name)
