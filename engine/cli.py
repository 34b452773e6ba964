"""The command `ptfan`: its sub-commands, and how errors reach the user."""

from __future__ import annotations

import errno
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, TextIO

import typer

from ptfan.engine.atomic import output_error
from ptfan.engine.channel import THREAD_PREFIX
from ptfan.engine.commands import bench, build, demo, info, inpaint, preview, stream, verify
from ptfan.engine.commands.messages import say, say_error, say_warning, show_log
from ptfan.engine.errors import InterruptedRunError, PtfanError
from ptfan.engine.extras import missing_extra
from ptfan.engine.interrupts import EXIT_INTERRUPTED, signals_interrupt

__all__ = ["build_app", "main"]

PLUGIN_GROUP = "ptfan.commands"
"""Entry points of this group are functions `register(app: typer.Typer) -> None`."""
EXIT_ERROR = 2
DEBUG_VARIABLE = "PTFAN_DEBUG"
"""Set it to see tracebacks."""

# The library that reads the command line carries its own copy of click from some release on.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]
ClickException: type[Exception] = UsageError.__mro__[1]


def build_app(plugins: Iterable[EntryPoint] | None = None) -> typer.Typer:
    """Return the application with all of its sub-commands.

    Args:
        plugins: Entry points that bring more sub-commands; those that are installed, without it.
    """
    app = typer.Typer(
        name="ptfan",
        help="Video inpainting: remove logos, people and things from videos.",
        rich_markup_mode="markdown",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for command in (inpaint, stream, preview, demo, info, build, bench, verify):
        command.register(app)
    for plugin in entry_points(group=PLUGIN_GROUP) if plugins is None else plugins:
        _register(plugin, app)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; those of the process, without it.

    Returns:
        The exit status: 0, 2 for an error that the user can do something about, 130 for a run that was stopped.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    with show_log(), signals_interrupt():
        status = _report(lambda: _invoke(arguments), next(iter(arguments), ""))
        for stream, name in ((sys.stdout, "standard output"), (sys.stderr, "standard error")):
            status = _write_out(stream, name, tell=not status) or status
    _leave_if_stuck(status)
    return status


def _invoke(arguments: list[str]) -> int:
    command = typer.main.get_command(build_app())
    try:
        status = command.main(args=arguments, prog_name="ptfan", standalone_mode=False)
    except SystemExit as error:  # so typer ends, and says nothing, where any pipe is broken
        if type(error.__context__) is BrokenPipeError:
            return 0  # whoever read text of our standard output has gone, and knows it
        raise (error.__context__ or error) from None
    return status if isinstance(status, int) else 0


def _report(work: Callable[[], int], command: str) -> int:
    """Do the work; turn what users cause into one line and an exit status."""
    try:
        return work()
    except InterruptedRunError as error:
        return _fail(error, EXIT_INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort) as error:
        if isinstance(error.__cause__, EOFError):  # FFmpeg's, which typer takes for the end of what a user types
            return _fail(error.__cause__)
        say_error("stopped")
        return EXIT_INTERRUPTED
    except PtfanError as error:
        return _fail(error)
    except ClickException as error:
        return _usage(error)
    except Exception as error:
        told = _in_words(error, command)
        if told is None:
            raise
        return _fail(told)


def _in_words(error: Exception, command: str) -> Exception | None:
    """Say what the system or the installation refuses, such as a name that is too long; None for all else."""
    if isinstance(error, ImportError):
        return missing_extra(error, command)
    if _is_want_of_memory(error):
        return MemoryError(f"this takes more memory, or more threads, than there is here: {error}")
    if not isinstance(error, OSError):
        return None
    return OSError(f"{error.filename}: {error.strerror}") if error.filename and error.strerror else error


def _is_want_of_memory(error: Exception) -> bool:
    """Tell whether it means that there is no memory, or (FFmpeg's BlockingIOError) that no thread can be started."""
    opencv = sys.modules.get("cv2")  # it takes long to import, and what is not imported raises nothing
    if opencv is not None and isinstance(error, opencv.error):
        return bool(error.code == opencv.Error.StsNoMem)
    return isinstance(error, (MemoryError, BlockingIOError))


def _fail(error: Exception, status: int = EXIT_ERROR) -> int:
    if os.environ.get(DEBUG_VARIABLE):
        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line)
    say_error(str(error))
    return status


def _usage(error: Exception) -> int:
    """Say what is wrong with the command line, and where its help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "ptfan"
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    say_error(f"{text.strip().rstrip('.')} (see {command} --help)")
    return EXIT_ERROR


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        from ptfan.engine.versions import ptfan_version

        print(f"ptfan {ptfan_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit


def _register(plugin: EntryPoint, app: typer.Typer) -> None:
    """Let a plugin add its sub-commands; one that is broken must not take the others with it."""
    try:
        plugin.load()(app)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        say_warning(f"plugin {plugin.name} ({plugin.value}) cannot be loaded: {error}")


def _open_closed_streams() -> None:
    """Lead closed standard streams nowhere: else the next file would get their numbers, and what is said go into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - for good


def _write_out(stream: TextIO, name: str, *, tell: bool) -> int:
    """Write out what is buffered; return an exit status, and say what is wrong unless something else is already.

    Where the reader or the terminal has gone, nobody misses it; Python would end in an error of its own.
    """
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if tell and error.errno not in (errno.EPIPE, errno.EIO):
            return _fail(output_error(Path(name), error))
    return 0


def _leave_if_stuck(status: int) -> None:
    """Leave at once when a thread still waits for a pipe that stays silent: Python would wait for it."""
    if any(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate()):
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
