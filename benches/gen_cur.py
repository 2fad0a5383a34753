#!/usr/bin/env python3
"""Writes a Cost and Usage Report 2.0 as AWS delivers it, and beside it the exact sums.

  gen_cur.py --rows 2000000 --format parquet|csv.gz --out DIR [--months 24] [--seed 7]

  DIR/data/BILLING_PERIOD=YYYY-MM/cur-0000N.{snappy.parquet,csv.gz}
  DIR/truth.csv   month, account, region, usage type, usage, cost, rows of the code services

Amounts are whole numbers of 1e-10: CSV carries their ten decimals, Parquet the nearest double, as
AWS writes them, and the truth is summed in whole numbers. The same arguments give the same rows in
either format. Rows of the code services (2 %) are spread over every row group, so that no statistics
let a reader skip one. Rates are made up on purpose: they stand for prices no catalogue has.
"""

import argparse
import collections
import csv
import datetime
import gzip
import hashlib
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

UNIT = 10**10
START = (2024, 11)
ROWS_A_FILE = 1_000_000
ROW_GROUP = 131_072
KINDS_OF_USE = 20_000

TEXT, TIME, NUMBER, MAP = "text", "time", "number", "map"
TYPES = {
    TEXT: pa.string(),
    TIME: pa.timestamp("ms"),
    NUMBER: pa.float64(),
    MAP: pa.map_(pa.string(), pa.string()),
}
# The columns of the table COST_AND_USAGE_REPORT, in the order of AWS's table dictionary.
COLUMNS = [
    (prefix + name, kind)
    for prefix, kind_of, names in [
        ("bill_", {"billing_period_end_date": TIME, "billing_period_start_date": TIME},
         "bill_type billing_entity billing_period_end_date billing_period_start_date invoice_id "
         "invoicing_entity payer_account_id payer_account_name"),
        ("", {"cost_category": MAP, "discount": MAP, "discount_bundled_discount": NUMBER,
              "discount_total_discount": NUMBER},
         "cost_category discount discount_bundled_discount discount_total_discount "
         "identity_line_item_id identity_time_interval"),
        ("line_item_", dict.fromkeys(
            "blended_cost net_unblended_cost normalization_factor normalized_usage_amount "
            "unblended_cost usage_amount".split(), NUMBER)
         | {"usage_end_date": TIME, "usage_start_date": TIME},
         "availability_zone blended_cost blended_rate currency_code legal_entity "
         "line_item_description line_item_type net_unblended_cost net_unblended_rate "
         "normalization_factor normalized_usage_amount operation product_code resource_id tax_type "
         "unblended_cost unblended_rate usage_account_id usage_account_name usage_amount "
         "usage_end_date usage_start_date usage_type"),
        ("pricing_", {"public_on_demand_cost": NUMBER},
         "currency lease_contract_length offering_class public_on_demand_cost "
         "public_on_demand_rate purchase_option rate_code rate_id term unit"),
        ("product", {"": MAP},
         " _comment _fee_code _fee_description _from_location _from_location_type "
         "_from_region_code _instance_family _instance_type _instancesku _location _location_type "
         "_operation _pricing_unit _product_family _region_code _servicecode _sku _to_location "
         "_to_location_type _to_region_code _usagetype"),
        ("reservation_", dict.fromkeys(
            "amortized_upfront_cost_for_usage amortized_upfront_fee_for_billing_period "
            "effective_cost net_amortized_upfront_cost_for_usage "
            "net_amortized_upfront_fee_for_billing_period net_effective_cost "
            "net_recurring_fee_for_usage net_unused_amortized_upfront_fee_for_billing_period "
            "net_unused_recurring_fee net_upfront_value recurring_fee_for_usage "
            "unused_amortized_upfront_fee_for_billing_period unused_normalized_unit_quantity "
            "unused_quantity unused_recurring_fee upfront_value".split(), NUMBER),
         "amortized_upfront_cost_for_usage amortized_upfront_fee_for_billing_period "
         "availability_zone effective_cost end_time modification_status "
         "net_amortized_upfront_cost_for_usage net_amortized_upfront_fee_for_billing_period "
         "net_effective_cost net_recurring_fee_for_usage "
         "net_unused_amortized_upfront_fee_for_billing_period net_unused_recurring_fee "
         "net_upfront_value normalized_units_per_reservation number_of_reservations "
         "recurring_fee_for_usage reservation_a_r_n start_time subscription_id "
         "total_reserved_normalized_units total_reserved_units units_per_reservation "
         "unused_amortized_upfront_fee_for_billing_period unused_normalized_unit_quantity "
         "unused_quantity unused_recurring_fee upfront_value"),
        ("", {"resource_tags": MAP}, "resource_tags"),
        ("savings_plan_", dict.fromkeys(
            "amortized_upfront_commitment_for_billing_period "
            "net_amortized_upfront_commitment_for_billing_period "
            "net_recurring_commitment_for_billing_period net_savings_plan_effective_cost "
            "recurring_commitment_for_billing_period savings_plan_effective_cost savings_plan_rate "
            "total_commitment_to_date used_commitment".split(), NUMBER),
         "amortized_upfront_commitment_for_billing_period end_time instance_type_family "
         "net_amortized_upfront_commitment_for_billing_period "
         "net_recurring_commitment_for_billing_period net_savings_plan_effective_cost "
         "offering_type payment_option purchase_term recurring_commitment_for_billing_period "
         "region savings_plan_a_r_n savings_plan_effective_cost savings_plan_rate start_time "
         "total_commitment_to_date used_commitment"),
        ("split_line_item_", dict.fromkeys(
            "actual_usage net_split_cost net_unused_cost public_on_demand_split_cost "
            "public_on_demand_unused_cost reserved_usage split_cost split_usage split_usage_ratio "
            "unused_cost".split(), NUMBER),
         "actual_usage net_split_cost net_unused_cost parent_resource_id "
         "public_on_demand_split_cost public_on_demand_unused_cost reserved_usage split_cost "
         "split_usage split_usage_ratio unused_cost"),
    ]
    for name in names.split(" ")
    for kind in [kind_of.get(name, TEXT)]
]

