//! The formats of `pipebill report`: each is a row of [`FORMATS`], facts and a writer.
//!
//! A writer gets everything a report can be made from and writes one file, text or binary, to any
//! place. What it returns goes into the manifest.

use std::io::{self, Write};

use chrono::NaiveDate;
use serde_json::Value;
use thiserror::Error;

use super::{
    comment, finance,
    focus::{self, FocusVersion},
    journal, openmetrics,
    page::{self, Template, pictures::ChartKind},
    xlsx,
};
use crate::{
    domain::{
        allocation::{Dimension, Policy},
        catalog::Catalog,
        exchange::Exchange,
        gl::GlMapping,
        ids::Currency,
        journal::Accrual,
        optimize::Optimization,
        overview::Overview,
        period::Month,
        rating::RatedMonth,
        scenario_summary::ScenarioSummary,
    },
    forecast::Forecast,
    unknown_name::UnknownName,
};

/// What a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// Names of services and meters.
    pub catalog: &'a Catalog,
    /// The day that counts as today.
    pub today: NaiveDate,
    /// The months, in order, at least one.
    pub months: &'a [RatedMonth],
    /// Where usage goes from here, if a format of the report asks for it.
    pub forecast: Option<&'a Forecast>,
    /// The months around, if a format of the report asks for them.
    pub overview: Option<&'a Overview>,
    /// What would have saved money, if a format of the report asks for it and a month is over.
    pub savings: Option<&'a Optimization>,
    /// A scenario beside the last month that is over, likewise.
    pub scenario: Option<&'a ScenarioSummary>,
    /// The sample organization, not the user's.
    pub sample: bool,
}

impl ReportInput<'_> {
    /// Returns what the bills are in.
    pub fn currency(&self) -> &Currency {
        &self.months[0].rated.bill.currency
    }

    /// Returns what the files are named after: `2026-10`, or `2026-01-to-2026-06`.
    pub fn period(&self) -> String {
        let months: Vec<Month> = self.months.iter().map(|m| m.rated.bill.month).collect();
        match months[..] {
            [first, .., last] => format!("{first}-to-{last}"),
            [only] => only.to_string(),
            [] => String::new(),
        }
    }
}

/// What a table is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// A row for each line of the bill.
    Lines,
    /// Costs by the dimensions of --by.
    Summary,
    /// Costs by --by and GL account.
    Allocation,
    /// A row for each month to come.
    Forecast,
    /// Our rating and AWS's bill, with the causes of each difference.
    Reconciliation,
}

impl Content {
    /// Every one with its name and what it is.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Lines, "lines", "A row for each line of the bill"),
        (Self::Summary, "summary", "Costs by the dimensions of --by"),
        (
            Self::Allocation,
            "allocation",
            "Costs by --by and GL account",
        ),
        (Self::Forecast, "forecast", "A row for each month to come"),
        (
            Self::Reconciliation,
            "reconciliation",
            "Our rating and AWS's bill, with the causes of each difference",
        ),
    ];

    /// Returns the one of this name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == name);
        found.map(|(content, ..)| *content)
    }
}

/// How one file is asked for. A format uses what concerns it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the file is about, where the format leaves it open.
    pub content: Option<Content>,
    /// What costs are shared by; nothing for a row a line.
    pub by: Vec<Dimension>,
    /// How free units and costs are shared.
    pub sharing: Policy,
    /// Which columns, in which order; all where none is named.
    pub columns: Vec<String>,
    /// Begin with a byte-order mark, as some spreadsheets want it.
    pub bom: bool,
    /// Which chart, for a picture.
    pub chart: Option<&'static ChartKind>,
    /// A template in place of the one in the program.
    pub template: Option<Template>,
    /// Which version of FOCUS.
    pub focus_version: FocusVersion,
    /// Where costs are posted.
    pub mapping: Option<GlMapping>,
    /// What a journal accrues of a month that is not over.
    pub accrual: Accrual,
    /// The currency that amounts are converted into.
    pub exchange: Option<Exchange>,
}

