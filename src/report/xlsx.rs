//! A workbook: summary, lines, forecast and assumptions, with numbers that are numbers and formulas
//! that carry their result for viewers that compute nothing.
//!
//! Cells hold floats of fifteen digits: enough for any bill's amounts, one by one. The lines go out
//! row by row, so memory does not grow with them.

mod sheets;

use self::sheets::{assumptions, forecast};
use std::{
    borrow::Cow,
    io::{self, Write},
};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLegendPosition, ChartLine, ChartType, DocProperties, ExcelDateTime,
    Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet, XlsxError,
};
use serde_json::json;

use super::{
    csv::Slot,
    exact, finance,
    input::{Options, ReportError, ReportInput, WriteSummary},
    text::clean,
};
use crate::domain::{
    bill::{Bill, Pricing, by_service_and_month, total_of},
    ids::Currency,
    money::Money,
    rating::RatedMonth,
};

/// What a sheet of Excel holds, the header not counted.
const MOST_LINES: usize = 1_048_575;

/// What a cell of Excel holds.
const MOST_CHARACTERS: usize = 32_767;

const LINES: &str = "Lines";
const BLUE: u32 = 0x002F_6FDE;
const GREY: u32 = 0x006B_7280;
const SERIES: [u32; 8] = [
    0x002F_6FDE,
    0x00C8_651B,
    0x0019_8754,
    0x007A_4FBF,
    0x009A_7B12,
    0x00B0_3A5B,
    0x000E_7C86,
    0x006B_7280,
];

impl From<XlsxError> for ReportError {
    fn from(error: XlsxError) -> Self {
        Self::Write(io::Error::other(error))
    }
}

/// The looks of cells.
struct Looks {
    title: Format,
    note: Format,
    head: Format,
    head_number: Format,
    money: Format,
    total: Format,
    total_name: Format,
    exact: Format,
    date: Format,
    text: Format,
    wrapped: Format,
}

impl Looks {
    fn of(currency: &Currency) -> Self {
        let head = Format::new()
            .set_bold()
            .set_border_bottom(FormatBorder::Thin);
        let money = Format::new().set_num_format(money_format(currency));
        let total = money.clone().set_bold().set_border_top(FormatBorder::Thin);
        Self {
            title: Format::new().set_bold().set_font_size(15),
            note: Format::new().set_font_color(GREY),
            head_number: head.clone().set_align(FormatAlign::Right),
            head,
            total_name: Format::new().set_bold().set_border_top(FormatBorder::Thin),
            total,
            money,
            exact: Format::new().set_num_format("#,##0.00########"),
            date: Format::new().set_num_format("yyyy-mm-dd"),
            text: Format::new().set_num_format("@"),
            wrapped: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        }
    }
}

fn money_format(currency: &Currency) -> String {
    let mut places = String::new();
    if currency.decimals() > 0 {
        places.push('.');
        places.extend(std::iter::repeat_n('0', currency.decimals() as usize));
    }
    match currency.as_str() {
        "USD" => format!("$#,##0{places};-$#,##0{places}"),
        code => format!("#,##0{places} \"{code}\""),
    }
}

/// Writes the workbook.
pub(super) fn write(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let lines: usize = input.months.iter().map(|m| m.rated.bill.lines.len()).sum();
    fits(lines, MOST_LINES)?;
    let looks = Looks::of(input.currency());
    let mut book = Workbook::new();
    // The same input has the same bytes: no time of making.
    let made = ExcelDateTime::parse_from_str("2000-01-01")?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    summary(book.add_worksheet(), input, options, &looks)?;
    write_lines(
        book.add_worksheet_with_constant_memory()?,
        input,
        options,
        &looks,
    )?;
    forecast(book.add_worksheet(), input, &looks)?;
    assumptions(book.add_worksheet(), input, options, &looks)?;
    let mut file = tempfile::tempfile()?;
    book.save_to_writer(&mut file)?;
    io::Seek::rewind(&mut file)?;
    io::copy(&mut file, sink)?;
    Ok(WriteSummary {
        rows: lines as u64,
        control_totals: input
            .months
            .iter()
            .map(|month| {
                let bill = &month.rated.bill;
                json!({
                    "billing_period": bill.month.to_string(),
                    "currency": bill.currency.as_str(),
                    "rows": bill.lines.len(),
                    "cost": bill.total().to_string(),
                })
            })
            .collect(),
        ..WriteSummary::default()
    })
}

