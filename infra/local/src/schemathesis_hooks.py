"""What schemathesis cannot know of API Gateway.

An HTTP API answers 404 to a method that no route has, before any function is reached, and it cannot be told otherwise:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html. The contract says so ("Errors").
So this check stands for the built-in `unsupported_method`, which knows 405 alone: the answer is the gateway's very 404, its
401 where a token is needed, or a function's 405 with `Allow`.
"""

import schemathesis
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario


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
