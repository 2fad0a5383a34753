//! What is read back: records, sums, months.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use rusqlite::{Connection, Row, Statement};
use rust_decimal::Decimal;

use super::{Ledger, LedgerError, SqlResult, count, damaged, decode, exact, sources::used_slices};
use crate::domain::{
    discounts,
    export::{ExportKind, OtherServices},
    ids::{AccountId, Currency, Meter, Region, ResourceId, ServiceCode, UsageType},
    money::Money,
    period::Month,
    quantity::{Quantity, Unit},
    storage::ResourceDetail,
    usage::{Billed, ChargeKind, Commitment, Tags, UsageKey, UsageRecord},
};

impl Ledger {
    /// Returns the months that have anything, in order.
    pub fn months(&self) -> Result<Vec<Month>, LedgerError> {
        self.read(|connection| {
            let mut query =
                connection.prepare("SELECT DISTINCT month FROM slice ORDER BY month")?;
            query
                .query_map([], |row| {
                    decode(&row.get::<_, String>(0)?, |text| text.parse().ok())
                })?
                .collect()
        })
    }

    /// Tells whether the ledger holds all that a delivery brought, and nothing came in its place.
    pub fn holds_delivery(&self, mark: &str) -> Result<bool, LedgerError> {
        self.read(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM slice WHERE delivery = ?1)",
                [mark],
                |row| row.get(0),
            )
        })
    }

    /// Returns the records of a billing month.
    pub fn records(&self, month: Month) -> Result<Vec<UsageRecord>, LedgerError> {
        self.read(|connection| {
            let used = used_slices(connection, &[month])?;
            records(connection, &used, (NaiveDate::MIN, NaiveDate::MAX), false)
        })
    }

    /// Returns what builds and pipelines left in storage in a billing month, which is part of the sums
    /// of [`Ledger::outside`], and whether the month's sources tell.
    pub fn storage(&self, month: Month) -> Result<(ResourceDetail, Vec<UsageRecord>), LedgerError> {
        self.read(|connection| {
            let used = used_slices(connection, &[month])?;
            let mut query =
                connection.prepare("SELECT names_resources FROM slice WHERE id = ?1")?;
            // What was metered but not billed tells nothing.
            let mut told = if used.is_empty() {
                ResourceDetail::NotInExport
            } else {
                ResourceDetail::Present
            };
            for slice in &used {
                told = told.max(match query.query_row([slice], |row| row.get(0))? {
                    Some(true) => ResourceDetail::Present,
                    Some(false) => ResourceDetail::NotInExport,
                    None => ResourceDetail::NotImported,
                });
            }
            let all = (NaiveDate::MIN, NaiveDate::MAX);
            Ok((told, records(connection, &used, all, true)?))
        })
    }

    /// Returns the records of usage on days from `first` to `last`, both included, whatever month
    /// they are billed in.
    pub fn records_between(
        &self,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<UsageRecord>, LedgerError> {
        let months = self.months()?;
        self.read(|connection| {
            let used = used_slices(connection, &months)?;
            records(connection, &used, (first, last), false)
        })
    }

    /// Returns the sums of a month's charges that are not kept in detail.
    pub fn outside(&self, month: Month) -> Result<Vec<OtherServices>, LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT service, kind, currency, row_count, cost FROM outside WHERE slice = ?1",
            )?;
            let mut sums: BTreeMap<(String, ChargeKind, Currency), (u64, Money)> = BTreeMap::new();
            for slice in used_slices(connection, &[month])? {
                let mut rows = query.query([slice])?;
                while let Some(row) = rows.next()? {
                    let kind = ChargeKind::from_name(row.get_ref(1)?.as_str()?);
                    let currency = Currency::new(row.get_ref(2)?.as_str()?);
                    let sum = sums.entry((row.get(0)?, kind, currency)).or_default();
                    sum.0 += count(row, 3)?;
                    sum.1 += Money::new(decode(&row.get::<_, String>(4)?, exact)?);
                }
            }
            let total = |((service, kind, currency), (rows, cost))| OtherServices {
                service,
                kind,
                currency,
                rows,
                cost,
            };
            Ok(sums.into_iter().map(total).collect())
        })
    }
}

pub(super) fn records(
    connection: &Connection,
    slices: &[i64],
    (first, last): (NaiveDate, NaiveDate),
    aside: bool,
) -> SqlResult<Vec<UsageRecord>> {
    let mut query = connection.prepare(
        "SELECT record.*, slice.month, slice.kind AS slice_kind, slice.last_day
         FROM record JOIN slice ON slice.id = record.slice
         WHERE record.slice = ?1 AND record.aside = ?2 ORDER BY record.rowid",
    )?;
    let mut known = Known {
        find: connection.prepare("SELECT value FROM text WHERE id = ?1")?,
        ids: Ids::default(),
    };
    let mut records = Vec::new();
    for slice in slices {
        let mut rows = query.query((slice, aside))?;
        while let Some(row) = rows.next()? {
            let day = decode(&row.get::<_, String>(1)?, |text| text.parse().ok())?;
            records.push(known.record(row, day)?);
        }
    }
    discounts::count_once(&mut records);
    records.retain(|record| (first..=last).contains(&record.day));
    Ok(records)
}

