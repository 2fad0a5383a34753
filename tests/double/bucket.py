#!/usr/bin/env python3
"""S3 for tests: moto's, with a log of what was asked, and faults.

    bucket.py FOLDER         puts the files below FOLDER into the bucket `cur`, serves it on a free port of
                             the loopback, and prints `port N`
    GET  /_log               the requests so far: method, path, range, if_match, status, bytes of the answer
    POST /_put               puts {"file": path} in the place of {"key": name}
    POST /_faults            replaces the faults and forgets the log: a list of {"path": part of a path,
                             "after": requests that go well, "times": how many do not, and
                             "status" and "code" of the answer and "more" in it, or "replace": true to put another object in
                             the place of the one that is asked for, or "cut": true to end the answer in its
                             middle, or "delay": seconds before it begins}; with "requester_pays": true only who does
                             not pay is refused
"""
import io
import json
import os
import sys
import threading
import time

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

LOG, FAULTS, LOCK = [], [], threading.Lock()
AWS = DomainDispatcherApplication(create_backend_app)


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


def client():
    return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{SERVER.server_port}", region_name="us-east-1",
                        aws_access_key_id="SETUP", aws_secret_access_key="secret")


def refuse(start, status, code, more=""):
    xml = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message>{more}</Error>"
    if code == "ExpiredToken":
        xml = ("<ErrorResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><Error><Type>Sender</Type>"
               f"<Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>")
    start(f"{status} {code}", [("Content-Type", "text/xml"), ("Content-Length", str(len(xml)))])
    return [xml.encode()]


def pays(environ):
    """The header counts only with the signature over it."""
    signed = environ.get("HTTP_AUTHORIZATION", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
    return environ.get("HTTP_X_AMZ_REQUEST_PAYER") == "requester" and "x-amz-request-payer" in signed


def due(path):
    for fault in FAULTS:
        if fault["path"] in path:
            fault["seen"] = fault.get("seen", 0) + 1
            if fault.get("after", 0) < fault["seen"] <= fault.get("after", 0) + fault.get("times", 10**9):
                return fault
    return None


def serve(environ, start):
    path = environ["PATH_INFO"]
    if path in ("/_log", "/_faults"):
        with LOCK:
            answer = json.dumps(LOG).encode()
            if path == "/_faults":
                FAULTS[:] = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
                LOG.clear()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]
    if path == "/_put":
        new = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        client().upload_file(new["file"], "cur", new["key"])
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", "4")])
        return [b"null"]
    caller = environ.get("HTTP_AUTHORIZATION", "")
    if "Credential=SETUP/" in caller:
        return AWS(environ, start)
    if "Credential=EXPIRED/" in caller:
        return refuse(start, 403, "ExpiredToken")
    entry = {"method": environ["REQUEST_METHOD"], "path": path, "range": environ.get("HTTP_RANGE"),
             "if_match": environ.get("HTTP_IF_MATCH"), "pays": pays(environ), "signed": caller.startswith("AWS4-HMAC-SHA256")}
    with LOCK:
        LOG.append(entry)
        fault = due(path)
    if fault and fault.get("requester_pays") and entry["pays"]:
        fault = None
    if fault and fault.get("replace"):
        bucket, key = path.lstrip("/").split("/", 1)
        client().upload_fileobj(io.BytesIO(b"another"), bucket, key)
    elif fault and fault.get("delay"):
        time.sleep(fault["delay"])
    elif fault and not fault.get("cut"):
        entry["status"] = fault["status"]
        return refuse(start, fault["status"], fault["code"], fault.get("more", ""))

    def started(status, headers, *more):
        entry["status"] = int(status.split()[0])
        entry["bytes"] = int(dict(headers).get("Content-Length", 0))
        return start(status, headers, *more)

    answer = AWS(environ, started)
    return cut(answer) if fault and fault.get("cut") else answer


def cut(answer):
    whole = b"".join(answer)
    yield whole[:len(whole) // 2]
    raise ConnectionAbortedError("as the test wants it")


def main(folder):
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    s3 = client()
    s3.create_bucket(Bucket="cur")
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            s3.upload_file(path, "cur", os.path.relpath(path, folder))
    print(f"port {SERVER.server_port}", flush=True)
    threading.Event().wait()


SERVER = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=Quiet)
main(sys.argv[1])