impl Options {
    /// Returns what was asked for: a summary where dimensions are named, else lines.
    pub fn content(&self) -> Content {
        self.content.unwrap_or(if self.by.is_empty() {
            Content::Lines
        } else {
            Content::Summary
        })
    }
}

/// What a writer wrote.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteSummary {
    /// Rows, where the format has rows.
    pub rows: u64,
    /// What a reader would add up to check the file.
    pub control_totals: Vec<Value>,
    /// What the user should know, beyond the file.
    pub notes: Vec<String>,
}

/// Writes a report's material as one file.
pub type Writer =
    fn(&ReportInput<'_>, &Options, &mut dyn Write) -> Result<WriteSummary, ReportError>;

/// A format of reports.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What its files end with, after the period; `.csv`, `-focus.csv`. The part after the point
    /// chooses the first format with it where none is named.
    pub ending: &'static str,
    /// What it is for, in a line of the help.
    pub about: &'static str,
    /// It is no text, and not for a terminal.
    pub binary: bool,
    /// Tells whether it needs a forecast.
    pub needs_forecast: fn(&Options) -> bool,
    /// Its writer.
    pub write: Writer,
}

impl Format {
    /// Tells whether it shows the months around the reported ones.
    pub fn needs_overview(&self) -> bool {
        ["html", "pdf", "svg"].contains(&self.name)
    }

    /// Tells whether it is whole without a forecast, and says so.
    pub fn goes_without_forecast(&self) -> bool {
        let without = |accrual| Options {
            accrual,
            ..Options::default()
        };
        let accrues = (self.needs_forecast)(&without(Accrual::Expected))
            && !(self.needs_forecast)(&without(Accrual::ToDate));
        self.needs_overview() || accrues
    }

