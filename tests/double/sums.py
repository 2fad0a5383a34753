#!/usr/bin/env python3
"""What an export adds up to, by DuckDB: its rows grouped by what the ledger keeps apart, amounts summed as
decimals. Names are brought into the ledger's form by rules written here once more.

    sums.py cur2|legacy|focus csv|parquet FILES…

prints {"records": [[day, payer, account, region, service, usage type, kind, resource, tags, unit is there,
rate, list rate, invoice, currency, quantity, cost]], "outside": [[service, kind, currency, rows, cost]]}.
"""
import collections
import decimal
import json
import re
import sys

import duckdb

decimal.getcontext().prec = 60
# By kind: column of the ledger, and what it may be called in an export; the first that has a value counts.
COLUMNS = {
    "cur": dict(
        day=["line_item_usage_start_date"], payer=["bill_payer_account_id"], account=["line_item_usage_account_id"],
        region=["product_region_code", "product_region"], service=["line_item_product_code"],
        usage_type=["line_item_usage_type"], kind=["line_item_line_item_type"], resource=["line_item_resource_id"],
        rate=["line_item_unblended_rate"], list_rate=["pricing_public_on_demand_rate"], invoice=["bill_invoice_id"],
        currency=["line_item_currency_code"], quantity=["line_item_usage_amount"], cost=["line_item_unblended_cost"]),
    "focus": dict(
        day=["chargeperiodstart"], payer=["billingaccountid"], account=["subaccountid"], region=["regionid"],
        service=["x_servicecode", "servicename"], usage_type=["x_usagetype", "skumeter"], kind=["chargecategory"],
        resource=["resourceid"], rate=["contractedunitprice"], list_rate=["listunitprice"], invoice=["invoiceid"],
        currency=["billingcurrency"], quantity=["pricingquantity", "consumedquantity"], cost=["billedcost"],
        correction=["chargeclass"]),
}
MAPS = {"resource_tags": "", "tags": "", "cost_category": "cost_category/", "x_costcategories": "cost_category/"}
KINDS = {"Usage": "usage", "Tax": "tax", "Credit": "credit", "Refund": "refund", "EdpDiscount": "discount", "Fee": "fee",
         "Purchase": "fee"}
CODES = {"codebuild": "CodeBuild", "aws codebuild": "CodeBuild", "awscodepipeline": "AWSCodePipeline",
         "aws codepipeline": "AWSCodePipeline", "awscodecommit": "AWSCodeCommit", "aws codecommit": "AWSCodeCommit",
         "awscodedeploy": "AWSCodeDeploy", "aws codedeploy": "AWSCodeDeploy"}
PREFIXES = {"USE1": "us-east-1", "USE2": "us-east-2", "USW2": "us-west-2", "EUW1": "eu-west-1", "EUW2": "eu-west-2",
            "EU": "eu-west-1", "EUC1": "eu-central-1", "APN1": "ap-northeast-1", "Global": None}


def snake(name):
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def plain(key):
    return re.sub("^user[_:]", "", key)


def number(value):
    """A number without zeros at its end."""
    if value is None:
        return None
    text = format(decimal.Decimal(value), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def main(kind, form, *files):
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    read = f"read_parquet({list(files)})"
    if form == "csv":
        read = f"read_csv({list(files)}, header=true, all_varchar=true)"
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()}
    named = {(snake(name) if kind == "legacy" else name.lower()): name for name in types}
    wanted = COLUMNS["focus" if kind == "focus" else "cur"]

    def text(name):
        column = f'"{named[name]}"'
        return f"nullif(nullif(trim(CAST({column} AS VARCHAR)), ''), 'NULL')"

    def amount(name):
        # Text is exact as it stands, exponents and all; a double is one of ten digits after the point.
        if types[named[name]] == "DOUBLE":
            return f'CAST("{named[name]}" AS DECIMAL(28,10))'
        return f"CAST({text(name)} AS DECIMAL(38,18))"

    keys, names = [], []
    for column, known in wanted.items():
        known = [name for name in known if name in named]
        if column in ("quantity", "cost") or not known:
            continue
        value = f"coalesce({', '.join(map(text, known))})"
        keys.append(f"substr({value}, 1, 10)" if column == "day" else value)
        names.append(column)
    tags = [name for name in named if name in MAPS or (kind == "legacy" and re.match("resource_tags_|cost_category_", name))]
    for name in tags:
        is_map = types[named[name]].startswith("MAP")
        keys.append(f'CAST(CAST("{named[name]}" AS JSON) AS VARCHAR)' if is_map else text(name))
    quantities = [amount(name) for name in wanted["quantity"] if name in named]
    quantity = f"coalesce({', '.join(quantities)})"
    keys.append(f"{quantity} IS NOT NULL")
    by = ", ".join(str(at) for at in range(1, len(keys) + 1))
    rows = connection.execute(f"SELECT {', '.join(keys)}, sum({quantity}), sum({amount(wanted['cost'][0])}), count(*) "
                              f"FROM {read} GROUP BY {by}").fetchall()
    records = collections.defaultdict(lambda: [decimal.Decimal(0), decimal.Decimal(0)])
    outside = collections.defaultdict(lambda: [0, decimal.Decimal(0)])
    for row in rows:
        *row, has_quantity, quantity, cost, count = row
        value = dict(zip(names, row))
        found = {}
        for name, text_of in zip(tags, row[len(names):]):
            if text_of is None:
                continue
            if name in MAPS:
                for key, tag in json.loads(text_of).items():
                    if tag not in (None, ""):
                        tag = tag if isinstance(tag, str) else json.dumps(tag, separators=(",", ":"))
                        found.setdefault(MAPS[name] + plain(key), tag)
            else:
                start = "resource_tags_" if name.startswith("resource_tags_") else "cost_category_"
                key = plain(name[len(start):])
                found[("" if start == "resource_tags_" else "cost_category/") + key] = text_of
        of = KINDS.get(value["kind"], value["kind"])
        # What corrects an earlier month is no usage of this one.
        of = "Correction" if value.get("correction") and of not in ("tax", "credit") else of
        service = CODES.get(value["service"].lower())
        if service is None:
            total = outside[value["service"], of, value["currency"]]
            total[0] += count
            total[1] += cost
            continue
        usage_type = value["usage_type"] or ""
        prefix, _, rest = usage_type.partition("-")
        region = value.get("region")
        if prefix in PREFIXES:
            usage_type, region = rest, region or PREFIXES[prefix]
        # A user of CodeCommit uses it everywhere at once.
        region = None if usage_type == "User-Month" or prefix == "Global" else region
        resource = value.get("resource")
        if resource and resource.startswith("arn:"):
            resource = re.sub(r":build(-batch)?/([^:]*).*", r":project/\2", resource)
        rate, list_rate = number(value.get("rate")), number(value.get("list_rate"))
        if kind == "focus":
            # Where a price is not known there is 0; where both are 0 it costs nothing.
            is_free = rate == list_rate == "0"
            rate, list_rate = (None if price == "0" else price for price in (rate, list_rate))
            rate = "0" if is_free else rate
        key = (value["day"], value.get("payer"), value.get("account"), region, service, usage_type, of, resource,
               json.dumps(dict(sorted(found.items()))), has_quantity, rate, list_rate, value.get("invoice"), value["currency"])
        total = records[key]
        total[0] += quantity or 0
        total[1] += cost
    print(json.dumps({
        "records": [[*key, number(total[0]), number(total[1])] for key, total in records.items()],
        "outside": [[*key, rows, number(cost)] for key, (rows, cost) in outside.items()],
    }))


main(*sys.argv[1:])
