#!/usr/bin/env python3
"""A double of AWS for tests, held to AWS's own published service models (botocore's).

Each request is checked against the input shape of its operation, and each answer against the output
shape: a fixture that AWS could not have sent is an error 500, `FixtureInvalid`. Listings are paged by
the published paginators with tokens that are opaque, batch sizes are those of the shapes, and
operations that a world does not answer are denied. A sort order beside a token is refused, as CodeBuild
does (https://github.com/aws/aws-cli/issues/5863): the token knows its order. Every request is logged.

    double.py WORLD          serves on a free port of the loopback and prints `port N`
    GET  /_log               the requests so far
    GET  /_struck            the operations that a fault has struck
    POST /_faults            replaces the faults: {"service.Operation" or "*": {...}}

Faults, each with `every` (each n-th request), `after` (from the n-th on), `times` (at most), and for
"*" `each` (count every operation for itself):
throttle, error (500), truncate, deny, code (any error by name), repeat (a page names itself as
the next), hang (no answer), slow (seconds).
"""
import base64
import hashlib
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate

import botocore.session

import cbor
import metrics
import worlds

SESSION = botocore.session.get_session()
SERVICES = ["ce", "codebuild", "codepipeline", "codecommit", "codedeploy", "cloudtrail", "organizations", "pricing",
            "cloudwatch"]
MODELS = {}
for service in SERVICES:
    model = SESSION.get_service_model(service)
    # CloudTrail's prefix has a namespace before it, which the Rust SDK leaves out.
    MODELS[model.metadata["targetPrefix"].rsplit(".", 1)[-1]] = (service, model)
STS = SESSION.get_service_model("sts")

# botocore has no paginator for these; their documents describe the tokens all the same.
PAGERS = {
    "ce.GetCostAndUsage": {"input_token": "NextPageToken", "output_token": "NextPageToken"},
    "codedeploy.ListDeploymentTargets": {"input_token": "nextToken", "output_token": "nextToken"},
    "codebuild.ListSandboxes": {"input_token": "nextToken", "output_token": "nextToken"},
    "codebuild.ListFleets": {"input_token": "nextToken", "output_token": "nextToken"},
}


