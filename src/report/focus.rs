//! FOCUS, the cost-and-usage data set of the `FinOps` Foundation: version 1.2, or 1.4 where asked for.
//!
//! Text stands as AWS has it: the specification wants casing and spacing kept, so nothing is guarded
//! against spreadsheets here. Columns of ours begin with `x_` and stand behind FOCUS's own.

mod columns;
mod parquet_file;

use std::{fmt::Write as _, io::Write};

use serde_json::json;

use super::{
    csv::Rows,
    input::{Content, Options, ReportError, ReportInput, WriteSummary},
};
use crate::domain::{
    bill::Bill,
    focus_rows::{ChargeRow, charges},
    rating::Rated,
};
use columns::{Column, Value};

/// What a row rests on: told apart by `x_ChargeBasis`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Basis {
    Actual,
    Estimate,
    Forecast,
}

/// A row with everything its columns ask about.
struct Charge<'a> {
    input: &'a ReportInput<'a>,
    options: &'a Options,
    bill: &'a Bill,
    row: &'a ChargeRow,
    basis: Basis,
}

/// Writes CSV.
pub(super) fn csv(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let columns = columns::of(options.focus_version);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut rows = Rows::new(sink, &names, options)?;
    let mut written = each(input, options, |charge| {
        rows.push_with(|at, field| match (columns[at].value)(charge) {
            Value::Null => Ok(()),
            Value::Text(text) => field.write_str(&text),
            Value::Number(number) if number.is_zero() => field.write_str("0"),
            Value::Number(number) => write!(field, "{}", number.normalize()),
            Value::Time(day) => write!(field, "{day}T00:00:00Z"),
        })
    })?;
    written.rows = rows.finish()?;
    Ok(written)
}

/// Writes Parquet.
pub(super) fn parquet(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let columns: Vec<&Column> = columns::of(options.focus_version);
    let mut file = parquet_file::File::new(&columns)?;
    let mut written = each(input, options, |charge| {
        file.push(
            columns
                .iter()
                .map(|column| (column.value)(charge))
                .collect(),
        )
    })?;
    written.rows = file.finish(sink)?;
    Ok(written)
}

/// Hands out every charge, and adds them up by month.
fn each(
    input: &ReportInput<'_>,
    options: &Options,
    mut take: impl FnMut(&Charge<'_>) -> Result<(), ReportError>,
) -> Result<WriteSummary, ReportError> {
    let mut written = WriteSummary::default();
    let mut month = |rated: &Rated, records: &[_], forecast: bool| -> Result<(), ReportError> {
        let bill = &rated.bill;
        let charges = charges(rated, records, options.sharing);
        for row in &charges.rows {
            let basis = match bill.lines[row.line].aws_cost {
                _ if forecast => Basis::Forecast,
                Some(_) => Basis::Actual,
                None => Basis::Estimate,
            };
            take(&Charge {
                input,
                options,
                bill,
                row,
                basis,
            })?;
        }
        let (cost, list_cost) = charges.totals();
        written.control_totals.push(json!({
            "billing_period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "rows": charges.rows.len(),
            "billed_cost": cost.to_string(),
            "list_cost": list_cost.to_string(),
            "lines_with_units_left_out": charges.unpriced_lines,
        }));
        if charges.unpriced_lines > 0 {
            written.notes.push(format!(
                "{}: units without a price in {} lines have no row: FOCUS knows no unknown cost",
                bill.month, charges.unpriced_lines
            ));
        }
        Ok(())
    };
    if options.content() == Content::Forecast {
        for forecast in input.forecast.iter().flat_map(|it| &it.result.months) {
            let rated = Rated {
                bill: forecast.exact.clone(),
                line_of: Vec::new(),
            };
            month(&rated, &[], true)?;
        }
    } else {
        for of in input.months {
            month(&of.rated, &of.records, false)?;
        }
    }
    Ok(written)
}
