"""The rules engine: notices as data, facts as columns, findings with their reasons.

Pure: no web framework, no database, no clock.  Everything it needs is an argument.
"""
