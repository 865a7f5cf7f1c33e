"""Note new texts of the pages in the translation catalogue: ``make translations``.

Texts that are gone are dropped, new ones are added without a translation.
"""

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

PLATFORM = Path(__file__).parents[1] / "platform"
PACKAGE = PLATFORM / "src" / "guiju"
CATALOGUES = PACKAGE / "web" / "translations"

# No dates, people or line numbers: the file changes only when a text does.
HEADER = """# English translation of the pages.
msgid ""
msgstr ""
"Language: {locale}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals={plurals}; plural={rule};\\n"

"""


def main() -> None:
    """Bring every catalogue up to date and say what is to be translated."""
    wanted = extract()
    missing = 0
    for file in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        with file.open("rb") as source:
            known = read_po(source, locale=file.parents[1].name)
        catalogue = merge(wanted, known)
        file.write_text(rendered(catalogue), encoding="utf-8")
        empty = [message.id for message in catalogue if message.id and not message.string]
        missing += len(empty)
        print(f"{file.relative_to(PLATFORM)}: {len(catalogue)} texts, {len(empty)} to translate")
    sys.exit(bool(missing))


def extract() -> Catalog:
    """The texts that the pages can show."""
    with (PLATFORM / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for _file, _line, text, _comments, context in extract_from_dir(str(PACKAGE), methods, options):
        found.add(text, context=context)
    return found


def merge(wanted: Catalog, known: Catalog) -> Catalog:
    """The texts wanted, with the translations known."""
    merged = Catalog(locale=known.locale)
    for message in wanted:
        if message.id:
            before = known.get(message.id)
            merged.add(message.id, before.string if before else None, flags=message.flags)
    return merged


def rendered(catalogue: Catalog) -> str:
    """The file of a catalogue."""
    body = io.BytesIO()
    write_po(body, catalogue, width=98, omit_header=True, sort_output=True)
    header = HEADER.format(
        locale=catalogue.locale,
        plurals=catalogue.num_plurals,
        rule=catalogue.plural_expr,
    )
    return header + body.getvalue().decode().lstrip("\n")


if __name__ == "__main__":
    main()
