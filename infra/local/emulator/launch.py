"""Starts MiniStack, the AWS emulator, with what a shop on it needs and the emulator lacks.

Each function below is one difference, with its reason. They reach into the emulator, so they are written for one
version of it (`PINNED`); with any other it starts as it is, and says so. All settings come from the environment.
"""

import email.utils
import importlib.metadata
import json
import os
import re
import signal
import socketserver
import sys
import threading
import time

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
    """Keeps the emulator's settings out of the environment of functions, which would take `LOG_LEVEL` for theirs."""
    import ministack.services.lambda_svc as functions

    shared = {"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_REGION", "HOME", "LANG", "PATH", "TMPDIR"}
    settings = {name for name in os.environ if name not in shared}
    environment_of = functions._provided_worker_env

    def environment_of_its_own(config, code_dir, port):
        environment = environment_of(config, code_dir, port)
        given = (config.get("Environment") or {}).get("Variables") or {}
        return {n: v for n, v in environment.items() if n in given or n not in settings or v != os.environ[n]}

    functions._provided_worker_env = environment_of_its_own


def import_the_routes_of_an_api():
    """Creates the routes, authorizers and CORS rules of an HTTP API's OpenAPI `Body`, which is what SAM makes of routes.

    The emulator's CloudFormation creates such an API empty: every address answers 404.
    """
    import ministack.services.apigateway as gateway
    import ministack.services.cloudformation.provisioners as cloudformation

    def import_body(api_id, body):
        if not body:
            return
        authorizers = {}
        for name, scheme in (body.get("components") or {}).get("securitySchemes", {}).items():
            authorizer = scheme["x-amazon-apigateway-authorizer"]
            jwt = authorizer["jwtConfiguration"]
            audience = jwt["audience"]
            authorizers[name] = {
                "authorizerId": name,
                "authorizerType": "JWT",
                "name": name,
                "identitySource": [authorizer.get("identitySource", "$request.header.Authorization")],
                "jwtConfiguration": {
                    "issuer": jwt["issuer"],
                    "audience": audience if isinstance(audience, list) else [audience],
                },
            }
        integrations, routes = {}, {}
        for path, operations in body.get("paths", {}).items():
            for method, operation in operations.items():
                if "x-amazon-apigateway-integration" not in operation:
                    continue
                integration = operation["x-amazon-apigateway-integration"]
                function = re.search(r"functions/(.+)/invocations", integration["uri"])[1]
                if function not in integrations:
                    properties = cloudformation._apigw_v2_integration_props({"IntegrationUri": function})
                    integrations[function] = {"integrationId": str(len(integrations)), **properties}
                route = {
                    "RouteKey": f"{'ANY' if method.startswith('x-amazon') else method.upper()} {path}",
                    "Target": f"integrations/{integrations[function]['integrationId']}",
                }
                for requirement in operation.get("security") or []:
                    for name, scopes in requirement.items():
                        # SAM writes `NONE`, which is no authorizer, for a public route.
                        if name in authorizers:
                            route |= {"AuthorizationType": "JWT", "AuthorizerId": name, "AuthorizationScopes": scopes}
                route_id = str(len(routes))
                routes[route_id] = {"routeId": route_id, **cloudformation._apigw_v2_route_props(route)}
        gateway._authorizers[api_id] = authorizers
        gateway._integrations[api_id] = {i["integrationId"]: i for i in integrations.values()}
        gateway._routes[api_id] = routes
        if cors := body.get("x-amazon-apigateway-cors"):
            gateway._apis[api_id]["corsConfiguration"] = cors

    handlers = cloudformation._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handlers["create"], handlers["update"]

    def create_with_routes(logical_id, props, stack_name):
        created = create(logical_id, props, stack_name)
        import_body(created[0], props.get("Body"))
        return created

    def update_with_routes(physical_id, old_props, new_props, stack_name, logical_id=None):
        updated = update(physical_id, old_props, new_props, stack_name, logical_id)
        import_body(updated[0], new_props.get("Body"))
        return updated

    handlers["create"], handlers["update"] = create_with_routes, update_with_routes


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
        if user and user["UserStatus"] == "UNCONFIRMED" and "email" in pool.get("AliasAttributes", []):
            owner = cognito._resolve_user(pool, attributes_of(user).get("email"))[0]
            if owner and owner is not user:
                message = "An account with the email already exists."
                return cognito.error_response_json("AliasExistsException", message, 400)
        answer = run(handler, action, data)
        if answer[0] != 200 or not user:
            return answer
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
        for username, user in pool["_users"].items():
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
        if pool and not goes_by_case(pool) and any(one.casefold() == name for one in pool["_users"]):
            return cognito.error_response_json("UsernameExistsException", "User already exists", 400)
        return sign_up(data)

    cognito._resolve_user, cognito._sign_up = resolve_in_any_case, sign_up_in_any_case


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
        keep_what_functions_say()
        give_functions_their_own_environment()
        import_the_routes_of_an_api()
        honour_time_to_live()
        finish_a_confirmation()
        ignore_the_case_of_names()
        read_workflows_in_yaml()
        take_alarms_on_metric_math()
        ask_for_the_sender_of_an_email()
        count_as_encrypted()
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