/// Reads records so that those with the same texts share them.
struct Known<'c> {
    find: Statement<'c>,
    ids: Ids,
}

/// By the number of the text.
#[derive(Default)]
struct Ids {
    accounts: HashMap<i64, AccountId>,
    regions: HashMap<i64, Region>,
    services: HashMap<i64, ServiceCode>,
    usage_types: HashMap<i64, UsageType>,
    kinds: HashMap<i64, ChargeKind>,
    resources: HashMap<i64, ResourceId>,
    tags: HashMap<i64, Tags>,
    units: HashMap<i64, Unit>,
    texts: HashMap<i64, Arc<str>>,
    currencies: HashMap<i64, Currency>,
}

impl Known<'_> {
    fn record(&mut self, row: &Row<'_>, day: NaiveDate) -> SqlResult<UsageRecord> {
        let Self { find, ids } = self;
        let amount = |column: &'static str| -> SqlResult<Option<Decimal>> {
            let text: Option<String> = row.get(column)?;
            text.map(|text| decode(&text, exact)).transpose()
        };
        let quantity = |value: Option<Decimal>, unit: Option<Unit>| {
            Some(Quantity::new(value?, unit.unwrap_or(Unit::Unspecified)))
        };
        let unit = parsed(find, &mut ids.units, row, "unit", Unit::parse)?;
        let consumed_unit = parsed(find, &mut ids.units, row, "consumed_unit", Unit::parse)?;
        let billed = match amount("cost")? {
            Some(cost) => Some(Billed {
                cost: Money::new(cost),
                rate: amount("rate")?,
                list_rate: amount("list_rate")?,
                invoice: shared(find, &mut ids.texts, row, "invoice")?,
                covered_by: match row.get_ref("covered_by")?.as_str_or_null()? {
                    Some(name) => Some(decode(name, Commitment::from_name)?),
                    None => None,
                },
            }),
            None => None,
        };
        // Most bills have their rows by day, whatever they cover; a sum is of all the days that it covers.
        let kind = decode(row.get_ref("slice_kind")?.as_str()?, ExportKind::from_name)?;
        let last_day = if kind.is_by_day() {
            day
        } else {
            decode(row.get_ref("last_day")?.as_str()?, |text| text.parse().ok())?
        };
        Ok(UsageRecord {
            month: decode(&row.get::<_, String>("month")?, |text| text.parse().ok())?,
            day,
            last_day,
            key: UsageKey {
                payer: shared(find, &mut ids.accounts, row, "payer")?,
                account: shared(find, &mut ids.accounts, row, "account")?,
                region: needed(shared(find, &mut ids.regions, row, "region")?)?,
                meter: Meter {
                    service: needed(shared(find, &mut ids.services, row, "service")?)?,
                    usage_type: needed(shared(find, &mut ids.usage_types, row, "usage_type")?)?,
                },
            },
            kind: needed(parsed(find, &mut ids.kinds, row, "kind", |text| {
                Some(ChargeKind::from_name(text))
            })?)?,
            resource: shared(find, &mut ids.resources, row, "resource")?,
            tags: needed(parsed(find, &mut ids.tags, row, "tags", |text| {
                serde_json::from_str(text).ok().map(Tags::new)
            })?)?,
            quantity: quantity(amount("quantity")?, unit),
            consumed: quantity(amount("consumed")?, consumed_unit),
            metering: shared(find, &mut ids.texts, row, "metering")?,
            billed,
            currency: needed(shared(find, &mut ids.currencies, row, "currency")?)?,
            origin: needed(shared(find, &mut ids.texts, row, "origin")?)?,
        })
    }
}

/// Returns what the text that a column names stands for; none where it names none.
fn shared<T: Clone + for<'t> From<&'t str>>(
    find: &mut Statement<'_>,
    known: &mut HashMap<i64, T>,
    row: &Row<'_>,
    column: &str,
) -> SqlResult<Option<T>> {
    parsed(find, known, row, column, |text| Some(T::from(text)))
}

/// Like [`shared`], for texts that may make no sense.
fn parsed<T: Clone>(
    find: &mut Statement<'_>,
    known: &mut HashMap<i64, T>,
    row: &Row<'_>,
    column: &str,
    make: impl FnOnce(&str) -> Option<T>,
) -> SqlResult<Option<T>> {
    let Some(id) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    if let Some(value) = known.get(&id) {
        return Ok(Some(value.clone()));
    }
    let text: String = find.query_row([id], |row| row.get(0))?;
    let value = decode(&text, make)?;
    known.insert(id, value.clone());
    Ok(Some(value))
}

fn needed<T>(value: Option<T>) -> SqlResult<T> {
    value.ok_or_else(|| damaged("a record lacks what every record has"))
}
