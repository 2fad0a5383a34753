//! `pipebill forecast-bench`: the study behind the forecast, repeated.

use std::path::PathBuf;

use super::{CommandError, Exit, output::Output};
use crate::{
    app,
    forecast::calendar::{Calendar, Country},
    report,
};

/// Run the forecaster over recorded windows and compare it with a library's answers
///
/// Windows are JSON Lines (id, series, origin, cut, H, mtd, hist, fut), baselines a CSV with at least
/// the columns `id`, `SNaive` and `AutoETS`; both plain or gzipped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The windows.
    #[arg(value_name = "WINDOWS.jsonl.gz")]
    windows: PathBuf,
    /// The baselines.
    #[arg(value_name = "BASELINES.csv")]
    baselines: PathBuf,
}

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, CommandError> {
    let calendar = Calendar::of([Country::default()]);
    let (answers, study, ms) = app::forecast_study(&args.windows, &args.baselines, &calendar)?;
    output.show(&report::forecast_study::answer(&study, &answers, ms))?;
    Ok(Exit::Answered)
}
