"""Guiju: scores Party branches against the notices that govern them."""
