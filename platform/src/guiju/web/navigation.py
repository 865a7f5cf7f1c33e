"""The menu: what a visitor can go to."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_login import current_user

from guiju.language import gettext as _


@dataclass(frozen=True)
class Item:
    """One line of the menu; ``here`` marks the one whose page is shown."""

    icon: str
    title: str
    address: str
    here: bool


def init_app(app: Flask) -> None:
    """Offer the menu to every page."""
    app.context_processor(_offered)


def _offered() -> dict[str, object]:
    # The visitor themselves: behind the stand-in, each of their attributes costs a look-up.
    return {"menu": menu, "visitor": current_user._get_current_object()}  # noqa: SLF001 - its documented name


def menu() -> list[Item]:
    """The menu of the signed-in visitor; empty for who is not."""
    return list(_items()) if current_user.is_authenticated else []


def _items() -> Iterator[Item]:
    home = current_user.home
    if home is not None:
        shown = (request.view_args or {}).get("organization_id")
        if current_user.may("records.write", home.path):
            yield Item(
                "workbench",
                _("工作台"),
                url_for("workbench.page", organization_id=home.organization_id),
                request.blueprint == "workbench" and shown == home.organization_id,
            )
        if not current_user.works_in_branch:
            yield Item(
                "overview",
                _("概览"),
                url_for("overview.page", organization_id=home.organization_id),
                request.blueprint == "overview",
            )
        yield Item(
            "organization",
            _("本单位"),
            url_for("organization.page", organization_id=home.organization_id),
            request.blueprint == "organization" and shown == home.organization_id,
        )
        yield Item(
            "records",
            _("活动记录"),
            url_for("records.listing", organization_id=home.organization_id),
            request.blueprint in {"records", "record_form", "entries", "plans"},
        )
        if current_user.may("records.review"):
            yield Item("review", _("审核"), url_for("reviews.page"), request.blueprint == "reviews")
        yield Item(
            "attention",
            _("待处理"),
            url_for("attention.page", organization_id=home.organization_id),
            request.blueprint == "attention",
        )
        if current_user.may("findings.decide"):
            yield Item(
                "needs_judgement",
                _("认定台"),
                url_for("desk.page", organization_id=home.organization_id),
                request.blueprint in {"desk", "tasks"},
            )
        elif current_user.may("findings.appeal"):
            yield Item(
                "action_due",
                _("督办"),
                url_for("tasks.page", organization_id=home.organization_id),
                request.blueprint == "tasks",
            )
        if current_user.may("reports.make", home.path):
            yield Item(
                "reports",
                _("报表"),
                url_for("reports.page", organization_id=home.organization_id),
                request.blueprint == "reports",
            )
    yield from _administration()
    yield Item("library", _("规则库"), url_for("library.index"), request.blueprint == "library")


def _administration() -> Iterator[Item]:
    """What belongs to running the tenant."""
    home = current_user.home
    if home is not None and current_user.may("organization.manage"):
        yield Item(
            "tree",
            _("组织树"),
            url_for("tree.page", organization_id=home.organization_id),
            request.blueprint in {"tree", "members", "imports", "review_levels"},
        )
    if current_user.may("accounts.manage"):
        yield Item(
            "people",
            _("人员与权限"),
            url_for("people.index"),
            request.blueprint
            in {
                "people",
                "invitation_lists",
                "permission_matrix",
                "account_policy",
                "account_provider",
                "support_accesses",
            },
        )
    if home is not None and not current_user.works_in_branch:
        yield Item(
            "profiles",
            _("地方规则"),
            url_for("profiles.page", organization_id=home.organization_id),
            request.blueprint == "profiles",
        )
    if current_user.may("jobs.read"):
        yield Item("jobs", _("后台任务"), url_for("jobs.index"), request.blueprint == "jobs")
    if current_user.may_everywhere("audit.read"):
        yield Item("audit", _("审计"), url_for("audit.page"), request.blueprint == "audit")
