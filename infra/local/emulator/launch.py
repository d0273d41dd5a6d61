"""Starts MiniStack, the AWS emulator, with what a shop on it needs and the emulator lacks.

Each function below is one difference, with its reason. They reach into the emulator, so they are written for one
version of it (`PINNED`); with any other it starts as it is, and says so. All settings come from the environment.
"""

import contextlib
import contextvars
import email.utils
import fnmatch
import gc
import importlib.metadata
import json
import os
import queue
import re
import signal
import socket
import socketserver
import sys
import threading
import time
import types

PINNED = "1.5.33"


def answer_without_waiting():
    """Makes a call of a native function take 8 ms instead of 97.

    The emulator's Runtime API sends the head and the body of an answer apart, which Nagle's algorithm delays by 41 ms,
    and after each call it waits up to 50 ms for a first log line.
    """
    import ministack.core.lambda_runtime as runtime

    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    drain = runtime.Worker._drain_stderr_bounded

    def drain_briefly(self, first_line_wait=0.002, idle_confirm=0.001, hard_cap=0.050):
        return drain(self, min(first_line_wait, 0.1), idle_confirm, hard_cap)

    runtime.Worker._drain_stderr_bounded = drain_briefly


def let_waiting_functions_sleep():
    """Makes functions that wait for a call cost nothing.

    For each of them the emulator looks twenty times a second whether it is to stop. A hundred of them take a tenth of a
    processor, and hold up at each look whatever the one thread that runs at a time is doing.
    """
    import ministack.core.lambda_runtime as runtime

    seconds, wake = 60, None

    class Calls(queue.Queue):
        """The calls of one function: it waits for the next until there is one, or until it is woken to stop."""

        def get(self, block=True, timeout=None):
            call = super().get(block, timeout and seconds)
            if call is wake:
                raise queue.Empty
            return call

    def queue_of(maxsize=0):
        return Calls(maxsize) if maxsize == 1 else queue.Queue(maxsize)

    runtime.queue = types.SimpleNamespace(Queue=queue_of, Empty=queue.Empty, Full=queue.Full)
    stop = runtime.ProvidedWorker._shutdown_server

    def stop_and_wake(self):
        stop(self)
        with contextlib.suppress(queue.Full):
            self._pending.put_nowait(wake)

    runtime.ProvidedWorker._shutdown_server = stop_and_wake
    serve, shutdown = socketserver.BaseServer.serve_forever, socketserver.BaseServer.shutdown

    def serve_and_sleep(self, poll_interval=seconds):
        serve(self, seconds)

    def shutdown_at_once(self):
        self._BaseServer__shutdown_request = True
        # It looks whether it is to stop after each connection.
        with contextlib.suppress(OSError):
            socket.create_connection(self.server_address, timeout=1).close()
        shutdown(self)

    socketserver.BaseServer.serve_forever = serve_and_sleep
    socketserver.BaseServer.shutdown = shutdown_at_once


def look_for_garbage_seldom():
    """Looks far less often for objects that only refer to one another.

    A full look goes through all that the tables have, which took about a tenth of the time in a run of all tests.
    """
    gc.set_threshold(20_000, 20, 100)


def keep_what_functions_say():
    """Copies each line that a function writes to `<CARTWRIGHT_LOGS>/<function>.log` at once.

    The emulator's own CloudWatch Logs come after the call, and not at all when the function was killed in it.
    """
    import ministack.core.lambda_runtime as runtime

    folder = os.environ["CARTWRIGHT_LOGS"]
    os.makedirs(folder, exist_ok=True)
    pump = runtime.ProvidedWorker._pump_output

    class Copied:
        def __init__(self, stream, path):
            self.stream = stream
            self.file = open(path, "ab", buffering=0)

        def readline(self):
            line = self.stream.readline()
            if line:
                self.file.write(line)
            return line

        def close(self):
            self.stream.close()
            self.file.close()

    def pump_and_copy(self, stream, log_queue):
        pump(self, Copied(stream, os.path.join(folder, f"{self.func_name}.log")), log_queue)

    runtime.ProvidedWorker._pump_output = pump_and_copy


def give_functions_their_own_environment():
    """Keeps the emulator's settings out of the environment of functions, which would take `LOG_LEVEL` for theirs.

    Where one is told at which address of AWS the connections of a WebSocket API are, it is the emulator's.
    """
    import ministack.services.lambda_svc as functions

    shared = {"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_REGION", "HOME", "LANG", "PATH", "TMPDIR"}
    settings = {name for name in os.environ if name not in shared}
    environment_of = functions._provided_worker_env

    def environment_of_its_own(config, code_dir, port):
        environment = environment_of(config, code_dir, port)
        given = (config.get("Environment") or {}).get("Variables") or {}
        for name in [name for name in given if name == "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"]:
            host, _, stage = given[name].removeprefix("https://").partition("/")
            api = host.partition(".")[0]
            environment[name] = f"{os.environ['AWS_ENDPOINT_URL']}/_aws/execute-api/{api}/{stage}"
        return {n: v for n, v in environment.items() if n in given or n not in settings or v != os.environ[n]}

    functions._provided_worker_env = environment_of_its_own