/// Refuses what a sheet does not hold, before anything is written.
fn fits(rows: usize, most: usize) -> Result<(), ReportError> {
    if rows > most {
        return Err(ReportError::TooManyRows { rows, most });
    }
    Ok(())
}

/// A number of a spreadsheet: the float nearest to the exact amount.
fn number(value: Decimal) -> f64 {
    exact(value).parse().expect("a decimal is a number")
}

/// A day as spreadsheets count: from the last of 1899 on.
fn serial(day: NaiveDate) -> f64 {
    let from = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
    let days = day.signed_duration_since(from).num_days();
    i32::try_from(days).unwrap_or_default().into()
}

/// Text without what XML or a spreadsheet cannot hold. It is written as text: no formula runs.
fn plain(text: &str) -> Cow<'_, str> {
    // Nearly all of a million lines is this.
    if text.len() <= MOST_CHARACTERS && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(clean(text).chars().take(MOST_CHARACTERS).collect())
}

fn result(formula: String, value: Decimal) -> Formula {
    Formula::new(formula).set_result(exact(value))
}

/// Rows of the lines sheet that each month has, from 1 as formulas count.
fn rows_of(months: &[RatedMonth]) -> Vec<(usize, usize)> {
    let mut next = 2;
    months
        .iter()
        .map(|month| {
            let first = next;
            next += month.rated.bill.lines.len();
            (first, next - 1)
        })
        .collect()
}

/// The letter of a column of the lines sheet.
fn letter(column: &str) -> String {
    let at = finance::COLUMNS.iter().position(|name| *name == column);
    let at = u16::try_from(at.expect("a column of the lines")).unwrap_or_default();
    rust_xlsxwriter::utility::column_number_to_name(at)
}

/// A sum of a bill, where it is known.
type SumOf = fn(&Bill) -> Option<Money>;

