"""The front page: where each visitor's own work begins."""

from flask import Blueprint, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
def page() -> Response | str:
    """A branch's secretary comes to the workbench, others to the overview of their part."""
    home = current_user.home
    if home is None and current_user.may_everywhere("audit.read"):
        return redirect(url_for("audit.page"))
    if home is None and current_user.may("accounts.manage"):
        return redirect(url_for("people.index"))
    if home is None:
        return render_template("no_role.html")
    view = "workbench.page" if current_user.works_in_branch else "overview.page"
    return redirect(url_for(view, organization_id=home.organization_id))
