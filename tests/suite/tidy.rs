//! What the compiler does not check: who may import whom, what stays out of the sources, which
//! fixtures have a use.

use std::path::Path;

use crate::support::{files_under, read, root, shown};

/// A line of a source file that is code: no comment.
struct Line {
    file: String,
    number: usize,
    text: String,
    /// Below the `#[cfg(test)]` at the end of a file.
    in_tests: bool,
}

/// The code below a directory of `src`, line by line, without comments.
fn code(directory: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for path in files_under(directory) {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let mut in_tests = path.ends_with("tests.rs");
        for (at, text) in read(&path).lines().enumerate() {
            in_tests |= text == "#[cfg(test)]";
            let text = without_comment(text);
            if !text.trim().is_empty() {
                let (file, number) = (shown(&path), at + 1);
                lines.push(Line {
                    file,
                    number,
                    text: text.to_owned(),
                    in_tests,
                });
            }
        }
    }
    lines
}

/// Cuts a comment off; `//` inside a string with a URL is kept.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split(" // ").next().unwrap_or(line)
}

/// Fails with every line that a rule forbids.
fn forbid(rule: &str, lines: &[Line], forbidden: impl Fn(&Line) -> bool) {
    let found: Vec<String> = lines
        .iter()
        .filter(|line| forbidden(line))
        .map(|line| format!("{}:{}: {}", line.file, line.number, line.text.trim()))
        .collect();
    assert!(found.is_empty(), "{rule}\n{}", found.join("\n"));
}

/// The modules of this crate that a line of code names, `use crate::{a, b}` over several lines
/// included: each with the line it stands in.
fn imports(directory: &str) -> Vec<(Line, String)> {
    let mut found = Vec::new();
    // Inside `use crate::{ … }`: how deep the braces are.
    let mut depth: Option<usize> = None;
    for line in code(directory) {
        let mut names = Vec::new();
        let mut rest = line.text.as_str();
        if depth.is_none() {
            while let Some(at) = rest.find("crate::") {
                rest = &rest[at + "crate::".len()..];
                if let Some(inside) = rest.strip_prefix('{') {
                    depth = Some(1);
                    rest = inside;
                    break;
                }
                names.push(first_name(rest));
            }
        }
        if depth.is_some() {
            for part in rest.split_inclusive([',', '{', '}']) {
                if depth == Some(1) {
                    names.push(first_name(part.trim()));
                }
                depth = match (part.chars().last(), depth) {
                    (Some('{'), Some(deep)) => Some(deep + 1),
                    (Some('}'), Some(1)) => None,
                    (Some('}'), Some(deep)) => Some(deep - 1),
                    _ => depth,
                };
                if depth.is_none() {
                    break;
                }
            }
        }
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let Line {
                file,
                number,
                text,
                in_tests,
            } = &line;
            let line = Line {
                file: file.clone(),
                number: *number,
                text: text.clone(),
                in_tests: *in_tests,
            };
            found.push((line, name));
        }
    }
    found
}

