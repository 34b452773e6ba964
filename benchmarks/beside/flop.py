"""How much torch computes in a call, without computing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["count_flop"]

aten: Any = torch.ops.aten
COUNTED = {aten.convolution.default, aten.mm.default, aten.addmm.default, aten.bmm.default, aten.baddbmm.default}
"""What takes nearly all of a network's time, and is all that torch counts of these."""


def count_flop(call: Callable[[], object]) -> int:
    """Count the floating-point operations of convolutions and matrix products; a multiply-add is two.

    Args:
        call: is made, with zeros for the results of those.
    """
    counter = FlopCounterMode(display=False)
    with _Skipping(), counter:  # type: ignore[no-untyped-call]
        call()
    return int(counter.get_total_flops())


class _Skipping(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Answers with zeros of the right shape."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in COUNTED:
            return func(*args, **(kwargs or {}))
        shapes = tree_map_only(torch.Tensor, lambda tensor: tensor.to("meta"), (args, kwargs or {}))
        return torch.zeros_like(func(*shapes[0], **shapes[1]), device=args[0].device)
