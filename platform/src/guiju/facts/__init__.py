"""Facts documents: JSON files, workbooks and folders of CSV files, read or refused whole."""

from guiju.facts.columns import schema
from guiju.facts.document import FactsDocument
from guiju.facts.faults import FactsError
from guiju.facts.reading import read
from guiju.facts.workbook_writer import write_template, write_xlsx
from guiju.facts.writing import write_json

__all__ = [
    "FactsDocument",
    "FactsError",
    "read",
    "schema",
    "write_json",
    "write_template",
    "write_xlsx",
]
