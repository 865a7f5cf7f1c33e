"""Settings are checked whole and every problem is named."""

import pytest

from guiju.config import ConfigError, load_settings

GOOD = {
    "DATABASE_URL": "postgresql://guiju_app@db/guiju",
    "REDIS_URL": "redis://queue:6379/0",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
}


def test_the_required_three_are_enough():
    settings = load_settings(GOOD)
    assert settings.database_url == GOOD["DATABASE_URL"]
    assert settings.admin_database_url == GOOD["DATABASE_URL"]
    assert settings.max_upload_mb == 50
    assert settings.secure_cookies is True


def test_the_owner_of_the_tables_may_have_an_address_of_its_own():
    settings = load_settings(GOOD | {"GUIJU_ADMIN_DATABASE_URL": "postgresql://owner@db/guiju"})
    assert settings.admin_database_url == "postgresql://owner@db/guiju"


def test_an_empty_variable_counts_as_not_set():
    assert load_settings(GOOD | {"GUIJU_MAX_UPLOAD_MB": ""}).max_upload_mb == 50


def test_other_programs_variables_are_none_of_our_business():
    load_settings(GOOD | {"PATH": "/bin", "FLASK_DEBUG": "1"})


def test_every_problem_is_listed_in_the_order_of_the_table():
    with pytest.raises(ConfigError) as caught:
        load_settings(
            {
                "DATABASE_URL": "mysql://db/guiju",
                "SECRET_KEY": "short",
                "GUIJU_LOG_FORMAT": "xml",
                "GUIJU_MAX_UPLOAD_MB": "many",
                "GUIJU_TRUSTED_PROXIES": "9",
                "GUIJU_SECURE_COOKIES": "maybe",
                "GUIJU_LOGLEVEL": "INFO",
                "GUIJU_X": "1",
            }
        )
    starts = [
        "DATABASE_URL：应以 postgresql:// 开头。",
        "REDIS_URL：没有设置。",
        "SECRET_KEY：太短：至少 32 个字符。",
        "GUIJU_LOG_FORMAT：应为 json, console 之一。",
        "GUIJU_MAX_UPLOAD_MB：应为整数。",
        "GUIJU_SECURE_COOKIES：应为 true 或 false。",
        "GUIJU_TRUSTED_PROXIES：应在 0 与 8 之间。",
        "GUIJU_LOGLEVEL：没有这个设置，是否应为 GUIJU_LOG_LEVEL？",
        "GUIJU_X：没有这个设置。",
    ]
    assert len(caught.value.problems) == len(starts)
    for problem, start in zip(caught.value.problems, starts, strict=True):
        assert problem.startswith(start)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://db/guiju?no_such_option=1"),
        ("DATABASE_URL", "postgresql://db:port/guiju"),
        ("REDIS_URL", "amqp://queue"),
        ("REDIS_URL", "redis://queue:port/0"),
        ("GUIJU_ADMIN_DATABASE_URL", "db/guiju"),
    ],
)
def test_addresses_are_parsed_before_they_are_used(name, value):
    with pytest.raises(ConfigError, match=f"^{name}："):
        load_settings(GOOD | {name: value})


def test_secrets_are_not_printed():
    printed = repr(load_settings(GOOD))
    assert GOOD["SECRET_KEY"] not in printed
    assert "postgresql" not in printed
