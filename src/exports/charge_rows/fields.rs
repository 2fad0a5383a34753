//! The fields of a row by what they say.

use std::collections::BTreeMap;

use csv::ByteRecord;
use rust_decimal::Decimal;

use crate::domain::{
    export::ExportKind,
    usage::{ChargeKind, Commitment},
};
use crate::exports::{
    RowFault,
    aggregate::Fault,
    layout::{Bound, Column, TagField},
    values::{self, present, shown},
};

/// A row: its fields in the order of the header.
pub(in crate::exports) trait Record {
    fn len(&self) -> usize;
    fn get(&self, field: usize) -> Option<&[u8]>;
}

/// What the sums of services that are not kept are told apart by.
pub(super) const OUTSIDE_COLUMNS: [Column; 4] = [
    Column::Service,
    Column::Kind,
    Column::Class,
    Column::Currency,
];

/// What tells groups of one bucket apart, besides day, resource, unit and tags.
pub(super) const GROUP_COLUMNS: [Column; 14] = [
    Column::Service,
    Column::UsageType,
    Column::Kind,
    Column::Class,
    Column::Payer,
    Column::Account,
    Column::Region,
    Column::Rate,
    Column::ListRate,
    Column::Invoice,
    Column::Commitment,
    Column::Pricing,
    Column::Currency,
    Column::Origin,
];

/// What tells storage of one month apart, besides the unit.
pub(super) const STORAGE_COLUMNS: [Column; 8] = [
    Column::Service,
    Column::UsageType,
    Column::Payer,
    Column::Account,
    Column::Region,
    Column::Resource,
    Column::Rate,
    Column::Currency,
];

/// The fields of one row by what they tell.
pub(super) struct Fields<'r, R> {
    pub(super) bound: &'r Bound,
    pub(super) record: &'r R,
}

impl<'r, R: Record> Fields<'r, R> {
    /// Returns the first field of a column that is not empty, and its rank among them.
    pub(super) fn ranked(&self, column: Column) -> Option<(usize, &'r [u8])> {
        let fields = self.bound.fields(column).iter();
        fields
            .enumerate()
            .find_map(|(rank, &field)| Some((rank, present(self.record.get(field)?)?)))
    }

