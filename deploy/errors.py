"""How a command says no: one clear line on stderr and an exit code, never a traceback for a user's error."""


class CommandError(Exception):
    """A command cannot do what was asked; the message is for the person at the terminal."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
