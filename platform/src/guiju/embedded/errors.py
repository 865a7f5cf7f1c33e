"""What embedded servers raise."""

from pathlib import Path

# Enough of a log to see why a server would not start.
_LINES = 20


class EmbeddedError(Exception):
    """An embedded server cannot be started or stopped; the text is for the person at the shell."""

    @classmethod
    def with_log(cls, message: str, output: str, log: Path) -> "EmbeddedError":
        """``message``, what the failing program printed, and the end of the server's log."""
        parts = [message, output.strip(), log_end(log)]
        return cls("\n".join(part for part in parts if part))


def log_end(log: Path) -> str:
    """The last lines of a server's log, empty when there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_LINES:])
