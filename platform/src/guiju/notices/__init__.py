"""Telling users what concerns them: in the application, and by mail at most once a day."""
