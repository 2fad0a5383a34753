//! What a report is made from, how its files are asked for, and why there is none: what every writer
//! shares.

use std::io;

use chrono::NaiveDate;
use serde_json::Value;
use thiserror::Error;

use super::chart::Drawing;
use crate::{
    domain::{
        allocation::{Dimension, Policy},
        bill::Bill,
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
    /// The same months with their usage shared among CI jobs; none if no file is by these.
    pub by_jobs: &'a [RatedMonth],
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

impl<'a> ReportInput<'a> {
    /// Returns the bill of the last month.
    pub fn bill(&self) -> &'a Bill {
        let last = self.months.last().expect("a report has a month");
        &last.rated.bill
    }

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

/// A chart that can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct ChartKind {
    /// What `--chart` calls it.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Draws it, or says why there is nothing to draw.
    pub of: fn(&ReportInput<'_>) -> Result<Drawing, String>,
}

impl ChartKind {
    /// Tells whether it needs a forecast.
    pub fn needs_forecast(&self) -> bool {
        self.name == "fan"
    }

    /// Tells whether it needs a scenario.
    pub fn needs_prospect(&self) -> bool {
        self.name == "scenario"
    }
}

/// A template of the user's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// Where it is from, for messages.
    pub file: String,
    /// The template.
    pub text: String,
}

/// A version of the FOCUS specification.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FocusVersion {
    /// 1.2, which AWS exports and validators know.
    #[default]
    V1_2,
    /// 1.4, ratified in June 2026.
    V1_4,
}

impl FocusVersion {
    /// Every one with its name.
    pub const ALL: [(Self, &'static str); 2] = [(Self::V1_2, "1.2"), (Self::V1_4, "1.4")];
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
