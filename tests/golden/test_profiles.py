"""What each notice resolves to is a file whose difference is the review."""

from pathlib import Path

import pytest

from guiju import plugins
from guiju.rules import library

FOLDER = Path(__file__).parent / "profiles"
PACKS = plugins.load().packs


def resolved(pack):
    lines = [f"{pack.id} {pack.document} {pack.issued_on}"]
    for row in library.requirements(pack):
        parameters = " ".join(f"{k}={v!r}" for k, v in sorted(row["parameters"].items()))
        part = f"/{row['part']}" if row["part"] else ""
        lines.append(
            f"{row['id']}{part} [{row['clause']}] {row['strictness']} {row['automation']} "
            f"{row['check'] or '-'} {parameters}".rstrip()
        )
    lines += [
        f"reading {reading.id}={reading.default} of "
        + ",".join(option.value for option in reading.options)
        for reading in pack.readings
    ]
    lines += [f"scale {scale.id}: {' > '.join(scale.grades)}" for scale in pack.scales]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("profile", PACKS)
def test_profile_is_as_accepted(profile, request):
    file = FOLDER / f"{profile}.txt"
    if request.config.getoption("--accept-golden"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(resolved(PACKS[profile]), "utf-8")
    assert file.exists(), "accept with: pytest tests/golden --accept-golden"
    assert file.read_text("utf-8") == resolved(PACKS[profile]), (
        f"{profile} resolves to something else; review the difference and accept it with: "
        "pytest tests/golden --accept-golden"
    )
