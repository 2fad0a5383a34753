#!/usr/bin/env python3
"""A double of Athena: queries run for real, over files of the test, on an engine that is not ours.

A query is parsed as Athena's own dialect (Trino, by sqlglot), translated, and run by DuckDB over
hive-partitioned files. Requests and answers are checked against AWS's published model, as in `double.py`,
which also explains faults.

    athena.py FOLDER         serves on a free port of the loopback and prints `port N`
    POST /_faults            replaces the faults
    GET  /_log               the requests so far
    GET  /_opened            the files that queries opened so far

FOLDER/tables.json: {"database.table": {"columns": [[name, type]], "partitions": [[name, type]],
"files": glob, "format": "parquet" | "csv", "parameters": {}, "type": "VIRTUAL_VIEW"}}, "workgroups": {name: configuration}.
"""
import base64
import glob
import http.server
import json
import os
import re
import sys
import time
import uuid

import botocore.session
import duckdb
import sqlglot
from sqlglot import exp

import double
from double import Refused, check

MODEL = botocore.session.get_session().get_service_model("athena")
FOLDER = ""
QUERIES = {}
OPENED = []


def world():
    with open(os.path.join(FOLDER, "tables.json")) as file:
        return json.load(file)


def invalid(message, code="InvalidRequestException"):
    return Refused(code, message)


def cast(name, of, there=True):
    """A column of the type that the table has for it; nothing where the files do not have it."""
    of = re.sub(r"^map<(.*)>$", r"map(\1)", of).replace("string", "varchar")
    value = f'"{name}"' if there else "NULL"
    return f'CAST({value} AS {of}) AS "{name}"'


