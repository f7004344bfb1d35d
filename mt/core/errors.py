"""The exceptions a user may see: their text says what is wrong, where, and what to do."""


class UserError(Exception):
    """A mistake outside the program. The command line prints its text without a traceback and exits with 1."""


class UsageError(UserError):
    """Options that cannot be, or not together. The command line exits with 2."""
