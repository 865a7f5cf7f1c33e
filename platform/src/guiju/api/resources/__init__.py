"""The resources, one module for each."""

from guiju.api.resources import (
    accounts,
    audit,
    decisions,
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
    search,
    tasks,
    workflow,
)

BLUEPRINTS = (
    organizations.blueprint,
    search.blueprint,
    people.blueprint,
    occasions.blueprint,
    drafts.blueprint,
    months.blueprint,
    workflow.blueprint,
    findings.blueprint,
    decisions.blueprint,
    tasks.blueprint,
    library.blueprint,
    profiles.blueprint,
    imports.blueprint,
    jobs.blueprint,
    accounts.blueprint,
    audit.blueprint,
)
