"""How much a facts document may hold before it is refused unread."""

from typing import Final

MIB: Final = 1024 * 1024

#: A workbook as it lies on the disk; one of 100,000 rows has some 6 MiB.
WORKBOOK_BYTES: Final = 50 * MIB
#: A workbook's parts unpacked, together.
UNPACKED_BYTES: Final = 600 * MIB
#: Parts of a workbook; an ordinary one has some forty.
PARTS: Final = 2_000
#: Rows times columns of the area a sheet uses.  The reader keeps it whole, 32 bytes a cell.
SHEET_CELLS: Final = 20_000_000
#: Text that the reader unfolds from strings which cells share.
SHARED_TEXT_BYTES: Final = 1024 * MIB
#: A JSON document, or one CSV file.
TEXT_BYTES: Final = 200 * MIB
#: Rows of one table.
ROWS: Final = 500_000
#: Levels of the organization tree; a province has some eight.
TREE_DEPTH: Final = 20
#: Problems listed; the others are counted.
LISTED_PROBLEMS: Final = 1_000
