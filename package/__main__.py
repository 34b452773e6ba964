"""`python -m ptfan` is the command `ptfan`."""

import signal
import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line, and return the exit status.

    Until it can say that it stops, Ctrl-C ends it without a word: imports take a moment, and would show a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, and stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from ptfan.engine.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
