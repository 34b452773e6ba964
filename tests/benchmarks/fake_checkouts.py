"""Folders that are laid out like the peers' published code, with small networks in them that pass on what they see."""

from __future__ import annotations

from pathlib import Path

STTN = """
import torch
import torchvision.models as models
from core.spectral_norm import norm

class InpaintGenerator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        print("built")
        self.encoder, self.decoder, self.seen = torch.nn.Conv2d(3, 4, 4, 4), torch.nn.ConvTranspose2d(4, 3, 4, 4), []

    def infer(self, features, *masks):
        self.seen.append((len(features), [mask.shape[0] for mask in masks]))
        return features
"""
FUSEFORMER = """
import torch
import torchvision.models as models

class InpaintGenerator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.seen = torch.nn.Parameter(torch.ones(())), []

    def forward(self, frames):
        self.seen.append(frames.shape[1])
        return self.scale * frames[0]
"""
E2FGVI = """
import torch
from mmcv.cnn import ConvModule, constant_init
from mmcv.ops import ModulatedDeformConv2d, modulated_deform_conv2d
from mmcv.runner import load_checkpoint

class Alignment(ModulatedDeformConv2d):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.conv_offset = torch.nn.Conv2d(self.in_channels, 27 * self.deform_groups, 3, 1, 1)
        constant_init(self.conv_offset, val=0, bias=0)

    def forward(self, x):
        first, second, mask = self.conv_offset(x).chunk(3, 1)
        offset = torch.cat((first, second), 1)
        return modulated_deform_conv2d(x, offset, mask.sigmoid(), self.weight, self.bias, self.stride, self.padding,
                                       self.dilation, self.groups, self.deform_groups)

class InpaintGenerator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        load_checkpoint(self, "a file on a server", strict=True)
        convolution = dict(in_channels=3, out_channels=4, kernel_size=7, stride=1, padding=3, norm_cfg=None)
        self.flow = ConvModule(**convolution, act_cfg=dict(type="ReLU"))
        self.align, self.seen = Alignment(4, 3, 3, padding=1, deform_groups=2), []

    def forward(self, frames, near):
        self.seen.append((frames.shape[1], near))
        return self.align(self.flow(frames[0])).tanh(), None
"""
RAFT = """
import torch

class RAFT_bi(torch.nn.Module):
    def __init__(self, path, device):
        super().__init__()
        self.seen = []
        torch.nn.DataParallel(self).load_state_dict(torch.load(path, map_location="cpu"))

    def forward(self, frames, iters):
        self.seen.append((frames.shape[1], iters))
        flow = torch.zeros(1, frames.shape[1] - 1, 2, *frames.shape[-2:])
        return flow, flow
"""
COMPLETION = """
import torch

class RecurrentFlowCompleteNet(torch.nn.Module):
    def forward_bidirect_flow(self, flows, masks):
        assert masks.shape[1] == flows[0].shape[1] + 1
        return flows, None

    def combine_flow(self, flows, completed, masks):
        return completed
"""
PROPAINTER = """
import torch
import torchvision

class InpaintGenerator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.deform, self.seen = torchvision.ops.deform_conv2d, []
        self.scale = torch.nn.Parameter(torch.ones(()))

    def img_propagation(self, frames, flows, masks, interpolation):
        return torch.full_like(frames, 0.5).flatten(0, 1), masks

    def forward(self, frames, flows, masks, left, near):
        self.seen.append((frames.shape[1], near, [flow.shape[1] for flow in flows]))
        return self.scale * frames[:, :near]
"""

FILES = {
    "STTN": {"model/sttn.py": STTN, "core/spectral_norm.py": "norm = None\n"},
    "video-subtitle-remover": {
        "backend/inpaint/sttn/auto_sttn.py": STTN.replace("core.", "backend.inpaint.utils."),
        "backend/inpaint/utils/spectral_norm.py": "norm = None\n",
    },
    "FuseFormer": {"model/fuseformer.py": FUSEFORMER, "core/spectral_norm.py": ""},
    "E2FGVI": {
        "model/e2fgvi.py": E2FGVI,
        "model/e2fgvi_hq.py": E2FGVI,
        "model/modules/feat_prop.py": "",
        "model/modules/flow_comp.py": "",
    },
    "ProPainter": {
        "RAFT/raft.py": "",
        "model/modules/flow_comp_raft.py": RAFT,
        "model/recurrent_flow_completion.py": COMPLETION,
        "model/propainter.py": PROPAINTER,
    },
}


def fake_checkout(folder: Path, name: str) -> Path:
    """Write a checkout of one of `FILES` into a folder; return its own."""
    for path, text in FILES[name].items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / name
