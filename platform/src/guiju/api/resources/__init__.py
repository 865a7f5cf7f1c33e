"""The resources, one module for each."""

from guiju.api.resources import (
    accounts,
    audit,
    drafts,
    findings,
    imports,
    jobs,
    library,
    months,
    occasions,
    organizations,
    people,
    profiles,
    workflow,
)

BLUEPRINTS = (
    organizations.blueprint,
    people.blueprint,
    occasions.blueprint,
    drafts.blueprint,
    months.blueprint,
    workflow.blueprint,
    findings.blueprint,
    library.blueprint,
    profiles.blueprint,
    imports.blueprint,
    jobs.blueprint,
    accounts.blueprint,
    audit.blueprint,
)
