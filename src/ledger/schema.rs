//! The tables of the ledger, as steps from one version to the next.

/// Marks the file as ours, so that another program's database is not written into.
pub(super) const APPLICATION_ID: i32 = 0x7069_7065;

/// The version that the last step leads to.
pub(super) const VERSION: u32 = 1;

/// Step `n` leads from version `n` to `n + 1`. Steps that were released are never changed.
///
/// Texts repeat in nearly every record and are kept once. Amounts are text, for a number of
/// `SQLite` would be a float.
pub(super) const STEPS: [&str; VERSION as usize] = ["
    CREATE TABLE text (
        id    INTEGER PRIMARY KEY,
        value TEXT NOT NULL UNIQUE
    ) STRICT;

    CREATE TABLE slice (
        id          INTEGER PRIMARY KEY,
        kind        TEXT NOT NULL,
        source      TEXT NOT NULL,
        month       TEXT NOT NULL,
        part        INTEGER NOT NULL,
        first_day   TEXT NOT NULL,
        last_day    TEXT NOT NULL,
        whole_month INTEGER NOT NULL,
        digest      BLOB NOT NULL
    ) STRICT;
    CREATE INDEX slice_by_month ON slice (month, kind, source);

    CREATE TABLE record (
        slice          INTEGER NOT NULL REFERENCES slice (id) ON DELETE CASCADE,
        day            TEXT NOT NULL,
        payer          INTEGER REFERENCES text (id),
        account        INTEGER REFERENCES text (id),
        region         INTEGER NOT NULL REFERENCES text (id),
        service        INTEGER NOT NULL REFERENCES text (id),
        usage_type     INTEGER NOT NULL REFERENCES text (id),
        kind           INTEGER NOT NULL REFERENCES text (id),
        resource       INTEGER REFERENCES text (id),
        tags           INTEGER NOT NULL REFERENCES text (id),
        quantity       TEXT,
        unit           INTEGER REFERENCES text (id),
        consumed       TEXT,
        consumed_unit  INTEGER REFERENCES text (id),
        metering       INTEGER REFERENCES text (id),
        cost           TEXT,
        rate           TEXT,
        list_rate      TEXT,
        invoice        INTEGER REFERENCES text (id),
        currency       INTEGER NOT NULL REFERENCES text (id),
        origin         INTEGER NOT NULL REFERENCES text (id)
    ) STRICT;
    CREATE INDEX record_by_slice ON record (slice, day);

    CREATE TABLE outside (
        slice    INTEGER NOT NULL REFERENCES slice (id) ON DELETE CASCADE,
        service  TEXT NOT NULL,
        kind     TEXT NOT NULL,
        currency TEXT NOT NULL,
        row_count INTEGER NOT NULL,
        cost     TEXT NOT NULL
    ) STRICT;
    CREATE INDEX outside_by_slice ON outside (slice);
"];
