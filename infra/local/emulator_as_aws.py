"""The emulator, with what it lacks for keys of partners and for copies.

It knows an API's `ApiKeySourceType` only by name, and counts every request under the key in `x-api-key`. Here, as on AWS, an API
with AUTHORIZER counts a request under the `usageIdentifierKey` of its authorizer's answer, which is kept with the answer, and a
key in the header counts nothing.

It takes `If-None-Match` and `If-Match` of a write and not of a copy. Here, as on AWS, a copy is made under them.
"""

import contextvars
import json
import sys

from ministack.app import main
from ministack.services import apigateway_v1 as gateway
from ministack.services import s3
from ministack.services.cloudformation import provisioners

KEY = "usageIdentifierKey"
# The authorizer's answer to the request that is being handled; one request is one task.
named = contextvars.ContextVar(KEY, default=None)

create_api = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]["create"]
invoke_authorizer = gateway._invoke_authorizer_lambda
authorize = gateway._authorize_request_v1
check_api_key = gateway._check_api_key
copy_object = s3._copy_object


def create_with_source(logical_id, props, stack_name):
    made = create_api(logical_id, props, stack_name)
    gateway._rest_apis[made[0]]["apiKeySource"] = props.get("ApiKeySourceType", "HEADER")
    return made


async def invoke_and_keep(*arguments):
    """Puts the key into the answer's context, which is what the emulator keeps of it."""
    result = await invoke_authorizer(*arguments)
    policy = (result or {}).get("body")
    if isinstance(policy, (str, bytes)):
        try:
            policy = json.loads(policy)
        except ValueError:
            return result
    if not isinstance(policy, dict) or KEY not in policy:
        return result
    context = {**(policy.get("context") or {}), KEY: policy[KEY]}
    return {**result, "body": {**policy, "context": context}}


async def authorize_and_name(*arguments):
    error, context = await authorize(*arguments)
    context = dict(context) if context else context
    # The function behind the API does not see it.
    named.set(context.pop(KEY, None) if context else None)
    return error, context


def source_of(api_id):
    return (gateway._rest_apis.get(api_id) or {}).get("apiKeySource", "HEADER")


def check_named_key(method_obj, api_id, stage_name, headers):
    if source_of(api_id) != "AUTHORIZER":
        return check_api_key(method_obj, api_id, stage_name, headers)
    return check_api_key(method_obj, api_id, stage_name, {"x-api-key": named.get() or ""})


def copy_under_condition(bucket, key, headers):
    found = s3._ensure_bucket(bucket)
    failed = found and s3._check_put_preconditions(headers, found["objects"].get(key))
    return failed or copy_object(bucket, key, headers)


gateway._invoke_authorizer_lambda = invoke_and_keep
gateway._authorize_request_v1 = authorize_and_name
gateway._check_api_key = check_named_key
s3._copy_object = copy_under_condition
provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]["create"] = create_with_source
provisioners._apigw_rest_api_create = create_with_source

if __name__ == "__main__":
    sys.exit(main())
