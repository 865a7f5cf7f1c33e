"""What must hold between the cells, rows and tables of a facts document.

The values are typed by now; a value that was refused before is null here and draws no
second complaint.  Only contradictions are faults: whether something was done in time, or
by the right person, is for the rules to judge.
"""

from collections.abc import Collection, Mapping

from guiju.facts.consistency import keys, rows, spells, tree
from guiju.facts.consistency.base import Checked, Known
from guiju.facts.document import FactsDocument
from guiju.facts.faults import Faults


def check(
    document: FactsDocument,
    broken: Mapping[str, Collection[int]],
    faults: Faults,
    known: Known,
) -> None:
    """Report every contradiction in ``document``.

    ``broken`` are the rows, by table, with values that were refused.  Nothing is concluded
    from what they lack, nor from tables that ``faults`` knows to be lost, nor about people
    who are ``known`` from elsewhere.
    """
    checked = Checked(document, broken, faults, known)
    keys.check_duplicates(checked)
    keys.check_references(checked)
    rows.check(checked)
    spells.check_overlaps(checked)
    if tree.check(checked):
        spells.check_occasions(checked)
        spells.check_attendance(checked)