REGIONS = [
    ("us-east-1", "USE1", 0.42), ("us-east-2", "USE2", 0.10), ("us-west-2", "USW2", 0.18),
    ("eu-west-1", "EU", 0.16), ("eu-central-1", "EUC1", 0.10), ("ap-southeast-2", "APS2", 0.04),
]
# Code, usage types, unit, what a resource looks like, share.
CODE_SERVICES = [
    ("CodeBuild",
     ["Build-Min:Linux:g1.small", "Build-Min:Linux:g1.medium", "Build-Min:Linux:g1.large",
      "Build-Min:ARM:g1.small", "Build-Min:LinuxGPU:g1.large", "Build-Min:Windows:g1.medium",
      "Build-Sec:Linux:Lambda:x86-64.1GB"],
     "minutes", "arn:aws:codebuild:{r}:{a}:project/{p}-{h:.6}", 0.62),
    ("AWSCodePipeline", ["activePipeline", "actionExecutionMinute"], "Pipelines",
     "arn:aws:codepipeline:{r}:{a}:{p}-{h:.6}", 0.28),
    ("AWSCodeCommit", ["User-Month"], "User-Month", "arn:aws:codecommit:{r}:{a}:{p}", 0.06),
    ("AWSCodeDeploy", ["On-Premises-Instance"], "OnPremUpdates",
     "arn:aws:codedeploy:{r}:{a}:deploymentgroup:{p}/{h:.6}", 0.04),
]
OTHERS = [
    ("AmazonEC2", ["BoxUsage:m5.large", "BoxUsage:c6g.xlarge", "EBS:VolumeUsage.gp3",
                   "DataTransfer-Regional-Bytes", "NatGateway-Bytes", "NatGateway-Hours"],
     "Hrs", "i-{h:.17}", 0.38),
    ("AmazonS3", ["TimedStorage-ByteHrs", "Requests-Tier1", "Requests-Tier2"], "Requests",
     "{p}-{h:.12}-bucket", 0.14),
    ("AWSLambda", ["Lambda-GB-Second", "Request"], "Lambda-GB-Second",
     "arn:aws:lambda:{r}:{a}:function:{p}-{h:.8}", 0.10),
    ("AmazonCloudWatch", ["CW:MetricMonitorUsage", "DataProcessing-Bytes"], "Metrics",
     "arn:aws:logs:{r}:{a}:log-group:/aws/{p}/{h:.8}", 0.14),
    ("AmazonRDS", ["InstanceUsage:db.r6g.large", "RDS:GP3-Storage"], "Hrs",
     "arn:aws:rds:{r}:{a}:db:{p}-{h:.6}", 0.06),
    ("AWSELB", ["LoadBalancerUsage", "LCUUsage"], "Hrs",
     "arn:aws:elasticloadbalancing:{r}:{a}:loadbalancer/app/{p}/{h:.16}", 0.05),
    ("awskms", ["KMS-Requests", "KMS-Keys"], "Requests", "arn:aws:kms:{r}:{a}:key/{h:.24}", 0.04),
    ("AmazonECR", ["TimedStorage-ByteHrs"], "GB-Mo", "arn:aws:ecr:{r}:{a}:repository/{p}", 0.03),
    ("AmazonDynamoDB", ["ReadRequestUnits", "WriteRequestUnits"], "ReadRequestUnits",
     "arn:aws:dynamodb:{r}:{a}:table/{p}-{h:.6}", 0.04),
    ("AWSQueueService", ["Requests-Tier1"], "Requests", "arn:aws:sqs:{r}:{a}:{p}-{h:.6}", 0.02),
]
RATES = [50_000_000, 100_000_000, 34, 2_000_000, 200_000, 10_000_000_000, 8, 45_000_000]


