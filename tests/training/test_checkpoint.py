import json
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ptfan.engine.errors import InputNotFoundError, ModelError, OutputError, OutputExistsError
from ptfan.training.checkpoint import (
    Checkpoint,
    build,
    check_state,
    load_checkpoint,
    load_helper,
    save_checkpoint,
)
from ptfan.training.model import Generator, GeneratorConfig, preset
from ptfan.training.model.config import Stage
from ptfan.training.model.helpers import KINDS

RECORD = {"steps": 12, "loss": 0.25, "clips": ["a", "b"], "note": "Füllung", "nested": {"seed": None}}


@pytest.fixture(scope="module")
def generator():
    stages = (Stage(8, (1,)), Stage(8, (1,), stride=2), Stage(8, (2,)), Stage(8, (4,)))
    config = GeneratorConfig(
        name="tiny", stem_width=8, stem_kernel=3, stages=stages, decoder="light", decoder_widths=(16, 8)
    )
    torch.manual_seed(0)
    return Generator(config).eval()


@pytest.fixture
def saved(generator, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, generator, RECORD)
    return path


def inputs():
    torch.manual_seed(1)
    return [torch.rand(2, channels, 16, 16) for channels in (3, 1, 1, 2, 2, 1, 1)]


class TestRoundTrip:
    def test_weights_config_and_record_come_back(self, generator, saved):
        loaded = load_checkpoint(saved)
        assert loaded.config == generator.config
        assert loaded.record == RECORD
        assert loaded.state.keys() == generator.state_dict().keys()
        assert all(torch.equal(loaded.state[key], value) for key, value in generator.state_dict().items())

    def test_the_generator_gives_the_same_numbers(self, generator, saved):
        built = build(saved)
        assert not built.training
        assert all(value.requires_grad for value in built.parameters())
        with torch.no_grad():
            assert torch.equal(built(*inputs()), generator(*inputs()))

    def test_training_a_built_generator_leaves_the_checkpoint_alone(self, generator, saved):
        loaded = load_checkpoint(saved)
        with torch.no_grad():
            for value in loaded.generator().parameters():
                value.zero_()
        assert all(torch.equal(loaded.state[key], value) for key, value in generator.state_dict().items())

    def test_a_record_is_not_needed(self, generator, tmp_path):
        save_checkpoint(tmp_path / "a.safetensors", generator, {})
        assert load_checkpoint(tmp_path / "a.safetensors").record == {}


