"""The shapes of rules, one module each; :mod:`guiju.rules.registry` lists them by name."""