#[expect(
    clippy::cast_possible_truncation,
    reason = "months and services are few"
)]
fn summary(
    sheet: &mut Worksheet,
    input: &ReportInput<'_>,
    options: &Options,
    looks: &Looks,
) -> Result<(), XlsxError> {
    let months = input.months;
    let currency = input.currency();
    sheet.set_name("Summary")?.set_screen_gridlines(false);
    sheet.set_landscape().set_print_fit_to_pages(1, 1);
    sheet.set_column_width(0, 34)?.set_column_width(1, 19)?;
    let last = 2 + months.len() as u16;
    for column in 2..=last {
        sheet.set_column_width(column, 14)?;
    }
    let title = format!(
        "AWS code services, {}",
        input.period().replace("-to-", " to ")
    );
    sheet.write_with_format(0, 0, title, &looks.title)?;
    let sample = if input.sample {
        " A sample: an invented organization."
    } else {
        ""
    };
    let about = format!("Amounts in {currency}. Sums are formulas over the sheet {LINES}.{sample}");
    sheet.write_with_format(1, 0, about, &looks.note)?;
    let head = 3;
    sheet.write_with_format(head, 0, "Service", &looks.head)?;
    sheet.write_with_format(head, 1, "Code", &looks.head)?;
    for (at, month) in months.iter().enumerate() {
        let bill = &month.rated.bill;
        let open = if bill.month.end() > input.today {
            ", open"
        } else {
            ""
        };
        let heading = format!("{}{open}", bill.month);
        sheet.write_with_format(head, 2 + at as u16, heading, &looks.head_number)?;
    }
    sheet.write_with_format(head, last, "Total", &looks.head_number)?;
    let spans = rows_of(months);
    let (service, cost) = (letter("service"), letter("cost"));
    let bills: Vec<&Bill> = months.iter().map(|month| &month.rated.bill).collect();
    let services = by_service_and_month(&bills);
    let first = head + 1;
    let name = rust_xlsxwriter::utility::column_number_to_name;
    let mut row = first;
    for costs in &services {
        let code = &costs.service;
        let mut label = plain(input.catalog.service_name(code)).into_owned();
        if months
            .iter()
            .any(|month| month.rated.bill.pricing_of(code) != Pricing::Whole)
        {
            label += ", partial";
        }
        sheet.write_string(row, 0, label)?;
        sheet.write_string_with_format(row, 1, plain(code.as_str()), &looks.note)?;
        for (at, ((from, to), amount)) in spans.iter().zip(&costs.months).enumerate() {
            let column = 2 + at as u16;
            // A month without lines has nothing to add up.
            let formula = if from > to {
                "=0".to_owned()
            } else {
                format!(
                    "=SUMIFS({LINES}!${cost}${from}:${cost}${to},{LINES}!${service}${from}:${service}${to},$B{})",
                    row + 1
                )
            };
            sheet.write_with_format(row, column, result(formula, amount.amount()), &looks.money)?;
        }
        let formula = format!("=SUM(C{0}:{1}{0})", row + 1, name(last - 1));
        sheet.write_with_format(
            row,
            last,
            result(formula, costs.total.amount()),
            &looks.money,
        )?;
        row += 1;
    }
    let total = row;
    sheet.write_with_format(total, 0, "To pay", &looks.total_name)?;
    sheet.write_with_format(total, 1, "", &looks.total_name)?;
    let totals: Vec<Money> = months
        .iter()
        .map(|month| month.rated.bill.total())
        .collect();
    let grand = total_of(&bills);
    for (column, amount) in (2..).zip(totals.iter().chain([&grand])) {
        let formula = format!("=SUM({0}{1}:{0}{2})", name(column), first + 1, total);
        sheet.write_with_format(
            total,
            column,
            result(formula, amount.amount()),
            &looks.total,
        )?;
    }
    row += 1;
    if let Some(exchange) = &options.exchange {
        let looks = Looks::of(&exchange.to);
        let label = format!(
            "In {}, {} of {}",
            exchange.to, exchange.source, exchange.date
        );
        sheet.write_string(row, 0, plain(&label))?;
        sheet.write_with_format(row, 1, number(exchange.rate), &looks.exact)?;
        for (column, amount) in (2..).zip(totals.iter().chain([&grand])) {
            let formula = format!("={}{}*$B{}", name(column), total + 1, row + 1);
            let amount = exchange.convert(*amount).amount();
            sheet.write_with_format(row, column, result(formula, amount), &looks.money)?;
        }
        row += 1;
    }
    let others: [(&str, &str, SumOf); 2] = [
        ("Without free tier and discounts", "list_cost", |bill| {
            bill.list_is_complete().then(|| bill.list_total())
        }),
        ("Charged by AWS", "aws_cost", Bill::aws_total),
    ];
    for (label, column, sum) in others {
        sheet.write_with_format(row, 0, label, &looks.note)?;
        let column = letter(column);
        for (at, ((from, to), month)) in (2..).zip(spans.iter().zip(months)) {
            match sum(&month.rated.bill).filter(|_| from <= to) {
                Some(amount) => {
                    let formula = format!("=SUM({LINES}!{column}{from}:{column}{to})");
                    let formula = result(formula, amount.amount());
                    sheet.write_with_format(row, at, formula, &looks.money)?;
                }
                None => {
                    sheet.write_with_format(row, at, "not known", &looks.note)?;
                }
            }
        }
        row += 1;
    }
    for month in months
        .iter()
        .filter(|month| !month.rated.bill.is_complete())
    {
        let note = format!("{} is partial: see Assumptions", month.rated.bill.month);
        sheet.write_with_format(row, 0, note, &looks.note)?;
        row += 1;
    }
    sheet.set_freeze_panes(head + 1, 2)?;
    let several = months.len() > 1;
    let mut chart = Chart::new(if several {
        ChartType::ColumnStacked
    } else {
        ChartType::Column
    });
    if several {
        for (at, row) in (first..total).enumerate() {
            chart
                .add_series()
                .set_categories(("Summary", head, 2, head, last - 1))
                .set_values(("Summary", row, 2, row, last - 1))
                .set_name(("Summary", row, 0))
                .set_format(ChartFormat::new().set_solid_fill(&fill(SERIES[at % SERIES.len()])));
        }
        chart.legend().set_position(ChartLegendPosition::Bottom);
    } else {
        chart
            .add_series()
            .set_categories(("Summary", first, 0, total - 1, 0))
            .set_values(("Summary", first, 2, total - 1, 2))
            .set_format(ChartFormat::new().set_solid_fill(&fill(BLUE)));
        chart.legend().set_hidden();
    }
    chart.title().set_name("Cost by service");
    tidy(&mut chart, currency);
    chart.set_alt_text("Cost by service, the figures of the table above");
    chart.set_width(760).set_height(320);
    if total > first {
        sheet.insert_chart(row + 1, 0, &chart)?;
    }
    Ok(())
}