def expand_nested_templates():
    """Applies SAM's transform to the template of a nested stack as well; the emulator does so for the root's alone.

    Without it each `AWS::Serverless::Function` there is a type that is not supported.
    """
    import ministack.services.cloudformation.engine as engine
    import ministack.services.cloudformation.provisioners as cloudformation

    check = cloudformation._check_nested_stack_capabilities

    # It is called once for each nested template, just after that was parsed.
    def check_and_expand(parent_stack_name, template):
        check(parent_stack_name, template)
        expanded = dict(engine._apply_transforms(template))
        template.clear()
        template.update(expanded)

    cloudformation._check_nested_stack_capabilities = check_and_expand


def tell_the_transform_what_parameters_are():
    """Gives SAM's transform the parameters of a stack, as AWS does; the emulator gives it their defaults alone.

    A function's version is named after one of them, and no release after the first would have versions of its own.
    """
    import samtranslator.translator.transform as sam

    import ministack.services.cloudformation.changesets as changesets
    import ministack.services.cloudformation.engine as engine
    import ministack.services.cloudformation.handlers as stacks
    import ministack.services.cloudformation.provisioners as cloudformation

    given = contextvars.ContextVar("given", default={})
    transform, apply = sam.transform, engine._apply_transforms
    handlers = cloudformation._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]
    create, update = handlers["create"], handlers["update"]

    def with_parameters(values, call, *arguments):
        token = given.set(values)
        try:
            return call(*arguments)
        finally:
            given.reset(token)

    def apply_with_parameters(template, provided=None, previous=None):
        values = engine._transform_parameters(template, provided, previous)
        return with_parameters(values, apply, template, provided, previous)

    def create_with_parameters(logical_id, props, stack_name):
        return with_parameters(props.get("Parameters") or {}, create, logical_id, props, stack_name)

    def update_with_parameters(physical_id, old_props, new_props, stack_name):
        values = new_props.get("Parameters") or {}
        return with_parameters(values, update, physical_id, old_props, new_props, stack_name)

    sam.transform = lambda template, values, *rest: transform(template, {**given.get(), **values}, *rest)
    changesets._apply_transforms = stacks._apply_transforms = apply_with_parameters
    handlers["create"], handlers["update"] = create_with_parameters, update_with_parameters


def remember_attributes_of_nested_resources():
    """Keeps what `!GetAtt` reads of a nested stack's resource that an update leaves alone.

    The emulator forgets it, and the first update of the stack fails: `Requested attribute Arn does not exist`.
    """
    import ministack.services.cloudformation.provisioners as cloudformation
    from ministack.services.cloudformation import _stacks

    update = cloudformation._update_resource

    # Only nested stacks call it by this name, and without the attributes.
    def update_with_attributes(kind, physical_id, old, new, stack_name, logical_id=None, attributes=None):
        if attributes is None:
            resources = (_stacks.get(stack_name) or {}).get("_resources", {})
            attributes = resources.get(logical_id, {}).get("Attributes")
        return update(kind, physical_id, old, new, stack_name, logical_id, attributes)

    cloudformation._update_resource = update_with_attributes


def resolve_references_in_nested_stacks():
    """Resolves `{{resolve:secretsmanager:…}}` and the like in a nested stack; the emulator leaves them as text."""
    import ministack.services.cloudformation.provisioners as cloudformation
    from ministack.services.cloudformation.engine import _resolve_dynamic_references

    provision, update = cloudformation._provision_resource, cloudformation._update_resource

    def resolved(properties):
        return _resolve_dynamic_references(properties)[0]

    def provision_resolved(kind, logical_id, properties, stack_name):
        return provision(kind, logical_id, resolved(properties), stack_name)

    def update_resolved(kind, physical_id, old, new, *rest):
        return update(kind, physical_id, resolved(old), resolved(new), *rest)

    cloudformation._provision_resource, cloudformation._update_resource = provision_resolved, update_resolved


def undo_failed_nested_stacks():
    """Takes down a nested stack that could not be created, and takes one back whose update failed.

    The emulator leaves what was made and changed. It forgets the former, so that a second try has each route twice, and
    tells whoever takes the latter's change back that there is nothing to deploy.
    """
    import ministack.services.cloudformation.provisioners as cloudformation
    from ministack.services.cloudformation import _stacks

    handlers = cloudformation._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_or_undo(logical_id, props, stack_name):
        before = {name for name, _ in _stacks.items()}
        try:
            return create(logical_id, props, stack_name)
        except Exception:
            for name, stack in list(_stacks.items()):
                if name not in before and stack.get("_parent_stack_name") == stack_name:
                    delete(name, {})
            raise

    def update_or_undo(physical_id, old_props, new_props, stack_name):
        try:
            return update(physical_id, old_props, new_props, stack_name)
        except Exception:
            with contextlib.suppress(Exception):
                update(physical_id, new_props, old_props, stack_name)
            raise

    handlers["create"], handlers["update"] = create_or_undo, update_or_undo


