"""The resources, one module for each."""

from guiju.api.resources import findings, jobs, library, organizations, people

BLUEPRINTS = (
    organizations.blueprint,
    people.blueprint,
    findings.blueprint,
    library.blueprint,
    jobs.blueprint,
)
