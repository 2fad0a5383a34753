#!/usr/bin/env python3
"""moto on a free port of the loopback, with an organization of two more accounts: another's answers for
sts and organizations. Prints `port N` and the ids of the accounts.
"""
import logging

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
import threading

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
organizations = boto3.client(
    "organizations", endpoint_url=f"http://127.0.0.1:{server.server_port}", region_name="us-east-1",
    aws_access_key_id="AKIDTEST", aws_secret_access_key="secret")
organizations.create_organization(FeatureSet="ALL")
for name in ("one", "two"):
    organizations.create_account(Email=f"{name}@example.com", AccountName=name)
ids = [account["Id"] for page in organizations.get_paginator("list_accounts").paginate() for account in page["Accounts"]]
print(f"port {server.server_port} {' '.join(ids)}", flush=True)
threading.Event().wait()
