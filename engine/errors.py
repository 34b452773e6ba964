"""Every error that ptfan raises on purpose: each is a `PtfanError` and also the builtin error it is.

The text of an error is one line: what is wrong, what was got, what was expected, what to do. The command line prints
that line and exits with status 2.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "DivergenceError",
    "InputError",
    "InputNotFoundError",
    "InterruptedRunError",
    "MaskError",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "OutputExistsError",
    "PtfanError",
    "ToleranceError",
    "UnreadableError",
    "one_line",
]


class PtfanError(Exception):
    """The root of the tree: catch it to catch all that ptfan raises on purpose."""

    def __str__(self) -> str:
        return "; ".join(map(str, self.args))

    def add(self, words: str) -> None:
        """Say more, at the end of the text: one text still, since OSError has meanings for further arguments."""
        self.args = (f"{self}; {words}",)


class InputError(PtfanError, ValueError):
    """A value, an option or a file's content that cannot be used."""


class InputNotFoundError(InputError, FileNotFoundError):
    """A file or folder that was named does not exist."""


class UnreadableError(InputError):
    """A source of a kind that cannot be read here, however often one tries."""


class MaskError(InputError):
    """A mask that cannot be read, or that does not fit its video."""


class ModelError(InputError):
    """A file that is not a model of ptfan, or a model whose spec does not fit what was asked."""


class OutputError(PtfanError, OSError):
    """An output that cannot be written."""


class OutputExistsError(OutputError, FileExistsError):
    """An output that exists already, and leave to overwrite it was not given."""


class BackendError(PtfanError, RuntimeError):
    """A backend that was asked for and cannot run here."""


class MissingExtraError(PtfanError, ImportError):
    """A library that an optional part needs is not installed; the text names the `pip install` line that brings it."""


class ToleranceError(PtfanError, ArithmeticError):
    """Two computations that should agree differ by more than their tolerance."""


class DivergenceError(PtfanError, ArithmeticError):
    """A training whose loss, gradient or weights are not finite any more."""


class InterruptedRunError(PtfanError):
    """The user stopped the run; what was finished has been kept under the name in the text. Exit status 130."""


def one_line(error: BaseException | str, longest: int | None = None) -> str:
    """Return another library's message as one line, for a message of ours.

    Args:
        error: what it raised, or its text.
        longest: characters after which the text is cut off; None keeps all.
    """
    return " ".join(str(error).split())[:longest]
