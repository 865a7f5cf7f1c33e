"""The API against its own document: nothing fails, nothing answers otherwise than it says.

Requests are made up from the document, always the same ones, as a user with every role: such as
it asks for, and such as it does not.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from guiju.api.addresses import DOCUMENT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

#: Examples of each operation; more find hardly more, and everybody waits for them.
_EXAMPLES = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 4}


@pytest.mark.parametrize("mode", _EXAMPLES, ids=lambda mode: mode.value)
def test_answers_are_as_documented(make_app, twins, mode):
    app = make_app(GUIJU_API_REQUESTS_PER_MINUTE="1000000")
    headers = {"Authorization": f"Bearer {twins['theirs'].tokens['everything']}"}
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 50
    found = []
    for operation in operations:

        @settings(
            max_examples=_EXAMPLES[mode],
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case) -> None:
            # A made-up one would replace the token.
            case.headers.pop("Authorization", None)
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            check()
        except (FailureGroup, Exception) as error:  # noqa: BLE001 - every operation is asked
            found.append(f"{operation.label}: {error!r}"[:2000])
    assert not found, "\n\n".join(found)
