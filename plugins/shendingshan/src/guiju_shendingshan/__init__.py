"""Shendingshan: its notice as a rule pack, and its report formats."""
