//! The tables of the ledger, as steps from one version to the next.

/// Marks the file as ours, so that another program's database is not written into.
pub(super) const APPLICATION_ID: i32 = 0x7069_7065;

/// The version that the last step leads to.
pub(super) const VERSION: u32 = 9;

/// Step `n` leads from version `n` to `n + 1`. Steps that were released are never changed.
///
/// Texts repeat in nearly every record and are kept once. Amounts are text, for a number of
/// `SQLite` would be a float.
pub(super) const STEPS: [&str; VERSION as usize] = [
    "
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
",
    "
    -- How far a listing of AWS was read; times are milliseconds since 1970.
    CREATE TABLE listing (
        id          INTEGER PRIMARY KEY,
        account     TEXT NOT NULL,
        region      TEXT NOT NULL,
        source      TEXT NOT NULL,
        resource    TEXT NOT NULL,
        newest      INTEGER,
        oldest      INTEGER,
        pass_until  INTEGER,
        pass_newest INTEGER,
        pass_cursor TEXT,
        UNIQUE (account, region, source, resource)
    ) STRICT;

    CREATE TABLE build (
        listing     INTEGER NOT NULL REFERENCES listing (id),
        id          TEXT NOT NULL,
        submitted   INTEGER NOT NULL,
        provisioned INTEGER,
        ended       INTEGER,
        compute     INTEGER NOT NULL REFERENCES text (id),
        fleet       INTEGER REFERENCES text (id),
        pipeline    INTEGER REFERENCES text (id),
        gone        INTEGER NOT NULL,
        PRIMARY KEY (listing, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX build_by_time ON build (submitted);
    CREATE INDEX open_build ON build (listing) WHERE ended IS NULL;

    CREATE TABLE execution (
        listing   INTEGER NOT NULL REFERENCES listing (id),
        id        TEXT NOT NULL,
        started   INTEGER NOT NULL,
        revisions BLOB,
        rollback  INTEGER NOT NULL,
        open      INTEGER NOT NULL,
        PRIMARY KEY (listing, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX execution_by_time ON execution (listing, started);

    CREATE TABLE action (
        listing  INTEGER NOT NULL REFERENCES listing (id),
        id       TEXT NOT NULL,
        started  INTEGER NOT NULL,
        ended    INTEGER,
        category TEXT NOT NULL,
        owner    TEXT NOT NULL,
        PRIMARY KEY (listing, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX action_by_time ON action (started);

    CREATE TABLE deployment (
        listing INTEGER NOT NULL REFERENCES listing (id),
        id      TEXT NOT NULL,
        created INTEGER NOT NULL,
        open    INTEGER NOT NULL,
        PRIMARY KEY (listing, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE target (
        listing     INTEGER NOT NULL REFERENCES listing (id),
        deployment  TEXT NOT NULL,
        name        TEXT NOT NULL,
        application TEXT NOT NULL,
        day         TEXT NOT NULL,
        status      TEXT NOT NULL,
        PRIMARY KEY (listing, deployment, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX target_by_day ON target (day);

    CREATE TABLE identity (
        listing   INTEGER NOT NULL REFERENCES listing (id),
        day       TEXT NOT NULL,
        principal TEXT NOT NULL,
        session   TEXT NOT NULL,
        PRIMARY KEY (listing, day, principal, session)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE pipeline (
        account TEXT NOT NULL,
        region  TEXT NOT NULL,
        name    TEXT NOT NULL,
        kind    TEXT NOT NULL,
        created INTEGER,
        PRIMARY KEY (account, region, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE fleet (
        account   TEXT NOT NULL,
        region    TEXT NOT NULL,
        arn       TEXT NOT NULL,
        seen      INTEGER NOT NULL,
        created   INTEGER,
        since     INTEGER,
        machines  INTEGER NOT NULL,
        compute   TEXT NOT NULL,
        overflows INTEGER NOT NULL,
        PRIMARY KEY (account, region, arn, seen)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE not_collected (
        account TEXT NOT NULL,
        region  TEXT NOT NULL,
        source  TEXT NOT NULL,
        part    TEXT NOT NULL,
        reason  TEXT NOT NULL,
        PRIMARY KEY (account, region, source, part)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE covered (
        account   TEXT NOT NULL,
        region    TEXT NOT NULL,
        source    TEXT NOT NULL,
        first_day TEXT NOT NULL,
        last_day  TEXT NOT NULL,
        PRIMARY KEY (account, region, source)
    ) STRICT, WITHOUT ROWID;

    -- Months that Cost Explorer no longer calls estimated.
    CREATE TABLE closed (
        source TEXT NOT NULL,
        month  TEXT NOT NULL,
        PRIMARY KEY (source, month)
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE build ADD COLUMN docker_server INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE sandbox (
        listing INTEGER NOT NULL REFERENCES listing (id),
        id      TEXT NOT NULL,
        project TEXT NOT NULL,
        began   INTEGER NOT NULL,
        ended   INTEGER,
        fleet   INTEGER REFERENCES text (id),
        PRIMARY KEY (listing, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sandbox_by_time ON sandbox (began);
    -- How a build ended; nothing for those read before this was kept.
    ALTER TABLE build ADD COLUMN status INTEGER REFERENCES text (id);

    -- Rows that the file had and nobody could read, and which delivery of a folder it was of.
    ALTER TABLE slice ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE slice ADD COLUMN delivery TEXT;
    CREATE INDEX slice_by_delivery ON slice (delivery);
",
    "
    -- Rows that stand beside the sums of `outside`: storage of builds and pipelines, told apart. And
    -- whether a slice tells of single resources: nothing for those read before that was kept.
    ALTER TABLE record ADD COLUMN aside INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE slice ADD COLUMN names_resources INTEGER;
",
    "
    -- How final its source calls it, as JSON; nothing for those read before this was kept.
    ALTER TABLE slice ADD COLUMN standing TEXT;
",
    "
    -- The commitment that pays for a record.
    ALTER TABLE record ADD COLUMN covered_by TEXT;
",
    "
    -- What started a build, and whether CodeBuild itself tried it again; nothing for those read before
    -- this was kept.
    ALTER TABLE build ADD COLUMN started_by TEXT;
    ALTER TABLE build ADD COLUMN auto_retry INTEGER NOT NULL DEFAULT 0;
",
    "
    -- What builds used of their machines on a day. The listing says which project, and for which days it
    -- was asked: days without a row have no measurements.
    CREATE TABLE utilization (
        listing        INTEGER NOT NULL REFERENCES listing (id),
        day            TEXT NOT NULL,
        points         INTEGER NOT NULL,
        cpu_average    TEXT,
        cpu_maximum    TEXT,
        memory_average TEXT,
        memory_maximum TEXT,
        memory_percent TEXT,
        PRIMARY KEY (listing, day)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX utilization_by_day ON utilization (day);
",
    "
    -- Jobs of CI systems as they were imported, and which projects run such jobs.
    CREATE TABLE ci_job (
        host       INTEGER NOT NULL REFERENCES text (id),
        repository INTEGER NOT NULL REFERENCES text (id),
        id         INTEGER NOT NULL,
        attempt    INTEGER NOT NULL,
        run        INTEGER NOT NULL,
        workflow   INTEGER REFERENCES text (id),
        name       INTEGER NOT NULL REFERENCES text (id),
        runner     TEXT,
        labels     TEXT NOT NULL,
        created    INTEGER,
        started    INTEGER,
        completed  INTEGER,
        status     TEXT,
        conclusion TEXT,
        PRIMARY KEY (host, repository, id, attempt)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ci_job_by_time ON ci_job (coalesce(started, created, completed));

    CREATE TABLE runner (
        account  TEXT NOT NULL,
        region   TEXT NOT NULL,
        project  TEXT NOT NULL,
        runs_for TEXT NOT NULL,
        PRIMARY KEY (account, region, project)
    ) STRICT, WITHOUT ROWID;
",
];
