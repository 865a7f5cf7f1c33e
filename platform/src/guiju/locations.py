"""Where files that belong to Guiju are, installed or in a working copy."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def migrations_folder() -> Path:
    """The folder of the Alembic migrations.

    A wheel carries them inside the package; a working copy has them at its top.
    """
    inside = _PACKAGE / "_migrations"
    return inside if inside.is_dir() else _PACKAGE.parents[2] / "migrations"
