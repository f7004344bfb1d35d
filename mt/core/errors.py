"""The exceptions a user may see: their text says what is wrong, where, and what to do."""


def shorten(text: str, most: int = 300) -> str:
    """Return the beginning of a text that is too long for a sentence."""
    return text if len(text) <= most else text[:most] + "…"


class UserError(Exception):
    """A mistake outside the program. The command line prints its text without a traceback and exits with 1."""


class UsageError(UserError):
    """Options that cannot be, or not together. The command line exits with 2."""


class DamagedError(UserError):
    """A file that is not what was written: its text names it, says what to do, and how it was noticed."""

    def __init__(self, path: object, remedy: str, why: object):
        reason = str(why).partition("\n")[0]
        super().__init__(f"{path} is damaged; {remedy} ({reason})")
        self.path = path
