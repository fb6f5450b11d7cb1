"""`tag-history`, the one command.

Its subcommands are entry points (group `tag_history.commands`), so that this room can offer commands of `projections`
without importing it. Each is a function that adds its parser and sets `func` to what runs it: a plain function of the
parsed arguments, which returns an exit code or None.
Invariant: whatever a user can cause is one line on stderr and exit code 1, or 2 for a wrong command line.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NoReturn

from service.cli.options import log_level
from service.runtime.logs import configure_logging
from service.runtime.user_error import EXIT_FAILED, EXIT_USAGE, UserError

COMMANDS_GROUP = "tag_history.commands"
PROGRAM = "tag-history"
EXIT_INTERRUPTED = 130

Command = Callable[[argparse.Namespace], int | None]


class OneLineParser(argparse.ArgumentParser):
    """argparse would print its usage in front of every error."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parser_for(arguments).parse_args(arguments)
        configure_logging(log_level())
        command: Command = parsed.func
        return command(parsed) or 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (UserError, OSError) as error:
        return _report(error)
    except BaseExceptionGroup as group:
        cause = next(_causes(group), None)
        if cause is None:
            raise
        return _report(cause)


def _parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the command that is called, or all of them for --help: loading one takes time and memory."""
    parser = OneLineParser(prog=PROGRAM, description="An event-sourced tag history service.")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands = {command.name: command for command in _commands()}
    called = [commands[name] for name in arguments[:1] if name in commands]
    for command in called or sorted(commands.values(), key=lambda command: command.name):
        add_command: Callable[[object], None] = command.load()
        add_command(subparsers)
    return parser


def _commands() -> Iterator[EntryPoint]:
    """The commands as installed; from the checkout itself when it is not installed."""
    installed = entry_points(group=COMMANDS_GROUP)
    if installed:
        yield from installed
        return
    project_file = Path(__file__).parents[2] / "pyproject.toml"
    declared = tomllib.loads(project_file.read_text())["project"]["entry-points"][COMMANDS_GROUP]
    for name, value in declared.items():
        yield EntryPoint(name, value, COMMANDS_GROUP)


def _causes(group: BaseExceptionGroup[BaseException]) -> Iterator[UserError | OSError]:
    """What users can cause among the errors of a task group, when there is nothing else among them."""
    expected, others = group.split((UserError, OSError))
    if others is not None or expected is None:
        return
    for error in expected.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _causes(error)
        elif isinstance(error, UserError | OSError):
            yield error


def _report(error: UserError | OSError) -> int:
    print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
    return error.exit_code if isinstance(error, UserError) else EXIT_FAILED