def hive(connection, value):
    """Opens a file's columns as Hive would have named and typed them."""
    options = "hive_partitioning=true, hive_types_autocast=false"
    if value["format"] == "csv":
        # Such a table knows its columns by their place.
        given = ", ".join(f"'{name}'" for name, _ in value["columns"])
        options += f", header=true, all_varchar=true, names=[{given}]"
    else:
        # Months differ in their columns.
        options += ", union_by_name=true"
    source = f"read_{value['format']}('{value['files']}', {options}, filename=true)"
    there = {row[0].lower() for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    names = [cast(name, of, name.lower() in there) for name, of in value["columns"] + value["partitions"]]
    # Views do not have it.
    if value.get("type") != "VIRTUAL_VIEW":
        names.append(f"replace(filename, '{FOLDER}', 's3://cur') AS \"$path\"")
    return f"SELECT {', '.join(names)} FROM {source}"


def run(sql, database):
    """Runs a query of Athena; returns its names, its rows, and the bytes of the files it opened."""
    tree = sqlglot.parse_one(sql, read="athena")
    tables = world()
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    opened = 0
    for table in tree.find_all(exp.Table):
        if table.name in named:
            continue
        name = f"{table.db or database}.{table.name}"
        if name not in tables:
            raise ValueError(f"TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{name}' does not exist")
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{table.db}"')
        connection.execute(f'CREATE VIEW "{table.db}"."{table.name}" AS {hive(connection, tables[name])}')
        # Folders that a condition on partitions leaves out are not opened.
        where = tree.find(exp.Where)
        keys = {name.lower() for name, _ in tables[name]["partitions"]}
        pruned = where and keys and {column.name.lower() for column in where.find_all(exp.Column)} <= keys
        for path in glob.glob(tables[name]["files"], recursive=True):
            folders = dict(part.split("=", 1) for part in path.split("/") if "=" in part)
            row = ", ".join(f"'{folders[key]}' AS \"{key}\"" for key in keys if key in folders)
            test = f"SELECT count(*) FROM (SELECT {row}) {where.sql(dialect='duckdb')}" if pruned else "SELECT 1"
            if connection.execute(test).fetchone()[0]:
                OPENED.append(path)
                opened += os.path.getsize(path)
    cursor = connection.execute(tree.sql(dialect="duckdb"))
    names = [column[0] for column in cursor.description]
    return names, cursor.fetchall(), opened


def text(value):
    """Writes a value as Athena does: nothing where there is none."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"VarCharValue": str(value).lower()}
    return {"VarCharValue": format(value, "f") if hasattr(value, "as_tuple") else str(value)}


class Athena(double.Handler):
    def do_GET(self):
        if self.path == "/_opened":
            return self.reply(200, OPENED, "application/json")
        super().do_GET()

    def do_POST(self):
        if self.path == "/_faults" or not self.headers.get("X-Amz-Target"):
            return super().do_POST()
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.athena(raw)
        except Refused as error:
            self.refuse(error)
        except Exception as error:
            print("DoubleBroken", repr(error), file=sys.stderr, flush=True)
            self.refuse(Refused("DoubleBroken", repr(error), 400))

    def athena(self, raw):
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        account, region = self.caller("athena")
        shapes = MODEL.operation_model(operation)
        request = json.loads(raw)
        errors = []
        check(shapes.input_shape, request, operation, errors)
        self.note("athena", operation, request, account, region)
        if errors:
            raise invalid("; ".join(errors))
        self.fault("athena", operation)
        answer = getattr(self, operation)(request)
        errors = []
        check(shapes.output_shape, answer, operation, errors)
        if errors:
            raise Refused("FixtureInvalid", "; ".join(errors[:5]), 500)
        self.reply(200, answer)

    def GetTableMetadata(self, request):
        name = f"{request['DatabaseName']}.{request['TableName']}"
        table = world().get(name)
        if not table:
            raise invalid(f"EntityNotFoundException: Entity Not Found: {name}", "MetadataException")
        columns = lambda found: [{"Name": name, "Type": of} for name, of in found]
        return {"TableMetadata": {
            "Name": request["TableName"], "CreateTime": 1.0, "TableType": table.get("type", "EXTERNAL_TABLE"),
            "Columns": columns(table["columns"]), "PartitionKeys": columns(table["partitions"]),
            "Parameters": table.get("parameters", {}),
        }}

    def workgroup(self, name):
        groups = world().get("workgroups", {})
        if name not in groups:
            raise invalid(f"WorkGroup {name} is not found.")
        return groups[name]

    def GetWorkGroup(self, request):
        group = self.workgroup(request["WorkGroup"])
        return {"WorkGroup": {"Name": request["WorkGroup"], "State": group.get("state", "ENABLED"),
                              "Configuration": group.get("configuration", {})}}

    def StartQueryExecution(self, request):
        group = self.workgroup(request.get("WorkGroup", "primary"))
        if group.get("state") == "DISABLED":
            raise invalid(f"WorkGroup {request['WorkGroup']} is disabled.")
        settings = group.get("configuration", {}).get("ResultConfiguration", {})
        if not group.get("configuration", {}).get("EnforceWorkGroupConfiguration"):
            settings = {**settings, **request.get("ResultConfiguration", {})}
        if "OutputLocation" not in settings:
            raise invalid("No output location provided. An output location is required either through the "
                          "Workgroup result configuration setting or as an API input.")
        query = {"state": "SUCCEEDED", "looks": group.get("looks", 0), "queued": group.get("queued", 0),
                 "reason": group.get("reason", "")}
        try:
            query["names"], query["rows"], query["bytes"] = run(
                request["QueryString"], request["QueryExecutionContext"]["Database"])
        except Exception as error:
            query.update(state="FAILED", reason=str(error), bytes=0)
        if group.get("ends"):
            query["state"] = group["ends"]
        id = str(uuid.uuid4())
        QUERIES[id] = query
        return {"QueryExecutionId": id}

    def GetQueryExecution(self, request):
        query = QUERIES[request["QueryExecutionId"]]
        query["looks"] -= 1
        state = query["state"] if query["looks"] < 0 else "RUNNING"
        if query["queued"] > 0:
            state, query["queued"] = "QUEUED", query["queued"] - 1
        status = {"State": state}
        if state in ("FAILED", "CANCELLED"):
            status["StateChangeReason"] = query["reason"]
        return {"QueryExecution": {"QueryExecutionId": request["QueryExecutionId"], "Status": status,
                                   "Statistics": {"DataScannedInBytes": query["bytes"]}}}

    def StopQueryExecution(self, request):
        QUERIES[request["QueryExecutionId"]].update(state="CANCELLED", looks=0)
        return {}

    def GetQueryResults(self, request):
        query = QUERIES[request["QueryExecutionId"]]
        start, size = 0, request.get("MaxResults", 1000)
        if request.get("NextToken"):
            start = int(base64.b64decode(request["NextToken"]))
        # The names are a row of the first page.
        rows = [[{"VarCharValue": name} for name in query["names"]]]
        rows += [[text(value) for value in row] for row in query["rows"]]
        answer = {"ResultSet": {
            "Rows": [{"Data": row} for row in rows[start:start + size]],
            "ResultSetMetadata": {"ColumnInfo": [{"Name": name, "Type": "varchar"} for name in query["names"]]},
        }}
        if start + size < len(rows):
            answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return answer


if __name__ == "__main__":
    FOLDER = sys.argv[1]
    double.STATE = double.State({})
    server = double.Server(("127.0.0.1", 0), Athena)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
