"""Everything the OpenAPI document describes, asked with what it allows and with what it does not.

A bounded, always equal set of examples; `DOXIE_FUZZ_EXAMPLES` (for each operation) makes it longer and random.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.db import Database
from tests.conftest import Stack
from tests.security.cast import Tenant, furnished

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
EXAMPLES = int(os.environ.get("DOXIE_FUZZ_EXAMPLES", "0"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SPARED = {
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/sessions/revoke-all",
    "GET /api/v1/notifications/stream",
}
"""What would end the session that asks, or has no end itself."""

PROFILE = settings(
    max_examples=EXAMPLES or 4,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

FOUND: list[Any] = list(schemathesis.openapi.from_path(str(DOCUMENT)).get_all_operations())
OPERATIONS = [result.ok() for result in FOUND]


@pytest.fixture(scope="module")
async def tenant(stack: Stack, owner_db: Database) -> AsyncIterator[Tenant]:
    """Something for every id to name."""
    async with furnished(stack.api, owner_db) as made:
        yield made


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_api_does_what_it_says(operation: Any, mode: GenerationMode, stack: Stack, tenant: Tenant) -> None:
    if operation.label in SPARED or operation.method.upper() == "DELETE":
        pytest.skip("it would end what the others need")

    @PROFILE
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        # Mostly of things that are there, or nothing but 404 would be tested.
        for name in case.path_parameters or {}:
            case.path_parameters[name] = tenant.ids.get(name, case.path_parameters[name])
        token = tenant.owner.api.headers["authorization"]
        response = case.call(base_url=stack.settings.public_url, headers={"authorization": token}, timeout=60)
        case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
        pytest.skip("it takes nothing that could be wrong")
