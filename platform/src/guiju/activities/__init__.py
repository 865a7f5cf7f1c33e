"""Meetings and activities and their records."""
