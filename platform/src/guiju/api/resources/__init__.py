"""The resources, one module for each."""

from guiju.api.resources import findings, jobs, library, occasions, organizations, people

BLUEPRINTS = (
    organizations.blueprint,
    people.blueprint,
    occasions.blueprint,
    findings.blueprint,
    library.blueprint,
    jobs.blueprint,
)