/// Amounts with their currency, and lines that stay behind the data.
fn tidy(chart: &mut Chart, currency: &Currency) {
    let mut line = ChartLine::new();
    line.set_color(0x00E5_E7EB);
    chart
        .y_axis()
        .set_num_format(money_format(currency))
        .set_major_gridlines_line(&line);
}

fn fill(colour: u32) -> rust_xlsxwriter::ChartSolidFill {
    let mut fill = rust_xlsxwriter::ChartSolidFill::new();
    fill.set_color(colour);
    fill
}

fn write_lines(
    sheet: &mut Worksheet,
    input: &ReportInput<'_>,
    options: &Options,
    looks: &Looks,
) -> Result<(), XlsxError> {
    sheet.set_name(LINES)?.set_freeze_panes(1, 0)?;
    sheet
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_repeat_rows(0, 0)?;
    for (column, name) in (0..).zip(finance::COLUMNS) {
        let width = match name {
            "description" | "price_source" => 32,
            "usage_type" => 26,
            name => name.len().max(11) + 1,
        };
        sheet.set_column_width(column, u32::try_from(width).unwrap_or(12))?;
        sheet.write_with_format(0, column, name, &looks.head)?;
    }
    let mut row = 0;
    for month in input.months {
        let bill = &month.rated.bill;
        let period = bill.month.to_string();
        for line in &bill.lines {
            row += 1;
            let slots = finance::slots(line, bill, &period, options.exchange.as_ref());
            for (column, slot) in (0..).zip(slots) {
                match slot {
                    Slot::Text(text) => {
                        sheet.write_string_with_format(row, column, plain(text), &looks.text)?;
                    }
                    Slot::Number(value) => {
                        sheet.write_number_with_format(row, column, number(value), &looks.exact)?;
                    }
                    Slot::Day(day) => {
                        sheet.write_number_with_format(row, column, serial(day), &looks.date)?;
                    }
                    Slot::Empty => {}
                }
            }
        }
    }
    let last = u16::try_from(finance::COLUMNS.len()).unwrap_or(1) - 1;
    sheet.autofilter(0, 0, row.max(1), last)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_holds_so_many_rows_and_no_more() {
        // Excel's limit, with a row for the header.
        assert_eq!(MOST_LINES + 1, 1 << 20);
        assert!(fits(MOST_LINES, MOST_LINES).is_ok());
        let error = fits(MOST_LINES + 1, MOST_LINES).unwrap_err().to_string();
        assert_eq!(
            error,
            "1048576 lines are more than the 1048575 rows that a sheet holds"
        );
    }
}
