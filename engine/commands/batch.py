"""Several videos, one after the other, each to a result of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ptfan.engine.commands.messages import say, say_error
from ptfan.engine.errors import InputError, InterruptedRunError, PtfanError
from ptfan.engine.listing import listed

if TYPE_CHECKING:
    from ptfan.engine.report import Report

__all__ = ["Job", "check_names", "plan_jobs", "run_jobs"]

_MOST = 4
"""Inputs that an error lists."""


@dataclass(frozen=True)
class Job:
    """An input and its output, as `inpaint` takes them."""

    source: str
    """A video, a folder of images or `-`."""
    output: str
    """Where its result goes."""


def plan_jobs(inputs: Sequence[str], output: str) -> list[Job]:
    """Name the output of every input; with several inputs, these lie in a folder.

    Raises:
        InputError: standard input or output is one of several, the output is no folder for several, or two of them
            would have the same name.
    """
    if len(inputs) == 1:
        return [Job(inputs[0], output)]
    if "-" in (*inputs, output):
        raise InputError("- stands for one pipe: it cannot be one of several inputs, nor take several outputs")
    folder = _results_folder(output, inputs)
    # A video keeps its file name; a folder of images becomes a folder of images.
    jobs = [Job(item, str(folder / Path(item).resolve().name)) for item in inputs]
    targets = [job.output for job in jobs]
    for target in targets:
        if targets.count(target) > 1:
            raise InputError(f"{target}: two inputs have this name; inpaint them one at a time")
    return jobs


def check_names(jobs: Sequence[Job], mask: Path | None, report: Path | None) -> None:
    """Check that no result and no report would take the place of an input, the mask or one another.

    Raises:
        InputError: one would.
    """
    from ptfan.engine.roles import Role, check_apart, output_roles

    written = [role for job in jobs for role in output_roles(job.output)]
    check_apart([*written, Role("report", report)], [*(Role("input", job.source) for job in jobs), Role("mask", mask)])


def run_jobs(run: Callable[..., Report], jobs: Sequence[Job], reports: list[Report], *, quiet: bool) -> bool:
    """Do one job after the other; of several, one that fails does not keep the others from being done.

    Args:
        run: `inpaint` with all that the jobs have in common.
        jobs: What is to be done.
        reports: Gets the report of each job that is done, also when a later one is stopped.
        quiet: Say nothing of jobs that are done.

    Returns:
        Whether all were done.

    Raises:
        InterruptedRunError: a signal came.
        PtfanError: the only job failed.
    """
    from ptfan.engine.interrupts import stop_on_signals

    with stop_on_signals() as stop:
        for number, job in enumerate(jobs):
            if stop.is_set():
                raise InterruptedRunError(f"stopped; {len(jobs) - number} of {len(jobs)} inputs were not begun")
            report = _run_one(run, job, stop, alone=len(jobs) == 1)
            if report is not None:
                reports.append(report)
                if not quiet:
                    say(report.summary)
    return len(reports) == len(jobs)


def _run_one(run: Callable[..., Report], job: Job, stop: threading.Event, *, alone: bool) -> Report | None:
    try:
        return run(job.source, job.output, stop=stop)
    except InterruptedRunError:
        raise
    except PtfanError as error:
        if alone:
            raise
        say_error(str(error))
        return None


def _results_folder(output: str, inputs: Sequence[str]) -> Path:
    """Return the folder for several results; a name that is a video's was meant for one.

    Then the inputs are named: what was to follow an option, as a mask does `--mask`, is taken for one without it.
    """
    from ptfan.engine.media.endings import has_video_ending

    folder = Path(output)
    if has_video_ending(folder) and not output.endswith("/") and not folder.is_dir():
        raise InputError(
            f"{output}: several inputs ({listed(inputs, _MOST)}) need a folder for their results; give "
            f"{folder.with_suffix('')}/ for instance"
        )
    return folder
