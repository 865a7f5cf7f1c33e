"""The table of permissions says what it is meant to say."""

from guiju.accounts.permissions import (
    PERMISSIONS,
    ROLES,
    allows,
    permission_label,
    role_label,
)


def test_every_role_and_permission_has_a_name():
    assert all(role_label(role) for role in ROLES)
    assert all(permission_label(permission) for permission in PERMISSIONS)
    assert set().union(*PERMISSIONS.values()) == set(ROLES)


def test_the_audit_trail_is_the_auditors_alone():
    assert [role for role in ROLES if allows(role, "audit.read")] == ["auditor"]
    assert not any(
        allows("auditor", permission) for permission in PERMISSIONS if permission != "audit.read"
    )


def test_administrators_are_kept_apart_where_the_tenant_says_so():
    assert allows("administrator", "accounts.manage")
    assert not allows("administrator", "accounts.manage", separated=True)
    assert allows("security_administrator", "accounts.manage", separated=True)
    assert not allows("security_administrator", "records.read")
