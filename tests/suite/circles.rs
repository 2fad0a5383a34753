//! No two files import each other, nor three in a ring: what is read first stands below what uses it.
//!
//! A module and what lies in it count as one: `rating/mod.rs` names its parts, and they name its types.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{files_under, read, root};

/// A module by its path, `["domain", "rating", "draft"]`.
type Module = Vec<String>;

/// The modules of the crate, each with its code: no comments, no tests.
fn modules() -> BTreeMap<Module, String> {
    let source = root().join("src");
    let rust = files_under("src").into_iter().filter(|path| {
        path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs")
    });
    rust.filter_map(|path| {
        let inside = path.strip_prefix(&source).expect("it is below src");
        let inside = inside.with_extension("");
        let mut module: Module = inside
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if module.last().is_some_and(|name| name == "mod") {
            module.pop();
        }
        let is_crate = ["lib", "main"].iter().any(|name| module == [*name]);
        (!is_crate).then(|| (module, code(&read(&path))))
    })
    .collect()
}

fn code(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines();
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split(" // ").next().unwrap_or(line))
        .fold(String::new(), |code, line| code + line + "\n")
}

/// Spells out a tree of imports: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(before: &[String], tree: &str, paths: &mut BTreeSet<Module>) {
    let mut depth = 0;
    let branches = tree.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for branch in branches {
        let (head, inner) = match branch.split_once('{') {
            Some((head, inner)) => (head, inner.rsplit_once('}').map(|(inner, _)| inner)),
            None => (branch, None),
        };
        let head = head.split(" as ").next().unwrap_or(head).trim();
        let names = head.split("::").filter(|name| !name.is_empty());
        let path: Module = before
            .iter()
            .cloned()
            .chain(names.map(str::to_owned))
            .collect();
        match inner {
            Some(inner) => expand(&path, inner, paths),
            None if path.len() > before.len() => drop(paths.insert(path)),
            None => {}
        }
    }
}

/// Every path that code names, in its imports and outside them.
fn paths(code: &str) -> BTreeSet<Module> {
    let mut paths = BTreeSet::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let import = statement.match_indices("use ").find(|(at, _)| {
            let line = statement[..*at].rsplit('\n').next().unwrap_or_default();
            let line = line.trim_start();
            line.is_empty() || (line.starts_with("pub") && !line.contains(['{', '=']))
        });
        match import {
            Some((at, _)) => {
                rest += &statement[..at];
                expand(&[], statement[at + 4..].trim_end_matches(';'), &mut paths);
            }
            None => rest += statement,
        }
    }
    let words = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    for word in words.filter(|word| word.contains("::")) {
        expand(&[], word, &mut paths);
    }
    paths
}

/// The module that a path leads to, as far as it is of this crate and another than the one that names it.
fn target<'m>(
    from: &Module,
    path: &[String],
    all: &'m BTreeMap<Module, String>,
) -> Option<&'m Module> {
    let (mut base, mut names) = (from.clone(), path);
    match path.first()?.as_str() {
        "crate" => (base, names) = (Module::new(), &path[1..]),
        "self" => names = &path[1..],
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            base.truncate(base.len().saturating_sub(up));
            names = &path[up..];
        }
        name => {
            let inner: Module = base.iter().cloned().chain([name.to_owned()]).collect();
            all.get(&inner)?;
        }
    }
    base.extend(names.iter().cloned());
    while !base.is_empty() {
        if let Some((module, _)) = all.get_key_value(&base) {
            return (!from.starts_with(module) && !module.starts_with(from)).then_some(module);
        }
        base.pop();
    }
    None
}

type Imports = BTreeMap<Module, BTreeSet<Module>>;

fn imports() -> Imports {
    let all = modules();
    let of = |(module, code): (&Module, &String)| {
        let paths = paths(code);
        let targets = paths.iter().filter_map(|path| target(module, path, &all));
        (module.clone(), targets.cloned().collect())
    };
    all.iter().map(of).collect()
}

/// What every module reaches by one import or more.
fn all_reached(imports: &Imports) -> Imports {
    let reached = |module: &Module| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Module> = imports[module].iter().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module.clone()) {
                next.extend(&imports[module]);
            }
        }
        (module.clone(), reached)
    };
    imports.keys().map(reached).collect()
}

#[test]
fn imports_are_seen_in_trees_and_in_code() {
    let found = paths(
        "use super::{a::{B, c::D}, self};\npub(super) use crate::e::F as G;\nfn f() { g::h::<I>(); }",
    );
    for path in [
        "super::a::B",
        "super::a::c::D",
        "super::self",
        "crate::e::F",
        "g::h",
    ] {
        let path: Module = path.split("::").map(str::to_owned).collect();
        assert!(found.contains(&path), "{path:?} in {found:?}");
    }
    let imports = imports();
    let module = |path: &str| -> Module { path.split('/').map(str::to_owned).collect() };
    assert!(imports[&module("domain/allocation")].contains(&module("domain/rating")));
    assert!(all_reached(&imports)[&module("app")].contains(&module("domain/money")));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let reached = all_reached(&imports());
    let mut circles: BTreeSet<String> = BTreeSet::new();
    for (module, others) in &reached {
        let back = others
            .iter()
            .filter(|other| reached[*other].contains(module));
        let names: Vec<String> = back.map(|module| module.join("/")).collect();
        if !names.is_empty() {
            circles.insert(names.join(", "));
        }
    }
    assert!(circles.is_empty(), "these import each other:\n{circles:#?}");
}