def retain_in_nested_stacks():
    """Heeds `DeletionPolicy` when a nested stack is deleted; the emulator deletes everything in it."""
    import ministack.services.cloudformation.provisioners as cloudformation
    from ministack.services.cloudformation import _stacks

    handlers = cloudformation._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]
    delete = handlers["delete"]

    def delete_but_retained(physical_id, props):
        stack = _stacks.get(cloudformation._nested_stack_lookup_name(physical_id)) or {}
        for logical_id, definition in (stack.get("_template") or {}).get("Resources", {}).items():
            if definition.get("DeletionPolicy") in cloudformation._RETAINING_POLICIES:
                stack["_resources"].pop(logical_id, None)
        delete(physical_id, props)

    handlers["delete"] = delete_but_retained


def read_cors_of_an_api():
    """Heeds the `CorsConfiguration` of an `AWS::ApiGatewayV2::Api`, which the emulator stores under other names."""
    import ministack.services.cloudformation.provisioners as cloudformation

    handlers = cloudformation._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handlers["create"], handlers["update"]

    def renamed(props):
        if not (rules := props.get("CorsConfiguration")):
            return props
        return {**props, "CorsConfiguration": {name[0].lower() + name[1:]: rule for name, rule in rules.items()}}

    def create_with_rules(logical_id, props, stack_name):
        return create(logical_id, renamed(props), stack_name)

    def update_with_rules(physical_id, old_props, new_props, stack_name, logical_id=None):
        return update(physical_id, old_props, renamed(new_props), stack_name, logical_id)

    handlers["create"], handlers["update"] = create_with_rules, update_with_rules


def ask_for_the_permission_of_a_route():
    """Answers 500, as AWS does, where no `AWS::Lambda::Permission` lets the API call just this function.

    SAM writes that permission beside its own events, and beside a route of ours it is easily forgotten. The emulator
    asks for none.
    """
    import ministack.services.apigateway as gateway
    import ministack.services.lambda_svc as functions

    invoke = gateway._invoke_lambda_proxy

    def is_permitted(integration, api_id, stage, method, route_key):
        reference = gateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
        name, alias = functions._resolve_name_and_qualifier(reference)
        function = functions._functions.get(name)
        called = functions._policy_resource_arn(name, alias)
        route = route_key if route_key == "$default" else f"{method}{route_key.partition(' ')[2]}"
        source = f"{api_id}/{stage}/{route}"
        for statement in function["policy"]["Statement"] if function else []:
            pattern = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", "*").rpartition(":")[2]
            service = statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
            if service and statement["Resource"] == called and fnmatch.fnmatchcase(source, pattern):
                return True
        return function is None

    async def invoke_if_permitted(integration, api_id, stage, path, method, *rest, **named):
        route_key = named.get("route_key") or (rest[3] if len(rest) > 3 else "$default")
        if not is_permitted(integration, api_id, stage, method, route_key):
            body = json.dumps({"message": "Internal Server Error"}).encode()
            return 500, {"Content-Type": "application/json"}, body
        return await invoke(integration, api_id, stage, path, method, *rest, **named)

    gateway._invoke_lambda_proxy = invoke_if_permitted


def say_how_to_sign_in():
    """Says with a 401 that a bearer token is needed (`WWW-Authenticate`), in the words of AWS; the emulator does not."""
    import ministack.services.apigateway as gateway

    validate = gateway._validate_jwt_authorizer

    async def validate_and_say(route, authorizer, headers, query_params):
        claims, scopes, refusal = await validate(route, authorizer, headers, query_params)
        if refusal and refusal[0] == 401:
            source = authorizer.get("identitySource", [])
            came = gateway._extract_token_from_identity_source(source, headers, query_params)
            why = ' scope="" error="invalid_token" error_description="the token is not valid"' if came else ""
            refusal[1]["WWW-Authenticate"] = f"Bearer{why}"
        return claims, scopes, refusal

    gateway._validate_jwt_authorizer = validate_and_say


def answer_this_machine_alone():
    """Refuses what a web page could ask for: the emulator lets any page read and change all that is in it, mail as well.

    A name elsewhere may lead here (DNS rebinding), so the host must be one of this machine's. What a browser sends from
    another page has an `Origin`; it may be for a bucket or an API, which say themselves whom they answer.
    """
    import ministack.app as app

    answer = app._handle_pre_body_request

    def is_this_machine(host):
        name = re.sub(r":\d*$", "", host.lower())
        return name in ("localhost", "127.0.0.1", "[::1]") or name.endswith(".localhost")

    async def answer_or_refuse(method, path, headers, query_params, request_id):
        host = headers.get("host", "")
        says_whom = app._s3_cors_target(host, path) or app._parse_execute_api_url(host, path)
        if not is_this_machine(host) or ("origin" in headers and not says_whom):
            message = "The local cloud answers this machine alone, and web pages for its buckets and its API alone."
            return 403, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()
        return await answer(method, path, headers, query_params, request_id)

    app._handle_pre_body_request = answer_or_refuse


