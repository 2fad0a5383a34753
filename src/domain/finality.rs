//! How final a month is: whether AWS may still change its figures, and whether all of them are there.
//!
//! Absent is not zero, and "not yet" is neither: what is missing makes a total partial, what is merely
//! not final yet does not.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    export::{ExportKind, Larger},
    ids::Currency,
    money::Money,
    period::Month,
    usage::Gap,
};

/// Why a month is not final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotFinal {
    /// It is not over.
    Open {
        /// The last day that is known; none where nothing of it is.
        until: Option<NaiveDate>,
    },
    /// A sum of several days that were not over when it was made does not tell which it has.
    ReachUnknown {
        /// Of what kind of export.
        kind: ExportKind,
        /// The latest day that it can know of.
        at_most: NaiveDate,
        /// The month is over, so a part of it is missing.
        is_over: bool,
    },
    /// AWS calls the figures estimated.
    Estimated {
        /// In what kind of export.
        kind: ExportKind,
    },
    /// Charges have no invoice yet.
    NotInvoiced {
        /// In what kind of export.
        kind: ExportKind,
    },
    /// An answer names a next page, which was never fetched.
    PageMissing {
        /// Of what kind of export.
        kind: ExportKind,
    },
    /// Of a report in several files some are not there.
    FilesMissing {
        /// Of what kind of export.
        kind: ExportKind,
        /// Their numbers.
        numbers: Vec<u32>,
    },
    /// What it states does not tell which services were charged.
    ServicesUnknown {
        /// In what kind of export.
        kind: ExportKind,
        /// What it states of them.
        cost: BTreeMap<Currency, Money>,
    },
    /// What was imported last is less than what it took the place of.
    Smaller {
        /// Of what kind of export.
        kind: ExportKind,
        /// Both.
        larger: Larger,
    },
}

impl NotFinal {
    /// Tells whether something is missing, which makes a total partial.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Estimated { .. } | Self::NotInvoiced { .. } => false,
            Self::ReachUnknown { is_over, .. } => *is_over,
            Self::PageMissing { .. }
            | Self::FilesMissing { .. }
            | Self::ServicesUnknown { .. }
            | Self::Smaller { .. } => true,
        }
    }

    /// Says why a month is not final, in words that can follow its name.
    pub fn reason(&self) -> String {
        match self {
            Self::Open { until: Some(day) } => format!("the month is open: usage to {day}"),
            Self::Open { until: None } => "the month is open".to_owned(),
            Self::ReachUnknown {
                kind,
                at_most,
                is_over: false,
            } => format!(
                "the {} does not say how far it reaches into the month ({at_most} at the latest)",
                kind.title()
            ),
            Self::ReachUnknown {
                kind,
                at_most,
                is_over: true,
            } => format!(
                "the {} was read on {at_most}, before the month was over",
                kind.title()
            ),
            Self::Estimated { .. } => "AWS still calls it estimated".to_owned(),
            Self::NotInvoiced { .. } => "not invoiced yet".to_owned(),
            Self::PageMissing { kind } => {
                format!("the {} ends before its last page", kind.title())
            }
            Self::FilesMissing { kind, numbers } => {
                format!("{} of the {} not imported", files(numbers), kind.title())
            }
            Self::ServicesUnknown { kind, cost } => format!(
                "the {} does not say which services {} are of",
                kind.title(),
                amounts(cost)
            ),
            Self::Smaller { larger, .. } => format!(
                "the last import replaced {} with {}",
                size(larger.days, &larger.cost),
                size(larger.days_now, &larger.cost_now)
            ),
        }
    }

    /// Says what of a month is missing, and what would bring it.
    pub fn gap(&self, month: Month) -> Gap {
        let again = |kind: &ExportKind| format!("import the whole {} again", kind.title());
        let (what, remedy) = match self {
            Self::ReachUnknown { kind, .. } => (format!("the rest of {month}"), again(kind)),
            Self::PageMissing { .. } => (
                "the pages after the last one".to_owned(),
                "fetch them with --next-page-token and import all pages together".to_owned(),
            ),
            Self::FilesMissing { numbers, .. } => {
                (files(numbers), "import all files of the report".to_owned())
            }
            Self::ServicesUnknown { .. } => (
                "the services".to_owned(),
                "group the download by Service or Usage type and import it again".to_owned(),
            ),
            Self::Smaller { kind, .. } => (format!("a part of {month}"), again(kind)),
            Self::Open { .. } | Self::Estimated { .. } | Self::NotInvoiced { .. } => {
                (String::new(), String::new())
            }
        };
        Gap {
            what,
            reason: format!("{}; {remedy}", self.reason()),
        }
    }

    /// Returns a short stable name for files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::ReachUnknown { .. } => "reach-unknown",
            Self::Estimated { .. } => "estimated",
            Self::NotInvoiced { .. } => "not-invoiced",
            Self::PageMissing { .. } => "page-missing",
            Self::FilesMissing { .. } => "files-missing",
            Self::ServicesUnknown { .. } => "services-unknown",
            Self::Smaller { .. } => "smaller-than-before",
        }
    }
}

/// How final a month is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Finality {
    /// Why it is not.
    pub reasons: Vec<NotFinal>,
    /// Its sources say themselves that it is: all is invoiced, or no longer estimated.
    pub is_stated: bool,
    /// What was set aside as charges of days to come.
    pub to_come: Option<ToCome>,
}

/// Sums of days to come: a forecast of the console, not charges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToCome {
    /// The first and the last of these days.
    pub days: (NaiveDate, NaiveDate),
    /// What they are said to cost.
    pub cost: Money,
}

impl Finality {
    /// Tells whether a month is final; none where its sources do not say.
    pub fn is_final(&self) -> Option<bool> {
        match (self.reasons.is_empty(), self.is_stated) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        }
    }
}

/// Says how large a delivery is.
pub fn size(days: u32, cost: &BTreeMap<Currency, Money>) -> String {
    let days = format!("{days} day{} of usage", if days == 1 { "" } else { "s" });
    if cost.is_empty() {
        days
    } else {
        format!("{days} ({})", amounts(cost))
    }
}

fn amounts(cost: &BTreeMap<Currency, Money>) -> String {
    let amount = |(currency, cost): (&Currency, &Money)| format!("{} {currency}", cost.to_cents());
    cost.iter().map(amount).collect::<Vec<_>>().join(" and ")
}

fn files(numbers: &[u32]) -> String {
    let names: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match &names[..] {
        [one] => format!("file {one}"),
        many => format!("files {}", many.join(", ")),
    }
}
