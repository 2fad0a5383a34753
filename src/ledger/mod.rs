//! The usage ledger: what was used and billed, month by month, in one `SQLite` file.
//!
//! Importing replaces, it never adds to what is there: a source and its month count once. Where
//! several kinds of export tell of the same money, one of them is read and the others are kept
//! aside.

mod coverage;
mod error;
mod facts;
mod happened;
mod schema;
mod unfinished;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use chrono::NaiveDate;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Row, Statement, Transaction, TransactionBehavior,
};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

pub use self::{
    coverage::{Covered, NotCollected, Scope, Source},
    error::LedgerError,
    facts::{Fact, Listing, Pass, Progress},
    unfinished::Unfinished,
};
use crate::{
    collect::exports::{ExportKind, Outside, Slice},
    domain::{
        ids::{AccountId, Currency, Meter, Region, ResourceId, ServiceCode, UsageType},
        money::Money,
        number::plain,
        period::Month,
        quantity::{Quantity, Unit},
        storage::Told,
        usage::{Billed, ChargeKind, Tags, UsageKey, UsageRecord},
    },
};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(2);

/// The store of usage records.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
}

/// What an import did to one source's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// The kind of export.
    pub kind: ExportKind,
    /// The payer, or the name given to the source.
    pub source: String,
    /// The billing month.
    pub month: Month,
    /// Records of what is replaced.
    pub rows_before: u64,
    /// Records that take their place.
    pub rows_after: u64,
    /// What the former cost.
    pub cost_before: Money,
    /// What the latter cost.
    pub cost_after: Money,
    /// The ledger held exactly this already.
    pub unchanged: bool,
}

/// What the ledger holds of one source's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceInfo {
    /// The kind of export.
    pub kind: ExportKind,
    /// The payer, or the name given to the source.
    pub source: String,
    /// The first day it speaks for.
    pub first_day: NaiveDate,
    /// The last day it speaks for.
    pub last_day: NaiveDate,
    /// It speaks for every day of the month.
    pub whole_month: bool,
    /// Rows of its files that could not be read.
    pub skipped: u64,
    /// How many records it has.
    pub records: u64,
    /// Its records are read; those of the others tell the same money again.
    pub used: bool,
}

type SqlResult<T> = Result<T, rusqlite::Error>;

