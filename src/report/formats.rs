//! The formats of `pipebill report`: each is a row of [`FORMATS`], facts and a writer.
//!
//! A writer gets everything a report can be made from and writes one file, text or binary, to any
//! place. What it returns goes into the manifest.

use std::io::Write;

use super::{
    comment, finance, focus,
    input::{ChartKind, Content, Options, ReportError, ReportInput, WriteSummary},
    journal, openmetrics, page, slack, xlsx,
};
use crate::domain::journal::Accrual;

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
        ["html", "pdf", "svg", "slack"].contains(&self.name)
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
        ["html", "pdf", "slack"].contains(&self.name)
            || options.chart.is_some_and(ChartKind::needs_prospect)
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
        name: "slack",
        ending: "-slack.json",
        about: "a digest for Slack (Block Kit): what moved and why; you send it",
        binary: false,
        needs_forecast: always,
        write: slack::write,
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
