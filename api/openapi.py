"""`python -m api.openapi`: print the OpenAPI document, as `docs/openapi.json` keeps it."""

import json

from api.main import create_app


def document() -> str:
    """The OpenAPI document of the whole API, JSON with sorted keys."""
    return json.dumps(create_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 (its purpose)
