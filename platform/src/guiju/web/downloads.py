"""Files sent to who may have them; whether somebody may is asked before."""

from flask import Response, send_file

from guiju.db import db
from guiju.jobs.queries import FileSummary, read_file


def send_job_file(file: FileSummary) -> Response:
    """A job's file, to be saved under its name."""
    return send_file(
        read_file(db.session, file.id),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.name,
    )
