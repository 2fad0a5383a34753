#!/usr/bin/env bash
# Start-up time and peak memory of the commands people wait for, as whole processes.
# Needs GNU time (Debian package `time`). Prints the median of 21 runs.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
for arguments in "--help" "estimate --month 2026-11 --codebuild general1.small=1100" "bill --demo"; do
    for _ in $(seq 21); do
        # shellcheck disable=SC2086
        /usr/bin/time -f '%e %U %S %M' target/release/pipebill $arguments 2>&1 >/dev/null | tail -n 1
    done | sort -n | awk -v what="$arguments" '
        { wall[NR] = $1; cpu[NR] = $2 + $3; memory[NR] = $4 }
        END { m = int((NR + 1) / 2); printf "%-60s %5.0f ms wall  %5.0f ms CPU  %5.1f MB\n", what, wall[m] * 1000, cpu[m] * 1000, memory[m] / 1024 }'
done
