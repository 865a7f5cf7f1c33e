"""Every kind of background job: the one table that workers, the scheduler and pages read."""

from guiju.accounts.jobs import MAIL_INVITATIONS
from guiju.audit.jobs import AUDIT_EXPORT
from guiju.importing.jobs import IMPORT, UNDO
from guiju.importing.jobs import PREVIEW as IMPORT_PREVIEW
from guiju.jobs import runner
from guiju.jobs.kinds import by_name
from guiju.profiles.keeping import PREVIEW as PROFILE_PREVIEW
from guiju.reports.jobs import REPORT
from guiju.tenancy.jobs import TENANT_EXPORT

KINDS = by_name(
    AUDIT_EXPORT,
    IMPORT,
    IMPORT_PREVIEW,
    MAIL_INVITATIONS,
    PROFILE_PREVIEW,
    REPORT,
    UNDO,
    TENANT_EXPORT,
)


def run(tenant_id: int, job_id: int) -> None:
    """Do one job; what the queue calls."""
    runner.run(KINDS, tenant_id, job_id)


def sweep() -> int:
    """Ring again for jobs that nobody does; what the scheduler calls."""
    return runner.sweep(KINDS)
