//! Forecasts and sweeps the sample organization without the command line:
//! `cargo run --example forecast_and_sweep`.
#![allow(clippy::print_stdout, reason = "an example prints its answer")]

use pipebill::{App, AppError, DataSource, ForecastRequest, SweepRequest};

fn main() -> Result<(), AppError> {
    print!("{}", answer()?);
    Ok(())
}

/// Says where the months end, and what a month costs with half to twice the builds.
pub(crate) fn answer() -> Result<String, AppError> {
    // The sample has a day of its own that counts as today.
    let app = App::new(chrono::NaiveDate::default(), DataSource::Sample)?;
    let forecast = app.forecast(&ForecastRequest::default())?;
    let mut answer = String::new();
    for month in &forecast.result.months {
        let total = month.total;
        answer += &format!(
            "{}: {} to {}\n",
            month.month,
            total.p10.to_cents(),
            total.p90.to_cents()
        );
    }
    let sweep = app.sweep(&SweepRequest {
        axes: vec!["builds*=0.5..2:0.5".to_owned()],
        ..SweepRequest::default()
    })?;
    for (_, swept) in &sweep.answers {
        for point in &swept.points {
            answer += &format!(
                "{} builds: {}\n",
                point.at[0],
                point.total.scenario.to_cents()
            );
        }
    }
    Ok(answer)
}
