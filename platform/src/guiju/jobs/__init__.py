"""What is done in the background for somebody who asked for it, with progress, log and files.

A feature declares a :class:`~guiju.jobs.kinds.JobKind`, lists it in :mod:`guiju.background`, and
asks for it with :func:`~guiju.jobs.operations.request_job` in the transaction of its operation.
"""