def heed_failures_in_streams():
    """Heeds partial failures, halving, `MaximumRetryAttempts` and `OnFailure` of what reads a table's stream.

    The emulator gives a batch again for ever, all of it, when its function fails, and never when that reports records.
    """
    import ministack.services.dynamodb as dynamodb
    import ministack.services.lambda_svc as functions

    execute, poll = functions._execute_function, functions._poll_dynamodb_streams
    # Somebody may also invoke a function with such an event by hand.
    is_polling = contextvars.ContextVar("is_polling", default=False)
    # By mapping: the record that holds up the stream, and how often it did.
    held_up = {}

    def number_of(record):
        return record["dynamodb"]["SequenceNumber"]

    def first_failed(mapping, result, records):
        """Where the first record is that has to come again, or None."""
        if result.get("error"):
            return 0
        body = result.get("body")
        body = json.loads(body) if isinstance(body, (str, bytes)) and body else body
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []) or not isinstance(body, dict):
            return None
        failed = {failure.get("itemIdentifier") for failure in body.get("batchItemFailures") or []}
        places = [place for place, record in enumerate(records) if number_of(record) in failed]
        # A report that names no record of the batch is one on all of it.
        return min(places, default=0) if failed else None

    def deliver(function, mapping, records):
        """Gives them to the function, and tells which record has to come again first, with the result that says so."""
        result = execute(function, {"Records": records})
        failed = first_failed(mapping, result, records)
        if failed is None:
            return None, result
        rest = records[failed:]
        if len(rest) > 1 and mapping.get("BisectBatchOnFunctionError"):
            half = (len(rest) + 1) // 2
            again, result = deliver(function, mapping, rest[:half])
            return (again, result) if again else deliver(function, mapping, rest[half:])
        record, tries = held_up.pop(mapping["UUID"], (None, 0))
        tries = tries + 1 if record == number_of(rest[0]) else 1
        limit = int(mapping.get("MaximumRetryAttempts", -1))
        if 0 <= limit < tries:
            source, why = mapping["EventSourceArn"], "RetryAttemptsExhausted"
            functions._send_ddb_stream_failure_record(mapping, function, rest, source, result, why)
            return None, result
        held_up[mapping["UUID"]] = (number_of(rest[0]), tries)
        return rest[0], result

    def go_on_from(mapping, record):
        """What came before it is done and does not come again."""
        table, positions = record["eventSourceARN"].split("/")[1], functions._dynamodb_stream_positions
        with functions._dynamodb_stream_positions_lock:
            position = positions[mapping["UUID"]]
            batch = dynamodb.stream_records_since(table, position, mapping.get("BatchSize", 100))
            positions[mapping["UUID"]] = position + [number_of(one) for one in batch].index(number_of(record))

    def execute_for_a_stream(function, event, *rest, **named):
        if not is_polling.get():
            return execute(function, event, *rest, **named)
        name, source = function["config"]["FunctionName"], event["Records"][0]["eventSourceARN"]
        mappings = (one for _, _, one in functions._iter_all_esms() if one["EventSourceArn"] == source)
        mapping = next(one for one in mappings if one["FunctionName"] == name)
        again, result = deliver(function, mapping, event["Records"])
        if again is None:
            return {**result, "error": None}
        go_on_from(mapping, again)
        if not result.get("error"):
            result = {**result, "body": {"errorType": "BatchItemFailures", "errorMessage": "it reported records"}}
        return {**result, "error": True}

    def poll_and_heed():
        token = is_polling.set(True)
        try:
            return poll()
        finally:
            is_polling.reset(token)

    functions._execute_function, functions._poll_dynamodb_streams = execute_for_a_stream, poll_and_heed


def begin_streams_anew_after_a_restart():
    """Reads a table's stream from its first record after a restart.

    The emulator keeps how many records of a stream were read, but not the records: it then waits for as many new ones.
    """
    import ministack.services.lambda_svc as functions

    restore = functions._restore_esm_positions

    def restore_but_of_tables(store, positions):
        if store is not functions._dynamodb_stream_positions:
            restore(store, positions)

    functions._restore_esm_positions = restore_but_of_tables
    functions._dynamodb_stream_positions.clear()


def honour_time_to_live():
    """Sets a table's `TimeToLiveSpecification`, which the emulator's CloudFormation ignores."""
    import ministack.services.cloudformation.provisioners as cloudformation
    import ministack.services.dynamodb as dynamodb

    handlers = cloudformation._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create, update = handlers["create"], handlers["update"]

    def set_time_to_live(table, props):
        if specification := props.get("TimeToLiveSpecification"):
            enabled = str(specification.get("Enabled")).lower() == "true"
            specification = {**specification, "Enabled": enabled}
            dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": specification})

    def create_with_time_to_live(logical_id, props, stack_name):
        created = create(logical_id, props, stack_name)
        set_time_to_live(created[0], props)
        return created

    def update_with_time_to_live(physical_id, old_props, new_props, stack_name, logical_id=None):
        updated = update(physical_id, old_props, new_props, stack_name, logical_id)
        set_time_to_live(updated[0], new_props)
        return updated

    handlers["create"], handlers["update"] = create_with_time_to_live, update_with_time_to_live


