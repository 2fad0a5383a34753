"""Reads a file that `pipebill report` wrote with somebody else's reader, and prints what it found as JSON."""

import json
import sys


def workbook(path):
    import openpyxl

    found = {}
    for data_only, name in ((True, "values"), (False, "formulas")):
        book = openpyxl.load_workbook(path, data_only=data_only)
        summary = book["Summary"]
        rows = [[cell if cell is None else str(cell) for cell in row] for row in summary.iter_rows(values_only=True)]
        found[name] = rows
        lines = book["Lines"]
        header = [cell.value for cell in lines[1]]
        column = {title: at for at, title in enumerate(header)}
        found["sheets"] = book.sheetnames
        found["frozen"] = lines.freeze_panes
        body = list(lines.iter_rows(min_row=2))
        found["cost"] = repr(sum(row[column["cost"]].value or 0 for row in body))
        found["types"] = sorted({cell.data_type for row in body for cell in row})
        found["accounts"] = sorted({row[column["account_id"]].value for row in body if row[column["account_id"]].value})
        found["usage_types"] = sorted({row[column["usage_type"]].value for row in body})
        found["charts"] = [len(sheet._charts) for sheet in book.worksheets]
    return found


def workbooks(folder):
    """Sums of workbooks, added up again from their lines, beside the cached results of their formulas."""
    import glob
    import math

    import openpyxl

    found = {}
    for path in sorted(glob.glob(f"{folder}/*.xlsx")):
        book = openpyxl.load_workbook(path, data_only=True)
        rows = list(book["Lines"].iter_rows(values_only=True))
        service, cost = rows[0].index("service"), rows[0].index("cost")
        sums = {}
        for row in rows[1:]:
            sums.setdefault(row[service], []).append(row[cost] or 0)
        shown = {row[1]: row[2] for row in book["Summary"].iter_rows(min_row=5, values_only=True) if row[1] in sums}
        paid = next(row[2] for row in book["Summary"].iter_rows(values_only=True) if row[0] == "To pay")
        found[path.rsplit("/", 1)[1]] = {
            "lines": len(rows) - 1,
            "sum": repr(math.fsum(amount for amounts in sums.values() for amount in amounts)),
            "paid": repr(float(paid)),
            "apart": repr(max((abs(math.fsum(amounts) - shown[name]) for name, amounts in sums.items()), default=0.0)),
        }
    return found


def table(path):
    """Types as DuckDB and pandas find them by themselves, and sums."""
    import duckdb
    import pandas

    described = duckdb.sql(f"describe select * from read_csv('{path}')").fetchall()
    cost = duckdb.sql(f"select sum(cost)::varchar, count(*) from read_csv('{path}', types={{'cost': 'DECIMAL(28,10)'}})").fetchall()[0]
    frame = pandas.read_csv(path, dtype={"account_id": str, "payer_account_id": str}, parse_dates=["usage_start"])
    return {
        "types": {name: kind for name, kind, *_ in described},
        "cost": cost[0],
        "rows": cost[1],
        "pandas_cost": repr(float(frame["cost"].sum())),
        "pandas_types": {name: str(kind) for name, kind in frame.dtypes.items()},
        "accounts": sorted(frame["account_id"].dropna().unique().tolist()),
    }


def parquet(path):
    import duckdb

    described = duckdb.sql(f"describe select * from '{path}'").fetchall()
    sums = duckdb.sql(f"select sum(BilledCost)::varchar, count(*), min(BillingPeriodStart)::varchar from '{path}'").fetchall()[0]
    return {"types": {name: kind for name, kind, *_ in described}, "cost": sums[0], "rows": sums[1], "from": sums[2]}


def metrics(path):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    families = {}
    with open(path, encoding="utf-8") as file:
        for family in text_string_to_metric_families(file.read()):
            families[family.name] = {
                "unit": family.unit,
                "type": family.type,
                "samples": [[sample.labels, repr(sample.value)] for sample in family.samples],
            }
    return families


def beancount(path):
    from collections import defaultdict
    from decimal import Decimal

    from beancount import loader
    from beancount.core import data

    entries, errors, _ = loader.load_file(path)
    sums = defaultdict(Decimal)
    for entry in data.filter_txns(entries):
        for posting in entry.postings:
            sums[posting.account] += posting.units.number
    return {"errors": [str(error) for error in errors], "sums": {account: str(sum) for account, sum in sums.items()}}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