fn first_name(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Rooms below `report`: they say what is so, `report/words` says the sentence.
const WITHOUT_SENTENCES: [&str; 8] = [
    "src/domain",
    "src/forecast",
    "src/pricing",
    "src/ledger",
    "src/inputs",
    "src/exports",
    "src/aws",
    "src/app",
];

/// The file that holds one: doc comments of units.
const WITH_SENTENCES: [&str; 1] = ["src/domain/quantity.rs"];

/// Tells whether a line ends a sentence within a string: a full stop before the quote, and words before
/// it. Errors and parts of sentences have none.
fn ends_a_sentence(text: &str) -> bool {
    text.match_indices(".\"").any(|(at, _)| {
        let before = &text[..at];
        let part = before.rsplit('"').next().unwrap_or_default();
        before.ends_with(|c: char| c.is_alphanumeric() || "})`".contains(c))
            && part.split_whitespace().count() > 2
    })
}

#[test]
fn sentences_are_written_in_report_alone() {
    assert!(ends_a_sentence(r#"format!("{n} of {all} were used.")"#));
    assert!(ends_a_sentence(r#"  and the rest of it is unknown.","#));
    assert!(!ends_a_sentence(r#"#[error("no price for {sku}")]"#));
    assert!(!ends_a_sentence(r#"name.strip_suffix(".csv")"#));
    for room in WITHOUT_SENTENCES {
        forbid(
            "a sentence below src/report: say the fact as an enum, and the sentence in src/report/words",
            &code(room),
            |line| {
                let is_known = WITH_SENTENCES.contains(&line.file.as_str());
                !line.in_tests && !is_known && ends_a_sentence(&line.text)
            },
        );
    }
}

/// What each room may import besides itself. `unknown_name` and `atomic_file` are tools that stand
/// outside the rooms.
const ROOMS: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("forecast", &["domain"]),
    ("pricing", &["atomic_file", "domain"]),
    ("ledger", &["domain"]),
    ("inputs", &["domain", "unknown_name"]),
    ("exports", &["domain"]),
    // What AWS says goes into the ledger page by page, with how far it was read.
    ("aws", &["domain", "exports", "ledger"]),
    ("sample", &["domain", "ledger"]),
    (
        "app",
        &[
            "atomic_file",
            "aws",
            "domain",
            "exports",
            "forecast",
            "inputs",
            "ledger",
            "pricing",
            "sample",
            "unknown_name",
        ],
    ),
    // Forecasts are floats, and a price as listed is what an import keeps: neither is of the domain.
    (
        "report",
        &["app", "domain", "forecast", "pricing", "unknown_name"],
    ),
    (
        "cli",
        &[
            "app",
            "atomic_file",
            "aws",
            "domain",
            "exports",
            "forecast",
            "inputs",
            "ledger",
            "pricing",
            "report",
            "unknown_name",
        ],
    ),
];

/// The files of a room: a folder, and the file of the same name beside it.
fn room(name: &str) -> Vec<(Line, String)> {
    let beside = format!("src/{name}.rs");
    let within = format!("src/{name}/");
    let mut found = imports("src");
    found.retain(|(line, _)| line.file == beside || line.file.starts_with(&within));
    found
}

#[test]
fn imports_over_several_lines_are_seen() {
    let names: Vec<String> = imports("src/domain/rating")
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert!(names.iter().any(|name| name == "domain"), "{names:?}");
    assert!(
        !imports("src/report").is_empty(),
        "src/report imports the domain"
    );
}

#[test]
fn rooms_import_only_what_they_may() {
    for (name, allowed) in ROOMS {
        let imports = room(name);
        assert!(!imports.is_empty(), "src/{name} is a room");
        let found: Vec<String> = imports
            .into_iter()
            .filter(|(line, of)| !line.in_tests && of != name && !allowed.contains(&of.as_str()))
            .map(|(line, of)| format!("{}:{}: crate::{of}", line.file, line.number))
            .collect();
        assert!(
            found.is_empty(),
            "besides itself src/{name} imports {allowed:?} only\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn every_folder_is_a_room() {
    for entry in std::fs::read_dir(root().join("src")).expect("src reads") {
        let path = entry.expect("an entry reads").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_room = ROOMS.iter().any(|(room, _)| *room == name);
        assert!(!path.is_dir() || is_room, "src/{name} has no rule here");
    }
}

#[test]
fn the_domain_does_no_io_and_has_no_clock() {
    let lines = code("src/domain");
    let modules = ["fs", "env", "net", "process", "thread", "io"];
    let clocks = ["Utc::now", "Local::now", "Instant", "SystemTime"];
    forbid(
        "no files, environment, network, clock, processes or threads in src/domain",
        &lines,
        |line| {
            modules
                .iter()
                .any(|module| line.text.contains(&format!("std::{module}")))
                || clocks.iter().any(|clock| line.text.contains(clock))
        },
    );
    let multiline = ["fs", "env", "net", "process", "thread"];
    forbid("no such imports from std in src/domain", &lines, |line| {
        let text = line.text.trim();
        multiline
            .iter()
            .any(|module| text.starts_with(&format!("{module}::")) || text == format!("{module},"))
    });
}

#[test]
fn the_domain_has_no_floats_and_waits_for_nothing() {
    let has_word = |text: &str, word: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|part| part == word)
    };
    forbid(
        "no f32, f64 or async in src/domain",
        &code("src/domain"),
        |line| {
            ["f32", "f64", "async", "await"]
                .iter()
                .any(|word| has_word(&line.text, word))
        },
    );
}

#[test]
fn nothing_is_computed_where_it_is_shown() {
    let shown: Vec<Line> = [code("src/report"), code("src/cli")]
        .into_iter()
        .flatten()
        .filter(|line| !line.in_tests)
        .collect();
    forbid(
        "amounts are computed in src/domain; cells, src/report/show.rs and words alone round, for display",
        &shown,
        |line| {
            let arithmetic = [
                "checked_mul",
                "checked_add",
                "checked_sub",
                "checked_div",
                "* Decimal",
            ];
            arithmetic.iter().any(|text| line.text.contains(text))
                || (line.text.contains("round_dp")
                    && !["src/report/mod.rs", "src/report/show.rs"].contains(&line.file.as_str())
                    && !line.file.starts_with("src/report/words/"))
        },
    );
}
#[test]
fn money_is_not_added_where_it_is_shown() {
    let shown: Vec<Line> = [code("src/report"), code("src/cli")]
        .into_iter()
        .flatten()
        .filter(|line| !line.in_tests)
        .collect();
    forbid(
        "sums of money are made in src/domain or src/app",
        &shown,
        |line| {
            let of_money = |text: &str| {
                ["Money", "cost", "billed", "saving", "discount"]
                    .iter()
                    .any(|word| text.contains(word))
            };
            let sums = [".sum()", "sum::<Money>", " += ", " -= "];
            let is_text = line.text.contains("+= &");
            !is_text && sums.iter().any(|sum| line.text.contains(sum)) && of_money(&line.text)
        },
    );
}

#[test]
fn nothing_prints_past_the_output_and_nothing_is_left_undone() {
    let macros = [
        "println",
        "eprintln",
        "print",
        "eprint",
        "dbg",
        "todo",
        "unimplemented",
    ];
    forbid("none of these macros in src", &code("src"), |line| {
        macros.iter().any(|name| {
            let call = format!("{name}!");
            line.text.match_indices(&call).any(|(at, _)| {
                let before = line.text[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
            })
        })
    });
}

#[test]
fn a_source_file_fits_into_five_hundred_lines_or_says_why_not() {
    let mut long = Vec::new();
    for path in files_under("src") {
        let text = read(&path);
        let (name, lines) = (shown(&path), text.lines().count());
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        let mut first_comment = text.lines().take_while(|line| line.starts_with("//!"));
        let says_why = first_comment.any(|line| line.starts_with("//! Long, because "));
        if rust && lines > 500 && !says_why {
            long.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(
        long.is_empty(),
        "split these, or say in the first comment `Long, because …`\n{}",
        long.join("\n")
    );
}

#[test]
fn every_fixture_is_used_by_a_test() {
    let mut tests: String = files_under("tests/suite")
        .iter()
        .map(|path| text_of(path))
        .collect();
    tests.extend(files_under("tests/cmd").iter().map(|path| text_of(path)));
    // Unit tests may read a fixture too.
    tests.extend(files_under("src").iter().map(|path| text_of(path)));
    let unused: Vec<String> = files_under("tests/fixtures")
        .iter()
        .filter(|path| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            // What the fuzzer found is read by the folder.
            let described = name.starts_with("LICEN")
                || name.starts_with("README")
                || path.starts_with(root().join("tests/fixtures/fuzz"))
                // What lies beside a template is found by it.
                || path.starts_with(root().join("tests/fixtures/infra/cfn"));
            !described && !tests.contains(&name)
        })
        .map(|path| shown(path))
        .collect();
    assert!(
        unused.is_empty(),
        "no test names these fixtures\n{}",
        unused.join("\n")
    );
}

/// The text of a file; nothing if it is not text.
fn text_of(path: &Path) -> String {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// What belongs to the project: everything in the package but what git ignores by `.gitignore`.
fn project_files() -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root()).expect("the package reads") {
        let path = entry.expect("an entry reads").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file() && name != ".git" {
            files.push(path);
        } else if path.is_dir() && !["target", ".git"].contains(&&*name) {
            files.extend(files_under(&name));
        }
    }
    files
}

#[test]
fn no_file_names_a_directory_of_somebodys_machine() {
    let homes = ["root", "home", "Users"].map(|home| format!("/{home}/"));
    let mut found = Vec::new();
    for path in project_files() {
        for (at, line) in text_of(&path).lines().enumerate() {
            if homes.iter().any(|home| line.contains(home.as_str())) {
                found.push(format!("{}:{}: {}", shown(&path), at + 1, line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "absolute paths of one machine\n{}",
        found.join("\n")
    );
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = read(&root().join("Cargo.lock"));
    let sources: Vec<&str> = lock
        .lines()
        .filter(|line| line.starts_with("source = "))
        .collect();
    assert!(!sources.is_empty());
    for source in sources {
        let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        assert_eq!(source, public, "Cargo.lock");
    }
    for path in project_files() {
        let name = shown(&path);
        let configures = name.ends_with("Cargo.toml") || name.starts_with(".cargo/");
        for (at, line) in text_of(&path).lines().enumerate() {
            let private = line.contains("registry =") || line.contains("replace-with");
            assert!(!(configures && private), "{name}:{}: {line}", at + 1);
        }
    }
}