def finish_a_confirmation():
    """After a confirmed sign-up: verifies the email, refuses one that is another's alias, and calls `PostConfirmation`.

    The emulator sets the status alone, so nobody could sign in by email and the trigger would never run.
    """
    import ministack.services.cognito as cognito
    import ministack.services.lambda_svc as functions

    run = cognito._run_idp_handler

    def run_and_finish(handler, action, data):
        if action != "ConfirmSignUp":
            return run(handler, action, data)
        pool, pool_id = cognito._pool_for_client(data.get("ClientId"))
        user = cognito._resolve_user(pool, data.get("Username"))[0] if pool else None
        was = user and user["UserStatus"]
        answer = run(handler, action, data)
        if answer[0] != 200 or not user:
            return answer
        # After the code: whoever does not have it learns nothing of the address.
        if was == "UNCONFIRMED" and "email" in pool.get("AliasAttributes", []):
            owner = cognito._resolve_user(pool, attributes_of(user).get("email"))[0]
            if owner and owner is not user:
                user["UserStatus"] = was
                message = "An account with the email already exists."
                return cognito.error_response_json("AliasExistsException", message, 400)
        if "email" in pool.get("AutoVerifiedAttributes", []):
            verified = {**attributes_of(user), "email_verified": "true"}
            user["Attributes"] = cognito._dict_to_attr_list(verified)
        trigger = (pool.get("LambdaConfig") or {}).get("PostConfirmation")
        return (trigger and refusal_of(trigger, pool_id, user, data)) or answer

    def attributes_of(user):
        return cognito._attr_list_to_dict(user["Attributes"])

    def refusal_of(trigger, pool_id, user, data):
        source = "PostConfirmation_ConfirmSignUp"
        name, client = user["Username"], data.get("ClientId")
        event = cognito._build_presignup_event(pool_id, client, name, attributes_of(user), source)
        event["request"] = {
            "userAttributes": {**event["request"]["userAttributes"], "cognito:user_status": "CONFIRMED"},
            "clientMetadata": data.get("ClientMetadata") or {},
        }
        event["response"] = {}
        record, config, _ = functions._get_func_record_for_ref(trigger)
        record = functions._execution_record_for_config(record, config)
        result = functions._execute_function_with_config_scope(record, event)
        if isinstance(result, dict) and result.get("error"):
            message = f"PostConfirmation failed with error {result.get('body')}."
            return cognito.error_response_json("UserLambdaValidationException", message, 400)
        return None

    cognito._run_idp_handler = run_and_finish


def keep_an_address_its_owners():
    """Refuses an administrator's change of an account's verified email to one that is another's alias, as AWS does."""
    import ministack.services.cognito as cognito

    run = cognito._run_idp_handler

    def run_unless_taken(handler, action, data):
        if action == "AdminUpdateUserAttributes":
            pool = cognito._resolve_pool(data.get("UserPoolId"))[0] or {}
            wanted = cognito._attr_list_to_dict(data.get("UserAttributes") or [])
            if "email" in pool.get("AliasAttributes", []) and wanted.get("email_verified") == "true":
                user = cognito._resolve_user(pool, data.get("Username"))[0]
                owner = cognito._resolve_user(pool, wanted.get("email"))[0]
                if owner and owner is not user:
                    message = "An account with the email already exists."
                    return cognito.error_response_json("AliasExistsException", message, 400)
        return run(handler, action, data)

    cognito._run_idp_handler = run_unless_taken


def open_no_account_without_a_password_by_one():
    """Refuses every password for an account that has none, as AWS does: it is a provider's person.

    The emulator takes any.
    """
    import ministack.services.cognito as cognito

    refused = cognito._password_signin_refused

    def refuse(user):
        if not user.get("_password"):
            message = "Incorrect username or password."
            return cognito.error_response_json("NotAuthorizedException", message, 400)
        return refused(user)

    cognito._password_signin_refused = refuse


def ask_for_the_words_of_a_code():
    """Asks the pool's `CustomMessage` for the words of every code, and whether an address may be changed.

    The emulator asks for those of an invitation alone.
    """
    import ministack.services.cognito as cognito

    sources = {
        "SignUp": "CustomMessage_SignUp",
        "ResendConfirmationCode": "CustomMessage_ResendCode",
        "ForgotPassword": "CustomMessage_ForgotPassword",
        "AdminResetUserPassword": "CustomMessage_ForgotPassword",
    }
    acting = contextvars.ContextVar("acting", default=None)
    run, send = cognito._run_idp_handler, cognito._send_verification_email

    def run_and_heed(handler, action, data):
        token = acting.set(action)
        try:
            if action == "UpdateUserAttributes":
                ask_about_a_change(data)
            return run(handler, action, data)
        except cognito._CustomMessageRejected as refusal:
            return cognito._custom_message_error(refusal)
        finally:
            acting.reset(token)

    def ask_about_a_change(data):
        user, pool = cognito._user_pool_for_access_token(data.get("AccessToken"))
        names = [attribute["Name"] for attribute in data.get("UserAttributes", [])]
        if user and "email" in names:
            attributes = cognito._attr_list_to_dict(user["Attributes"])
            source = "CustomMessage_UpdateUserAttribute"
            cognito._apply_custom_message_trigger(pool, source, user["Username"], attributes)

    def send_with_words(pool, username, attributes, code, attribute_name="email"):
        user = cognito._resolve_user(pool, username)[0]
        name = user["Username"] if user else username
        words = cognito._apply_custom_message_trigger(pool, sources[acting.get()], name, attributes)
        template = dict(pool.get("VerificationMessageTemplate") or {})
        for part, word in (("EmailSubject", "emailSubject"), ("EmailMessage", "emailMessage")):
            if words.get(word):
                template[part] = words[word]
        return send({**pool, "VerificationMessageTemplate": template}, username, attributes, code, attribute_name)

    cognito._run_idp_handler, cognito._send_verification_email = run_and_heed, send_with_words


