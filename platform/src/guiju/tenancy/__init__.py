"""Tenants, the profiles enabled in their trees, and the settings they choose."""
