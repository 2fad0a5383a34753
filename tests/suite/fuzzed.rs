//! What the fuzzer found: each file made a reader panic, hang or take all memory once. `scripts/fuzz` adds
//! to them.

#[expect(unreachable_pub, reason = "the fuzz crate has them from here")]
#[path = "../../fuzz/src/readers.rs"]
mod readers;

use std::{collections::BTreeSet, fs, path::Path, time::Instant};

use self::readers::READERS;

fn found() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz")
}

#[test]
fn what_was_found_is_read_or_refused_in_time() {
    let mut folders: BTreeSet<String> = fs::read_dir(found())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (name, read) in READERS {
        if !folders.remove(name) {
            continue;
        }
        for entry in fs::read_dir(found().join(name)).unwrap() {
            let path = entry.unwrap().path();
            let (bytes, start) = (fs::read(&path).unwrap(), Instant::now());
            read(&bytes);
            let took = start.elapsed();
            assert!(took.as_secs() < 5, "{}: {took:?}", path.display());
        }
    }
    assert!(folders.is_empty(), "no reader is called {folders:?}");
}

#[test]
fn every_reader_has_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in READERS {
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("run(\"{name}\", data)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
