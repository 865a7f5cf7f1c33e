"""Facts documents: JSON files, workbooks and folders of CSV files, read or refused whole.

Workbooks are written by :mod:`guiju.facts.workbook_writer`, which is left for those who
write any.
"""

from guiju.facts.columns import schema
from guiju.facts.document import FactsDocument
from guiju.facts.faults import FactsError
from guiju.facts.reading import read
from guiju.facts.writing import write_json

__all__ = [
    "FactsDocument",
    "FactsError",
    "read",
    "schema",
    "write_json",
]