class Uses:
    """Kinds of use: an account's resource and all that does not vary from row to row."""

    def __init__(self, seed, share):
        rng = np.random.default_rng([seed, 77])
        numbers = np.sort(rng.choice(899_999_999_999, 60, replace=False))
        accounts = [f"{100_000_000_000 + int(number):012d}" for number in numbers]
        systems = "checkout search billing mobile ml infra data web auth edge".split()
        projects = [f"{s}-{p}" for s in systems for p in "api worker frontend pipeline etl".split()]
        teams = "platform payments growth data-eng mobile sre".split()
        environments = "prod staging dev sandbox".split()
        self.code = max(400, KINDS_OF_USE // 25)
        texts, maps, rates = [], [], []
        for at in range(KINDS_OF_USE):
            services = CODE_SERVICES if at < self.code else OTHERS
            chances = np.array([service[-1] for service in services])
            service, usage_types, unit, pattern, _ = services[
                rng.choice(len(services), p=chances / chances.sum())
            ]
            account = accounts[int(rng.zipf(1.5)) % 60]
            region, prefix, _ = REGIONS[rng.choice(6, p=[region[2] for region in REGIONS])]
            usage_type = usage_types[rng.integers(len(usage_types))]
            digest = hashlib.sha256(f"{seed}-{at}".encode()).hexdigest()
            project = projects[rng.integers(len(projects))]
            bare = usage_type == "User-Month" or (
                region == "us-east-1" and usage_type == "On-Premises-Instance"
            )
            usage_type = usage_type if bare else f"{prefix}-{usage_type}"
            rate = int(rng.choice(RATES))
            price = f"{rate // UNIT}.{rate % UNIT:010d}"
            tags = [
                ("user_team", teams[rng.integers(len(teams))]),
                ("user_env", environments[rng.integers(4)]),
                ("user_project", project),
                ("aws_created_by", f"AssumedRole:AROA{digest[:16].upper()}:{project}-deployer"),
            ]
            tags = tags[: 0 if rng.random() < 0.25 else rng.integers(1, 5)]
            sku = digest[:16].upper()
            rates.append(rate)
            texts.append({
                "bill_bill_type": "Anniversary",
                "bill_billing_entity": "AWS",
                "bill_invoicing_entity": "Amazon Web Services, Inc.",
                "bill_payer_account_id": accounts[0],
                "bill_payer_account_name": "Example Corp Payer",
                "line_item_blended_rate": price,
                "line_item_currency_code": "USD",
                "line_item_legal_entity": "Amazon Web Services, Inc.",
                "line_item_line_item_description": f"${price} per {unit} for {usage_type}",
                "line_item_line_item_type": "Usage",
                "line_item_operation": f"Op{service[-6:]}",
                "line_item_product_code": service,
                "line_item_resource_id": pattern.format(h=digest, p=project, r=region, a=account),
                "line_item_unblended_rate": price,
                "line_item_usage_account_id": account,
                "line_item_usage_account_name": f"acct-{account[-4:]}",
                "line_item_usage_type": usage_type,
                "pricing_currency": "USD",
                "pricing_public_on_demand_rate": price,
                "pricing_rate_code": f"{sku}.JRTCKXETXF.6YS6EN2CT7",
                "pricing_rate_id": str(int(digest[:9], 16)),
                "pricing_term": "OnDemand",
                "pricing_unit": unit,
                "product_location": region,
                "product_location_type": "AWS Region",
                "product_pricing_unit": unit,
                "product_product_family": "Service",
                "product_region_code": region,
                "product_servicecode": service,
                "product_sku": sku,
                "product_usagetype": usage_type,
            })
            maps.append({
                "cost_category": [("BusinessUnit", teams[rng.integers(len(teams))])],
                "discount": [],
                "resource_tags": tags,
                "product": [("product_name", service), ("region", region),
                            ("servicename", service), ("usagetype", usage_type)],
            })
        weights = rng.zipf(1.3, KINDS_OF_USE).clip(1, 4000).astype(float)
        weights[: self.code] *= share / weights[: self.code].sum()
        weights[self.code :] *= (1 - share) / weights[self.code :].sum()
        self.weights = weights / weights.sum()
        self.rates = np.array(rates, np.int64)
        self.texts, names = {}, [name for name, kind in COLUMNS if kind == TEXT]
        for name in names:
            self.texts[name] = pa.array([text.get(name) for text in texts], pa.string())
        self.maps, self.json = {}, {}
        for name in ("cost_category", "discount", "resource_tags", "product"):
            found = [entry[name] for entry in maps]
            self.maps[name] = pa.array(found, TYPES[MAP])
            self.json[name] = pa.array(
                [json.dumps(dict(entry), separators=(",", ":")) for entry in found]
            )


def decimals(units):
    pairs = np.empty((len(units), 2), np.int64)
    pairs[:, 0], pairs[:, 1] = units, units >> 63
    buffers = [None, pa.py_buffer(pairs)]
    return pa.Array.from_buffers(pa.decimal128(20, 10), len(units), buffers)


def identities(rng, count, width=52):
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
    drawn = letters[rng.integers(0, 32, count * width, dtype=np.uint8)]
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(drawn))


