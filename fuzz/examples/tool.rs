//! `tool seeds TARGET FOLDER` writes what to begin with; `tool render TARGET FILE` writes the file that the
//! fuzzer's bytes stand for; `tool replay TARGET FILE` has the reader read a file; `tool hammer TARGET RUNS SEED
//! FILE` has it read so many files of random changes, and leaves the bytes of the last one in the file.

use std::{
    env, fs,
    io::{self, Write},
    panic,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use pipebill_fuzz::{readers::READERS, shapes};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["targets"] => {
            for (name, _) in READERS {
                println!("{name}");
            }
        }
        ["seeds", target, folder] => {
            fs::create_dir_all(folder).expect("a folder");
            for (number, seed) in shapes::seeds(target).into_iter().enumerate() {
                fs::write(format!("{folder}/seed-{number}"), seed).expect("room");
            }
        }
        ["render", target, file] => {
            let data = fs::read(file).expect("a file");
            let file = shapes::file(target, &data);
            io::stdout().write_all(&file).expect("somebody reads");
        }
        ["replay", target, file] => {
            let (_, read) = READERS
                .iter()
                .find(|(name, _)| *name == target)
                .expect("a target");
            let (bytes, start) = (fs::read(file).expect("a file"), Instant::now());
            read(&bytes);
            eprintln!("{file}: read in {:?}", start.elapsed());
        }
        ["hammer", target, runs, seed, file] => {
            let (runs, seed) = (
                runs.parse().expect("a number"),
                seed.parse().expect("a number"),
            );
            hammer(target, runs, seed, file);
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

/// Needs no instruments, and so is some ten times as fast as a fuzzer that looks where it is.
fn hammer(target: &str, runs: u64, seed: u64, file: &str) {
    let (mut state, mut slowest) = (seed.wrapping_mul(2).wrapping_add(1), Duration::ZERO);
    // Splitmix64: the same bytes for the same seed, on any machine.
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let seeds = shapes::seeds(target);
    let last = Arc::new(Mutex::new(Vec::new()));
    let (shown, place) = (Arc::clone(&last), file.to_owned());
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let Ok(bytes) = shown.lock() {
            drop(fs::write(&place, &*bytes));
        }
        before(info);
    }));
    for _ in 0..runs {
        let draw = random();
        let mut data = if draw % 8 == 0 {
            // A good file with some bytes that are others.
            let mut data = seeds[(draw >> 8) as usize % seeds.len()].clone();
            for _ in 0..(draw >> 40) % 12 {
                let (at, what) = (random(), random());
                let at = at as usize % data.len();
                match what % 4 {
                    0 => data.insert(at, (what >> 8) as u8),
                    1 if data.len() > 2 => drop(data.remove(at)),
                    _ => data[at] = (what >> 8) as u8,
                }
            }
            data
        } else {
            let length = 16 + (draw >> 8) % 600;
            (0..length).map(|_| random() as u8).collect()
        };
        if draw % 8 != 0 {
            data[0] |= 1;
        }
        last.lock().expect("one thread").clone_from(&data);
        let timed = || {
            let start = Instant::now();
            pipebill_fuzz::run(target, &data);
            start.elapsed()
        };
        let mut took = timed();
        // Beside other work the clock calls a fast run slow: what is slow is so again.
        if took >= Duration::from_secs(5) {
            took = timed();
        }
        if took > slowest {
            slowest = took;
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    println!("{target}: {runs} executions, slowest {slowest:?}, {peak}");
}