def find_people_while_others_sign_up():
    """Looks for people in a copy of their list: when somebody signs up meanwhile, going through the list itself fails.

    A confirmation that failed so was tried again, found the account confirmed, and never called its trigger; a token
    was taken for a stranger's.
    """
    import ministack.services.cognito as cognito

    resolve, owner_of = cognito._resolve_user, cognito._user_from_token

    def copy_of(pool):
        return {**pool, "_users": dict(pool["_users"])}

    cognito._resolve_user = lambda pool, name: resolve(copy_of(pool), name)
    cognito._user_from_token = lambda token, pool: owner_of(token, copy_of(pool))


def ignore_the_case_of_names():
    """Finds people by username and email in any case, where the pool says so; the emulator always goes by case."""
    import ministack.services.cognito as cognito

    resolve, sign_up = cognito._resolve_user, cognito._sign_up

    def goes_by_case(pool):
        return str((pool.get("UsernameConfiguration") or {}).get("CaseSensitive", True)).lower() != "false"

    def resolve_in_any_case(pool, name):
        found = resolve(pool, name)
        if found[0] or goes_by_case(pool) or not isinstance(name, str):
            return found
        for username, user in list(pool["_users"].items()):
            attributes = cognito._attr_list_to_dict(user["Attributes"])
            names = [username]
            if "email" in pool.get("AliasAttributes", []) and attributes.get("email_verified") == "true":
                names.append(attributes["email"])
            if name.casefold() in (one.casefold() for one in names):
                return user, None
        return found

    def sign_up_in_any_case(data):
        pool = cognito._pool_for_client(data.get("ClientId"))[0]
        name = str(data.get("Username")).casefold()
        if pool and not goes_by_case(pool) and any(one.casefold() == name for one in list(pool["_users"])):
            return cognito.error_response_json("UsernameExistsException", "User already exists", 400)
        return sign_up(data)

    cognito._resolve_user, cognito._sign_up = resolve_in_any_case, sign_up_in_any_case


def ask_for_the_session_of_a_challenge():
    """Takes a code of an app once, and only with the session that the person's password gave in the last minutes.

    The emulator looks at no session: whoever knows a username, of an account without a second factor, gets tokens for
    any six digits. It also names the account by what the person typed, where AWS has the username.
    """
    import ministack.services.cognito as cognito

    challenge, run, seconds = cognito._mfa_challenge_for_user, cognito._run_idp_handler, 180
    sessions, used = {}, {}

    def challenge_and_remember(pool, user, pool_id, username):
        asked = challenge(pool, user, pool_id, user["Username"])
        if asked:
            sessions[asked["Session"]] = (pool_id, user["Username"], time.monotonic())
        return asked

    def run_with_a_session(handler, action, data):
        if action != "RespondToAuthChallenge" or data.get("ChallengeName") != "SOFTWARE_TOKEN_MFA":
            return run(handler, action, data)
        responses, session = data.get("ChallengeResponses") or {}, data.get("Session")
        pool, pool_id = cognito._pool_for_client(data.get("ClientId"))
        user = cognito._resolve_user(pool, responses.get("USERNAME"))[0] if pool else None
        of_pool, name, since = sessions.get(session, (None, None, 0))
        if not user or (of_pool, name) != (pool_id, user["Username"]) or time.monotonic() - since > seconds:
            message = "Invalid session for the user."
            return cognito.error_response_json("NotAuthorizedException", message, 400)
        code = responses.get("SOFTWARE_TOKEN_MFA_CODE")
        if used.get((pool_id, name)) == code:
            message = "Your software token has already been used once."
            return cognito.error_response_json("ExpiredCodeException", message, 400)
        answer = run(handler, action, data)
        if answer[0] == 200:
            sessions.pop(session)
            used[pool_id, name] = code
        return answer

    cognito._mfa_challenge_for_user, cognito._run_idp_handler = challenge_and_remember, run_with_a_session


def keep_the_time_of_a_sign_in():
    """Keeps `auth_time` over a refresh, as AWS does; the emulator sets it anew, as if somebody had signed in again."""
    import ministack.services.cognito as cognito

    sign, signed_in = cognito._signed_jwt, {}

    def sign_with_the_first_time(claims, *rest):
        if "auth_time" in claims and "origin_jti" in claims:
            first = signed_in.setdefault(claims["origin_jti"], claims["auth_time"])
            claims = {**claims, "auth_time": first}
        return sign(claims, *rest)

    cognito._signed_jwt = sign_with_the_first_time


