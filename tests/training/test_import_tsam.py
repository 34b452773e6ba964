"""The import, against an account of the published network that was written from its description alone."""

import argparse
import collections
import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ptfan.engine.cli import main
from ptfan.engine.errors import InputError, InputNotFoundError, ModelError, OutputError, OutputExistsError
from ptfan.engine.models import file_sha256
from ptfan.training.checkpoint import load_checkpoint
from ptfan.training.import_tsam import import_tsam, published_shapes, read_published

BASE = "coarse_net.downsample_module.base_model."
DECODER = "coarse_net.upsample_module."
OPTIONAL = ("num_batches_tracked", "weight_orig", "weight_u", "weight_v")
DILATIONS = {1: (1, 1, 1), 2: (1, 1, 1, 1), 3: (1, 2, 2, 2, 2, 2), 4: (2, 4, 4)}
GATED = {"conv_c2": (512, 256, 1), "conv_c4": (1024, 256, 1), "conv9": (256, 256, 3), "conv10": (256, 256, 3)}
ENLARGING = {"deconv1": 2048, "deconv2": 256, "deconv3": 256}


def norm(name, channels):
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def wrapped(name, outputs, inputs, kernel, spectral):
    """A convolution of the published decoder: the effective one is `layer`, the wrapper holds copies."""
    shape = (outputs, inputs, kernel, kernel)
    yield f"{name}.bias", (outputs,)
    yield f"{name}.layer.weight", shape
    yield f"{name}.layer.bias", (outputs,)
    if spectral:
        yield f"{name}.weight_orig", shape
        yield f"{name}.weight_u", (outputs,)
        yield f"{name}.weight_v", (inputs * kernel * kernel,)
    else:
        yield f"{name}.weight", shape


def bottleneck(name, inputs, width, shortcut):
    for part in ("net", "gating_conv"):
        yield f"{name}.conv1.{part}.weight", (width, inputs, 1, 1)
    yield from norm(f"{name}.bn1", width)
    yield f"{name}.conv2.weight", (width, width, 3, 3)
    yield from norm(f"{name}.bn2", width)
    yield f"{name}.conv3.weight", (4 * width, width, 1, 1)
    yield from norm(f"{name}.bn3", 4 * width)
    if shortcut:
        yield f"{name}.downsample.0.weight", (4 * width, inputs, 1, 1)
        yield from norm(f"{name}.downsample.1", 4 * width)


def published_keys():
    """Yield the names and shapes of a published generator, from its architecture."""
    yield f"{BASE}conv1.weight", (64, 5, 7, 7)
    yield from norm(f"{BASE}bn1", 64)
    inputs = 64
    for stage, dilations in DILATIONS.items():
        width = 32 * 2**stage
        for block in range(len(dilations)):
            yield from bottleneck(f"{BASE}layer{stage}.{block}", inputs, width, shortcut=block == 0)
            inputs = 4 * width
    for layer, (channels, outputs, kernel) in GATED.items():
        for part in ("featureConv", "gatingConv"):
            yield from wrapped(f"{DECODER}{layer}.{part}", outputs, channels, kernel, spectral=True)
    for layer, channels in ENLARGING.items():
        yield from wrapped(f"{DECODER}{layer}.conv.featureConv", 256, channels, 1, spectral=True)
    for part in ("featureConv", "gatingConv"):
        yield from wrapped(f"{DECODER}conv11.{part}", 3, 256, 3, spectral=False)


