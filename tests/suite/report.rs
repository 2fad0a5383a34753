//! Reports as files: what they are called, what becomes of files that are there, what their
//! manifest says.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A folder for the files of a test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Runs `pipebill report --demo --month 2026-10` in the folder.
    fn report(&self, arguments: &[&str]) -> Output {
        Command::new(cargo_bin("pipebill"))
            .args(["report", "--demo", "--month", "2026-10"])
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    fn written(&self, arguments: &[&str]) {
        let output = self.report(arguments);
        assert!(output.status.success(), "{}", said(&output));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn sha256(path: &Path) -> String {
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_definition_writes_its_files_and_a_manifest_with_their_sums() {
    let folder = Folder::new();
    folder.written(&["--definition", "month-end", "--out", "./"]);
    let manifest = json(&folder.path("pipebill-2026-10-month-end.manifest.json"));
    let files = manifest["files"].as_array().unwrap();
    assert_eq!(
        files.len() + 1,
        folder.names().len(),
        "{:?}",
        folder.names()
    );
    for file in files {
        let path = folder.path(file["file"].as_str().unwrap());
        assert_eq!(file["sha256"], sha256(&path), "{file}");
        assert_eq!(file["bytes"], std::fs::metadata(&path).unwrap().len());
    }
}

#[test]
fn a_file_that_exists_is_replaced_only_by_force_and_then_with_its_manifest() {
    let folder = Folder::new();
    std::fs::write(folder.path("october.manifest.json"), "kept").unwrap();
    let refused = folder.report(&["--out", "october.csv"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("october.manifest.json exists"),
        "{}",
        said(&refused)
    );
    assert_eq!(
        folder.names(),
        ["october.manifest.json"],
        "nothing was written"
    );
    folder.written(&["--out", "october.csv", "--force"]);
    let manifest = json(&folder.path("october.manifest.json"));
    assert_eq!(
        manifest["files"][0]["sha256"],
        sha256(&folder.path("october.csv"))
    );
}

#[test]
fn the_same_report_has_the_same_bytes() {
    let (one, other) = (Folder::new(), Folder::new());
    for folder in [&one, &other] {
        folder.written(&["--definition", "month-end", "--out", "./"]);
    }
    for name in one.names() {
        let same =
            std::fs::read(one.path(&name)).unwrap() == std::fs::read(other.path(&name)).unwrap();
        assert!(same, "{name}");
    }
}

#[test]
fn columns_are_chosen_by_name_and_a_wrong_name_writes_nothing() {
    let folder = Folder::new();
    folder.written(&["--columns", "cost,account_id", "--bom", "--out", "two.csv"]);
    let text = std::fs::read_to_string(folder.path("two.csv")).unwrap();
    assert!(
        text.starts_with("\u{feff}cost,account_id\r\n17.28,222233334444\r\n"),
        "{text}"
    );
    let wrong = folder.report(&["--columns", "acount_id", "--out", "wrong.csv"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said(&wrong).contains("did you mean `account_id`?"),
        "{}",
        said(&wrong)
    );
    assert!(!folder.path("wrong.csv").exists());
}

#[test]
fn a_definition_of_ones_own_is_refused_with_the_line() {
    let folder = Folder::new();
    for (text, line, problem) in [
        (
            "about = \"x\"\n[[file]]\nformat = \"cvs\"\n",
            3,
            "choose csv",
        ),
        (
            "about = \"x\"\n[[file]]\nformat = \"csv\"\nby = [\"colour\"]\n",
            4,
            "choose account",
        ),
        (
            "about = \"x\"\n[[file]]\nformat = \"csv\"\nname = \"../up.csv\"\n",
            4,
            "without folder",
        ),
        (
            "about = \"x\"\n[[file]]\nformt = \"csv\"\n",
            3,
            "unknown field",
        ),
    ] {
        std::fs::write(folder.path("own.toml"), text).unwrap();
        let refused = folder.report(&["--definition", "own.toml", "--out", "./"]);
        assert_eq!(refused.status.code(), Some(1));
        let said = said(&refused);
        assert!(
            said.contains(&format!("line {line}")) && said.contains(problem),
            "{said}"
        );
        assert_eq!(folder.names(), ["own.toml"]);
    }
}
