"""Judging tenants in the background, keeping the findings, and asking for them."""
