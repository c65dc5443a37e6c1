"""What can stop a stack, said in one line."""


class StackError(Exception):
    """The stack cannot go on; the message is the one line that the operator reads."""


class NotReady(Exception):
    """A service does not answer yet; the message says why."""