    pub(super) fn raw(&self, column: Column) -> Option<&'r [u8]> {
        self.ranked(column).map(|(_, text)| text)
    }

    /// Returns the unit that goes with the quantity, where there are several of both.
    pub(super) fn unit(&self) -> Option<&'r [u8]> {
        let rank = self.ranked(Column::Quantity).map_or(0, |(rank, _)| rank);
        let field = *self.bound.fields(Column::Unit).get(rank)?;
        present(self.record.get(field)?)
    }

    pub(super) fn utf8(&self, column: Column, text: &'r [u8]) -> Result<&'r str, Fault> {
        std::str::from_utf8(text).map_err(|_| (self.first(column), RowFault::NotText))
    }

    pub(super) fn text(&self, column: Column) -> Result<Option<&'r str>, Fault> {
        self.raw(column)
            .map(|text| self.utf8(column, text))
            .transpose()
    }

    pub(super) fn account(&self, column: Column, is_text: bool) -> Result<Option<&'r str>, Fault> {
        let text = self.text(column)?;
        // The public samples of FOCUS have longer ones; no spreadsheet makes an ID longer.
        let is_sample = |id: &str| {
            let is_long = id.len() > 12 && id.bytes().all(|byte| byte.is_ascii_digit());
            is_long && self.bound.kind() == ExportKind::Focus
        };
        match text.filter(|id| is_text && !values::is_account(id) && !is_sample(id)) {
            None => Ok(text),
            Some(id) => Err((self.first(column), RowFault::Account(shown(id)))),
        }
    }

    /// Tells what pays for usage: the type of its line, or columns of its own. A row of a purchase names
    /// a commitment too, and is none.
    pub(super) fn covered_by(&self) -> Result<Option<Commitment>, Fault> {
        if self.kind()? != ChargeKind::Usage {
            return Ok(None);
        }
        if let Some(commitment) = self.text(Column::Kind)?.and_then(values::covering) {
            return Ok(Some(commitment));
        }
        let is_committed = self.text(Column::Pricing)? == Some("Committed");
        Ok(match self.text(Column::Commitment)? {
            Some(name) if name.contains("avings") => Some(Commitment::SavingsPlan),
            Some(name) if name.contains("eserv") => Some(Commitment::Reservation),
            Some(_) => Some(Commitment::Other),
            None => is_committed.then_some(Commitment::Other),
        })
    }

    pub(super) fn currency(&self) -> Result<&'r str, Fault> {
        let text = self.text(Column::Currency)?;
        text.ok_or_else(|| self.missing(Column::Currency))
    }

    pub(super) fn number(&self, column: Column) -> Result<Option<Decimal>, Fault> {
        let Some(text) = self.text(column)? else {
            return Ok(None);
        };
        match values::number(text) {
            Ok(value) => Ok(Some(value)),
            Err(fault) => Err((self.first(column), fault)),
        }
    }

    pub(super) fn day(&self, column: Column) -> Result<chrono::NaiveDate, Fault> {
        let text = self.text(column)?.ok_or_else(|| self.missing(column))?;
        values::day(text).ok_or_else(|| (self.first(column), values::no_day(text)))
    }

    pub(super) fn kind(&self) -> Result<crate::domain::usage::ChargeKind, Fault> {
        let layout = self.bound.layout;
        match self.text(Column::Kind)? {
            Some(name) => Ok((layout.charge)(name, self.text(Column::Class)?)),
            None if self.bound.fields(Column::Kind).is_empty() => {
                Ok((layout.charge)("Usage", None))
            }
            None => Err(self.missing(Column::Kind)),
        }
    }

    /// Returns the unit price and the list price.
    ///
    /// FOCUS files write 0 for prices they do not have. Both at 0 is a free unit; one alone says
    /// nothing.
    pub(super) fn rates(&self) -> Result<(Option<Decimal>, Option<Decimal>), Fault> {
        let rate = self.number(Column::Rate)?;
        let list_rate = self.number(Column::ListRate)?;
        if !self.bound.layout.zero_rate_is_absent {
            return Ok((rate, list_rate));
        }
        let free = rate == Some(Decimal::ZERO) && list_rate == Some(Decimal::ZERO);
        let positive = |rate: Option<Decimal>| rate.filter(|rate| *rate > Decimal::ZERO);
        Ok((
            positive(rate).or(free.then_some(Decimal::ZERO)),
            positive(list_rate),
        ))
    }

    pub(super) fn tags(&self) -> Result<BTreeMap<String, String>, Fault> {
        let mut tags = BTreeMap::new();
        for (field, tag) in &self.bound.tags {
            let Some(text) = self.record.get(*field).and_then(present) else {
                continue;
            };
            let text = std::str::from_utf8(text).map_err(|_| (Some(*field), RowFault::NotText))?;
            match tag {
                TagField::Map { keys } => values::add_tags(&mut tags, text, *keys)
                    .ok_or_else(|| (Some(*field), RowFault::Tags(shown(text))))?,
                TagField::One { key } => {
                    tags.entry(key.clone()).or_insert_with(|| text.to_owned());
                }
            }
        }
        Ok(tags)
    }

    pub(super) fn first(&self, column: Column) -> Option<usize> {
        self.bound.fields(column).first().copied()
    }

    pub(super) fn missing(&self, column: Column) -> Fault {
        (self.first(column), RowFault::Missing)
    }
}

impl Record for ByteRecord {
    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, field: usize) -> Option<&[u8]> {
        self.get(field)
    }
}

/// Returns which column tells the bill a row is of: not every export has the billing period; the
/// month of usage is the next best.
pub(super) fn when(bound: &Bound) -> Column {
    match bound.fields(Column::Period) {
        [] => Column::Day,
        _ => Column::Period,
    }
}