def check(shape, value, path, errors, strict=True):
    """Checks wire JSON: unknown members, types, required, lengths, patterns, enums."""
    kind, meta = shape.type_name, shape.metadata

    def bad(message):
        errors.append(f"{path}: {message}")

    if kind == "structure":
        if not isinstance(value, dict):
            return bad(f"expected an object, got {type(value).__name__}")
        for name in shape.required_members:
            if name not in value:
                bad(f"lacks {name}")
        for name, inner in value.items():
            if name not in shape.members:
                bad(f"unknown member {name!r}")
            else:
                check(shape.members[name], inner, f"{path}.{name}", errors, strict)
    elif kind == "list":
        if not isinstance(value, list):
            return bad("expected an array")
        if len(value) < meta.get("min", 0) or len(value) > meta.get("max", len(value)):
            bad(f"{len(value)} items")
        for at, inner in enumerate(value):
            check(shape.member, inner, f"{path}[{at}]", errors, strict)
    elif kind == "map":
        if not isinstance(value, dict):
            return bad("expected a map")
        for name, inner in value.items():
            check(shape.key, name, f"{path}<{name}>", errors, strict)
            check(shape.value, inner, f"{path}.{name}", errors, strict)
    elif kind in ("string", "character"):
        if not isinstance(value, str):
            return bad(f"expected a string, got {value!r}")
        # Values of the future are the one thing that AWS may send against today's model.
        future = not strict and value.startswith("FUTURE")
        if "enum" in meta and value not in meta["enum"] and not future:
            bad(f"{value!r} is not in the enum")
        if len(value) < meta.get("min", 0) or len(value) > meta.get("max", len(value)):
            bad(f"length {len(value)}")
        if "pattern" in meta:
            try:
                if not re.search(meta["pattern"], value):
                    bad(f"{value!r} does not match {meta['pattern']}")
            except re.error:
                pass
    elif kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            return bad(f"expected an integer, got {value!r}")
        if value < meta.get("min", value) or value > meta.get("max", value):
            bad(f"{value} is out of range")
    elif kind in ("float", "double", "timestamp"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            bad(f"expected a number, got {value!r}")
    elif kind == "boolean":
        if not isinstance(value, bool):
            bad(f"expected a boolean, got {value!r}")


class Refused(Exception):
    def __init__(self, code, message="", status=400):
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class State:
    def __init__(self, world):
        self.world = world
        self.lock = threading.Lock()
        self.log = []
        self.faults = {}
        self.counts = {}
        self.fired = {}
        self.struck = set()
        self.checked = 0


def pager(service, operation):
    key = f"{service}.{operation}"
    if key in PAGERS:
        return PAGERS[key]
    return SESSION.get_paginator_model(service).get_paginator(operation)


def order_of(request):
    """What a request says of the order of its listing: sortOrder, sortBy, order."""
    return {k: v for k, v in request.items() if "sort" in k.lower() or k == "order"}


def token_of(operation, request, left):
    order = order_of(request)
    scope = {k: v for k, v in request.items() if "oken" not in k and k not in order}
    digest = hashlib.sha256(json.dumps([operation, scope], sort_keys=True).encode()).hexdigest()[:16]
    return base64.urlsafe_b64encode(f"{operation}|{digest}|{left}|{json.dumps(order)}".encode()).decode()


def in_order(service, operation, request):
    """Gives a request for a further page the order that its token has."""
    token = request.get(pager(service, operation)["input_token"])
    if not token:
        return request
    if order_of(request):
        raise Refused("InvalidInputException", "Sort order can't be specified when passing a nextToken")
    try:
        order = json.loads(base64.urlsafe_b64decode(token).decode().split("|", 3)[3])
    except Exception:
        raise Refused("InvalidNextTokenException", "bad token") from None
    return {**request, **order}


def page(service, operation, request, items, size):
    """Cuts a page. Tokens count from the end, so that new items at the top move nothing."""
    names = pager(service, operation)
    start = 0
    token = request.get(names["input_token"])
    if token:
        try:
            left = int(base64.urlsafe_b64decode(token).decode().split("|")[2])
        except Exception:
            raise Refused("InvalidNextTokenException", "bad token") from None
        if token_of(operation, request, left) != token:
            raise Refused("InvalidNextTokenException", "a token of another listing")
        start = len(items) - left
    part = items[start:start + size]
    left = len(items) - start - len(part)
    following = {names["output_token"]: token_of(operation, request, left)} if left > 0 else {}
    return part, following


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="application/x-amz-json-1.1", headers=None, cut=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[:cut] if cut else data)
        self.wfile.flush()
        if cut:
            self.close_connection = True

    def refuse(self, error):
        if self.speaks_cbor():
            headers = {"smithy-protocol": "rpc-v2-cbor"}
            return self.reply(error.status, cbor.error(error.code, error.message), "application/cbor", headers)
        body = {"__type": error.code, "message": error.message}
        self.reply(error.status, body, headers={"x-amzn-ErrorType": error.code})

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + STATE.world.get("clock", 0), usegmt=True)

    def do_GET(self):
        if self.path == "/_log":
            with STATE.lock:
                return self.reply(200, STATE.log, "application/json")
        if self.path == "/_struck":
            with STATE.lock:
                return self.reply(200, sorted(STATE.struck), "application/json")
        offers = STATE.world.get("offers", {})
        if self.path in offers:
            with STATE.lock:
                STATE.log.append({"op": "GET", "path": self.path})
            return self.reply(200, offers[self.path].encode(), "application/octet-stream")
        self.reply(404, {})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_faults":
            with STATE.lock:
                STATE.faults, STATE.fired, STATE.counts, STATE.struck = json.loads(raw), {}, {}, set()
                STATE.log.clear()
            return self.reply(200, {})
        try:
            if self.headers.get("X-Amz-Target"):
                prefix, _, operation = self.headers["X-Amz-Target"].rpartition(".")
                self.answer(prefix.rsplit(".", 1)[-1], operation, lambda: json.loads(raw or b"{}"))
            elif self.speaks_cbor():
                _, _, prefix, _, operation = self.path.split("/")
                self.answer(prefix, operation, lambda: cbor.read(raw))
            else:
                self.sts(raw)
        except Refused as error:
            if self.headers.get("X-Amz-Target") or self.speaks_cbor():
                self.refuse(error)
            else:
                self.refuse_xml(error)
        except OSError:
            raise
        except Exception as error:  # a fault of the double: say so, loudly
            print("DoubleBroken", repr(error), file=sys.stderr, flush=True)
            self.refuse(Refused("DoubleBroken", repr(error), 400))

    def speaks_cbor(self):
        return self.headers.get("smithy-protocol") == "rpc-v2-cbor"

    def caller(self, signing):
        authorization = self.headers.get("Authorization", "")
        match = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", authorization)
        if not match or match[3] != signing:
            raise Refused("IncompleteSignature", f"not signed for {signing}")
        if match[1] == "EXPIRED":
            raise Refused("ExpiredTokenException", "The security token included in the request is expired", 403)
        if match[1] == "UNKNOWN":
            raise Refused("UnrecognizedClientException", "The security token is invalid", 403)
        if STATE.world.get("clock"):
            raise Refused("InvalidSignatureException", "Signature expired: 1 is now earlier than 2", 403)
        account = match[1][4:] if match[1].startswith("ASIA") else "111111111111"
        return account, match[2]

    def sts(self, raw):
        form = {k: v[0] for k, v in urllib.parse.parse_qs(raw.decode()).items()}
        operation = form.pop("Action", "")
        form.pop("Version", None)
        account, region = self.caller("sts")
        self.note("sts", operation, form, account, region)
        errors = []
        if operation not in STS.operation_names:
            raise Refused("InvalidAction", operation)
        members = STS.operation_model(operation).input_shape.members
        for name in form:
            if name.split(".")[0] not in members:
                errors.append(name)
        if errors:
            raise Refused("ValidationError", ", ".join(errors))
        self.fault("sts", operation)
        # So does STS: https://github.com/remotion-dev/github-unwrapped-2022/issues/34
        if region in STATE.world.get("regions_off", []):
            raise Refused("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        if operation == "GetCallerIdentity":
            result = (f"<Arn>arn:aws:sts::{account}:assumed-role/reader/tests</Arn>"
                      f"<UserId>AROATEST:tests</UserId><Account>{account}</Account>")
        elif operation == "AssumeRole":
            target = form["RoleArn"].split(":")[4]
            roles = STATE.world.get("roles", {})
            if form["RoleArn"] not in roles:
                raise Refused("AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
            if roles[form["RoleArn"]] != form.get("ExternalId"):
                raise Refused("AccessDenied", "not authorized: external id", 403)
            expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            result = (f"<Credentials><AccessKeyId>ASIA{target}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
                      f"<SessionToken>token</SessionToken><Expiration>{expires}</Expiration></Credentials>"
                      f"<AssumedRoleUser><AssumedRoleId>AROA:pipebill</AssumedRoleId>"
                      f"<Arn>arn:aws:sts::{target}:assumed-role/r/pipebill</Arn></AssumedRoleUser>")
        else:
            raise Refused("AccessDenied", operation, 403)
        xml = (f'<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{operation}Result>{result}'
               f"</{operation}Result><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{operation}Response>")
        self.reply(200, xml.encode(), "text/xml")

    def refuse_xml(self, error):
        xml = (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
               f"<Code>{error.code}</Code><Message>{error.message}</Message></Error><RequestId>0</RequestId></ErrorResponse>")
        self.reply(error.status, xml.encode(), "text/xml")

    def note(self, service, operation, request, account, region):
        with STATE.lock:
            key = f"{service}.{operation}"
            STATE.counts[key] = STATE.counts.get(key, 0) + 1
            STATE.counts["*"] = STATE.counts.get("*", 0) + 1
            STATE.log.append({"op": key, "request": request, "account": account, "region": region})

    def fault(self, service, operation):
        """Raises or returns the fault that is due."""
        own = f"{service}.{operation}"
        for key in (own, "*"):
            fault = STATE.faults.get(key)
            if not fault:
                continue
            # Each operation for itself, or all of them together.
            counted = own if fault.get("each") else key
            with STATE.lock:
                count = STATE.counts.get(counted, 0)
                due = count % fault.get("every", 1) == 0 and count >= fault.get("after", 0)
                due = due and STATE.fired.get(counted, 0) < fault.get("times", 10**9)
                if due:
                    STATE.fired[counted] = STATE.fired.get(counted, 0) + 1
                    STATE.struck.add(own)
            if not due:
                continue
            kind = fault["kind"]
            if kind == "throttle":
                raise Refused(fault.get("code", "ThrottlingException"), "Rate exceeded")
            if kind == "error":
                raise Refused("InternalFailure", "", 500)
            if kind == "deny":
                raise Refused("AccessDeniedException", f"User is not authorized to perform: {service}:{operation}")
            if kind == "code":
                raise Refused(fault["code"], fault.get("message", ""), fault.get("status", 400))
            if kind == "hang":
                time.sleep(fault.get("seconds", 3600))
                raise Refused("InternalFailure", "", 500)
            if kind == "slow":
                time.sleep(fault["seconds"])
                continue
            return kind
        return None

    def answer(self, prefix, operation, read):
        if prefix not in MODELS:
            raise Refused("UnknownOperationException", f"no model for {prefix}")
        service, model = MODELS[prefix]
        if operation not in model.operation_names:
            raise Refused("UnknownOperationException", operation)
        account, region = self.caller(model.signing_name)
        shapes = model.operation_model(operation)
        request = read()
        errors = []
        check(shapes.input_shape, request, operation, errors)
        self.note(service, operation, request, account, region)
        if errors:
            raise Refused("ValidationException", "; ".join(errors))
        fault = self.fault(service, operation)
        key = f"{service}.{operation}"
        world = STATE.world
        if region in world.get("regions_off", []):
            raise Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        answers = world["answers"]
        if key not in answers:
            raise Refused("AccessDeniedException", f"User is not authorized to perform: {key}")
        has_order = bool(order_of(request))
        if order_of(shapes.input_shape.members):
            request = in_order(service, operation, request)
        answer = answers[key](request, worlds.Caller(account, region))
        # Of this one AWS documents it: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuildsForProject.html
        if has_order and key == "codebuild.ListBuildsForProject" and len(answer[1]) > 100:
            raise Refused("InvalidInputException", "a sort order for more than 100 builds")
        if isinstance(answer, tuple):
            name, items, size = answer
            limit = pager(service, operation).get("limit_key")
            size = min(size, request.get(limit, size)) if limit else size
            part, following = page(service, operation, request, items, size)
            answer = {name: list(part), **following}
            # Where the model has no empty list, AWS leaves it out.
            if not part and shapes.output_shape.members[name].metadata.get("min", 0) > 0:
                del answer[name]
            if fault == "repeat":
                names = pager(service, operation)
                answer[names["output_token"]] = request.get(names["input_token"]) or token_of(operation, request, len(items))
        elif fault == "repeat" and operation == "GetCostAndUsage":
            answer["NextPageToken"] = "p0"
        elif fault == "repeat" and operation == "GetMetricData":
            answer["NextToken"] = request.get("NextToken") or metrics.token(request, 0)
        STATE.checked += 1
        # Large worlds repeat one form; checking a part of their answers is checking them all.
        if STATE.checked % world.get("check_every", 1) == 0:
            errors = []
            check(shapes.output_shape, answer, operation, errors, strict=False)
            if errors:
                print("FixtureInvalid", errors[:5], file=sys.stderr, flush=True)
                raise Refused("FixtureInvalid", "; ".join(errors[:5]), 500)
        kind, headers = "application/x-amz-json-1.1", None
        if self.speaks_cbor():
            answer = cbor.write(answer, shapes.output_shape)
            kind, headers = "application/cbor", {"smithy-protocol": "rpc-v2-cbor"}
        if fault == "truncate":
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            return self.reply(200, data, kind, headers, cut=max(1, len(data) // 2))
        self.reply(200, answer, kind, headers)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that was killed in the middle is what some tests are about."""


if __name__ == "__main__":
    STATE = State(worlds.make(sys.argv[1]))
    server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
