#!/usr/bin/env python3
"""One measured run of `exports.sh`, or the whole table.

  exports.py table PIPEBILL DATA   runs everything and prints the table
  exports.py duckdb|polars FORMAT FILES OUT   one run of a peer

The peers group by what the import keeps apart (day, account, region, usage type, line type,
resource, tags, cost categories, unit, rates, invoice, currency), sum exact decimals and write their
groups out. Beyond that the import sums all other services; the peers are spared it.
"""

import csv
import os
import pathlib
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal

CODES = ["CodeBuild", "AWSCodePipeline", "AWSCodeCommit", "AWSCodeDeploy"]
KEYS = (
    "bill_billing_period_start_date bill_payer_account_id bill_invoice_id "
    "line_item_usage_account_id product_region_code line_item_product_code line_item_usage_type "
    "line_item_line_item_type line_item_resource_id resource_tags cost_category pricing_unit "
    "line_item_unblended_rate pricing_public_on_demand_rate line_item_currency_code"
).split()
DAY, USAGE, COST = (
    "line_item_usage_start_date",
    "line_item_usage_amount",
    "line_item_unblended_cost",
)


def duckdb(form, files, out):
    import duckdb

    read = {
        "parquet": f"read_parquet('{files}')",
        "csv.gz": f"read_csv('{files}', all_varchar=true, header=true)",
    }[form]
    codes = ", ".join(f"'{code}'" for code in CODES)
    duckdb.sql(
        f"COPY (SELECT {', '.join(KEYS)}, date_trunc('day', CAST({DAY} AS TIMESTAMP)) AS day, "
        f"sum(CAST({USAGE} AS DECIMAL(28,10))), sum(CAST({COST} AS DECIMAL(28,10))) "
        f"FROM {read} WHERE line_item_product_code IN ({codes}) GROUP BY ALL) "
        f"TO '{out}' (FORMAT parquet)"
    )


def polars(form, files, out):
    import polars

    if form == "parquet":
        table, day = polars.scan_parquet(files), polars.col(DAY).dt.truncate("1d")
    else:
        table = polars.scan_csv(files, infer_schema=False)
        day = polars.col(DAY).str.slice(0, 10)
    exact = polars.Decimal(28, 10)
    rows = table.filter(polars.col("line_item_product_code").is_in(CODES)).select(
        *KEYS, day.alias("day"), polars.col(USAGE).cast(exact), polars.col(COST).cast(exact)
    )
    rows.group_by([*KEYS, "day"]).agg(polars.col(USAGE, COST).sum()).sink_parquet(out)


def measured(command):
    """Runs a command; returns wall seconds, CPU seconds and peak megabytes."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    wall = time.perf_counter() - started
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def best(command, before=lambda: None, runs=3):
    """The run of least CPU: what others do on the machine only ever adds."""
    found = []
    for _ in range(runs):
        before()
        found.append(measured(command))
    return min(found, key=lambda run: run[1])


def equals_truth(ledger, truth):
    """Tells whether the ledger's sums are the generator's, to the last digit."""
    connection = sqlite3.connect(ledger)
    sums = {}
    rows = connection.execute(
        "SELECT slice.month, account.value, quantity, cost FROM record "
        "JOIN slice ON slice.id = record.slice JOIN text account ON account.id = record.account "
        # What net costs are lower by stands in discounts of their own.
        "JOIN text kind ON kind.id = record.kind WHERE kind.value = 'usage'"
    )
    for month, account, quantity, cost in rows:
        entry = sums.setdefault((month, account), [Decimal(0), Decimal(0)])
        entry[0] += Decimal(quantity)
        entry[1] += Decimal(cost)
    expected = {}
    with open(truth, newline="") as file:
        for month, account, _, _, usage, cost, _ in csv.reader(file):
            entry = expected.setdefault((month, account), [Decimal(0), Decimal(0)])
            entry[0] += Decimal(usage)
            entry[1] += Decimal(cost)
    return sums == expected


def table(pipebill, data):
    data = pathlib.Path(data)
    print("| what | run | wall s | CPU s | peak MB | wall to pipebill | CPU to pipebill |")
    print("|---|---|---|---|---|---|---|")
    for name, form in [("parquet-10m", "parquet"), ("csv-2m", "csv.gz")]:
        folder, ledger = data / name, data / "ledger.sqlite"
        files = str(folder / "data/*/*")
        remove = lambda: ledger.unlink(missing_ok=True)
        ours = best([pipebill, "--ledger", ledger, "import", folder / "data"], remove)
        runs = [("pipebill import", ours)]
        exact = equals_truth(ledger, folder / "truth.csv")
        for peer in ("duckdb", "polars"):
            command = [sys.executable, __file__, peer, form, files, data / "out.parquet"]
            runs.append((f"{peer} (Python)", best(command)))
        # What nobody who reads these files can do without.
        what = ["gunzip"] if form == "csv.gz" else ["pages", ",".join([*KEYS, DAY, USAGE, COST])]
        paths = sorted(folder.glob("data/*/*"))
        limits = pathlib.Path(pipebill).parent / "examples/limits"
        runs.append(("bare reading", best([limits, *what, *paths])))
        for run, (wall, cpu, peak) in runs:
            ratios = f"{wall / ours[0]:.2f} | {cpu / ours[1]:.2f}"
            print(f"| {name} | {run} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {ratios} |")
        verdict = "yes" if exact else "NO"
        print(f"| {name} | sums equal the truth: {verdict} | | | | | |", flush=True)
        if not exact:
            sys.exit(1)
    for rows in ("1m", "10m"):
        ledger.unlink(missing_ok=True)
        folder = data / f"parquet-{rows}"
        wall, cpu, peak = best([pipebill, "--ledger", ledger, "import", folder / "data"], remove)
        print(f"| parquet-{rows} | pipebill import | {wall:.2f} | {cpu:.2f} | {peak:.0f} | | |")


if __name__ == "__main__":
    if sys.argv[1] == "table":
        table(*sys.argv[2:])
    else:
        {"duckdb": duckdb, "polars": polars}[sys.argv[1]](*sys.argv[2:])
