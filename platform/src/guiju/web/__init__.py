"""The shell of the web pages: layout, navigation, charts, static files."""
