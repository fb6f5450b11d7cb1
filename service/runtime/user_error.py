"""The error a person caused and can mend: a wrong flag, a taken port, a folder that cannot be written.

`service/cli/main.py` prints its message as one line and exits with its code; every other exception is a bug of ours.
Errors of the API's domain are elsewhere, in `service/domain/errors.py`.
"""

from __future__ import annotations

EXIT_FAILED = 1
EXIT_USAGE = 2


class UserError(Exception):
    """One line for the person at the terminal."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class SettingsError(UserError):
    """A flag or its environment variable has a value we cannot work with."""

    def __init__(self, message: str) -> None:
        super().__init__(message, EXIT_USAGE)
