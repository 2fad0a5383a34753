#!/usr/bin/env bash
# Importing large exports, beside DuckDB and Polars on the same files in the same run.
# Makes the data once (2 GB below target/), which takes some minutes. Arguments go to `cargo build`:
# --no-default-features leaves out what asks AWS, and minutes of building.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --bin pipebill --example limits "$@"
if [ ! -x target/bench-venv/bin/python ]; then
    python3 -m venv target/bench-venv
    target/bench-venv/bin/pip install --quiet --disable-pip-version-check \
        duckdb==2.0.0 numpy==2.4.6 polars==2.1.0 pyarrow==26.0.1
fi
python=target/bench-venv/bin/python
data=target/bench-exports
make() { [ -f "$data/$1/truth.csv" ] || "$python" benches/gen_cur.py --out "$data/$1" "${@:2}"; }
make parquet-1m --rows 1000000
make parquet-10m --rows 10000000
make csv-2m --rows 2000000 --format csv.gz
"$python" benches/exports.py table target/release/pipebill "$data"
# From S3, if that was built.
if [ $# = 0 ]; then
    "$python" benches/far.py target/release/pipebill "$data/parquet-10m" "$data/csv-2m"
fi
