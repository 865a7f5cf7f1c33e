"""Which notice judges which part of a tree: chosen, looked at beforehand, dated, undone."""
