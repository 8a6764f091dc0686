"""What the `consignor` command says instead of a traceback."""


class CommandFailed(Exception):
    """`str()` tells the person at the terminal what happened and what to do; the exit code is 1."""