impl Ledger {
    /// Opens the ledger, and makes it if there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|source| LedgerError::CreateDirectory {
                path: path.to_owned(),
                source,
            })?;
        }
        let was_there = path.exists();
        let ledger = Self::from(path, Connection::open(path));
        if ledger.is_err() && !was_there {
            // On a full disk SQLite gets no further than the name of the file.
            drop(std::fs::remove_file(path));
        }
        ledger
    }

    /// Opens a ledger that is there.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::NoLedger {
                path: path.to_owned(),
            });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::from(path, Connection::open_with_flags(path, flags))
    }

    /// Makes a ledger that lasts as long as the value.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::from(Path::new(":memory:"), Connection::open_in_memory())
    }

    fn from(path: &Path, connection: SqlResult<Connection>) -> Result<Self, LedgerError> {
        let failed = |error| LedgerError::of(path, error);
        let mut connection = connection.map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(failed)?;
        let known = i64::from(schema::VERSION);
        let found = version(&connection).map_err(failed)?;
        if found > 0 || has_tables(&connection).map_err(failed)? {
            let id: i32 = connection
                .pragma_query_value(None, "application_id", |row| row.get(0))
                .map_err(failed)?;
            if id != schema::APPLICATION_ID {
                return Err(LedgerError::NotALedger {
                    path: path.to_owned(),
                });
            }
        }
        if found > known {
            return Err(LedgerError::NewerSchema {
                path: path.to_owned(),
                found,
                known,
            });
        }
        if found < known {
            migrate(&mut connection).map_err(failed)?;
        }
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    /// Puts slices into the ledger in place of what it has of them, all or none.
    ///
    /// A bill replaces its source's month; the later files of a bill in several parts, given
    /// without the first, replace those parts. Anything else replaces the days it speaks for.
    pub fn replace(&mut self, slices: &[Slice]) -> Result<Vec<Replaced>, LedgerError> {
        let failed = |error| LedgerError::of(&self.path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let replaced = replace_slices(&transaction, slices).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(replaced)
    }

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

    /// Returns what the ledger holds of a month, in order of precedence, and which of it is used.
    ///
    /// Each payer's bill is used, in the most detailed kind there is. Sums without a payer are
    /// used only where no payer's bill is there, for they are likely to be the same money.
    pub fn sources(&self, month: Month) -> Result<Vec<SourceInfo>, LedgerError> {
        self.read(|connection| sources(connection, month))
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
    pub fn storage(&self, month: Month) -> Result<(Told, Vec<UsageRecord>), LedgerError> {
        self.read(|connection| {
            let used = used_slices(connection, &[month])?;
            let mut query =
                connection.prepare("SELECT names_resources FROM slice WHERE id = ?1")?;
            // What was metered but not billed tells nothing.
            let mut told = if used.is_empty() {
                Told::NoResources
            } else {
                Told::Yes
            };
            for slice in &used {
                told = told.max(match query.query_row([slice], |row| row.get(0))? {
                    Some(true) => Told::Yes,
                    Some(false) => Told::NoResources,
                    None => Told::NotRead,
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
    pub fn outside(&self, month: Month) -> Result<Vec<Outside>, LedgerError> {
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
            let total = |((service, kind, currency), (rows, cost))| Outside {
                service,
                kind,
                currency,
                rows,
                cost,
            };
            Ok(sums.into_iter().map(total).collect())
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> SqlResult<T>) -> Result<T, LedgerError> {
        read(&self.connection).map_err(|error| LedgerError::of(&self.path, error))
    }
}

fn count(row: &Row<'_>, at: usize) -> SqlResult<u64> {
    let count: i64 = row.get(at)?;
    u64::try_from(count).map_err(|_| damaged("a negative count"))
}

fn version(connection: &Connection) -> SqlResult<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn has_tables(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| {
        row.get(0)
    })
}

fn migrate(connection: &mut Connection) -> SqlResult<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited.
    let done = usize::try_from(version(&transaction)?).unwrap_or_default();
    for step in schema::STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", schema::VERSION)?;
    transaction.commit()
}

fn replace_slices(transaction: &Transaction<'_>, slices: &[Slice]) -> SqlResult<Vec<Replaced>> {
    let mut months: BTreeMap<(Month, ExportKind, &str), Vec<Described<'_>>> = BTreeMap::new();
    for (slice, content) in slices.iter().zip(contents(slices)) {
        months
            .entry((slice.month, slice.kind, &slice.source))
            .or_default()
            .push((slice, content));
    }
    let mut texts = Texts::new(transaction)?;
    months
        .into_iter()
        .map(|((month, kind, source), slices)| {
            replace_month(transaction, &mut texts, kind, source, month, &slices)
        })
        .collect()
}

/// Describes slices, on every core: it takes about as long as writing them.
fn contents(slices: &[Slice]) -> Vec<Content> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = slices.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let parts = slices.chunks(share).map(|part| {
            let describe = || part.iter().map(content).collect::<Vec<_>>();
            let thread = thread::Builder::new().spawn_scoped(scope, describe);
            (part, thread.ok())
        });
        // All are begun before the first is waited for.
        let parts: Vec<_> = parts.collect();
        let described = parts.into_iter().flat_map(|(part, thread)| {
            let described = thread.and_then(|thread| thread.join().ok());
            described.unwrap_or_else(|| part.iter().map(content).collect())
        });
        described.collect()
    })
}

/// What a slice is, whatever file it came from.
type Content = (u32, NaiveDate, NaiveDate, Vec<u8>);
type Described<'s> = (&'s Slice, Content);

fn replace_month(
    transaction: &Transaction<'_>,
    texts: &mut Texts<'_>,
    kind: ExportKind,
    source: &str,
    month: Month,
    described: &[Described<'_>],
) -> SqlResult<Replaced> {
    let slices: Vec<&Slice> = described.iter().map(|(slice, _)| *slice).collect();
    let old = replaced_slices(transaction, kind, source, month, &slices)?;
    let mut before: Vec<Content> = old.iter().map(|(_, content)| content.clone()).collect();
    let mut after: Vec<Content> = described
        .iter()
        .map(|(_, content)| content.clone())
        .collect();
    before.sort();
    after.sort();
    let ids: Vec<i64> = old.iter().map(|(id, _)| *id).collect();
    let (rows_before, cost_before) = totals(transaction, &ids)?;
    let new = || slices.iter().flat_map(|slice| &slice.records);
    let replaced = Replaced {
        kind,
        source: source.to_owned(),
        month,
        rows_before,
        rows_after: new().count() as u64,
        cost_before,
        cost_after: new()
            .filter_map(|record| Some(record.billed.as_ref()?.cost))
            .sum(),
        unchanged: before == after,
    };
    if replaced.unchanged {
        // The same content may have come in another delivery.
        let mut mark = transaction.prepare(
            "UPDATE slice SET skipped = ?1, delivery = ?2, names_resources = ?8
             WHERE kind = ?3 AND source = ?4 AND month = ?5 AND part = ?6 AND first_day = ?7",
        )?;
        for slice in slices {
            mark.execute((
                i64::try_from(slice.skipped).unwrap_or(i64::MAX),
                &slice.delivery,
                kind.name(),
                source,
                month.to_string(),
                slice.part,
                slice.covers.0.to_string(),
                slice.names_resources,
            ))?;
        }
    } else {
        // A delivery of which a part is gone is no longer held.
        let mut unmark = transaction.prepare(
            "UPDATE slice SET delivery = NULL
             WHERE delivery = (SELECT delivery FROM slice WHERE id = ?1)",
        )?;
        let mut delete = transaction.prepare("DELETE FROM slice WHERE id = ?1")?;
        for id in ids {
            unmark.execute([id])?;
            delete.execute([id])?;
        }
        for (slice, content) in described {
            insert(transaction, texts, slice, content)?;
        }
    }
    Ok(replaced)
}

/// Finds what the new slices take the place of.
fn replaced_slices(
    transaction: &Transaction<'_>,
    kind: ExportKind,
    source: &str,
    month: Month,
    slices: &[&Slice],
) -> SqlResult<Vec<(i64, Content)>> {
    let mut query = transaction.prepare(
        "SELECT id, part, first_day, last_day, digest FROM slice
         WHERE kind = ?1 AND source = ?2 AND month = ?3",
    )?;
    let parts: BTreeSet<u32> = slices.iter().map(|slice| slice.part).collect();
    let only_later_parts = parts.iter().all(|part| *part > 1);
    let is_replaced = |(_, (part, first, last, _)): &(i64, Content)| {
        if kind.is_bill() {
            // Part 0 is a bill in one file: it holds what the parts repeat.
            !only_later_parts || parts.contains(part) || *part == 0
        } else {
            slices
                .iter()
                .any(|slice| slice.covers.0 <= *last && *first <= slice.covers.1)
        }
    };
    let all = query.query_map((kind.name(), source, month.to_string()), |row| {
        let day = |at| decode(&row.get::<_, String>(at)?, |text| text.parse().ok());
        Ok((row.get(0)?, (row.get(1)?, day(2)?, day(3)?, row.get(4)?)))
    })?;
    all.filter(|slice| slice.as_ref().map_or(true, is_replaced))
        .collect()
}

fn totals(transaction: &Transaction<'_>, slices: &[i64]) -> SqlResult<(u64, Money)> {
    let mut query =
        transaction.prepare("SELECT cost FROM record WHERE slice = ?1 AND aside = 0")?;
    let mut sum = (0, Money::ZERO);
    for slice in slices {
        let mut rows = query.query([slice])?;
        while let Some(row) = rows.next()? {
            sum.0 += 1;
            let cost: Option<String> = row.get(0)?;
            let cost = cost.map(|text| decode(&text, exact)).transpose()?;
            sum.1 += Money::new(cost.unwrap_or_default());
        }
    }
    Ok(sum)
}

/// Describes a slice by what it says, without the file that says it: a file under another name is
/// no change.
fn content(slice: &Slice) -> Content {
    let mut hasher = Sha256::new();
    let mut row = Vec::new();
    let field = |row: &mut Vec<u8>, text: &str| {
        row.extend_from_slice(&(text.len() as u64).to_le_bytes());
        row.extend_from_slice(text.as_bytes());
    };
    for record in &slice.records {
        row.clear();
        for column in Columns::of(record).texts() {
            // No text of a column begins with this character, so an absent one is not an empty one.
            field(&mut row, column.unwrap_or("\u{0}"));
        }
        hasher.update(&row);
    }
    for record in &slice.storage {
        // Nothing where there is none, as before it was kept.
        row.clear();
        field(&mut row, "storage");
        for column in Columns::of(record).texts() {
            field(&mut row, column.unwrap_or("\u{0}"));
        }
        hasher.update(&row);
    }
    row.clear();
    field(&mut row, "outside");
    for total in &slice.outside {
        field(&mut row, &total.service);
        field(&mut row, &total.kind.to_string());
        field(&mut row, total.currency.as_str());
        field(&mut row, &total.rows.to_string());
        field(&mut row, &total.cost.to_string());
    }
    hasher.update(&row);
    let (first, last) = slice.covers;
    (slice.part, first, last, hasher.finalize().to_vec())
}

/// A record as the texts of its columns.
struct Columns<'r> {
    record: &'r UsageRecord,
    day: String,
    tags: String,
    quantity: Option<(String, &'static str)>,
    consumed: Option<(String, &'static str)>,
    billed: Option<(String, Option<String>, Option<String>)>,
}

impl<'r> Columns<'r> {
    fn of(record: &'r UsageRecord) -> Self {
        let quantity = |q: &Quantity| (plain(q.value), q.unit.name());
        Self {
            record,
            day: record.day.to_string(),
            tags: serde_json::to_string(&*record.tags).expect("a map of texts is JSON"),
            quantity: record.quantity.as_ref().map(quantity),
            consumed: record.consumed.as_ref().map(quantity),
            billed: record.billed.as_ref().map(|billed| {
                (
                    plain(billed.cost.amount()),
                    billed.rate.map(plain),
                    billed.list_rate.map(plain),
                )
            }),
        }
    }

    /// Returns the texts in the order of the table, the file they come from left out.
    fn texts(&self) -> [Option<&str>; 19] {
        let UsageRecord { key, billed, .. } = self.record;
        let amounts = self.billed.as_ref();
        [
            Some(&self.day),
            key.payer.as_ref().map(AccountId::as_str),
            key.account.as_ref().map(AccountId::as_str),
            Some(key.region.as_str()),
            Some(key.meter.service.as_str()),
            Some(key.meter.usage_type.as_str()),
            Some(self.record.kind.name()),
            self.record.resource.as_ref().map(ResourceId::as_str),
            Some(&self.tags),
            self.quantity.as_ref().map(|q| q.0.as_str()),
            self.quantity.as_ref().map(|q| q.1),
            self.consumed.as_ref().map(|q| q.0.as_str()),
            self.consumed.as_ref().map(|q| q.1),
            self.record.metering.as_deref(),
            amounts.map(|a| a.0.as_str()),
            amounts.and_then(|a| a.1.as_deref()),
            amounts.and_then(|a| a.2.as_deref()),
            billed.as_ref().and_then(|b| b.invoice.as_deref()),
            Some(self.record.currency.as_str()),
        ]
    }
}

/// Columns of a record that hold their text themselves; the others hold the number of a text.
const OWN_TEXT: [usize; 6] = [0, 9, 11, 14, 15, 16];

fn insert(
    transaction: &Transaction<'_>,
    texts: &mut Texts<'_>,
    slice: &Slice,
    (part, first, last, digest): &Content,
) -> SqlResult<()> {
    transaction.execute(
        "INSERT INTO slice (kind, source, month, part, first_day, last_day, whole_month, digest,
                            skipped, delivery, names_resources)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        (
            slice.kind.name(),
            &slice.source,
            slice.month.to_string(),
            part,
            first.to_string(),
            last.to_string(),
            slice.whole_month,
            digest,
            i64::try_from(slice.skipped).unwrap_or(i64::MAX),
            &slice.delivery,
            slice.names_resources,
        ),
    )?;
    let id = transaction.last_insert_rowid();
    let mut add = transaction.prepare(
        "INSERT INTO record VALUES
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?;
    let kept = slice.records.iter().map(|record| (record, false));
    let storage = slice.storage.iter().map(|record| (record, true));
    for (record, aside) in kept.chain(storage) {
        let columns = Columns::of(record);
        add.raw_bind_parameter(1, id)?;
        for (at, text) in columns.texts().into_iter().enumerate() {
            match text {
                Some(text) if !OWN_TEXT.contains(&at) => {
                    add.raw_bind_parameter(at + 2, texts.id(text)?)?;
                }
                own => add.raw_bind_parameter(at + 2, own)?,
            }
        }
        add.raw_bind_parameter(21, texts.id(&record.origin)?)?;
        add.raw_bind_parameter(22, aside)?;
        add.raw_execute()?;
    }
    let mut add = transaction.prepare("INSERT INTO outside VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for total in &slice.outside {
        add.execute((
            id,
            &total.service,
            total.kind.name(),
            total.currency.as_str(),
            i64::try_from(total.rows).unwrap_or(i64::MAX),
            plain(total.cost.amount()),
        ))?;
    }
    Ok(())
}

/// The numbers of texts, looked up once each.
struct Texts<'t> {
    find: Statement<'t>,
    add: Statement<'t>,
    known: HashMap<Box<str>, i64>,
}

impl<'t> Texts<'t> {
    fn new(transaction: &'t Transaction<'_>) -> SqlResult<Self> {
        Ok(Self {
            find: transaction.prepare("SELECT id FROM text WHERE value = ?1")?,
            add: transaction.prepare("INSERT INTO text (value) VALUES (?1)")?,
            known: HashMap::new(),
        })
    }

    fn id(&mut self, text: &str) -> SqlResult<i64> {
        if let Some(id) = self.known.get(text) {
            return Ok(*id);
        }
        let found = self.find.query_row([text], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => self.add.insert([text])?,
        };
        self.known.insert(text.into(), id);
        Ok(id)
    }
}

fn sources(connection: &Connection, month: Month) -> SqlResult<Vec<SourceInfo>> {
    let mut query = connection.prepare(
        "SELECT kind, source, first_day, last_day, whole_month,
                (SELECT count(*) FROM record WHERE record.slice = slice.id AND aside = 0),
                skipped
         FROM slice WHERE month = ?1",
    )?;
    let mut found: BTreeMap<(ExportKind, String), (SourceInfo, BTreeSet<NaiveDate>)> =
        BTreeMap::new();
    let mut rows = query.query([month.to_string()])?;
    while let Some(row) = rows.next()? {
        let kind = decode(&row.get::<_, String>(0)?, ExportKind::from_name)?;
        let source: String = row.get(1)?;
        let first_day: NaiveDate = decode(&row.get::<_, String>(2)?, |text| text.parse().ok())?;
        let last_day: NaiveDate = decode(&row.get::<_, String>(3)?, |text| text.parse().ok())?;
        let (info, days) = found.entry((kind, source.clone())).or_insert_with(|| {
            let info = SourceInfo {
                kind,
                source,
                first_day,
                last_day,
                whole_month: false,
                skipped: 0,
                records: 0,
                used: false,
            };
            (info, BTreeSet::new())
        });
        info.first_day = info.first_day.min(first_day);
        info.last_day = info.last_day.max(last_day);
        info.whole_month |= row.get::<_, bool>(4)?;
        info.records += count(row, 5)?;
        info.skipped += count(row, 6)?;
        days.extend(first_day.iter_days().take_while(|day| *day <= last_day));
    }
    let mut sources: Vec<SourceInfo> = found
        .into_values()
        .map(|(mut info, days)| {
            info.whole_month |= month.days().all(|day| days.contains(&day));
            info
        })
        .collect();
    choose_sources(&mut sources);
    Ok(sources)
}

/// Marks the sources that are read. They stand in order of precedence.
fn choose_sources(sources: &mut [SourceInfo]) {
    let is_payers = |info: &SourceInfo| info.kind.is_bill() && !info.source.is_empty();
    if sources.iter().any(is_payers) {
        let mut payers = BTreeSet::new();
        for info in sources.iter_mut().filter(|info| is_payers(info)) {
            info.used = payers.insert(info.source.clone());
        }
        return;
    }
    let best = sources
        .iter()
        .map(|info| (!info.whole_month, info.kind))
        .min()
        .map(|(_, kind)| kind);
    // Sums that name their account, as collected ones do, stand above those that name nobody.
    let is_accounts = |info: &SourceInfo| {
        info.source.len() == 12 && info.source.bytes().all(|byte| byte.is_ascii_digit())
    };
    let has_accounts = sources
        .iter()
        .any(|info| Some(info.kind) == best && is_accounts(info));
    for info in sources {
        info.used = Some(info.kind) == best && !(has_accounts && info.source.is_empty());
    }
}

fn used_slices(connection: &Connection, months: &[Month]) -> SqlResult<Vec<i64>> {
    let mut query = connection.prepare(
        "SELECT id FROM slice WHERE month = ?1 AND kind = ?2 AND source = ?3
         ORDER BY first_day, part, id",
    )?;
    let mut slices = Vec::new();
    for month in months {
        for info in sources(connection, *month)?.iter().filter(|info| info.used) {
            let key = (month.to_string(), info.kind.name(), &info.source);
            for id in query.query_map(key, |row| row.get(0))? {
                slices.push(id?);
            }
        }
    }
    Ok(slices)
}

fn records(
    connection: &Connection,
    slices: &[i64],
    (first, last): (NaiveDate, NaiveDate),
    aside: bool,
) -> SqlResult<Vec<UsageRecord>> {
    let mut query = connection.prepare(
        "SELECT record.*, slice.month FROM record JOIN slice ON slice.id = record.slice
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
            if (first..=last).contains(&day) {
                records.push(known.record(row, day)?);
            }
        }
    }
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
            }),
            None => None,
        };
        Ok(UsageRecord {
            month: decode(&row.get::<_, String>("month")?, |text| text.parse().ok())?,
            day,
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

/// Reads a text of the ledger, which this program wrote.
fn decode<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> SqlResult<T> {
    read(text).ok_or_else(|| damaged(text))
}

/// Sums may be larger than any amount that is read from a bill.
fn exact(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

fn damaged(text: &str) -> rusqlite::Error {
    let what: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}