def take_identity_providers():
    """Creates `AWS::Cognito::UserPoolIdentityProvider`, a type that the emulator's CloudFormation does not know."""
    import ministack.services.cloudformation.provisioners as cloudformation
    import ministack.services.cognito as cognito

    names = ("UserPoolId", "ProviderName", "ProviderType", "ProviderDetails", "AttributeMapping", "IdpIdentifiers")

    def call(handler, props):
        answer = handler({name: props[name] for name in names if name in props})
        if answer[0] != 200:
            raise ValueError(f"AWS::Cognito::UserPoolIdentityProvider: {answer[2]!r}")

    def create(logical_id, props, stack_name):
        call(cognito._create_identity_provider, props)
        return props["ProviderName"], {}

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        call(cognito._update_identity_provider, {k: v for k, v in new_props.items() if k != "ProviderType"})
        return physical_id, {}

    def delete(physical_id, props):
        cognito._delete_identity_provider({"UserPoolId": props["UserPoolId"], "ProviderName": physical_id})

    cloudformation._RESOURCE_HANDLERS["AWS::Cognito::UserPoolIdentityProvider"] = {
        "create": create,
        "update": update,
        "delete": delete,
    }


def come_back_from_a_provider_as_on_aws():
    """Has a sign-in by a provider come back to where it began, as on AWS.

    The emulator names a domain of AWS to the provider, where nobody answers here; it answers with JSON, in the middle
    of the browser's way, where the provider, PreSignUp or an account that is closed says no; and `true` of a token of
    the provider's becomes `True`, which is not true.
    """
    import ministack.services.cognito as cognito

    respond, merge, inbound = (
        cognito._oauth2_idp_response, cognito._merge_federated_attrs, cognito._apply_inbound_federation_trigger,
    )
    domain_of = cognito._pool_domain_base_url

    def domain_of_the_callback(pool):
        for client in pool.get("_clients", {}).values():
            for url in client.get("CallbackURLs") or []:
                if url.startswith("http://localhost"):
                    return url.removesuffix("/auth/callback")
        return domain_of(pool)

    def take_booleans_as_text(pool_id, client_id, username, provider_name, provider_type, attributes):
        claims = attributes.get("idToken") or {}
        claims.update({name: str(value).lower() for name, value in claims.items() if isinstance(value, bool)})
        return inbound(pool_id, client_id, username, provider_name, provider_type, attributes)

    class Disabled(Exception):
        pass

    def merge_if_enabled(user, user_attrs, now):
        if not user.get("Enabled", True):
            raise Disabled
        return merge(user, user_attrs, now)

    def respond_to_the_app(method, body, query_params):
        state, error = cognito._qp(query_params, "state"), cognito._qp(query_params, "error")
        relay = cognito._auth_codes.get(state) or {}
        if relay.get("type") != "relay":
            return respond(method, body, query_params)

        def back(error, description):
            answer = {"error": error, "error_description": description, "state": relay["state"]}
            return 302, {"Location": f"{relay['redirect_uri']}?{cognito.urlencode(answer)}"}, b""

        if error:
            cognito._auth_codes.pop(state)
            return back(error, cognito._qp(query_params, "error_description"))
        try:
            status, headers, said = respond(method, body, query_params)
        except Disabled:
            return back("invalid_request", "User is disabled.")
        if status == 400 and b"UserLambdaValidationException" in said:
            return back("invalid_request", f"PreSignUp failed with error {json.loads(said).get('message')}.")
        return status, headers, said

    cognito._pool_domain_base_url = domain_of_the_callback
    cognito._apply_inbound_federation_trigger = take_booleans_as_text
    cognito._merge_federated_attrs = merge_if_enabled
    cognito._oauth2_idp_response = respond_to_the_app


def read_workflows_in_yaml():
    """Turns a state machine's definition into JSON: AWS takes YAML as well, the emulator fails each execution of it."""
    import yaml

    import ministack.services.cloudformation.provisioners as cloudformation

    definition_of = cloudformation._sfn_definition
    cloudformation._sfn_definition = lambda props: json.dumps(yaml.safe_load(definition_of(props)))


def take_alarms_on_metric_math():
    """Takes an alarm on metric math, which the emulator's CloudFormation refuses, and does nothing with it."""
    import ministack.services.cloudformation.provisioners as cloudformation

    handlers = cloudformation._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_or_take(logical_id, props, stack_name):
        if "Metrics" in props:
            return props["AlarmName"], {}
        return create(logical_id, props, stack_name)

    def update_or_take(physical_id, old_props, new_props, stack_name, logical_id=None):
        if "Metrics" in new_props:
            return new_props["AlarmName"], {}
        if "Metrics" in old_props:
            return create(logical_id, new_props, stack_name)
        return update(physical_id, old_props, new_props, stack_name, logical_id)

    def delete_if_made(physical_id, props):
        if "Metrics" not in props:
            delete(physical_id, props)

    handlers["create"], handlers["update"], handlers["delete"] = create_or_take, update_or_take, delete_if_made


