"""What schemathesis cannot know of API Gateway, and what it would look for in vain.

An HTTP API answers 404 to a method that no route has, before any function is reached, and it cannot be told otherwise:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html. The contract says so ("Errors").
So this check stands for the built-in `unsupported_method`, which knows 405 alone: the answer is the gateway's very 404, its
401 where a token is needed, or a function's 405 with `Allow`.

It draws strings until one fits, and gives up after seconds. Of all its time, two thirds went into strings that there are
not, or that nearly no draw hits.
"""

import jsonschema_rs
import schemathesis
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.specs.openapi.coverage import _schema


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Leaves out the format of ids, which have a pattern that says more: no string keeps that and is no UUID."""
    parts = [raw_schema]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if part.get("format") == "uuid" and "pattern" in part:
                del part["format"]
            parts += part.values()
        elif isinstance(part, list):
            parts += part


draw_oversized_string = _schema._generate_oversized_string


def oversized_string(ctx, original_schema, new_schema, target_length):
    """Text that is too long for its field, and fits but for the spaces around it where the pattern lets these be."""
    pattern = new_schema.get("pattern")
    for text in (f" {'a' * (target_length - 2)} ", "a" * target_length):
        if isinstance(pattern, str) and jsonschema_rs.is_valid({"type": "string", "pattern": pattern}, text):
            return text
    return draw_oversized_string(ctx, original_schema, new_schema, target_length)


_schema._generate_oversized_string = oversized_string


@schemathesis.check
def undeclared_method_is_refused(ctx, response, case):
    data = case.meta.phase.data if case.meta else None
    if not isinstance(data, CoveragePhaseData) or data.scenario != CoverageScenario.UNSPECIFIED_HTTP_METHOD:
        return None
    method = response.request.method
    if method in ("HEAD", "OPTIONS"):
        return True
    if response.status_code == 405:
        assert response.headers.get("allow"), f"{method} answered 405 without Allow"
        return True
    expected = {401: "Unauthorized", 404: "Not Found"}
    # Another route may have this method and match the path: `DELETE /banners/upload-url` is `DELETE /banners/{id}`.
    is_problem = response.headers.get("content-type", [""])[0].startswith("application/problem+json")
    refused = response.status_code in (401, 403, 404) and is_problem
    by_gateway = response.status_code in expected and response.json() == {"message": expected[response.status_code]}
    assert refused or by_gateway, f"{method} answered {response.status_code} {response.text}"
    return True
