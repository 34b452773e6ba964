from __future__ import annotations

import pickle

import pytest

from ptfan.engine import errors

BUILTINS = {
    "InputError": ValueError,
    "InputNotFoundError": FileNotFoundError,
    "UnreadableError": ValueError,
    "MaskError": ValueError,
    "ModelError": ValueError,
    "OutputError": OSError,
    "OutputExistsError": FileExistsError,
    "BackendError": RuntimeError,
    "MissingExtraError": ImportError,
    "ToleranceError": ArithmeticError,
    "DivergenceError": ArithmeticError,
}


def test_every_error_is_listed() -> None:
    classes = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert classes == set(errors.__all__) - {"one_line"}
    assert set(BUILTINS) == classes - {"PtfanError", "InterruptedRunError"}


@pytest.mark.parametrize("name", sorted({"PtfanError", "InterruptedRunError", *BUILTINS}))
def test_every_error_is_ptfan_s_and_keeps_its_text(name: str) -> None:
    error = getattr(errors, name)("mask is 3x4, expected 5x6")
    assert isinstance(error, errors.PtfanError)
    assert str(error) == "mask is 3x4, expected 5x6"
    error.add("nothing is kept")
    assert str(error) == "mask is 3x4, expected 5x6; nothing is kept"
    error.add("nothing is lost")
    again = pickle.loads(pickle.dumps(error))  # as processes hand it on
    assert (type(again), str(again)) == (type(error), str(error))
    assert getattr(again, "errno", None) is None


@pytest.mark.parametrize(("name", "builtin"), BUILTINS.items())
def test_every_error_is_also_the_builtin_it_is(name: str, builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise getattr(errors, name)("reason")


def test_a_missing_file_is_also_bad_input() -> None:
    assert issubclass(errors.InputNotFoundError, errors.InputError)
    assert issubclass(errors.OutputExistsError, errors.OutputError)


def test_another_library_s_message_becomes_one_line() -> None:
    error = RuntimeError("no room:\n  asked for 3 GB\n")
    assert errors.one_line(error) == "no room: asked for 3 GB"
    assert errors.one_line(error, 7) == "no room"
