"""The resources, one module for each."""

from guiju.api.resources import findings, organizations

BLUEPRINTS = (
    organizations.blueprint,
    findings.blueprint,
)
