//! The study behind the forecast, repeated: `cargo run --release --example study WINDOWS BASELINES`.
//!
//! Windows are JSON Lines (id, series, origin, cut, mtd, hist, fut), baselines a CSV with at least the columns
//! `id`, `SNaive` and `AutoETS`; both plain or gzipped. With `--answers` every answer is printed as CSV, for
//! fitting the range again.

#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a program of its own, about statistics"
)]

#[allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics, not money"
)]
mod study;

use std::{env, path::Path, time::Instant};

use pipebill::forecast::{
    Remainder,
    calendar::{Calendar, Country},
};

use study::{Bounded, Study, Window};

fn main() -> Result<(), String> {
    let args: Vec<String> = env::args().skip(1).collect();
    let (flags, files): (Vec<_>, Vec<_>) = args.iter().partition(|arg| arg.starts_with("--"));
    let [windows, baselines] = files[..] else {
        return Err("usage: study [--answers] WINDOWS.jsonl.gz BASELINES.csv".to_owned());
    };
    let windows = study::windows(Path::new(windows))?;
    let baselines = study::baselines(Path::new(baselines))?;
    let calendar = Calendar::of([Country::default()]);
    let begun = Instant::now();
    let answers: Vec<Remainder> = windows.iter().map(|one| one.answer(&calendar)).collect();
    let took = begun.elapsed().as_secs_f64() * 1000.0
        / f64::from(u32::try_from(windows.len()).unwrap_or(1));
    if flags.iter().any(|flag| *flag == "--answers") {
        print_answers(&windows, &answers);
        return Ok(());
    }
    let study = study::study(&windows, &answers, &baselines).ok_or("no window has a baseline")?;
    print(&study);
    println!("Time: {took:.2} ms a series");
    Ok(())
}

/// Prints the study: the whole, then each cut day and source.
fn print(study: &Study) {
    println!(
        "{} windows of {} series, {} windows without a baseline left out\n",
        study.windows, study.series, study.left_out
    );
    println!(
        "{:<20} {:>7} {:>14} {:>13} {:>11}",
        "", "windows", "relAE AutoETS", "relAE SNaive", "P10 to P90"
    );
    for part in &study.parts {
        println!(
            "{:<20} {:>7} {:>14.3} {:>13.3} {:>9.1} %",
            part.name, part.windows, part.relae_autoets, part.relae_snaive, part.coverage80
        );
    }
    let bounds = |what: &str, figure: Bounded| {
        println!(
            "{what}: {:.3} [{:.3}, {:.3}]",
            figure.value, figure.low, figure.high
        );
    };
    println!();
    bounds("relAE against AutoETS", study.relae_autoets);
    bounds("relAE against SeasonalNaive", study.relae_snaive);
    bounds("Months within P10 and P90, percent", study.coverage80);
    println!(
        "Median WAPE: {:.3} (AutoETS {:.3})",
        study.median_wape, study.median_wape_autoets
    );
    let of_library = study
        .pinball_autoets
        .map_or("not in the file".to_owned(), |loss| format!("{loss:.4}"));
    println!(
        "Pinball loss: {:.4} (AutoETS's paths {of_library})",
        study.pinball
    );
    println!(
        "\nrelAE: geometric mean over series of (error + 2 % of the month) over the same of the reference; \
         below 1 is better. In brackets, 90 % bounds of a bootstrap by repository."
    );
}

fn print_answers(windows: &[Window], answers: &[Remainder]) {
    println!("id,forecast,p10,p50,p90,actual,offset,ln_s0,ln_sb,ln_ev,ln_h30,r4,few");
    for (window, answer) in windows.iter().zip(answers) {
        let [low, middle, high] = answer.range;
        let facts: Vec<String> = answer.facts.iter().map(ToString::to_string).collect();
        println!(
            "{},{},{low},{middle},{high},{},{},{}",
            window.id,
            answer.total,
            window.actual(),
            answer.offset,
            facts.join(",")
        );
    }
}
