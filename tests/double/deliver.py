#!/usr/bin/env python3
"""Lays a CSV export out as AWS delivers it to a table: one folder a month, in both formats.

    deliver.py EXPORT.csv cur2|legacy|focus FOLDER

writes FOLDER/parquet/… with numbers, times and maps typed as AWS types them, and FOLDER/csv/… with the
text as it stands, and prints the columns of both as JSON: {"parquet": [[name, type]], "csv": …}.
"""
import json
import os
import re
import sys

import duckdb

HIVE = {"VARCHAR": "string", "DOUBLE": "double", "TIMESTAMP": "timestamp", "MAP(VARCHAR, VARCHAR)": "map<string,string>"}


def snake(name):
    """The name that Athena has for a column of the older report."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def type_of(kind, name):
    plain = re.sub(r"[^a-z]", "", name.lower())
    if plain in ("resourcetags", "tags", "costcategory", "discount", "product") and kind != "legacy":
        return "MAP(VARCHAR, VARCHAR)"
    if plain.endswith(("date", "periodstart", "periodend")) and "billingperiodstartdates" != plain:
        return "TIMESTAMP"
    # Rates are text in both reports, and numbers in FOCUS.
    amounts = ("cost", "amount", "discount", "quantity") + (("unitprice",) if kind == "focus" else ())
    return "DOUBLE" if plain.endswith(amounts) else "VARCHAR"


def main(export, kind, folder):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE export AS FROM read_csv('{export}', header=true, all_varchar=true)")
    names = [row[0] for row in connection.execute("DESCRIBE export").fetchall()]
    period = next(name for name in names if snake(name).replace("_", "") in ("billbillingperiodstartdate", "billingperiodstart"))
    parts = {"legacy": {"year": 4, "month": (6, 2)}}.get(kind)
    keys = "substr(%s, 1, 7) AS billing_period" % f'"{period}"'
    by = "billing_period"
    if parts:
        keys, by = f'substr("{period}", 1, 4) AS year, ltrim(substr("{period}", 6, 2), \'0\') AS month', "year, month"
    typed, columns = [], []
    for name in names:
        to = snake(name) if kind == "legacy" else name.lower()
        of = type_of(kind, name)
        value = f'nullif("{name}", \'NULL\')'
        if of.startswith("MAP"):
            value = f"{value}::JSON"
        typed.append(f'CAST({value} AS {of}) AS "{to}"')
        columns.append([to, HIVE[of]])
    os.makedirs(f"{folder}", exist_ok=True)
    connection.execute(f"COPY (SELECT {', '.join(typed)}, {keys} FROM export) TO '{folder}/parquet' "
                       f"(FORMAT parquet, PARTITION_BY ({by}), OVERWRITE_OR_IGNORE)")
    connection.execute(f"COPY (SELECT *, {keys} FROM export) TO '{folder}/csv' "
                       f"(FORMAT csv, COMPRESSION gzip, FILE_EXTENSION 'csv.gz', PARTITION_BY ({by}), OVERWRITE_OR_IGNORE)")
    csv = [[name.lower() if kind != "legacy" else snake(name), "string"] for name in names]
    print(json.dumps({"parquet": columns, "csv": csv}))


main(*sys.argv[1:])
