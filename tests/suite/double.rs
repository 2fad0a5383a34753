//! The double of AWS (`tests/double`), the program beside it, and what its ledger holds then.
//!
//! Everything stays on the loopback. Without the double the tests say so and pass, except in CI.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use rusqlite::{Connection, types::ValueRef};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::skipped;

/// A double that serves one world.
pub(crate) struct Double {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Double {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("PIPEBILL_TEST_PYTHON")
        .map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    skipped("no Python for the doubles of AWS");
    None
}

impl Double {
    pub(crate) fn start(world: &str) -> Option<Self> {
        Self::serve("double.py", world)
    }

    pub(crate) fn serve(script: &str, world: &str) -> Option<Self> {
        Some(Self::begin(&[script, world])?.0)
    }

    /// Starts a server, and returns what it says besides its port.
    pub(crate) fn begin(arguments: &[&str]) -> Option<(Self, Vec<String>)> {
        let python = python()?;
        let mut child = Command::new(python)
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/double"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let mut words = line.split_whitespace().map(str::to_owned);
        assert_eq!(words.next().as_deref(), Some("port"), "{line}");
        let port = words.next().unwrap().parse().unwrap();
        Some((Self { child, port }, words.collect()))
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: double\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Replaces the faults, and forgets the requests so far.
    #[expect(clippy::needless_pass_by_value, reason = "it reads better at the call")]
    pub(crate) fn faults(&self, faults: Value) {
        self.ask("POST", "/_faults", &faults.to_string());
    }

    pub(crate) fn log(&self) -> Vec<Value> {
        self.ask("GET", "/_log", "").as_array().unwrap().clone()
    }

    pub(crate) fn operations(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.log() {
            let operation = entry["op"].as_str().unwrap().to_owned();
            *counts.entry(operation).or_default() += 1;
        }
        counts
    }

    pub(crate) fn command(&self, ledger: &Path, arguments: &[&str]) -> Command {
        let mut command = pipebill(ledger, arguments);
        command.env(
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{}", self.port),
        );
        command
    }

    pub(crate) fn run(&self, ledger: &Path, arguments: &[&str]) -> Output {
        self.command(ledger, arguments).output().unwrap()
    }

    /// Collects, and hands over what was said; it must end with this code.
    pub(crate) fn collect(&self, ledger: &Path, arguments: &[&str], code: i32) -> String {
        let arguments = [&["collect", "--rate", "10000"], arguments].concat();
        let output = self.run(ledger, &arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }
}

pub(crate) fn pipebill(ledger: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipebill"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", ledger.parent().unwrap())
        .env("COLUMNS", "300")
        .env("PIPEBILL_LEDGER", ledger)
        .env("PIPEBILL_AS_OF", "2026-11-22")
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("NO_PROXY", "127.0.0.1");
    command
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.sqlite");
    (folder, ledger)
}

/// Everything a ledger says, independent of the order in which it was written.
pub(crate) fn content(ledger: &Path) -> BTreeMap<&'static str, BTreeSet<String>> {
    let connection = Connection::open(ledger).unwrap();
    let place = "account || '/' || region || '/' || source || '/' || resource";
    let texts = "(SELECT value FROM text WHERE id = compute), \
                 (SELECT value FROM text WHERE id = fleet), \
                 (SELECT value FROM text WHERE id = pipeline)";
    let mut tables = BTreeMap::new();
    for (name, query) in [
        (
            "build",
            format!(
                "SELECT {place}, build.id, submitted, provisioned, ended, {texts}
                 FROM build JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "execution",
            format!(
                "SELECT {place}, execution.id, started, hex(revisions), rollback, open
                 FROM execution JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "action",
            format!(
                "SELECT {place}, action.id, started, ended, category, owner
                 FROM action JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "target",
            format!(
                "SELECT {place}, deployment, name, application, day, status
                 FROM target JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "identity",
            format!(
                "SELECT {place}, day, principal, session
                 FROM identity JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "listing",
            format!(
                "SELECT {place}, newest, oldest, pass_cursor FROM listing WHERE source <> 'deployments' AND source <> 'identities'"
            ),
        ),
        ("pipeline", "SELECT * FROM pipeline".to_owned()),
        (
            "utilization",
            format!(
                "SELECT {place}, day, points, cpu_average, cpu_maximum, memory_average, memory_maximum, \
                        memory_percent
                 FROM utilization JOIN listing ON listing.id = listing"
            ),
        ),
        ("covered", "SELECT * FROM covered".to_owned()),
        ("not_collected", "SELECT * FROM not_collected".to_owned()),
        (
            "slice",
            "SELECT kind, source, month, first_day, last_day, hex(digest) FROM slice".to_owned(),
        ),
        ("closed", "SELECT * FROM closed".to_owned()),
    ] {
        let mut statement = connection.prepare(&query).unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                let cell = |at| match row.get_ref(at).unwrap() {
                    ValueRef::Null => "-".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                };
                Ok((0..columns).map(cell).collect::<Vec<_>>().join("|"))
            })
            .unwrap();
        tables.insert(name, rows.map(Result::unwrap).collect());
    }
    tables
}

/// What the ledger meters in a month, by service and usage type.
pub(crate) fn metered(ledger: &Path, month: &str) -> BTreeMap<(String, String), String> {
    let output = pipebill(
        ledger,
        &["usage", "--metered", "--month", month, "--format", "csv"],
    )
    .output()
    .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    reader
        .deserialize()
        .map(|row| {
            let row: BTreeMap<String, String> = row.unwrap();
            let text = |key: &str| row[key].clone();
            ((text("service"), text("usage_type")), text("quantity"))
        })
        .collect()
}
