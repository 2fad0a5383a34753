//! An import that finds no room: it leaves nothing behind, and a ledger that was there as it was.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use crate::support::may_skip;

const HEADER: &str = "date,service,usage_type,usage_amount,unit,unblended_cost,currency,resource";

/// Builds of many projects, so that a ledger of them is many pages long, and a row that cannot be read.
fn export(folder: &Path, name: &str, month: &str) -> PathBuf {
    let mut text = format!("{HEADER}\n");
    for build in 0..2000 {
        text += &format!(
            "{month}-{:02},CodeBuild,USE1-Build-Min:Linux:g1.small,{build},Minutes,0.5,USD,\
             arn:aws:codebuild:us-east-1:111122223333:project/project-{build}\n",
            build % 28 + 1
        );
    }
    text += "never,CodeBuild,USE1-Build-Min:Linux:g1.small,1,Minutes,0.5,USD,\n";
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Every file below a folder with what is in it, and every folder.
fn content(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
                found.insert(path, None);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.insert(path, Some(bytes));
            }
        }
    }
    found
}

fn import(export: &Path, ledger: &Path) -> Vec<String> {
    let words = ["import", "--skip-bad-rows", "--as-of", "2026-11-30"].map(str::to_owned);
    let paths = ["--ledger".to_owned(), shown(ledger), shown(export)];
    [&words[..], &paths].concat()
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Imports with so much room, in half kibibytes, for each file: a write beyond it fails.
fn with_room(room: usize, words: &[String]) -> Output {
    Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"",
            "sh",
        ])
        .arg(room.to_string())
        .arg(cargo_bin("pipebill"))
        .args(words)
        .output()
        .unwrap()
}

/// Tries an import with ever more room until there is enough. Returns how often it failed.
fn until_it_fits(folder: &Path, import: impl Fn(usize) -> Output) -> usize {
    let before = content(folder);
    for attempt in 0_usize.. {
        let output = import(attempt);
        if output.status.success() {
            assert_ne!(content(folder), before);
            return attempt;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{attempt}: {said}");
        let now = content(folder);
        let names = || now.keys().collect::<Vec<_>>();
        assert!(now == before, "{attempt}: {said}\n{:?}", names());
    }
    unreachable!("some room is enough")
}

#[test]
fn a_new_ledger_without_room_is_not_there_afterwards() {
    let (exports, ledgers) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let export = export(exports.path(), "x.csv", "2026-10");
    // Its folders are made for it, too.
    let ledger = ledgers.path().join("a/b/ledger.db");
    let words = import(&export, &ledger);
    let failed = until_it_fits(ledgers.path(), |attempt| with_room(attempt * 64, &words));
    // No room at all, none for the tables, none for the rows that could not be read, none for the usage.
    assert!(failed > 6, "{failed}");
}

#[test]
fn a_ledger_without_room_for_more_is_as_it_was() {
    let (exports, ledgers) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let october = export(exports.path(), "october.csv", "2026-10");
    let september = export(exports.path(), "september.csv", "2026-09");
    let ledger = ledgers.path().join("ledger.db");
    let first = with_room(1 << 20, &import(&october, &ledger));
    assert!(first.status.success(), "{first:?}");
    let words = import(&september, &ledger);
    // What is there may be written again, as on a full disk: what was changed is put back so.
    let size = usize::try_from(fs::metadata(&ledger).unwrap().len()).unwrap() / 512;
    let failed = until_it_fits(ledgers.path(), |attempt| {
        with_room(size + attempt * 64, &words)
    });
    assert!(failed > 3, "{failed}");
}

/// A small file system of its own, where this may be had.
struct Small(TempDir);

impl Small {
    fn new(size: &str) -> Option<Self> {
        let place = TempDir::new().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(place.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_full_file_system_is_left_as_it_was() {
    let exports = TempDir::new().unwrap();
    let Some(disk) = Small::new("4m") else {
        may_skip("no file system may be mounted here");
        return;
    };
    let october = export(exports.path(), "october.csv", "2026-10");
    let september = export(exports.path(), "september.csv", "2026-09");
    let ledger = disk.0.path().join("books/ledger.db");
    let ballast = disk.0.path().join("ballast");
    for export in [october, september] {
        let words = import(&export, &ledger);
        // All is full but for some pages, and more of them each time.
        let fill = |pages: usize| {
            fs::write(&ballast, "").unwrap();
            let mut left = 0_usize;
            while fs::write(disk.0.path().join(format!("page-{left}")), [1; 4096]).is_ok() {
                left += 1;
            }
            for page in 0..=left {
                drop(fs::remove_file(disk.0.path().join(format!("page-{page}"))));
            }
            fs::write(&ballast, vec![1; left.saturating_sub(pages) * 4096]).unwrap();
        };
        let mut failed = 0;
        loop {
            fill(failed * 8);
            let before = content(disk.0.path());
            let output = Command::new(cargo_bin("pipebill"))
                .args(&words)
                .output()
                .unwrap();
            if output.status.success() {
                break;
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{failed}: {said}");
            assert!(
                said.contains("no space left") || said.contains("cannot"),
                "{said}"
            );
            let now = content(disk.0.path());
            assert!(
                now == before,
                "{failed}: {said}\n{:?}",
                now.keys().collect::<Vec<_>>()
            );
            failed += 1;
        }
        assert!(failed > 4, "{failed}");
    }
}
