"""Holds a Parquet file of `report --format focus-parquet` to FOCUS 1.2 by the FinOps Foundation's own validator.

Prints how many rules were held to it, and those that failed. With a third argument the file is first
damaged by it: a replacement of SQL's `select * replace (...)`."""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

# What pipebill's files are not about: AWS's code services have no zones, reservations, commitments or tokens.
NOT_OURS = {"AVAILABILITY_ZONE_SUPPORTED", "CAPACITY_RESERVATION_SUPPORTED", "COMMITMENT_DISCOUNT_SUPPORTED", "VIRTUAL_CURRENCY_SUPPORTED"}


def validator(file, *arguments):
    import focus_validator

    program = os.path.join(os.path.dirname(sys.executable), "focus-validator")
    # It looks for its list of currencies where it is started, and asks GitHub for models if it may.
    place = os.path.dirname(os.path.dirname(focus_validator.__file__))
    command = [program, "--data-file", file, "--data-format", "parquet", "--validate-version", "1.2", "--block-download", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def main(file, folder, damage=None):
    if damage:
        import duckdb

        damaged = os.path.join(folder, "damaged.parquet")
        duckdb.sql(f"copy (select * replace ({damage}) from '{file}') to '{damaged}' (format parquet)")
        file = damaged
    criteria = [line.split("\t")[0] for line in validator(file, "--show-applicability-criteria").splitlines() if "_SUPPORTED\t" in line]
    report = os.path.join(folder, "report.xml")
    ours = ",".join(name for name in criteria if name not in NOT_OURS)
    validator(file, "--applicability-criteria", ours, "--output-type", "unittest", "--output-destination", report)
    held, failed = 0, []
    # Its exit code is 0 whatever it finds.
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        held += case.find("skipped") is None
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(case.get("name"))
    return {"held": held, "failed": failed}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(main(os.path.abspath(sys.argv[1]), folder, *sys.argv[2:])))
