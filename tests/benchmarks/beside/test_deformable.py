from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def deformable(load_script: Callable[[str], ModuleType]) -> Any:
    return load_script("benchmarks/beside/deformable.py")


def pixel(image: NDArray[Any], y: float, x: float) -> float:
    """Return what lies between four pixels of (H, W), zeros outside."""
    top, left = int(np.floor(y)), int(np.floor(x))
    value = 0.0
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
            value += (1 - abs(y - row)) * (1 - abs(x - column)) * image[row, column]
    return value


def slow_convolution(
    x: NDArray[Any],
    offset: NDArray[Any],
    weight: NDArray[Any],
    mask: NDArray[Any],
    stride: int,
    padding: int,
    dilation: int,
) -> NDArray[Any]:
    """Convolve one picture, (C, H, W), tap by tap."""
    depth, channels, rows, columns = weight.shape
    taps, (height, width) = rows * columns, offset.shape[-2:]
    groups = len(offset) // (2 * taps)
    answer = np.zeros((depth, height, width))
    for channel, tap, i, j in np.ndindex(channels, taps, height, width):
        place = channel // (channels // groups) * taps + tap
        y = i * stride - padding + tap // columns * dilation + offset[2 * place, i, j]
        at = j * stride - padding + tap % columns * dilation + offset[2 * place + 1, i, j]
        value = pixel(x[channel], y, at) * mask[place, i, j]
        answer[:, i, j] += weight[:, channel, tap // columns, tap % columns] * value
    return answer


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from((1, 2)),
    kernel=st.sampled_from(((3, 3), (1, 2))),
)
def test_it_equals_the_slow_reference(
    deformable: Any, seed: int, stride: int, padding: int, dilation: int, groups: int, kernel: tuple[int, int]
) -> None:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 4, 6, 7, generator=random)
    weight, bias = torch.randn(3, 4, *kernel, generator=random), torch.randn(3, generator=random)
    size = torch.nn.functional.conv2d(x, weight, None, stride, padding, dilation).shape[-2:]
    taps = kernel[0] * kernel[1]
    offset = 2 * torch.randn(2, 2 * groups * taps, *size, generator=random)
    mask = torch.rand(2, groups * taps, *size, generator=random)
    found = deformable.deform_conv2d(x, offset, weight, bias, (stride, stride), padding, dilation, mask)
    for index in range(2):
        slow = slow_convolution(
            x[index].numpy(), offset[index].numpy(), weight.numpy(), mask[index].numpy(), stride, padding, dilation
        )
        np.testing.assert_allclose(found[index].numpy(), slow + bias.numpy()[:, None, None], atol=2e-5)


def test_without_offsets_it_is_a_plain_convolution(deformable: Any) -> None:
    x, weight = torch.randn(1, 2, 5, 6), torch.randn(3, 2, 3, 3)
    found = deformable.deform_conv2d(x, torch.zeros(1, 18, 5, 6), weight, padding=1)
    torch.testing.assert_close(found, torch.nn.functional.conv2d(x, weight, padding=1))