def seconds(year, month):
    start = datetime.datetime(year, month, 1, tzinfo=datetime.timezone.utc)
    return int(start.timestamp())


def following(year, month):
    return (year + 1, 1) if month == 12 else (year, month + 1)


def write_file(uses, arguments, index, month, part, count):
    """Writes one file; returns what its rows of the code services add up to."""
    rng = np.random.default_rng([arguments.seed, index, part])
    start, end = seconds(*month), seconds(*following(*month))
    hours = (end - start) // 3600
    kind = rng.choice(KINDS_OF_USE, count, p=uses.weights)
    # In the order of time, as an hourly report comes.
    hour = np.sort(rng.integers(0, hours, count))
    usage = (10.0 ** rng.uniform(-4, 2.2, count) * UNIT).astype(np.int64)
    whole = rng.random(count) < 0.3
    usage[whole] = (usage[whole] // UNIT + 1) * UNIT
    rate, quotient = uses.rates[kind], usage // UNIT
    cost = quotient * rate + ((usage - quotient * UNIT) * rate + UNIT // 2) // UNIT
    cost = np.where(rng.random(count) < 0.002, -cost, cost)
    is_parquet = arguments.format == "parquet"
    number = (lambda units: pa.array(units / 1e10)) if is_parquet else decimals
    numbers = {
        "line_item_usage_amount": usage,
        "line_item_unblended_cost": cost,
        "line_item_blended_cost": cost,
        "line_item_net_unblended_cost": cost * 9 // 10,
        "pricing_public_on_demand_cost": np.abs(cost),
        "discount_total_discount": np.zeros(count, np.int64),
        "discount_bundled_discount": np.zeros(count, np.int64),
    }
    times = {
        "bill_billing_period_start_date": np.full(count, start),
        "bill_billing_period_end_date": np.full(count, end),
        "line_item_usage_start_date": start + hour * 3600,
        "line_item_usage_end_date": start + (hour + 1) * 3600,
    }

    def iso(stamp):
        return np.datetime_as_string(stamp.astype("datetime64[s]"), unit="s")

    columns = []
    for name, kind_of in COLUMNS:
        if name == "identity_line_item_id":
            column = identities(rng, count)
        elif name == "identity_time_interval":
            marks = iso(start + np.arange(hours + 1) * 3600)
            pairs = pa.array([f"{marks[at]}Z/{marks[at + 1]}Z" for at in range(hours)])
            column = pairs.take(pa.array(hour))
        elif name == "bill_invoice_id":
            invoice = f"1{arguments.seed:03d}{month[0]}{month[1]:02d}7"
            column = pa.array([invoice]).take(pa.array(np.zeros(count, np.int64)))
        elif kind_of == TEXT:
            column = uses.texts[name].take(pa.array(kind))
        elif kind_of == MAP:
            column = (uses.maps if is_parquet else uses.json)[name].take(pa.array(kind))
        elif kind_of == NUMBER and name in numbers:
            column = number(numbers[name])
        elif kind_of == NUMBER:
            column = pa.nulls(count, TYPES[NUMBER] if is_parquet else pa.string())
        elif is_parquet:
            column = pa.array((times[name] * 1000).astype("datetime64[ms]"))
        else:
            distinct, inverse = np.unique(times[name], return_inverse=True)
            texts = pa.array([text + ".000Z" for text in iso(distinct)])
            column = texts.take(pa.array(inverse))
        columns.append(column)
    folder = arguments.out / "data" / f"BILLING_PERIOD={month[0]}-{month[1]:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    if is_parquet:
        schema = pa.schema([(name, TYPES[kind_of]) for name, kind_of in COLUMNS])
        table = pa.Table.from_arrays(columns, schema=schema)
        path = folder / f"cur-{part + 1:05d}.snappy.parquet"
        pa.parquet.write_table(table, path, compression="snappy", row_group_size=ROW_GROUP)
    else:
        table = pa.Table.from_arrays(columns, names=[name for name, _ in COLUMNS])
        path = folder / f"cur-{part + 1:05d}.csv.gz"
        options = pa.csv.WriteOptions(quoting_style="needed")
        with open(path, "wb") as file, gzip.GzipFile("", "wb", 6, file, 0) as packed:
            pa.csv.write_csv(table, pa.PythonFile(packed, "w"), options)
    sums = collections.defaultdict(lambda: [0, 0, 0])
    named = ("line_item_usage_account_id", "product_region_code", "line_item_usage_type")
    names = [uses.texts[name].to_pylist() for name in named]
    for row in np.flatnonzero(kind < uses.code):
        key = (f"{month[0]}-{month[1]:02d}", *(name[kind[row]] for name in names))
        entry = sums[key]
        entry[0] += int(usage[row])
        entry[1] += int(cost[row])
        entry[2] += 1
    return path.stat().st_size, sums


def plain(units):
    sign, units = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{units // UNIT}.{units % UNIT:010d}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--format", choices=["parquet", "csv.gz"], default="parquet")
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--share", type=float, default=0.02, help="of the code services")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    uses = Uses(arguments.seed, arguments.share)
    truth, size, month = collections.defaultdict(lambda: [0, 0, 0]), 0, START
    for index in range(arguments.months):
        left = arguments.rows // arguments.months + (index < arguments.rows % arguments.months)
        part = 0
        while left > 0:
            count = min(left, ROWS_A_FILE)
            written, sums = write_file(uses, arguments, index, month, part, count)
            size += written
            for key, entry in sums.items():
                truth[key] = [a + b for a, b in zip(truth[key], entry)]
            left, part = left - count, part + 1
        month = following(*month)
    with open(arguments.out / "truth.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for key in sorted(truth):
            usage, cost, rows = truth[key]
            writer.writerow([*key, plain(usage), plain(cost), rows])
    rows = sum(entry[2] for entry in truth.values())
    print(f"{arguments.rows} rows, {size / 1e6:.0f} MB, {rows} of the code services", flush=True)


if __name__ == "__main__":
    main()
