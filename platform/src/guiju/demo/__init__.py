"""Invented tenants for demonstrations and tests: organizations, people and a year of records.

Everything is generated from a fixed seed.  Names of people are random combinations and
belong to nobody; plugins bring the tenants of their own jurisdiction.
"""

from guiju.demo.people import People
from guiju.demo.scenario import Branch, Habits, Scenario

__all__ = ["Branch", "Habits", "People", "Scenario"]