class TestSaving:
    def test_what_exists_stays_unless_it_may_be_overwritten(self, generator, saved):
        before = saved.read_bytes()
        with pytest.raises(OutputExistsError, match=r"tiny\.safetensors: exists already"):
            save_checkpoint(saved, generator, {})
        assert saved.read_bytes() == before
        save_checkpoint(saved, generator, {"steps": 13}, overwrite=True)
        assert load_checkpoint(saved).record == {"steps": 13}

    def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(self, generator, saved, monkeypatch):
        def fail(self, target):
            raise OSError(28, "No space left on device")

        before = saved.read_bytes()
        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(OutputError, match=r"tiny\.safetensors: cannot be written: the disk is full"):
            save_checkpoint(saved, generator, {}, overwrite=True)
        assert saved.read_bytes() == before
        assert list(saved.parent.iterdir()) == [saved]

    def test_a_record_that_json_cannot_hold_leaves_the_old_file(self, generator, saved):
        before = saved.read_bytes()
        with pytest.raises(TypeError):
            save_checkpoint(saved, generator, {"path": object()}, overwrite=True)
        assert saved.read_bytes() == before
        assert list(saved.parent.iterdir()) == [saved]

    def test_the_folder_has_to_be_there(self, generator, tmp_path):
        with pytest.raises(OutputError, match="does not exist; make it first"):
            save_checkpoint(tmp_path / "missing" / "a.safetensors", generator, {})

    def test_a_folder_is_not_overwritten(self, generator, tmp_path):
        with pytest.raises(OutputError, match="is a folder"):
            save_checkpoint(tmp_path, generator, {}, overwrite=True)

    def test_others_may_read_the_file(self, saved):
        plain = saved.with_name("plain")
        plain.touch()
        assert stat.S_IMODE(saved.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def one_line(caught, path):
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text


class TestLoading:
    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100, b"\x10\0\0\0\0\0\0\0not any JSON at"])
    def test_a_file_of_another_kind(self, tmp_path, content):
        path = tmp_path / "a.safetensors"
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            load_checkpoint(path)
        assert "cannot be read as safetensors" in one_line(caught, path)

    def test_a_truncated_file(self, saved):
        saved.write_bytes(saved.read_bytes()[:-100])
        with pytest.raises(ModelError) as caught:
            load_checkpoint(saved)
        assert "cannot be read as safetensors" in one_line(caught, saved)

    @pytest.mark.parametrize("name", ["missing.safetensors", "."])
    def test_no_file(self, tmp_path, name):
        with pytest.raises(InputNotFoundError, match="no such file, expected a checkpoint"):
            load_checkpoint(tmp_path / name)

    @pytest.mark.parametrize(
        ("metadata", "told"),
        [
            (None, "has no ptfan.config in its metadata"),
            ({"format": "pt"}, "has no ptfan.config in its metadata"),
            (
                {"ptfan.colour_config": "{}"},
                "is a colour completion network, expected a network that fills holes",
            ),
            ({"ptfan.config": "{"}, "generator config: is no JSON"),
            ({"ptfan.config": "{}"}, "generator config: name is missing"),
            ({"ptfan.config": preset("s").to_json(), "ptfan.record": "{"}, "its training record is no JSON"),
            ({"ptfan.config": preset("s").to_json(), "ptfan.record": "[" * 10**5}, "its training record is no JSON"),
            ({"ptfan.config": preset("s").to_json(), "ptfan.record": "[1]"}, "its training record is a list"),
            ({"ptfan.config": preset("s").to_json()}, "weights do not fit config 's': missing encoder.stem.weight"),
        ],
    )
    def test_metadata_that_does_not_fit(self, tmp_path, metadata, told):
        path = tmp_path / "a.safetensors"
        save_file({"x": torch.zeros(1)}, path, metadata=metadata)
        with pytest.raises(ModelError) as caught:
            load_checkpoint(path)
        assert told in one_line(caught, path)

    @pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.form)
    def test_a_helper_s_config_that_would_take_all_memory(self, kind, tmp_path):
        config = json.loads(kind.config().to_json())
        config["widths"] = [1 << 20 for _ in config["widths"]]
        path = tmp_path / "a.safetensors"
        save_file({"x": torch.zeros(1)}, path, metadata={kind.key: json.dumps(config)})
        with pytest.raises(ModelError, match=f"weights do not fit the {kind.name}: missing"):
            load_helper(path)

    def test_a_generator_where_a_completing_network_is_expected(self, saved):
        with pytest.raises(ModelError) as caught:
            load_helper(saved)
        assert "is a network that fills holes, expected a flow completion network or a colour" in one_line(
            caught, saved
        )


def without(state, *keys):
    return {key: value for key, value in state.items() if key not in keys}


STEM = "encoder.stem.weight"
NORM = "encoder.norm.weight"


class TestWeights:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda state: without(state, STEM), f"missing {STEM}"),
            (lambda state: without(state, STEM, NORM), f"missing {STEM} and 1 more"),
            (lambda state: {**state, "head.bias": torch.zeros(1)}, "unknown head.bias"),
            (
                lambda state: {**without(state, STEM), "stem": state[STEM]},
                f"missing {STEM}; unknown stem",
            ),
            (
                lambda state: {**state, STEM: torch.zeros(8, 4, 3, 3)},
                f"{STEM} has shape (8, 4, 3, 3), expected (8, 5, 3, 3)",
            ),
            (lambda state: {**state, NORM: torch.zeros(8).half()}, f"{NORM} is torch.float16, expected torch.float32"),
        ],
    )
    def test_what_does_not_fit_is_named(self, generator, tmp_path, change, told):
        state, path = change(dict(generator.state_dict())), tmp_path / "a.safetensors"
        save_file(state, path, metadata={"ptfan.config": generator.config.to_json(), "ptfan.record": json.dumps({})})
        with pytest.raises(ModelError) as caught:
            load_checkpoint(path)
        assert one_line(caught, path).endswith(f"weights do not fit config 'tiny': {told}")
        with pytest.raises(ModelError):
            Checkpoint(generator.config, state).generator()

    def test_what_fits_is_let_through(self, generator):
        check_state(generator.config, generator.state_dict())
