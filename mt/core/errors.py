"""The one exception a user may see: its text says what is wrong, where, and what to do."""


class UserError(Exception):
    """A mistake outside the program. The command line prints its text without a traceback and exits with 1."""
