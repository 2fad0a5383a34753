//! Hostile input for every reader of pipebill. `scripts/fuzz` runs it; `tests/suite/fuzzed.rs` replays
//! what was found.

pub mod readers;
pub mod shapes;

use std::{panic, sync::Once, thread};

use readers::READERS;

/// Gives a reader the file that the fuzzer's bytes stand for.
pub fn run(reader: &str, data: &[u8]) {
    let (_, read) = READERS
        .iter()
        .find(|(name, _)| *name == reader)
        .expect("every target has a reader");
    let file = shapes::file(reader, data);
    read(&file);
    // The reader of Parquet keeps panics of the crate's decoders quiet, and has set its hook by now. One of
    // our own is to be heard.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_ours = info.location().is_some_and(|at| {
                ["src/exports", "src/inputs", "src/pricing", "src/domain"]
                    .iter()
                    .any(|room| at.file().contains(room))
            });
            if is_ours && thread::current().name() == Some("parquet") {
                eprintln!("{info}");
                std::process::abort();
            }
            before(info);
        }));
    });
}
