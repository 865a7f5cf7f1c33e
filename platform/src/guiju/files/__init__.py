"""Files that people add: let in only after a close look, kept in a store, swept when left over.

Knows nothing of records; who may see a file is decided where it belongs.
"""

from guiju.files.admission import MEDIA_TYPES, Admitted, Refused, admit
from guiju.files.scanning import Scanner, ScannerUnavailable
from guiju.files.store import FileStore

__all__ = [
    "MEDIA_TYPES",
    "Admitted",
    "FileStore",
    "Refused",
    "Scanner",
    "ScannerUnavailable",
    "admit",
]
