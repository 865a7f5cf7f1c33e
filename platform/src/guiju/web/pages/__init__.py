"""The pages, one module for each."""

from guiju.web.pages import (
    attention,
    findings,
    front,
    jobs,
    language_choice,
    library,
    organization,
    overview,
    reports,
    search,
    sign_in,
    standing,
)

BLUEPRINTS = (
    front.blueprint,
    sign_in.blueprint,
    language_choice.blueprint,
    overview.blueprint,
    organization.blueprint,
    search.blueprint,
    attention.blueprint,
    findings.blueprint,
    reports.blueprint,
    jobs.blueprint,
    standing.blueprint,
    library.blueprint,
)
