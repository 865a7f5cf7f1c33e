"""Workbooks into a tenant: previewed, stored whole or not at all, and taken back again."""