def random_weights(seed=0):
    """Give every tensor of the file a random value; the wrappers' copies differ from what counts."""
    random = torch.Generator().manual_seed(seed)
    state = {}
    for key, shape in published_keys():
        value = torch.randn(shape, generator=random)
        if key.endswith("num_batches_tracked"):
            value = torch.tensor(1234)
        elif key.endswith("running_var"):
            value = value.abs() + 0.5
        elif len(shape) == 4:
            value *= (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        elif key.endswith("weight") and len(shape) == 1:
            value = (0.3 if ".bn3." in key or "downsample" in key else 1.0) + 0.1 * value
        else:
            value *= 0.2
        state[key] = value
    return state


def empty_weights():
    """Tensors of the right shapes that take no room in a file: every element is the same one."""
    return {key: torch.zeros(()).expand(shape) for key, shape in published_keys()}


class Published:
    """The published network, one step after the other as it is described; slow where ours is clever."""

    def __init__(self, state, slow_alignment):
        self.state, self.slow_alignment = state, slow_alignment

    def align(self, x, flows, fold):
        """Resize the flows to the features, and align pixel by pixel."""
        height, width = x.shape[-2:]
        resized = [F.interpolate(flow, (height, width), mode="nearest") for flow in flows]
        scale = torch.tensor([width / flows[0].shape[-1], height / flows[0].shape[-2]]).reshape(1, 2, 1, 1)
        forward, backward = ((flow * scale).numpy() for flow in resized[:2])
        masks = (mask[:, 0].numpy() for mask in resized[2:])
        aligned = self.slow_alignment(x.numpy(), forward, backward, *masks, x.shape[1] // fold)
        return torch.from_numpy(aligned.astype(np.float32))

    def norm(self, name, x):
        mean, variance, weight, bias = (
            self.state[f"{name}.{part}"].reshape(1, -1, 1, 1)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(variance + 1e-5) * weight + bias

    def bottleneck(self, name, x, flows, stride, dilation):
        aligned = self.align(x, flows, 8)
        feature, gate = (
            F.conv2d(aligned, self.state[f"{name}.conv1.{part}.weight"]) for part in ("net", "gating_conv")
        )
        y = F.relu(self.norm(f"{name}.bn1", torch.sigmoid(gate) * feature))
        y = F.conv2d(y, self.state[f"{name}.conv2.weight"], stride=stride, padding=dilation, dilation=dilation)
        y = F.relu(self.norm(f"{name}.bn2", y))
        y = self.norm(f"{name}.bn3", F.conv2d(y, self.state[f"{name}.conv3.weight"]))
        if f"{name}.downsample.0.weight" in self.state:
            x = F.conv2d(x, self.state[f"{name}.downsample.0.weight"], stride=stride)
            x = self.norm(f"{name}.downsample.1", x)
        return F.relu(x + y)

    def encode(self, x, flows):
        x = F.conv2d(x, self.state[f"{BASE}conv1.weight"], stride=2, padding=3)
        x = F.max_pool2d(F.relu(self.norm(f"{BASE}bn1", x)), 3, stride=2, padding=1)
        for stage, dilations in DILATIONS.items():
            for block, dilation in enumerate(dilations):
                stride = 2 if (stage, block) == (2, 0) else 1
                x = self.bottleneck(f"{BASE}layer{stage}.{block}", x, flows, stride, dilation)
            yield x

    def convolve(self, name, x):
        weight, bias = (self.state[f"{DECODER}{name}.layer.{part}"] for part in ("weight", "bias"))
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    def gated(self, name, x, flows, activate=True):
        feature = self.convolve(f"{name}.featureConv", self.align(x, flows, 4))
        feature = F.leaky_relu(feature, 0.2) if activate else feature
        return torch.sigmoid(self.convolve(f"{name}.gatingConv", x)) * feature

    def enlarging(self, name, x):
        return F.leaky_relu(self.convolve(f"{name}.conv.featureConv", enlarge(x, 2)), 0.2)

    def __call__(self, frames, known, guidance, flows):
        """Frames (T, 3, H, W), `known` 1 where known, flows and their masks (1 where invalid) of T - 1 entries."""
        c1, c2, c4, c8 = self.encode(torch.cat((frames * known, known, guidance), 1), flows)
        c2, c4 = self.gated("conv_c2", c2, flows), self.gated("conv_c4", c4, flows)
        y = self.gated("conv9", self.enlarging("deconv1", c8) + enlarge(c4, 2), flows)
        y = self.gated("conv10", self.enlarging("deconv2", y) + enlarge(c2, 4), flows)
        return self.gated("conv11", self.enlarging("deconv3", y) + enlarge(c1, 4), flows, activate=False)


def enlarge(x, factor):
    return F.interpolate(x, scale_factor=factor, mode="nearest")


@pytest.fixture(scope="module")
def weights():
    return random_weights()


@pytest.fixture(scope="module")
def imported(weights, tmp_path_factory):
    """A training checkpoint as published, with what else stands in it, and what the import made of it."""
    folder = tmp_path_factory.mktemp("published")
    state = collections.OrderedDict((f"generator.{key}", value) for key, value in weights.items())
    state["temporal_discriminator.conv1.weight"] = torch.zeros(4)
    other = {"epoch": 3, "logger": argparse.Namespace(entries={1: "first"}), "monitor_best": 0.1}
    torch.save({"state_dict": state, **other}, folder / "published.pth")
    written = import_tsam(folder / "published.pth", folder / "r50.safetensors")
    return folder, written


class TestNumbers:
    @pytest.mark.parametrize(("frames", "height", "width"), [(3, 16, 24), (1, 8, 8), (2, 24, 16)])
    def test_they_are_the_published_networks(self, imported, weights, slow_alignment, frames, height, width):
        random = torch.Generator().manual_seed(frames)

        def noise(count, channels):
            return torch.rand(count, channels, height, width, generator=random)

        pictures, known, guidance = noise(frames, 3), (noise(frames, 1) < 0.7).float(), noise(frames, 1)
        flows = [12 * noise(frames - 1, 2) - 6 for _ in range(2)]
        masks = [(noise(frames - 1, 1) < 0.15).float() for _ in range(2)]
        last, first = (noise(1, 2) for _ in range(2))
        one = torch.ones(1, 1, height, width)
        with torch.no_grad():
            published = Published(weights, slow_alignment)(pictures, known, guidance, [*flows, *masks])
            ours = imported[1].generator()(
                pictures,
                1 - known,
                guidance,
                torch.cat((flows[0], last)),
                torch.cat((first, flows[1])),
                torch.cat((1 - masks[0], one)),
                torch.cat((one, 1 - masks[1])),
            )
        assert published.std() > 0.05
        assert (ours - published).abs().max() <= 1e-4

    def test_the_imported_file_holds_what_was_returned(self, imported, weights):
        folder, written = imported
        loaded = load_checkpoint(folder / "r50.safetensors")
        assert loaded.config == written.config
        assert (loaded.config.name, loaded.config.convention, loaded.config.fill) == ("r50", "tsam", "zero")
        assert loaded.record == written.record
        assert loaded.record["imported_from"] == "published.pth"
        assert loaded.record["imported_sha256"] == file_sha256(folder / "published.pth")
        assert all(torch.equal(loaded.state[key], value) for key, value in written.state.items())

    def test_of_the_decoders_copies_the_layers_own_counts(self, imported, weights):
        state = imported[1].state
        for ours, theirs in (("head.gate", "conv11.gatingConv"), ("reduce1.conv", "deconv1.conv.featureConv")):
            for part in ("weight", "bias"):
                assert torch.equal(state[f"decoder.{ours}.{part}"], weights[f"{DECODER}{theirs}.layer.{part}"])
        assert not torch.equal(
            weights[f"{DECODER}deconv1.conv.featureConv.layer.weight"],
            weights[f"{DECODER}deconv1.conv.featureConv.weight_orig"],
        )


class TestKeys:
    def test_what_is_read_is_the_generators_alone_by_its_own_keys(self, imported, weights):
        state = read_published(imported[0] / "published.pth")
        assert state.keys() == weights.keys()
        assert all(torch.equal(state[key], value) for key, value in weights.items())

    def test_the_expected_keys_are_the_published_ones(self):
        entries = published_shapes()
        assert {key: entry.shape for key, entry in entries.items()} == dict(published_keys())
        assert {key for key, entry in entries.items() if not entry.required} == {
            key for key, _ in published_keys() if key.endswith(OPTIONAL)
        }

    def test_as_many_values_as_were_published(self):
        assert sum(np.prod(shape, dtype=int) for _, shape in published_keys()) / 1e6 == pytest.approx(35.55, abs=0.005)

    @pytest.mark.parametrize(("prefix", "wrapped"), [("", True), ("generator.", False)])
    def test_with_and_without_prefix_and_wrapper(self, tmp_path, prefix, wrapped):
        state = {prefix + key: value for key, value in empty_weights().items()}
        torch.save({"state_dict": state} if wrapped else state, tmp_path / "a.pth")
        import_tsam(tmp_path / "a.pth", tmp_path / "a.safetensors")
        assert load_checkpoint(tmp_path / "a.safetensors").config.name == "r50"

    def test_the_copies_and_counters_may_be_absent(self, tmp_path):
        state = {key: value for key, value in empty_weights().items() if not key.endswith(OPTIONAL)}
        torch.save(state, tmp_path / "a.pth")
        written = import_tsam(tmp_path / "a.pth", tmp_path / "a.safetensors")
        assert written.state["encoder.norm.num_batches_tracked"] == 0

    def test_a_file_of_the_older_format_and_of_half_precision(self, tmp_path):
        state = {key: torch.ones((), dtype=torch.float16).expand(shape) for key, shape in published_keys()}
        torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
        written = import_tsam(tmp_path / "a.pth", tmp_path / "a.safetensors")
        assert written.state["encoder.stem.weight"].dtype == torch.float32


STEM = f"{BASE}conv1.weight"
HEAD = f"{DECODER}conv11.gatingConv.layer.weight"


def refusal(tmp_path, content):
    """Try to import what is given; return what is told, which is one line and begins with the file's name."""
    path = tmp_path / "a.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ModelError) as caught:
        import_tsam(path, tmp_path / "a.safetensors")
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    assert list(tmp_path.iterdir()) == [path]
    return text.removeprefix(f"{path}: ")


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({STEM: None}, f"missing {STEM} (1 in all)"),
            ({STEM: None, HEAD: None}, f"missing {STEM} (2 in all)"),
            ({"coarse_net.extra": torch.zeros(2)}, "unknown coarse_net.extra (1 in all)"),
            ({HEAD: None, f"{HEAD}s": torch.zeros(1)}, f"missing {HEAD} (1 in all); unknown {HEAD}s (1 in all)"),
            ({STEM: torch.zeros(64, 4, 7, 7)}, f"{STEM} has shape (64, 4, 7, 7), expected (64, 5, 7, 7)"),
            ({HEAD: [1.0]}, f"{HEAD} is a list, expected a tensor of shape (3, 256, 3, 3)"),
            (
                {f"{DECODER}conv9.gatingConv.weight_u": torch.zeros(3)},
                f"{DECODER}conv9.gatingConv.weight_u has shape (3,), expected (256,)",
            ),
        ],
    )
    def test_what_does_not_fit_is_named(self, tmp_path, changes, told):
        state = {key: value for key, value in (empty_weights() | changes).items() if value is not None}
        assert refusal(tmp_path, state) == f"not the published generator's weights: {told}"

    def test_a_key_is_missed_under_its_prefix_too(self, tmp_path):
        state = {f"generator.{key}": value for key, value in empty_weights().items() if key != STEM}
        assert f"missing {STEM}" in refusal(tmp_path, {"state_dict": state})

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ([1, 2], "holds a list, expected a state dict"),
            (torch.zeros(3), "holds a Tensor, expected a state dict"),
            ({}, "holds an empty dict"),
            ({"state_dict": None}, "holds a NoneType"),
            (argparse.Namespace(seed=1), "holds an object of a class that is not loaded"),
            ({"x": argparse.Namespace(seed=1)}, "not the published generator's weights: missing"),
            (b"", "cannot be read as a PyTorch file"),
            (b"<html>404</html>", "cannot be read as a PyTorch file"),
            (b"PK\x03\x04 and no more", "cannot be read as a PyTorch file"),
            (b"\x80\x04}.", "cannot be read as a PyTorch file"),
        ],
    )
    def test_a_file_of_another_kind(self, tmp_path, content, told):
        assert told in refusal(tmp_path, content)

    def test_a_file_that_is_called_safetensors_and_is_none(self, tmp_path):
        """Recent releases of torch read these, by their ending."""
        path = tmp_path / "a.safetensors"
        path.write_bytes(b"\x80\x04} and no more, whatever its name says.")
        with pytest.raises(ModelError, match="cannot be read as a PyTorch file"):
            read_published(path)

    @pytest.mark.parametrize("function", [os.mkdir, eval])
    def test_nothing_in_the_file_is_run(self, tmp_path, function):
        """Loaded without care, this file would make a folder."""
        trace = tmp_path.parent / f"{tmp_path.name}_run"
        argument = str(trace) if function is os.mkdir else f"__import__('os').mkdir({str(trace)!r})"

        class Hostile:
            def __reduce__(self):
                return function, (argument,)

        told = refusal(tmp_path, {"state_dict": empty_weights(), "logger": Hostile()})
        assert "refused, it would run" in told
        assert function.__name__ in told
        assert not trace.exists()

    def test_no_file(self, tmp_path):
        with pytest.raises(InputNotFoundError, match=r"missing\.pth: no such file"):
            import_tsam(tmp_path / "missing.pth", tmp_path / "a.safetensors")

    def test_an_output_that_exists(self, tmp_path):
        torch.save(empty_weights(), tmp_path / "a.pth")
        target = tmp_path / "a.safetensors"
        target.write_bytes(b"old")
        with pytest.raises(OutputExistsError, match=r"a\.safetensors: exists already"):
            import_tsam(tmp_path / "a.pth", target)
        assert target.read_bytes() == b"old"
        import_tsam(tmp_path / "a.pth", target, overwrite=True)
        assert load_checkpoint(target).config.name == "r50"

    def test_the_output_is_not_the_input(self, tmp_path):
        torch.save(empty_weights(), tmp_path / "a.pth")
        with pytest.raises(InputError, match="is the input itself"):
            import_tsam(tmp_path / "a.pth", tmp_path / "a.pth", overwrite=True)

    def test_a_folder_that_is_not_there(self, tmp_path):
        torch.save({}, tmp_path / "a.pth")
        with pytest.raises(OutputError, match="does not exist; make it first"):
            import_tsam(tmp_path / "a.pth", tmp_path / "missing" / "a.safetensors")


class TestCommand:
    def test_it_imports(self, tmp_path, capsys):
        torch.save(empty_weights(), tmp_path / "a.pth")
        output = tmp_path / "a.safetensors"
        arguments = ["import-tsam", str(tmp_path / "a.pth"), "-o", str(output)]
        assert main(arguments) == 0
        assert capsys.readouterr().out == f"wrote {output}\n"
        assert load_checkpoint(output).config.convention == "tsam"
        assert main(arguments) == 2
        assert "exists already" in capsys.readouterr().err

    def test_a_users_mistake_is_one_line(self, tmp_path, capsys):
        torch.save({"x": torch.zeros(1)}, tmp_path / "a.pth")
        for source, told in (("a.pth", "not the published generator's weights"), ("b.pth", "no such file")):
            assert main(["import-tsam", str(tmp_path / source), "-o", str(tmp_path / "a.safetensors")]) == 2
            captured = capsys.readouterr()
            assert told in captured.err
            assert captured.err.count("\n") == 1
            assert captured.out == ""