def ask_for_the_sender_of_an_email():
    """Asks for `ses:SendEmail` on the sender's identity, as AWS does; the emulator asks for it on everything (`*`)."""
    import ministack.core.iam_actions as actions

    resource_of = actions._ses_v2_resource_arn

    def resource_or_sender(method, path, body, region, account_id):
        if path.rstrip("/") == "/v2/email/outbound-emails":
            sender = email.utils.parseaddr(json.loads(body or b"{}").get("FromEmailAddress", ""))[1]
            return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"
        return resource_of(method, path, body, region, account_id)

    actions._ses_v2_resource_arn = resource_or_sender


def ask_for_publish_for_a_batch():
    """Asks for `sns:Publish` where messages come in a batch, as AWS does: it knows no `sns:PublishBatch`."""
    import ministack.core.iam_actions as actions

    action_of = actions.extract_iam_action

    def known_action(*request, **named):
        action = action_of(*request, **named)
        return "sns:Publish" if action == "sns:PublishBatch" else action

    actions.extract_iam_action = known_action


def count_as_encrypted():
    """Lets the bucket policy's refusal of plain HTTP pass: the local cloud has no TLS, and nobody between it and you."""
    import ministack.app as app

    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, secure_transport: pin(source_ip, True)


def keep_the_mailbox():
    """Keeps sent mail and texts over a restart: the emulator saves all of SES and SNS but those."""
    import ministack.services.ses as ses
    import ministack.services.sns as sns

    def keep(module, store):
        get_state, load_state = module.get_state, module.load_persisted_state

        def get_with_sent():
            return {**get_state(), f"sent:{store}": getattr(module, store)}

        def load_with_sent(data):
            load_state(data)
            if sent := data.get(f"sent:{store}"):
                getattr(module, store).update(sent)

        module.get_state, module.load_persisted_state = get_with_sent, load_with_sent

    keep(ses, "_sent_emails")
    keep(sns, "_sms_messages")


def find_mail():
    """Lets `/_ministack/ses/messages` take `to` and `newest`: all the mail of a long run is many megabytes an answer."""
    import ministack.app as app
    import ministack.services.ses as ses

    answer = app._handle_ses_messages_request

    async def answer_in_part(method, path, headers, query):
        to, newest = (query.get(name, [None])[0] for name in ("to", "newest"))
        if path != "/_ministack/ses/messages" or method != "GET" or (to is None and newest is None):
            return await answer(method, path, headers, query)
        entries = (sent for sent in ses._sent_emails.to_dict().values() if isinstance(sent, list))
        mail = [one for sent in entries for one in sent if to is None or to in one.get("To", [])]
        mail.sort(key=lambda one: one["Timestamp"])
        if newest is not None:
            mail = mail[-int(newest) :] if int(newest) else []
        body = json.dumps({"messages": {"all": mail}})
        return 200, {"Content-Type": "application/json"}, body.encode()

    app._handle_ses_messages_request = answer_in_part


def save_every(seconds):
    """Saves the state now and then: the emulator does so only when it is stopped, and forgets all when it is killed."""
    import ministack.app as app

    def save_for_ever():
        while True:
            time.sleep(seconds)
            app.save_all(app._build_persistence_save_dict())

    threading.Thread(target=save_for_ever, daemon=True, name="save").start()


def stop_with_the_starter():
    """Stops when standard input ends, which is when the process that started this one ends, however that happens."""

    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="starter").start()


def main():
    installed = importlib.metadata.version("ministack")
    if installed == PINNED:
        answer_without_waiting()
        let_waiting_functions_sleep()
        look_for_garbage_seldom()
        keep_what_functions_say()
        give_functions_their_own_environment()
        expand_nested_templates()
        tell_the_transform_what_parameters_are()
        remember_attributes_of_nested_resources()
        resolve_references_in_nested_stacks()
        undo_failed_nested_stacks()
        # After it: what could not be created is not retained.
        retain_in_nested_stacks()
        read_cors_of_an_api()
        ask_for_the_permission_of_a_route()
        say_how_to_sign_in()
        heed_failures_in_streams()
        begin_streams_anew_after_a_restart()
        honour_time_to_live()
        finish_a_confirmation()
        keep_an_address_its_owners()
        open_no_account_without_a_password_by_one()
        ask_for_the_words_of_a_code()
        find_people_while_others_sign_up()
        ignore_the_case_of_names()
        ask_for_the_session_of_a_challenge()
        keep_the_time_of_a_sign_in()
        take_identity_providers()
        come_back_from_a_provider_as_on_aws()
        read_workflows_in_yaml()
        take_alarms_on_metric_math()
        ask_for_the_sender_of_an_email()
        ask_for_publish_for_a_batch()
        count_as_encrypted()
        answer_this_machine_alone()
        keep_the_mailbox()
        find_mail()
        if os.environ.get("PERSIST_STATE") == "1":
            save_every(seconds=20)
    else:
        print(f"launch.py is for MiniStack {PINNED}, this is {installed}: it runs unpatched", file=sys.stderr)

    if os.environ.get("CARTWRIGHT_STOPS_WITH_STARTER") == "1":
        stop_with_the_starter()

    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