    /// Tells whether it shows savings and a scenario.
    pub fn needs_prospects(&self, options: &Options) -> bool {
        ["html", "pdf"].contains(&self.name) || options.chart.is_some_and(ChartKind::needs_prospect)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

/// Every format of `pipebill report`, in the order of the help.
pub const FORMATS: &[Format] = &[
    Format {
        name: "html",
        ending: ".html",
        about: "a page for people: figures, charts, tables; one file, no script",
        binary: false,
        needs_forecast: always,
        write: page::write,
    },
    Format {
        name: "pdf",
        ending: ".pdf",
        about: "the page on paper, printed by a Chromium on this machine",
        binary: true,
        needs_forecast: always,
        write: page::write_pdf,
    },
    Format {
        name: "svg",
        ending: ".svg",
        about: "one picture, chosen by --chart",
        binary: false,
        needs_forecast: draws_a_forecast,
        write: page::write_svg,
    },
    Format {
        name: "csv",
        ending: ".csv",
        about: "for spreadsheets: a row a line or what --content names, exact decimals, safe text",
        binary: false,
        needs_forecast: if_asked,
        write: finance::write,
    },
    Format {
        name: "xlsx",
        ending: ".xlsx",
        about: "a workbook: summary, lines, forecast, assumptions; numbers, formulas and charts",
        binary: true,
        needs_forecast: always,
        write: xlsx::write,
    },
    Format {
        name: "focus",
        ending: "-focus.csv",
        about: "FOCUS, the FinOps Foundation's columns, as CSV",
        binary: false,
        needs_forecast: if_asked,
        write: focus::csv,
    },
    Format {
        name: "focus-parquet",
        ending: "-focus.parquet",
        about: "the same as Parquet",
        binary: true,
        needs_forecast: if_asked,
        write: focus::parquet,
    },
    Format {
        name: "markdown",
        ending: ".md",
        about: "a comment for pull requests, with a marker to find and replace it by",
        binary: false,
        needs_forecast: never,
        write: comment::write,
    },
    Format {
        name: "openmetrics",
        ending: ".prom",
        about: "metrics for Prometheus",
        binary: false,
        needs_forecast: always,
        write: openmetrics::write,
    },
    Format {
        name: "journal",
        ending: "-journal.csv",
        about: "a balanced journal for any importer",
        binary: false,
        needs_forecast: if_accrued,
        write: journal::generic,
    },
    Format {
        name: "quickbooks",
        ending: "-quickbooks.csv",
        about: "a journal for QuickBooks Online",
        binary: false,
        needs_forecast: if_accrued,
        write: journal::quickbooks,
    },
    Format {
        name: "xero",
        ending: "-xero.csv",
        about: "manual journals for Xero",
        binary: false,
        needs_forecast: if_accrued,
        write: journal::xero,
    },
    Format {
        name: "netsuite",
        ending: "-netsuite.csv",
        about: "journal entries for NetSuite",
        binary: false,
        needs_forecast: if_accrued,
        write: journal::netsuite,
    },
    Format {
        name: "hledger",
        ending: ".journal",
        about: "a journal of hledger",
        binary: false,
        needs_forecast: if_accrued,
        write: journal::hledger,
    },
    Format {
        name: "beancount",
        ending: ".beancount",
        about: "a journal of beancount",
        binary: false,
        needs_forecast: if_accrued,
        write: journal::beancount,
    },
];

fn never(_: &Options) -> bool {
    false
}

fn always(_: &Options) -> bool {
    true
}

fn draws_a_forecast(options: &Options) -> bool {
    options.chart.is_some_and(ChartKind::needs_forecast)
}

fn if_accrued(options: &Options) -> bool {
    options.accrual == Accrual::Expected
}

fn if_asked(options: &Options) -> bool {
    options.content() == Content::Forecast
}

/// Returns the format of this name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Returns the format whose files end like this one.
pub fn by_extension(extension: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| {
        let (_, own) = format.ending.rsplit_once('.').unwrap_or_default();
        own.eq_ignore_ascii_case(extension)
    })
}

/// Why a report has no file.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The place does not take it.
    #[error("cannot write the report")]
    Write(#[from] io::Error),
    /// The format holds no more.
    #[error("{rows} lines are more than the {most} rows that a sheet holds")]
    TooManyRows {
        /// How many there are.
        rows: usize,
        /// How many it holds.
        most: usize,
    },
    /// Nobody said where costs are posted.
    #[error("no mapping to general ledger accounts")]
    NoMapping,
    /// An account that the importer would refuse.
    #[error("{format}: `{account}` is not a valid account: it needs {needs}")]
    BadAccount {
        /// Which format.
        format: &'static str,
        /// Which account.
        account: String,
        /// What it should be.
        needs: &'static str,
    },
    /// An amount that the importer would refuse.
    #[error("{format}: {amount} has more than ten digits before the point or two after it")]
    BadAmount {
        /// Which format.
        format: &'static str,
        /// Which amount.
        amount: String,
    },
    /// A column that the file does not have.
    #[error("--columns: {name}")]
    UnknownColumn {
        /// What was asked for.
        name: UnknownName,
        /// What there is.
        known: Vec<String>,
    },
    /// A picture of nothing in particular.
    #[error("a picture shows one chart")]
    WhichChart,
    /// The chart has no data.
    #[error("--chart {chart}: {why}")]
    NothingToDraw {
        /// Which.
        chart: &'static str,
        /// Why.
        why: String,
    },
    /// A template is broken.
    #[error("{place}: {problem}")]
    Template {
        /// File and line.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// No browser prints.
    #[error("there is no Chromium to print with")]
    NoBrowser,
    /// The browser does not print.
    #[error("{program} does not print: {problem}")]
    Browser {
        /// Which program.
        program: String,
        /// What it says.
        problem: String,
    },
}

impl From<csv::Error> for ReportError {
    fn from(error: csv::Error) -> Self {
        Self::Write(match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}
